# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options as users write them -> records; what cannot be meant is refused with one sentence that names the option."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import ip_options, options, values
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.record import Resource
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources import Link, Namespace, Sysctl, Veth
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_addresses import Address, OnlyAddresses
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_nat import Nat
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_routes import Nexthop, Route, Rule

Item = dict[str, t.Any]
FOREVER = 2**32 - 1
ALL = 2**32 - 1


def read(where: str, item: Item, state: str = "present") -> tuple[Resource, ...]:
    wanted = options.read({where: [item]}, state)
    return wanted.present or wanted.absent


# -- what cannot be meant

BAD: list[tuple[str, Item, str]] = [
    ("namespaces", {"name": "a/b"}, "name: 'a/b' is not a namespace name: it contains a slash: use a plain file name such as 'blue'"),
    ("namespaces", {"name": ""}, "name: '' is not a namespace name: use a plain file name such as 'blue'"),
    ("namespaces", {"name": ".."}, "name: '..' is not a namespace name: use a plain file name such as 'blue'"),
    ("namespaces", {"name": ["x" * 256]}, "name: the namespace name 'xxxxxxxxxxxxxxxxxxxx...' has 256 bytes, allowed are 1 to 255"),
    ("namespaces", {"name": []}, "name: the list is empty: give at least one namespace name"),
    ("namespaces", {"name": ["a", "b"], "nsid": 5}, "nsid: 5 can belong to one namespace only, and name lists 2: use one task each"),
    ("namespaces", {"name": "a", "nsid": -1}, "nsid: -1 is out of range: use a number from 0 to 2147483647"),
    ("namespaces", {"name": "a", "pid": 0}, "pid: 0 is out of range: use a number from 1 to 4194304"),
    ("namespaces", {"name": ["a", "b"], "pid": 5}, "pid: 5 has one namespace only, and name lists 2: use one task each"),
    ("namespaces", {"name": "a", "kill_timeout": -1}, "kill_timeout: -1 is out of range: use a number from 0 to 86400"),
    (
        "namespaces",
        {"name": "a", "nameservers": ["dns.example"]},
        "nameservers: 'dns.example' is not an IP address (without prefix length), such as 192.0.2.1 or 2001:db8::1",
    ),
    (
        "namespaces",
        {"name": "a", "nameservers": ["fe80::1%a b"]},
        "nameservers: 'a b' is not an interface name: remove dots alone, slashes, colons, percent signs and white space",
    ),
    ("namespaces", {"name": "a", "search": ["a b"]}, "search: 'a b' is not one word: give each entry of the list as an item of its own"),
    (
        "namespaces",
        {"name": "a", "resolver_options": [""]},
        "resolver_options: '' is not one word: give each entry of the list as an item of its own",
    ),
    (
        "links",
        {"name": "xxxxxxxxxxxxxxxx", "kind": "bridge"},
        "name: 'xxxxxxxxxxxxxxxx' is not an interface name: it has 16 bytes, allowed are 1 to 15",
    ),
    ("links", {"name": "", "kind": "bridge"}, "name: '' is not an interface name: it has 0 bytes, allowed are 1 to 15"),
    (
        "links",
        {"name": "a/b", "kind": "bridge"},
        "name: 'a/b' is not an interface name: remove dots alone, slashes, colons, percent signs and white space",
    ),
    (
        "links",
        {"name": "br%d", "kind": "bridge"},
        "name: 'br%d' is not an interface name: remove dots alone, slashes, colons, percent signs and white space",
    ),
    (
        "links",
        {"name": "all", "kind": "bridge"},
        "name: 'all' is not an interface name: the kernel keeps it for sysctls that mean every device",
    ),
    (
        "links",
        {"name": "br0", "kind": "bridge", "master": "br0"},
        "master: 'br0' cannot be its own master: name the bridge that it is to join",
    ),
    (
        "links",
        {"name": "br0", "kind": "bridge", "master": "a:b"},
        "master: 'a:b' is not an interface name: remove dots alone, slashes, colons, percent signs and white space",
    ),
    ("links", {"name": "br0", "kind": "bridge", "mtu": 67}, "mtu: 67 is out of range: use a number from 68 to 2147483647"),
    ("links", {"name": "br0", "kind": "bridge", "txqueuelen": -1}, "txqueuelen: -1 is out of range: use a number from 0 to 2147483647"),
    (
        "links",
        {"name": "br0", "kind": "bridge", "alias": "x" * 256},
        "alias: 256 bytes are too many for link br0: the kernel keeps 255 at most",
    ),
    (
        "links",
        {"name": "br0", "kind": "bridge", "mac_address": "02:00"},
        "mac_address: '02:00' is not a MAC address: write six pairs of hexadecimal digits, such as 02:00:5e:10:00:01",
    ),
    (
        "links",
        {"name": "br0", "kind": "bridge", "mac_address": "01:00:5e:00:00:01"},
        "mac_address: '01:00:5e:00:00:01' cannot be a device's MAC address: it is a multicast address; use one such as 02:00:5e:10:00:01",
    ),
    (
        "links",
        {"name": "br0", "kind": "bridge", "mac_address": "00:00:00:00:00:00"},
        "mac_address: '00:00:00:00:00:00' cannot be a device's MAC address: it is the zero address; use one such as 02:00:5e:10:00:01",
    ),
    (
        "links",
        {"name": "br0", "kind": "bridge", "netns": "../x"},
        "netns: '../x' is not a namespace name: it contains a slash: use a plain file name such as 'blue'",
    ),
    (
        "links",
        {"name": "br0", "kind": "gizmo"},
        (
            "link br0: there is no kind 'gizmo': use one of bond, bridge, dummy, geneve, gre, gretap, ifb, ipip, ipvlan, "
            "macvlan, macvtap, sit, tap, tun, vlan, vrf, vxlan, wireguard"
        ),
    ),
    ("links", {"name": "br0", "kind": "bridge", "vxlan": {"id": 1}}, "vxlan: link br0 is of kind bridge: remove vxlan or set kind: vxlan"),
    (
        "links",
        {"name": "eth0", "bridge": {"stp": True}},
        "bridge: link eth0 is an existing device: remove bridge or set kind: bridge",
    ),
    (
        "links",
        {"name": "br0", "kind": "bridge", "parent": "eth0"},
        "parent: link br0 of kind bridge stands on no other device: remove parent",
    ),
    ("links", {"name": "m0", "kind": "macvlan"}, "parent: link m0 of kind macvlan needs the device that it stands on: name it"),
    (
        "links",
        {"name": "m0", "kind": "macvlan", "parent": "m0"},
        "parent: 'm0' cannot be its own parent: name the device that it stands on",
    ),
    (
        "links",
        {"name": "m0", "kind": "macvlan", "parent": "a b"},
        "parent: 'a b' is not an interface name: remove dots alone, slashes, colons, percent signs and white space",
    ),
    (
        "links",
        {"name": "m0", "kind": "macvlan", "parent": "eth0", "parent_netns": ".."},
        "parent_netns: '..' is not a namespace name: use a plain file name such as 'blue'",
    ),
    (
        "links",
        {"name": "m0", "from_netns": "a/b"},
        "from_netns: 'a/b' is not a namespace name: it contains a slash: use a plain file name such as 'blue'",
    ),
    (
        "links",
        {"name": "t0", "kind": "tun", "mac_address": "02:00:00:00:00:01"},
        "mac_address: link t0 of kind tun has no MAC address of its own: remove it",
    ),
    ("links", {"name": "v0", "kind": "vlan", "parent": "eth0"}, "link v0: vlan.id is required for a link of kind vlan: give it"),
    (
        "links",
        {"name": "v0", "kind": "vlan", "parent": "eth0", "vlan": {"id": 4095}},
        "link v0: vlan.id: 4095 is out of range: use a number from 0 to 4094",
    ),
    ("links", {"name": "x0", "kind": "vxlan", "vxlan": {}}, "link x0: vxlan.id is required for a link of kind vxlan: give it"),
    (
        "links",
        {"name": "x0", "kind": "vxlan", "vxlan": {"id": 1, "remote": "224.0.0.1"}},
        "link x0: vxlan.remote: 224.0.0.1 is a multicast address: use group for it",
    ),
    (
        "links",
        {"name": "x0", "kind": "vxlan", "vxlan": {"id": 1, "colour": "red"}},
        (
            "link x0: vxlan has no option 'colour': use one of id, local, remote, group, port, ttl, tos, df, learning, "
            "ageing, max_address, proxy, rsc, l2miss, l3miss, udp_csum, udp6_zero_csum_tx, udp6_zero_csum_rx, gbp"
        ),
    ),
    (
        "links",
        {"name": "br0", "kind": "bridge", "bridge": {"stp": "maybe"}},
        "link br0: bridge.stp: 'maybe' is neither true nor false: write one of them",
    ),
    (
        "links",
        {"name": "br0", "kind": "bridge", "bridge": {"priority": 70000}},
        "link br0: bridge.priority: 70000 is out of range: use a number from 0 to 65535",
    ),
    ("links", {"name": "e0", "port": {"cost": 0}, "master": "br0"}, "link e0: port.cost: 0 is out of range: use a number from 1 to 65535"),
    (
        "links",
        {"name": "e0", "port": {"colour": 1}, "master": "br0"},
        (
            "link e0: port has no option 'colour': use one of priority, cost, hairpin, guard, root_block, fast_leave, "
            "learning, flood, proxy_arp, proxy_arp_wifi, mcast_router, mcast_flood, mcast_to_unicast, vlan_tunnel, "
            "bcast_flood, group_fwd_mask, neigh_suppress, isolated, locked, mab, neigh_vlan_suppress, pvid, vlans"
        ),
    ),
    (
        "links",
        {"name": "e0", "port": {"isolated": True}, "master": ""},
        "port: link e0 is to be in no bridge, since master is empty: remove one of them",
    ),
    (
        "links",
        {"name": "e0", "kind": "dummy", "dummy": {"x": 1}},
        "link e0: dummy: a link of this kind has no options of its own: remove x",
    ),
    (
        "links",
        {"name": "e0", "kind": "vrf", "vrf": {"table": "nope"}},
        "link e0: vrf.table: 'nope' is neither a number from 1 to 4294967295 nor a name in rt_tables",
    ),
    ("veths", {"name": "e0", "netns": "red"}, "peer: veth e0 needs its other end: give peer.name and peer.netns or peer.master"),
    (
        "veths",
        {"name": "e0", "peer": {"name": "e0"}},
        "peer: 'e0' on the host is the end itself: give the other end another name or namespace",
    ),
    (
        "veths",
        {"name": "e0", "netns": "red", "peer": {"name": "e0", "netns": "red"}},
        "peer: 'e0' in namespace 'red' is the end itself: give the other end another name or namespace",
    ),
    (
        "veths",
        {"name": "e0", "peer": {"name": "p/0"}},
        "peer.name: 'p/0' is not an interface name: remove dots alone, slashes, colons, percent signs and white space",
    ),
    ("veths", {"name": "e0", "peer": {"netns": "red"}}, "peer.name: '' is not an interface name: it has 0 bytes, allowed are 1 to 15"),
    (
        "veths",
        {"name": "e0", "num_tx_queues": 0, "peer": {"name": "p0", "netns": "red"}},
        "num_tx_queues: 0 is out of range: use a number from 1 to 4096",
    ),
    (
        "veths",
        {"name": "e0", "peer": {"name": "p0", "netns": "red", "num_rx_queues": 5000}},
        "peer.num_rx_queues: 5000 is out of range: use a number from 1 to 4096",
    ),
    (
        "veths",
        {"name": "e0", "peer": {"name": "p0", "netns": "red", "mtu": 10}},
        "peer.mtu: 10 is out of range: use a number from 68 to 2147483647",
    ),
    (
        "veths",
        {"name": "e0", "peer": {"name": "p0", "netns": "red", "mac_address": "zz"}},
        "peer.mac_address: 'zz' is not a MAC address: write six pairs of hexadecimal digits, such as 02:00:5e:10:00:01",
    ),
    (
        "veths",
        {"name": "e0", "peer": {"name": "p0", "netns": "red", "master": "p0"}},
        "peer.master: 'p0' cannot be its own master: name the bridge that it is to join",
    ),
    (
        "veths",
        {"name": "e0", "peer": {"name": "p0", "netns": "a/b"}},
        "peer.netns: 'a/b' is not a namespace name: it contains a slash: use a plain file name such as 'blue'",
    ),
    (
        "addresses",
        {"dev": "e0", "address": "192.0.2.1"},
        "address: '192.0.2.1' has no prefix length: write 192.0.2.1/24 for the subnet or 192.0.2.1/32 for the single host",
    ),
    (
        "addresses",
        {"dev": "e0", "address": ["2001:db8::1"]},
        "address: '2001:db8::1' has no prefix length: write 2001:db8::1/64 for the subnet or 2001:db8::1/128 for the single host",
    ),
    (
        "addresses",
        {"dev": "e0", "address": "192.0.2.1/33"},
        "address: '192.0.2.1/33' is not an IP address with a prefix length, such as 192.0.2.10/24 or 2001:db8::10/64",
    ),
    (
        "addresses",
        {"dev": "e0", "address": "host/24"},
        "address: 'host/24' is not an IP address with a prefix length, such as 192.0.2.10/24 or 2001:db8::10/64",
    ),
    ("addresses", {"dev": "e0", "address": []}, "address: the list is empty: give at least one"),
    (
        "addresses",
        {"dev": "e/0", "address": "192.0.2.1/24"},
        "dev: 'e/0' is not an interface name: remove dots alone, slashes, colons, percent signs and white space",
    ),
    (
        "addresses",
        {"dev": "e0", "address": "224.0.0.1/24"},
        "address: '224.0.0.1/24' cannot be given to a device: it is a multicast address, use one of a single host",
    ),
    (
        "addresses",
        {"dev": "e0", "address": "0.0.0.0/0"},
        "address: '0.0.0.0/0' cannot be given to a device: it is the unspecified address, use one of a single host",
    ),
    (
        "addresses",
        {"dev": "e0", "address": "fe80::1%e0/64"},
        "address: 'fe80::1%e0/64' has a zone: remove %e0 and name the device with dev",
    ),
    (
        "addresses",
        {"dev": "e0", "address": "192.0.2.1/24", "peer": "192.0.2.1"},
        "peer: '192.0.2.1' is the address itself: remove it, or give the address of the other end",
    ),
    (
        "addresses",
        {"dev": "e0", "address": "192.0.2.1/24", "peer": "fd00::1"},
        "peer: 'fd00::1' is not of the same family as 192.0.2.1/24: give each family an item of its own",
    ),
    (
        "addresses",
        {"dev": "e0", "address": "192.0.2.1/24", "peer": "192.0.2.2/24"},
        "peer: '192.0.2.2/24' is not an IP address (without prefix length), such as 192.0.2.1 or 2001:db8::1",
    ),
    (
        "addresses",
        {"dev": "e0", "address": "192.0.2.1/24", "broadcast": "x"},
        "broadcast: 'x' is not an IP address (without prefix length), such as 192.0.2.1 or 2001:db8::1",
    ),
    (
        "addresses",
        {"dev": "e0", "address": "fd00::1/64", "broadcast": "fd00::2"},
        "broadcast: IPv6 has none: remove it, or give fd00::1/64 an item of its own",
    ),
    (
        "addresses",
        {"dev": "e0", "address": "192.0.2.1/24", "label": "eth0"},
        "label: 'eth0' must begin with 'e0' and have at most 15 bytes, none of them a control character",
    ),
    (
        "addresses",
        {"dev": "e0", "address": "192.0.2.1/24", "label": "e0:xxxxxxxxxxxxx"},
        "label: 'e0:xxxxxxxxxxxxx' must begin with 'e0' and have at most 15 bytes, none of them a control character",
    ),
    (
        "addresses",
        {"dev": "e0", "address": "192.0.2.1/24", "scope": "world"},
        "scope: 'world' is neither a number from 0 to 255 nor one of global, host, link, nowhere, site",
    ),
    ("addresses", {"dev": "e0", "address": "192.0.2.1/24", "metric": -1}, "metric: -1 is out of range: use a number from 0 to 4294967295"),
    (
        "addresses",
        {"dev": "e0", "address": "192.0.2.1/24", "valid_lft": "0"},
        "valid_lft: 0 is out of range: use a number from 1 to 4294967295",
    ),
    (
        "addresses",
        {"dev": "e0", "address": "192.0.2.1/24", "valid_lft": "soon"},
        "valid_lft: 'soon' is neither a number of seconds nor 'forever': use one of them",
    ),
    (
        "addresses",
        {"dev": "e0", "address": "192.0.2.1/24", "valid_lft": "10", "preferred_lft": "20"},
        "preferred_lft: 20 is longer than valid_lft, 10: lower it, or raise valid_lft",
    ),
    ("routes", {"dest": "default"}, "family: 'default' without a gateway fits IPv4 and IPv6: say which, family: ipv4 or family: ipv6"),
    (
        "routes",
        {"dest": "192.0.2.1/24", "gateway": "192.0.2.254"},
        "dest: '192.0.2.1/24' has bits set behind its prefix length: did you mean 192.0.2.0/24?",
    ),
    ("routes", {"dest": "nowhere", "gateway": "192.0.2.254"}, "dest: 'nowhere' is not a network, such as 192.0.2.0/24 or 2001:db8::/64"),
    ("routes", {"dest": []}, "dest: the list is empty: give at least one"),
    (
        "routes",
        {"dest": "10.0.0.0/8"},
        "gateway: route 10.0.0.0/8 has no way to go: give a gateway, a dev, nexthops or a type such as blackhole",
    ),
    (
        "routes",
        {"dest": "10.0.0.0/8", "gateway": "10.0.0.300"},
        "gateway: '10.0.0.300' is not an IP address (without prefix length), such as 192.0.2.1 or 2001:db8::1",
    ),
    (
        "routes",
        {"dest": "10.0.0.0/8", "gateway": "10.0.0.3/24"},
        "gateway: '10.0.0.3/24' is not an IP address (without prefix length), such as 192.0.2.1 or 2001:db8::1",
    ),
    (
        "routes",
        {"dest": "fd00::/64", "gateway": "10.0.0.3"},
        "gateway: '10.0.0.3' cannot be the gateway of an IPv6 route: use an IPv6 address",
    ),
    (
        "routes",
        {"dest": "default", "family": "ipv6", "gateway": "10.0.0.3"},
        "gateway: '10.0.0.3' cannot be the gateway of an IPv6 route: use an IPv6 address",
    ),
    ("routes", {"dest": "10.0.0.0/8", "family": "ipv6", "gateway": "10.0.0.3"}, "family: ipv6 does not fit dest 10.0.0.0/8: remove it"),
    ("routes", {"dest": "10.0.0.0/8", "gateway": "0.0.0.0"}, "gateway: '0.0.0.0' cannot be a gateway: use the address of the next router"),
    (
        "routes",
        {"dest": "10.0.0.0/8", "gateway": "224.0.0.5"},
        "gateway: '224.0.0.5' cannot be a gateway: use the address of the next router",
    ),
    (
        "routes",
        {"dest": "fd00::/64", "gateway": "fe80::1"},
        "dev: gateway fe80::1 of route fd00::/64 is link-local: say on which device it is",
    ),
    (
        "routes",
        {"dest": "fd00::/64", "nexthops": [{"gateway": "fe80::1"}]},
        "nexthops[0].dev: gateway fe80::1 of route fd00::/64 is link-local: say on which device it is",
    ),
    (
        "routes",
        {"dest": "10.0.0.0/8", "dev": "e 0"},
        "dev: 'e 0' is not an interface name: remove dots alone, slashes, colons, percent signs and white space",
    ),
    (
        "routes",
        {"dest": "10.0.0.0/8", "gateway": "10.0.0.3", "table": "nope"},
        "table: 'nope' is neither a number from 1 to 4294967295 nor a name in rt_tables",
    ),
    (
        "routes",
        {"dest": "10.0.0.0/8", "gateway": "10.0.0.3", "metric": -1},
        "metric: -1 is out of range: use a number from 0 to 4294967295",
    ),
    (
        "routes",
        {"dest": "10.0.0.0/8", "gateway": "10.0.0.3", "src": "fd00::1"},
        "src: 'fd00::1' is not of the same family as route 10.0.0.0/8: use one of its family, or remove src",
    ),
    ("routes", {"dest": "default", "src": "x"}, "src: 'x' is not an IP address (without prefix length), such as 192.0.2.1 or 2001:db8::1"),
    ("routes", {"dest": "10.0.0.0/8", "gateway": "10.0.0.3", "mtu": -1}, "mtu: -1 is out of range: use a number from 0 to 4294967295"),
    (
        "routes",
        {"dest": "10.0.0.0/8", "gateway": "10.0.0.3", "advmss": 70000},
        "advmss: 70000 is out of range: use a number from 0 to 65535",
    ),
    (
        "routes",
        {"dest": "10.0.0.0/8", "gateway": "10.0.0.3", "scope": "x"},
        "scope: 'x' is neither a number from 0 to 255 nor one of global, host, link, nowhere, site",
    ),
    (
        "routes",
        {"dest": "10.0.0.0/8", "gateway": "10.0.0.3", "protocol": "x"},
        (
            "protocol: 'x' is neither a number from 0 to 255 nor one of babel, bgp, bird, boot, dhcp, eigrp, isis, kernel, "
            "ospf, ra, redirect, rip, static, unspec, zebra"
        ),
    ),
    (
        "routes",
        {"dest": "10.0.0.0/8", "gateway": "10.0.0.3", "onlink": True},
        "onlink: route 10.0.0.0/8 needs a gateway and the dev on which it is: give both",
    ),
    (
        "routes",
        {"dest": "10.0.0.0/8", "type": "blackhole", "dev": "e0"},
        "type: a route of type blackhole goes nowhere: remove dev of route 10.0.0.0/8",
    ),
    (
        "routes",
        {"dest": "10.0.0.0/8", "gateway": "10.0.0.3", "nexthops": [{"dev": "e0"}]},
        "nexthops: route 10.0.0.0/8 has a gateway too: use either the list or the single options",
    ),
    ("routes", {"dest": "10.0.0.0/8", "nexthops": [{"gateway": "10.0.0.3"}, {}]}, "nexthops[1]: give a gateway, a dev or both"),
    (
        "routes",
        {"dest": "10.0.0.0/8", "nexthops": [{"gateway": "x"}]},
        "nexthops[0].gateway: 'x' is not an IP address (without prefix length), such as 192.0.2.1 or 2001:db8::1",
    ),
    (
        "routes",
        {"dest": "10.0.0.0/8", "nexthops": [{"dev": "e0", "weight": 0}]},
        "nexthops[0].weight: 0 is out of range: use a number from 1 to 256",
    ),
    (
        "routes",
        {"dest": "10.0.0.0/8", "nexthops": [{"gateway": "10.0.0.3", "onlink": True}]},
        "nexthops[0].onlink: it needs a gateway and the dev on which it is: give both",
    ),
    (
        "routes",
        {"dest": "10.0.0.0/8", "type": "local"},
        "gateway: route 10.0.0.0/8 has no way to go: give a gateway, a dev, nexthops or a type such as blackhole",
    ),
    ("rules", {"from": "192.0.2.1/24"}, "from: '192.0.2.1/24' has bits set behind its prefix length: did you mean 192.0.2.0/24?"),
    (
        "rules",
        {"from": "192.0.2.0/24", "to": "fd00::/64"},
        "to: fd00::/64 is not of the same family as from, 192.0.2.0/24: give each family a rule of its own",
    ),
    ("rules", {"from": "192.0.2.0/24", "family": "ipv6"}, "family: ipv6 does not fit the prefix in from: remove it"),
    ("rules", {"from": "all", "to": "fd01::/64", "family": "ipv4"}, "family: ipv4 does not fit the prefix in to: remove it"),
    (
        "addresses",
        {"dev": "e0", "address": "10.0.0.1/24", "valid_lft": "60", "preferred_lft": "forever"},
        "preferred_lft: forever is longer than valid_lft, 60: lower it, or raise valid_lft",
    ),
    ("rules", {"to": "fd00::/64", "family": "ipv4"}, "family: ipv4 does not fit the prefix in to: remove it"),
    ("rules", {"iif": "e/0"}, "iif: 'e/0' is not an interface name: remove dots alone, slashes, colons, percent signs and white space"),
    ("rules", {"oif": "xxxxxxxxxxxxxxxx"}, "oif: 'xxxxxxxxxxxxxxxx' is not an interface name: it has 16 bytes, allowed are 1 to 15"),
    ("rules", {"fwmark": "0x1/0xff"}, "fwmark: '0x1/0xff' is not a number: write it decimal or as 0x..., the mask goes into fwmask"),
    ("rules", {"fwmark": "red"}, "fwmark: 'red' is not a number: write it decimal or as 0x..."),
    ("rules", {"fwmark": "0x1ffffffff"}, "fwmark: 8589934591 is out of range: use a number from 0 to 4294967295"),
    ("rules", {"fwmark": "1", "fwmask": "0x0"}, "fwmask: 0 leaves nothing of the fwmark: remove both, or set a bit of it"),
    ("rules", {"fwmask": "0xff"}, "fwmask: 0xff masks nothing without a mark: give fwmark too"),
    ("rules", {"tos": "256"}, "tos: 256 is out of range: use a number from 0 to 255"),
    ("rules", {"tos": "0x03"}, "tos: 0x03 has one of the last two bits set, which belong to ECN: clear them"),
    ("rules", {"ipproto": "xtp"}, "ipproto: 'xtp' is neither a number from 0 to 255 nor one of esp, gre, icmp, icmpv6, sctp, tcp, udp"),
    ("rules", {"dport": "http"}, "dport: 'http' is neither a number nor a range such as 1000-1999, within 1 to 65534"),
    ("rules", {"sport": "200-100"}, "sport: '200-100' is neither a number nor a range such as 1000-1999, within 1 to 65534"),
    ("rules", {"dport": "1000-"}, "dport: '1000-' is neither a number nor a range such as 1000-1999, within 1 to 65534"),
    ("rules", {"dport": "65535"}, "dport: '65535' is neither a number nor a range such as 1000-1999, within 1 to 65534"),
    ("rules", {"uidrange": "-5"}, "uidrange: '-5' is neither a number nor a range such as 1000-1999, within 0 to 4294967294"),
    ("rules", {"priority": -1}, "priority: -1 is out of range: use a number from 0 to 4294967295"),
    ("rules", {"table": "nope"}, "table: 'nope' is neither a number from 1 to 4294967295 nor a name in rt_tables"),
    ("rules", {"type": "blackhole", "table": "5"}, "table: a rule of type blackhole looks up nothing: remove table or type"),
    ("rules", {"suppress_prefixlength": 129}, "suppress_prefixlength: 129 is out of range: use a number from -1 to 128"),
    ("sysctls", {}, "name: give a name with its value, or a dict of them as sysctls"),
    ("sysctls", {"name": "net.ipv4.ip_forward"}, "value: sysctl net.ipv4.ip_forward needs one: give a number or a text"),
    (
        "sysctls",
        {"name": "kernel.hostname", "value": "x"},
        "name: 'kernel.hostname' is not a network sysctl: use one such as net.ipv4.ip_forward, since only net.* belongs to a namespace",
    ),
    (
        "sysctls",
        {"name": "net/../kernel/x", "value": 1},
        "name: 'net/../kernel/x' is not a sysctl name: it has an empty part, dots alone or a zero byte: write it as in net.ipv4.ip_forward",
    ),
    (
        "sysctls",
        {"name": "net.ipv4.ip_forward", "value": ""},
        "value: '' is not a sysctl's value: write a number or a text, such as 1 or '1024 65000'",
    ),
    (
        "sysctls",
        {"sysctls": {"vm.swappiness": 1}},
        "sysctls: 'vm.swappiness' is not a network sysctl: use one such as net.ipv4.ip_forward, since only net.* belongs to a namespace",
    ),
    (
        "sysctls",
        {"sysctls": {"net.ipv4.ip_forward": None}},
        "sysctls.net.ipv4.ip_forward: None is not a sysctl's value: write a number or a text, such as 1 or '1024 65000'",
    ),
    (
        "sysctls",
        {"sysctls": {"net.ipv4.ip_local_port_range": [1, 2]}},
        "sysctls.net.ipv4.ip_local_port_range: [1, 2] is not a sysctl's value: write a number or a text, such as 1 or '1024 65000'",
    ),
    (
        "sysctls",
        {"name": "net.ipv4.ip_forward", "value": 1, "netns": ""},
        "netns: '' is not a namespace name: use a plain file name such as 'blue'",
    ),
    ("nat", {"name": "lab"}, "subnets: nat lab needs at least one: give those that are behind its interface"),
    ("nat", {"name": "lab", "subnets": ["10.0.0.0/24"]}, "interface: nat lab needs the device that its subnets are behind: name it"),
    (
        "nat",
        {"name": "lab", "subnets": ["10.0.0.1/24"], "interface": "br0"},
        "subnets: '10.0.0.1/24' has bits set behind its prefix length: did you mean 10.0.0.0/24?",
    ),
    (
        "nat",
        {"name": "l b", "subnets": ["10.0.0.0/24"], "interface": "br0"},
        "name: 'l b' cannot name a network: use 1 to 64 letters, digits, dots, dashes and underscores",
    ),
    (
        "nat",
        {"name": "lab", "subnets": ["10.0.0.0/24"], "interface": "br/0"},
        "interface: 'br/0' is not an interface name: remove dots alone, slashes, colons, percent signs and white space",
    ),
    (
        "nat",
        {"name": "lab", "subnets": ["10.0.0.0/24"], "interface": "br0", "uplink": "br0"},
        "uplink: 'br0' is the interface of nat lab itself: name the device that leads outside, or auto",
    ),
    (
        "nat",
        {"name": "lab", "subnets": ["10.0.0.0/24"], "interface": "br0", "uplink": "a b"},
        "uplink: 'a b' is not an interface name: remove dots alone, slashes, colons, percent signs and white space",
    ),
]


