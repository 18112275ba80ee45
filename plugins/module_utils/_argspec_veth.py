# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Options of a veth pair: the module's own, and those of an item of its list in ``netns_topology``; and what every interface has."""

from __future__ import annotations

import typing as t

from ansible_collections.linuxnet.netns.plugins.module_utils._argspec import Spec

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
