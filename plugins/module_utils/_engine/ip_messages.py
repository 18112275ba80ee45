# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Addresses, routes and rules as rtnetlink messages, and back to records: an encoder and a decoder each."""

from __future__ import annotations

import ipaddress
import socket
import struct
import typing as t

from .record import pairs
from .resources import Address, Nexthop, Route, Rule
from .rtnetlink import (
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    RTM_DELADDR,
    RTM_DELROUTE,
    RTM_DELRULE,
    RTM_NEWADDR,
    RTM_NEWROUTE,
    RTM_NEWRULE,
    Message,
    attribute,
    attributes,
    nest,
    text,
    to_text,
    to_u32,
    u8,
    u32,
)
from .values import OUR_PROTOCOL

FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
FAMILY_NAMES = {number: name for name, number in FAMILIES.items()}
FOREVER = 2**32 - 1

_IFA = struct.Struct("=BBBBI")
_IFA_ADDRESS, _IFA_LOCAL, _IFA_LABEL, _IFA_BROADCAST, _IFA_CACHEINFO, _IFA_FLAGS, _IFA_RT_PRIORITY, _IFA_PROTO = 1, 2, 3, 4, 6, 8, 9, 11
_IFA_F_TENTATIVE, _IFA_F_DEPRECATED, _IFA_F_DADFAILED = 0x40, 0x20, 0x08
_ADDRESS_FLAGS = {"nodad": 0x02, "home": 0x10, "mngtmpaddr": 0x100, "noprefixroute": 0x200}
_IPV6_ONLY_FLAGS = ("nodad", "home", "mngtmpaddr")

_RTM = struct.Struct("=BBBBBBBBI")
_RTNH = struct.Struct("=HBBi")
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_PREFSRC = 1, 4, 5, 6, 7
_RTA_METRICS, _RTA_MULTIPATH, _RTA_TABLE, _RTA_VIA, _RTA_ENCAP = 8, 9, 15, 18, 22
_RTAX_MTU, _RTAX_ADVMSS = 2, 8
_RTNH_F_ONLINK = 4
_RT_TABLE_COMPAT = 252  # what the one byte of the header says for numbers above 255
ROUTE_TYPES = {"unicast": 1, "local": 2, "broadcast": 3, "anycast": 4, "multicast": 5}
ROUTE_TYPES.update({"blackhole": 6, "unreachable": 7, "prohibit": 8, "throw": 9})
_ROUTE_TYPE_NAMES = {number: name for name, number in ROUTE_TYPES.items()}
_RT_SCOPE_NOWHERE = 255

_FRA = struct.Struct("=BBBBBBBBI")
_FRA_DST, _FRA_SRC, _FRA_IIFNAME, _FRA_PRIORITY, _FRA_FWMARK, _FRA_SUPPRESS_PREFIXLEN, _FRA_TABLE, _FRA_FWMASK = 1, 2, 3, 6, 10, 14, 15, 16
_FRA_OIFNAME, _FRA_UID_RANGE, _FRA_PROTOCOL, _FRA_IP_PROTO, _FRA_SPORT_RANGE, _FRA_DPORT_RANGE = 17, 20, 21, 22, 23, 24
_FIB_RULE_INVERT = 2
RULE_TYPES = {"unicast": 1, "blackhole": 6, "unreachable": 7, "prohibit": 8}
_RULE_TYPE_NAMES = {number: name for name, number in RULE_TYPES.items()}
_UNSET = 2**32 - 1

IndexOf = t.Callable[[str], int]
NameOf = t.Callable[[int], str]


def pack_ip(value: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in value else socket.AF_INET, value)


def unpack_ip(data: bytes) -> str:
    if len(data) == 16 and not any(data[:10]):
        # the C library writes the end of an address with an embedded IPv4 one in dots; options spell as Python's ipaddress does
        return str(ipaddress.IPv6Address(data))
    return socket.inet_ntop(socket.AF_INET6 if len(data) == 16 else socket.AF_INET, data)


def _family(value: str) -> int:
    return socket.AF_INET6 if ":" in value else socket.AF_INET


# --- addresses


def address_query(index: int, family: int = 0) -> bytes:
    """The body of an RTM_GETADDR dump for one device (0: for all)."""
    return _IFA.pack(family, 0, 0, 0, index)