def test_the_table_is_long() -> None:
    assert len(BAD) >= 60
    assert len({said for _where, _item, said in BAD}) > 100


@pytest.mark.parametrize(("where", "item", "said"), BAD, ids=[f"{where}-{said[:60]}" for where, _item, said in BAD])
def test_bad_input_gets_one_sentence(where: str, item: Item, said: str) -> None:
    with pytest.raises(InputError) as caught:
        options.read({where: [item]})
    assert str(caught.value) == said
    assert "\n" not in said
    # an option of the list, or the object that it is about
    assert said.partition(":")[0].split(".")[0].split("[")[0] in {*item, "name", "subnets", "interface", "family", "dev", "value", "peer",
                                                                  "gateway", "parent", f"link {item.get('name')}"}  # fmt: skip


@pytest.mark.parametrize(("where", "item", "said"), BAD[::5], ids=[f"{where}-{said[:60]}" for where, _item, said in BAD[::5]])
def test_in_a_topology_the_item_is_named(where: str, item: Item, said: str) -> None:
    good = {
        "namespaces": {"name": "good"},
        "links": {"name": "good", "kind": "bridge"},
        "veths": {"name": "good", "peer": {"name": "good1"}},
        "addresses": {"dev": "good", "address": "10.255.0.1/24"},
        "routes": {"dest": "10.254.0.0/24", "dev": "good"},
        "rules": {"priority": 77},
        "sysctls": {"name": "net.core.somaxconn", "value": 1},
        "nat": {"name": "good", "subnets": ["10.253.0.0/24"], "interface": "good"},
    }
    with pytest.raises(InputError) as caught:
        options.read({where: [good[where], item], **{name: [value] for name, value in good.items() if name != where}}, topology=True)
    assert str(caught.value) in (f"{where}[1].{said}", f"{where}[1]: {said}")


