# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What is lost with a device that has to be re-created, so that it can be wished for as well."""

from __future__ import annotations

import dataclasses
import typing as t

from . import host_ports, ip_messages, ip_numbers, link_messages, route_messages, rtnetlink
from .errors import StateError
from .host import Host
from .options import Wanted
from .plan_inherit import Around, inherited
from .record import Key, Resource, pairs
from .resources import Link, Veth
from .resources_addresses import Address
from .resources_routes import Route
from .state_losses import hangs_on

Device = tuple[str, str]


def keep_hanging(host: Host, wanted: Wanted, devices: set[Device], bare: set[Device]) -> Wanted:
    """Wish as well for what is lost with devices that are re-created, and that nobody asked for: what they are themselves,
    and what hangs on them, which somebody else may have set.

    ``bare``: devices that may be without an IPv4 address for a moment.
    """
    asked = {resource.key for resource in (*wanted.present, *wanted.absent)}
    asked |= {end.key for resource in (*wanted.present, *wanted.absent) if isinstance(resource, Veth) for end in resource.ends}
    kept: dict[Key, Resource] = {}
    for netns in {netns for netns, _name in devices | bare}:
        for found in _hanging(host, netns):
            routed = isinstance(found, Route) and "." in found.dest and hangs_on(found, bare)
            if (routed or hangs_on(found, devices)) and found.key not in asked:
                kept[found.key] = found
        for link in host.links(netns):
            below = link_messages.below(link)
            if below and (netns, host.device_name(netns, below)) in devices and link.key not in asked:
                name = host.device_name(netns, below)
                raise StateError(f"{link.describe()} stands on {name}, which has to be re-created: list it too, or remove it first")
            if (netns, link.master) in devices and link.key not in asked:
                kept[link.key] = Link(netns=netns, ifname=link.ifname, master=link.master, port=host_ports.port_of(host, link))
    before = _Before(host, wanted, devices)
    present = tuple(before.completed(resource) for resource in wanted.present)
    return dataclasses.replace(wanted, present=(*present, *kept.values()))


def _hanging(host: Host, netns: str) -> t.Iterator[Address | Route]:
    """Addresses and routes of a namespace, less those that the kernel makes by itself."""

    def name_of(index: int) -> str:
        return host.device_name(netns, index)

    for data in host.socket(netns).dump(rtnetlink.RTM_GETADDR, ip_messages.address_query(0)):
        address = ip_messages.decode_address(data, netns, name_of)
        if not address.automatic:
            yield address
    for family in ip_numbers.FAMILIES.values():
        for data in host.socket(netns).dump(rtnetlink.RTM_GETROUTE, route_messages.route_query(family, 0)):
            route = route_messages.decode_route(data, netns, name_of)
            if not route.automatic and route.type in route_messages.ROUTE_TYPES:
                yield route


def own_of(link: Link) -> dict[str, t.Any]:
    """The attributes of a device's kind, as a new device takes them."""
    found = link_messages.decode_info(link)
    if link.link_kind != "bridge":
        return found
    from . import bridge

    return bridge.for_birth(found)


class _Before:
    """The devices as they are before some of them are re-created."""

    def __init__(self, host: Host, wanted: Wanted, devices: set[Device]) -> None:
        self._host = host
        self._devices = devices
        ends = (end for resource in wanted.present for end in _ends(resource))
        self._wishes = {(end.netns, end.ifname): end for end in ends}

    def completed(self, resource: Resource) -> Resource:
        if isinstance(resource, Veth):
            first, *second = (self._end(end) for end in resource.ends)
            return dataclasses.replace(resource, end=first, peer=second[0] if second else None)
        return self._end(resource) if isinstance(resource, Link) else resource

    def _end(self, wish: Link) -> Link:
        again = (wish.netns, wish.ifname) in self._devices and wish.link_kind
        if not again and wish.master is not None:
            return wish
        try:
            found = self._host.link(wish.netns, wish.ifname)
        except StateError:  # in a namespace that is still to be made
            found = None
        if found is None:
            return wish
        if again:
            return self._again(wish, found)
        if (wish.netns, found.master) in self._devices:
            port = {**dict(host_ports.port_of(self._host, found)), **dict(wish.port)}
            return dataclasses.replace(wish, master=found.master, port=pairs(port))
        return wish

    def _again(self, wish: Link, found: Link) -> Link:
        if found.link_kind == wish.link_kind:
            found = self._whole(found)
        found = dataclasses.replace(found, port=host_ports.port_of(self._host, found))
        parent = self._host.link(found.netns, found.parent) if found.parent else None
        below = wish.parent or (found.parent if found.link_kind == wish.link_kind else None)
        master = self._host.link(found.netns, found.master) if found.master else None
        ports = [link for link in self._host.links(found.netns) if link.master == found.ifname]
        lenders = frozenset(link.mac_address for link in (*ports, *filter(None, [parent])) if link.mac_address)
        return inherited(wish, found, Around(parent, self._coming(wish, below), master, lenders))

    def _whole(self, found: Link) -> Link:
        """With the attributes of its kind, and the parent that some kinds have among them."""
        below = link_messages.below(found)
        parent = self._host.device_name(found.netns, below) if below and not found.parent else found.parent
        return dataclasses.replace(found, info=pairs(own_of(found)), parent=parent or None)

    def _coming(self, wish: Link, name: str | None) -> Link | None:
        """The device that it will stand on, with the MTU that it will have."""
        if not name:
            return None
        where = wish.netns if wish.parent_netns is None else wish.parent_netns
        try:
            now = self._host.link(where, name)
        except StateError:
            now = None
        asked = self._wishes.get((where, name))
        if now is None or (asked and asked.mtu):
            return asked
        return now


def _ends(resource: Resource) -> tuple[Link, ...]:
    return resource.ends if isinstance(resource, Veth) else (resource,) if isinstance(resource, Link) else ()
