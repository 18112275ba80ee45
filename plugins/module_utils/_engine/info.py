# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""All that is in some namespaces, in the words of options: records back to items of a topology."""

from __future__ import annotations

import dataclasses
import typing as t

from . import (
    ip_messages,
    ip_numbers,
    namespaces,
    options,
    processes,
    registry,
    resolver,
    route_messages,
    rtnetlink,
    rule_messages,
    values,
    values_ip,
)
from .errors import StateError
from .host import Host
from .info_items import HERE, Item, Told, said
from .resources import Namespace
from .resources_addresses import Address
from .resources_nat import Nat, Publish
from .resources_routes import IPV6_DEFAULT_METRIC, Route, Rule
from .state import MAIN

_KERNEL_PROTOCOLS = (2, 9)  # kernel, ra
_KERNEL_ADDRESSES = (1, 2, 3)  # of the loopback device, from router advertisements, link-local
_KERNEL_RULES = {0, 32766, 32767}
_IP_PROTOCOL_NAMES = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6", 132: "sctp"}
_ROUTE_TYPES = ("unicast", "local", "blackhole", "unreachable", "prohibit", "throw")
_FOREVER = 2**32 - 1
_HOST_SCOPE = 254
_RTPROT_KERNEL = 2


def collect(netns: t.Sequence[str] | None, gather: t.Collection[str]) -> dict[str, t.Any]:
    """``topology`` in the form that options take, per namespace what no option says, and ``warnings``: what is there and not told.

    ``netns``: names or paths; ``None``: every entry of /run/netns, those that are no namespaces included.
    ``gather``: any of namespaces, links, addresses, routes, rules, nat. Sysctls are not among them: the kernel does not say
    which of its values somebody set.
    """
    with Host() as host:
        if netns is None:
            found = {entry.name: entry.stale for entry in namespaces.entries()}
        else:
            given = [values.netns_reference(name) for name in netns]
            found = {name: _has_name(name) and bool((entry := namespaces.find(name)) and entry.stale) for name in given}
        alive = [name for name, stale in found.items() if not stale]
        told = Told([*(part for part in _LISTS if part in gather), *(["veths"] if "links" in gather else [])])
        for part, reader in _LISTS.items():
            if part in gather:
                reader(host, alive, told)
        return {"topology": told.topology, "namespaces": _facts(host, found, told.warnings), "warnings": told.warnings}


def _has_name(netns: str) -> bool:
    """Whether it is an entry of /run/netns, and neither a path nor the host."""
    return netns != values.HOST and not netns.startswith("/")


def _facts(host: Host, found: t.Mapping[str, bool], warnings: list[str]) -> dict[str, Item]:
    inodes = {name: namespaces.inode_of(host.fd(name)) for name, stale in found.items() if not stale}
    pids = processes.processes(set(inodes.values()))
    owned = _owned(warnings)
    return {
        name or HERE: {
            "path": f"{values.NETNS_DIR}/{name}" if _has_name(name) else name or HERE,
            "stale": stale,
            "inode": inodes.get(name),
            "nsid": None if stale else host.nsid(values.HOST, name),
            "pids": pids.get(inodes[name], []) if not stale else [],
            "owner": sorted(owner for owner, namespace in owned if _is_it(namespace, name, inodes.get(name))),
        }
        for name, stale in found.items()
    }


def _owned(warnings: list[str]) -> list[tuple[str, Namespace]]:
    """The topologies on record, each with every namespace that it has."""
    try:
        records = registry.load("").records
    except StateError as exc:
        warnings.append(f"whose the namespaces are is left out: {exc}")
        return []
    return [(owner, resource) for owner, record in records.items() for resource in record if isinstance(resource, Namespace)]


def _is_it(recorded: Namespace, name: str, inode: int | None) -> bool:
    """Whether it is the namespace on record, and not one that somebody made in its place."""
    if inode is None or not recorded.inode:
        return recorded.netns == name
    return recorded.inode == inode