# What is needed to make a thing is not needed to remove it.
@pytest.mark.parametrize(
    ("where", "item"),
    [
        ("links", {"name": "x0", "kind": "vxlan"}),
        ("links", {"name": "m0", "kind": "macvlan"}),
        ("veths", {"name": "e0"}),
        ("routes", {"dest": "10.0.0.0/8"}),
        ("routes", {"dest": "10.0.0.0/8", "type": "local"}),
        ("rules", {}),
        ("nat", {"name": "lab"}),
    ],
)
def test_absent_needs_less(where: str, item: Item) -> None:
    assert len(read(where, item, "absent")) == 1


# -- two items that contradict each other


def contradiction(lists: dict[str, list[Item]]) -> str:
    with pytest.raises(InputError) as caught:
        options.read(lists, topology=True)
    return str(caught.value)


def test_one_name_for_two_devices() -> None:
    peer = {"name": "p0", "netns": "red"}
    assert contradiction({"links": [{"name": "e0", "kind": "bridge"}], "veths": [{"name": "e0", "peer": peer}]}) == (
        "links[0] and veths[0] contradict each other: both make link e0 on the host: rename or remove one of them"
    )
    assert contradiction({"veths": [{"name": "e0", "peer": peer}, {"name": "e1", "peer": peer}]}) == (
        "veths[0] and veths[1] contradict each other: both make link p0 in namespace 'red': rename or remove one of them"
    )


