# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The way home of a device that was moved: whose it is, the changes that it takes, and what is kept afterwards. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from .changes import Change, Phase
from .errors import StateError
from .homes import Home
from .resources import Link, Namespace
from .values import HOST, place

if t.TYPE_CHECKING:
    from .options import Wanted
    from .state import Observed

_REASON = "as it was at home"
# A MAC address may be refused of a device that is up, and IPv6 has no sysctls where the MTU is too small for it.
_OWN = ("mtu", "mac_address", "alias", "txqueuelen", "master")
_MOVE, _LINK, _SYSCTL, _UP, _ADDRESS, _ROUTE = range(6)


# --- whose way back it is


def _is_in(home: Home, netns: str, state: Observed) -> bool:
    """Whether a namespace is the one that the device went to, be it by another reference."""
    return home.netns == netns or (home.inode != 0 and home.inode == state.inodes.get(netns))


def of_link(wish: Link, state: Observed) -> Home | None:
    """The home of the device that is to be given back; by the name that it had there, or has now."""
    if wish.link_kind:
        return None
    for home in state.homes:
        away = state.away.get(home.key)
        names = {home.ifname, home.link.ifname, away.ifname if away else home.ifname}
        if wish.ifname in names and _is_in(home, wish.netns, state) and wish.from_netns in (HOST, home.link.netns):
            return home
    return None


def of_namespace(wish: Namespace, state: Observed) -> list[Home]:
    """The homes of the devices in a namespace that goes; where its processes keep it, they keep the devices too."""
    found = state.like(wish)
    if found and found.pids and wish.processes == "keep":
        return []
    return [home for home in state.homes if _is_in(home, wish.netns, state)]


def elsewhere(wish: Link, state: Observed) -> Link | None:
    """The device that a wish is about, where it was moved already, to a namespace that is not the wanted one."""
    if wish.netns == wish.from_netns:
        return None
    return next((state.away.get(home.key) for home in state.homes if home.key[1:] == (wish.from_netns, wish.ifname)), None)


# --- the way back


def give_back(home: Home, state: Observed, doomed: t.Collection[str]) -> t.Iterator[Change]:
    """The device home, and there as it was; nothing where it is gone, or somebody else has taken it home."""
    netns, name = home.link.netns, home.link.ifname
    if home.netns in doomed and (netns in doomed or not state.there(netns)):
        return  # it has no home to go to; the kernel takes a physical device to the host
    away, now = state.away.get(home.key), state.devices.get((netns, name))
    if away:
        state.need_place(netns, away)
        if now:
            raise name_taken(away, netns)
        now = dataclasses.replace(away, netns=netns, ifname=name, up=False, master="", port=(), raw_port=b"")
        yield Change("move", away, now, (Phase.RETURN, _MOVE), state.because, owner=home.key)
    # the kernel leaves it down; who took it home by hand and up has given it what it is to have
    elif now is None or now.link_kind != home.link.link_kind or (now.up and not home.returning):
        return
    yield from _as_it_was(home, now, state)


def name_taken(link: Link, netns: str) -> StateError:
    """Why a device cannot go home."""
    where = place(netns)
    return StateError(
        f"{link.describe()} cannot be given back: {where} there is another device of that name: rename or remove that one first"
    )


def _as_it_was(home: Home, now: Link, state: Observed) -> t.Iterator[Change]:
    was = dataclasses.replace(home.link, up=now.up)
    if (was.netns, was.master or "") not in state.devices or (Link.KIND, was.netns, was.master) in state.named:
        was = dataclasses.replace(was, master=now.master, raw_port=b"")  # its bridge is gone, or has its own task
    differs = {name: (getattr(now, name), getattr(was, name)) for name in _OWN if getattr(now, name) != getattr(was, name)}
    if differs:
        yield Change.update(now, was, differs, (Phase.RETURN, _LINK), _REASON, owner=home.key)
    for sysctl in home.sysctls:
        found = state.like(sysctl)
        value = found.value if found else None
        if value != sysctl.value and not (found and value is None):
            before = dataclasses.replace(sysctl, value=value)
            yield Change.update(before, sysctl, {"value": (value, sysctl.value)}, (Phase.RETURN, _SYSCTL), _REASON, owner=home.key)
    if now.up != home.link.up:
        up = {"up": (now.up, home.link.up)}
        yield Change.update(was, dataclasses.replace(was, up=home.link.up), up, (Phase.RETURN, _UP), _REASON, owner=home.key)
    for address in home.addresses:
        if address.key not in state.found:
            yield Change.create(address, (Phase.RETURN, _ADDRESS), _REASON, owner=home.key)
    for route in home.routes:
        # of two with one key the kernel would replace one: the one that is there has come since
        if route.key not in state.found and home.link.up:
            yield Change.create(route, (Phase.RETURN, _ROUTE + route.rank), _REASON, owner=home.key)


# --- what is kept


def ended(wanted: Wanted, state: Observed) -> list[Home]:
    """The homes whose devices are at home, or gone, once all that is wanted is done."""
    found = []
    for resource in wanted.absent:
        if isinstance(resource, Namespace):
            found += of_namespace(resource, state)
        elif isinstance(resource, Link):
            found += filter(None, [of_link(resource, state)])
    return found


def after(
    homes: t.Sequence[Home], going: t.Sequence[Home], changes: t.Iterable[Change], before: Observed, now: Observed
) -> tuple[Home, ...]:
    """What is kept after these changes; ``before`` is what was found first, ``now`` last."""
    kept = {home.key: home for home in homes if home not in going}
    for change in changes:
        source, target = change.before, change.after
        if change.action != "move" or change.owner[0] == "home" or not (isinstance(source, Link) and isinstance(target, Link)):
            continue
        from_where = (source.netns, source.ifname)
        away = {(link.netns, link.ifname): key for key, link in before.away.items()}
        moved = [home for home in homes if home.key == away.get(from_where)]
        home = moved[0] if moved else before.leaving.get(from_where)
        if home is None:
            continue
        kept.pop(home.key, None)
        if (home.link.netns, home.link.ifname) != (target.netns, target.ifname):
            there = now.devices.get((target.netns, target.ifname))
            inode = now.inodes.get(target.netns, 0)
            home = dataclasses.replace(home, netns=target.netns, ifname=target.ifname, inode=inode, index=there.index if there else 0)
            kept[home.key] = home
    return tuple(kept.values())
