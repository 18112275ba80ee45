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
  - linuxnet.netns._probe.verify
  - linuxnet.netns._requirements
  - linuxnet.netns._requirements.pyroute2
  - linuxnet.netns._requirements.nft
options:
  state:
    description:
      - V(present) makes sure that everything listed exists and is as asked for.
      - V(absent) removes everything that this topology made, listed or not; O(name) is enough. What was there before it stays, with a
        warning if it is listed; sysctls stay as they are, and what is gone already is fine.
      - V(absent) goes on after an error, and tells all of them at the end.
    type: str
    choices: [absent, present]
    default: present
  purge:
    description:
      - Remove what an earlier run with this O(name) made and this one does not list.
      - What somebody else made is never removed, nor what another topology lists too or has something standing on.
    type: bool
    default: true
  on_failure:
    description:
      - V(rollback) brings the host back to what it was, if anything fails.
      - V(keep) leaves what was done for a look. The next run with this O(name) goes on from there.
    type: str
    choices: [keep, rollback]
    default: rollback
  persist:
    description:
      - Save the lists on the target, so that the topology is built again after a reboot, and after somebody has taken its nftables
        rules away. It takes the role P(linuxnet.netns.persist#role) too, which installs the service that does so.
      - They are saved when all is built and verified, as C(/var/lib/linuxnet-netns/NAME.json), for root only, with the secrets that
        are in them.
      - V(false), and O(state=absent), remove what was saved.
    type: bool
    default: false
notes:
  - What a topology made is marked in the kernel, devices by an alternative name C(linuxnet.netns.NAME), addresses, routes and rules by the
    protocol number 110, and recorded under C(/run/linuxnet-netns), which is empty after a reboot, as the network is without O(persist).
  - If two topologies list the same object, the last one that leaves removes it. A topology that wants it otherwise than the one that
    made it is refused.
  - A run that was killed is taken back by the next run of any module of this collection, which returns RV(recovered).
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
  linuxnet.netns.netns_topology:
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

- name: Nothing of it, if the way out does not work
  linuxnet.netns.netns_topology:
    name: cable
    namespaces:
      - name: [amber, coral]
    veths:
      - name: eth0
        netns: amber
        peer: {name: eth0, netns: coral}
    addresses:
      - {netns: amber, dev: eth0, address: 198.51.100.1/24}
      - {netns: coral, dev: eth0, address: 198.51.100.2/24}
    verify:
      - {netns: amber, ping: 198.51.100.2}

- name: One that is there again after a reboot, with the service that role linuxnet.netns.persist installs
  linuxnet.netns.netns_topology:
    name: quarantine
    persist: true
    namespaces:
      - name: olive
        loopback: false

- name: Remove all of it
  linuxnet.netns.netns_topology:
    name: lab
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
      description:
        - "Kind of the object: V(namespace), V(link), V(veth), V(address), V(route), V(rule), V(sysctl), V(nft_table), V(file) or
          V(foreign_accept)."
        - V(saved_topology) is the file of O(persist).
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
persisted:
  description: The topologies of this host that are saved, by O(persist) of this task or of others; in check mode as after a real run.
  returned: success
  type: list
  elements: str
  sample: [nat_network.lab]
recovered:
  description:
    - What a killed run had left half done and this run took back, or brought to an end, before it began; in the form of RV(changes).
  returned: if there was something
  type: list
  elements: dict
  sample: []
results:
  description: What became of each check of O(verify), in the form of RV(linuxnet.netns.netns_probe#module:results).
  returned: if there are checks and they were made
  type: list
  elements: dict
  sample:
    - {netns: web, check: ping, target: 203.0.113.10, ok: true, milliseconds: 0.4, source: 192.0.2.10, answer: null, layer: null, msg: null}
rolled_back:
  description: Whether what had been done was undone, so that the host is as it was before.
  returned: on failure, if RV(changes) is not empty
  type: bool
  sample: true
"""

from ansible_collections.linuxnet.netns.plugins.module_utils._argspec import STATE
from ansible_collections.linuxnet.netns.plugins.module_utils._argspec_topology import LISTS, TERMS
from ansible_collections.linuxnet.netns.plugins.module_utils._long_lists import LongListsModule
from ansible_collections.linuxnet.netns.plugins.module_utils._module import item, run, terms


def main() -> None:
    module = LongListsModule(
        argument_spec={"name": {"type": "str", "required": True}, **LISTS, **TERMS, "state": STATE},
        supports_check_mode=True,
    )
    lists = item(module, LISTS)
    run(module, lists, agreed=lambda: terms(module.params, lists), result=lambda report: {"persisted": report.saved})


if __name__ == "__main__":
    main()
