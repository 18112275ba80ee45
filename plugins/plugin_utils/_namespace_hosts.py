# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Namespaces as hosts of an inventory: which there are, and the variables of each. Pure."""

from __future__ import annotations

import collections.abc as c
import typing as t

from ansible.template import trust_as_template

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import values
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError

# By namespace the topologies that it belongs to.
Namespaces = dict[str, list[str]]

# What a program says is untrusted data unless it says otherwise.
BECOME_METHOD = trust_as_template("linuxnet.netns.netns")
_SUDO = ("sudo", "ansible.builtin.sudo")
# Of the variables that mean the same to sudo, the later one wins.
_FOR_SUDO = {
    "ansible_become_password": "ansible_netns_sudo_pass",
    "ansible_become_pass": "ansible_netns_sudo_pass",
    "ansible_sudo_pass": "ansible_netns_sudo_pass",
    "ansible_become_exe": "ansible_netns_sudo_exe",
    "ansible_sudo_exe": "ansible_netns_sudo_exe",
    "ansible_become_flags": "ansible_netns_sudo_flags",
    "ansible_sudo_flags": "ansible_netns_sudo_flags",
}
# What says how to become somebody on the host itself.
_OF_THE_HOST = ("ansible_become", "ansible_sudo_", "ansible_netns_")


def listed(given: c.Mapping[str, t.Any]) -> dict[str, Namespaces]:
    """Option ``namespaces``, by host. Raises InputError."""
    found: dict[str, Namespaces] = {}
    for host, entries in given.items():
        if not isinstance(entries, list):
            raise InputError(f"namespaces: {host}: {entries!r} is not a list: list the namespaces of this host")
        found[str(host)] = {}
        for position, entry in enumerate(entries):
            where = f"namespaces: {host}[{position}]"
            name, topologies = _entry(entry, where)
            if name in found[host]:
                raise InputError(f"{where}: namespace {name!r} is listed twice: remove one of them")
            found[host][name] = topologies
    return found


def _entry(entry: t.Any, where: str) -> tuple[str, list[str]]:
    item = {"name": entry} if isinstance(entry, str) else entry
    if not isinstance(item, c.Mapping) or not isinstance(item.get("name"), str):
        raise InputError(f"{where}: {entry!r} is not a namespace: give its name, or a dict of 'name' and 'topology'")
    strange = sorted(set(item) - {"name", "topology"})
    if strange:
        raise InputError(f"{where}: {strange[0]!r} is not known: use 'name' and 'topology'")
    topologies = item.get("topology") or []
    topologies = topologies if isinstance(topologies, list) else [topologies]
    return values.namespace_name(item["name"], where), [values.topology_name(str(name), f"{where}: topology") for name in topologies]


def told(answer: c.Mapping[str, t.Any]) -> Namespaces:
    """What netns_info returned, less what is no namespace. Raises InputError; a host may return anything."""
    namespaces = answer.get("namespaces")
    if not isinstance(namespaces, c.Mapping) or not all(isinstance(facts, c.Mapping) for facts in namespaces.values()):
        raise InputError(str(answer.get("msg") or "it returned no namespaces"))
    return {
        values.namespace_name(name, "netns_info"): [values.topology_name(str(owner), "netns_info") for owner in facts.get("owner") or ()]
        for name, facts in namespaces.items()
        if not facts.get("stale")
    }


def merged(one: c.Mapping[str, Namespaces], other: c.Mapping[str, Namespaces]) -> dict[str, Namespaces]:
    """All of both; a namespace that is in both belongs to the topologies of both."""
    found: dict[str, Namespaces] = {}
    for host, namespaces in [*one.items(), *other.items()]:
        here = found.setdefault(host, {})
        for name, topologies in namespaces.items():
            here[name] = sorted({*here.get(name, ()), *topologies})
    return found


def way_to(host: str, variables: c.Mapping[str, t.Any], is_template: t.Callable[[t.Any], bool]) -> dict[str, t.Any]:
    """How to get to a namespace's host and be root there, from the variables of the host, whose name ``netns_host`` has."""

    def taken(name: str) -> t.Any:
        # elsewhere it could mean something else: {{ inventory_hostname }}
        if is_template(variables[name]):
            return trust_as_template(f"{{{{ hostvars[netns_host].{name} }}}}")
        return variables[name]

    way = {"ansible_host": host}
    way.update({name: taken(name) for name in variables if name.startswith("ansible_") and not name.startswith(_OF_THE_HOST)})
    if variables.get("ansible_become_method", _SUDO[0]) in _SUDO:
        way.update({ours: taken(name) for name, ours in _FOR_SUDO.items() if name in variables})
    return way