def _namespaces(host: Host, places: t.Sequence[str], told: Told) -> None:
    for name in filter(_has_name, places):
        lo = host.link(name, "lo")
        item: Item = {"name": [name], "loopback": bool(lo and lo.up)}
        text = resolver.read_resolver(name) or ""
        asked = {**item, **_resolver(text)} if text.startswith(values.RESOLVER_MARK) else item
        (wish,) = options.read({"namespaces": [asked]}).present
        if isinstance(wish, Namespace) and wish.resolver not in (None, text):
            told.leave_out(f"/etc/netns/{name}/resolv.conf", "it was changed since this collection wrote it, and options cannot say how")
            asked = item
        told.add("namespaces", asked)


def _resolver(text: str) -> Item:
    lines = [line.split() for line in text.splitlines()[1:]]
    item = said(nameservers=[words[1] for words in lines if words[:1] == ["nameserver"] and len(words) > 1])
    for word, option in (("search", "search"), ("options", "resolver_options")):
        item.update(said(**{option: [entry for words in lines if words[:1] == [word] for entry in words[1:]]}))
    return item


def _links(host: Host, places: t.Sequence[str], told: Told) -> None:
    from .info_links import Links

    Links(host, places).tell(told)


def _dumped(host: Host, places: t.Sequence[str], kind: int, queries: t.Iterable[bytes]) -> t.Iterator[tuple[str, bytes]]:
    bodies = [*queries]
    for place in places:
        for body in bodies:
            for data in host.socket(place).dump(kind, body):
                yield place, data


def _addresses(host: Host, places: t.Sequence[str], told: Told) -> None:
    for place, data in _dumped(host, places, rtnetlink.RTM_GETADDR, [ip_messages.address_query(0)]):
        address = ip_messages.decode_address(data, place, lambda index, place=place: host.device_name(place, index))  # type: ignore[misc]
        # kernels before 5.18 do not say who made it
        made = address.protocol in _KERNEL_ADDRESSES or (address.automatic and not address.protocol)
        if not made and not (address.dev == "lo" and address.scope == _HOST_SCOPE):
            told.add("addresses", _address(address))


def _address(address: Address) -> Item:
    version4 = ":" not in address.address
    return said(
        netns=address.netns,
        dev=address.dev,
        address=[f"{address.address}/{address.prefixlen}"],
        peer=address.peer,
        broadcast=address.broadcast,
        label=address.label if address.label != address.dev else None,
        scope=str(address.scope) if address.scope and version4 else None,
        metric=address.metric or None,
        **{name: str(getattr(address, name)) for name in ("valid_lft", "preferred_lft") if getattr(address, name) != _FOREVER},
        **{name: True for name in ("nodad", "noprefixroute", "home", "mngtmpaddr") if getattr(address, name)},
    )


def _routes(host: Host, places: t.Sequence[str], told: Told) -> None:
    queries = [route_messages.route_query(family, 0) for family in ip_numbers.FAMILIES.values()]
    for place, data in _dumped(host, places, rtnetlink.RTM_GETROUTE, queries):
        route = route_messages.decode_route(data, place, lambda index, place=place: host.device_name(place, index))  # type: ignore[misc]
        if route.protocol in _KERNEL_PROTOCOLS or route.type not in _ROUTE_TYPES:
            continue
        more = route_messages.beyond_route(data)
        if more:
            told.leave_out(route, f"options cannot say its {more}")
        else:
            told.add("routes", _route(route))


def _route(route: Route) -> Item:
    version6, goes = ":" in route.dest, route.type in ("unicast", "local")
    protocol = next((name for name, number in values_ip.ROUTE_PROTOCOLS.items() if number == route.protocol), str(route.protocol))
    hops = [{**said(gateway=hop.gateway, dev=hop.dev), "weight": hop.weight, "onlink": hop.onlink} for hop in route.nexthops]
    natural = route_messages.natural_scope(route)
    return said(
        netns=route.netns,
        dest=[route.dest],
        gateway=route.gateway,
        dev=route.dev if goes and not hops else None,
        table=str(route.table) if route.table != MAIN else None,
        metric=route.metric if route.metric != (IPV6_DEFAULT_METRIC if version6 else 0) else None,
        type=route.type if route.type != "unicast" else None,
        scope=None if version6 or route.scope == natural else str(route.scope),
        src=route.src,
        mtu=route.mtu or None,
        advmss=route.advmss or None,
        onlink=True if route.onlink and route.gateway else None,
        protocol=protocol if route.protocol != values.OUR_PROTOCOL else None,
        nexthops=hops,
    )


