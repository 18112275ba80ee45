# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Sysctls that overwrite others: what is asked for single devices comes after what is asked for all of them. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from .changes import Change, Phase, Planners, Removers
from .errors import StateError
from .record import Resource
from .resources import Sysctl
from .values import place

if t.TYPE_CHECKING:
    from .state import Observed

_IPV4, _IPV6 = "net/ipv4/conf", "net/ipv6/conf"
# Writing the one for all devices writes that of each device, and the default; of IPv4 forwarding there is a second name.
EVERYWHERE = {
    "net/ipv4/ip_forward": (_IPV4, ("forwarding", "accept_redirects")),
    f"{_IPV4}/all/forwarding": (_IPV4, ("forwarding", "accept_redirects")),
    **{
        f"{_IPV6}/all/{key}": (_IPV6, (key,))
        for key in ("forwarding", "force_forwarding", "disable_ipv6", "disable_policy", "ignore_routes_with_linkdown", "addr_gen_mode")
    },
}
_IPV4_DEFAULT = f"{_IPV4}/default/"


def again(changes: t.Sequence[Change], wishes: t.Iterable[Resource]) -> list[Change]:
    """The changes with each sysctl that is asked for after those that overwrite it, also where it has its value now."""
    found = {change.resource.key: change for change in changes if isinstance(change.resource, Sysctl)}
    general = [change for change in found.values() if _is_general(change.resource)]
    if not general:
        return [*changes]
    asked = [wish for wish in wishes if isinstance(wish, Sysctl) and wish.value is not None]
    # a default that is set again is copied again
    for wish in sorted(asked, key=lambda wish: not wish.path.startswith(_IPV4_DEFAULT)):
        over = [change for change in general if change.resource.where == wish.netns and _overwrites(change.resource, wish)]
        if not over:
            continue
        last = max(over, key=lambda change: change.phase)
        least = (Phase.DEVICE_SYSCTL if wish.device else Phase.SYSCTL, 0)
        phase = max(least, (last.phase[0], last.phase[1] + 1))
        mine = found.get(wish.key)
        if mine is None:
            mine = _restored(wish, over, phase)
            if mine is None:
                continue
            if _is_general(wish):
                general.append(mine)
        found[wish.key] = mine if mine.phase > last.phase else dataclasses.replace(mine, phase=phase)
    rest = [change for change in changes if not isinstance(change.resource, Sysctl)]
    return [*rest, *found.values()]


def _restored(wish: Sysctl, over: t.Sequence[Change], phase: tuple[int, int]) -> Change | None:
    """The change back to what is asked and was so already."""
    given = [(t.cast(Sysctl, change.resource), _given(change, wish)) for change in over]
    differing = [(other, value) for other, value in given if value != wish.value]
    if not differing:
        return None
    other, value = differing[-1]
    before = dataclasses.replace(wish, value=value)
    return Change.update(before, wish, {"value": (value, wish.value)}, phase, f"{other.name} sets it too")


def _given(change: Change, wish: Sysctl) -> str | None:
    """The value that a sysctl gives to another one."""
    other = t.cast(Sysctl, change.resource)
    if other.path in EVERYWHERE and wish.path.endswith("/accept_redirects"):
        return "1" if other.value == "0" else "0"  # who forwards takes no redirects
    return other.value


def overwritten(path: str) -> tuple[str, tuple[str, ...]] | None:
    """The directory of devices and the keys of each that go with this sysctl, if any do."""
    if path in EVERYWHERE:
        return EVERYWHERE[path]
    key = path[len(_IPV4_DEFAULT) :] if path.startswith(_IPV4_DEFAULT) else ""
    # a device takes anew what it has from the default and never had for itself
    return (_IPV4, (key,)) if key and key != "forwarding" else None


def _is_general(resource: Resource) -> bool:
    return isinstance(resource, Sysctl) and overwritten(resource.path) is not None


def _overwrites(general: Resource, wish: Sysctl) -> bool:
    parts, path = wish.path.split("/"), t.cast(Sysctl, general).path
    found = overwritten(path) if path != wish.path else None
    if found is None or len(parts) != 5:
        return False
    directory, device, key = "/".join(parts[:3]), parts[3], parts[4]
    if path in EVERYWHERE and key == "accept_redirects":
        return directory == found[0] and device == "all"
    return directory == found[0] and key in found[1] and device != "all"


def _sysctl(wish: Sysctl, state: Observed) -> t.Iterator[Change]:
    state.need_place(wish.netns, wish)
    found = state.like(wish)
    device = wish.device
    if found is None and wish.if_there:
        return
    if found is None and (state.there(wish.netns) and not (device and (wish.netns, device) in state.coming_devices)):
        raise StateError(
            f"sysctl {wish.name} does not exist {place(wish.netns)}: correct its name, or create the device that it belongs to first"
        )
    # IPv6 forwarding of the host makes it forget routes from router advertisements, unless accept_ra of the device says otherwise first
    last = wish.path == "net/ipv6/conf/all/forwarding"
    phase = (Phase.CLOSE if wish.if_there else Phase.DEVICE_SYSCTL if device or last else Phase.SYSCTL, int(last))
    if found is None:
        yield Change.update(dataclasses.replace(wish, value=None), wish, {"value": (None, wish.value)}, phase, "not there yet")
    elif found.value != wish.value:
        yield Change.update(found, wish, {"value": (found.value, wish.value)}, phase)


def _nothing(wish: Sysctl, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    """A sysctl cannot go."""
    return iter(())


PRESENT: Planners = {Sysctl.KIND: _sysctl}
ABSENT: Removers = {Sysctl.KIND: _nothing}
