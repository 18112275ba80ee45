# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of every interface but veth; those of single kinds are in files of their own."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  kind:
    description:
      - What kind of interface it is.
      - Left out, it is one that exists already, such as a physical one.
      - V(dummy), V(ifb) and V(wireguard) have no options of their own here; the keys and peers of WireGuard are not set.
    type: str
    choices:
      - bond
      - bridge
      - dummy
      - geneve
      - gre
      - gretap
      - ifb
      - ipip
      - ipvlan
      - macvlan
      - macvtap
      - sit
      - tap
      - tun
      - vlan
      - vrf
      - vxlan
      - wireguard
  parent:
    description:
      - The interface that it stands on (C(link) in C(ip link)).
      - Needed for V(ipvlan), V(macvlan), V(macvtap) and V(vlan) in O(kind); V(gre), V(gretap), V(ipip), V(sit) and V(vxlan) may have one.
    type: str
  parent_netns:
    description: The namespace that O(parent) is in, by name or path. Left out, it is O(netns).
    type: str
  up:
    description: Whether it is up. Left out, a new interface is brought up, and an existing one is left as it is.
    type: bool
  from_netns:
    description:
      - The namespace that a physical interface is taken from, by name or path, if it is not in O(netns) already.
      - Left out, it is the host. An interface that was moved from there to another namespace is taken from that one, and keeps its home.
    type: str
  take_over:
    description:
      - An interface that becomes a port of this bridge and hands over all that the host has on it, its addresses, routes and MAC address.
      - It is done in one step, so that the host is cut off for some milliseconds only, and undone if something fails.
      - With O(state=absent) the addresses and routes go back to it before the bridge is removed.
      - IPv6 link-local addresses stay, the bridge has its own. So do static neighbour entries and policy routing rules and firewall
        rules that name the interface.
    type: str
"""
