# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Addresses, routes and rules as they are."""

from __future__ import annotations

import typing as t

from . import ip_numbers, rtnetlink
from .host import Host
from .record import Kind
from .state import MAIN, Observed
from .values_ip import family_of

if t.TYPE_CHECKING:
    from .resources_addresses import Address, OnlyAddresses, TakeOver
    from .resources_routes import Route, Rule

# From this many devices of one namespace on, one dump of all addresses is cheaper than one for each device, unless
# most of what there is is somebody else's. Of the devices themselves a dump is never cheaper than to ask for each.
_DUMP_FROM = 64


def _addresses(host: Host, state: Observed, netns: str, resources: t.Sequence[Address | OnlyAddresses | TakeOver]) -> None:
    from . import ip_messages

    asked = {dev for resource in resources for dev in resource.devices}
    devices = {dev for dev in asked if (netns, dev) in state.devices}
    indexes = [state.devices[(netns, dev)].index for dev in devices] if len(devices) < _DUMP_FROM else [0]
    for index in indexes:
        for data in host.socket(netns).dump(rtnetlink.RTM_GETADDR, ip_messages.address_query(index)):
            address = ip_messages.decode_address(data, netns, lambda number: host.device_name(netns, number))
            if address.dev in devices:
                state.found[address.key] = address


def _routes(host: Host, state: Observed, netns: str, resources: t.Sequence[Route]) -> None:
    from . import route_messages

    wanted: dict[int, set[int]] = {}
    through = any(resource.gateway or resource.nexthops for resource in resources)
    for resource in resources:
        for table in (resource.table, MAIN) if through else (resource.table,):
            wanted.setdefault(table, set()).add(int(ip_numbers.FAMILIES[family_of(resource.dest)]))
    dests = {resource.dest for resource in resources}
    for table, families in sorted(wanted.items()):
        # the kernel goes through all families by itself where none is named
        family = families.pop() if len(families) == 1 else 0
        for data in host.socket(netns).dump(rtnetlink.RTM_GETROUTE, route_messages.route_query(family, table)):
            if data[0] not in ip_numbers.FAMILY_NAMES:
                continue
            found = route_messages.attributes_of(data)
            dest = route_messages.dest_of(data, found)
            if dest in dests:
                route = route_messages.decode_route(data, netns, lambda number: host.device_name(netns, number), found)
                state.found.setdefault(route.key, route)  # the first of several is the one in use
            if table == MAIN and route_messages.is_direct(data, found):
                state.reach(netns, dest)
    gateways = {way.gateway for resource in resources for way in resource.ways if way.gateway}
    if not all(state.reaches(netns, gateway, MAIN) for gateway in gateways):
        _on_link(host, state, netns)


def _all_routes(host: Host, state: Observed, netns: str, resources: t.Sequence[TakeOver]) -> None:
    """Every route by way of a device that is taken over or takes over."""
    from . import route_messages

    devices = {dev for resource in resources for dev in (resource.bridge, resource.port)}
    seen = set()
    for family in ip_numbers.FAMILIES.values():
        for data in host.socket(netns).dump(rtnetlink.RTM_GETROUTE, route_messages.route_query(family, 0)):
            route = route_messages.decode_route(data, netns, lambda number: host.device_name(netns, number))
            if route.key in seen:
                state.contested.add(route.key)
            seen.add(route.key)
            for dev in devices.intersection(route.devices):
                state.routes.setdefault((netns, dev), []).append(route)


def _on_link(host: Host, state: Observed, netns: str) -> None:
    """The subnets of all addresses: a device that is down has no routes yet."""
    from . import ip_messages

    for data in host.socket(netns).dump(rtnetlink.RTM_GETADDR, ip_messages.address_query(0)):
        address = ip_messages.decode_address(data, netns, lambda _number: "")
        state.reach(netns, f"{address.peer or address.address}/{address.prefixlen}")


def _rules(host: Host, state: Observed, netns: str, resources: t.Sequence[Rule]) -> None:
    from . import rule_messages

    for family in {resource.family for resource in resources}:
        for data in host.socket(netns).dump(rtnetlink.RTM_GETRULE, rule_messages.rule_query(ip_numbers.FAMILIES[family])):
            rule = rule_messages.decode_rule(data, netns)
            state.found.setdefault(rule.key, rule)


READERS: tuple[tuple[t.Collection[str], t.Callable[[Host, Observed, str, t.Any], None]], ...] = (
    ((Kind.ADDRESS, Kind.ONLY_ADDRESSES, Kind.TAKE_OVER), _addresses),
    ((Kind.TAKE_OVER,), _all_routes),
    ((Kind.ROUTE,), _routes),
    ((Kind.RULE,), _rules),
)
