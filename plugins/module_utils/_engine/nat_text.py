# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The nftables table of a NATed network, as text. Pure.

A packet from a device that we opened may pass if its connection is known already, or if a network claims it; a
connection is known only if its first packet passed. A drop in one table cannot be lifted in another, and each network
has a table of its own, so the tables must tell each other: at priority -10 each marks the first packets that it claims,
at 10 each drops what comes from its opened devices unmarked, at 20 each takes its marks away. The mark is one bit, seen
by nobody outside these priorities. A connection's own mark or label would stay for its life time and be in the way of
others' use of it; telling every table about all networks would change them all when one comes.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import typing as t

from .errors import InputError
from .nftables import quote

ALL = "all"

# Used by neither kube-proxy and CNI plugins (0x2000 to 0x8000), Cilium (0xf00), Tailscale (0xff0000), mwan3 (0x3f00) nor
# wg-quick (0xca6c).
MARK = 0x10000000

_NETWORK = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def valid_network(name: str) -> str:
    """A name that can be part of a table's name and of a comment."""
    if not _NETWORK.fullmatch(name):
        raise InputError(f"name: {name!r} cannot name a network: use 1 to 64 letters, digits, dots, dashes and underscores")
    return name


@dataclasses.dataclass(frozen=True)
class Side:
    """A network's part in one version of IP; the sets are described in ``nat``."""

    digit: str
    subnets: tuple[str, ...]
    interface: str
    uplink: str
    uses: frozenset[str]
    opened: frozenset[str]
    accept_ra: frozenset[str] = frozenset()
    bridged: bool = False

    @property
    def ip(self) -> str:
        return "ip" if self.digit == "4" else "ip6"

    @property
    def everywhere(self) -> bool:
        """Whether the guard is for all devices."""
        return self.digit == "6" and ALL in self.opened

    def sets(self) -> dict[str, frozenset[str]]:
        """The sets of device names in the table."""
        found = {f"uses{self.digit}": self.uses, f"opened{self.digit}": self.opened}
        return {**found, f"accept_ra{self.digit}": self.accept_ra} if self.accept_ra else found


def _prefixes(side: Side) -> list[str]:
    """Without overlaps, which a set of intervals cannot have."""
    networks: list[t.Any] = [ipaddress.ip_network(subnet) for subnet in side.subnets]
    return [str(network) for network in ipaddress.collapse_addresses(networks)]


def _set(name: str, kind: str, elements: t.Sequence[str]) -> list[str]:
    content = [f"    elements = {{ {', '.join(elements)} }}"] if elements else []
    return [f"  set {name} {{", f"    type {kind}", *content, "  }"]


def _sets(side: Side) -> list[str]:
    kind = f"ipv{side.digit}_addr\n    flags interval"
    lines = _set(f"inside{side.digit}", kind, _prefixes(side))
    for name, devices in side.sets().items():
        lines += _set(name, "ifname", [quote(device, "interface") for device in sorted(devices)])
    return lines


def _chain(name: str, kind: str, rules: t.Sequence[str], comment: str) -> list[str]:
    body = [f'    {rule} comment "{comment}"' for rule in rules]
    return [f"  chain {name} {{", f"    type {kind}; policy accept;", *body, "  }"]


def _outward(side: Side) -> str:
    devices = f"iifname {quote(side.interface, 'interface')} oifname {quote(side.uplink, 'uplink')}"
    return f"{devices} {side.ip} saddr @inside{side.digit} ct state new"


def _masquerade(side: Side) -> str:
    inside = f"@inside{side.digit}"
    return f"{side.ip} saddr {inside} {side.ip} daddr != {inside} oifname {quote(side.uplink, 'uplink')} masquerade"


def _guard(sides: t.Sequence[Side]) -> list[str]:
    """What may pass although it comes from an opened device, and then the drop."""
    rules = ["ct state established,related accept", f"meta mark and {MARK:#x} == {MARK:#x} accept"]
    spared = {device for side in sides for device in ((side.interface, side.uplink) if side.everywhere else side.opened - {ALL})}
    # With br_netfilter a frame between two ports of a bridge comes here too, from the bridge to itself, and is not routed.
    names = [quote(device, "interface") for device in sorted(spared)]
    rules += [f'iifname {name} oifname {name} meta iifkind "bridge" accept' for name in names]
    for side in sides:
        family = f"meta nfproto ipv{side.digit}"
        if not side.everywhere:
            rules += [f"{family} iifname @opened{side.digit} counter drop"] if side.opened else []
            continue
        if side.bridged:  # for bridges that are not ours the way back to itself cannot be told from the way to the next
            ours = ", ".join(sorted(quote(device, "interface") for device in (side.interface, side.uplink)))
            rules += [f"{family} iifname {{ {ours} }} counter drop", f'{family} meta iifkind "bridge" meta oifkind "bridge" accept']
        rules += [f"{family} counter drop"]
    return rules


def render(family: str, table: str, network: str, sides: t.Sequence[Side], masquerade: bool) -> str:
    """The whole table. Priorities are numbers: nft 0.9.8 does not know their names in every family."""
    note = f"linuxnet.netns: network {valid_network(network)}"
    lines = [f"table {family} {table} {{"]
    for side in sides:
        lines += _sets(side)
    forward = "filter hook forward priority"
    claims, others = [f"{_outward(side)} meta mark set meta mark" for side in sides], MARK ^ 0xFFFFFFFF
    lines += _chain("claim", f"{forward} -10", [f"{claim} or {MARK:#x}" for claim in claims], note)
    if any(side.opened for side in sides):
        lines += _chain("guard", f"{forward} 10", _guard(sides), f"{note}, closed before it came")
    lines += _chain("unclaim", f"{forward} 20", [f"{claim} and {others:#x}" for claim in claims], note)
    if masquerade:
        lines += _chain("translate", "nat hook postrouting priority 100", [_masquerade(side) for side in sides], note)
    return "\n".join([*lines, "}", ""])
