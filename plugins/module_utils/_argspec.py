# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Options: a module's own, and those of an item of its list in ``netns_topology``. Interfaces other than veth have a file of their own."""

from __future__ import annotations

import typing as t

Spec = dict[str, dict[str, t.Any]]

STATE: dict[str, t.Any] = {"type": "str", "choices": ["absent", "present"], "default": "present"}

FAMILY: dict[str, t.Any] = {"type": "str", "choices": ["ipv4", "ipv6"]}

NAMESPACE: Spec = {
    "name": {"type": "list", "elements": "str", "required": True},
    "pid": {"type": "int"},
    "loopback": {"type": "bool", "default": True},
    "nsid": {"type": "int"},
    "nameservers": {"type": "list", "elements": "str"},
    "search": {"type": "list", "elements": "str"},
    "resolver_options": {"type": "list", "elements": "str"},
    "processes": {"type": "str", "choices": ["fail", "keep", "kill"], "default": "fail"},
    "kill_timeout": {"type": "int", "default": 10},
}

# What an end of a veth pair and every other interface have in common.
INTERFACE: Spec = {
    "netns": {"type": "str"},
    "name": {"type": "str", "required": True},
    "mtu": {"type": "int"},
    "mac_address": {"type": "str"},
    "master": {"type": "str"},
    "alias": {"type": "str"},
    "txqueuelen": {"type": "int"},
}

FORCE: dict[str, t.Any] = {"type": "bool", "default": False}

VETH_END: Spec = {
    **INTERFACE,
    "up": {"type": "bool", "default": True},
    "num_tx_queues": {"type": "int"},
    "num_rx_queues": {"type": "int"},
}

VETH: Spec = {
    **VETH_END,
    "force": FORCE,
    "peer": {"type": "dict", "options": VETH_END},
}

ADDRESS: Spec = {
    "netns": {"type": "str"},
    "dev": {"type": "str", "required": True},
    "address": {"type": "list", "elements": "str", "required": True},
    "peer": {"type": "str"},
    "broadcast": {"type": "str"},
    "label": {"type": "str"},
    "scope": {"type": "str"},
    "metric": {"type": "int"},
    "preferred_lft": {"type": "str"},
    "valid_lft": {"type": "str"},
    "nodad": {"type": "bool"},
    "noprefixroute": {"type": "bool"},
    "home": {"type": "bool"},
    "mngtmpaddr": {"type": "bool"},
    "exclusive": {"type": "bool", "default": False},
    "wait_for_dad": {"type": "bool", "default": True},
}

ROUTE: Spec = {
    "netns": {"type": "str"},
    "dest": {"type": "list", "elements": "str", "required": True},
    "family": FAMILY,
    "gateway": {"type": "str"},
    "dev": {"type": "str"},
    "table": {"type": "str"},
    "metric": {"type": "int"},
    "type": {"type": "str", "choices": ["blackhole", "local", "prohibit", "throw", "unicast", "unreachable"]},
    "scope": {"type": "str"},
    "src": {"type": "str"},
    "mtu": {"type": "int"},
    "advmss": {"type": "int"},
    "onlink": {"type": "bool"},
    "protocol": {"type": "str"},
    "nexthops": {
        "type": "list",
        "elements": "dict",
        "options": {
            "gateway": {"type": "str"},
            "dev": {"type": "str"},
            "weight": {"type": "int", "default": 1},
            "onlink": {"type": "bool", "default": False},
        },
    },
}

RULE: Spec = {
    "netns": {"type": "str"},
    "priority": {"type": "int"},
    "family": FAMILY,
    "from": {"type": "str"},
    "to": {"type": "str"},
    "iif": {"type": "str"},
    "oif": {"type": "str"},
    "fwmark": {"type": "str"},
    "fwmask": {"type": "str"},
    "tos": {"type": "str"},
    "ipproto": {"type": "str"},
    "sport": {"type": "str"},
    "dport": {"type": "str"},
    "uidrange": {"type": "str"},
    "table": {"type": "str"},
    "type": {"type": "str", "choices": ["blackhole", "prohibit", "unicast", "unreachable"]},
    "not": {"type": "bool"},
    "suppress_prefixlength": {"type": "int"},
}

SYSCTL: Spec = {
    "netns": {"type": "str"},
    "name": {"type": "str"},
    "value": {"type": "raw"},
    "sysctls": {"type": "dict"},
}

NAT: Spec = {
    "name": {"type": "str", "required": True},
    "netns": {"type": "str"},
    "subnets": {"type": "list", "elements": "str"},
    "interface": {"type": "str"},
    "uplink": {"type": "str", "default": "auto"},
    "masquerade": {"type": "bool", "default": True},
    "snat_to": {"type": "list", "elements": "str"},
    "publish": {
        "type": "list",
        "elements": "dict",
        "options": {
            "protocol": {"type": "str", "choices": ["sctp", "tcp", "udp"], "default": "tcp"},
            "host_address": {"type": "str"},
            "host_port": {"type": "str", "required": True},
            "to_address": {"type": "str", "required": True},
            "to_port": {"type": "str"},
        },
    },
    "isolation": {"type": "str", "choices": ["networks", "none", "strict"], "default": "networks"},
    "hairpin": {"type": "bool", "default": True},
    "foreign_drop": {"type": "str", "choices": ["accept", "fail", "ignore"], "default": "fail"},
}

# What cannot stand together, as AnsibleModule and an option with suboptions take it. The engine finds the rest, and names the item.
SYSCTL_LIMITS: dict[str, t.Any] = {"mutually_exclusive": [("name", "sysctls")], "required_by": {"value": "name"}}
