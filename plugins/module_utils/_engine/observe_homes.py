# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Devices that are away from home, and those that are about to leave it: where they are, and what they have."""

from __future__ import annotations

import os
import typing as t

from . import homes, ip_messages, ip_numbers, namespaces, plan_homes, remembered, route_messages, rtnetlink
from .homes import Home
from .host import Host
from .options import Wanted
from .resources import Link, Namespace, Sysctl
from .resources_addresses import Address
from .resources_routes import Route
from .state import Observed
from .values_ip import family_of

_CONF = ("net/ipv4/conf", "net/ipv6/conf")
# What the kernel gives to devices without ARP by itself; and IPv6's MTU follows the device's.
_BY_NATURE = (("accept_dad", "-1"), ("use_tempaddr", "-1"))


def references(state: Observed) -> set[str]:
    """Note the homes on record; returns the namespaces that they are about."""
    state.homes = remembered.load()
    return {netns for home in state.homes for netns in (home.netns, home.link.netns)}


def look(host: Host, state: Observed, wanted: Wanted) -> None:
    """Where the devices are, what those at home have, and what those have that are about to leave."""
    wishes = [resource for resource in (*wanted.present, *wanted.absent) if isinstance(resource, (Link, Namespace))]
    for netns in {*(wish.netns for wish in wishes), *(home.netns for home in state.homes)}:
        if netns and state.there(netns):
            state.inodes[netns] = namespaces.inode_of(host.fd(netns))
    for home in state.homes:
        _find(host, state, home)
    for home in plan_homes.ended(wanted, state):
        _belongings(host, state, home)
    for wish in wanted.present:
        if isinstance(wish, Link) and not wish.link_kind and wish.from_netns != wish.netns:
            source = state.devices.get((wish.from_netns, wish.ifname))
            if source and (wish.netns, wish.ifname) not in state.devices:
                state.leaving[(source.netns, source.ifname)] = _remember(host, source)


def _find(host: Host, state: Observed, home: Home) -> None:
    """The device where it went, and the one at home that has its name."""
    was = home.link
    if state.there(was.netns):
        for name in filter(None, (was.ifname, was.master)):
            found = host.link(was.netns, name)
            if found:
                state.devices.setdefault((was.netns, name), found)
    if not state.there(home.netns) or (home.inode and home.inode != state.inodes.get(home.netns, home.inode)):
        return
    there = host.link(home.netns, home.ifname)
    if there is None and home.index:
        # somebody has renamed it; a number may be another device's by now, and that has another MAC address
        name = host.device_name(home.netns, home.index)
        renamed = host.link(home.netns, name) if name else None
        there = renamed if renamed and renamed.mac_address == was.mac_address else None
    if there and there.link_kind == was.link_kind:
        state.away[home.key] = there


def _belongings(host: Host, state: Observed, home: Home) -> None:
    """What there is at home of all that is to be there again."""
    where = home.link.netns
    now = state.devices.get((where, home.link.ifname))
    if not state.there(where):
        return
    if now:
        for address in _addresses(host, now):
            state.found.setdefault(address.key, address)
        for sysctl in home.sysctls:
            state.found[sysctl.key] = Sysctl(netns=where, path=sysctl.path, value=host.sysctl(where, sysctl.path))
    dests = {route.dest for route in home.routes}
    for family, table in {(family_of(route.dest), route.table) for route in home.routes}:
        for data in host.socket(where).dump(rtnetlink.RTM_GETROUTE, route_messages.route_query(ip_numbers.FAMILIES[family], table)):
            route = route_messages.decode_route(data, where, lambda index: host.device_name(where, index))
            if route.dest in dests:
                state.found.setdefault(route.key, route)


def _remember(host: Host, link: Link) -> Home:
    return homes.remembered(link, _addresses(host, link), _routes(host, link), _sysctls(host, link))


def _addresses(host: Host, link: Link) -> list[Address]:
    dumped = host.socket(link.netns).dump(rtnetlink.RTM_GETADDR, ip_messages.address_query(link.index))
    return [ip_messages.decode_address(data, link.netns, lambda _index: link.ifname) for data in dumped]


def _routes(host: Host, link: Link) -> t.Iterator[Route]:
    for family in ip_numbers.FAMILIES.values():
        for data in host.socket(link.netns).dump(rtnetlink.RTM_GETROUTE, route_messages.route_query(family, 0, link.index)):
            route = route_messages.decode_route(data, link.netns, lambda index: host.device_name(link.netns, index))
            if route.type in route_messages.ROUTE_TYPES:
                yield route


def _sysctls(host: Host, link: Link) -> list[Sysctl]:
    """Those that differ from what a device has that comes."""
    found = []
    with host.inside(link.netns):
        for directory in _CONF:
            for key in _listed(f"{directory}/default"):
                value = _read(f"{directory}/{link.ifname}/{key}")
                if value not in (None, _read(f"{directory}/default/{key}")) and (key, value) not in _BY_NATURE and key != "mtu":
                    found.append(Sysctl(netns=link.netns, path=f"{directory}/{link.ifname}/{key}", value=value))
    return found


def _listed(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(f"/proc/sys/{directory}"))
    except FileNotFoundError:
        return []


def _read(path: str) -> str | None:
    """A value that can be read and written again; some cannot."""
    try:
        with open(f"/proc/sys/{path}", encoding="ascii") as file:
            return " ".join(file.read().split()) if os.fstat(file.fileno()).st_mode & 0o200 else None
    except (OSError, UnicodeDecodeError):
        return None
