# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""One spelling for addresses, prefixes, and the numbers that iproute2 has names for. Pure; refuses what cannot be meant."""

from __future__ import annotations

import functools
import ipaddress
import typing as t

from .errors import InputError
from .values import ROUTE_TABLES

if t.TYPE_CHECKING:
    IPAddress = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

ROUTE_PROTOCOLS = {
    "unspec": 0,
    "redirect": 1,
    "kernel": 2,
    "boot": 3,
    "static": 4,
    "ra": 9,
    "dhcp": 16,
    "zebra": 11,
    "bird": 12,
    "babel": 42,
    "bgp": 186,
    "isis": 187,
    "ospf": 188,
    "rip": 189,
    "eigrp": 192,
}
SCOPES = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}


def _refuse_zone(value: str, option: str) -> None:
    """Python knows zones, the kernel's messages have the device beside the address."""
    if "%" in value:
        zone = value[value.index("%") :].partition("/")[0]
        raise InputError(f"{option}: {value!r} has a zone: remove {zone} and name the device with dev")


def ip_interface(value: str, option: str) -> tuple[IPAddress, int]:
    """An address and its prefix length; a bare address is refused, since /32 is rarely what was meant."""
    _refuse_zone(value, option)
    host, slash, length = value.partition("/")
    try:
        found = ipaddress.ip_address(host)
        if length.isascii() and length.isdecimal() and int(length) <= found.max_prefixlen:
            return found, int(length)
        # a netmask, nothing, or nonsense; asked for each address it would take three times as long as all the rest
        prefixlen = ipaddress.ip_interface(value).network.prefixlen
    except ValueError:
        raise InputError(
            f"{option}: {value!r} is not an IP address with a prefix length, such as 192.0.2.10/24 or 2001:db8::10/64"
        ) from None
    if not slash:
        bits = found.max_prefixlen
        subnet = 24 if bits == 32 else 64
        raise InputError(
            f"{option}: {value!r} has no prefix length: write {value}/{subnet} for the subnet or {value}/{bits} for the single host"
        )
    return found, prefixlen


# A thousand namespaces behind one bridge have the same few gateways.
@functools.lru_cache(maxsize=4096)
def ip_address(value: str, option: str) -> str:
    """One address without a prefix length, in canonical spelling."""
    _refuse_zone(value, option)
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise InputError(f"{option}: {value!r} is not an IP address (without prefix length), such as 192.0.2.1 or 2001:db8::1") from None


@functools.lru_cache(maxsize=4096)
def ip_prefix(value: str, option: str) -> str:
    """A network in canonical spelling; host bits are refused with the network that was probably meant."""
    _refuse_zone(value, option)
    try:
        meant = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise InputError(f"{option}: {value!r} is not a network, such as 192.0.2.0/24 or 2001:db8::/64") from None
    if "/" in value and ipaddress.ip_interface(value).ip != meant.network_address:
        raise InputError(f"{option}: {value!r} has bits set behind its prefix length: did you mean {meant}?")
    return str(meant)


def family_of(value: str) -> str:
    """``ipv4`` or ``ipv6`` of an address or prefix in canonical spelling."""
    return "ipv6" if ":" in value else "ipv4"


def table_number(value: t.Any, names: t.Mapping[str, int], option: str = "table") -> int:
    """A routing table's number, from a number or a name of rt_tables."""
    text = str(value)
    if text.isdecimal() and 0 < int(text) < 2**32:
        return int(text)
    try:
        return {**ROUTE_TABLES, **names}[text]
    except KeyError:
        raise InputError(f"{option}: {value!r} is neither a number from 1 to 4294967295 nor a name in rt_tables") from None


def named_number(value: t.Any, names: t.Mapping[str, int], option: str) -> int:
    """A number from 0 to 255, or one of the field's names for it."""
    text = str(value)
    if text in names:
        return names[text]
    if text.isdecimal() and int(text) <= 255:
        return int(text)
    raise InputError(f"{option}: {value!r} is neither a number from 0 to 255 nor one of {', '.join(sorted(names))}")
