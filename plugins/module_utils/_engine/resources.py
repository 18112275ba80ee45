# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What can be asked for and what can be found: typed, immutable, normalised records, each with its key.

The same record describes a wish and an observation. In a wish a field that is ``None`` was not asked for and is left
alone; an observation has every field that the kernel tells. ``key`` says which object is meant, ``KEY`` and ``POLICY``
name the fields that are not compared: identity, and how to do it.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .record import Key, Pairs, Resource, Value, lazy, record
from .values import HOST, ROUTE_TABLES, place

IPV6_DEFAULT_METRIC = 1024
_PROTOCOL_KERNEL = 2


@record
class Namespace(Resource):
    """A name under /run/netns; ``loopback`` is whether ``lo`` is up, ``resolver`` the text of its resolv.conf."""

    KIND: t.ClassVar[str] = "namespace"
    KEY: t.ClassVar[tuple[str, ...]] = ("netns",)
    POLICY: t.ClassVar[tuple[str, ...]] = ("pid", "processes", "kill_timeout", "inode", "stale", "pids")
    TRACE: t.ClassVar[tuple[str, ...]] = ("inode", "processes", "kill_timeout")

    netns: str
    loopback: bool | None = None
    nsid: int | None = None
    resolver: str | None = None
    pid: int | None = None
    processes: str = "fail"
    kill_timeout: int = 10
    # observed only
    inode: int = 0
    stale: bool = False
    pids: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        return self.netns

    @property
    def where(self) -> str:
        return HOST

    def describe(self) -> str:
        return f"namespace {self.netns}"


@record
class Link(Resource):
    """A network device. ``link_kind`` is the kernel's kind; empty: whatever device has that name (a physical one above all)."""

    KIND: t.ClassVar[str] = "link"
    KEY: t.ClassVar[tuple[str, ...]] = ("netns", "ifname")
    POLICY: t.ClassVar[tuple[str, ...]] = (
        *("from_netns", "force", "fixed", "addr_gen_mode", "mac_of"),
        *("ours", "running", "index", "parent_nsid", "parent_index", "peer", "altnames", "raw_info", "raw_port"),
    )
    TRACE: t.ClassVar[tuple[str, ...]] = ("link_kind", "parent", "parent_netns", "master", "from_netns")

    netns: str
    ifname: str
    link_kind: str | None = None
    parent: str | None = None
    parent_netns: str | None = None
    mtu: int | None = None
    mac_address: str | None = None
    master: str | None = None  # "" is: in no master
    up: bool | None = None
    alias: str | None = None
    txqueuelen: int | None = None
    num_tx_queues: int | None = None
    num_rx_queues: int | None = None
    info: Pairs = ()  # attributes of the kind
    port: Pairs = ()  # settings as a bridge port
    # how to do it
    from_netns: str = HOST
    force: bool = False
    fixed: tuple[str, ...] = ("link_kind", "parent", "parent_netns", "num_tx_queues", "num_rx_queues")  # the kernel cannot change them
    addr_gen_mode: str | None = None  # set at birth, not compared
    mac_of: str | None = None  # whose MAC address it is to have, where it is not given one
    # observed only
    ours: bool = False
    running: bool = False  # up, with a carrier
    index: int = 0
    parent_nsid: int | None = None  # how the device's namespace calls the one of parent or peer; None: its own
    parent_index: int = 0
    peer: tuple[str, str] | None = None  # of a veth end: namespace reference and name, where both are known
    altnames: tuple[str, ...] = ()
    raw_info: bytes = b""  # the attributes of the kind as read, to put the device back exactly
    raw_port: bytes = b""

    @property
    def name(self) -> str:
        return self.ifname

    def option(self, name: str) -> str:
        return "kind" if name == "link_kind" else name.replace("info.", f"{self.link_kind}.", 1)

    def attributes(self) -> dict[str, t.Any]:
        found = super().attributes()
        for field in ("info", "port"):
            found.update({f"{field}.{name}": value for name, value in found.pop(field, ())})
        return found

    def attribute(self, name: str) -> t.Any:
        field, dot, inner = name.partition(".")  # such as info.vni
        return dict(getattr(self, field)).get(inner) if dot else super().attribute(name)


