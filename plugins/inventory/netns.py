# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: netns
short_description: Network namespaces as hosts
version_added: 0.1.0
author:
  - linuxnet.netns contributors (@linuxnet)
description:
  - Makes a host of the inventory of each network namespace of other hosts, called V(HOST_NAMESPACE). Any module of any
    collection then runs in there.
  - The namespaces are listed in the file, and no host is touched; or hosts are asked for theirs. Both in one file is fine.
  - A namespace is reached as its host is, by the variables of its host whose names begin with C(ansible_), then entered by
    the become plugin P(linuxnet.netns.netns#become). The file names hosts that are in the inventory already, so it comes after
    them, as a later O(ignore:--inventory) or a later file name in the same directory. C(localhost) is always there.
  - Each namespace is in group C(netns), in C(netns_host_HOST), and in C(netns_topology_NAME) for each topology that it belongs to,
    with V(_) for what a group's name cannot contain.
  - The name of the file must end in C(netns.yml) or C(netns.yaml).
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description: The name of this plugin, by which it knows its files.
    type: str
    required: true
    choices: [linuxnet.netns.netns]
  namespaces:
    description:
      - Namespaces by the name of their host; no host is asked for these.
      - Each is a name, or a dict of its C(name) and its C(topology), one or a list of the topologies that it belongs to.
    type: dict
    default: {}
  hosts:
    description:
      - Hosts or groups of the inventory to ask for their namespaces with M(linuxnet.netns.netns_info), as root.
      - An entry of C(/run/netns) that is no namespace is left out.
      - A host that cannot be asked has no namespaces, and a warning says why. With O(strict) it is an error.
      - Passwords that are typed in (C(--ask-pass), C(--ask-become-pass)) are not known while the inventory is read. Use keys, or
        variables of the hosts.
    type: list
    elements: str
    default: []
notes:
  - The variables of a namespace are C(ansible_netns_name), C(ansible_become), C(ansible_become_method), those of its host that
    begin with C(ansible_), and for O(compose), O(groups) and O(keyed_groups) C(netns_host), its host, and C(netns_topologies), a list.
  - What the host's C(sudo) needs (C(ansible_become_password), C(ansible_become_exe), C(ansible_become_flags)) becomes
    C(ansible_netns_sudo_pass), C(ansible_netns_sudo_exe) and C(ansible_netns_sudo_flags). Other variables of C(become) are not taken over.
  - A variable of the host that is a template is still evaluated for the host.
  - To ask, a process of ansible-playbook runs with the inventory sources that were read before. O(cache) spares it.
seealso:
  - module: linuxnet.netns.netns_info
  - plugin: linuxnet.netns.netns
    plugin_type: become
"""

EXAMPLES = r"""
---
# lab.netns.yml: the namespaces are known, and no host is touched. `ansible -i lab.netns.yml netns -m ansible.builtin.ping` runs
# in localhost_blue, localhost_red and localhost_green.
plugin: linuxnet.netns.netns
namespaces:
  localhost:
    - blue
    - red
    - {name: green, topology: lab}

---
# 20-routers.netns.yml, beside 10-hosts.yml with the group routers: these hosts are asked, at most once in ten minutes.
plugin: linuxnet.netns.netns
hosts: [routers]
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/ansible
cache_timeout: 600
# red of all hosts in group netns_name_red
keyed_groups:
  - {key: ansible_netns_name, prefix: netns_name}
# those that nobody's topology has
groups:
  by_hand: netns_topologies | length == 0
compose:
  # the user inside
  ansible_netns_user: "'www-data' if ansible_netns_name.startswith('web') else 'root'"
"""

import typing as t

from ansible import context
from ansible.errors import AnsibleParserError
from ansible.inventory.group import to_safe_group_name
from ansible.inventory.helpers import get_group_vars
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var
from ansible.utils.vars import combine_vars
from ansible.vars.plugins import get_vars_from_inventory_sources

from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError
from ansible_collections.linuxnet.netns.plugins.plugin_utils import _asking, _namespace_hosts
from ansible_collections.linuxnet.netns.plugins.plugin_utils._namespace_hosts import Namespaces

_GROUP = "netns"


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Ansible's door to the inventory plugin."""

    NAME = "linuxnet.netns.netns"

    def verify_file(self, path: str) -> bool:
        return super().verify_file(path) and path.endswith(("netns.yml", "netns.yaml"))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        if not self.get_option("namespaces") and not self.get_option("hosts"):
            raise AnsibleParserError("there is nothing to do: list namespaces by host in 'namespaces', or hosts to ask in 'hosts'")
        try:
            listed = _namespace_hosts.listed(self.get_option("namespaces"))
        except InputError as exc:
            raise AnsibleParserError(str(exc)) from exc
        for host in listed:
            self._named(host, "namespaces")
        # what a host returned is data, and no template
        found = wrap_var(_namespace_hosts.merged(listed, self._live(path, cache)))
        for host, namespaces in found.items():
            way = _namespace_hosts.way_to(host, self._variables(host), self.templar.is_template)
            for namespace, topologies in namespaces.items():
                self._add(host, namespace, topologies, way)

    # --- the hosts that are there already

    def _named(self, name: str, option: str) -> list[str]:
        """The hosts that an entry of an option means."""
        if name in self.inventory.groups and option == "hosts":
            return [host.name for host in self.inventory.groups[name].get_hosts()]
        if self.inventory.get_host(name) is None:
            what = "a host or a group" if option == "hosts" else "a host"
            raise AnsibleParserError(
                f"{option}: {name!r} is not {what} of the inventory as it was read up to here: correct the name, "
                "or name the source that has it before this file"
            )
        return [name]

    def _variables(self, host: str) -> dict[str, t.Any]:
        """Of a host as plays will have them, from the sources that were read so far and the files beside them."""
        entity = self.inventory.get_host(host)
        sources, groups = self.inventory.processed_sources, entity.get_groups()
        found = get_group_vars(groups)
        for more in (
            get_vars_from_inventory_sources(self.loader, sources, groups, "all"),
            entity.get_vars(),
            get_vars_from_inventory_sources(self.loader, sources, [entity], "all"),
        ):
            found = combine_vars(found, more)
        return found

    # --- the hosts that are asked

    def _live(self, path: str, cache: bool) -> dict[str, Namespaces]:
        """The namespaces of the hosts that are to be asked."""
        hosts = dict.fromkeys(host for name in self.get_option("hosts") for host in self._named(name, "hosts"))
        # group all has the namespaces of an earlier file among its hosts
        hosts = [host for host in hosts if "ansible_netns_name" not in self.inventory.get_host(host).vars]
        if not self.get_option("cache"):
            return self._ask(hosts)
        key = self.get_cache_key(path)
        known = self._cache.get(key, {}) if cache else {}
        known = {host: known[host] for host in hosts if host in known}
        known.update(self._ask([host for host in hosts if host not in known]))
        self._cache[key] = known
        return known

    def _ask(self, hosts: list[str]) -> dict[str, Namespaces]:
        if not hosts:
            return {}
        # without those of this plugin, which have none of these hosts and would ask theirs again; a folder leaves a None
        sources = [source for source in self.inventory.processed_sources if source and not self.verify_file(source)]
        try:
            answers = _asking.ask(hosts, sources, context.CLIARGS)
        except _asking.AskError as exc:
            raise AnsibleParserError(str(exc)) from exc
        found = {}
        for host in hosts:
            try:
                found[host] = _namespace_hosts.told(answers[host])
            except InputError as exc:
                self._leave_out(f"the namespaces of host {host!r} are left out: {exc}")
        return found

    def _leave_out(self, sentence: str) -> None:
        if self.get_option("strict"):
            raise AnsibleParserError(sentence)
        self.display.warning(sentence)

    # --- the hosts that are made of them

    def _add(self, host: str, namespace: str, topologies: list[str], way: dict[str, t.Any]) -> None:
        name = f"{host}_{namespace}"
        if name in self.inventory.hosts:
            # somebody on that host could otherwise put variables of his own under a name that is trusted
            self._leave_out(f"namespace {namespace!r} of host {host!r} is left out: the inventory has a host {name!r} already")
            return
        groups = [f"{_GROUP}_host_{host}", *(f"{_GROUP}_topology_{topology}" for topology in topologies)]
        self.inventory.add_group(_GROUP)
        self.inventory.add_host(name, group=_GROUP)
        for group in (to_safe_group_name(group, force=True, silent=True) for group in groups):
            self.inventory.add_group(group)
            self.inventory.add_child(group, name)
        enter = {"ansible_netns_name": namespace, "ansible_become": True, "ansible_become_method": _namespace_hosts.BECOME_METHOD}
        for variable, value in {**way, **enter, "netns_host": host, "netns_topologies": topologies}.items():
            self.inventory.set_variable(name, variable, value)
        self._construct(name)

    def _construct(self, name: str) -> None:
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), self.inventory.get_host(name).get_vars(), name, strict)
        variables = self.inventory.get_host(name).get_vars()
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict)
