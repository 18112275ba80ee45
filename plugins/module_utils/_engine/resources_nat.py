# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What a NATed network is made of: the ports of the host that lead into it, its nftables table, its drop-in for sysctls."""

from __future__ import annotations

import typing as t

from .record import Resource, Value, record
from .values_ip import family_of


@record
class Publish(Value):
    """The host's ports ``first`` to ``last`` lead to the ports from ``to_first`` on of ``to_address``.

    ``host_address``: of this address of the host only; None: of all that it has in the family of ``to_address``.
    """

    protocol: str
    first: int
    last: int
    to_address: str
    to_first: int
    host_address: str | None = None

    @property
    def digit(self) -> str:
        """4 or 6, as in IPv4 and IPv6."""
        return family_of(self.to_address)[-1]

    @property
    def ports(self) -> str:
        """As the option has them."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    def meets(self, other: Publish) -> bool:
        """Whether some packet would be meant by both."""
        if (self.protocol, self.digit) != (other.protocol, other.digit):
            return False
        apart = None not in (self.host_address, other.host_address) and self.host_address != other.host_address
        return not apart and self.first <= other.last and other.first <= self.last

    def describe(self) -> str:
        """How a message names it."""
        return f"{self.protocol} port {self.ports}" + (f" of {self.host_address}" if self.host_address else "")


@record
class Table(Resource):
    """An nftables table of ours. ``ruleset`` is nft's own canonical JSON and is what is compared; ``text`` makes it."""

    KIND: t.ClassVar[str] = "nft_table"
    KEY: t.ClassVar[tuple[str, ...]] = ("netns", "family", "table")
    POLICY: t.ClassVar[tuple[str, ...]] = ("text",)

    netns: str
    family: str
    table: str
    text: str = ""
    ruleset: str | None = None

    @property
    def name(self) -> str:
        return f"{self.family} {self.table}"

    def shown(self) -> dict[str, t.Any]:
        return {"ruleset": self.text}


@record
class SysctlFile(Resource):
    """A drop-in by which systemd-sysctl and ``sysctl --system`` set what a network needs, whatever other files say."""

    KIND: t.ClassVar[str] = "file"
    KEY: t.ClassVar[tuple[str, ...]] = ("path",)

    path: str
    text: str | None = None

    @property
    def name(self) -> str:
        return self.path


@record
class Nat(Resource):
    """A network behind ``interface`` that leaves by ``uplink``; ``uplink`` ``auto`` is the default route's device."""

    KIND: t.ClassVar[str] = "nat"
    KEY: t.ClassVar[tuple[str, ...]] = ("netns", "network")
    TRACE: t.ClassVar[tuple[str, ...]] = ("interface", "uplink")

    netns: str
    network: str
    subnets: tuple[str, ...] = ()
    interface: str | None = None
    uplink: str | None = None
    masquerade: bool | None = None
    snat_to: tuple[str, ...] = ()  # one address of each family at most
    publish: tuple[Publish, ...] = ()
    isolation: str | None = None
    hairpin: bool | None = None
    foreign_drop: str | None = None

    @property
    def devices(self) -> list[str]:
        """The devices that it names."""
        return [name for name in (self.interface, self.uplink) if name and name != "auto"]

    @property
    def name(self) -> str:
        return self.network
