# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Options: a module's own, and those of an item of its list in ``netns_topology``.

Interfaces, what belongs to IP, and NAT have files of their own: a module compiles no other's options.
"""

from __future__ import annotations

import typing as t

Spec = dict[str, dict[str, t.Any]]

STATE: dict[str, t.Any] = {"type": "str", "choices": ["absent", "present"], "default": "present"}

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

SYSCTL: Spec = {
    "netns": {"type": "str"},
    "name": {"type": "str"},
    "value": {"type": "raw"},
    "sysctls": {"type": "dict"},
}

# What cannot stand together, as AnsibleModule and an option with suboptions take it. The engine finds the rest, and names the item.
SYSCTL_LIMITS: dict[str, t.Any] = {"mutually_exclusive": [("name", "sysctls")], "required_by": {"value": "name"}}
