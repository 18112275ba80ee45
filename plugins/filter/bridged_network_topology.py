# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: bridged_network_topology
short_description: Namespaces on the network of a physical interface, as a topology
version_added: 0.1.0
author:
  - linuxnet.netns contributors (@linuxnet)
description:
  - Returns the lists of M(linuxnet.netns.netns_topology) for namespaces that are neighbours of the host.
  - It is what role P(linuxnet.netns.bridged_network#role) is made of, and there the options are explained.
positional: _input
options:
  _input:
    description: The namespaces, each a name or a dict of C(name), C(addresses), C(gateway), C(mac_address), C(nameservers).
    type: list
    elements: raw
    required: true
  name:
    description: The identity of the network.
    type: str
    required: true
  uplink:
    description: The physical interface.
    type: str
    required: true
  bridge:
    description: Name of the bridge; the default is C(br-) and O(name).
    type: str
  move_host_addresses:
    description: Whether the host's addresses and routes move from O(uplink) to the bridge.
    type: bool
    default: true
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
    description:
      - RV(linuxnet.netns.netns_info#module:topology) of the host, looked at as V(/proc/self/ns/net).
      - It tells the MTU, and the gateway of a namespace that names none.
    type: dict
    default: {}
  verify:
    description:
      - Checks of the network, as O(linuxnet.netns.netns_probe#module:checks).
      - One that names no namespace is made from each namespace of the network.
    type: list
    elements: dict
    default: []
seealso:
  - plugin: linuxnet.netns.bridged_network
    plugin_type: role
  - plugin: linuxnet.netns.upstream_nameservers
    plugin_type: filter
"""

EXAMPLES = r"""
---
- name: Show what a neighbour of the host takes
  ansible.builtin.debug:
    msg: "{{ namespaces | linuxnet.netns.bridged_network_topology(name='lan', uplink='enp1s0', nameservers=[]) }}"
  vars:
    namespaces:
      - name: phone
        addresses: [192.0.2.10/24]
        gateway: 192.0.2.1
"""

RETURN = r"""
---
_value:
  description: The lists V(namespaces), V(links), V(veths), V(addresses) and V(routes), and the checks V(verify).
  type: dict
  sample:
    namespaces: [{name: [phone]}]
    links: [{name: br-lan, kind: bridge, take_over: enp1s0}]
    veths: [{name: eth0, netns: phone, up: true, peer: {name: phone-eth0, master: br-lan, up: true}}]
    addresses: [{netns: phone, dev: eth0, address: [192.0.2.10/24], exclusive: true}]
    routes: [{netns: phone, dest: [default], gateway: 192.0.2.1, dev: eth0}]
    verify: []
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.netns.plugins.plugin_utils import _bridged_network
from ansible_collections.linuxnet.netns.plugins.plugin_utils._networks import NetworkError


def bridged_network_topology(
    namespaces: t.Any,
    name: str,
    uplink: str,
    bridge: str | None = None,
    move_host_addresses: bool = True,
    nameservers: t.Sequence[str] | None = None,
    upstream: t.Sequence[str] = (),
    host: t.Mapping[str, t.Any] | None = None,
    verify: t.Sequence[t.Mapping[str, t.Any]] = (),
) -> dict[str, t.Any]:
    try:
        return _bridged_network.topology(namespaces, name, bridge, uplink, move_host_addresses, nameservers, upstream, host or {}, verify)
    except NetworkError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    """Ansible's door to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"bridged_network_topology": bridged_network_topology}