@pytest.mark.parametrize(
    ("where", "one", "other", "said"),
    [
        (
            "links",
            {"name": "br0", "kind": "bridge", "mtu": 1500},
            {"name": "br0", "kind": "bridge", "mtu": 1400},
            "link br0 on the host: mtu is 1500 in the one and 1400 in the other",
        ),
        (
            "links",
            {"name": "br0", "kind": "bridge", "bridge": {"stp": True}},
            {"name": "br0", "kind": "bridge"},
            "link br0 on the host: bridge.stp is True in the one and not given in the other",
        ),
        (
            "links",
            {"name": "br0", "kind": "bridge"},
            {"name": "br0", "kind": "ifb"},
            "link br0 on the host: kind is 'bridge' in the one and 'ifb' in the other",
        ),
        (
            "veths",
            {"name": "e0", "netns": "red", "peer": {"name": "p0", "master": "br0"}},
            {"name": "e0", "netns": "red", "peer": {"name": "p0", "master": "br1"}},
            "veth e0 in namespace 'red': peer.master is 'br0' in the one and 'br1' in the other",
        ),
        (
            "namespaces",
            {"name": "red"},
            {"name": ["blue", "red"], "nameservers": ["192.0.2.1"]},
            ("namespace red: the DNS configuration is not given in the one and "
             "'# Managed by linuxnet.netns\\nnameserver 192.0.2.1\\n' in the other"),
        ),
        (
            "addresses",
            {"dev": "e0", "address": "fd00::1/64"},
            {"dev": "e0", "address": "fd00:0::1/48"},
            "address fd00::1/48 dev e0 on the host: the prefix length is 64 in the one and 48 in the other",
        ),
        (
            "routes",
            {"dest": "default", "gateway": "10.0.0.1"},
            {"dest": "0.0.0.0/0", "gateway": "10.0.0.2"},
            "route default on the host: gateway is '10.0.0.1' in the one and '10.0.0.2' in the other",
        ),
        (
            "rules",
            {"priority": 5, "table": "7"},
            {"priority": 5, "table": "8"},
            "rule ipv4 5: from all on the host: table is 7 in the one and 8 in the other",
        ),
        (
            "sysctls",
            {"netns": "red", "name": "net.ipv4.ip_forward", "value": 1},
            {"netns": "red", "sysctls": {"net/ipv4/ip_forward": "0"}},
            "sysctl net.ipv4.ip_forward in namespace 'red': value is '1' in the one and '0' in the other",
        ),
        (
            "nat",
            {"name": "lab", "subnets": ["10.0.0.0/24"], "interface": "br0"},
            {"name": "lab", "subnets": ["10.0.0.0/24"], "interface": "br1"},
            "nat lab on the host: interface is 'br0' in the one and 'br1' in the other",
        ),
    ],
)  # fmt: skip
def test_two_items_about_one_thing(where: str, one: Item, other: Item, said: str) -> None:
    assert contradiction({where: [one, other]}) == f"{where}[0] and {where}[1] contradict each other about {said}: remove one of them"
    assert options.read({where: [one, one]}, topology=True) == options.read({where: [one]}, topology=True), "said twice is said once"


