# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Devices as rtnetlink requests: what makes, changes, moves and removes them.

Indexes of other devices are not known before these are there: encoders get them from ``Names`` when they are called.
"""

from __future__ import annotations

import typing as t

from .link_messages import (
    ADDR_GEN_MODES,
    AF_INET6,
    IFLA_ADDRESS,
    IFLA_AF_SPEC,
    IFLA_ALT_IFNAME,
    IFLA_IFALIAS,
    IFLA_IFNAME,
    IFLA_LINK,
    IFLA_LINKINFO,
    IFLA_MASTER,
    IFLA_MTU,
    IFLA_NET_NS_FD,
    IFLA_NUM_RX_QUEUES,
    IFLA_NUM_TX_QUEUES,
    IFLA_PROP_LIST,
    IFLA_TXQLEN,
    INET6_ADDR_GEN_MODE,
    INFO_DATA,
    INFO_KIND,
    INFO_SLAVE_DATA,
    INFO_SLAVE_KIND,
    MARK,
    body,
    switch,
)
from .resources import Link, Veth
from .rtnetlink import (
    NLM_F_CREATE,
    NLM_F_EXCL,
    RTM_DELLINK,
    RTM_NEWLINK,
    RTM_NEWLINKPROP,
    RTM_SETLINK,
    Message,
    Request,
    attribute,
    attribute_list,
    nest,
    text,
    u8,
    u32,
)

_VETH_INFO_PEER = 1
_VETH_QUEUES = 1  # by default the kernel makes one a CPU, 4.5 times the cost on 64 of them
_LEAST_MTU = 68
_ADDR_GEN_MODE = {name: number for number, name in ADDR_GEN_MODES.items()}
# What the kernel tells of a kind and refuses at birth: counters; of vxlan ttl_inherit, a byte when told and a flag when asked,
# and the reserved bits, which it works out by itself.
_TOLD_ONLY = {"macvlan": (6, 8), "macvtap": (6, 8), "vxlan": (28, 33)}
_PORT_VLANS = frozenset({"port.pvid", "port.vlans"})


class Names(t.Protocol):
    """What an encoder asks for when it is called."""

    def index(self, netns: str, name: str) -> int:
        """The index of a device that must be there."""

    def fd(self, netns: str) -> int:
        """An open file of the namespace."""


def _birth(link: Link, queues: int | None = None) -> list[bytes]:
    """What a device has from its first moment on, so that nobody ever sees it without (udev and its MAC policy above all).

    ``queues``: how many it has each way unless it was asked for others.
    """
    parts = [text(IFLA_IFNAME, link.ifname)]
    if link.mac_address:
        parts.append(attribute(IFLA_ADDRESS, bytes.fromhex(link.mac_address.replace(":", ""))))
    for number, value in (
        (IFLA_MTU, _other_mtu(link) if _keeps_mtu(link) else link.mtu),
        (IFLA_TXQLEN, link.txqueuelen),
        (IFLA_NUM_TX_QUEUES, link.num_tx_queues or queues),
        (IFLA_NUM_RX_QUEUES, link.num_rx_queues or queues),
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
    return nest(IFLA_LINKINFO, text(INFO_KIND, kind), nest(INFO_DATA, data) if data else b"")


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


def create(link: Link, names: Names) -> list[Request]:
    """A new device; sent where its parent is, since that is where the kernel looks for the parent."""
    sender = link.parent_netns if link.parent and link.parent_netns is not None else link.netns
    parts = _birth(link)
    parent = names.index(sender, link.parent) if link.parent else 0
    if parent:
        parts.append(u32(IFLA_LINK, parent))
    if sender != link.netns:
        parts.append(u32(IFLA_NET_NS_FD, names.fd(link.netns)))
    # a device that is put back has its old index, which others know it by; asked for elsewhere it would be looked up there
    index = link.index if sender == link.netns else 0
    born = Message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body(*parts, _info(link, parent), index=index))
    return [Request(0, sender, born), *settle(link, names)]


def create_veth(pair: Veth, names: Names) -> list[Request]:
    """Both ends at once, each born where it belongs; sent from the host if an end is there: fewer sockets, longer batches."""
    first, second = sorted(pair.ends, key=lambda end: bool(end.netns))
    peer = _birth(second, _VETH_QUEUES)
    if second.netns != first.netns:
        peer.append(u32(IFLA_NET_NS_FD, names.fd(second.netns)))
    data = nest(INFO_DATA, attribute(_VETH_INFO_PEER | 0x8000, body(*peer, index=second.index)))
    parts = [*_birth(first, _VETH_QUEUES), nest(IFLA_LINKINFO, text(INFO_KIND, "veth"), data)]
    if first.master:
        # a tenth of what a pair costs is saved by not joining the bridge later; the peer's is not looked at here
        parts.append(u32(IFLA_MASTER, names.index(first.netns, first.master)))
    born = Message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body(*parts, index=first.index))
    return [Request(0, first.netns, born), *settle(first, names, joined=True), *settle(second, names)]


def settle(link: Link, names: Names, bare: bool = False, joined: bool = False) -> list[Request]:
    """What comes after birth: the mark, what RTM_NEWLINK ignores at birth, and up as the very last.

    ``bare``: birth gave only a name. ``joined``: it was born in its master.
    """
    where = link.netns
    me = text(IFLA_IFNAME, link.ifname)
    requests = []
    # a device that is put back has the names that it had: one that was not ours does not become ours
    others = [name for name in link.altnames if link.index or not name.startswith(MARK)]
    marks = [text(IFLA_ALT_IFNAME, name) for name in (others if link.index else (MARK + link.ifname, *others))]
    if marks:
        named = Message(RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL, body(me, nest(IFLA_PROP_LIST, *marks)))
        requests.append(Request(1, where, named, optional=True))
    if link.addr_gen_mode:
        # with the flags in one message the kernel goes up first, and the link-local address is there
        requests.append(_gen_mode(1, link, link.addr_gen_mode))
    later: dict[str, t.Any] = {"alias": link.alias or None, "master": None if joined else link.master or None}
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
        requests.append(Request(1, where, switch(link.ifname, up=True)))
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
        requests.append(Request(0, after.netns, switch(after.ifname, up=False)))
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
        requests.append(Request(0, after.netns, switch(after.ifname, up=True)))
    return requests


def _gen_mode(stage: int, link: Link, mode: str) -> Request:
    """How the kernel makes the device's link-local address; on a kernel without IPv6 there is nothing to set."""
    value = nest(IFLA_AF_SPEC, nest(AF_INET6, u8(INET6_ADDR_GEN_MODE, _ADDR_GEN_MODE[mode])))
    return Request(stage, link.netns, Message(RTM_SETLINK, 0, body(text(IFLA_IFNAME, link.ifname), value)), optional=True)


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
        parts.append(nest(IFLA_LINKINFO, text(INFO_KIND, link.link_kind or ""), nest(INFO_DATA, encode_info(link.link_kind or "", info))))
    if port:
        from . import bridge

        parts.append(nest(IFLA_LINKINFO, text(INFO_SLAVE_KIND, "bridge"), nest(INFO_SLAVE_DATA, bridge.encode_port(port))))
    return Message(RTM_NEWLINK, 0, body(*parts))


def move(name: str, source: str, target: str, names: Names, index: int = 0) -> Request:
    """An existing device into another namespace; with its index, ``name`` is the one that it is to have there."""
    return Request(0, source, Message(RTM_SETLINK, 0, body(text(IFLA_IFNAME, name), u32(IFLA_NET_NS_FD, names.fd(target)), index=index)))


def delete(netns: str, name: str) -> Request:
    """A device away; a veth takes its peer with it."""
    return Request(0, netns, Message(RTM_DELLINK, 0, body(text(IFLA_IFNAME, name))))
