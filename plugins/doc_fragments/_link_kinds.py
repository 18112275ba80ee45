# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of single kinds of interfaces."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  bond:
    description: Options of O(kind=bond). Times are in milliseconds.
    type: dict
    suboptions:
      mode:
        description: How traffic is spread over its ports.
        type: str
        choices: [802.3ad, active-backup, balance-alb, balance-rr, balance-tlb, balance-xor, broadcast]
      miimon:
        description: Time between two looks at the carriers of its ports; V(0) is none.
        type: int
      updelay:
        description: Time before a port whose carrier came is used, a multiple of O(bond.miimon).
        type: int
      downdelay:
        description: Time before a port whose carrier went is left, a multiple of O(bond.miimon).
        type: int
      xmit_hash_policy:
        description: What chooses the port of a packet.
        type: str
        choices: [encap2+3, encap3+4, layer2, layer2+3, layer3+4, vlan+srcmac]
      lacp_rate:
        description: How often LACP wants to hear from the other side.
        type: str
        choices: [fast, slow]
      ad_select:
        description: When another group of ports is chosen (LACP).
        type: str
        choices: [bandwidth, count, stable]
      ad_actor_sys_prio:
        description: Priority of this system (LACP).
        type: int
      ad_user_port_key:
        description: Key of the ports (LACP).
        type: int
      min_links:
        description: Ports with a carrier that the bond needs for one of its own.
        type: int
      fail_over_mac:
        description: What becomes of the MAC address when another port is used.
        type: str
        choices: [active, follow, none]
      primary_reselect:
        description: When the primary port is used again.
        type: str
        choices: [always, better, failure]
      resend_igmp:
        description: IGMP reports that are sent when another port is used.
        type: int
      num_grat_arp:
        description: ARP and neighbour announcements that are sent when another port is used.
        type: int
      all_slaves_active:
        description: Whether frames that come in by an unused port are taken.
        type: bool
      lp_interval:
        description: Seconds between two learning packets (V(balance-alb) and V(balance-tlb)).
        type: int
      packets_per_slave:
        description: Packets that leave by one port before the next is used (V(balance-rr)).
        type: int
      tlb_dynamic_lb:
        description: Whether flows are moved by load (V(balance-tlb)).
        type: bool
  geneve:
    description: Options of O(kind=geneve).
    type: dict
    suboptions:
      id:
        description: Number of the virtual network.
        type: int
        required: true
      remote:
        description: Address of the other end outside.
        type: str
        required: true
      port:
        description: UDP port. Left out, a new interface uses V(6081).
        type: int
      ttl:
        description: TTL outside; V(0) lets the kernel choose.
        type: int
      tos:
        description: Type of service outside; V(1) takes it from the inner packet.
        type: int
      udp_csum:
        description: Whether packets outside have a UDP checksum (IPv4).
        type: bool
      udp6_zero_csum_tx:
        description: Whether packets outside are sent without a UDP checksum (IPv6).
        type: bool
      udp6_zero_csum_rx:
        description: Whether packets outside are taken without a UDP checksum (IPv6).
        type: bool
  gre:
    description: Options of O(kind=gre).
    type: dict
    suboptions:
      local:
        description: Address of this end outside (IPv4).
        type: str
      remote:
        description: Address of the other end outside (IPv4).
        type: str
      ttl:
        description: TTL outside; V(0) takes it from the inner packet.
        type: int
      tos:
        description: Type of service outside; V(1) takes it from the inner packet.
        type: int
      pmtudisc:
        description: Whether the MTU of the path is found out.
        type: bool
      fwmark:
        description: Mark of the packets outside.
        type: int
      ignore_df:
        description: Whether packets are fragmented although they forbid it.
        type: bool
      key:
        description: Key of both directions, a number or four numbers with dots. Instead of it, V(ikey) and V(okey) can be given.
        type: str
      ikey:
        description: Key of what comes in.
        type: str
      okey:
        description: Key of what goes out.
        type: str
      csum:
        description: Whether there are checksums in both directions.
        type: bool
      icsum:
        description: Whether what comes in must have a checksum.
        type: bool
      ocsum:
        description: Whether what goes out gets a checksum.
        type: bool
      seq:
        description: Whether packets are numbered in both directions.
        type: bool
      iseq:
        description: Whether what comes in must be numbered.
        type: bool
      oseq:
        description: Whether what goes out is numbered.
        type: bool
  gretap:
    description: Options of O(kind=gretap).
    type: dict
    suboptions:
      local:
        description: Address of this end outside (IPv4).
        type: str
      remote:
        description: Address of the other end outside (IPv4).
        type: str
      ttl:
        description: TTL outside; V(0) takes it from the inner packet.
        type: int
      tos:
        description: Type of service outside; V(1) takes it from the inner packet.
        type: int
      pmtudisc:
        description: Whether the MTU of the path is found out.
        type: bool
      fwmark:
        description: Mark of the packets outside.
        type: int
      ignore_df:
        description: Whether packets are fragmented although they forbid it.
        type: bool
      key:
        description: Key of both directions, a number or four numbers with dots. Instead of it, V(ikey) and V(okey) can be given.
        type: str
      ikey:
        description: Key of what comes in.
        type: str
      okey:
        description: Key of what goes out.
        type: str
      csum:
        description: Whether there are checksums in both directions.
        type: bool
      icsum:
        description: Whether what comes in must have a checksum.
        type: bool
      ocsum:
        description: Whether what goes out gets a checksum.
        type: bool
      seq:
        description: Whether packets are numbered in both directions.
        type: bool
      iseq:
        description: Whether what comes in must be numbered.
        type: bool
      oseq:
        description: Whether what goes out is numbered.
        type: bool
  ipip:
    description: Options of O(kind=ipip).
    type: dict
    suboptions:
      local:
        description: Address of this end outside (IPv4).
        type: str
      remote:
        description: Address of the other end outside (IPv4).
        type: str
      ttl:
        description: TTL outside; V(0) takes it from the inner packet.
        type: int
      tos:
        description: Type of service outside; V(1) takes it from the inner packet.
        type: int
      pmtudisc:
        description: Whether the MTU of the path is found out.
        type: bool
      fwmark:
        description: Mark of the packets outside.
        type: int
  ipvlan:
    description: Options of O(kind=ipvlan). They belong to O(parent), and all its V(ipvlan) interfaces share them.
    type: dict
    suboptions:
      mode:
        description: The layer on which it is separated from its parent.
        type: str
        choices: [l2, l3, l3s]
      flag:
        description: How the interfaces on one parent see each other.
        type: str
        choices: [bridge, private, vepa]
  macvlan:
    description: Options of O(kind=macvlan).
    type: dict
    suboptions:
      mode:
        description: How the interfaces on one parent see each other. V(passthru) gives the whole parent to one of them.
        type: str
        choices: [bridge, passthru, private, source, vepa]
  macvtap:
    description: Options of O(kind=macvtap).
    type: dict
    suboptions:
      mode:
        description: How the interfaces on one parent see each other. V(passthru) gives the whole parent to one of them.
        type: str
        choices: [bridge, passthru, private, source, vepa]
  sit:
    description: Options of O(kind=sit).
    type: dict
    suboptions:
      local:
        description: Address of this end outside (IPv4).
        type: str
      remote:
        description: Address of the other end outside (IPv4).
        type: str
      ttl:
        description: TTL outside; V(0) takes it from the inner packet.
        type: int
      tos:
        description: Type of service outside; V(1) takes it from the inner packet.
        type: int
      pmtudisc:
        description: Whether the MTU of the path is found out.
        type: bool
      fwmark:
        description: Mark of the packets outside.
        type: int
  tap:
    description: Options of O(kind=tap). They are settled when it is made.
    type: dict
    suboptions:
      user:
        description: The user who may attach to it, by name or number.
        type: str
      group:
        description: The group that may attach to it, by name or number.
        type: str
      pi:
        description: Whether each packet begins with its protocol.
        type: bool
      vnet_hdr:
        description: Whether each packet begins with a header for offloads.
        type: bool
      multi_queue:
        description: Whether several programs or threads may attach to it at once.
        type: bool
  tun:
    description: Options of O(kind=tun). They are settled when it is made.
    type: dict
    suboptions:
      user:
        description: The user who may attach to it, by name or number.
        type: str
      group:
        description: The group that may attach to it, by name or number.
        type: str
      pi:
        description: Whether each packet begins with its protocol.
        type: bool
      vnet_hdr:
        description: Whether each packet begins with a header for offloads.
        type: bool
      multi_queue:
        description: Whether several programs or threads may attach to it at once.
        type: bool
  vlan:
    description: Options of O(kind=vlan).
    type: dict
    suboptions:
      id:
        description: Number of the VLAN.
        type: int
        required: true
      protocol:
        description: Type of the tag.
        type: str
        choices: [802.1ad, 802.1q]
      reorder_hdr:
        description: Whether a packet looks as if it had had no tag.
        type: bool
      gvrp:
        description: Whether the VLAN is registered by GVRP.
        type: bool
      loose_binding:
        description: Whether it may be up while its parent is down.
        type: bool
      mvrp:
        description: Whether the VLAN is registered by MVRP.
        type: bool
      bridge_binding:
        description: Whether its carrier follows the ports of the bridge below it that are in this VLAN.
        type: bool
  vrf:
    description: Options of O(kind=vrf).
    type: dict
    suboptions:
      table:
        description: The routing table of its ports, by number or one of V(default), V(local) and V(main).
        type: str
        required: true
  vxlan:
    description: Options of O(kind=vxlan).
    type: dict
    suboptions:
      id:
        description: Number of the virtual network.
        type: int
        required: true
      local:
        description: Address of this end outside.
        type: str
      remote:
        description: Address of the other end outside, if there is only one.
        type: str
      group:
        description: Multicast group outside that the other ends are in, instead of O(vxlan.remote). It needs O(parent).
        type: str
      port:
        description: UDP port. Left out, a new interface uses the kernel's own, V(8472); the one of the standard is V(4789).
        type: int
      ttl:
        description: TTL outside; V(0) lets the kernel choose.
        type: int
      tos:
        description: Type of service outside; V(1) takes it from the inner packet.
        type: int
      df:
        description: Whether packets outside forbid fragmentation.
        type: str
        choices: [inherit, set, unset]
      learning:
        description: Whether it is learnt which MAC address is behind which address outside.
        type: bool
      ageing:
        description: Seconds for which a learnt MAC address is remembered.
        type: int
      max_address:
        description: How many MAC addresses are remembered; V(0) is any number.
        type: int
      proxy:
        description: Whether ARP is answered for known neighbours.
        type: bool
      rsc:
        description: Whether packets to known neighbours are routed (route short circuit).
        type: bool
      l2miss:
        description: Whether an unknown MAC address is reported to programs.
        type: bool
      l3miss:
        description: Whether an unknown neighbour is reported to programs.
        type: bool
      udp_csum:
        description: Whether packets outside have a UDP checksum (IPv4).
        type: bool
      udp6_zero_csum_tx:
        description: Whether packets outside are sent without a UDP checksum (IPv6).
        type: bool
      udp6_zero_csum_rx:
        description: Whether packets outside are taken without a UDP checksum (IPv6).
        type: bool
      gbp:
        description: Whether packets carry the policy of a group (group based policy).
        type: bool
"""
