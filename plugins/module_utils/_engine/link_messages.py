# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Devices as rtnetlink tells them: questions, and answers as records. What changes them is in ``link_requests``."""

from __future__ import annotations

import struct
import typing as t

from .resources import Link
from .rtnetlink import (
    RTM_SETLINK,
    Message,
    attribute_list,
    attributes,
    text,
    to_text,
    to_u32,
    u32,
)

IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_MASTER, IFLA_TXQLEN = 1, 3, 4, 5, 10, 13
IFLA_LINKINFO, IFLA_IFALIAS, IFLA_AF_SPEC, IFLA_NET_NS_FD, IFLA_EXT_MASK = 18, 20, 26, 28, 29
IFLA_NUM_TX_QUEUES, IFLA_NUM_RX_QUEUES, IFLA_LINK_NETNSID, IFLA_PROP_LIST, IFLA_ALT_IFNAME = 31, 32, 37, 52, 53
INFO_KIND, INFO_DATA, INFO_SLAVE_KIND, INFO_SLAVE_DATA = 1, 2, 4, 5
_VXLAN_LINK = 3
_TUN_TYPE = 3
_AF_BRIDGE = 7
AF_INET6, INET6_ADDR_GEN_MODE = 10, 8
ADDR_GEN_MODES = {0: "eui64", 1: "none", 2: "stable_secret", 3: "random"}
_RTEXT_FILTER_BRVLAN, _RTEXT_FILTER_SKIP_STATS = 2, 8
IFF_UP, _IFF_LOWER_UP = 1, 0x10000

# An alternative name marks a device as made here; it follows the device into other namespaces.
MARK = "linuxnet.netns."

_HEADER = struct.Struct("=BxHiII")
HEADER_SIZE = _HEADER.size


def body(*parts: bytes, index: int = 0, up: bool | None = None) -> bytes:
    change = 0 if up is None else IFF_UP
    return _HEADER.pack(0, 0, index, IFF_UP if up else 0, change) + b"".join(parts)


def query(name: str = "", index: int = 0) -> bytes:
    """The body of RTM_GETLINK for one device, or for a dump of all."""
    skip_statistics = u32(IFLA_EXT_MASK, _RTEXT_FILTER_SKIP_STATS)
    return body(text(IFLA_IFNAME, name) if name else b"", skip_statistics, index=index)


def switch(name: str, up: bool) -> Message:
    """A device goes up or down."""
    return Message(RTM_SETLINK, 0, body(text(IFLA_IFNAME, name), up=up))


def port_query() -> bytes:
    """The body of RTM_GETLINK for a dump of all bridge ports with their VLANs."""
    return _HEADER.pack(_AF_BRIDGE, 0, 0, 0, 0) + u32(IFLA_EXT_MASK, _RTEXT_FILTER_BRVLAN)


def decode_info(link: Link) -> dict[str, t.Any]:
    """The attributes of a device's kind, by option name."""
    if link.link_kind == "bridge":
        from . import bridge

        return bridge.decode_bridge(link.raw_info)
    if not link.raw_info or not link.link_kind:
        return {}
    from . import kinds

    return kinds.decode(link.link_kind, link.raw_info)


def below(link: Link) -> int:
    """The index of the device of its namespace with which it would go; 0 where there is none."""
    if link.link_kind == "vxlan":
        return to_u32(attributes(link.raw_info).get(_VXLAN_LINK, b"\0\0\0\0"))
    # a veth end names its peer, and a tunnel outlives its device
    return 0 if link.link_kind in ("veth", "gre", "gretap", "ipip", "sit") or link.parent_nsid is not None else link.parent_index


def kind_of(info: t.Mapping[int, bytes]) -> str:
    kind = to_text(info.get(INFO_KIND, b""))
    # the kernel calls both tun, and tells them apart by an attribute: 2 is tap
    is_tap = kind == "tun" and attributes(info.get(INFO_DATA, b"")).get(_TUN_TYPE, b"")[:1] == b"\2"
    return "tap" if is_tap else kind


def decode(data: bytes, netns: str, name_of: t.Callable[[int], str]) -> Link:
    """A record of what RTM_NEWLINK tells; ``name_of`` gives the name of another device of the same namespace by its index."""
    _family, _type, index, flags, _change_mask = _HEADER.unpack_from(data)
    found = attributes(data, HEADER_SIZE)
    info = attributes(found.get(IFLA_LINKINFO, b""))
    nsid = struct.unpack("=i", found[IFLA_LINK_NETNSID])[0] if IFLA_LINK_NETNSID in found else None
    below = to_u32(found[IFLA_LINK]) if IFLA_LINK in found else 0
    master = to_u32(found[IFLA_MASTER]) if IFLA_MASTER in found else 0
    mac = found.get(IFLA_ADDRESS, b"")
    altnames = tuple(to_text(data) for number, data in attribute_list(found.get(IFLA_PROP_LIST, b"")) if number == IFLA_ALT_IFNAME)
    inet6 = attributes(attributes(found.get(IFLA_AF_SPEC, b"")).get(AF_INET6, b""))
    return Link(
        netns=netns,
        ifname=to_text(found[IFLA_IFNAME]),
        link_kind=kind_of(info),
        # of a veth end it is the peer, which does not stand below it
        parent=name_of(below) if below and nsid is None and below != index and kind_of(info) != "veth" else None,
        mtu=to_u32(found[IFLA_MTU]),
        mac_address=mac.hex(":") if len(mac) == 6 else None,
        master=name_of(master) if master else "",
        up=bool(flags & IFF_UP),
        alias=to_text(found.get(IFLA_IFALIAS, b"")),
        txqueuelen=to_u32(found.get(IFLA_TXQLEN, b"\0\0\0\0")),
        num_tx_queues=to_u32(found.get(IFLA_NUM_TX_QUEUES, b"\1\0\0\0")),
        num_rx_queues=to_u32(found.get(IFLA_NUM_RX_QUEUES, b"\1\0\0\0")),
        addr_gen_mode=ADDR_GEN_MODES.get(inet6.get(INET6_ADDR_GEN_MODE, b"\0")[0]),
        ours=any(name.startswith(MARK) for name in altnames),
        altnames=altnames,
        running=flags & (IFF_UP | _IFF_LOWER_UP) == IFF_UP | _IFF_LOWER_UP,
        index=index,
        parent_nsid=nsid,
        parent_index=below,
        raw_info=info.get(INFO_DATA, b""),
        raw_port=info.get(INFO_SLAVE_DATA, b"") if info.get(INFO_SLAVE_KIND, b"").rstrip(b"\0") == b"bridge" else b"",
    )
