# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The nftables table of a NATed network, as text. Pure.

A packet from a device that we opened may pass if its connection is known already, or if a network claims it; a
connection is known only if its first packet passed. A drop in one table cannot be lifted in another, and each network
has a table of its own, so the tables must tell each other: at priority -10 each marks the first packets that it claims,
at 10 each drops what comes from its opened devices unmarked, at 20 each takes the marks away. The marks are single bits, seen
by nobody outside these priorities. A connection's own mark or label would stay for its life time and be in the way of
others' use of it; telling every table about all networks would change them all when one comes.

In the same way networks learn of each other: each marks what leaves it, and what enters it. Both marks on one packet say that it
goes from one network to another, which a network that is isolated drops, and which passes the guards if neither is.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import typing as t

from . import nat_publish
from .errors import InputError
from .nftables import quote
from .resources_nat import Nat, Publish

ALL = "all"

# Used by neither kube-proxy and CNI plugins (0x2000 to 0x8000), Cilium (0xf00), Tailscale (0xff0000), mwan3 (0x3f00) nor
# wg-quick (0xca6c).
CLAIMED, LEAVES, ENTERS = 0x10000000, 0x20000000, 0x40000000
_MARKS = CLAIMED | LEAVES | ENTERS

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
    localnet: frozenset[str] = frozenset()
    publish: tuple[Publish, ...] = ()
    snat_to: str | None = None

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
        more = {f"accept_ra{self.digit}": self.accept_ra, f"localnet{self.digit}": self.localnet}
        return {**found, **{name: devices for name, devices in more.items() if devices}}


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


def _set_mark(bits: int) -> str:
    return f"meta mark set meta mark or {bits:#x}"


def _marked(bits: int) -> str:
    return f"meta mark and {bits:#x} == {bits:#x}"


def _claims(sides: t.Sequence[Side], hairpin: bool) -> list[str]:
    """What passes by the network's wish, and what goes from and to it at all."""
    inside = quote(sides[0].interface, "interface")
    claims = [claim for side in sides for claim in (_outward(side), *nat_publish.inward(side, hairpin))]
    return [
        *(f"{claim} {_set_mark(CLAIMED)}" for claim in claims),
        f"iifname {inside} oifname != {inside} {_set_mark(LEAVES)}",
        f"oifname {inside} iifname != {inside} {_set_mark(ENTERS)}",
    ]


def _unclaims(sides: t.Sequence[Side]) -> list[str]:
    inside = quote(sides[0].interface, "interface")
    return [f"{way} {inside} meta mark set meta mark and {_MARKS ^ 0xFFFFFFFF:#x}" for way in ("iifname", "oifname")]


def _translations(side: Side, masquerade: bool, hairpin: bool) -> list[str]:
    inside = f"@inside{side.digit}"
    how = f"snat {side.ip} to {side.snat_to}" if side.snat_to else "masquerade" if masquerade else None
    leaving = f"{side.ip} saddr {inside} {side.ip} daddr != {inside} oifname {quote(side.uplink, 'uplink')}"
    return [*([f"{leaving} {how}"] if how else []), *nat_publish.back(side, hairpin)]


_KNOWN = "ct state established,related accept"


def _guard(sides: t.Sequence[Side]) -> list[str]:
    """What may pass although it comes from an opened device, and then the drop."""
    rules = [_KNOWN, f"{_marked(CLAIMED)} accept", f"{_marked(LEAVES | ENTERS)} accept"]
    spared = {device for side in sides for device in ((side.interface, side.uplink) if side.everywhere else side.opened - {ALL})}
    # With br_netfilter a frame between two ports of a bridge comes here too, from the bridge to itself, and is not routed.
    names = [quote(device, "interface") for device in sorted(spared)]
    rules += [f'iifname {name} oifname {name} meta iifkind "bridge" accept' for name in names]
    for side in sides:
        family = f"meta nfproto ipv{side.digit}"
        if not side.everywhere:
            rules += [_translated(family)] if side.opened and side.digit == "6" else []
            rules += [f"{family} iifname @opened{side.digit} counter drop"] if side.opened else []
            continue
        if side.bridged:  # between bridges that are not ours the way back to itself cannot be told from the way to the next
            ours = ", ".join(sorted(quote(device, "interface") for device in (side.interface, side.uplink)))
            rules += [f"{family} {way} {{ {ours} }} counter drop" for way in ("iifname", "oifname")]
            rules += [f'{family} meta iifkind "bridge" meta oifkind "bridge" accept']
        rules += [f"{family} counter drop"]
    return rules


def _translated(family: str) -> str:
    """What others' bridges would get from ours by a port of the host.

    A frame that br_netfilter has translated gets its route there, and IPv6 then takes the device that it leaves by for the one that it
    came by: that one is asked whether it forwards (ip6_rcv_core() and ip6_forward() of Linux 6.18). IPv4 asks the right one.
    """
    return f'{family} meta iifkind "bridge" iifname != @opened6 oifname @opened6 ct status dnat counter drop'


def _isolation(sides: t.Sequence[Side], isolation: str) -> list[nat_publish.Chain]:
    """What an isolated network drops, whoever else forwards it; ``strict`` drops what is for the host itself as well."""
    if isolation == "none":
        return []
    inside = quote(sides[0].interface, "interface")
    uplinks = ", ".join(sorted({inside, *(quote(side.uplink, "uplink") for side in sides)}))
    strict = isolation == "strict"
    leaving = f"iifname {inside} " + (f"oifname != {inside}" if strict else _marked(ENTERS))
    entering = f"oifname {inside} " + (f"iifname != {{ {uplinks} }}" if strict else _marked(LEAVES))
    rules = [_KNOWN, f"{_marked(CLAIMED)} accept", f"{leaving} counter drop", f"{entering} counter drop"]
    found: list[nat_publish.Chain] = [("isolate", "filter hook forward priority 10", rules)]
    if strict:
        # neighbour discovery and the path MTU are ICMP
        own = f"iifname {inside} ct state new meta l4proto != {{ 1, 58 }} counter drop"
        found.append(("isolate_host", "filter hook input priority 10", [own]))
    return found


def render(family: str, table: str, nat: Nat, sides: t.Sequence[Side]) -> str:
    """The whole table. Priorities are numbers: nft 0.9.8 does not know their names in every family."""
    note = f"linuxnet.netns: network {valid_network(nat.network)}"
    hairpin = nat.hairpin is not False
    lines = [f"table {family} {table} {{"]
    for side in sides:
        lines += _sets(side) + nat_publish.maps(side)
    chains: list[nat_publish.Chain] = [
        ("claim", "filter hook forward priority -10", _claims(sides, hairpin)),
        ("unclaim", "filter hook forward priority 20", _unclaims(sides)),
        *_isolation(sides, nat.isolation or "networks"),
        *nat_publish.chains(sides, hairpin),
    ]
    for name, kind, rules in chains:
        lines += _chain(name, kind, rules, note)
    if any(side.opened for side in sides):
        lines += _chain("guard", "filter hook forward priority 10", _guard(sides), f"{note}, closed before it came")
    translations = [rule for side in sides for rule in _translations(side, nat.masquerade is not False, hairpin)]
    if translations:
        lines += _chain("translate", "nat hook postrouting priority 100", translations, note)
    return "\n".join([*lines, "}", ""])
