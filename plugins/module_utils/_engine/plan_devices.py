# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Links and veth pairs: who stands on whom, what is corrected in place, what is re-created, what is refused. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from .changes import Change, Phase, Planners, Removers
from .compare import differences
from .errors import InputError, StateError
from .record import Key, Kind, Resource
from .resources import Link, Veth
from .values import place

if t.TYPE_CHECKING:
    from .resources_addresses import Address
    from .state import Observed

Device = tuple[str, str]

_PORTLESS = ("dummy", "geneve", "ifb", "ipvlan", "macvlan", "macvtap", "tun", "veth", "vlan", "vxlan", "wireguard")


def _ends(resource: Resource) -> tuple[Link, ...]:
    return resource.ends if isinstance(resource, Veth) else (resource,) if isinstance(resource, Link) else ()


def _below(link: Link) -> t.Iterator[Device]:
    if link.parent:
        yield (link.netns if link.parent_netns is None else link.parent_netns, link.parent)
    if link.master:
        yield (link.netns, link.master)


def depths(resources: t.Iterable[Resource]) -> dict[Key, int]:
    """How many devices must be there before a device can be; a circle is refused."""
    makers = {(end.netns, end.ifname): resource for resource in resources for end in _ends(resource)}
    found: dict[Key, int] = {}

    def depth(resource: Resource, path: tuple[Key, ...]) -> int:
        if resource.key in path:
            raise InputError(f"{resource.describe()} stands on itself by way of master or parent: break the circle")
        if resource.key not in found:
            below = [makers[device] for end in _ends(resource) for device in _below(end) if device in makers]
            found[resource.key] = 1 + max((depth(other, (*path, resource.key)) for other in below), default=-1)
        return found[resource.key]

    for resource in makers.values():
        depth(resource, ())
    return found


def bridges_with_ports(resources: t.Iterable[Resource]) -> set[Device]:
    links = [end for resource in resources for end in _ends(resource)]
    masters = {(end.netns, end.master) for end in links if end.master}
    # the kernel takes a vlan up only where its parent is up
    parents = {(end.netns if end.parent_netns is None else end.parent_netns, end.parent) for end in links if end.link_kind == "vlan"}
    return {(end.netns, end.ifname) for end in links if end.link_kind == "bridge"} & (masters - parents)


def placed(change: Change, depth_of: t.Mapping[Key, int], late: set[Device]) -> t.Iterator[Change]:
    """The change at the depth of its device; the going up of a bridge that gets ports split off into a later phase."""
    if change.phase[0] != Phase.DEVICE:
        yield change
        return
    if change.action in ("delete", "move"):
        # before anything is made, so that names are free in every namespace; what stands on other devices goes first
        yield dataclasses.replace(change, phase=(Phase.DEVICE, -1 - change.phase[1]))
        return
    change = dataclasses.replace(change, phase=(Phase.DEVICE, depth_of.get(change.owner, 0)))
    after = change.after
    if not (isinstance(after, Link) and after.up and (after.netns, after.ifname) in late and change.action in ("create", "update")):
        yield change
        return
    if change.action == "create":
        down = dataclasses.replace(after, up=False)
        yield dataclasses.replace(change, after=down)
        yield Change.update(down, after, {"up": (False, True)}, (Phase.BRIDGE_UP, 0), "goes up after its ports")
        return
    rest = {name: pair for name, pair in change.differs.items() if name != "up"}
    if rest:
        yield dataclasses.replace(change, differs=rest)
    if "up" in change.differs:
        yield dataclasses.replace(change, differs={"up": change.differs["up"]}, phase=(Phase.BRIDGE_UP, 0))


def recreated(changes: t.Iterable[Change], state: Observed) -> set[Device]:
    """The devices that go and come again, be it with the one that they stand on."""
    come = {(end.netns, end.ifname) for change in changes if change.action == "create" for end in _ends(change.resource)}
    return come & {*state.devices}


def readdressed(changes: t.Iterable[Change]) -> set[Device]:
    """The devices one of whose IPv4 addresses goes and comes again: routes may go with it."""
    changed = [(change.action, t.cast("Address", change.resource)) for change in changes if change.resource.KIND == Kind.ADDRESS]
    come = {address.key for action, address in changed if action == "create" and "." in address.address}
    return {(address.netns, address.dev) for action, address in changed if action == "delete" and address.key in come}


