# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Addresses, routes and rules: wishes and observations -> changes."""

from __future__ import annotations

import dataclasses
import typing as t

from .changes import Change, Phase, Planners, Removers
from .compare import differences
from .errors import StateError
from .record import Resource
from .resources_addresses import Address, OnlyAddresses
from .resources_routes import Route, Rule

if t.TYPE_CHECKING:
    from .state import Observed


_R = t.TypeVar("_R", bound=Resource)


def _address(wish: Address, state: Observed) -> t.Iterator[Change]:
    state.need_place(wish.netns, wish)
    state.need_device(wish.netns, wish.dev, "dev", wish)
    found = state.like(wish)
    if found is None:
        yield Change.create(wish, (Phase.ADDRESS, 0), "not there")
        return
    differs = differences(found, wish)
    # of an IPv4 address the kernel changes the metric and the lifetimes only, and ignores the flags
    lasting = ("prefixlen", "peer", "broadcast", "label", "scope", *(() if ":" in wish.address else ("noprefixroute",)))
    fixed = next((name for name in differs if name in lasting), None)
    if fixed:
        reason = f"{fixed} cannot be changed in place"
        # after those that are new: with its last IPv4 address a device loses its routes
        yield Change.delete(found, (Phase.ADDRESS, 1), reason)
        yield Change.create(_completed(wish, found, ()), (Phase.ADDRESS, 1), reason)
    elif differs:
        # the kernel sets back what a change does not name
        yield Change.update(found, _completed(wish, found, ()), differs, (Phase.ADDRESS, 0))


def _completed(wish: _R, found: _R, less: t.Collection[str]) -> _R:
    """The wish with what it leaves open as it was found."""
    if isinstance(wish, Address) and wish.valid_lft is not None:
        less = (*less, "preferred_lft")  # it cannot be longer
    kept: dict[str, t.Any] = {"protocol": found.protocol} if isinstance(found, Address) else {}  # who made it made it
    kept.update({name: value for name, value in found.attributes().items() if getattr(wish, name) is None and name not in less})
    return dataclasses.replace(wish, **kept)


def _only_addresses(wish: OnlyAddresses, state: Observed) -> t.Iterator[Change]:
    kept = {address.key for address in wish.keep}
    kinds = {(":" in address.address, address.scope or _natural_scope(address.address)) for address in wish.keep}
    for found in state.of(Address, wish.netns):
        if found.dev != wish.dev or found.key in kept:
            continue
        if (":" in found.address, found.scope) in kinds and not found.automatic:
            yield Change.delete(found, (Phase.ADDRESS, 2), "not listed, and exclusive is true")


def _natural_scope(address: str) -> int:
    """The scope that the kernel gives: host for ::1, link for fe80::/10; for IPv4 what was asked, global by default."""
    return 254 if address == "::1" else 253 if address.startswith("fe80:") else 0


def _route(wish: Route, state: Observed) -> t.Iterator[Change]:
    state.need_place(wish.netns, wish)
    ways = [(f"nexthops[{at}]." if wish.nexthops else "", way) for at, way in enumerate(wish.ways)]
    for where, way in ways:
        state.need_device(wish.netns, way.dev, f"{where}dev", wish)
    found = state.like(wish)
    differs = differences(found, wish) if found else {}
    if found and not differs:
        return
    for where, way in ways:
        if way.gateway and not way.onlink and not state.reaches(wish.netns, way.gateway, wish.table):
            raise StateError(
                f"{where}gateway: {way.gateway} of {wish.describe()} is in no subnet of the addresses there: "
                "add an address in its subnet first, correct it, or set onlink: true with the dev on which it is"
            )
    if found is None:
        yield Change.create(wish, (Phase.ROUTE, wish.rank), "not there")
        return
    # the old way's source and protocol may not fit the new one; the metrics are about the destination
    kept = set() if "type" in differs else {"mtu", "advmss"} if {"gateway", "dev", "nexthops"} & {*differs} else {*found.attributes()}
    less = {*found.attributes()} - kept
    yield Change.update(found, _completed(wish, found, less), differs, (Phase.ROUTE, wish.rank))


def _rule(wish: Rule, state: Observed) -> t.Iterator[Change]:
    state.need_place(wish.netns, wish)
    same = [found for found in _rules_like(wish, state) if not differences(found, wish)]
    if same:
        return
    found = state.like(wish)
    if found is None:
        yield Change.create(wish, (Phase.RULE, 0), "not there")
        return
    reason = ", ".join(f"{name} differs" for name in differences(found, wish))
    # the new one first: two rules with one priority may stand beside each other, none may not
    yield Change.create(wish, (Phase.RULE, 0), reason)
    yield Change.delete(found, (Phase.RULE, 1), reason)


def _rules_like(wish: Rule, state: Observed) -> list[Rule]:
    """The rules with the selectors of the wish, and its priority if it names one."""
    return [
        found
        for found in state.of(Rule, wish.netns)
        if (found.family, found.selectors) == (wish.family, wish.selectors) and wish.priority in (None, found.priority)
    ]


def _no_address(wish: Address, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    found = state.found.get(wish.key)
    if found and wish.netns not in doomed:
        yield Change.delete(found, (Phase.NO_ADDRESS, 0), state.because)


def _no_route(wish: Route, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    for found in [] if wish.netns in doomed else state.of(Route, wish.netns):
        if (found.table, found.dest) != (wish.table, wish.dest):
            continue
        if wish.metric in (None, found.metric) and not differences(found, wish):
            yield Change.delete(found, (Phase.NO_ROUTE, 0), state.because)


def _no_rule(wish: Rule, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    for found in [] if wish.netns in doomed else _rules_like(wish, state):
        if not differences(found, wish):
            yield Change.delete(found, (Phase.NO_RULE, 0), state.because)


def _nothing(wish: OnlyAddresses, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    """It is gone with its addresses."""
    return iter(())


PRESENT: Planners = {Address.KIND: _address, OnlyAddresses.KIND: _only_addresses, Route.KIND: _route, Rule.KIND: _rule}
ABSENT: Removers = {Address.KIND: _no_address, OnlyAddresses.KIND: _nothing, Route.KIND: _no_route, Rule.KIND: _no_rule}