@record
class Veth(Resource):
    """A pair of veth ends, each in a namespace of its own; a wish only: what is found are two links."""

    KIND: t.ClassVar[str] = "veth"
    end: Link
    peer: Link | None = None  # None only where the pair is to go
    force: bool = False

    @lazy
    def key(self) -> Key:
        return (self.KIND, self.end.netns, self.end.ifname)

    @property
    def name(self) -> str:
        return self.end.ifname

    @property
    def where(self) -> str:
        return self.end.netns

    def shown(self) -> dict[str, t.Any]:
        found = self.end.shown()
        if self.peer is not None:
            found["peer"] = {"name": self.peer.ifname, "netns": self.peer.netns or None, **self.peer.shown()}
        return found

    @lazy
    def claims(self) -> frozenset[Key]:
        return frozenset(end.key for end in self.ends)

    def same_essence(self, other: Resource) -> bool:
        ends = zip(self.ends, other.ends) if isinstance(other, Veth) and len(self.ends) == len(other.ends) else None
        return ends is not None and all(one.same_essence(its) for one, its in ends)

    @lazy
    def _essence(self) -> Veth:
        return Veth(end=self.end.essence(), peer=self.peer.essence() if self.peer else None)

    @property
    def ends(self) -> tuple[Link, ...]:
        return (self.end,) if self.peer is None else (self.end, self.peer)


@record
class Address(Resource):
    """An address on a device. IPv4 tells addresses apart by prefix length and peer too, IPv6 by the address alone."""

    KIND: t.ClassVar[str] = "address"
    KEY: t.ClassVar[tuple[str, ...]] = ("netns", "dev", "address")
    POLICY: t.ClassVar[tuple[str, ...]] = ("wait_for_dad", "tentative", "dadfailed", "protocol")
    TRACE: t.ClassVar[tuple[str, ...]] = ("prefixlen", "peer", "protocol")

    netns: str
    dev: str
    address: str
    prefixlen: int
    peer: str | None = None
    broadcast: str | None = None
    label: str | None = None
    scope: int | None = None
    metric: int | None = None
    preferred_lft: int | None = None  # seconds; 2**32-1 is forever
    valid_lft: int | None = None
    nodad: bool | None = None
    noprefixroute: bool | None = None
    home: bool | None = None
    mngtmpaddr: bool | None = None
    wait_for_dad: bool = False
    # observed only
    tentative: bool = False
    dadfailed: bool = False
    protocol: int | None = None  # who set it; in a wish None, which is this collection

    @property
    def automatic(self) -> bool:
        """Whether it is a link-local one, which the kernel makes with the device."""
        return self.address.startswith("fe80:")

    @lazy
    def key(self) -> Key:
        if ":" in self.address:
            return (self.KIND, self.netns, self.dev, self.address)
        return (self.KIND, self.netns, self.dev, self.address, self.prefixlen, self.peer or "")

    @property
    def name(self) -> str:
        return f"{self.address}/{self.prefixlen} dev {self.dev}"


@record
class OnlyAddresses(Resource):
    """A wish: of the families and scopes in ``keep``, ``dev`` has no other addresses (kernel-made link-local ones stay)."""

    KIND: t.ClassVar[str] = "only_addresses"
    netns: str
    dev: str
    keep: tuple[Address, ...] = ()

    @lazy
    def key(self) -> Key:
        return (self.KIND, self.netns, self.dev)

    @property
    def name(self) -> str:
        return self.dev


@record
class TakeOver(Resource):
    """A wish: ``port`` is a port of ``bridge``, and what the host has on it the host has on the bridge."""

    KIND: t.ClassVar[str] = "take_over"
    KEY: t.ClassVar[tuple[str, ...]] = ("netns", "bridge")
    TRACE: t.ClassVar[tuple[str, ...]] = ("port",)

    netns: str
    bridge: str
    port: str

    @property
    def name(self) -> str:
        return self.port

    def describe(self) -> str:
        return f"link {self.bridge} {place(self.netns)}"


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

    KIND: t.ClassVar[str] = "route"
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

    KIND: t.ClassVar[str] = "rule"
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


@record
class Sysctl(Resource):
    """A value below /proc/sys/net of one namespace; ``path`` is relative to /proc/sys."""

    KIND: t.ClassVar[str] = "sysctl"
    KEY: t.ClassVar[tuple[str, ...]] = ("netns", "path")
    POLICY: t.ClassVar[tuple[str, ...]] = ("if_there",)

    netns: str
    path: str
    value: str | None = None
    if_there: bool = False  # an old value given back: where its device is gone there is nothing to do

    @property
    def name(self) -> str:
        return self.path.replace(".", "\0").replace("/", ".").replace("\0", "/")

    @property
    def device(self) -> str | None:
        """The device whose value it is, if it is one's."""
        parts = self.path.split("/")
        return parts[3] if len(parts) == 5 and parts[2] in ("conf", "neigh") and parts[3] not in ("all", "default") else None
