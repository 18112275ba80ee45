#!/usr/bin/python
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: netns_link
short_description: Manage network interfaces in a namespace
version_added: 0.1.0
description:
  - Creates, corrects and removes virtual interfaces of every kind but veth, for which there is M(linuxnet.netns.veth).
  - Takes a physical interface into a namespace and gives it back.
  - What the kernel can change it changes in place; what was not asked for is left alone.
extends_documentation_fragment:
  - linuxnet.netns._attributes
  - linuxnet.netns._attributes.actiongroup_netns
  - linuxnet.netns._netns
  - linuxnet.netns._interface
  - linuxnet.netns._interface.force
  - linuxnet.netns._link
  - linuxnet.netns._bridge
  - linuxnet.netns._link_kinds
  - linuxnet.netns._requirements
  - linuxnet.netns._requirements.pyroute2
options:
  state:
    description:
      - V(present) makes sure that the interface exists and is as asked for.
      - V(absent) removes the interface of O(kind). Without O(kind) it is not removed but given back, as physical ones are.
      - Given back, it has the name, MTU, MAC address, alias, queue length, bridge, sysctls, addresses, routes and up state that it had
        when it was first moved. It goes to where it was then; where that is not known, to O(from_netns), down and bare.
    type: str
    choices: [absent, present]
    default: present
seealso:
  - module: linuxnet.netns.veth
  - module: linuxnet.netns.netns_addr
notes:
  - How an interface was before it was moved is kept in C(/run/linuxnet-netns), and so until the next boot. When its namespace is removed by
    M(linuxnet.netns.netns) or M(linuxnet.netns.netns_topology), it is given back first.
  - Addresses with a lifetime are given back with the lifetime that was left when the interface was moved. Routes from router
    advertisements come again with the next advertisement. An address or route that somebody else has set meanwhile stays as it is.
  - An interface that was given another name in its namespace is found again unless its MAC address was changed as well.
  - A kind that the running kernel does not have is refused, and nothing is changed.
"""

EXAMPLES = r"""
---
- name: Make a bridge on the host
  linuxnet.netns.netns_link:
    name: br-lab
    kind: bridge

- name: Make a bridge without delays, in a namespace
  linuxnet.netns.netns_link:
    name: br0
    netns: blue
    kind: bridge
    bridge:
      stp: false
      forward_delay: 0
    up: true

- name: Give a namespace an address of its own on the network of a physical interface
  linuxnet.netns.netns_link:
    name: eth0
    netns: blue
    kind: macvlan
    parent: enp1s0
    parent_netns: /proc/1/ns/net
    macvlan:
      mode: bridge

- name: Make a VXLAN tunnel between two hosts
  linuxnet.netns.netns_link:
    name: vxlan42
    kind: vxlan
    vxlan:
      id: 42
      local: 192.0.2.1
      remote: 198.51.100.1
      port: 4789
    mtu: 1450

- name: Keep the ports of a bridge apart from each other
  linuxnet.netns.netns_link:
    name: web-eth0
    master: br-lab
    port:
      isolated: true

- name: Move a physical interface into a namespace
  linuxnet.netns.netns_link:
    name: enp2s0
    netns: blue
    up: true

- name: Give it back
  linuxnet.netns.netns_link:
    name: enp2s0
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
      sample: link
    netns:
      description: The namespace it is in, as a name or a path; null for the host.
      type: str
      sample: null
    name:
      description: Name of the object in its namespace.
      type: str
      sample: vxlan42
    before:
      description: Its attributes before, of an update only those that differed; null if it was not there.
      type: dict
      sample: {mtu: 1500}
    after:
      description: Its attributes after, of an update only those that differed; null if it is gone.
      type: dict
      sample: {mtu: 1450}
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
from ansible_collections.linuxnet.netns.plugins.module_utils._argspec_link import LINK, LINK_LIMITS
from ansible_collections.linuxnet.netns.plugins.module_utils._module import item, run


def main() -> None:
    module = AnsibleModule(argument_spec={**LINK, "state": STATE}, supports_check_mode=True, **LINK_LIMITS)
    run(module, {"links": [item(module, LINK)]})


if __name__ == "__main__":
    main()
