# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Links as rtnetlink messages, and back to records.

Indexes of other devices are not known before these are there: encoders get them from ``Names`` when they are called.
A request's stage says what it must wait for: stage 1 of a phase goes out when all of stage 0 is answered.
"""

from __future__ import annotations

import dataclasses
import struct
import typing as t

from .resources import Link, Veth
from .rtnetlink import (
    NLM_F_CREATE,
    NLM_F_EXCL,
    RTM_DELLINK,
    RTM_NEWLINK,
    RTM_NEWLINKPROP,
    RTM_SETLINK,
    Message,
    attribute,
    attribute_list,
    attributes,
    nest,
    text,
    to_text,
    to_u32,
    u8,
    u32,
)

IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_MASTER, IFLA_TXQLEN = 1, 3, 4, 5, 10, 13
IFLA_LINKINFO, IFLA_IFALIAS, IFLA_AF_SPEC, IFLA_NET_NS_FD, IFLA_EXT_MASK = 18, 20, 26, 28, 29
IFLA_NUM_TX_QUEUES, IFLA_NUM_RX_QUEUES, IFLA_LINK_NETNSID, IFLA_PROP_LIST, IFLA_ALT_IFNAME = 31, 32, 37, 52, 53
_INFO_KIND, _INFO_DATA, _INFO_SLAVE_KIND, _INFO_SLAVE_DATA = 1, 2, 4, 5
_VETH_INFO_PEER = 1
_VXLAN_LINK = 3
_LEAST_MTU = 68
_TUN_TYPE = 3
_AF_BRIDGE = 7
_AF_INET6, _INET6_ADDR_GEN_MODE = 10, 8
_ADDR_GEN_MODE = {"eui64": 0, "none": 1, "stable_secret": 2, "random": 3}
_ADDR_GEN_MODES = {number: name for name, number in _ADDR_GEN_MODE.items()}
_RTEXT_FILTER_BRVLAN, _RTEXT_FILTER_SKIP_STATS = 2, 8
IFF_UP, _IFF_LOWER_UP = 1, 0x10000

# What the kernel tells of a kind and refuses at birth: counters; of vxlan ttl_inherit, a byte when told and a flag when asked,
# and the reserved bits, which it works out by itself.
_TOLD_ONLY = {"macvlan": (6, 8), "macvtap": (6, 8), "vxlan": (28, 33)}

_PORT_VLANS = frozenset({"port.pvid", "port.vlans"})

# An alternative name marks a device as made here; it follows the device into other namespaces.
MARK = "linuxnet.netns."

_HEADER = struct.Struct("=BxHiII")
HEADER_SIZE = _HEADER.size


class Names(t.Protocol):
    """What an encoder asks for when it is called."""

    def index(self, netns: str, name: str) -> int:
        """The index of a device that must be there."""

    def fd(self, netns: str) -> int:
        """An open file of the namespace."""


class Request(t.NamedTuple):
    """One message, or what makes it when it is sent, for the socket of one namespace. ``optional``: a no does no harm."""

    stage: int
    netns: str
    message: Message | t.Callable[[], Message]
    optional: bool = False


def _body(*parts: bytes, index: int = 0, up: bool | None = None) -> bytes:
    change = 0 if up is None else IFF_UP
    return _HEADER.pack(0, 0, index, IFF_UP if up else 0, change) + b"".join(parts)


def query(name: str = "", index: int = 0) -> bytes:
    """The body of RTM_GETLINK for one device, or for a dump of all."""
    skip_statistics = u32(IFLA_EXT_MASK, _RTEXT_FILTER_SKIP_STATS)
    return _body(text(IFLA_IFNAME, name) if name else b"", skip_statistics, index=index)


def port_query() -> bytes:
    """The body of RTM_GETLINK for a dump of all bridge ports with their VLANs."""
    return _HEADER.pack(_AF_BRIDGE, 0, 0, 0, 0) + u32(IFLA_EXT_MASK, _RTEXT_FILTER_BRVLAN)


def _birth(link: Link, names: Names) -> list[bytes]:
    """What a device has from its first moment on, so that nobody ever sees it without (udev and its MAC policy above all)."""
    parts = [text(IFLA_IFNAME, link.ifname)]
    if link.mac_address:
        parts.append(attribute(IFLA_ADDRESS, bytes.fromhex(link.mac_address.replace(":", ""))))
    for number, value in (
        (IFLA_MTU, _other_mtu(link) if _keeps_mtu(link) else link.mtu),
        (IFLA_TXQLEN, link.txqueuelen),
        (IFLA_NUM_TX_QUEUES, link.num_tx_queues),
        (IFLA_NUM_RX_QUEUES, link.num_rx_queues),
    ):
        if value is not None:
            parts.append(u32(number, value))
    return parts


def _keeps_mtu(link: Link) -> bool:
    """A bridge follows the MTU of its ports until its own is changed; it is not by what it is born with, nor by what it has."""
    return link.link_kind == "bridge" and link.mtu is not None and not link.index


def _other_mtu(link: Link) -> int:
    return link.mtu - 1 if link.mtu and link.mtu > _LEAST_MTU else _LEAST_MTU + 1


def _info(link: Link, parent: int) -> bytes:
    """IFLA_LINKINFO: the kind and its attributes; as they were read where the device is put back."""
    kind = link.link_kind or ""
    data = _as_it_was(link) if link.raw_info else encode_info(kind, dict(link.info), parent)
    return nest(IFLA_LINKINFO, text(_INFO_KIND, kind), nest(_INFO_DATA, data) if data else b"")


def _as_it_was(link: Link) -> bytes:
    """What was read, for birth: the kernel tells more than it takes."""
    if link.link_kind != "bridge":
        told_only = _TOLD_ONLY.get(link.link_kind or "", ())
        return b"".join(attribute(number, data) for number, data in attribute_list(link.raw_info) if number not in told_only)
    from . import bridge

    return bridge.encode_bridge(bridge.for_birth(bridge.decode_bridge(link.raw_info)))


def encode_info(kind: str, options: t.Mapping[str, t.Any], parent: int = 0) -> bytes:
    """The contents of IFLA_INFO_DATA; some kinds have the parent's index there."""
    if kind == "bridge":
        from . import bridge  # compiled only by runs that have a bridge

        return bridge.encode_bridge(options) if options else b""
    if not options and not parent:
        return b""
    from . import kinds

    return kinds.encode(kind, options, parent)


