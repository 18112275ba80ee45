# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Options of addresses, routes and rules -> records."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import typing as t

from . import values, values_ip
from .errors import InputError
from .record import Resource, pairs
from .resources_addresses import Address, OnlyAddresses
from .resources_routes import IPV6_DEFAULT_METRIC, Nexthop, Route, Rule

Item = t.Mapping[str, t.Any]

_RT_TABLES = ("/etc/iproute2/rt_tables", "/usr/share/iproute2/rt_tables", "/etc/iproute2/rt_tables.d", "/usr/share/iproute2/rt_tables.d")
_U32 = 2**32 - 1
_FOREVER = _U32
_WITHOUT_NEXTHOP = ("blackhole", "unreachable", "prohibit", "throw")
_SELECTORS = ("from", "to", "iif", "oif", "fwmark", "fwmask", "tos", "ipproto", "sport", "dport", "uidrange", "not")
_IP_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "icmpv6": 58, "sctp": 132}
_LABEL_MAX = 15
_EVERYTHING = ("all", "any", "default")


def _listed(item: Item, option: str) -> list[str]:
    """An option that takes one or several; none at all is rather a variable gone wrong than a wish."""
    given = item[option] if isinstance(item[option], list) else [item[option]]
    if not given:
        raise InputError(f"{option}: the list is empty: give at least one")
    return given


def addresses(item: Item, present: bool) -> list[Resource]:
    given = _listed(item, "address")
    netns, dev = values.netns_reference(item.get("netns")), values.interface_name(item["dev"], "dev")
    found = [_address(item, netns, dev, value) for value in given]
    if not item.get("exclusive") or not present:
        return list(found)
    return [*found, OnlyAddresses(netns=netns, dev=dev, keep=tuple(found))]


def with_all_listed(records: t.Sequence[Resource]) -> tuple[Resource, ...]:
    """``exclusive`` in one item spares what other items list for the same device."""
    listed: dict[tuple[str, str], list[Address]] = {}
    for record in records:
        if isinstance(record, Address):
            listed.setdefault((record.netns, record.dev), []).append(record)
    return tuple(
        dataclasses.replace(record, keep=tuple(listed[(record.netns, record.dev)])) if isinstance(record, OnlyAddresses) else record
        for record in records
    )


def _address(item: Item, netns: str, dev: str, value: str) -> Address:
    interface = values_ip.ip_interface(value, "address")
    version6 = interface.version == 6
    if interface.ip.is_multicast or interface.ip.is_unspecified:
        what = "a multicast" if interface.ip.is_multicast else "the unspecified"
        raise InputError(f"address: {value!r} cannot be given to a device: it is {what} address, use one of a single host")
    for name in ("peer", "broadcast"):
        other = item.get(name)
        if other and values_ip.family_of(values_ip.ip_address(other, name)) != values_ip.family_of(str(interface.ip)):
            raise InputError(f"{name}: {other!r} is not of the same family as {value}: give each family an item of its own")
        if other and name == "broadcast" and version6:
            raise InputError(f"broadcast: IPv6 has none: remove it, or give {value} an item of its own")
        if other and name == "peer" and values_ip.ip_address(other, name) == str(interface.ip):
            raise InputError(f"peer: {other!r} is the address itself: remove it, or give the address of the other end")
    label = item.get("label")
    if label and (len(label.encode()) > _LABEL_MAX or not label.startswith(dev) or not label.isprintable()):
        raise InputError(f"label: {label!r} must begin with {dev!r} and have at most {_LABEL_MAX} bytes, none of them a control character")
    valid, preferred = (_lifetime(item, name) for name in ("valid_lft", "preferred_lft"))
    if preferred is not None and preferred > (valid if valid is not None else _FOREVER):
        raise InputError(f"preferred_lft: {item['preferred_lft']} is longer than valid_lft, {valid}: lower it, or raise valid_lft")
    scope = item.get("scope")
    return Address(
        netns=netns,
        dev=dev,
        address=str(interface.ip),
        prefixlen=interface.network.prefixlen,
        peer=values_ip.ip_address(item["peer"], "peer") if item.get("peer") else None,
        broadcast=values_ip.ip_address(item["broadcast"], "broadcast") if item.get("broadcast") and not version6 else None,
        label=label if not version6 else None,
        scope=values_ip.named_number(scope, values_ip.SCOPES, "scope") if scope is not None and not version6 else None,
        metric=values.number(item["metric"], "metric", 0, _U32) if item.get("metric") is not None else None,
        preferred_lft=preferred,
        valid_lft=valid,
        nodad=item.get("nodad") if version6 else None,
        noprefixroute=item.get("noprefixroute"),
        home=item.get("home") if version6 else None,
        mngtmpaddr=item.get("mngtmpaddr") if version6 else None,
        wait_for_dad=item.get("wait_for_dad") is not False and version6 and not item.get("nodad"),
    )


def _lifetime(item: Item, name: str) -> int | None:
    value = item.get(name)
    if value is None:
        return None
    if str(value) == "forever":
        return _FOREVER
    if str(value).isdecimal():
        return values.number(int(value), name, 0 if name == "preferred_lft" else 1, _U32)
    raise InputError(f"{name}: {value!r} is neither a number of seconds nor 'forever': use one of them")


