# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The published ports of a NATed network: as maps and chains in nftables' language, and read back from a ruleset. Pure.

One look-up finds a port, however many there are: by protocol there is a map from the host's address and port to the inside
address and port, and one to the inside address alone, for ranges whose ports stay as they are (a map cannot shift a range: of
one that is shifted each port stands for itself).

What the host sends itself passes the output hook only, so there the maps are asked too. From 127.0.0.1 a packet leaves by no
other device than lo, and none that comes from elsewhere is let in there, unless the device says route_localnet; what this
would let in from the neighbours on that device is dropped before anything else sees it. IPv6 has no such switch: what is sent
to ::1 stays on lo.
"""

from __future__ import annotations

import json
import typing as t

from .nftables import quote
from .resources_nat import Publish

if t.TYPE_CHECKING:
    from .nat_text import Side

LOOPBACK = {"4": "127.0.0.0/8", "6": "::1"}
_ANY = {"4": "0.0.0.0/0", "6": "::/0"}
_SAME = "_same"

# Name, what kind of chain, rules.
Chain = tuple[str, str, list[str]]


def by_localhost(publish: Publish) -> bool:
    """Whether it is to be reached by 127.0.0.1 too."""
    return publish.digit == "4" and (publish.host_address is None or publish.host_address.startswith("127."))


def _names(side: Side) -> list[str]:
    """The maps of a side."""
    found = {f"{publish.protocol}{side.digit}{_SAME if publish.to_first == publish.first else ''}" for publish in side.publish}
    return sorted(found)


def _elements(publish: Publish) -> list[str]:
    address = publish.host_address or _ANY[publish.digit]
    if publish.to_first == publish.first:
        return [f"{address} . {publish.ports} : {publish.to_address}"]
    shift = publish.to_first - publish.first
    return [f"{address} . {port} : {publish.to_address} . {port + shift}" for port in range(publish.first, publish.last + 1)]


def maps(side: Side) -> list[str]:
    """The lines of the maps."""
    found: dict[str, list[str]] = {name: [] for name in _names(side)}
    for publish in side.publish:
        found[f"{publish.protocol}{side.digit}{_SAME if publish.to_first == publish.first else ''}"] += _elements(publish)
    lines = []
    address = f"ipv{side.digit}_addr"
    for name, elements in found.items():
        kind = f"{address} . inet_service : {address}" + ("" if name.endswith(_SAME) else " . inet_service")
        lines += [f"  map {name} {{", f"    type {kind}", "    flags interval", f"    elements = {{ {', '.join(elements)} }}", "  }"]
    return lines


def _look_up(side: Side, spared: str) -> list[str]:
    """Packets to an address of the host get the address that a map has for them; ``spared`` is for lo alone."""
    rules = []
    unless = f"{side.ip} daddr != {spared} " if spared else ""
    for name in _names(side):
        protocol = name.partition(side.digit)[0]
        what = "" if name.endswith(_SAME) else " addr . port"
        rules.append(f"{unless}fib daddr type local dnat {side.ip}{what} to {side.ip} daddr . {protocol} dport map @{name}")
    return rules


def chains(sides: t.Sequence[Side], hairpin: bool) -> list[Chain]:
    """What leads into the network; nothing where nothing is published."""
    sides = [side for side in sides if side.publish]
    if not sides:
        return []
    inside = quote(sides[0].interface, "interface")
    # without hairpin the network's own packets are none of these: they would come back without their answers
    who = "" if hairpin else f"iifname != {inside} "
    arriving = [who + rule for side in sides for rule in _look_up(side, LOOPBACK[side.digit])]
    sent = [rule for side in sides for rule in _look_up(side, "" if side.digit == "4" else LOOPBACK["6"])]
    found: list[Chain] = [
        ("publish", "nat hook prerouting priority -100", arriving),
        ("publish_own", "nat hook output priority -100", sent),
    ]
    if any(side.localnet for side in sides):
        spoofed = [f"iifname @localnet4 ip {end} {LOOPBACK['4']} counter drop" for end in ("daddr", "saddr")]
        found.append(("loopback", "filter hook prerouting priority -300", spoofed))
    return found


def inward(side: Side, hairpin: bool) -> list[str]:
    """The first packets of connections to what is published, by us or by somebody who leads a port here on purpose."""
    if not side.publish:
        return []
    inside = quote(side.interface, "interface")
    sources = [quote(side.uplink, "uplink"), *([inside] if hairpin else [])]
    return [f"iifname {source} oifname {inside} {side.ip} daddr @inside{side.digit} ct state new ct status dnat" for source in sources]


def back(side: Side, hairpin: bool) -> list[str]:
    """Connections whose answers would not come back through the host: it hides who began them."""
    if not side.publish:
        return []
    inside, members = quote(side.interface, "interface"), f"@inside{side.digit}"
    found = [f"{side.ip} saddr {members} {side.ip} daddr {members} oifname {inside} ct status dnat masquerade"] if hairpin else []
    if any(by_localhost(publish) for publish in side.publish):
        found.append(f"ip saddr {LOOPBACK['4']} oifname {inside} ct status dnat masquerade")
    return found


# -- read back


def published(ruleset: str | None) -> tuple[Publish, ...]:
    """What a table of ours publishes, by its ruleset in JSON; what somebody else put into its maps is left out."""
    entries = (entry["map"] for entry in json.loads(ruleset or '{"nftables": []}')["nftables"] if "map" in entry)
    found = [publish for entry in entries for publish in _told(entry)]
    return tuple(sorted(found, key=lambda publish: (publish.protocol, publish.digit, publish.host_address or "", publish.first)))


def _told(entry: t.Mapping[str, t.Any]) -> t.Iterator[Publish]:
    protocol = entry["name"].replace(_SAME, "")[:-1]
    for key, value in entry.get("elem", ()):
        try:
            address, ports = key["concat"]
            first, last = ports["range"] if isinstance(ports, dict) else (ports, ports)
            to_address, to_first = value["concat"] if isinstance(value, dict) else (value, first)
        except (KeyError, TypeError, ValueError):
            continue
        yield Publish(protocol, first, last, to_address, to_first, address if isinstance(address, str) else None)
