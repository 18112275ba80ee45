# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Options of a NATed network: the module's own, and those of an item of its list in ``netns_topology``."""

from __future__ import annotations

from ansible_collections.linuxnet.netns.plugins.module_utils._argspec import Spec

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
