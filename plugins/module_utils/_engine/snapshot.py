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

import os
import typing as t

from . import ip_messages, link_messages, rtnetlink
from .changes import Change
from .host import Host
from .record import Key, Resource
from .resources import Address, Link, Namespace, Route, Sysctl, Veth

Device = tuple[str, str]

_REASON = "rolled back"
# What of a device's own may be lost by a change of something else.
_OWN = ("mtu", "master", "up")
_CONF = ("net/ipv4/conf", "net/ipv6/conf")
# Writing the one for all devices writes that of each device; of forwarding there is a second name.
_EVERYWHERE = {
    "net/ipv4/ip_forward": ("net/ipv4/conf", ("forwarding", "accept_redirects")),
    "net/ipv4/conf/all/forwarding": ("net/ipv4/conf", ("forwarding", "accept_redirects")),
    "net/ipv6/conf/all/forwarding": ("net/ipv6/conf", ("forwarding",)),
    "net/ipv6/conf/all/force_forwarding": ("net/ipv6/conf", ("force_forwarding",)),
    "net/ipv6/conf/all/disable_ipv6": ("net/ipv6/conf", ("disable_ipv6",)),
}


class Snapshot:
    """The devices that changes put at risk, with all that hangs on them; empty for a run that only adds."""

    def __init__(self, host: Host, changes: t.Sequence[Change]) -> None:
        self._host = host
        self._links: dict[Device, Link] = {}
        self._addresses: list[Address] = []
        self._routes: dict[tuple[t.Any, ...], Route] = {}
        self._sysctls: dict[str, dict[str, str]] = {}  # namespace -> path -> value
        at_risk: dict[str, set[str] | None] = {}  # None: every device of the namespace
        for change in changes:
            self._look_at(change, at_risk)
        # a bridge goes up last, also one in a namespace that is still to be made
        coming = {change.after.netns for change in changes if change.action == "create" and isinstance(change.after, Namespace)}
        for netns, names in at_risk.items():
            if netns in coming:
                continue
            for link in _with_dependents(host.links(netns), names):
                self._keep(link)

    def _look_at(self, change: Change, at_risk: dict[str, set[str] | None]) -> None:
        before = change.before
        if isinstance(before, Sysctl) and before.path in _EVERYWHERE:
            directory, keys = _EVERYWHERE[before.path]
            self._keep_sysctls(before.netns, (directory,), None, keys)
            if before.path.endswith("disable_ipv6"):
                at_risk[before.netns] = None
        for netns, name in _endangered(change):
            if change.action in ("delete", "move") and not isinstance(before, Address):
                self._keep_sysctls(netns, _CONF, name)
            names = at_risk.setdefault(netns, set())
            if names is not None:
                names.add(name)

    def _keep(self, link: Link) -> None:
        self._links[(link.netns, link.ifname)] = link
        self._addresses += [address for address in self._addresses_of(link) if not address.automatic]
        for route in self._routes_of(link):
            if not route.automatic and route.type in ip_messages.ROUTE_TYPES:
                self._routes.setdefault(_whole(route), route)

    def _addresses_of(self, link: Link) -> list[Address]:
        dumped = self._host.socket(link.netns).dump(rtnetlink.RTM_GETADDR, ip_messages.address_query(link.index))
        return [ip_messages.decode_address(data, link.netns, lambda _index: link.ifname) for data in dumped]

    def _routes_of(self, link: Link) -> t.Iterator[Route]:
        for family in ip_messages.FAMILIES.values():
            for data in self._host.socket(link.netns).dump(rtnetlink.RTM_GETROUTE, ip_messages.route_query(family, 0, link.index)):
                yield ip_messages.decode_route(data, link.netns, lambda index: self._host.device_name(link.netns, index))

    def _keep_sysctls(self, netns: str, directories: t.Iterable[str], device: str | None, keys: t.Collection[str] = ()) -> None:
        kept = self._sysctls.setdefault(netns, {})
        with self._host.inside(netns):
            for directory in directories:
                # all and default first: what is written there is written to each device
                devices = [device] if device else sorted(_listed(directory), key=lambda name: name not in ("all", "default"))
                for path in (f"{directory}/{name}/{key}" for name in devices for key in keys or _listed(f"{directory}/{name}")):
                    value = _read(path)
                    if value is not None:
                        kept[path] = value

    def missing(self) -> t.Iterator[Change]:
        """What is still not as it was; each change is to be made before the next is asked for."""
        for link in self._links.values():
            if self._host.link(link.netns, link.ifname) is None and link.link_kind not in (None, "", "veth"):
                yield Change.create(link, (0, 0), _REASON)
        for link in self._links.values():
            now = self._host.link(link.netns, link.ifname)
            if now is None:
                continue
            differs = {name: (getattr(now, name), getattr(link, name)) for name in _OWN if getattr(now, name) != getattr(link, name)}
            if differs:
                yield Change.update(now, link, differs, (0, 0), _REASON)
        yield from self._missing_sysctls()
        yield from self._missing_addresses()
        yield from self._missing_routes()

    def _missing_sysctls(self) -> t.Iterator[Change]:
        for netns, kept in self._sysctls.items():
            with self._host.inside(netns):
                found = {path: _read(path) for path in kept}
            for path, value in kept.items():
                if found[path] not in (None, value):
                    before, after = (Sysctl(netns=netns, path=path, value=word) for word in (found[path], value))
                    yield Change.update(before, after, {"value": (found[path], value)}, (0, 0), _REASON)

    def _missing_addresses(self) -> t.Iterator[Change]:
        for link in self._now():
            there = [address.key for address in self._addresses_of(link)]
            kept = [address for address in self._addresses if (address.netns, address.dev) == (link.netns, link.ifname)]
            yield from _in_order([address for address in kept if ":" not in address.address], there)
            for address in kept:
                if ":" in address.address and address.key not in there:
                    yield Change.create(address, (0, 0), _REASON)

    def keep_routes(self, done: t.Sequence[Change]) -> None:
        """Before a roll-back: routes of others by way of a device that loses an IPv4 address again, maybe its last."""
        made = {change.resource.key for change in done}
        undone = [change.after for change in done if change.action == "create" and isinstance(change.after, Address)]
        for netns, dev in {(address.netns, address.dev) for address in undone if "." in address.address}:
            link = self._host.link(netns, dev)
            for route in self._routes_of(link) if link else ():
                if not route.automatic and route.key not in made and route.type in ip_messages.ROUTE_TYPES:
                    self._routes.setdefault(_whole(route), route)

    def _missing_routes(self) -> t.Iterator[Change]:
        devices = {(route.netns, dev) for route in self._routes.values() for dev in route.devices if dev}
        links = [link for link in (self._host.link(netns, dev) for netns, dev in devices) if link]
        there = {_whole(route) for link in links for route in self._routes_of(link)}
        for route in sorted(self._routes.values(), key=lambda route: route.rank):
            if _whole(route) not in there:
                yield Change.create(route, (0, 0), _REASON)

    def _now(self) -> t.Iterator[Link]:
        for netns, name in self._links:
            link = self._host.link(netns, name)
            if link:
                yield link


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