@pytest.mark.parametrize(
    ("lists", "sentence"),
    [
        (
            {"namespaces": [{"name": "red", "nsid": 5}, {"name": "blue", "nsid": 5}]},
            "namespaces[0] and namespaces[1] contradict each other: both are to have nsid 5: change or remove one of them",
        ),
        (
            {"links": [{"name": "br0", "kind": "bridge", "take_over": "eth0"}, {"name": "br0", "kind": "bridge"}]},
            ("links[0] and links[1] contradict each other about link br0 on the host: "
             "take_over is 'eth0' in the one and not given in the other: remove one of them"),
        ),
        (
            {"veths": [{"name": "e0", "peer": {"name": "p0", "netns": "red"}}, {"name": "e0", "peer": {"name": "p0"}}]},
            ("veths[0] and veths[1] contradict each other about veth e0 on the host: "
             "peer.netns is 'red' in the one and not given in the other: remove one of them"),
        ),
        (
            {"routes": [{"dest": "10.0.0.0/8", "nexthops": [hop]} for hop in ({"dev": "e"}, {"gateway": "10.1.0.1"})]},
            ("routes[0] and routes[1] contradict each other about route 10.0.0.0/8 on the host: nexthops is "
             "[{'dev': 'e', 'weight': 1}] in the one and [{'gateway': '10.1.0.1', 'weight': 1}] in the other: remove one of them"),
        ),
        (
            {"addresses": [{"dev": "e0", "address": ["fd00::1/64", "fd00::1/48"]}]},
            ("addresses[0]: two of the values contradict each other about address fd00::1/48 dev e0 on the host: "
             "the prefix length is 64 in the one and 48 in the other: remove one of them"),
        ),
    ],
)  # fmt: skip
def test_the_words_of_a_contradiction(lists: dict[str, list[Item]], sentence: str) -> None:
    assert contradiction(lists) == sentence


