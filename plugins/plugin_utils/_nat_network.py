# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The variables of role nat_network as a topology. Pure."""

from __future__ import annotations

import collections.abc as c
import hashlib
import ipaddress
import typing as t

from ansible_collections.linuxnet.netns.plugins.plugin_utils import _networks
from ansible_collections.linuxnet.netns.plugins.plugin_utils._networks import Address, Interface, Item, NetworkError

Subnet = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

_KNOWN = ("name", "addresses", "publish", "nameservers", "sysctls")
_PUBLISH = ("protocol", "host_address", "host_port", "to_port")
_LONGEST = {4: 30, 6: 126}  # the gateway and one namespace need room
# nobody else can be on this bridge, so duplicate address detection would only cost seconds
_QUICK = {"nodad": True, "wait_for_dad": False, "exclusive": True}
_SPREAD = 2**32  # how many addresses of a large subnet are drawn from


def topology(
    namespaces: t.Any,
    name: str,
    subnets: c.Sequence[str],
    bridge: str | None,
    uplink: str,
    mtu: int | None,
    nameservers: c.Sequence[str] | None,
    upstream: c.Sequence[str],
    host: c.Mapping[str, t.Any],
    found: c.Sequence[c.Mapping[str, t.Any]],
    verify: t.Any,
    isolation: str = "networks",
    foreign_drop: str = "fail",
) -> Item:
    """The lists of netns_topology and its checks. ``host`` and ``found`` are what netns_info told, of the host and of all namespaces."""
    members = _networks.items(namespaces, _KNOWN, "nat_network_namespaces")
    bridge = _networks.bridge_name(name, bridge, "nat_network_bridge")
    networks = _subnets(subnets)
    _check_overlap(networks, bridge, host)
    size = mtu or _networks.mtu_of(host, _networks.default_device(host) if uplink == "auto" else uplink)
    given = _Assignment(networks, members, found)
    link: Item = {"name": bridge, "kind": "bridge", **_networks.own_mac(bridge, host), **({} if size is None else {"mtu": size})}
    names = [member["name"] for member in members]
    nat: Item = {"name": name, "subnets": [str(subnet) for subnet in networks], "interface": bridge, "uplink": uplink}
    nat.update(isolation=isolation, publish=[port for member in members for port in _published(member, given)])
    nat.update({"foreign_drop": foreign_drop} if foreign_drop != "fail" else {})
    return {
        "namespaces": [_namespace(member, nameservers, upstream, networks) for member in members],
        "links": [link],
        "veths": [_networks.pair(member, bridge, size) for member in names],
        "addresses": [
            {"dev": bridge, "address": [_written(_gateway(subnet), subnet) for subnet in networks], **_QUICK},
            *({"netns": member, "dev": _networks.INSIDE, "address": given.of(member), **_QUICK} for member in names),
        ],
        "routes": [_default_route(member, subnet) for member in names for subnet in networks],
        "sysctls": [{"netns": member["name"], "sysctls": member["sysctls"]} for member in members if member.get("sysctls")],
        "nat": [nat],
        "verify": _networks.checks(verify, names, "nat_network_verify", size),
    }


def _default_route(member: str, subnet: Subnet) -> Item:
    return {"netns": member, "dest": ["default"], "gateway": str(_gateway(subnet)), "dev": _networks.INSIDE}


def _subnets(given: c.Sequence[str]) -> list[Subnet]:
    found: list[Subnet] = []
    for text in given:
        try:
            subnet = ipaddress.ip_network(str(text))
        except ValueError as exc:
            raise NetworkError(f"nat_network_subnets: {text!r} is not a subnet: {exc}") from None
        if subnet.prefixlen > _LONGEST[subnet.version]:
            raise NetworkError(f"nat_network_subnets: {subnet} is too small for a gateway and a namespace")
        if any(other.version == subnet.version for other in found):
            raise NetworkError(f"nat_network_subnets: {subnet} is the second of IPv{subnet.version}: give one of each at most")
        found.append(subnet)
    if not found:
        raise NetworkError("nat_network_subnets: give at least one subnet")
    return found


def _check_overlap(networks: c.Sequence[Subnet], bridge: str, host: c.Mapping[str, t.Any]) -> None:
    """Two interfaces of a host with one subnet: answers would leave by the wrong one."""
    for item in host.get("addresses") or ():
        if item["dev"] == bridge:
            continue
        for text in item["address"]:
            theirs = ipaddress.ip_interface(text).network
            for subnet in networks:
                if subnet.version == theirs.version and subnet.overlaps(theirs):
                    raise NetworkError(f"nat_network_subnets: {subnet} overlaps with {text} on {item['dev']}: choose another subnet")


def _gateway(subnet: Subnet) -> Address:
    return subnet.network_address + 1


def _written(address: Address, subnet: Subnet) -> str:
    return f"{address}/{subnet.prefixlen}"


def _namespace(member: Item, nameservers: c.Sequence[str] | None, upstream: c.Sequence[str], networks: c.Sequence[Subnet]) -> Item:
    own = member.get("nameservers", nameservers)
    versions = {subnet.version for subnet in networks}
    servers = _networks.usable_nameservers(upstream if own is None else own, versions, "nat_network_nameservers")
    if own is None and not servers:
        raise NetworkError(
            "nat_network_nameservers: the host names no DNS server that can be reached from a namespace: "
            "set it, or set it to an empty list to leave DNS alone"
        )
    return {"name": [member["name"]], **({"nameservers": servers} if servers else {})}


