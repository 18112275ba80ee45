#!/usr/bin/python
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: veth
short_description: Manage veth pairs
version_added: 0.1.0
description:
  - Creates, corrects and removes a pair of virtual Ethernet interfaces, each end in the namespace where it belongs.
  - Both ends are born in place, so that no other name and no other namespace ever sees them.
extends_documentation_fragment:
  - linuxnet.netns._attributes
  - linuxnet.netns._attributes.actiongroup_netns
  - linuxnet.netns._netns
  - linuxnet.netns._veth
  - linuxnet.netns._requirements
options:
  state:
    description:
      - V(present) makes sure that the pair exists and that both ends are as asked for.
      - V(absent) removes the pair; O(name) and O(netns) of one end are enough.
    type: str
    choices: [absent, present]
    default: present
seealso:
  - module: linuxnet.netns.netns
  - module: linuxnet.netns.netns_addr
  - module: linuxnet.netns.netns_link
"""

EXAMPLES = r"""
---
- name: Connect a namespace to the host
  linuxnet.netns.veth:
    name: eth0
    netns: blue
    peer:
      name: blue-eth0

- name: Connect two namespaces
  linuxnet.netns.veth:
    name: to-red
    netns: blue
    peer:
      name: to-blue
      netns: red

- name: Connect a namespace to a bridge on the host, with an MTU for both ends
  linuxnet.netns.veth:
    name: eth0
    netns: web
    mtu: 1400
    mac_address: "02:00:5e:10:00:01"
    peer:
      name: web-eth0
      mtu: 1400
      master: br-lab

- name: Remove a pair by one of its ends
  linuxnet.netns.veth:
    name: eth0
    netns: blue
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
      sample: update
    kind:
      description:
        - "Kind of the object: V(namespace), V(link), V(veth), V(address), V(route), V(rule), V(sysctl), V(nft_table) or
          V(foreign_accept)."
      type: str
      sample: veth
    netns:
      description: The namespace it is in, as a name or a path; null for the host.
      type: str
      sample: web
    name:
      description: Name of the object in its namespace.
      type: str
      sample: eth0
    before:
      description: Its attributes before, of an update only those that differed; null if it was not there.
      type: dict
      sample: {mtu: 1500}
    after:
      description: Its attributes after, of an update only those that differed; null if it is gone.
      type: dict
      sample: {mtu: 1400}
    reason:
      description: Why, in a few words.
      type: str
      sample: mtu differs
rolled_back:
  description: Whether what had been done was undone, so that the host is as it was before.
  returned: on failure, if RV(changes) is not empty
  type: bool
  sample: true
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.linuxnet.netns.plugins.module_utils._argspec import STATE
from ansible_collections.linuxnet.netns.plugins.module_utils._argspec_veth import VETH
from ansible_collections.linuxnet.netns.plugins.module_utils._module import item, run


def main() -> None:
    module = AnsibleModule(argument_spec={**VETH, "state": STATE}, supports_check_mode=True)
    run(module, {"veths": [item(module, VETH)]})


if __name__ == "__main__":
    main()