def set_address(address: Address, index_of: IndexOf, replace: bool = False) -> Message:
    """Add an address, or change the lifetimes, metric and flags of the one that is there."""
    flags = sum(bit for name, bit in _ADDRESS_FLAGS.items() if getattr(address, name))
    parts = [attribute(_IFA_LOCAL, pack_ip(address.address)), attribute(_IFA_ADDRESS, pack_ip(address.peer or address.address))]
    if address.broadcast:
        parts.append(attribute(_IFA_BROADCAST, pack_ip(address.broadcast)))
    if address.label:
        parts.append(text(_IFA_LABEL, address.label))
    if flags:
        parts.append(u32(_IFA_FLAGS, flags))
    if address.metric:
        parts.append(u32(_IFA_RT_PRIORITY, address.metric))
    if address.valid_lft is not None or address.preferred_lft is not None:
        valid = FOREVER if address.valid_lft is None else address.valid_lft
        preferred = valid if address.preferred_lft is None else address.preferred_lft
        parts.append(attribute(_IFA_CACHEINFO, struct.pack("=IIII", preferred, valid, 0, 0)))
    protocol = OUR_PROTOCOL if address.protocol is None else address.protocol
    if protocol:  # kernels before 5.18 do not look at it
        parts.append(u8(_IFA_PROTO, protocol))
    header = _IFA.pack(_family(address.address), address.prefixlen, flags & 0xFF, address.scope or 0, index_of(address.dev))
    return Message(RTM_NEWADDR, NLM_F_REPLACE if replace else NLM_F_CREATE | NLM_F_EXCL, header + b"".join(parts))


def delete_address(address: Address, index_of: IndexOf) -> Message:
    header = _IFA.pack(_family(address.address), address.prefixlen, 0, 0, index_of(address.dev))
    parts = attribute(_IFA_LOCAL, pack_ip(address.address)) + attribute(_IFA_ADDRESS, pack_ip(address.peer or address.address))
    return Message(RTM_DELADDR, 0, header + parts)


def decode_address(data: bytes, netns: str, name_of: NameOf) -> Address:
    family, prefixlen, flags, scope, index = _IFA.unpack_from(data)
    found = attributes(data, _IFA.size)
    flags = to_u32(found[_IFA_FLAGS]) if _IFA_FLAGS in found else flags
    far = unpack_ip(found[_IFA_ADDRESS])
    near = unpack_ip(found[_IFA_LOCAL]) if _IFA_LOCAL in found else far  # IPv6 has IFA_LOCAL only where there is a peer
    preferred, valid = struct.unpack_from("=II", found.get(_IFA_CACHEINFO, b"\xff" * 8))
    if flags & _IFA_F_DEPRECATED:
        preferred = 0  # of an IPv4 address that is valid for ever the kernel tells 'for ever' here as well
    told = {name: bool(flags & bit) for name, bit in _ADDRESS_FLAGS.items() if family == socket.AF_INET6 or name not in _IPV6_ONLY_FLAGS}
    return Address(
        netns=netns,
        dev=name_of(index),
        address=near,
        prefixlen=prefixlen,
        peer=far if far != near else None,
        broadcast=unpack_ip(found[_IFA_BROADCAST]) if _IFA_BROADCAST in found else None,
        label=to_text(found[_IFA_LABEL]) if _IFA_LABEL in found else None,
        scope=scope,
        metric=to_u32(found[_IFA_RT_PRIORITY]) if _IFA_RT_PRIORITY in found else 0,
        preferred_lft=preferred,
        valid_lft=valid,
        tentative=bool(flags & _IFA_F_TENTATIVE),
        dadfailed=bool(flags & _IFA_F_DADFAILED),
        protocol=found[_IFA_PROTO][0] if _IFA_PROTO in found else 0,
        **told,
    )


# --- routes


def route_query(family: int, table: int, device: int = 0) -> bytes:
    """The body of an RTM_GETROUTE dump of one table (0: of all), for one device (0: for all)."""
    filters = u32(_RTA_TABLE, table) + (u32(_RTA_OIF, device) if device else b"")
    return _RTM.pack(family, 0, 0, 0, min(table, _RT_TABLE_COMPAT), 0, 0, 0, 0) + filters


