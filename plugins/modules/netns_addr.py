#!/usr/bin/python
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: netns_addr
short_description: Manage IP addresses in a namespace
version_added: 0.1.0
description:
  - Adds, corrects and removes IPv4 and IPv6 addresses of an interface.
  - Returns when the addresses can be used, that is after duplicate address detection of IPv6.
extends_documentation_fragment:
  - linuxnet.netns._attributes
  - linuxnet.netns._attributes.actiongroup_netns
  - linuxnet.netns._netns
  - linuxnet.netns._address
  - linuxnet.netns._requirements
options:
  state:
    description:
      - V(present) makes sure that the interface has the addresses.
      - V(absent) makes sure that it does not have them; neither the interface nor the namespace has to exist then.
    type: str
    choices: [absent, present]
    default: present
seealso:
  - module: linuxnet.netns.netns_route
  - module: linuxnet.netns.veth
"""

EXAMPLES = r"""
---
- name: Give an interface an address
  linuxnet.netns.netns_addr:
    netns: blue
    dev: eth0
    address: 192.0.2.10/24

- name: Give it addresses of both families, and take all others away
  linuxnet.netns.netns_addr:
    netns: blue
    dev: eth0
    address: [192.0.2.10/24, "2001:db8::10/64"]
    exclusive: true

- name: Give one end of a point-to-point link its address
  linuxnet.netns.netns_addr:
    netns: blue
    dev: to-red
    address: 198.51.100.1/32
    peer: 198.51.100.2

- name: Take an address away
  linuxnet.netns.netns_addr:
    netns: blue
    dev: eth0
    address: 192.0.2.10/24
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
      sample: address
    netns:
      description: The namespace it is in, as a name or a path; null for the host.
      type: str
      sample: blue
    name:
      description: Name of the object in its namespace.
      type: str
      sample: 192.0.2.10/24
    before:
      description: Its attributes before, of an update only those that differed; null if it was not there.
      type: dict
      sample: null
    after:
      description: Its attributes after, of an update only those that differed; null if it is gone.
      type: dict
      sample: {prefixlen: 24}
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
from ansible_collections.linuxnet.netns.plugins.module_utils._argspec_ip import ADDRESS
from ansible_collections.linuxnet.netns.plugins.module_utils._module import item, run


def main() -> None:
    module = AnsibleModule(argument_spec={**ADDRESS, "state": STATE}, supports_check_mode=True)
    run(module, {"addresses": [item(module, ADDRESS)]})


if __name__ == "__main__":
    main()
