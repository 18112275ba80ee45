# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of netns_preflight."""

from __future__ import annotations

import typing as t

# first, since it is about the imports that follow
from ansible_collections.linuxnet.netns.plugins.module_utils import _compile_once  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.preflight_wish import IDS

PREFLIGHT: dict[str, dict[str, t.Any]] = {
    "subnets": {"type": "list", "elements": "str"},
    "interface": {"type": "str"},
    "links": {"type": "list", "elements": "str"},
    "uplink": {"type": "str", "default": "auto"},
    "bridge_uplink": {"type": "bool", "default": False},
    "nat": {"type": "bool", "default": False},
    "foreign_drop": {"type": "str", "choices": ["accept", "fail", "ignore"], "default": "fail"},
    "kinds": {"type": "list", "elements": "str", "default": ["bridge", "veth"]},
    "ignore": {"type": "list", "elements": "str", "choices": list(IDS), "default": []},
    "fail_on": {"type": "str", "choices": ["error", "never", "warning"], "default": "error"},
    "name": {"type": "str"},
    "drop_ins": {"type": "str", "choices": ["none", "persistent", "runtime"], "default": "none"},
    "state": {"type": "str", "choices": ["absent", "present"], "default": "present"},
}
