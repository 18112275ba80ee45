# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The lists of a topology: what an item of each takes is what the module for that thing takes, less its state."""

from __future__ import annotations

from ansible_collections.linuxnet.netns.plugins.doc_fragments import (
    _address,
    _bridge,
    _interface,
    _link,
    _link_kinds,
    _namespace,
    _nat,
    _nested,
    _netns,
    _route,
    _rule,
    _sysctl,
    _veth,
)

_NAME = """
options:
  name:
    description: The identity of the topology.
    type: str
    required: true
"""

_LIST = """
  {name}:
    description: {what}, each by the options of M(linuxnet.netns.{module}).
    type: list
    elements: dict
    suboptions:
"""


def _list(name: str, module: str, what: str, *texts: str) -> str:
    return _LIST.lstrip("\n").format(name=name, module=module, what=what) + _nested.suboptions(f"{name}[]", _nested.options(*texts), 6)


_WHERE = _netns.ModuleDocFragment.DOCUMENTATION
_LINK = (
    _WHERE,
    _interface.ModuleDocFragment.DOCUMENTATION,
    _interface.ModuleDocFragment.FORCE,
    _link.ModuleDocFragment.DOCUMENTATION,
    _bridge.ModuleDocFragment.DOCUMENTATION,
    _link_kinds.ModuleDocFragment.DOCUMENTATION,
)


class ModuleDocFragment:
    # Annotated, since the yamllint of ansible-test takes every plain assignment here for a literal.
    DOCUMENTATION: str = (
        _NAME
        + _list("namespaces", "netns", "Namespaces", _namespace.ModuleDocFragment.DOCUMENTATION)
        + _list("links", "netns_link", "Interfaces other than veth", *_LINK)
        + _list("veths", "veth", "Veth pairs", _WHERE, _veth.ModuleDocFragment.DOCUMENTATION)
        + _list("addresses", "netns_addr", "Addresses", _WHERE, _address.ModuleDocFragment.DOCUMENTATION)
        + _list("routes", "netns_route", "Routes", _WHERE, _route.ModuleDocFragment.DOCUMENTATION)
        + _list("rules", "netns_rule", "Policy routing rules", _WHERE, _rule.ModuleDocFragment.DOCUMENTATION)
        + _list("sysctls", "netns_sysctl", "Sysctls", _WHERE, _sysctl.ModuleDocFragment.DOCUMENTATION)
        + _list("nat", "netns_nat", "Networks behind NAT", _WHERE, _nat.ModuleDocFragment.DOCUMENTATION)
    )
