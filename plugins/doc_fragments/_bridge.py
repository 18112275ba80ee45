# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of a bridge and of its ports."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  bridge:
    description:
      - Options of O(kind=bridge). Times are in hundredths of a second, as in C(ip link).
    type: dict
    suboptions:
      ageing_time:
        description: How long a learnt MAC address is remembered.
        type: int
      fdb_max_learned:
        description: How many MAC addresses may be learnt; V(0) is any number.
        type: int
      forward_delay:
        description: Time that a port listens and learns before it forwards. With O(bridge.stp) it is at least V(200).
        type: int
      group_fwd_mask:
        description: Bit mask of the link-local groups 01:80:c2:00:00:0X that are forwarded.
        type: int
      hello_time:
        description: Time between two messages of STP.
        type: int
      max_age:
        description: Time after which STP gives up a bridge that is silent.
        type: int
      mcast_hash_max:
        description: Size of the multicast table, a power of two.
        type: int
      mcast_igmp_version:
        description: Version of IGMP, V(2) or V(3).
        type: int
      mcast_last_member_count:
        description: Queries after a group was left.
        type: int
      mcast_last_member_interval:
        description: Time between the queries after a group was left.
        type: int
      mcast_membership_interval:
        description: Time after which a group without reports is forgotten.
        type: int
      mcast_mld_version:
        description: Version of MLD, V(1) or V(2).
        type: int
      mcast_querier:
        description: Whether the bridge sends queries itself.
        type: bool
      mcast_querier_interval:
        description: Time after which another querier that is silent is forgotten.
        type: int
      mcast_query_interval:
        description: Time between two queries.
        type: int
      mcast_query_response_interval:
        description: Time in which members are to answer.
        type: int
      mcast_query_use_ifaddr:
        description: Whether queries bear the bridge's own address instead of 0.0.0.0.
        type: bool
      mcast_router:
        description: Whether a multicast router is behind the bridge itself, V(0) never, V(1) if it is heard, V(2) always.
        type: int
      mcast_snooping:
        description: Whether multicast goes only to ports that asked for it.
        type: bool
      mcast_startup_query_count:
        description: Queries at the start.
        type: int
      mcast_startup_query_interval:
        description: Time between the queries at the start.
        type: int
      mcast_stats_enabled:
        description: Whether IGMP and MLD are counted.
        type: bool
      mcast_vlan_snooping:
        description: Whether snooping is done for each VLAN.
        type: bool
      nf_call_arptables:
        description: Whether arptables sees what crosses the bridge.
        type: bool
      nf_call_ip6tables:
        description: Whether ip6tables sees what crosses the bridge.
        type: bool
      nf_call_iptables:
        description: Whether iptables sees what crosses the bridge.
        type: bool
      no_linklocal_learn:
        description: Whether nothing is learnt from frames to link-local groups.
        type: bool
      priority:
        description: Priority in STP; the bridge with the lowest is the root.
        type: int
      stp:
        description: Whether the spanning tree protocol runs.
        type: bool
      vlan_default_pvid:
        description: VLAN of untagged frames on a new port; V(0) is none.
        type: int
      vlan_filtering:
        description: Whether the bridge looks at VLAN tags.
        type: bool
      vlan_protocol:
        description: Type of the tags that it looks at.
        type: str
        choices: [802.1ad, 802.1q]
      vlan_stats_enabled:
        description: Whether traffic is counted for each VLAN.
        type: bool
      vlan_stats_per_port:
        description: Whether traffic is counted for each VLAN and port. It can be changed only while no port is in a VLAN.
        type: bool
  port:
    description:
      - Settings of the interface as a port of the bridge in O(master), of whatever kind it is.
    type: dict
    suboptions:
      bcast_flood:
        description: Whether broadcast frames are sent out of it.
        type: bool
      cost:
        description: Cost of the path in STP.
        type: int
      fast_leave:
        description: Whether a multicast group is left at once.
        type: bool
      flood:
        description: Whether frames to unknown MAC addresses are sent out of it.
        type: bool
      group_fwd_mask:
        description: Bit mask of the link-local groups 01:80:c2:00:00:0X that are forwarded.
        type: int
      guard:
        description: Whether it ignores messages of STP (BPDU guard).
        type: bool
      hairpin:
        description: Whether a frame may leave by the port that it came in by.
        type: bool
      isolated:
        description: Whether it can reach only ports that are not isolated.
        type: bool
      learning:
        description: Whether MAC addresses are learnt on it.
        type: bool
      locked:
        description: Whether only known MAC addresses may send into it.
        type: bool
      mab:
        description: Whether a locked port learns unknown MAC addresses as locked ones, for authentication by MAC address.
        type: bool
      mcast_flood:
        description: Whether multicast frames without known members are sent out of it.
        type: bool
      mcast_router:
        description: Whether a multicast router is behind it, V(0) never, V(1) if it is heard, V(2) always.
        type: int
      mcast_to_unicast:
        description: Whether multicast is sent to each member by itself.
        type: bool
      neigh_suppress:
        description: Whether the bridge answers for known neighbours instead of flooding.
        type: bool
      neigh_vlan_suppress:
        description: The same for single VLANs.
        type: bool
      priority:
        description: Priority in STP, up to 63.
        type: int
      proxy_arp:
        description: Whether the bridge answers ARP for known neighbours.
        type: bool
      proxy_arp_wifi:
        description: The same, as wireless access points need it.
        type: bool
      pvid:
        description: The VLAN that untagged frames belong to; frames of it leave without a tag.
        type: int
      root_block:
        description: Whether the root bridge may not be behind it (root guard).
        type: bool
      vlan_tunnel:
        description: Whether VLANs are mapped to tunnels.
        type: bool
      vlans:
        description: The VLANs that cross it with a tag, as numbers and ranges such as V(10-20). Others are removed.
        type: list
        elements: str
"""
