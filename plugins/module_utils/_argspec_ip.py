# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Options of addresses, routes and rules: a module's own, and those of an item of its list in ``netns_topology``."""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.netns.plugins.module_utils._argspec import Spec

FAMILY: dict[str, t.Any] = {"type": "str", "choices": ["ipv4", "ipv6"]}

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
