# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""All that is in some namespaces, in the words of options: records back to items of a topology."""

from __future__ import annotations

import typing as t

from . import bridge, ip_messages, link_messages, namespaces, processes, resolver, rtnetlink, values
from .errors import MissingLibrary
from .host import Host
from .options import RESOLVER_MARK
from .resources import IPV6_DEFAULT_METRIC, Address, Link, Route, Rule
from .state import MAIN

Item = dict[str, t.Any]

# How an option that cannot be left empty names the host.
_HERE = "/proc/self/ns/net"
_KERNEL_PROTOCOLS = (2, 9)  # kernel, ra
_KERNEL_RULES = {0, 32766, 32767}
_IP_PROTOCOL_NAMES = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6", 132: "sctp"}
_ROUTE_TYPES = ("unicast", "local", "blackhole", "unreachable", "prohibit", "throw")
_FOREVER = 2**32 - 1


def collect(netns: t.Sequence[str] | None, gather: t.Collection[str]) -> dict[str, t.Any]:
    """``topology`` in the form that options take, and per namespace what no option says.

    ``netns``: names or paths; ``None``: every entry of /run/netns, those that are no namespaces included.
    ``gather``: any of namespaces, links, addresses, routes, rules.
    """
    with Host() as host:
        if netns is None:
            found = {entry.name: entry.stale for entry in namespaces.entries()}
        else:
            given = [values.netns_reference(name) for name in netns]
            found = {name: _has_name(name) and bool((entry := namespaces.find(name)) and entry.stale) for name in given}
        alive = [name for name, stale in found.items() if not stale]
        topology: dict[str, list[Item]] = {}
        if "namespaces" in gather:
            topology["namespaces"] = [_namespace(host, name) for name in alive if _has_name(name)]
        if "links" in gather:
            topology["links"], topology["veths"] = _Links(host, alive).items()
        for part, reader in (("addresses", _addresses), ("routes", _routes), ("rules", _rules)):
            if part in gather:
                topology[part] = [item for name in alive for item in reader(host, name)]
        return {"topology": topology, "namespaces": _facts(host, found)}


def _has_name(netns: str) -> bool:
    """Whether it is an entry of /run/netns, and neither a path nor the host."""
    return netns != values.HOST and not netns.startswith("/")


def _facts(host: Host, found: t.Mapping[str, bool]) -> dict[str, Item]:
    inodes = {name: namespaces.inode_of(host.fd(name)) for name, stale in found.items() if not stale}
    pids = processes.processes(set(inodes.values()))
    return {
        name or _HERE: {
            "path": f"{values.NETNS_DIR}/{name}" if _has_name(name) else name or _HERE,
            "stale": stale,
            "inode": inodes.get(name),
            "nsid": None if stale else host.nsid(values.HOST, name),
            "pids": pids.get(inodes[name], []) if not stale else [],
        }
        for name, stale in found.items()
    }


def _said(**item: t.Any) -> Item:
    """An item without what says nothing."""
    return {name: value for name, value in item.items() if value not in (None, "", (), [], {})}


def _namespace(host: Host, name: str) -> Item:
    lo = host.link(name, "lo")
    item: Item = {"name": [name], "loopback": bool(lo and lo.up)}
    text = resolver.read_resolver(name) or ""
    if text.startswith(RESOLVER_MARK):
        lines = [line.split() for line in text.splitlines()[1:]]
        item.update(_said(nameservers=[words[1] for words in lines if words[:1] == ["nameserver"]]))
        for word, option in (("search", "search"), ("options", "resolver_options")):
            item.update(_said(**{option: [entry for words in lines if words[:1] == [word] for entry in words[1:]]}))
    return item


