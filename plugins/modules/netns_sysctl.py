#!/usr/bin/python
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: netns_sysctl
short_description: Set network sysctls in a namespace
version_added: 0.1.0
description:
  - Sets values below C(/proc/sys/net) of one namespace and leaves those of all others alone.
extends_documentation_fragment:
  - linuxnet.netns._attributes
  - linuxnet.netns._attributes.actiongroup_netns
  - linuxnet.netns._netns
  - linuxnet.netns._sysctl
  - linuxnet.netns._requirements
seealso:
  - module: ansible.posix.sysctl
    description: The sysctls of the host, kept over a reboot.
"""

EXAMPLES = r"""
---
- name: Let a namespace forward IPv4
  linuxnet.netns.netns_sysctl:
    netns: router
    name: net.ipv4.ip_forward
    value: 1

- name: Set several values, one of them of an interface whose name has a dot
  linuxnet.netns.netns_sysctl:
    netns: router
    sysctls:
      net.ipv6.conf.all.forwarding: 1
      net.ipv4.conf.eth0.100.rp_filter: 2
      net.ipv4.ping_group_range: 0 2147483647
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
      sample: sysctl
    netns:
      description: The namespace it is in, as a name or a path; null for the host.
      type: str
      sample: router
    name:
      description: Name of the object in its namespace.
      type: str
      sample: net.ipv4.ip_forward
    before:
      description: Its attributes before, of an update only those that differed; null if it was not there.
      type: dict
      sample: {value: "0"}
    after:
      description: Its attributes after, of an update only those that differed; null if it is gone.
      type: dict
      sample: {value: "1"}
    reason:
      description: Why, in a few words.
      type: str
      sample: value differs
rolled_back:
  description: Whether what had been done was undone, so that the host is as it was before.
  returned: on failure, if RV(changes) is not empty
  type: bool
  sample: true
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.linuxnet.netns.plugins.module_utils._argspec import SYSCTL, SYSCTL_LIMITS
from ansible_collections.linuxnet.netns.plugins.module_utils._module import item, run


def main() -> None:
    module = AnsibleModule(argument_spec=SYSCTL, supports_check_mode=True, **SYSCTL_LIMITS)
    run(module, {"sysctls": [item(module, SYSCTL)]})


if __name__ == "__main__":
    main()
