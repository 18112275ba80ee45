# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The lists of a topology: an item takes the options of the module for that thing, less its state."""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.netns.plugins.module_utils import _argspec, _argspec_ip, _argspec_nat, _argspec_veth
from ansible_collections.linuxnet.netns.plugins.module_utils._argspec_link import LINK, LINK_LIMITS
from ansible_collections.linuxnet.netns.plugins.module_utils._argspec_probe import CHECKS


def _list(spec: _argspec.Spec, limits: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
    return {"type": "list", "elements": "dict", "options": spec, **(limits or {})}


LISTS: _argspec.Spec = {
    "namespaces": _list(_argspec.NAMESPACE),
    "links": _list(LINK, LINK_LIMITS),
    "veths": _list(_argspec_veth.VETH),
    "addresses": _list(_argspec_ip.ADDRESS),
    "routes": _list(_argspec_ip.ROUTE),
    "rules": _list(_argspec_ip.RULE),
    "sysctls": _list(_argspec.SYSCTL, _argspec.SYSCTL_LIMITS),
    "nat": _list(_argspec_nat.NAT),
}

# How a run is made.
TERMS: _argspec.Spec = {
    "purge": {"type": "bool", "default": True},
    "verify": CHECKS,
    "on_failure": {"type": "str", "choices": ["keep", "rollback"], "default": "rollback"},
    "persist": {"type": "bool", "default": False},
}
