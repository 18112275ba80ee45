# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Routes as rtnetlink messages: records to requests and answers to records."""

from __future__ import annotations

import socket
import struct
import typing as t

from .ip_numbers import RT_TABLE_COMPAT, IndexOf, NameOf, family_number, pack_ip, unpack_ip
from .resources_routes import Nexthop, Route
from .rtnetlink import (
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    RTM_DELROUTE,
    RTM_NEWROUTE,
    Message,
    attribute,
    attributes,
    nest,
    to_u32,
    u32,
)
from .values import OUR_PROTOCOL

_RTM = struct.Struct("=BBBBBBBBI")
_RTNH = struct.Struct("=HBBi")
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_PREFSRC = 1, 4, 5, 6, 7
_RTA_METRICS, _RTA_MULTIPATH, _RTA_TABLE, _RTA_VIA, _RTA_ENCAP = 8, 9, 15, 18, 22
_INDIRECT = frozenset((_RTA_GATEWAY, _RTA_VIA, _RTA_MULTIPATH))
_RTAX_MTU, _RTAX_ADVMSS = 2, 8
_RTNH_F_ONLINK = 4
ROUTE_TYPES = {"unicast": 1, "local": 2, "broadcast": 3, "anycast": 4, "multicast": 5}
ROUTE_TYPES.update({"blackhole": 6, "unreachable": 7, "prohibit": 8, "throw": 9})
_ROUTE_TYPE_NAMES = {number: name for name, number in ROUTE_TYPES.items()}
_RT_SCOPE_NOWHERE = 255


def route_query(family: int, table: int, device: int = 0) -> bytes:
    """The body of an RTM_GETROUTE dump of one table (0: of all), for one device (0: for all)."""
    filters = u32(_RTA_TABLE, table) + (u32(_RTA_OIF, device) if device else b"")
    return _RTM.pack(family, 0, 0, 0, min(table, RT_TABLE_COMPAT), 0, 0, 0, 0) + filters


def _gateway(route_family: int, gateway: str) -> bytes:
    packed = pack_ip(gateway)
    if family_number(gateway) == route_family:
        return attribute(_RTA_GATEWAY, packed)
    return attribute(_RTA_VIA, struct.pack("=H", family_number(gateway)) + packed)


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
    family = family_number(address)
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
    header = _RTM.pack(family, int(length), 0, 0, min(route.table, RT_TABLE_COMPAT), protocol, _route_scope(route), kind, flags)
    return Message(RTM_NEWROUTE, NLM_F_CREATE | (NLM_F_REPLACE if replace else NLM_F_EXCL), header + b"".join(parts))


def delete_route(route: Route, index_of: IndexOf) -> Message:
    """Away with exactly this route: the kernel takes what is not given as 'any'."""
    address, length = route.dest.split("/")
    family = family_number(address)
    parts = [u32(_RTA_TABLE, route.table)]
    if int(length):
        parts.append(attribute(_RTA_DST, pack_ip(address)))
    if route.gateway:
        parts.append(_gateway(family, route.gateway))
    if route.dev and route.type == "unicast":
        parts.append(u32(_RTA_OIF, index_of(route.dev)))
    if route.metric:
        parts.append(u32(_RTA_PRIORITY, route.metric))
    header = _RTM.pack(family, int(length), 0, 0, min(route.table, RT_TABLE_COMPAT), 0, _RT_SCOPE_NOWHERE, 0, 0)
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


def attributes_of(data: bytes) -> dict[int, bytes]:
    """The attributes of a route, for whoever does not need it whole."""
    return attributes(data, _RTM.size)


def dest_of(data: bytes, found: t.Mapping[int, bytes]) -> str:
    """The prefix that a route leads to."""
    zero = "::" if data[0] == socket.AF_INET6 else "0.0.0.0"
    return f"{unpack_ip(found[_RTA_DST]) if _RTA_DST in found else zero}/{data[1]}"


def is_direct(data: bytes, found: t.Mapping[int, bytes]) -> bool:
    """Whether its destination is reached without a gateway."""
    return data[7] == ROUTE_TYPES["unicast"] and found.keys().isdisjoint(_INDIRECT)


def decode_route(data: bytes, netns: str, name_of: NameOf, found: t.Mapping[int, bytes] | None = None) -> Route:
    """A record of what RTM_NEWROUTE tells; ``found`` are its attributes, if they have been taken apart before."""
    _family, _length, _source, _tos, table, protocol, scope, kind, flags = _RTM.unpack_from(data)
    found = attributes_of(data) if found is None else found
    metrics = attributes(found.get(_RTA_METRICS, b""))
    return Route(
        netns=netns,
        dest=dest_of(data, found),
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