def _gateway(route_family: int, gateway: str) -> bytes:
    packed = pack_ip(gateway)
    if _family(gateway) == route_family:
        return attribute(_RTA_GATEWAY, packed)
    return attribute(_RTA_VIA, struct.pack("=H", _family(gateway)) + packed)


def _nexthop(family: int, hop: Nexthop, index_of: IndexOf) -> bytes:
    part = _gateway(family, hop.gateway) if hop.gateway else b""
    flags = _RTNH_F_ONLINK if hop.onlink else 0
    return _RTNH.pack(_RTNH.size + len(part), flags, hop.weight - 1, index_of(hop.dev) if hop.dev else 0) + part


def _route_scope(route: Route) -> int:
    return natural_scope(route) if route.scope is None else route.scope


def natural_scope(route: Route) -> int:
    """As iproute2: a neighbour is in link scope, what is behind a gateway in global scope."""
    if ":" in route.dest:
        return 0
    if route.type == "local":
        return 254
    return 253 if (route.type or "unicast") == "unicast" and not route.gateway and not route.nexthops else 0


def set_route(route: Route, index_of: IndexOf, replace: bool = False) -> Message:
    """Add a route, or replace the one with the same table, prefix and metric without a gap."""
    address, length = route.dest.split("/")
    family = _family(address)
    parts = [u32(_RTA_TABLE, route.table)]
    if int(length):
        parts.append(attribute(_RTA_DST, pack_ip(address)))
    if route.gateway:
        parts.append(_gateway(family, route.gateway))
    if route.dev:
        parts.append(u32(_RTA_OIF, index_of(route.dev)))
    if route.metric:
        parts.append(u32(_RTA_PRIORITY, route.metric))
    if route.src:
        parts.append(attribute(_RTA_PREFSRC, pack_ip(route.src)))
    metrics = [u32(number, value) for number, value in ((_RTAX_MTU, route.mtu), (_RTAX_ADVMSS, route.advmss)) if value]
    if metrics:
        parts.append(nest(_RTA_METRICS, *metrics))
    if route.nexthops:
        parts.append(attribute(_RTA_MULTIPATH, b"".join(_nexthop(family, hop, index_of) for hop in route.nexthops)))
    protocol = OUR_PROTOCOL if route.protocol is None else route.protocol
    flags = _RTNH_F_ONLINK if route.onlink else 0
    kind = ROUTE_TYPES[route.type or "unicast"]
    header = _RTM.pack(family, int(length), 0, 0, min(route.table, _RT_TABLE_COMPAT), protocol, _route_scope(route), kind, flags)
    return Message(RTM_NEWROUTE, NLM_F_CREATE | (NLM_F_REPLACE if replace else NLM_F_EXCL), header + b"".join(parts))


def delete_route(route: Route, index_of: IndexOf) -> Message:
    """Away with exactly this route: the kernel takes what is not given as 'any'."""
    address, length = route.dest.split("/")
    family = _family(address)
    parts = [u32(_RTA_TABLE, route.table)]
    if int(length):
        parts.append(attribute(_RTA_DST, pack_ip(address)))
    if route.gateway:
        parts.append(_gateway(family, route.gateway))
    if route.dev and route.type == "unicast":
        parts.append(u32(_RTA_OIF, index_of(route.dev)))
    if route.metric:
        parts.append(u32(_RTA_PRIORITY, route.metric))
    header = _RTM.pack(family, int(length), 0, 0, min(route.table, _RT_TABLE_COMPAT), 0, _RT_SCOPE_NOWHERE, 0, 0)
    return Message(RTM_DELROUTE, 0, header + b"".join(parts))


def _decode_gateway(found: t.Mapping[int, bytes]) -> str | None:
    if _RTA_GATEWAY in found:
        return unpack_ip(found[_RTA_GATEWAY])
    return unpack_ip(found[_RTA_VIA][2:]) if _RTA_VIA in found else None


def _decode_nexthops(data: bytes, name_of: NameOf) -> tuple[Nexthop, ...]:
    hops, offset = [], 0
    while offset + _RTNH.size <= len(data):
        length, flags, weight, index = _RTNH.unpack_from(data, offset)
        found = attributes(data[offset : offset + length], _RTNH.size)
        hops.append(Nexthop(_decode_gateway(found), name_of(index) if index else None, weight + 1, bool(flags & _RTNH_F_ONLINK)))
        offset += (length + 3) & ~3
    return tuple(hops)


