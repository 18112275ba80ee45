# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What was found on the host, and what the wishes will add to it. Pure."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import typing as t

from .errors import StateError
from .record import Key, Kind, Resource
from .resources import Link, Namespace, Veth
from .values import ROUTE_TABLES, no_namespace, place

if t.TYPE_CHECKING:
    from .homes import Home
    from .resources_routes import Route

_R = t.TypeVar("_R", bound=Resource)

MAIN = ROUTE_TABLES["main"]

Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


# A thousand namespaces behind one bridge have the same few prefixes and gateways.
@functools.cache
def _network(prefix: str) -> Network:
    return ipaddress.ip_network(prefix, strict=False)


@functools.cache
def _address(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(value)


@dataclasses.dataclass(eq=False, repr=False)
class Observed:
    """What was found. ``found`` holds objects by key, ``devices`` every device seen, ``places`` what references are."""

    found: dict[Key, Resource] = dataclasses.field(default_factory=dict)
    devices: dict[tuple[str, str], Link] = dataclasses.field(default_factory=dict)
    places: dict[str, str] = dataclasses.field(default_factory=dict)  # "there", "missing", or what is in its place, in words
    on_link: dict[str, list[Network]] = dataclasses.field(default_factory=dict)  # prefixes reached without a gateway
    resolvers: dict[str, str | None] = dataclasses.field(default_factory=dict)  # DNS files of namespaces that are not there
    pid_inodes: dict[int, int] = dataclasses.field(default_factory=dict)
    named: frozenset[Key] = frozenset()  # what wishes name
    doomed: frozenset[str] = frozenset()  # namespaces that go with all that is in them, which was not looked at
    # for a bridge that takes over a port: the routes by way of a device, and the keys that several routes have
    routes: dict[tuple[str, str], list[Route]] = dataclasses.field(default_factory=dict)
    contested: set[Key] = dataclasses.field(default_factory=set)
    # devices away from home: all on record, where those are that this is about, and how those are that are about to leave
    homes: tuple[Home, ...] = ()
    away: dict[Key, Link] = dataclasses.field(default_factory=dict)
    leaving: dict[tuple[str, str], Home] = dataclasses.field(default_factory=dict)
    inodes: dict[str, int] = dataclasses.field(default_factory=dict)
    because: str = "state is absent"  # why what is to go goes
    # what the wishes themselves will bring
    coming_places: frozenset[str] = frozenset()
    coming_devices: frozenset[tuple[str, str]] = frozenset()
    coming_addresses: frozenset[Key] = frozenset()

    def like(self, wish: _R) -> _R | None:
        """The object that the wish is about, as it is."""
        return t.cast("_R | None", self.found.get(wish.key))

    @functools.cached_property
    def _by_place(self) -> dict[tuple[type[Resource], str], list[t.Any]]:
        found: dict[tuple[type[Resource], str], list[t.Any]] = {}
        for resource in self.found.values():
            found.setdefault((type(resource), resource.where), []).append(resource)
        return found

    def of(self, kind: type[_R], netns: str) -> list[_R]:
        """All found objects of a kind in a namespace; for when nothing is added to ``found`` any more."""
        return self._by_place.get((kind, netns), [])

    def expect(self, present: t.Iterable[Resource]) -> None:
        """Note what will be there once the wishes are fulfilled, so that one wish can lean on another."""
        wishes = list(present)
        self.coming_places = frozenset(wish.netns for wish in wishes if isinstance(wish, Namespace))
        links = [end for wish in wishes for end in (wish.ends if isinstance(wish, Veth) else (wish,) if isinstance(wish, Link) else ())]
        own = {(netns, "lo") for netns in self.coming_places}
        self.coming_devices = frozenset({(link.netns, link.ifname) for link in links} | own)
        self.coming_addresses = frozenset(wish.key for wish in wishes if wish.KIND == Kind.ADDRESS)
        for wish in wishes:
            if wish.reached:
                self.reach(wish.where, wish.reached)

    def reach(self, netns: str, prefix: str) -> None:
        """Note a prefix that is reached without a gateway."""
        self.on_link.setdefault(netns, []).append(_network(prefix))

    def reaches(self, netns: str, gateway: str, table: int) -> bool:
        """Whether a gateway is on a link of the namespace; other tables than main and IPv6 link-local ones are the kernel's to judge."""
        address = _address(gateway)
        if table != MAIN or address.is_link_local:
            return True
        return any(address in network for network in self.on_link.get(netns, ()))

    def there(self, netns: str) -> bool:
        return self.places.get(netns) == "there"

    def need_place(self, netns: str, resource: Resource) -> None:
        """Refuse a wish for a namespace that is not there and will not be."""
        status = self.places.get(netns, "there")
        if status == "there" or netns in self.coming_places:
            return
        if status != "missing":
            raise StateError(no_namespace(netns, status))
        cure = "correct the path" if netns.startswith("/") else "create it with linuxnet.netns.netns or correct 'netns'"
        raise StateError(f"namespace {netns!r} does not exist: {cure}; {resource.describe()} was to be there")

    def need_device(self, netns: str, name: str | None, option: str, resource: Resource) -> None:
        """Refuse a wish that leans on a device that is not there and will not be."""
        if name and (netns, name) not in self.devices and (netns, name) not in self.coming_devices:
            raise StateError(
                f"{option}: there is no device {name!r} {place(netns)}: create it first or correct '{option}' of {resource.describe()}"
            )
