# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What can be asked for and what can be found: typed, immutable, normalised records, each with its key.

The same record describes a wish and an observation. In a wish a field that is ``None`` was not asked for and is left
alone; an observation has every field that the kernel tells. ``key`` says which object is meant, ``KEY`` and ``POLICY``
name the fields that are not compared: identity, and how to do it.

Addresses, routes and NAT have files of their own. Who only asks whether a record is one of those asks for its ``Kind``.
"""

from __future__ import annotations

import typing as t

from .record import Key, Kind, Pairs, Resource, lazy, record
from .values import HOST


@record
class Namespace(Resource):
    """A name under /run/netns; ``loopback`` is whether ``lo`` is up, ``resolver`` the text of its resolv.conf."""

    KIND: t.ClassVar[str] = Kind.NAMESPACE
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

    KIND: t.ClassVar[str] = Kind.LINK
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

    KIND: t.ClassVar[str] = Kind.VETH
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
class Sysctl(Resource):
    """A value below /proc/sys/net of one namespace; ``path`` is relative to /proc/sys."""

    KIND: t.ClassVar[str] = Kind.SYSCTL
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