def decode_info(link: Link) -> dict[str, t.Any]:
    """The attributes of a device's kind, by option name."""
    if link.link_kind == "bridge":
        from . import bridge

        return bridge.decode_bridge(link.raw_info)
    if not link.raw_info or not link.link_kind:
        return {}
    from . import kinds

    return kinds.decode(link.link_kind, link.raw_info)


def create(link: Link, names: Names) -> list[Request]:
    """A new device; sent where its parent is, since that is where the kernel looks for the parent."""
    sender = link.parent_netns if link.parent and link.parent_netns is not None else link.netns
    parts = _birth(link, names)
    parent = names.index(sender, link.parent) if link.parent else 0
    if parent:
        parts.append(u32(IFLA_LINK, parent))
    if sender != link.netns:
        parts.append(u32(IFLA_NET_NS_FD, names.fd(link.netns)))
    # a device that is put back has its old index, which others know it by; asked for elsewhere it would be looked up there
    index = link.index if sender == link.netns else 0
    born = Message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, _body(*parts, _info(link, parent), index=index))
    return [Request(0, sender, born), *settle(link, names)]


def create_veth(pair: Veth, names: Names) -> list[Request]:
    """Both ends at once, each born where it belongs; sent from the host if an end is there: fewer sockets, longer batches."""
    first, second = sorted((_one_queue(end) for end in pair.ends), key=lambda end: bool(end.netns))
    peer = _birth(second, names)
    if second.netns != first.netns:
        peer.append(u32(IFLA_NET_NS_FD, names.fd(second.netns)))
    data = nest(_INFO_DATA, attribute(_VETH_INFO_PEER | 0x8000, _body(*peer, index=second.index)))
    info = nest(IFLA_LINKINFO, text(_INFO_KIND, "veth"), data)
    born = Message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, _body(*_birth(first, names), info, index=first.index))
    return [Request(0, first.netns, born), *settle(first, names), *settle(second, names)]


def _one_queue(end: Link) -> Link:
    """One queue a veth end unless more were asked for: by default the kernel makes one a CPU, 4.5 times the cost on 64 of them."""
    return dataclasses.replace(end, num_tx_queues=end.num_tx_queues or 1, num_rx_queues=end.num_rx_queues or 1)


