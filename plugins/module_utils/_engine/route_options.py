# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of routes -> records."""

from __future__ import annotations

import functools
import ipaddress
import typing as t

from . import values, values_ip
from .errors import InputError
from .ip_options import U32, listed, table
from .record import Resource
from .resources_routes import IPV6_DEFAULT_METRIC, Nexthop, Route

Item = t.Mapping[str, t.Any]


_WITHOUT_NEXTHOP = ("blackhole", "unreachable", "prohibit", "throw")


def routes(item: Item, present: bool) -> list[Resource]:
    return [_route(item, dest, present) for dest in listed(item, "dest")]


def _route_dest(item: Item, dest: str) -> str:
    family = item.get("family")
    if dest != "default":
        prefix = values_ip.ip_prefix(dest, "dest")
        if family and family != values_ip.family_of(prefix):
            raise InputError(f"family: {family} does not fit dest {dest}: remove it")
        return prefix
    ways = [(f"nexthops[{position}].gateway", hop.get("gateway")) for position, hop in enumerate(item.get("nexthops") or ())]
    for option, address in (("gateway", item.get("gateway")), *ways, ("src", item.get("src"))):
        if address and not family:
            family = values_ip.family_of(values_ip.ip_address(address, option))
    if not family:
        raise InputError("family: 'default' without a gateway fits IPv4 and IPv6: say which, family: ipv4 or family: ipv6")
    return "::/0" if family == "ipv6" else "0.0.0.0/0"


def _route(item: Item, given: str, present: bool) -> Route:
    dest = _route_dest(item, given)
    family, kind, metric = values_ip.family_of(dest), item.get("type"), item.get("metric")
    hops = tuple(_nexthop(hop, position, family) for position, hop in enumerate(item.get("nexthops") or ()))
    gateway, dev = item.get("gateway"), item.get("dev")
    if gateway:
        gateway = _gateway_of(gateway, "gateway", family)
    _check_nexthop(item, given, present, hops)
    for way, device, option in ((gateway, dev, "dev"), *((hop.gateway, hop.dev, f"nexthops[{at}].dev") for at, hop in enumerate(hops))):
        if way and way.startswith("fe80:") and not device:
            raise InputError(f"{option}: gateway {way} of route {given} is link-local: say on which device it is")
    src = values_ip.ip_address(item["src"], "src") if item.get("src") else None
    if src and values_ip.family_of(src) != family:
        raise InputError(f"src: {item['src']!r} is not of the same family as route {given}: use one of its family, or remove src")
    for name in ("mtu", "advmss"):
        if item.get(name) is not None:
            values.number(item[name], name, 0, 65535 if name == "advmss" else U32)
    if metric is not None:
        metric = values.number(metric, "metric", 0, U32)
    default_metric = IPV6_DEFAULT_METRIC if family == "ipv6" else 0
    scope, protocol = item.get("scope"), item.get("protocol")
    return Route(
        netns=values.netns_reference(item.get("netns")),
        dest=dest,
        table=table(item, values.ROUTE_TABLES["local" if kind == "local" else "main"]),
        metric=(metric or default_metric) if present or metric is not None else None,
        gateway=gateway,
        dev=values.interface_name(dev, "dev") if dev else None,
        type=kind if kind or not present else "unicast",
        scope=values_ip.named_number(scope, values_ip.SCOPES, "scope") if scope is not None and family == "ipv4" else None,
        src=src,
        mtu=item.get("mtu"),
        advmss=item.get("advmss"),
        onlink=item.get("onlink"),
        protocol=values_ip.named_number(protocol, values_ip.ROUTE_PROTOCOLS, "protocol") if protocol is not None else None,
        nexthops=hops,
    )


# a thousand namespaces have the same few
@functools.lru_cache(maxsize=4096)
def _gateway_of(value: str, option: str, family: str) -> str:
    gateway = values_ip.ip_address(value, option)
    if family == "ipv6" and values_ip.family_of(gateway) == "ipv4":
        raise InputError(f"{option}: {value!r} cannot be the gateway of an IPv6 route: use an IPv6 address")
    found = ipaddress.ip_address(gateway)
    if found.is_unspecified or found.is_multicast or found.is_loopback:
        raise InputError(f"{option}: {value!r} cannot be a gateway: use the address of the next router")
    return gateway


def _nexthop(hop: Item, position: int, family: str) -> Nexthop:
    option = f"nexthops[{position}]"
    if not hop.get("gateway") and not hop.get("dev"):
        raise InputError(f"{option}: give a gateway, a dev or both")
    gateway = _gateway_of(hop["gateway"], f"{option}.gateway", family) if hop.get("gateway") else None
    weight = values.number(1 if hop.get("weight") is None else hop["weight"], f"{option}.weight", 1, 256)
    if hop.get("onlink") and not (hop.get("gateway") and hop.get("dev")):
        raise InputError(f"{option}.onlink: it needs a gateway and the dev on which it is: give both")
    return Nexthop(gateway, values.interface_name(hop["dev"], f"{option}.dev") if hop.get("dev") else None, weight, bool(hop.get("onlink")))


def _check_nexthop(item: Item, dest: str, present: bool, hops: tuple[Nexthop, ...]) -> None:
    kind, gateway, dev = item.get("type"), item.get("gateway"), item.get("dev")
    if hops and (gateway or dev):
        raise InputError(f"nexthops: route {dest} has a {'gateway' if gateway else 'dev'} too: use either the list or the single options")
    if kind in _WITHOUT_NEXTHOP and (gateway or dev or hops):
        raise InputError(
            f"type: a route of type {kind} goes nowhere: remove {'gateway' if gateway else 'dev' if dev else 'nexthops'} of route {dest}"
        )
    if present and kind not in _WITHOUT_NEXTHOP and not (gateway or dev or hops):
        raise InputError(f"gateway: route {dest} has no way to go: give a gateway, a dev, nexthops or a type such as blackhole")
    if item.get("onlink") and not (gateway and dev):
        raise InputError(f"onlink: route {dest} needs a gateway and the dev on which it is: give both")
