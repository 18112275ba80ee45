#!/usr/bin/python
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: netns_route
short_description: Manage routes in a namespace
version_added: 0.1.0
description:
  - Adds, corrects and removes IPv4 and IPv6 routes.
  - A route that leads elsewhere is replaced without a moment in which there is none.
extends_documentation_fragment:
  - linuxnet.netns._attributes
  - linuxnet.netns._attributes.actiongroup_netns
  - linuxnet.netns._netns
  - linuxnet.netns._route
  - linuxnet.netns._requirements
options:
  state:
    description:
      - V(present) makes sure that the routes exist and are as asked for.
      - V(absent) removes them; O(dest), O(table) and O(metric) say which, and what else is given must fit too.
    type: str
    choices: [absent, present]
    default: present
seealso:
  - module: linuxnet.netns.netns_addr
  - module: linuxnet.netns.netns_rule
"""

EXAMPLES = r"""
---
- name: Give a namespace a default route
  linuxnet.netns.netns_route:
    netns: blue
    dest: default
    gateway: 192.0.2.1

- name: Lead two networks through one router
  linuxnet.netns.netns_route:
    netns: blue
    dest: [198.51.100.0/24, 203.0.113.0/24]
    gateway: 192.0.2.254
    metric: 100

- name: Reach IPv4 through a router that has IPv6 addresses only
  linuxnet.netns.netns_route:
    netns: blue
    dest: default
    family: ipv4
    gateway: "fe80::1"
    dev: eth0

- name: Spread traffic over two ways
  linuxnet.netns.netns_route:
    netns: blue
    dest: 203.0.113.0/24
    nexthops:
      - gateway: 192.0.2.1
        weight: 2
      - gateway: 198.51.100.1

- name: Drop what goes to a network, in a table of its own
  linuxnet.netns.netns_route:
    netns: blue
    dest: "2001:db8:bad::/48"
    table: "100"
    type: blackhole

- name: Remove a route
  linuxnet.netns.netns_route:
    netns: blue
    dest: 198.51.100.0/24
    metric: 100
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
        - "Kind of the object: V(namespace), V(link), V(veth), V(address), V(route), V(rule), V(sysctl), V(nft_table) or
          V(foreign_accept)."
      type: str
      sample: route
    netns:
      description: The namespace it is in, as a name or a path; null for the host.
      type: str
      sample: blue
    name:
      description: Name of the object in its namespace.
      type: str
      sample: default
    before:
      description: Its attributes before, of an update only those that differed; null if it was not there.
      type: dict
      sample: null
    after:
      description: Its attributes after, of an update only those that differed; null if it is gone.
      type: dict
      sample: {gateway: 192.0.2.1, type: unicast}
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
from ansible_collections.linuxnet.netns.plugins.module_utils._argspec_ip import ROUTE
from ansible_collections.linuxnet.netns.plugins.module_utils._module import item, run


def main() -> None:
    module = AnsibleModule(argument_spec={**ROUTE, "state": STATE}, supports_check_mode=True)
    run(module, {"routes": [item(module, ROUTE)]})


if __name__ == "__main__":
    main()
