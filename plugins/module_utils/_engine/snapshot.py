# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What the kernel takes away without being asked, so that a roll-back can put it back.

With a device go its addresses, its routes and the devices that stand on it, and its ports are set free; a device that
goes down or moves loses routes; with its last IPv4 address go all its IPv4 routes; a sysctl of all devices overwrites
that of each. An inverse restores what a change was about. The rest is compared with how it was before the run.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from . import host_ports, ip_messages, ip_numbers, link_messages, route_messages, rtnetlink
from .changes import Change
from .host import Host
from .record import Key, Resource, pairs
from .resources import Link, Namespace, Sysctl, Veth
from .resources_addresses import Address
from .resources_routes import Route
from .state_losses import NEW_PORT

Device = tuple[str, str]

_REASON = "rolled back"
# What of a device's own may be lost by a change of something else.
_OWN = ("mtu", "master", "up")
_CONF = ("net/ipv4/conf", "net/ipv6/conf")


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """The devices that changes put at risk, with all that hangs on them; empty for a run that only adds. Records only."""

    links: tuple[Link, ...] = ()  # each after what it stands on
    addresses: tuple[Address, ...] = ()  # in the kernel's order
    routes: tuple[Route, ...] = ()
    sysctls: tuple[Sysctl, ...] = ()  # all and default before single devices


# --- before the run


def take(host: Host, changes: t.Sequence[Change]) -> Snapshot:
    """What the changes put at risk, as it is."""
    at_risk: dict[str, set[str] | None] = {}  # None: every device of the namespace
    sysctls: dict[Key, Sysctl] = {}
    # a bridge goes up last, also one in a namespace that is still to be made
    coming = {change.after.netns for change in changes if change.action == "create" and isinstance(change.after, Namespace)}
    for change in changes:
        for sysctl in (*_look_at(host, change, at_risk), *_switched(host, change, coming)):
            sysctls.setdefault(sysctl.key, sysctl)
    links: list[Link] = []
    for netns, names in at_risk.items():
        if netns not in coming:
            links += [_whole_port(host, link) for link in _with_dependents(host.links(netns), names)]
    addresses = [address for link in links for address in _addresses_of(host, link) if not address.automatic]
    routes = {_whole(route): route for link in links for route in _routes_of(host, link)}
    return Snapshot(tuple(links), tuple(addresses), tuple(routes.values()), tuple(sysctls.values()))


def _look_at(host: Host, change: Change, at_risk: dict[str, set[str] | None]) -> t.Iterator[Sysctl]:
    before = change.before
    along = _overwritten(before) if isinstance(before, Sysctl) and before.value is not None else None
    if along and isinstance(before, Sysctl):  # and not in a namespace that is still to come
        yield from _sysctls(host, before.netns, along[:1], None, along[1])
        if before.path.endswith("disable_ipv6"):
            at_risk[before.netns] = None
    for netns, name in _endangered(change):
        if change.action in ("delete", "move") and not isinstance(before, Address):
            yield from _sysctls(host, netns, _CONF, name)
        names = at_risk.setdefault(netns, set())
        if names is not None:
            names.add(name)


def _overwritten(sysctl: Sysctl) -> tuple[str, tuple[str, ...]] | None:
    from . import plan_sysctls

    return plan_sysctls.overwritten(sysctl.path)


def _switched(host: Host, change: Change, coming: t.Collection[str]) -> list[Sysctl]:
    """What is switched while an IPv4 address goes, there or back: a killed run would leave it so."""
    address = change.resource
    if not isinstance(address, Address) or ":" in address.address or address.netns in coming:
        return []
    return _sysctls(host, address.netns, _CONF[:1], address.dev, ("promote_secondaries",))


def _whole_port(host: Host, link: Link) -> Link:
    """With its settings as a port: in another bridge, or in the same one anew, it would have none of them."""
    return dataclasses.replace(link, port=host_ports.port_of(host, link)) if link.raw_port else link


def _addresses_of(host: Host, link: Link) -> list[Address]:
    dumped = host.socket(link.netns).dump(rtnetlink.RTM_GETADDR, ip_messages.address_query(link.index))
    return [ip_messages.decode_address(data, link.netns, lambda _index: link.ifname) for data in dumped]


def _routes_of(host: Host, link: Link) -> t.Iterator[Route]:
    """The routes by way of a device, less those that the kernel makes by itself."""
    for family in ip_numbers.FAMILIES.values():
        for data in host.socket(link.netns).dump(rtnetlink.RTM_GETROUTE, route_messages.route_query(family, 0, link.index)):
            route = route_messages.decode_route(data, link.netns, lambda index: host.device_name(link.netns, index))
            if not route.automatic and route.type in route_messages.ROUTE_TYPES:
                yield route


def _sysctls(host: Host, netns: str, directories: t.Iterable[str], device: str | None, keys: t.Collection[str] = ()) -> list[Sysctl]:
    found = []
    with host.inside(netns):
        for directory in directories:
            # all and default first: what is written there is written to each device
            devices = [device] if device else sorted(_listed(directory), key=lambda name: name not in ("all", "default"))
            for path in (f"{directory}/{name}/{key}" for name in devices for key in keys or _listed(f"{directory}/{name}")):
                value = _read(path)
                if value is not None:
                    found.append(Sysctl(netns=netns, path=path, value=value))
    return found