# --- present


def link(wish: Link, state: Observed) -> t.Iterator[Change]:
    state.need_place(wish.netns, wish)
    if wish.parent_netns is not None:
        state.need_place(wish.parent_netns, wish)
    _need_master(wish, "", wish, state)
    state.need_device(wish.netns if wish.parent_netns is None else wish.parent_netns, wish.parent, "parent", wish)
    model = state.devices.get((wish.netns, wish.mac_of or ""))
    if model and not wish.mac_address:
        wish = dataclasses.replace(wish, mac_address=model.mac_address)
    found = state.like(wish)
    if wish.port and not ((found and found.master) if wish.master is None else wish.master):
        raise StateError(f"port: {wish.describe()} is in no bridge: give its bridge as master, or remove port")
    if found is None and not wish.link_kind:
        yield from _moved(wish, state)
    elif found is None:
        yield Change.create(_born(wish), (Phase.DEVICE, 0), "not there")
    else:
        yield from _corrected(found, wish, state)


def _need_master(end: Link, prefix: str, wish: Resource, state: Observed) -> None:
    """Refuse a master that is not there, or that is of a kind without ports."""
    option = f"{prefix}master"
    state.need_device(end.netns, end.master, option, wish)
    device = (end.netns, end.master or "")
    master = state.devices.get(device) if device not in state.coming_devices else None
    if master and master.link_kind in _PORTLESS:
        raise StateError(f"{option}: {end.master!r} {place(end.netns)} is of kind {master.link_kind}, which has no ports: name a bridge")
    if master and master.link_kind == end.link_kind == "bridge":
        raise StateError(f"{option}: a bridge cannot be a port of a bridge, as {end.ifname!r} of {end.master!r}: join them by a veth pair")


def _born(wish: Link) -> Link:
    """A new device is up unless it was to be down."""
    return dataclasses.replace(wish, up=wish.up is not False)


def _moved(wish: Link, state: Observed) -> t.Iterator[Change]:
    from . import plan_homes

    source = state.devices.get((wish.from_netns, wish.ifname)) or plan_homes.elsewhere(wish, state)
    if source is None or wish.from_netns == wish.netns:
        places = place(wish.netns) + ("" if wish.from_netns == wish.netns else f" or {place(wish.from_netns)}")
        raise StateError(f"name: there is no device {wish.ifname!r} {places}: correct it, or give the kind of link to create")
    # the kernel takes a device down and out of its master when it moves
    there = dataclasses.replace(source, netns=wish.netns, ifname=wish.ifname, up=False, master="", port=(), raw_port=b"")
    yield Change("move", source, there, (Phase.DEVICE, 0), f"is {place(source.netns)}", owner=wish.key)
    wish = _born(wish)
    differs = differences(there, wish)
    if differs:
        yield Change.update(there, wish, differs, (Phase.DEVICE, 0))


def _corrected(found: Link, wish: Link, state: Observed) -> t.Iterator[Change]:
    differs = differences(found, wish)
    if not differs:
        return
    fixed = _fixed(found, wish, differs)
    if fixed is None:
        yield Change.update(found, wish, differs, (Phase.DEVICE, 0))
        return
    old, new = differs[fixed]
    what = "kind" if fixed == "link_kind" else fixed.replace("info.", f"{wish.link_kind} ")
    _may_recreate(found, wish, f"{what} is {old or 'none'}, not {new}")
    reason = f"{what} cannot be changed in place"
    # a veth end takes the other one with it
    yield Change.delete(_pair(found, state), (Phase.DEVICE, _height(found, state)), reason, owner=wish.key)
    yield Change.create(_born(wish), (Phase.DEVICE, 0), reason)


def _fixed(found: Link, wish: Link, differs: t.Mapping[str, t.Any]) -> str | None:
    """The first attribute that the kernel refuses to change, or accepts and ignores."""
    for name, (old, new) in differs.items():
        if name in wish.fixed:
            return name
        if name.startswith("info."):
            from .kind_options import in_place

            if not in_place(wish.link_kind or "", name[5:], old, new):
                return name
    return None


def _pair(found: Link, state: Observed) -> Veth | Link:
    """The whole pair where the other end is known, so that it can be put back."""
    if found.peer is None:
        return found
    peer: Key = (Link.KIND, *found.peer)
    return Veth(end=found, peer=t.cast(Link, state.found[peer]))


