#!/usr/bin/python
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: netns_info
short_description: Tell what is in network namespaces
version_added: 0.1.0
description:
  - Returns namespaces and what lives in them, in the form that M(linuxnet.netns.netns_topology) takes. Given back to it,
    the topology is there already and nothing changes.
  - What no option can say is left out, and a warning names it. Interfaces of kinds whose attributes pyroute2 reads are left
    out where it is not installed.
  - Sysctls are not told, since the kernel does not say which of its values somebody set. The number of a namespace is told in
    RV(namespaces) only, since most numbers are the kernel's own choice.
extends_documentation_fragment:
  - linuxnet.netns._attributes.info_module
  - linuxnet.netns._attributes.actiongroup_netns
  - linuxnet.netns._requirements
options:
  netns:
    description:
      - Names of the namespaces to look into, or absolute paths.
      - Left out, it is all of C(/run/netns).
    type: list
    elements: str
  gather:
    description:
      - What to look at.
      - V(links) includes veth pairs.
      - V(nat) is read from the tables of M(linuxnet.netns.netns_nat), which takes the program nft where there are any.
    type: list
    elements: str
    choices: [addresses, links, namespaces, nat, routes, rules]
    default: [addresses, links, namespaces, nat, routes, rules]
seealso:
  - module: linuxnet.netns.netns_topology
"""

EXAMPLES = r"""
---
- name: Look at everything in all namespaces
  linuxnet.netns.netns_info:
  register: all_of_it

- name: Look at the addresses in one namespace
  linuxnet.netns.netns_info:
    netns: [blue]
    gather: [addresses]
  register: blue

- name: Show them
  ansible.builtin.debug:
    var: blue.topology.addresses

- name: Fail if something is left over in /run/netns that is not a namespace
  ansible.builtin.assert:
    that: all_of_it.namespaces.values() | selectattr('stale') | length == 0
"""

RETURN = r"""
---
topology:
  description: What was found, as options of M(linuxnet.netns.netns_topology). Only the lists of O(gather) are there.
  returned: success
  type: dict
  contains:
    namespaces:
      description: The namespaces that were looked into.
      returned: if O(gather) contains V(namespaces)
      type: list
      elements: dict
      sample: [{name: blue, loopback: true}]
    links:
      description: Interfaces other than veth.
      returned: if O(gather) contains V(links)
      type: list
      elements: dict
      sample: [{name: br0, netns: blue, kind: bridge, mtu: 1500, mac_address: "02:00:5e:10:00:02", up: true}]
    veths:
      description: Veth pairs, once each. The peer of an end is left out where it is in a namespace that has no name.
      returned: if O(gather) contains V(links)
      type: list
      elements: dict
      sample:
        - name: eth0
          netns: blue
          mtu: 1500
          mac_address: "02:00:5e:10:00:01"
          up: true
          peer: {name: blue-eth0, mtu: 1500, mac_address: "02:00:5e:10:00:03", master: br-lab, up: true}
    addresses:
      description: Addresses.
      returned: if O(gather) contains V(addresses)
      type: list
      elements: dict
      sample: [{netns: blue, dev: eth0, address: [192.0.2.10/24]}]
    routes:
      description: Routes, less those that the kernel makes by itself.
      returned: if O(gather) contains V(routes)
      type: list
      elements: dict
      sample: [{netns: blue, dest: [0.0.0.0/0], gateway: 192.0.2.1, dev: eth0, protocol: static}]
    rules:
      description: Policy routing rules, less those that the kernel makes by itself.
      returned: if O(gather) contains V(rules)
      type: list
      elements: dict
      sample: [{netns: blue, family: ipv4, priority: 1000, from: 192.0.2.0/24, table: "100"}]
    nat:
      description: NATed networks. An uplink that was V(auto) is told by its name.
      returned: if O(gather) contains V(nat)
      type: list
      elements: dict
      sample: [{name: lab, subnets: [10.77.0.0/24], interface: br-lab, uplink: eth0, masquerade: true}]
namespaces:
  description: What is known of each namespace besides; the key is its name or path.
  returned: success
  type: dict
  contains:
    inode:
      description: The number by which the kernel knows it, as in C(lsns); null if it is stale.
      type: int
      sample: 4026532281
    nsid:
      description: The number by which the host's namespace knows it; null if it has none.
      type: int
      sample: 7
    path:
      description: Its path.
      type: str
      sample: /run/netns/blue
    pids:
      description: The processes that run in it.
      type: list
      elements: int
      sample: [4711]
    stale:
      description: Whether a plain file stands there that is no namespace; M(linuxnet.netns.netns) repairs it.
      type: bool
      sample: false
    owner:
      description: The topologies of M(linuxnet.netns.netns_topology) that have it; several may share it.
      type: list
      elements: str
      sample: [lab]
  sample:
    blue: {inode: 4026532281, nsid: 7, path: /run/netns/blue, pids: [4711], stale: false, owner: [lab]}
"""

from ansible.module_utils.basic import AnsibleModule

# first, since it is about the imports that follow
from ansible_collections.linuxnet.netns.plugins.module_utils import _compile_once  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.linuxnet.netns.plugins.module_utils._engine import info
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import NetnsError
from ansible_collections.linuxnet.netns.plugins.module_utils._module import fail, prepare

PARTS = ["addresses", "links", "namespaces", "nat", "routes", "rules"]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "netns": {"type": "list", "elements": "str"},
            "gather": {"type": "list", "elements": "str", "choices": PARTS, "default": PARTS},
        },
        supports_check_mode=True,
    )
    prepare(module)
    try:
        found = info.collect(module.params["netns"], set(module.params["gather"]))
    except NetnsError as error:
        fail(module, error)
        return
    for warning in found.pop("warnings"):
        module.warn(warning)
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