def keep_routes(host: Host, snapshot: Snapshot, done: t.Sequence[Change]) -> Snapshot:
    """Before a roll-back: with the routes of others by way of a device that loses an IPv4 address again, maybe its last."""
    made = {change.resource.key for change in done}
    undone = [change.after for change in done if change.action == "create" and isinstance(change.after, Address)]
    routes = {_whole(route): route for route in snapshot.routes}
    for netns, dev in {(address.netns, address.dev) for address in undone if "." in address.address}:
        link = host.link(netns, dev)
        for route in _routes_of(host, link) if link else ():
            if route.key not in made:
                routes.setdefault(_whole(route), route)
    return dataclasses.replace(snapshot, routes=tuple(routes.values()))


# --- after a roll-back


def missing(host: Host, snapshot: Snapshot) -> t.Iterator[Change]:
    """What is still not as it was; each change is to be made before the next is asked for."""
    for link in snapshot.links:
        if host.link(link.netns, link.ifname) is None and link.link_kind not in (None, "", "veth"):
            yield Change.create(link, (0, 0), _REASON)
    # as soon as it is up the kernel makes addresses, which sysctls decide about; and those of IPv6 need an MTU that is large enough
    yield from _missing_of_links(host, snapshot, [name for name in _OWN if name != "up"])
    yield from _missing_sysctls(host, snapshot)
    yield from _missing_of_links(host, snapshot, _OWN)
    yield from _missing_addresses(host, snapshot)
    yield from _missing_routes(host, snapshot)


def _missing_of_links(host: Host, snapshot: Snapshot, own: t.Sequence[str]) -> t.Iterator[Change]:
    for link in snapshot.links:
        now = host.link(link.netns, link.ifname)
        if now is None:
            continue
        differs = {name: (getattr(now, name), getattr(link, name)) for name in own if getattr(now, name) != getattr(link, name)}
        if link.master:
            port = dict(NEW_PORT) if "master" in differs else dict(_whole_port(host, now).port)
            now = dataclasses.replace(now, port=pairs(port))
            differs.update({f"port.{name}": (port.get(name), value) for name, value in link.port if port.get(name) != value})
        if differs:
            yield Change.update(now, link, differs, (0, 0), _REASON)


def _missing_sysctls(host: Host, snapshot: Snapshot) -> t.Iterator[Change]:
    for kept in snapshot.sysctls:
        with host.inside(kept.netns):
            value = _read(kept.path)
        if value not in (None, kept.value):
            yield Change.update(dataclasses.replace(kept, value=value), kept, {"value": (value, kept.value)}, (0, 0), _REASON)


def _missing_addresses(host: Host, snapshot: Snapshot) -> t.Iterator[Change]:
    for link in _now(host, snapshot):
        there = [address.key for address in _addresses_of(host, link)]
        kept = [address for address in snapshot.addresses if (address.netns, address.dev) == (link.netns, link.ifname)]
        yield from _in_order([address for address in kept if ":" not in address.address], there)
        for address in kept:
            if ":" in address.address and address.key not in there:
                yield Change.create(address, (0, 0), _REASON)


def _missing_routes(host: Host, snapshot: Snapshot) -> t.Iterator[Change]:
    devices = {(route.netns, dev) for route in snapshot.routes for dev in route.devices if dev}
    links = [link for link in (host.link(netns, dev) for netns, dev in devices) if link]
    there = {_whole(route) for link in links for route in _routes_of(host, link)}
    for route in sorted(snapshot.routes, key=lambda route: route.rank):
        if _whole(route) not in there:
            yield Change.create(route, (0, 0), _REASON)


def _now(host: Host, snapshot: Snapshot) -> t.Iterator[Link]:
    found = (host.link(link.netns, link.ifname) for link in snapshot.links)
    return (link for link in found if link)


def _in_order(kept: t.Sequence[Address], there: t.Sequence[Key]) -> t.Iterator[Change]:
    """The addresses in their old order: packets that are bound to none leave from the first that fits."""
    now = [key for key in there if key in {address.key for address in kept}]
    same = next((at for at, address in enumerate(kept) if at >= len(now) or now[at] != address.key), len(kept))
    for address in reversed(kept[same:]):
        if address.key in now:
            yield Change.delete(address, (0, 0), _REASON)
    for address in kept[same:]:
        yield Change.create(address, (0, 0), _REASON)


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


def _endangered(change: Change) -> t.Iterator[Device]:
    before = change.before
    if isinstance(before, Veth):
        yield from ((end.netns, end.ifname) for end in before.ends)
    elif isinstance(before, Link) and (change.action != "update" or {*_OWN} & {*change.differs}):
        yield before.netns, before.ifname
    elif isinstance(before, Address) and change.action == "delete":
        yield before.netns, before.dev
    elif isinstance(before, Sysctl) and before.path.endswith("/disable_ipv6") and before.device:
        yield before.netns, before.device


def _with_dependents(links: t.Sequence[Link], names: set[str] | None) -> list[Link]:
    """The devices of these names, their ports and what stands on them; each after what it stands on."""
    if names is None:
        return [*links]
    found = [link for link in links if link.ifname in names]
    for link in found:  # grows meanwhile
        on_it = [other for other in links if other.master == link.ifname or link_messages.below(other) == link.index]
        found += [other for other in on_it if other not in found]
    return found


def _whole(route: Resource) -> tuple[t.Any, ...]:
    """A route with all that it is: of several with one key each is to be there again."""
    return (*route.key, *sorted((name, value) for name, value in route.attributes().items()))