def _published(member: Item, given: _Assignment) -> c.Iterator[Item]:
    """The ports of a namespace as netns_nat has them; one without an address of the host leads to each of the namespace's."""
    for position, entry in enumerate(member.get("publish") or ()):
        where = f"nat_network_namespaces: {member['name']}: publish[{position}]"
        item = dict(entry) if isinstance(entry, c.Mapping) else {"host_port": entry}
        strange = sorted(set(item) - set(_PUBLISH))
        if strange:
            raise NetworkError(f"{where}: {strange[0]!r} is not known: use {', '.join(_PUBLISH)}")
        if item.get("host_port") is None:
            raise NetworkError(f"{where}: a published port needs host_port: give it")
        addresses = [ipaddress.ip_interface(text).ip for text in given.of(member["name"])]
        if item.get("host_address") is not None:
            version = _networks.interface(f"{item['host_address']}/0", f"{where}: host_address").version
            addresses = [address for address in addresses if address.version == version]
            if not addresses:
                raise NetworkError(f"{where}: host_address {item['host_address']} is of IPv{version}, and the network has no such subnet")
        for address in addresses:
            yield {**{option: value for option, value in item.items() if value is not None}, "to_address": str(address)}


class _Assignment:
    """Who has which address.

    What was asked for comes first, then what a namespace has already, then an address drawn by the namespace's name. So
    an address does not depend on the position in the list, and not on who comes and goes while the namespace exists.
    What a namespace has is read from the namespace: there is no list of leases that could be wrong, or outlive it.
    """

    def __init__(self, networks: c.Sequence[Subnet], members: c.Sequence[Item], found: c.Sequence[c.Mapping[str, t.Any]]) -> None:
        self._networks = networks
        self._owners: dict[Address, str] = {}
        self._leaving: set[Address] = set()
        self._given: dict[tuple[str, int], Interface] = {}
        self._there = [(item.get("netns"), ipaddress.ip_interface(text)) for item in found for text in item["address"]]
        for member in members:
            for text in _networks.listed(member.get("addresses")):
                self._ask(member["name"], _networks.interface(text, f"nat_network_namespaces: {member['name']}"))
        names = [member["name"] for member in members]
        self._refuse_moves(names)
        for name in names:
            self._keep(name)
        self._reserve(set(names))
        for name in sorted(names):
            self._draw(name)

    def of(self, name: str) -> list[str]:
        """The addresses of a namespace, with prefix lengths."""
        return [str(self._given[(name, subnet.version)]) for subnet in self._networks]

    def _take(self, name: str, address: Address, subnet: Subnet) -> None:
        self._owners[address] = name
        self._given[(name, subnet.version)] = ipaddress.ip_interface(_written(address, subnet))

    def _ask(self, name: str, wish: Interface) -> None:
        subnet = next((subnet for subnet in self._networks if wish.ip in subnet), None)
        where = f"nat_network_namespaces: {name}: {wish}"
        if subnet is None:
            raise NetworkError(f"{where} is in none of the subnets {', '.join(map(str, self._networks))}: correct the one or the other")
        if wish.network != subnet:
            raise NetworkError(f"{where} has another prefix length than {subnet}: write {wish.ip}/{subnet.prefixlen}")
        if wish.ip in self._edges(subnet):
            raise NetworkError(f"{where} is taken: {_gateway(subnet)} is the gateway, and the subnet's own address belongs to nobody")
        owner = self._owners.get(wish.ip)
        if owner is not None:
            raise NetworkError(f"{where} belongs to namespace {owner} too: give one of them another address")
        if (name, subnet.version) in self._given:
            raise NetworkError(f"{where} is the second address of IPv{subnet.version}: give one of each at most")
        self._take(name, wish.ip, subnet)

    def _edges(self, subnet: Subnet) -> set[Address]:
        edges: set[Address] = {subnet.network_address, _gateway(subnet)}
        return edges | {subnet.broadcast_address} if subnet.version == 4 else edges

    def _refuse_moves(self, names: c.Sequence[str]) -> None:
        """Nobody loses the address that he has because another one asks for it."""
        for netns, there in self._there:
            owner = self._owners.get(there.ip)
            if netns in names and owner not in (None, netns) and (netns, there.version) not in self._given:
                raise NetworkError(
                    f"nat_network_namespaces: {owner}: {there} is what namespace {netns} has: "
                    f"give {owner} another address, or {netns} one by its own addresses"
                )

    def _keep(self, name: str) -> None:
        for netns, there in self._there:
            for subnet in self._networks:
                mine = netns == name and there.ip in subnet and (name, subnet.version) not in self._given
                if mine and there.ip not in self._edges(subnet) and there.ip not in self._owners:
                    self._take(name, there.ip, subnet)

    def _reserve(self, names: set[str]) -> None:
        """What namespaces have that are not listed: in use as long as they exist, so the last to be drawn."""
        self._leaving = {there.ip for netns, there in self._there if netns not in names and there.ip not in self._owners}

    def _draw(self, name: str) -> None:
        for subnet in self._networks:
            if (name, subnet.version) in self._given:
                continue
            # without the subnet's own address, the gateway and, for IPv4, the broadcast address
            count = subnet.num_addresses - (3 if subnet.version == 4 else 2)
            room = min(count, _SPREAD)
            start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % room
            address = self._free(subnet, start, room, avoid=self._leaving) or self._free(subnet, start, room, avoid=set())
            if address is None:
                raise NetworkError(
                    f"nat_network_subnets: {subnet} is full, there is no address left for namespace {name}: use a larger one"
                )
            self._take(name, address, subnet)

    def _free(self, subnet: Subnet, start: int, room: int, avoid: set[Address]) -> Address | None:
        candidates = (subnet.network_address + 2 + (start + step) % room for step in range(room))
        return next((address for address in candidates if address not in self._owners and address not in avoid), None)