def test_one_item_that_contradicts_itself() -> None:
    with pytest.raises(InputError) as caught:
        read("sysctls", {"name": "net.ipv4.ip_forward", "value": 1, "sysctls": {"net.ipv4.ip_forward": 0}})
    assert str(caught.value) == (
        "two of the values contradict each other about sysctl net.ipv4.ip_forward on the host: "
        "value is '0' in the one and '1' in the other: remove one of them"
    )


def test_exclusive_spares_what_other_items_list() -> None:
    lists = [
        {"dev": "e0", "address": "10.0.0.1/24", "exclusive": True},
        {"dev": "e0", "address": "10.0.0.2/24", "label": "e0:2"},
        {"dev": "e0", "address": "fd00::1/64", "exclusive": True},
        {"dev": "e1", "address": "10.0.0.3/24"},
    ]
    found = options.read({"addresses": lists}, topology=True).present
    (only,) = (record for record in found if isinstance(record, OnlyAddresses))
    assert [address.address for address in only.keep] == ["10.0.0.1", "10.0.0.2", "fd00::1"]
    assert not [record for record in read("addresses", lists[0], "absent") if isinstance(record, OnlyAddresses)]


# -- what is meant


def test_the_order_and_the_labels() -> None:
    lists = {
        "routes": [{"dest": ["10.0.0.0/8", "fd00::/64"], "dev": "e0"}],
        "links": [{"name": "br0", "kind": "bridge"}],
        "namespaces": [{"name": ["red", "blue", "red"]}],
    }
    wanted = options.read(lists, topology=True)
    assert [record.describe() for record in wanted.present] == [
        "namespace red",
        "namespace blue",
        "link br0 on the host",
        "route 10.0.0.0/8 on the host",
        "route fd00::/64 on the host",
    ]
    assert [*wanted.labels.values()] == ["namespaces[0]", "namespaces[0]", "links[0]", "routes[0]", "routes[0]"]
    assert options.read(lists, "absent").present == ()
    assert len(options.read(lists, "absent").absent) == 5
    assert options.read({}) == options.Wanted()


