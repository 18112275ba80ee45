# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""A wish beside what was found: where they differ, attribute by attribute, and the one with what it takes from the other. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from .record import Kind, Resource

if t.TYPE_CHECKING:
    from .resources_routes import Nexthop, Route

_R = t.TypeVar("_R", bound=Resource)

_FOREVER = 2**32 - 1
_LIFETIMES = ("valid_lft", "preferred_lft")


def differences(found: Resource, wish: Resource) -> dict[str, tuple[t.Any, t.Any]]:
    """Name -> (found, wanted) of every attribute that the wish asks for and that is not so."""
    differs = {}
    for name, value in wish.attributes().items():
        now = found.attribute(name)
        if now != value and not _same(name, now, value):
            differs[name] = (now, value)
    if found.KIND == wish.KIND == Kind.ROUTE and _goes_astray(t.cast("Route", found), t.cast("Route", wish)):
        differs["gateway"] = (t.cast("Route", found).gateway, None)
    return differs


def completed(wish: _R, found: _R, less: t.Collection[str]) -> _R:
    """The wish with what it leaves open as it was found, but for ``less``."""
    kept = {name: value for name, value in found.attributes().items() if getattr(wish, name) is None and name not in less}
    return dataclasses.replace(wish, **kept)


def _goes_astray(found: Route, wish: Route) -> bool:
    """A route without a gateway says that its destination is on the link itself: a gateway in the way is a difference."""
    return bool(found.gateway and not wish.gateway and (wish.dev or wish.nexthops))


def _same(name: str, found: t.Any, wanted: t.Any) -> bool:
    if name in _LIFETIMES and wanted != _FOREVER:
        # a running lifetime has become shorter since it was set; it is not renewed at every run
        return found is not None and found <= wanted
    if name == "nexthops":
        return _same_ways(found or (), wanted)
    return False


def _same_ways(found: t.Sequence[Nexthop], wanted: t.Sequence[Nexthop]) -> bool:
    """The same set of ways; a device that was not asked for is whichever the kernel chose."""

    def matches(now: Nexthop, wish: Nexthop) -> bool:
        return (now.gateway, now.weight) == (wish.gateway, wish.weight) and wish.dev in (None, now.dev) and (now.onlink or not wish.onlink)

    left = list(found)
    for wish in wanted:
        fitting = next((now for now in left if matches(now, wish)), None)
        if fitting is None:
            return False
        left.remove(fitting)
    return not left