def _may_recreate(found: Link, wish: Link, because: str) -> None:
    if not found.link_kind:
        raise StateError(f"{found.describe()} is a physical device ({because}): choose another name, it is not re-created")
    if not (found.ours or wish.force):
        raise StateError(
            f"{found.describe()} exists but differs: its {because}; the kernel cannot change that in place, "
            "and this collection did not make it: set force: true to re-create it, or remove it first"
        )


def veth(wish: Veth, state: Observed) -> t.Iterator[Change]:
    for end in wish.ends:
        state.need_place(end.netns, wish)
        _need_master(end, "peer." if end is wish.peer else "", wish, state)
    found = [state.like(end) for end in wish.ends]
    if not any(found):
        yield Change.create(wish, (Phase.DEVICE, 0), "not there")
        return
    one, other = found
    paired = one and other and one.peer == (other.netns, other.ifname)
    fixed = ["peer"]
    if paired:
        fixed = [name for end, now in zip(wish.ends, found) if now for name in differences(now, end) if name in end.fixed]
    if not fixed:
        for end, now in zip(wish.ends, found):
            differs = differences(t.cast(Link, now), end)
            if differs:
                yield Change.update(t.cast(Link, now), end, differs, (Phase.DEVICE, 0), owner=wish.key)
        return
    reason = f"{fixed[0]} cannot be changed in place" if paired else "is not the end of this pair"
    for end, now in zip(wish.ends, found):
        if now:
            because = f"{fixed[0]} is another" if now.link_kind == "veth" else f"kind is {now.link_kind or 'none'}, not veth"
            _may_recreate(now, dataclasses.replace(end, force=wish.force), because)
    # either end takes the other with it
    victims = [now for now in found if now][: 1 if paired else 2]
    for now in victims:
        yield Change.delete(_pair(now, state), (Phase.DEVICE, _height(now, state)), reason, owner=wish.key)
    yield Change.create(wish, (Phase.DEVICE, 0), reason)


# --- absent


def no_veth(wish: Veth, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    for now in (state.like(end) for end in wish.ends):
        if now is None or now.netns in doomed or (now.peer and now.peer[0] in doomed):
            continue  # goes with its namespace
        if now.link_kind != "veth":
            kind = now.link_kind or "physical"
            raise StateError(f"{now.describe()} is of kind {kind}, not an end of a veth pair: linuxnet.netns.netns_link removes it")
        yield Change.delete(_pair(now, state), (Phase.NO_DEVICE, 0), state.because)
        if now.peer:
            return


def _height(link: Link, state: Observed) -> int:
    """On how many others it stands: it goes before them, since it would go with them."""
    if link.link_kind == "veth" or not (link.parent or link.parent_index):
        return 0
    below = state.devices.get((link.netns if link.parent_netns is None else link.parent_netns, link.parent or ""))
    return 1 + (_height(below, state) if below else 0)


def no_link(wish: Link, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    from . import plan_homes

    home = plan_homes.of_link(wish, state)
    if home:
        yield from plan_homes.give_back(home, state, doomed)
        return
    found = state.like(wish)
    if found is None or (found.link_kind and wish.link_kind and wish.netns in doomed):
        return
    if wish.link_kind and found.link_kind != wish.link_kind:
        kind = found.link_kind or "physical"
        raise StateError(f"kind: {found.describe()} is of kind {kind}, not {wish.link_kind}: it is not removed, correct kind")
    if wish.link_kind:
        yield Change.delete(found, (Phase.NO_DEVICE, -_height(found, state)), state.because)
        return
    if wish.from_netns == wish.netns:
        raise StateError(
            f"{found.describe()} is not given back: it is where from_netns says that it came from; give its kind to remove a virtual link"
        )
    if (wish.from_netns, wish.ifname) in state.devices:
        raise plan_homes.name_taken(found, wish.from_netns)
    back = dataclasses.replace(found, netns=wish.from_netns, up=False, master="", port=(), raw_port=b"")
    yield Change("move", found, back, (Phase.NO_DEVICE, 0), state.because)


PRESENT: Planners = {Link.KIND: link, Veth.KIND: veth}
ABSENT: Removers = {Link.KIND: no_link, Veth.KIND: no_veth}
