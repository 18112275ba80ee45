# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""A bridge takes over a device: the device becomes its port, and what the host had on the device it has on the bridge. Pure.

The host is cut off from the moment when the device becomes a port until its routes leave by the bridge. These steps
come when all the rest is there, one right after the other: port, addresses, routes, away with the old addresses.
Nothing is remembered: what is found on the port belongs on the bridge, today or after somebody put it back, and what
is found on the bridge goes to the port when the bridge goes.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from .changes import Change, Phase, Planners, Removers
from .errors import StateError
from .resources_addresses import Address, TakeOver
from .resources_routes import Route
from .values import ROUTE_TABLES

if t.TYPE_CHECKING:
    from .state import Observed

_KERNEL = 2  # the protocol of routes that the kernel makes
_LABEL_MAX = 15


def take_over(wish: TakeOver, state: Observed) -> t.Iterator[Change]:
    """The port into the bridge, and all that is on it to the bridge."""
    state.need_place(wish.netns, wish)
    state.need_device(wish.netns, wish.port, "take_over", wish)
    port = state.devices.get((wish.netns, wish.port))
    if port is None:
        return  # it comes in this very run, with nothing on it; the next run takes it over
    if port.link_kind == "bridge":
        raise StateError(f"take_over: {port.describe()} is a bridge itself, which cannot be the port of another")
    if port.master not in ("", wish.bridge):
        raise StateError(f"take_over: {port.describe()} is in {port.master} already: take it out there first")
    yield from _set_port(wish, state, wish.bridge, f"is taken over by {wish.bridge}")
    yield from _move(wish, state, wish.port, wish.bridge)


def give_back(wish: TakeOver, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    """The inverse, before the bridge goes; where the device is no port of it there is nothing to give."""
    port = state.devices.get((wish.netns, wish.port))
    if port is None or port.master != wish.bridge or wish.netns in doomed:
        return
    yield from _set_port(wish, state, "", f"is given back by {wish.bridge}")
    yield from _move(wish, state, wish.bridge, wish.port)


def _set_port(wish: TakeOver, state: Observed, master: str, reason: str) -> t.Iterator[Change]:
    port = state.devices[(wish.netns, wish.port)]
    differs: dict[str, t.Any] = {"master": (port.master, master)} if port.master != master else {}
    if not port.up:
        differs["up"] = (False, True)
    if differs:
        yield Change.update(port, dataclasses.replace(port, master=master, up=True), differs, (Phase.TAKE_OVER, 0), reason, owner=wish.key)


def _move(wish: TakeOver, state: Observed, source: str, target: str) -> t.Iterator[Change]:
    addresses = [
        found
        for found in state.found.values()
        if isinstance(found, Address) and (found.netns, found.dev) == (wish.netns, source) and _is_the_hosts(found)
    ]
    addresses = [address for address in addresses if address.key not in state.named]
    reason = f"moves from {source} to {target}"
    for address in addresses:
        moved = _readdressed(address, source, target)
        if moved.key not in state.found and moved.key not in state.named:
            yield Change.create(moved, (Phase.TAKE_OVER, 1), reason, owner=wish.key)
    for route in state.routes.get((wish.netns, source), ()):
        if not _kernel_makes(route, addresses):
            yield _rerouted(wish, state, route, source, target, reason)
    # the last first: with its first address of a subnet the kernel removes the others of it too
    for address in reversed(addresses):
        yield Change.delete(address, (Phase.TAKE_OVER, 3), reason, owner=wish.key)


def _is_the_hosts(address: Address) -> bool:
    """Whether it was given to the device; an IPv6 link-local one the kernel makes for each device itself."""
    return not address.address.startswith("fe80:")


def _readdressed(address: Address, source: str, target: str) -> Address:
    label = address.label
    if label is not None:
        label = target + label[len(source) :] if label.startswith(source) else label
        label = label if len(label.encode()) <= _LABEL_MAX else None
    # no duplicate detection: it would take the address out of use for a second, and it is the same address on the same link
    nodad = True if ":" in address.address else address.nodad
    return dataclasses.replace(address, dev=target, label=label, nodad=nodad, tentative=False, protocol=0)


def _kernel_makes(route: Route, addresses: t.Sequence[Address]) -> bool:
    """Whether the route comes with an address: the kernel makes it on the new device, and removes it on the old one."""
    dest = ipaddress.ip_network(route.dest)
    if route.type != "unicast" or route.table == ROUTE_TABLES["local"] or dest.is_link_local or dest.is_multicast:
        return True
    if route.protocol != _KERNEL:
        return False
    made = (f"{address.peer or address.address}/{address.prefixlen}" for address in addresses if not address.noprefixroute)
    return any(ipaddress.ip_network(network, strict=False) == dest for network in made)


def _rerouted(wish: TakeOver, state: Observed, route: Route, source: str, target: str, reason: str) -> Change:
    if route.key in state.contested:
        raise StateError(
            f"take_over: {route.describe()} by way of {source} cannot be moved: another one has the same destination and metric, "
            "and the kernel would replace either of them; give one of the two another metric"
        )
    hops = tuple(dataclasses.replace(hop, dev=target) if hop.dev == source else hop for hop in route.nexthops)
    moved = dataclasses.replace(route, dev=target if route.dev == source else route.dev, nexthops=hops)
    differs = {
        name: (getattr(route, name), getattr(moved, name)) for name in ("dev", "nexthops") if getattr(route, name) != getattr(moved, name)
    }
    return Change.update(route, moved, differs, (Phase.TAKE_OVER, 2), reason, owner=wish.key)


PRESENT: Planners = {TakeOver.KIND: take_over}
ABSENT: Removers = {TakeOver.KIND: give_back}
