#!/usr/bin/python
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: netns_nat
short_description: Let a private network out through NAT
version_added: 0.1.0
description:
  - Hides the IPv4 and IPv6 addresses of a network behind the address of the interface that its traffic leaves by.
  - Switches forwarding on for the two interfaces that need it, and gives the old values back when the last network that needs them goes.
    What could not pass the host before cannot pass it then either, save for the network's own traffic.
  - Writes what it switched on to a file in C(/run/sysctl.d), where the host's first process is in the same network namespace, so that
    C(systemd-sysctl) does not switch it off. The file goes with the network. C(sysctl --system) reads C(/etc/sysctl.conf) after it.
  - Publishes ports of the host that lead into it, and keeps it apart from other networks.
  - Keeps its rules in one nftables table for each network, which is replaced as a whole in one transaction.
  - Gets the network through the firewalls of Docker, ufw and firewalld, and through others if O(foreign_drop=accept).
extends_documentation_fragment:
  - linuxnet.netns._attributes
  - linuxnet.netns._attributes.actiongroup_netns
  - linuxnet.netns._netns
  - linuxnet.netns._nat
  - linuxnet.netns._requirements
  - linuxnet.netns._requirements.nft
options:
  state:
    description:
      - V(present) makes sure that the network is let out as asked for.
      - V(absent) removes the table and what was switched on for the network.
    type: str
    choices: [absent, present]
    default: present
seealso:
  - module: linuxnet.netns.netns_topology
"""

EXAMPLES = r"""
---
- name: Let what is behind a bridge out by the interface of the default route
  linuxnet.netns.netns_nat:
    name: lab
    subnets: [192.0.2.0/24, "2001:db8:77::/64"]
    interface: br-lab

- name: Do the same in a namespace that is the router, with an interface named
  linuxnet.netns.netns_nat:
    name: lab
    netns: router
    subnets: [198.51.100.0/24]
    interface: inside0
    uplink: outside0

- name: Let it out past a hand-written firewall that drops what is forwarded
  linuxnet.netns.netns_nat:
    name: lab
    subnets: [192.0.2.0/24, "2001:db8:77::/64"]
    interface: br-lab
    foreign_drop: accept

- name: Lead port 80 of the host to a web server in the network, and a range of UDP ports to another
  linuxnet.netns.netns_nat:
    name: lab
    subnets: [192.0.2.0/24, "2001:db8:77::/64"]
    interface: br-lab
    publish:
      - {host_port: 80, to_address: 192.0.2.10, to_port: 8080}
      - {host_port: 80, to_address: "2001:db8:77::10", to_port: 8080}
      - {protocol: udp, host_address: 198.51.100.2, host_port: 27015-27030, to_address: 192.0.2.20}

- name: Hide it behind an address of its own, and let it reach nothing else on this host
  linuxnet.netns.netns_nat:
    name: lab
    subnets: [192.0.2.0/24]
    interface: br-lab
    uplink: eth0
    snat_to: [198.51.100.7]
    isolation: strict

- name: Close it again
  linuxnet.netns.netns_nat:
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
      sample: update
    kind:
      description:
        - "Kind of the object: V(namespace), V(link), V(veth), V(address), V(route), V(rule), V(sysctl), V(nft_table), V(file) or
          V(foreign_accept)."
      type: str
      sample: sysctl
    netns:
      description: The namespace it is in, as a name or a path; null for the host.
      type: str
      sample: null
    name:
      description: Name of the object in its namespace.
      type: str
      sample: net.ipv4.conf.br-lab.forwarding
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

from ansible_collections.linuxnet.netns.plugins.module_utils._argspec import STATE
from ansible_collections.linuxnet.netns.plugins.module_utils._argspec_nat import NAT
from ansible_collections.linuxnet.netns.plugins.module_utils._module import item, run


def main() -> None:
    module = AnsibleModule(argument_spec={**NAT, "state": STATE}, supports_check_mode=True)
    run(module, {"nat": [item(module, NAT)]})


if __name__ == "__main__":
    main()