def settle(link: Link, names: Names, bare: bool = False) -> list[Request]:
    """What comes after birth: the mark, what RTM_NEWLINK ignores at birth, and up as the very last. ``bare``: birth gave only a name."""
    where = link.netns
    me = text(IFLA_IFNAME, link.ifname)
    requests = []
    # a device that is put back has the names that it had: one that was not ours does not become ours
    others = [name for name in link.altnames if link.index or not name.startswith(MARK)]
    marks = [text(IFLA_ALT_IFNAME, name) for name in (others if link.index else (MARK + link.ifname, *others))]
    if marks:
        body = _body(me, nest(IFLA_PROP_LIST, *marks))
        requests.append(Request(1, where, Message(RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL, body), optional=True))
    if link.addr_gen_mode:
        # with the flags in one message the kernel goes up first, and the link-local address is there
        requests.append(_gen_mode(1, link, link.addr_gen_mode))
    later: dict[str, t.Any] = {"alias": link.alias or None, "master": link.master or None}
    if _keeps_mtu(link):
        later["mtu"] = link.mtu
    if bare:
        later.update({"mtu": link.mtu, "mac_address": link.mac_address, "txqueuelen": link.txqueuelen})
    later.update({f"port.{name}": value for name, value in (link.port or _port_as_it_was(link).items())})
    wanted = {name: value for name, value in later.items() if value is not None}
    # port settings exist only once the device is a port: one request for the master before them
    member = {name: wanted.pop(name) for name in list(wanted) if name.startswith("port.")}
    for part in (wanted, {name: value for name, value in member.items() if name not in _PORT_VLANS}):
        if part:
            requests.append(Request(1, where, _change(link, part, names)))
    requests += _port_vlans(2, {"vlans": (), "pvid": 1}, member, link, names)
    if link.up:
        requests.append(Request(1, where, Message(RTM_SETLINK, 0, _body(me, up=True))))
    return requests


def update(before: Link, after: Link, wanted: t.Mapping[str, t.Any], names: Names) -> list[Request]:
    """Correct an existing device in place; ``wanted`` are the attributes that differ."""
    link = after if after.link_kind else before
    rest = {name: value for name, value in wanted.items() if name not in ("up", "master") and not name.startswith("port.")}
    if any(name.startswith("info.") for name in rest) and starts_from_nothing(link.link_kind or ""):
        rest = {**{f"info.{name}": value for name, value in (*before.info, *after.info)}, **rest}
    for name, value in rest.items():
        old = dict(before.info).get(name[5:])
        if value is None and isinstance(old, str) and name.startswith("info."):
            rest[name] = "::" if ":" in old else "0.0.0.0"  # of what can be changed in place addresses alone can be none
    requests = []
    if wanted.get("up") is False:
        requests.append(Request(0, after.netns, Message(RTM_SETLINK, 0, _body(text(IFLA_IFNAME, after.ifname), up=False))))
    if rest:
        requests.append(Request(0, after.netns, _change(link, rest, names)))
    if "master" in wanted and (before.ours or after.ours):
        # as it would have been born: a port has no link-local address of its own, and what is no port any more has one
        mode = after.addr_gen_mode or ("eui64" if not wanted["master"] and before.addr_gen_mode == "none" else None)
        requests += [_gen_mode(0, after, mode)] if mode not in (None, before.addr_gen_mode) else []
    # what leaves its bridge has no settings there any more; the kernel checks them all together (mab needs learning)
    leaves = wanted.get("master") == ""
    member = {} if leaves else {name: value for name, value in wanted.items() if name.startswith("port.") and name not in _PORT_VLANS}
    vlans = {name: value for name, value in wanted.items() if name in _PORT_VLANS}
    # port settings exist only once the device is a port
    for part in ({"master": wanted["master"]} if "master" in wanted else {}, member):
        if part:
            requests.append(Request(0, after.netns, _change(link, part, names)))
    again = {f"port.{name}": value for name, value in _port_as_it_was(after).items()} if wanted.get("master") else {}
    if again:
        requests.append(Request(0, after.netns, _change(link, again, names)))
    requests += _port_vlans(1, dict(before.port), vlans, after, names)
    if wanted.get("up"):
        requests.append(Request(0, after.netns, Message(RTM_SETLINK, 0, _body(text(IFLA_IFNAME, after.ifname), up=True))))
    return requests


def _gen_mode(stage: int, link: Link, mode: str) -> Request:
    """How the kernel makes the device's link-local address; on a kernel without IPv6 there is nothing to set."""
    value = nest(IFLA_AF_SPEC, nest(_AF_INET6, u8(_INET6_ADDR_GEN_MODE, _ADDR_GEN_MODE[mode])))
    return Request(stage, link.netns, Message(RTM_SETLINK, 0, _body(text(IFLA_IFNAME, link.ifname), value)), optional=True)


def _port_as_it_was(link: Link) -> dict[str, t.Any]:
    """The settings that a device that is put back had in its bridge."""
    if not link.raw_port:
        return {}
    from . import bridge

    return bridge.decode_port(link.raw_port)


