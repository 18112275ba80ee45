# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The records of addresses: one on a device, and what is said of all that a device has."""

from __future__ import annotations

import typing as t

from .record import Key, Kind, Resource, lazy, record
from .values import place


@record
class Address(Resource):
    """An address on a device. IPv4 tells addresses apart by prefix length and peer too, IPv6 by the address alone."""

    KIND: t.ClassVar[str] = Kind.ADDRESS
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
    def devices(self) -> list[str]:
        """The devices that it names."""
        return [self.dev]

    @property
    def reached(self) -> str:
        return f"{self.peer or self.address}/{self.prefixlen}"

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

    KIND: t.ClassVar[str] = Kind.ONLY_ADDRESSES
    netns: str
    dev: str
    keep: tuple[Address, ...] = ()

    @lazy
    def key(self) -> Key:
        return (self.KIND, self.netns, self.dev)

    @property
    def devices(self) -> list[str]:
        """The devices that it names."""
        return [self.dev]

    @property
    def name(self) -> str:
        return self.dev


@record
class TakeOver(Resource):
    """A wish: ``port`` is a port of ``bridge``, and what the host has on it the host has on the bridge."""

    KIND: t.ClassVar[str] = Kind.TAKE_OVER
    KEY: t.ClassVar[tuple[str, ...]] = ("netns", "bridge")
    TRACE: t.ClassVar[tuple[str, ...]] = ("port",)

    netns: str
    bridge: str
    port: str

    @property
    def devices(self) -> list[str]:
        """The devices that it names."""
        return [self.bridge, self.port]

    @property
    def name(self) -> str:
        return self.port

    def describe(self) -> str:
        return f"link {self.bridge} {place(self.netns)}"
