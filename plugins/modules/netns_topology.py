#!/usr/bin/python
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: netns_topology
short_description: Manage a whole graph of namespaces in one task
version_added: 0.1.0
description:
  - Brings namespaces, interfaces, addresses, routes, rules, sysctls and NAT to what is listed, in one transaction.
  - If something fails, what had been done is undone, and the host is as it was.
  - An item of a list takes the options of the module for that thing, O(namespaces) those of M(linuxnet.netns.netns),
    O(veths) those of M(linuxnet.netns.veth) and so on.
  - The order of the lists and of their items does not matter.
extends_documentation_fragment:
  - linuxnet.netns._attributes
  - linuxnet.netns._attributes.actiongroup_netns
  - linuxnet.netns._topology
  - linuxnet.netns._requirements
  - linuxnet.netns._requirements.pyroute2
  - linuxnet.netns._requirements.nft
options:
  state:
    description:
      - V(present) makes sure that everything listed exists and is as asked for.
      - V(absent) removes everything listed; sysctls stay as they are, and what is gone already is fine.
    type: str
    choices: [absent, present]
    default: present
seealso:
  - module: linuxnet.netns.netns
  - module: linuxnet.netns.netns_info
    description: Returns what is there in the form that this module takes.
"""

EXAMPLES = r"""
---
- name: Two namespaces and a cable between them
  linuxnet.netns.netns_topology:
    name: pair
    namespaces:
      - name: [blue, red]
    veths:
      - name: eth0
        netns: blue
        peer: {name: eth0, netns: red}
    addresses:
      - {netns: blue, dev: eth0, address: 192.0.2.1/24}
      - {netns: red, dev: eth0, address: 192.0.2.2/24}

- name: A namespace behind a bridge, with a way out
  linuxnet.netns.netns_topology: &lab
    name: lab
    namespaces:
      - name: web
        nameservers: [198.51.100.53]
    links:
      - name: br-lab
        kind: bridge
    veths:
      - name: eth0
        netns: web
        peer: {name: web-eth0, master: br-lab}
    addresses:
      - {dev: br-lab, address: [192.0.2.1/24, "2001:db8:77::1/64"]}
      - {netns: web, dev: eth0, address: [192.0.2.10/24, "2001:db8:77::10/64"]}
    routes:
      - {netns: web, dest: default, gateway: 192.0.2.1}
      - {netns: web, dest: default, gateway: "2001:db8:77::1"}
    sysctls:
      - {netns: web, name: net.ipv4.ip_unprivileged_port_start, value: 80}
    nat:
      - {name: lab, subnets: [192.0.2.0/24, "2001:db8:77::/64"], interface: br-lab}

- name: Remove all of it
  linuxnet.netns.netns_topology:
    <<: *lab
    state: absent
"""

RETURN = r"""
---
changes:
  description:
    - What was done, in the order of execution; in check mode what a real run would do.
    - Empty if everything was as asked for.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: What was done, V(create), V(update), V(delete) or V(move).
      type: str
      sample: create
    kind:
      description: "Kind of the object: V(namespace), V(link), V(veth), V(address), V(route), V(rule), V(sysctl) or V(nft_table)."
      type: str
      sample: namespace
    netns:
      description: The namespace it is in, as a name or a path; null for the host.
      type: str
      sample: null
    name:
      description: Name of the object in its namespace.
      type: str
      sample: web
    before:
      description: Its attributes before, of an update only those that differed; null if it was not there.
      type: dict
      sample: null
    after:
      description: Its attributes after, of an update only those that differed; null if it is gone.
      type: dict
      sample: {loopback: true}
    reason:
      description: Why, in a few words.
      type: str
      sample: not there
rolled_back:
  description: Whether what had been done was undone, so that the host is as it was before.
  returned: on failure, if RV(changes) is not empty
  type: bool
  sample: true
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.linuxnet.netns.plugins.module_utils._argspec import STATE
from ansible_collections.linuxnet.netns.plugins.module_utils._argspec_topology import LISTS
from ansible_collections.linuxnet.netns.plugins.module_utils._module import item, run


def main() -> None:
    module = AnsibleModule(
        argument_spec={"name": {"type": "str", "required": True}, **LISTS, "state": STATE},
        supports_check_mode=True,
    )
    run(module, item(module, LISTS), topology=True)


if __name__ == "__main__":
    main()