GOOD: list[tuple[str, Item, Resource]] = [
    ("namespaces", {"name": "red"}, Namespace("red", loopback=True)),
    ("namespaces", {"name": "red", "loopback": False, "nsid": 0, "pid": 7}, Namespace("red", nsid=0, pid=7)),
    (
        "namespaces",
        {"name": ["red"], "processes": "kill", "kill_timeout": 0},
        Namespace("red", loopback=True, processes="kill", kill_timeout=0),
    ),
    (
        "namespaces",
        {"name": "red", "nameservers": ["192.0.2.1", "fe80::1%eth0"], "search": ["a.example", "b"], "resolver_options": ["edns0"]},
        Namespace(
            "red",
            loopback=True,
            resolver=f"{values.RESOLVER_MARK}\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\nsearch a.example b\noptions edns0\n",
        ),
    ),
    ("links", {"name": "br0", "kind": "bridge"}, Link("", "br0", link_kind="bridge")),
    (
        "links",
        {
            "name": "br0",
            "kind": "bridge",
            "netns": "/run/netns/red",
            "mac_address": "02-00-00-00-00-0A",
            "bridge": {"stp": "no", "priority": None},
        },
        Link("red", "br0", link_kind="bridge", mac_address="02:00:00:00:00:0a", info=(("stp", False),)),
    ),
    ("links", {"name": "eth0", "netns": "red", "from_netns": "blue", "up": False}, Link("red", "eth0", from_netns="blue", up=False)),
    (
        "links",
        {
            "name": "m0",
            "kind": "macvlan",
            "netns": "red",
            "parent": "eth0",
            "parent_netns": "/proc/self/ns/net",
            "macvlan": {"mode": "bridge"},
        },
        Link("red", "m0", link_kind="macvlan", parent="eth0", parent_netns="", info=(("mode", "bridge"),)),
    ),
    ("links", {"name": "e0", "master": "", "alias": "", "force": True}, Link("", "e0", master="", alias="", force=True)),
    (
        "veths",
        {"name": "e0", "netns": "red", "up": True, "force": True, "peer": {"name": "e0", "master": "br0", "mtu": 1400}},
        Veth(
            Link("red", "e0", link_kind="veth", up=True, force=True),
            Link("", "e0", link_kind="veth", master="br0", mtu=1400, force=True, addr_gen_mode="none"),
            force=True,
        ),
    ),
    ("addresses", {"dev": "e0", "address": "10.0.0.1/24"}, Address("", "e0", "10.0.0.1", 24)),
    (
        "addresses",
        {"dev": "e0", "address": "10.0.0.1/24", "nodad": True, "home": True, "mngtmpaddr": True},
        Address("", "e0", "10.0.0.1", 24),
    ),
    ("addresses", {"dev": "e0", "address": "FD00:0::1/64"}, Address("", "e0", "fd00::1", 64, wait_for_dad=True)),
    (
        "addresses",
        {"dev": "e0", "address": "fd00::1/64", "wait_for_dad": False, "scope": "link", "label": "e0"},
        Address("", "e0", "fd00::1", 64),
    ),
    (
        "addresses",
        {
            "dev": "e0",
            "address": "10.0.0.1/32",
            "peer": "10.0.0.2",
            "label": "e0:1",
            "scope": "link",
            "valid_lft": "forever",
            "preferred_lft": "9",
        },
        Address("", "e0", "10.0.0.1", 32, peer="10.0.0.2", label="e0:1", scope=253, valid_lft=FOREVER, preferred_lft=9),
    ),
    ("routes", {"dest": "default", "gateway": "10.0.0.1"}, Route("", "0.0.0.0/0", 254, 0, gateway="10.0.0.1", type="unicast")),
    ("routes", {"dest": "default", "gateway": "fd00::1"}, Route("", "::/0", 254, 1024, gateway="fd00::1", type="unicast")),
    (
        "routes",
        {"dest": "default", "family": "ipv4", "gateway": "fd00::1"},
        Route("", "0.0.0.0/0", 254, 0, gateway="fd00::1", type="unicast"),
    ),
    ("routes", {"dest": "default", "dev": "e0", "src": "fd00::1"}, Route("", "::/0", 254, 1024, dev="e0", src="fd00::1", type="unicast")),
    ("routes", {"dest": "10.0.0.1", "dev": "e0", "metric": 5, "table": "7"}, Route("", "10.0.0.1/32", 7, 5, dev="e0", type="unicast")),
    ("routes", {"dest": "10.0.0.1", "type": "local", "dev": "lo"}, Route("", "10.0.0.1/32", 255, 0, dev="lo", type="local")),
    (
        "routes",
        {"dest": "fd00::/64", "type": "blackhole", "metric": 0, "table": "local"},
        Route("", "fd00::/64", 255, 1024, type="blackhole"),
    ),
    (
        "routes",
        {"dest": "10.0.0.0/8", "nexthops": [{"gateway": "10.1.0.1"}, {"dev": "e0", "weight": 256}], "protocol": "bird", "scope": "link"},
        Route(
            *("", "10.0.0.0/8", 254, 0),
            type="unicast",
            scope=253,
            protocol=12,
            nexthops=(Nexthop("10.1.0.1"), Nexthop(None, "e0", 256)),
        ),
    ),
    ("rules", {}, Rule("", "ipv4", None, table=254, type="unicast")),
    ("rules", {"from": "all", "to": "any", "priority": 0}, Rule("", "ipv4", 0, table=254, type="unicast")),
    ("rules", {"from": "::/0"}, Rule("", "ipv6", None, table=254, type="unicast")),
    ("rules", {"to": "fd00::1", "type": "blackhole"}, Rule("", "ipv6", None, (("to", "fd00::1/128"),), type="blackhole")),
    (
        "rules",
        {
            "from": "10.0.0.1",
            "iif": "e0",
            "fwmark": "0x10",
            "tos": "0x10",
            "ipproto": "tcp",
            "sport": "5-5",
            "dport": "1000-1999",
            "not": True,
        },
        Rule(
            *("", "ipv4", None),
            selectors=(
                *(("dport", "1000-1999"), ("from", "10.0.0.1/32"), ("fwmark", 16), ("fwmask", ALL), ("iif", "e0"), ("ipproto", 6)),
                *(("not", True), ("sport", "5"), ("tos", 16)),
            ),
            table=254,
            type="unicast",
        ),
    ),
    (
        "rules",
        {"fwmark": "0", "fwmask": "255", "uidrange": "0-7", "not": False, "tos": "0", "suppress_prefixlength": 0},
        Rule("", "ipv4", None, (("fwmark", 0), ("fwmask", 255), ("uidrange", "0-7")), table=254, type="unicast", suppress_prefixlength=0),
    ),
    ("sysctls", {"netns": "red", "name": "net.ipv4.ip_forward", "value": True}, Sysctl("red", "net/ipv4/ip_forward", "1")),
    (
        "nat",
        {"name": "lab", "subnets": ["10.0.0.0/24", "10.0.0.0/24", "fd00::/64"], "interface": "br0"},
        Nat("", "lab", ("10.0.0.0/24", "fd00::/64"), "br0", "auto", True, isolation="networks", hairpin=True),
    ),
]