def _port_vlans(stage: int, before: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any], link: Link, names: Names) -> list[Request]:
    """The VLANs of a bridge port: what is missing is added, what is too much taken away."""
    if _PORT_VLANS.isdisjoint(wanted):
        return []
    from . import bridge

    found = bridge.found_port_vlans(before)
    target = bridge.wanted_port_vlans({name[5:]: value for name, value in wanted.items()}, found)
    added = {vlan: flags for vlan, flags in target.items() if found.get(vlan) != flags}
    removed = {vlan: flags for vlan, flags in found.items() if vlan not in target}

    def message(kind: int, vlans: dict[int, int]) -> t.Callable[[], Message]:
        # a new device has its index only when this is sent
        return lambda: Message(kind, 0, bridge.encode_port_vlans(names.index(link.netns, link.ifname), vlans))

    return [
        Request(stage, link.netns, message(kind, vlans), optional=kind == RTM_DELLINK)
        for kind, vlans in ((RTM_SETLINK, added), (RTM_DELLINK, removed))
        if vlans
    ]


def starts_from_nothing(kind: str) -> bool:
    """Whether the kind's driver resets what a change does not name."""
    if kind == "bridge":
        return False
    from . import kinds

    return kinds.KINDS[kind].whole


def _change(link: Link, wanted: t.Mapping[str, t.Any], names: Names) -> Message:
    """RTM_NEWLINK without a flag changes an existing device; unlike RTM_SETLINK it reaches the kind's and the port's attributes."""
    parts = [text(IFLA_IFNAME, link.ifname)]
    if "mac_address" in wanted:
        parts.append(attribute(IFLA_ADDRESS, bytes.fromhex(wanted["mac_address"].replace(":", ""))))
    if "mtu" in wanted:
        parts.append(u32(IFLA_MTU, wanted["mtu"]))
    if "txqueuelen" in wanted:
        parts.append(u32(IFLA_TXQLEN, wanted["txqueuelen"]))
    if "alias" in wanted:
        # an empty text takes the alias away; the kernel wants no closing zero here
        parts.append(attribute(IFLA_IFALIAS, wanted["alias"].encode()))
    if "master" in wanted:
        parts.append(u32(IFLA_MASTER, names.index(link.netns, wanted["master"]) if wanted["master"] else 0))
    info = {name[5:]: value for name, value in wanted.items() if name.startswith("info.")}
    port = {name[5:]: value for name, value in wanted.items() if name.startswith("port.")}
    if info:
        parts.append(nest(IFLA_LINKINFO, text(_INFO_KIND, link.link_kind or ""), nest(_INFO_DATA, encode_info(link.link_kind or "", info))))
    if port:
        from . import bridge

        parts.append(nest(IFLA_LINKINFO, text(_INFO_SLAVE_KIND, "bridge"), nest(_INFO_SLAVE_DATA, bridge.encode_port(port))))
    return Message(RTM_NEWLINK, 0, _body(*parts))


def move(name: str, source: str, target: str, names: Names, index: int = 0) -> Request:
    """An existing device into another namespace; with its index, ``name`` is the one that it is to have there."""
    return Request(0, source, Message(RTM_SETLINK, 0, _body(text(IFLA_IFNAME, name), u32(IFLA_NET_NS_FD, names.fd(target)), index=index)))


def delete(netns: str, name: str) -> Request:
    """A device away; a veth takes its peer with it."""
    return Request(0, netns, Message(RTM_DELLINK, 0, _body(text(IFLA_IFNAME, name))))


def below(link: Link) -> int:
    """The index of the device of its namespace with which it would go; 0 where there is none."""
    if link.link_kind == "vxlan":
        return to_u32(attributes(link.raw_info).get(_VXLAN_LINK, b"\0\0\0\0"))
    # a veth end names its peer, and a tunnel outlives its device
    return 0 if link.link_kind in ("veth", "gre", "gretap", "ipip", "sit") or link.parent_nsid is not None else link.parent_index


def kind_of(info: t.Mapping[int, bytes]) -> str:
    kind = to_text(info.get(_INFO_KIND, b""))
    # the kernel calls both tun, and tells them apart by an attribute: 2 is tap
    is_tap = kind == "tun" and attributes(info.get(_INFO_DATA, b"")).get(_TUN_TYPE, b"")[:1] == b"\2"
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
    inet6 = attributes(attributes(found.get(IFLA_AF_SPEC, b"")).get(_AF_INET6, b""))
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
        addr_gen_mode=_ADDR_GEN_MODES.get(inet6.get(_INET6_ADDR_GEN_MODE, b"\0")[0]),
        ours=any(name.startswith(MARK) for name in altnames),
        altnames=altnames,
        running=flags & (IFF_UP | _IFF_LOWER_UP) == IFF_UP | _IFF_LOWER_UP,
        index=index,
        parent_nsid=nsid,
        parent_index=below,
        raw_info=info.get(_INFO_DATA, b""),
        raw_port=info.get(_INFO_SLAVE_DATA, b"") if info.get(_INFO_SLAVE_KIND, b"").rstrip(b"\0") == b"bridge" else b"",
    )
