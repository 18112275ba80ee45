# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of a check: those of an item of ``netns_probe``'s checks and of ``netns_topology``'s verify."""

from __future__ import annotations

import typing as t

CHECK: dict[str, dict[str, t.Any]] = {
    "netns": {"type": "str"},
    "ping": {"type": "str"},
    "tcp": {"type": "str"},
    "udp_dns": {"type": "raw"},
    "http": {"type": "str"},
    "mtu": {
        "type": "dict",
        "options": {
            "to": {"type": "str", "required": True},
            "size": {"type": "int", "required": True},
        },
    },
    "expect_source": {"type": "str"},
    "timeout": {"type": "float", "default": 5.0},
    "retries": {"type": "int", "default": 3},
}

# A list of them, whatever it is called. The engine finds what cannot stand together, and names the item.
CHECKS: dict[str, t.Any] = {"type": "list", "elements": "dict", "options": CHECK}
