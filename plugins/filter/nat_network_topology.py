# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: nat_network_topology
short_description: Namespaces on a private bridge behind NAT, as a topology
version_added: 0.1.0
author:
  - linuxnet.netns contributors (@linuxnet)
description:
  - Returns the lists of M(linuxnet.netns.netns_topology) for a network of namespaces behind NAT.
  - It is what role P(linuxnet.netns.nat_network#role) is made of, and there the options are explained.
  - A namespace gets the addresses that it asks for, else those that it has according to O(found), else addresses drawn by its name.
positional: _input
options:
  _input:
    description: The namespaces, each a name or a dict of C(name), C(addresses), C(publish), C(nameservers), C(sysctls).
    type: list
    elements: raw
    required: true
  name:
    description: The identity of the network.
    type: str
    required: true
  subnets:
    description: One IPv4 subnet, one IPv6 subnet, or both.
    type: list
    elements: str
    required: true
  bridge:
    description: Name of the bridge; the default is C(br-) and O(name).
    type: str
  uplink:
    description: The interface to leave by; V(auto) is the one of the default route.
    type: str
    default: auto
  mtu:
    description: MTU of the network; the default is that of the uplink according to O(host).
    type: int
  nameservers:
    description: DNS servers for all namespaces; the default is O(upstream).
    type: list
    elements: str
  upstream:
    description: The DNS servers of the host, for where O(nameservers) is not given.
    type: list
    elements: str
    default: []
  host:
    description: RV(linuxnet.netns.netns_info#module:topology) of the host, looked at as V(/proc/self/ns/net).
    type: dict
    default: {}
  found:
    description: RV(linuxnet.netns.netns_info#module:topology.addresses) of all namespaces.
    type: list
    elements: dict
    default: []
  verify:
    description:
      - Checks of the network, as O(linuxnet.netns.netns_probe#module:checks).
      - One that names no namespace is made from each namespace of the network.
    type: list
    elements: dict
    default: []
  isolation:
    description: What the network is kept from, as O(linuxnet.netns.netns_nat#module:isolation).
    type: str
    choices: [networks, none, strict]
    default: networks
  foreign_drop:
    description: What to do about firewalls that would drop the network's packets, see O(linuxnet.netns.netns_nat#module:foreign_drop).
    type: str
    choices: [accept, fail, ignore]
    default: fail
seealso:
  - plugin: linuxnet.netns.nat_network
    plugin_type: role
  - plugin: linuxnet.netns.upstream_nameservers
    plugin_type: filter
"""

EXAMPLES = r"""
---
- name: Show what two namespaces behind NAT take
  ansible.builtin.debug:
    msg: "{{ ['web', 'db'] | linuxnet.netns.nat_network_topology(name='lab', subnets=['192.0.2.0/24'], nameservers=['198.51.100.53']) }}"
"""

RETURN = r"""
---
_value:
  description: The lists V(namespaces), V(links), V(veths), V(addresses), V(routes), V(sysctls) and V(nat), and the checks V(verify).
  type: dict
  sample:
    namespaces: [{name: [web], nameservers: [198.51.100.53]}]
    links: [{name: br-lab, kind: bridge}]
    veths: [{name: eth0, netns: web, up: true, peer: {name: web-eth0, master: br-lab, up: true}}]
    addresses:
      - {dev: br-lab, address: [192.0.2.1/24], exclusive: true, nodad: true, wait_for_dad: false}
      - {netns: web, dev: eth0, address: [192.0.2.10/24], exclusive: true, nodad: true, wait_for_dad: false}
    routes: [{netns: web, dest: [default], gateway: 192.0.2.1, dev: eth0}]
    sysctls: []
    nat: [{name: lab, subnets: [192.0.2.0/24], interface: br-lab, uplink: auto, isolation: networks, publish: []}]
    verify: []
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.netns.plugins.plugin_utils import _nat_network
from ansible_collections.linuxnet.netns.plugins.plugin_utils._networks import NetworkError


def nat_network_topology(
    namespaces: t.Any,
    name: str,
    subnets: t.Sequence[str],
    bridge: str | None = None,
    uplink: str = "auto",
    mtu: int | None = None,
    nameservers: t.Sequence[str] | None = None,
    upstream: t.Sequence[str] = (),
    host: t.Mapping[str, t.Any] | None = None,
    found: t.Sequence[t.Mapping[str, t.Any]] = (),
    verify: t.Sequence[t.Mapping[str, t.Any]] = (),
    isolation: str = "networks",
    foreign_drop: str = "fail",
) -> dict[str, t.Any]:
    wishes = (namespaces, name, subnets, bridge, uplink, mtu, nameservers, upstream)
    try:
        return _nat_network.topology(*wishes, host or {}, found, verify, isolation, foreign_drop)
    except NetworkError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    """Ansible's door to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"nat_network_topology": nat_network_topology}
