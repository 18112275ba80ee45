# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Options of every interface but veth, one dict for each kind that has attributes of its own."""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.netns.plugins.module_utils._argspec import Spec
from ansible_collections.linuxnet.netns.plugins.module_utils._argspec_veth import FORCE, INTERFACE

_BOOL: dict[str, t.Any] = {"type": "bool"}
_INT: dict[str, t.Any] = {"type": "int"}
_STR: dict[str, t.Any] = {"type": "str"}
# Called a key, and no secret: it is in every packet.
_PLAIN_INT: dict[str, t.Any] = {"type": "int", "no_log": False}
_PLAIN_STR: dict[str, t.Any] = {"type": "str", "no_log": False}

_BRIDGE: Spec = {
    "ageing_time": _INT,
    "fdb_max_learned": _INT,
    "forward_delay": _INT,
    "group_fwd_mask": _INT,
    "hello_time": _INT,
    "max_age": _INT,
    "mcast_hash_max": _INT,
    "mcast_igmp_version": _INT,
    "mcast_last_member_count": _INT,
    "mcast_last_member_interval": _INT,
    "mcast_membership_interval": _INT,
    "mcast_mld_version": _INT,
    "mcast_querier": _BOOL,
    "mcast_querier_interval": _INT,
    "mcast_query_interval": _INT,
    "mcast_query_response_interval": _INT,
    "mcast_query_use_ifaddr": _BOOL,
    "mcast_router": _INT,
    "mcast_snooping": _BOOL,
    "mcast_startup_query_count": _INT,
    "mcast_startup_query_interval": _INT,
    "mcast_stats_enabled": _BOOL,
    "mcast_vlan_snooping": _BOOL,
    "nf_call_arptables": _BOOL,
    "nf_call_ip6tables": _BOOL,
    "nf_call_iptables": _BOOL,
    "no_linklocal_learn": _BOOL,
    "priority": _INT,
    "stp": _BOOL,
    "vlan_default_pvid": _INT,
    "vlan_filtering": _BOOL,
    "vlan_protocol": {"type": "str", "choices": ["802.1ad", "802.1q"]},
    "vlan_stats_enabled": _BOOL,
    "vlan_stats_per_port": _BOOL,
}

_PORT: Spec = {
    "bcast_flood": _BOOL,
    "cost": _INT,
    "fast_leave": _BOOL,
    "flood": _BOOL,
    "group_fwd_mask": _INT,
    "guard": _BOOL,
    "hairpin": _BOOL,
    "isolated": _BOOL,
    "learning": _BOOL,
    "locked": _BOOL,
    "mab": _BOOL,
    "mcast_flood": _BOOL,
    "mcast_router": _INT,
    "mcast_to_unicast": _BOOL,
    "neigh_suppress": _BOOL,
    "neigh_vlan_suppress": _BOOL,
    "priority": _INT,
    "proxy_arp": _BOOL,
    "proxy_arp_wifi": _BOOL,
    "pvid": _INT,
    "root_block": _BOOL,
    "vlan_tunnel": _BOOL,
    "vlans": {"type": "list", "elements": "str"},
}

_BOND: Spec = {
    "mode": {
        "type": "str",
        "choices": ["802.3ad", "active-backup", "balance-alb", "balance-rr", "balance-tlb", "balance-xor", "broadcast"],
    },
    "miimon": _INT,
    "updelay": _INT,
    "downdelay": _INT,
    "xmit_hash_policy": {"type": "str", "choices": ["encap2+3", "encap3+4", "layer2", "layer2+3", "layer3+4", "vlan+srcmac"]},
    "lacp_rate": {"type": "str", "choices": ["fast", "slow"]},
    "ad_select": {"type": "str", "choices": ["bandwidth", "count", "stable"]},
    "ad_actor_sys_prio": _INT,
    "ad_user_port_key": _PLAIN_INT,
    "min_links": _INT,
    "fail_over_mac": {"type": "str", "choices": ["active", "follow", "none"]},
    "primary_reselect": {"type": "str", "choices": ["always", "better", "failure"]},
    "resend_igmp": _INT,
    "num_grat_arp": _INT,
    "all_slaves_active": _BOOL,
    "lp_interval": _INT,
    "packets_per_slave": _INT,
    "tlb_dynamic_lb": _BOOL,
}

