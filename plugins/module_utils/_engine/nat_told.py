# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What network a table of ours is: the inverse of ``nat_text``."""

from __future__ import annotations

import ipaddress
import json
import typing as t

from . import nat_publish
from .resources_nat import Nat, Table

PREFIX = "linuxnet_"


def told(table: Table) -> Nat | None:
    """The network that the table was made for; None where it is not one of ours any more."""
    entries = json.loads(table.ruleset or '{"nftables": []}')["nftables"]
    sets = {entry["set"]["name"]: entry["set"].get("elem", []) for entry in entries if "set" in entry}
    rules = [entry["rule"] for entry in entries if "rule" in entry]
    devices = {devices for rule in rules if rule["chain"] == "claim" for devices in _outward(rule)}
    inside = {interface for interface, _uplink in devices}
    subnets = tuple(subnet for digit in ("4", "6") for subnet in _subnets(sets.get(f"inside{digit}", [])))
    if len(inside) != 1 or None in inside or not subnets:
        return None
    uplinks = {uplink for _interface, uplink in devices}
    # two of them are what 'auto' found for IPv4 and for IPv6
    (uplink,) = uplinks if len(uplinks) == 1 else ("auto",)
    chains = {rule["chain"] for rule in rules}
    families = [digit for digit in ("4", "6") if sets.get(f"inside{digit}")]
    hidden = [rule for rule in rules if rule["chain"] == "translate" and _devices(rule)[1] in uplinks]
    snat_to = tuple(part["snat"]["addr"] for rule in hidden for part in rule["expr"] if "snat" in part)
    return Nat(
        netns=table.netns,
        network=table.table[len(PREFIX) :],
        subnets=subnets,
        interface=inside.pop(),
        uplink=uplink,
        # where there is an address to hide behind it makes no difference
        masquerade=len(hidden) == len(families),
        snat_to=snat_to,
        publish=nat_publish.published(table.ruleset),
        isolation="strict" if "isolate_host" in chains else "networks" if "isolate" in chains else "none",
        hairpin=not any(_devices(rule)[0] for rule in rules if rule["chain"] == "publish"),
    )


def _outward(rule: t.Mapping[str, t.Any]) -> list[tuple[str | None, str | None]]:
    """The devices of a rule that lets the network's own packets out; none, where it is another rule."""
    own = {"payload": {"protocol": "ip", "field": "saddr"}}, {"payload": {"protocol": "ip6", "field": "saddr"}}
    return [_devices(rule)] if any(part["match"]["left"] in own for part in rule["expr"] if "match" in part) else []


def _devices(rule: t.Mapping[str, t.Any]) -> tuple[str | None, str | None]:
    """The devices that a rule lets pass from and to."""
    matches = [part["match"] for part in rule["expr"] if "match" in part]
    found = {match["left"]["meta"]["key"]: match["right"] for match in matches if "meta" in match["left"]}
    return found.get("iifname"), found.get("oifname")


def _subnets(elements: t.Sequence[t.Any]) -> list[str]:
    found: list[t.Any] = []
    for element in elements:
        if isinstance(element, str):
            found.append(ipaddress.ip_network(element))
        elif "prefix" in element:
            found.append(ipaddress.ip_network(f"{element['prefix']['addr']}/{element['prefix']['len']}"))
        elif "range" in element:
            first, last = (ipaddress.ip_address(end) for end in element["range"])
            found += ipaddress.summarize_address_range(t.cast(t.Any, first), t.cast(t.Any, last))
    return [str(network) for network in sorted(found)]
