#!/usr/bin/python
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: netns_rule
short_description: Manage policy routing rules in a namespace
version_added: 0.1.0
description:
  - Adds, corrects and removes the rules that choose a routing table for a packet.
  - What makes a rule this one are O(family), O(priority) and what it matches; O(table), O(type) and O(suppress_prefixlength)
    are what it does, and are corrected.
extends_documentation_fragment:
  - linuxnet.netns._attributes
  - linuxnet.netns._attributes.actiongroup_netns
  - linuxnet.netns._netns
  - linuxnet.netns._rule
  - linuxnet.netns._requirements
options:
  state:
    description:
      - V(present) makes sure that the rule exists and does what is asked for.
      - V(absent) removes it.
    type: str
    choices: [absent, present]
    default: present
seealso:
  - module: linuxnet.netns.netns_route
"""

EXAMPLES = r"""
---
- name: Use table 100 for what comes from a network
  linuxnet.netns.netns_rule:
    netns: blue
    priority: 1000
    from: 192.0.2.0/24
    table: "100"

- name: Use the main table for marked packets, its default route excepted
  linuxnet.netns.netns_rule:
    netns: blue
    family: ipv6
    priority: 1001
    fwmark: "0x10"
    fwmask: "0xff"
    table: main
    suppress_prefixlength: 0

- name: Let some users reach no web server
  linuxnet.netns.netns_rule:
    netns: blue
    priority: 1002
    uidrange: 1000-1999
    ipproto: tcp
    dport: "443"
    type: prohibit

- name: Remove a rule
  linuxnet.netns.netns_rule:
    netns: blue
    priority: 1000
    from: 192.0.2.0/24
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
      sample: rule
    netns:
      description: The namespace it is in, as a name or a path; null for the host.
      type: str
      sample: blue
    name:
      description: Name of the object in its namespace.
      type: str
      sample: "ipv4 1000: from 192.0.2.0/24"
    before:
      description: Its attributes before, of an update only those that differed; null if it was not there.
      type: dict
      sample: null
    after:
      description: Its attributes after, of an update only those that differed; null if it is gone.
      type: dict
      sample: {table: 100, type: unicast}
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
from ansible_collections.linuxnet.netns.plugins.module_utils._argspec_ip import RULE
from ansible_collections.linuxnet.netns.plugins.module_utils._module import item, run


def main() -> None:
    module = AnsibleModule(argument_spec={**RULE, "state": STATE}, supports_check_mode=True)
    run(module, {"rules": [item(module, RULE)]})


if __name__ == "__main__":
    main()