_GENEVE: Spec = {
    "id": {"type": "int", "required": True},
    "remote": {"type": "str", "required": True},
    "port": _INT,
    "ttl": _INT,
    "tos": _INT,
    "udp_csum": _BOOL,
    "udp6_zero_csum_tx": _BOOL,
    "udp6_zero_csum_rx": _BOOL,
}

_TUNNEL: Spec = {
    "local": _STR,
    "remote": _STR,
    "ttl": _INT,
    "tos": _INT,
    "pmtudisc": _BOOL,
    "fwmark": _INT,
}

_GRE: Spec = {
    **_TUNNEL,
    "ignore_df": _BOOL,
    "key": _PLAIN_STR,
    "ikey": _PLAIN_STR,
    "okey": _PLAIN_STR,
    "csum": _BOOL,
    "icsum": _BOOL,
    "ocsum": _BOOL,
    "seq": _BOOL,
    "iseq": _BOOL,
    "oseq": _BOOL,
}

_MACVLAN: Spec = {
    "mode": {"type": "str", "choices": ["bridge", "passthru", "private", "source", "vepa"]},
}

_TUNTAP: Spec = {
    "user": _STR,
    "group": _STR,
    "pi": _BOOL,
    "vnet_hdr": _BOOL,
    "multi_queue": _BOOL,
}

_VLAN: Spec = {
    "id": {"type": "int", "required": True},
    "protocol": {"type": "str", "choices": ["802.1ad", "802.1q"]},
    "reorder_hdr": _BOOL,
    "gvrp": _BOOL,
    "loose_binding": _BOOL,
    "mvrp": _BOOL,
    "bridge_binding": _BOOL,
}

_VXLAN: Spec = {
    "id": {"type": "int", "required": True},
    "local": _STR,
    "remote": _STR,
    "group": _STR,
    "port": _INT,
    "ttl": _INT,
    "tos": _INT,
    "df": {"type": "str", "choices": ["inherit", "set", "unset"]},
    "learning": _BOOL,
    "ageing": _INT,
    "max_address": _INT,
    "proxy": _BOOL,
    "rsc": _BOOL,
    "l2miss": _BOOL,
    "l3miss": _BOOL,
    "udp_csum": _BOOL,
    "udp6_zero_csum_tx": _BOOL,
    "udp6_zero_csum_rx": _BOOL,
    "gbp": _BOOL,
}

LINK: Spec = {
    **INTERFACE,
    "force": FORCE,
    "kind": {
        "type": "str",
        "choices": [
            "bond",
            "bridge",
            "dummy",
            "geneve",
            "gre",
            "gretap",
            "ifb",
            "ipip",
            "ipvlan",
            "macvlan",
            "macvtap",
            "sit",
            "tap",
            "tun",
            "vlan",
            "vrf",
            "vxlan",
            "wireguard",
        ],
    },
    "parent": _STR,
    "parent_netns": _STR,
    "up": _BOOL,
    "from_netns": _STR,
    "take_over": _STR,
    "bridge": {"type": "dict", "options": _BRIDGE},
    "port": {"type": "dict", "options": _PORT},
    "bond": {"type": "dict", "options": _BOND},
    "geneve": {"type": "dict", "options": _GENEVE},
    "gre": {"type": "dict", "options": _GRE},
    "gretap": {"type": "dict", "options": _GRE},
    "ipip": {"type": "dict", "options": _TUNNEL},
    "ipvlan": {
        "type": "dict",
        "options": {
            "mode": {"type": "str", "choices": ["l2", "l3", "l3s"]},
            "flag": {"type": "str", "choices": ["bridge", "private", "vepa"]},
        },
    },
    "macvlan": {"type": "dict", "options": _MACVLAN},
    "macvtap": {"type": "dict", "options": _MACVLAN},
    "sit": {"type": "dict", "options": _TUNNEL},
    "tap": {"type": "dict", "options": _TUNTAP},
    "tun": {"type": "dict", "options": _TUNTAP},
    "vlan": {"type": "dict", "options": _VLAN},
    "vrf": {
        "type": "dict",
        "options": {
            "table": {"type": "str", "required": True},
        },
    },
    "vxlan": {"type": "dict", "options": _VXLAN},
}

LINK_LIMITS: dict[str, t.Any] = {"required_by": {"parent_netns": "parent"}}