def decode_route(data: bytes, netns: str, name_of: NameOf) -> Route:
    family, length, _source, _tos, table, protocol, scope, kind, flags = _RTM.unpack_from(data)
    found = attributes(data, _RTM.size)
    metrics = attributes(found.get(_RTA_METRICS, b""))
    zero = "::" if family == socket.AF_INET6 else "0.0.0.0"
    return Route(
        netns=netns,
        dest=f"{unpack_ip(found[_RTA_DST]) if _RTA_DST in found else zero}/{length}",
        table=to_u32(found[_RTA_TABLE]) if _RTA_TABLE in found else table,
        metric=to_u32(found[_RTA_PRIORITY]) if _RTA_PRIORITY in found else 0,
        gateway=_decode_gateway(found),
        dev=name_of(to_u32(found[_RTA_OIF])) if _RTA_OIF in found else None,
        type=_ROUTE_TYPE_NAMES.get(kind, str(kind)),
        scope=scope,
        src=unpack_ip(found[_RTA_PREFSRC]) if _RTA_PREFSRC in found else None,
        mtu=to_u32(metrics[_RTAX_MTU]) if _RTAX_MTU in metrics else 0,
        advmss=to_u32(metrics[_RTAX_ADVMSS]) if _RTAX_ADVMSS in metrics else 0,
        onlink=bool(flags & _RTNH_F_ONLINK),
        protocol=protocol,
        nexthops=_decode_nexthops(found.get(_RTA_MULTIPATH, b""), name_of),
    )


def beyond_route(data: bytes) -> str:
    """What makes it another route and no option says; empty: nothing."""
    _family, _length, source, tos = _RTM.unpack_from(data)[:4]
    encapsulated = _RTA_ENCAP in attributes(data, _RTM.size) or _RTA_ENCAP in _nexthop_attributes(data)
    return "source prefix" if source else "type of service" if tos else "encapsulation" if encapsulated else ""


def _nexthop_attributes(data: bytes) -> list[int]:
    """The numbers of the attributes of all ways of a multipath route."""
    found: list[int] = []
    at, ways = 0, attributes(data, _RTM.size).get(_RTA_MULTIPATH, b"")
    while at + _RTNH.size <= len(ways):
        length = _RTNH.unpack_from(ways, at)[0]
        found += attributes(ways[at : at + length], _RTNH.size)
        at += (max(length, _RTNH.size) + 3) & ~3
    return found


# --- rules


def rule_query(family: int) -> bytes:
    """The body of an RTM_GETRULE dump of one family."""
    return _FRA.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)


def _range(number: int, layout: str, value: str) -> bytes:
    first, _dash, last = value.partition("-")
    return attribute(number, struct.pack(layout, int(first), int(last or first)))


_SELECTORS: dict[str, t.Callable[[t.Any], bytes]] = {
    "to": lambda value: attribute(_FRA_DST, pack_ip(value.split("/")[0])),
    "from": lambda value: attribute(_FRA_SRC, pack_ip(value.split("/")[0])),
    "iif": lambda value: text(_FRA_IIFNAME, value),
    "oif": lambda value: text(_FRA_OIFNAME, value),
    "fwmark": lambda value: u32(_FRA_FWMARK, value),
    "fwmask": lambda value: u32(_FRA_FWMASK, value),
    "ipproto": lambda value: u8(_FRA_IP_PROTO, value),
    "sport": lambda value: _range(_FRA_SPORT_RANGE, "=HH", value),
    "dport": lambda value: _range(_FRA_DPORT_RANGE, "=HH", value),
    "uidrange": lambda value: _range(_FRA_UID_RANGE, "=II", value),
}


