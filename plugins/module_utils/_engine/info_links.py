# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Devices in the words of options: records back to items of ``links`` and ``veths``."""

from __future__ import annotations

import typing as t

from . import bridge, host_ports, kinds, namespaces, values
from .errors import MissingLibrary
from .host import Host
from .info_items import HERE, Item, Told, said
from .observe_hanging import own_of
from .resources import Link

_USUAL_TXQUEUELEN = 1000
# The kernel makes these by itself in each namespace once the module is loaded.
_FALLBACKS = ("tunl0", "sit0", "gre0", "gretap0", "erspan0", "ip6tnl0", "ip6gre0", "ip_vti0", "ip6_vti0")
# A new port's settings; the cost comes from the speed of the device.
_PORT_DEFAULTS: dict[str, tuple[t.Any, ...]] = {
    **{name: (option.type != "bool" and 0,) for name, option in bridge.PORT.items()},
    **dict.fromkeys(("learning", "flood", "mcast_flood", "bcast_flood"), (True,)),
    "priority": (32,),
    "cost": (2, 4, 19, 100),
    "mcast_router": (1,),
    "pvid": (1,),
    "vlans": ((),),
}


class Links:
    """The devices of several namespaces; a veth pair is told once, from the first end that is met."""

    def __init__(self, host: Host, places: t.Sequence[str]) -> None:
        self._host = host
        self._places = places
        self._named = [entry.name for entry in namespaces.entries() if not entry.stale and entry.name not in places]
        self._told: set[tuple[int, int]] = set()  # inode of the namespace, index

    def tell(self, told: Told) -> None:
        for place in self._places:
            for link in self._host.links(place):
                if link.ifname == "lo" or (self._inode(place), link.index) in self._told or _by_itself(link):
                    continue
                peer = self._peer(place, link)
                if peer is None:
                    self._link(told, link)
                    continue
                self._told.add((self._inode(peer.netns), peer.index))
                told.add("veths", {**_interface(link, True), "peer": _interface(peer, True)})

    def _inode(self, place: str) -> int:
        return namespaces.inode_of(self._host.fd(place))

    def _elsewhere(self, link: Link) -> str | None:
        """The namespace that the parent or peer of a device is in, if it is the host or has a name."""
        if link.parent_nsid is None:
            return link.netns
        for place in (values.HOST, *self._places, *self._named):
            if self._host.nsid(link.netns, place) == link.parent_nsid:
                return place
        return None

    def _peer(self, place: str, link: Link) -> Link | None:
        where = self._elsewhere(link) if link.link_kind == "veth" else None
        name = self._host.device_name(where, link.parent_index) if where is not None else ""
        return self._host.link(t.cast(str, where), name) if name else None

    def _link(self, told: Told, link: Link) -> None:
        kind = link.link_kind or ""
        # a veth end without a known peer, and what we do not make, is told as the device that it is
        if kind not in kinds.KINDS:
            told.add("links", {**_interface(link), **self._port(link)})
            return
        try:
            item = {**_interface(link), "kind": kind, **self._below(link), **self._info(link), **self._port(link)}
        except MissingLibrary as exc:
            told.leave_out(link, str(exc))
            return
        if not kinds.KINDS[kind].has_mac:
            item.pop("mac_address", None)
        if kinds.KINDS[kind].needs_parent and "parent" not in item:
            told.leave_out(link, "the device that it stands on is in a namespace that has no name")
            return
        told.add("links", item)

    def _below(self, link: Link) -> Item:
        kind = kinds.KINDS[link.link_kind or ""]
        if kind.needs_parent is False:
            return {}
        index = (kinds.decode_parent(kind.name, link.raw_info) if kind.parent_attr else 0) or link.parent_index
        where = self._elsewhere(link) if index else None
        name = self._host.device_name(where, index) if where is not None else ""
        if not name:
            return {}
        return {"parent": name, **({} if where == link.netns else {"parent_netns": where or HERE})}

    def _info(self, link: Link) -> Item:
        kind = link.link_kind or ""
        return said(**{kind: {name: list(value) if isinstance(value, tuple) else value for name, value in own_of(link).items()}})

    def _port(self, link: Link) -> Item:
        found = {name: value for name, value in host_ports.port_of(self._host, link) if value not in _PORT_DEFAULTS[name]}
        return said(port={name: list(value) if isinstance(value, tuple) else value for name, value in found.items()})


def _by_itself(link: Link) -> bool:
    return link.ifname in _FALLBACKS and bool(link.link_kind) and not link.up


def _interface(link: Link, told_as_pair: bool = False) -> Item:
    # only of a veth they are an option, and by it a new end has one
    names = ("num_tx_queues", "num_rx_queues") if link.link_kind == "veth" and told_as_pair else ()
    queues = {name: getattr(link, name) for name in names if getattr(link, name) != 1}
    usual = link.txqueuelen == _USUAL_TXQUEUELEN and link.link_kind not in ("tun", "tap")
    return {
        "name": link.ifname,
        **said(netns=link.netns, mtu=link.mtu, mac_address=link.mac_address, master=link.master, alias=link.alias),
        **({} if usual else {"txqueuelen": link.txqueuelen}),
        **queues,
        "up": bool(link.up),
    }