def _tables() -> dict[str, int]:
    """Names from rt_tables; where a file is not there it says nothing."""
    found: dict[str, int] = {}
    for path in _RT_TABLES:
        files = [os.path.join(path, name) for name in sorted(os.listdir(path)) if name.endswith(".conf")] if os.path.isdir(path) else [path]
        for file in filter(os.path.isfile, files):
            with open(file, encoding="utf-8", errors="replace") as lines:
                for words in (line.split("#")[0].split() for line in lines):
                    if len(words) == 2 and words[0].isdecimal():
                        found.setdefault(words[1], int(words[0]))
    return found


def _table(item: Item, default: int) -> int:
    value = item.get("table")
    if value is None:
        return default
    known = str(value).isdecimal() or str(value) in values.ROUTE_TABLES
    return values_ip.table_number(value, {} if known else _tables())


def routes(item: Item, present: bool) -> list[Resource]:
    return [_route(item, dest, present) for dest in _listed(item, "dest")]


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
            values.number(item[name], name, 0, 65535 if name == "advmss" else _U32)
    if metric is not None:
        metric = values.number(metric, "metric", 0, _U32)
    default_metric = IPV6_DEFAULT_METRIC if family == "ipv6" else 0
    scope, protocol = item.get("scope"), item.get("protocol")
    return Route(
        netns=values.netns_reference(item.get("netns")),
        dest=dest,
        table=_table(item, values.ROUTE_TABLES["local" if kind == "local" else "main"]),
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


def rules(item: Item, present: bool) -> list[Resource]:
    chosen: dict[str, t.Any] = {name: item.get(name) for name in _SELECTORS}
    families = set()
    for name in ("from", "to"):
        if chosen[name] in _EVERYTHING:
            chosen[name] = None
        if chosen[name]:
            prefix = values_ip.ip_prefix(chosen[name], name)
            families.add(values_ip.family_of(prefix))
            chosen[name] = None if prefix.endswith("/0") else prefix  # the kernel does not tell it from no prefix
    if len(families) > 1:
        raise InputError(f"to: {item['to']} is not of the same family as from, {item['from']}: give each family a rule of its own")
    family = item.get("family") or next(iter(families), "ipv4")
    if families - {family}:
        option = "to" if item.get("from") in (None, "", *_EVERYTHING) else "from"
        raise InputError(f"family: {family} does not fit the prefix in {option}: remove it")
    for name in ("iif", "oif"):
        if chosen[name]:
            values.interface_name(chosen[name], name)
    _rule_numbers(chosen)
    priority, kind = item.get("priority"), item.get("type")
    suppress = item.get("suppress_prefixlength")
    if kind not in (None, "unicast") and item.get("table") is not None:
        raise InputError(f"table: a rule of type {kind} looks up nothing: remove table or type")
    return [
        Rule(
            netns=values.netns_reference(item.get("netns")),
            family=family,
            priority=values.number(priority, "priority", 0, _U32) if priority is not None else None,
            selectors=pairs({name: value for name, value in chosen.items() if value is not False}),
            table=_table(item, values.ROUTE_TABLES["main"])
            if kind in (None, "unicast") and (present or item.get("table") is not None)
            else None,
            type=kind or ("unicast" if present else None),
            suppress_prefixlength=values.number(suppress, "suppress_prefixlength", -1, 128) if suppress is not None else None,
        )
    ]


def _rule_numbers(chosen: dict[str, t.Any]) -> None:
    for name in ("fwmark", "fwmask"):
        if chosen[name] is not None:
            chosen[name] = _flexible_number(chosen[name], name, _U32)
    if chosen["fwmark"] is not None and chosen["fwmask"] is None:
        chosen["fwmask"] = _U32
    if chosen["fwmask"] is not None and chosen["fwmark"] is None:
        raise InputError(f"fwmask: {chosen['fwmask']:#x} masks nothing without a mark: give fwmark too")
    if chosen["fwmask"] == 0:
        raise InputError("fwmask: 0 leaves nothing of the fwmark: remove both, or set a bit of it")
    if chosen["tos"] is not None:
        chosen["tos"] = _flexible_number(chosen["tos"], "tos", 255) or None
        if (chosen["tos"] or 0) & 3:
            raise InputError(f"tos: {chosen['tos']:#04x} has one of the last two bits set, which belong to ECN: clear them")
    if chosen["ipproto"] is not None:
        chosen["ipproto"] = values_ip.named_number(chosen["ipproto"], _IP_PROTOCOLS, "ipproto") or None
    # the kernel takes neither 0 nor 65535 for a port
    for name, low, high in (("sport", 1, 65534), ("dport", 1, 65534), ("uidrange", 0, _U32 - 1)):
        if chosen[name] is not None:
            chosen[name] = _range(chosen[name], name, low, high)


def _flexible_number(value: t.Any, option: str, high: int) -> int:
    try:
        found = int(str(value), 0)
    except ValueError:
        mask = ", the mask goes into fwmask" if option == "fwmark" and "/" in str(value) else ""
        raise InputError(f"{option}: {value!r} is not a number: write it decimal or as 0x...{mask}") from None
    return values.number(found, option, 0, high)


def _range(value: t.Any, option: str, low: int, high: int) -> str:
    first, dash, last = str(value).partition("-")
    last = last if dash else first
    if not (first.isdecimal() and last.isdecimal() and low <= int(first) <= int(last) <= high):
        raise InputError(f"{option}: {value!r} is neither a number nor a range such as 1000-1999, within {low} to {high}")
    return str(int(first)) if int(first) == int(last) else f"{int(first)}-{int(last)}"


READERS: dict[str, t.Callable[[Item, bool], list[Resource]]] = {"addresses": addresses, "routes": routes, "rules": rules}