@pytest.mark.parametrize(
    ("where", "item", "record"), GOOD, ids=[f"{where}-{number}" for number, (where, _item, _record) in enumerate(GOOD)]
)
def test_records(where: str, item: Item, record: Resource) -> None:
    assert read(where, item) == (record,)
    spelled = {**dict.fromkeys(("netns", "mtu", "priority", "peer", "metric", "label", "src", "name"), None), **item}
    if where not in ("veths", "sysctls"):
        assert read(where, spelled) == (record,), "an option that is None was not given"


def test_several_sysctls() -> None:
    found = read("sysctls", {"sysctls": {"net.ipv4.ip_forward": 1, "net.ipv4.conf.a.b.forwarding": "0"}})
    assert found == (Sysctl("", "net/ipv4/ip_forward", "1"), Sysctl("", "net/ipv4/conf/a.b/forwarding", "0"))


def test_absent_leaves_open_what_was_not_said() -> None:
    assert read("routes", {"dest": "fd00::/64"}, "absent") == (Route("", "fd00::/64", 254, None),)
    assert read("routes", {"dest": "10.0.0.0/8", "metric": 0, "dev": "e0"}, "absent") == (Route("", "10.0.0.0/8", 254, 0, dev="e0"),)
    assert read("rules", {"priority": 5}, "absent") == (Rule("", "ipv4", 5),)
    assert read("rules", {"priority": 5, "table": "7"}, "absent") == (Rule("", "ipv4", 5, table=7),)


def test_the_systems_names_of_tables(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rt_tables").write_text("# a comment\n255 local\n100 upstream # another\n101\nword upstream2\n", encoding="utf-8")
    os.mkdir(tmp_path / "rt_tables.d")
    (tmp_path / "rt_tables.d" / "more.conf").write_text("7 upstream\n102 lab\n", encoding="utf-8")
    (tmp_path / "rt_tables.d" / "ignored").write_text("103 other\n", encoding="utf-8")
    paths = tuple(str(tmp_path / name) for name in ("rt_tables", "rt_tables.d", "missing"))
    monkeypatch.setattr(ip_options, "_RT_TABLES", paths)
    tables = {
        name: t.cast(Route, read("routes", {"dest": "10.0.0.0/8", "dev": "e0", "table": name})[0]).table
        for name in ("upstream", "lab", "main")
    }
    assert tables == {"upstream": 100, "lab": 102, "main": 254}
    with pytest.raises(InputError, match="^table: 'other' is neither"):
        read("rules", {"table": "other"})