def _rules(host: Host, places: t.Sequence[str], told: Told) -> None:
    queries = [rule_messages.rule_query(family) for family in ip_numbers.FAMILIES.values()]
    for place, data in _dumped(host, places, rtnetlink.RTM_GETRULE, queries):
        rule = rule_messages.decode_rule(data, place)
        more = rule_messages.beyond_rule(data)
        # kernels before 4.17 do not say who made it; of a VRF it is the one for all VRFs
        if (rule.priority in _KERNEL_RULES or rule.protocol == _RTPROT_KERNEL) and (not rule.selectors or more):
            continue
        if more or rule.type not in rule_messages.RULE_TYPES:
            told.leave_out(rule, f"options cannot say its {more or f'type {rule.type}'}")
        else:
            told.add("rules", _rule(rule))


def _rule(rule: Rule) -> Item:
    chosen = dict(rule.selectors)
    for name in ("fwmark", "fwmask", "tos"):
        if name in chosen:
            chosen[name] = hex(chosen[name])
    if "ipproto" in chosen:
        chosen["ipproto"] = _IP_PROTOCOL_NAMES.get(chosen["ipproto"], str(chosen["ipproto"]))
    return {
        **said(netns=rule.netns, family=rule.family, table=str(rule.table) if rule.table else None),
        "priority": rule.priority,
        **chosen,
        **({"type": rule.type} if rule.type != "unicast" else {}),
        **({"suppress_prefixlength": rule.suppress_prefixlength} if rule.suppress_prefixlength not in (None, -1) else {}),
    }


def _nats(host: Host, places: t.Sequence[str], told: Told) -> None:
    from . import nat_told, nftables

    for place in places:
        ours = [name for family, name in nftables.named(place) if family == "inet" and name.startswith(nat_told.PREFIX)]
        for name in sorted(ours):
            table = nftables.live(place, "inet", name)
            if table is None:
                told.leave_out(f"nft_table inet {name} {values.place(place)}", "the program nft, which reads it, is not on this host")
                continue
            nat = nat_told.told(table)
            if nat is None:
                told.leave_out(table, "it was changed since this collection wrote it, and options cannot say how")
                continue
            gone = next((dev for dev in nat.devices if host.link(place, dev) is None), None)
            if gone:
                told.leave_out(nat, f"its device {gone} is gone")
            else:
                told.add("nat", _nat(nat))


def _nat(nat: Nat) -> Item:
    return {
        "name": nat.network,
        **said(netns=nat.netns, subnets=[*nat.subnets], interface=nat.interface, uplink=nat.uplink),
        "masquerade": bool(nat.masquerade),
        **said(snat_to=[*nat.snat_to], publish=[_publish(publish) for publish in nat.publish]),
        # what is so by default is not told
        **said(isolation=None if nat.isolation == "networks" else nat.isolation, hairpin=None if nat.hairpin else False),
    }


def _publish(publish: Publish) -> Item:
    shift = publish.to_first - publish.first
    ports = publish.ports if not shift else dataclasses.replace(publish, first=publish.first + shift, last=publish.last + shift).ports
    return {
        "protocol": publish.protocol,
        **said(host_address=publish.host_address),
        "host_port": publish.ports,
        "to_address": publish.to_address,
        "to_port": ports,
    }


_LISTS: dict[str, t.Callable[[Host, t.Sequence[str], Told], None]] = {
    "namespaces": _namespaces,
    "links": _links,
    "addresses": _addresses,
    "routes": _routes,
    "rules": _rules,
    "nat": _nats,
}
