# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Routes: wishes and observations -> changes."""

from __future__ import annotations

import typing as t

from .changes import Change, Phase, Planners, Removers
from .compare import completed, differences
from .errors import StateError
from .resources_routes import Route

if t.TYPE_CHECKING:
    from .state import Observed


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
    yield Change.update(found, completed(wish, found, less), differs, (Phase.ROUTE, wish.rank))


def _no_route(wish: Route, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    for found in [] if wish.netns in doomed else state.of(Route, wish.netns):
        if (found.table, found.dest) != (wish.table, wish.dest):
            continue
        if wish.metric in (None, found.metric) and not differences(found, wish):
            yield Change.delete(found, (Phase.NO_ROUTE, 0), state.because)


PRESENT: Planners = {Route.KIND: _route}
ABSENT: Removers = {Route.KIND: _no_route}
