# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The records of routes and of policy routing rules."""

from __future__ import annotations

import dataclasses
import typing as t

from .record import Kind, Pairs, Resource, Value, record
from .values import ROUTE_TABLES

IPV6_DEFAULT_METRIC = 1024
_PROTOCOL_KERNEL = 2


@record
class Nexthop(Value):
    """One way of a multipath route."""

    gateway: str | None = None
    dev: str | None = None
    weight: int = 1
    onlink: bool = False


@record
class Route(Resource):
    """A route; the kernel tells routes apart by table, prefix and metric (and the type of service, not used here)."""

    KIND: t.ClassVar[str] = Kind.ROUTE
    KEY: t.ClassVar[tuple[str, ...]] = ("netns", "table", "dest", "metric")
    TRACE: t.ClassVar[tuple[str, ...]] = ("gateway", "dev", "type", "protocol", "nexthops")

    netns: str
    dest: str  # canonical prefix; 0.0.0.0/0 and ::/0 for default
    table: int
    metric: int | None  # None, where it is to go: whatever its metric
    gateway: str | None = None
    dev: str | None = None
    type: str | None = None
    scope: int | None = None
    src: str | None = None
    mtu: int | None = None
    advmss: int | None = None
    onlink: bool | None = None
    protocol: int | None = None
    nexthops: tuple[Nexthop, ...] = ()

    @property
    def name(self) -> str:
        shown = {"0.0.0.0/0": "default", "::/0": "ipv6 default"}.get(self.dest, self.dest)
        shown += "" if self.table == ROUTE_TABLES["main"] else f" table {self.table}"
        return shown + ("" if self.metric in (None, 0, IPV6_DEFAULT_METRIC) else f" metric {self.metric}")

    @property
    def reached(self) -> str | None:
        return self.dest if self.table == ROUTE_TABLES["main"] and self.dev and not self.gateway else None

    @property
    def automatic(self) -> bool:
        """Whether the kernel made it: it comes and goes with an address."""
        return self.protocol == _PROTOCOL_KERNEL

    @property
    def rank(self) -> int:
        """What is on the link comes before what is behind a gateway on it."""
        return int(any(way.gateway for way in self.ways))

    @property
    def ways(self) -> tuple[Nexthop, ...]:
        """Where it leads, be it one way or many."""
        return self.nexthops or (Nexthop(self.gateway, self.dev, onlink=bool(self.onlink)),)

    @property
    def devices(self) -> list[str]:
        """The devices that it names."""
        return [way.dev for way in self.ways if way.dev]

    def shown(self) -> dict[str, t.Any]:
        found = super().shown()
        if self.nexthops:
            found["nexthops"] = [dataclasses.asdict(hop) for hop in self.nexthops]
        return found


@record
class Rule(Resource):
    """A policy routing rule: its selectors make it this rule, ``table`` and ``type`` are what it does."""

    KIND: t.ClassVar[str] = Kind.RULE
    KEY: t.ClassVar[tuple[str, ...]] = ("netns", "family", "priority", "selectors")
    POLICY: t.ClassVar[tuple[str, ...]] = ("protocol",)
    TRACE: t.ClassVar[tuple[str, ...]] = ("protocol",)

    netns: str
    family: str
    priority: int | None
    selectors: Pairs = ()  # from, to, iif, oif, fwmark, fwmask, tos, ipproto, sport, dport, uidrange, not
    table: int | None = None
    type: str | None = None
    suppress_prefixlength: int | None = None
    protocol: int | None = None  # observed only

    @property
    def name(self) -> str:
        shown = " ".join(f"{name} {value}" for name, value in self.selectors)
        return f"{self.family} {'' if self.priority is None else self.priority}: {shown or 'from all'}".replace(" :", ":")
