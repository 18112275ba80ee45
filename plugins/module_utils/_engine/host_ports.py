# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Devices as ports of their bridges."""

from __future__ import annotations

import struct

from . import link_messages, rtnetlink
from .host import Host
from .record import Pairs, pairs
from .resources import Link


def port_vlans(host: Host, netns: str, index: int) -> dict[int, int]:
    """VLANs (number -> flags) of one bridge port; only the dump of all ports tells them."""
    from . import bridge

    for data in host.socket(netns).dump(rtnetlink.RTM_GETLINK, link_messages.port_query()):
        if struct.unpack_from("=i", data, 4)[0] == index:
            found = rtnetlink.attributes(data, link_messages.HEADER_SIZE)
            return bridge.decode_port_vlans(found.get(link_messages.IFLA_AF_SPEC, b""))
    return {}


def port_of(host: Host, link: Link) -> Pairs:
    """All settings of a device as a port of its bridge."""
    if not link.raw_port:
        return ()
    from . import bridge  # compiled only by runs that meet a port

    vlans = port_vlans(host, link.netns, link.index)
    return pairs({**bridge.decode_port(link.raw_port), **(bridge.port_vlans(vlans) if vlans else {})})
