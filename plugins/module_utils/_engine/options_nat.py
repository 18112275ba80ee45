# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of a network behind NAT -> its record. Pure."""

from __future__ import annotations

import ipaddress
import typing as t

from . import values, values_ip
from .errors import InputError
from .nat_text import valid_network
from .resources_nat import Nat, Publish

Item = t.Mapping[str, t.Any]


def nat(item: Item, present: bool) -> Nat:
    """The network that an item means."""
    valid_network(item["name"])
    interface, uplink = item.get("interface"), item.get("uplink") or "auto"
    subnets = tuple(dict.fromkeys(values_ip.ip_prefix(subnet, "subnets") for subnet in item.get("subnets") or ()))
    if present and not subnets:
        raise InputError(f"subnets: nat {item['name']} needs at least one: give those that are behind its interface")
    if present and not interface:
        raise InputError(f"interface: nat {item['name']} needs the device that its subnets are behind: name it")
    if interface == uplink:
        raise InputError(f"uplink: {uplink!r} is the interface of nat {item['name']} itself: name the device that leads outside, or auto")
    return Nat(
        netns=values.netns_reference(item.get("netns")),
        network=item["name"],
        subnets=subnets,
        interface=values.interface_name(interface, "interface") if interface else None,
        uplink=values.interface_name(uplink, "uplink"),
        masquerade=item.get("masquerade") is not False,
        snat_to=_snat_to(item.get("snat_to") or (), subnets) if present else (),
        publish=_published(item.get("publish") or (), subnets) if present else (),
        isolation=item.get("isolation") or "networks",
        hairpin=item.get("hairpin") is not False,
        foreign_drop=item.get("foreign_drop"),
    )


def _snat_to(given: t.Sequence[str], subnets: t.Sequence[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for text in given:
        address = values_ip.ip_address(text, "snat_to")
        family = values_ip.family_of(address)
        if family not in map(values_ip.family_of, subnets):
            raise InputError(f"snat_to: none of the subnets is of the family of {address}: remove it, or add such a subnet")
        if found.setdefault(family, address) != address:
            raise InputError(f"snat_to: {address} is the second address of IPv{family[-1]}: give one of each family at most")
    return tuple(found[family] for family in sorted(found))


def _published(given: t.Sequence[Item], subnets: t.Sequence[str]) -> tuple[Publish, ...]:
    networks = [ipaddress.ip_network(subnet) for subnet in subnets]
    found: dict[Publish, int] = {}
    for at, item in enumerate(given):
        found.setdefault(_publish(item, f"publish[{at}].", networks), at)
    _refuse_twice(found)
    return tuple(found)


def _publish(item: Item, option: str, networks: t.Sequence[t.Any]) -> Publish:
    to_address = values_ip.ip_address(item["to_address"], f"{option}to_address")
    if not any(ipaddress.ip_address(to_address) in network for network in networks):
        raise InputError(
            f"{option}to_address: {to_address} is in none of the subnets {', '.join(map(str, networks))}: correct the one or the other"
        )
    address = item.get("host_address")
    if address is not None:
        address = _host_address(address, to_address, f"{option}host_address")
    first, last = _ports(item["host_port"], f"{option}host_port")
    to_first, to_last = _ports(item["to_port"], f"{option}to_port") if item.get("to_port") is not None else (first, last)
    if to_last - to_first != last - first:
        raise InputError(
            f"{option}to_port: {item['to_port']} are not as many ports as host_port {item['host_port']}: give as many, or leave to_port out"
        )
    return Publish(item.get("protocol") or "tcp", first, last, to_address, to_first, address)


def _host_address(text: str, to_address: str, option: str) -> str | None:
    address = ipaddress.ip_address(values_ip.ip_address(text, option))
    if values_ip.family_of(str(address)) != values_ip.family_of(to_address):
        raise InputError(f"{option}: {address} and to_address {to_address} are of different families: give both of one")
    if str(address) == "::1":
        raise InputError(
            f"{option}: what is sent to ::1 stays on lo, and the kernel leads it nowhere else: publish another address, or 127.0.0.1"
        )
    if address.is_multicast:
        raise InputError(f"{option}: {address} is a multicast address: give one that the host has, or leave it out for all of them")
    return None if address.is_unspecified else str(address)


def _ports(given: t.Any, option: str) -> tuple[int, int]:
    first, dash, last = str(given).strip().partition("-")
    numbers = [first, last if dash else first]
    if not all(number.isdecimal() and 1 <= int(number) <= 65535 for number in numbers) or int(numbers[0]) > int(numbers[1]):
        raise InputError(f"{option}: {given!r} is neither a port from 1 to 65535 nor a range of them, such as 8000-8010")
    return int(numbers[0]), int(numbers[1])


def _refuse_twice(found: t.Mapping[Publish, int]) -> None:
    """A port can lead to one place only."""
    ordered = sorted(found, key=lambda publish: (publish.protocol, publish.digit, publish.first))
    for at, publish in enumerate(ordered):
        for other in ordered[at + 1 :]:
            if (other.protocol, other.digit) != (publish.protocol, publish.digit) or other.first > publish.last:
                break
            if publish.meets(other):
                one, two = sorted((found[publish], found[other]))
                both = publish if publish.host_address or not other.host_address else other
                raise InputError(f"publish[{one}] and publish[{two}] both publish {both.describe()}: remove one of them")
