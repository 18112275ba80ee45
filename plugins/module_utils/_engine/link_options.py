# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of devices and of veth pairs -> records."""

from __future__ import annotations

import dataclasses
import typing as t

from . import values
from .errors import InputError
from .record import Resource, pairs
from .resources import Link, Veth
from .resources_addresses import TakeOver

Item = t.Mapping[str, t.Any]


def _end(item: Item, prefix: str, kind: str, force: bool) -> Link:
    """What a veth end and any other link have in common."""
    name = values.interface_name(item.get("name") or "", f"{prefix}name")
    master = item.get("master")
    if master == name:
        raise InputError(f"{prefix}master: {name!r} cannot be its own master: name the bridge that it is to join")
    for option, low, high in (("mtu", 68, 2**31 - 1), ("txqueuelen", 0, 2**31 - 1), ("num_tx_queues", 1, 4096), ("num_rx_queues", 1, 4096)):
        if item.get(option) is not None:
            values.number(item[option], f"{prefix}{option}", low, high)
    alias = item.get("alias")
    if alias is not None and len(alias.encode()) > 255:
        raise InputError(f"{prefix}alias: {len(alias.encode())} bytes are too many for link {name}: the kernel keeps 255 at most")
    if alias and "\0" in alias:
        raise InputError(f"{prefix}alias: {alias!r} of link {name} has a zero byte, at which the kernel would end it: remove it")
    return Link(
        netns=values.netns_reference(item.get("netns"), f"{prefix}netns"),
        ifname=name,
        link_kind=kind or None,
        mtu=item.get("mtu"),
        mac_address=values.mac_address(item["mac_address"], f"{prefix}mac_address") if item.get("mac_address") else None,
        master=values.interface_name(master, f"{prefix}master") if master else master,
        up=item.get("up"),
        alias=alias,
        txqueuelen=item.get("txqueuelen"),
        num_tx_queues=item.get("num_tx_queues"),
        num_rx_queues=item.get("num_rx_queues"),
        force=force,
        # the host's end of a port needs no address of its own, and without one it does not flood the bridge
        addr_gen_mode="none" if kind == "veth" and master else None,
    )


def veths(item: Item, present: bool) -> list[Resource]:
    force = bool(item.get("force"))
    end, other = _end(item, "", "veth", force), item.get("peer")
    if other is None:
        if present:
            raise InputError(f"peer: veth {end.ifname} needs its other end: give peer.name and peer.netns or peer.master")
        return [Veth(end=end, force=force)]
    peer = _end(other, "peer.", "veth", force)
    if (peer.netns, peer.ifname) == (end.netns, end.ifname):
        raise InputError(
            f"peer: {peer.ifname!r} {values.place(peer.netns)} is the end itself: give the other end another name or namespace"
        )
    return [Veth(end=end, peer=peer, force=force)]


def links(item: Item, present: bool) -> list[Resource]:
    from . import kinds

    kind = item.get("kind") or ""
    link = _end(item, "", kind, bool(item.get("force")))
    foreign = [name for name in kinds.KINDS if item.get(name) and name != kind]
    if foreign:
        raise InputError(
            f"{foreign[0]}: link {link.ifname} is {f'of kind {kind}' if kind else 'an existing device'}: "
            f"remove {foreign[0]} or set kind: {foreign[0]}"
        )
    info = kinds.validate(kind, item.get(kind) or {}, f"link {link.ifname}") if kind and present else {}
    port = _port(item, link) if item.get("port") else {}
    parent, parent_netns = item.get("parent"), item.get("parent_netns")
    if parent and present and kind and kinds.KINDS[kind].needs_parent is False:
        raise InputError(f"parent: link {link.ifname} of kind {kind} stands on no other device: remove parent")
    if link.mac_address and present and kind and not kinds.KINDS[kind].has_mac:
        raise InputError(f"mac_address: link {link.ifname} of kind {kind} has no MAC address of its own: remove it")
    if port and link.master == "":
        raise InputError(f"port: link {link.ifname} is to be in no bridge, since master is empty: remove one of them")
    if not parent and present and kind and kinds.KINDS[kind].needs_parent:
        raise InputError(f"parent: link {link.ifname} of kind {kind} needs the device that it stands on: name it")
    if parent == link.ifname and (parent_netns is None or values.netns_reference(parent_netns) == link.netns):
        raise InputError(f"parent: {parent!r} cannot be its own parent: name the device that it stands on")
    return [
        dataclasses.replace(
            link,
            info=pairs(info),
            port=pairs(port),
            parent=values.interface_name(parent, "parent") if parent else None,
            parent_netns=values.netns_reference(parent_netns, "parent_netns") if parent and parent_netns is not None else None,
            from_netns=values.netns_reference(item.get("from_netns"), "from_netns"),
            mac_of=item.get("take_over"),
            # the driver of ifb takes a MAC address at birth only
            fixed=(*link.fixed, "mac_address") if kind == "ifb" else link.fixed,
        ),
        *_take_over(item, link),
    ]


def _take_over(item: Item, link: Link) -> list[Resource]:
    if not item.get("take_over"):
        return []
    port = values.interface_name(item["take_over"], "take_over")
    if link.link_kind != "bridge":
        raise InputError(f"take_over: link {link.ifname} is not a bridge, and only a bridge has ports: set kind: bridge")
    if port == link.ifname:
        raise InputError(f"take_over: {port!r} cannot be its own port: name the device that the bridge is to take over")
    return [TakeOver(netns=link.netns, bridge=link.ifname, port=port)]


def _port(item: Item, link: Link) -> dict[str, t.Any]:
    from . import bridge

    return bridge.validate_port(item["port"], f"link {link.ifname}")