def _rule_message(kind: int, flags: int, rule: Rule) -> Message:
    chosen = dict(rule.selectors)
    lengths = [int(chosen[name].split("/")[1]) if name in chosen else 0 for name in ("to", "from")]
    parts = [encode(chosen[name]) for name, encode in _SELECTORS.items() if name in chosen]
    if rule.priority is not None:
        parts.append(u32(_FRA_PRIORITY, rule.priority))
    if rule.table:
        parts.append(u32(_FRA_TABLE, rule.table))
    if rule.suppress_prefixlength is not None and rule.suppress_prefixlength >= 0:
        parts.append(u32(_FRA_SUPPRESS_PREFIXLEN, rule.suppress_prefixlength))
    if kind == RTM_NEWRULE:
        parts.append(u8(_FRA_PROTOCOL, OUR_PROTOCOL if rule.protocol is None else rule.protocol))
    invert = _FIB_RULE_INVERT if chosen.get("not") else 0
    what = rule.type or "unicast"
    action = RULE_TYPES[what] if what in RULE_TYPES else int(what)  # goto and nop are no types of ours
    table = min(rule.table or 0, _RT_TABLE_COMPAT)
    header = _FRA.pack(FAMILIES[rule.family], *lengths, chosen.get("tos", 0), table, 0, 0, action, invert)
    return Message(kind, flags, header + b"".join(parts))


def create_rule(rule: Rule) -> Message:
    return _rule_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule)


def delete_rule(rule: Rule) -> Message:
    return _rule_message(RTM_DELRULE, 0, rule)


def decode_rule(data: bytes, netns: str) -> Rule:
    family, to_length, from_length, tos, table, _r1, _r2, action, flags = _FRA.unpack_from(data)
    found = attributes(data, _FRA.size)
    chosen: dict[str, t.Any] = {"tos": tos or None, "not": True if flags & _FIB_RULE_INVERT else None}
    for name, number, length in (("to", _FRA_DST, to_length), ("from", _FRA_SRC, from_length)):
        chosen[name] = f"{unpack_ip(found[number])}/{length}" if number in found else None
    for name, number in (("iif", _FRA_IIFNAME), ("oif", _FRA_OIFNAME)):
        chosen[name] = to_text(found[number]) if number in found else None
    mark = to_u32(found[_FRA_FWMARK]) if _FRA_FWMARK in found else 0
    mask = to_u32(found[_FRA_FWMASK]) if _FRA_FWMASK in found else 0
    chosen.update({"fwmark": mark, "fwmask": mask} if mark or mask else {})
    chosen["ipproto"] = found[_FRA_IP_PROTO][0] if _FRA_IP_PROTO in found else None
    ranges = (("sport", _FRA_SPORT_RANGE, "=HH"), ("dport", _FRA_DPORT_RANGE, "=HH"), ("uidrange", _FRA_UID_RANGE, "=II"))
    for name, number, layout in ranges:
        if number in found:
            first, last = struct.unpack(layout, found[number])
            chosen[name] = str(first) if first == last else f"{first}-{last}"
    suppress = to_u32(found[_FRA_SUPPRESS_PREFIXLEN]) if _FRA_SUPPRESS_PREFIXLEN in found else _UNSET
    return Rule(
        netns=netns,
        family=FAMILY_NAMES[family],
        priority=to_u32(found[_FRA_PRIORITY]) if _FRA_PRIORITY in found else 0,
        selectors=pairs(chosen),
        table=to_u32(found[_FRA_TABLE]) if _FRA_TABLE in found else table,
        type=_RULE_TYPE_NAMES.get(action, str(action)),
        suppress_prefixlength=-1 if suppress == _UNSET else suppress,
        protocol=found[_FRA_PROTOCOL][0] if _FRA_PROTOCOL in found else 0,
    )


# Beside those that options say: padding, and how the kernel came by it.
_RULE_OPTIONS = frozenset({*range(1, 4), _FRA_PRIORITY, _FRA_FWMARK, _FRA_SUPPRESS_PREFIXLEN, _FRA_TABLE, _FRA_FWMASK, *range(17, 19)})
_RULE_OPTIONS |= {_FRA_UID_RANGE, _FRA_PROTOCOL, _FRA_IP_PROTO, _FRA_SPORT_RANGE, _FRA_DPORT_RANGE}
_RULE_WORDS = {4: "goto", 11: "realms", 12: "tunnel id", 13: "suppress_ifgroup", 19: "l3mdev", 25: "dscp", 26: "flow label"}


def beyond_rule(data: bytes) -> str:
    """What it selects by or does and no option says; empty: nothing. All zeros and all ones are how the kernel says none and any."""
    found = attributes(data, _FRA.size)
    more = [number for number, value in found.items() if number not in _RULE_OPTIONS and any(value) and value.strip(b"\xff")]
    return ", ".join(_RULE_WORDS.get(number, f"attribute {number}") for number in more)