class _Links:
    """The devices of several namespaces; a veth pair is told once, from the first end that is met."""

    def __init__(self, host: Host, places: t.Sequence[str]) -> None:
        self._host = host
        self._places = places
        self._named = [entry.name for entry in namespaces.entries() if not entry.stale and entry.name not in places]
        self._told: set[tuple[int, int]] = set()  # inode of the namespace, index

    def items(self) -> tuple[list[Item], list[Item]]:
        links, veths = [], []
        for place in self._places:
            for link in self._host.links(place):
                if link.ifname == "lo" or (self._inode(place), link.index) in self._told:
                    continue
                peer = self._peer(place, link)
                if peer is None:
                    links.append(self._link(link))
                    continue
                self._told.add((self._inode(peer.netns), peer.index))
                veths.append({**_interface(link), "peer": _interface(peer)})
        return links, veths

    def _inode(self, place: str) -> int:
        return namespaces.inode_of(self._host.fd(place))

    def _elsewhere(self, link: Link) -> str | None:
        """The namespace that the parent or peer of a device is in, if it is the host or has a name."""
        if link.parent_nsid is None:
            return link.netns
        for place in (values.HOST, *self._places, *self._named):
            if self._host.nsid(link.netns, place) == link.parent_nsid:
                return place
        return None

    def _peer(self, place: str, link: Link) -> Link | None:
        where = self._elsewhere(link) if link.link_kind == "veth" else None
        name = self._host.device_name(where, link.parent_index) if where is not None else ""
        return self._host.link(t.cast(str, where), name) if name else None

    def _link(self, link: Link) -> Item:
        # a veth end without a known peer is told as the device that it is
        kind = link.link_kind if link.link_kind != "veth" else ""
        item = {**_interface(link), **_said(kind=kind)}
        if not kind:
            return item
        where = self._elsewhere(link)
        if link.parent_index and where is not None and kind != "veth":
            item.update(_said(parent=self._host.device_name(where, link.parent_index)))
            if where != link.netns and item.get("parent"):
                item["parent_netns"] = where or _HERE
        try:
            found = link_messages.decode_info(link)
            # a kernel without VLANs on bridges tells of them and refuses to be told
            item.update(_said(**{kind: _plain(bridge.for_birth(found) if kind == "bridge" else found)}))
        except (MissingLibrary, KeyError):
            pass  # without pyroute2, or of a kind that we do not make: told without the attributes of its kind
        return item


def _plain(options: t.Mapping[str, t.Any]) -> Item:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}


def _interface(link: Link) -> Item:
    return {
        "name": link.ifname,
        **_said(netns=link.netns, mtu=link.mtu, mac_address=link.mac_address, master=link.master, alias=link.alias),
        "up": bool(link.up),
    }


def _addresses(host: Host, place: str) -> t.Iterator[Item]:
    for data in host.socket(place).dump(rtnetlink.RTM_GETADDR, ip_messages.address_query(0)):
        address = ip_messages.decode_address(data, place, lambda index: host.device_name(place, index))
        if address.dev != "lo" and not address.address.startswith("fe80:") or address.dev == "lo" and address.scope != 254:
            yield _address(address)


def _address(address: Address) -> Item:
    version4 = ":" not in address.address
    return _said(
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


def _routes(host: Host, place: str) -> t.Iterator[Item]:
    for family in ip_messages.FAMILIES.values():
        for data in host.socket(place).dump(rtnetlink.RTM_GETROUTE, ip_messages.route_query(family, 0)):
            route = ip_messages.decode_route(data, place, lambda index: host.device_name(place, index))
            if route.protocol not in _KERNEL_PROTOCOLS and route.type in _ROUTE_TYPES:
                yield _route(route)


def _route(route: Route) -> Item:
    version6, goes = ":" in route.dest, route.type in ("unicast", "local")
    protocol = next((name for name, number in values.ROUTE_PROTOCOLS.items() if number == route.protocol), str(route.protocol))
    hops = [{**_said(gateway=hop.gateway, dev=hop.dev), "weight": hop.weight, "onlink": hop.onlink} for hop in route.nexthops]
    return _said(
        netns=route.netns,
        dest=[route.dest],
        gateway=route.gateway,
        dev=route.dev if goes and not hops else None,
        table=str(route.table) if route.table != MAIN else None,
        metric=route.metric if route.metric != (IPV6_DEFAULT_METRIC if version6 else 0) else None,
        type=route.type if route.type != "unicast" else None,
        src=route.src,
        mtu=route.mtu or None,
        advmss=route.advmss or None,
        onlink=True if route.onlink and route.gateway else None,
        protocol=protocol,
        nexthops=hops,
    )


def _rules(host: Host, place: str) -> t.Iterator[Item]:
    for family in ip_messages.FAMILIES.values():
        for data in host.socket(place).dump(rtnetlink.RTM_GETRULE, ip_messages.rule_query(family)):
            rule = ip_messages.decode_rule(data, place)
            if rule.type in ip_messages.RULE_TYPES and not (rule.priority in _KERNEL_RULES and not rule.selectors):
                yield _rule(rule)


def _rule(rule: Rule) -> Item:
    chosen = dict(rule.selectors)
    for name in ("fwmark", "fwmask", "tos"):
        if name in chosen:
            chosen[name] = hex(chosen[name])
    if "ipproto" in chosen:
        chosen["ipproto"] = _IP_PROTOCOL_NAMES.get(chosen["ipproto"], str(chosen["ipproto"]))
    return {
        **_said(netns=rule.netns, family=rule.family, table=str(rule.table) if rule.table else None),
        "priority": rule.priority,
        **chosen,
        **({"type": rule.type} if rule.type != "unicast" else {}),
        **({"suppress_prefixlength": rule.suppress_prefixlength} if rule.suppress_prefixlength not in (None, -1) else {}),
    }
