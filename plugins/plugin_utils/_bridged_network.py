# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The variables of role bridged_network as a topology. Pure."""

from __future__ import annotations

import collections.abc as c
import ipaddress
import typing as t

from ansible_collections.linuxnet.netns.plugins.plugin_utils import _networks
from ansible_collections.linuxnet.netns.plugins.plugin_utils._networks import Address, Interface, Item, NetworkError

_KNOWN = ("name", "addresses", "gateway", "mac_address", "nameservers")
_VARIABLE = "bridged_network_namespaces"


def topology(
    namespaces: t.Any,
    name: str,
    bridge: str | None,
    uplink: str,
    move_host_addresses: bool,
    nameservers: c.Sequence[str] | None,
    upstream: c.Sequence[str],
    host: c.Mapping[str, t.Any],
    verify: t.Any,
) -> Item:
    """The lists of netns_topology and its checks. ``host`` is what netns_info told of the host."""
    if not uplink:
        raise NetworkError("bridged_network_uplink: it is missing: name the physical interface on whose network the namespaces are to be")
    members = _networks.items(namespaces, _KNOWN, _VARIABLE)
    bridge = _networks.bridge_name(name, bridge, "bridged_network_bridge")
    mtu = _networks.mtu_of(host, uplink)
    ways = [
        ipaddress.ip_address(str(route["gateway"]))
        for route in _networks.default_routes(host)
        if route.get("gateway") and route.get("dev") in (uplink, bridge)
    ]
    addresses, routes, named = [], [], []
    for member in members:
        own = [_networks.interface(text, f"{_VARIABLE}: {member['name']}") for text in _networks.listed(member.get("addresses"))]
        addresses += _addresses(member["name"], own)
        routes += [
            {"netns": member["name"], "dest": ["default"], "gateway": str(gateway), "dev": _networks.INSIDE}
            for gateway in _gateways(member, own, ways)
        ]
        named.append(_namespace(member, own, nameservers, upstream))
    return {
        "namespaces": named,
        "links": _links(bridge, uplink, move_host_addresses),
        "veths": [_networks.pair(member["name"], bridge, mtu, member.get("mac_address")) for member in members],
        "addresses": addresses,
        "routes": routes,
        "verify": _networks.checks(verify, [member["name"] for member in members], "bridged_network_verify", mtu),
    }


def _links(bridge: str, uplink: str, move_host_addresses: bool) -> list[Item]:
    if move_host_addresses:
        return [{"name": bridge, "kind": "bridge", "take_over": uplink}]
    return [{"name": bridge, "kind": "bridge"}, {"name": uplink, "master": bridge, "up": True}]


def _addresses(name: str, own: c.Sequence[Interface]) -> list[Item]:
    found: list[Item] = []
    for version in (4, 6):
        listed = [str(address) for address in own if address.version == version]
        # IPv6 gets further addresses from router advertisements, which are not ours to remove
        only = {"exclusive": True} if version == 4 else {}
        found += [{"netns": name, "dev": _networks.INSIDE, "address": listed, **only}] if listed else []
    return found


def _gateways(member: Item, own: c.Sequence[Interface], ways: c.Sequence[Address]) -> list[Address]:
    """The gateways asked for; left out, those of the host that the namespace's addresses reach, one for each IP version."""
    given = member.get("gateway")
    where = f"{_VARIABLE}: {member['name']}: gateway"
    if given is not None:
        found = []
        for text in _networks.listed(given):
            try:
                found.append(ipaddress.ip_address(str(text)))
            except ValueError:
                raise NetworkError(f"{where}: {text!r} is not an IP address without a prefix length") from None
        if len({gateway.version for gateway in found}) < len(found):
            raise NetworkError(f"{where}: give one for each of IPv4 and IPv6 at most")
        return found
    reached: dict[int, Address] = {}
    for gateway in ways:
        near = any(address.version == gateway.version and (gateway.is_link_local or gateway in address.network) for address in own)
        if near and not any(gateway == address.ip for address in own):
            reached.setdefault(gateway.version, gateway)
    return list(reached.values())


def _namespace(member: Item, own: c.Sequence[Interface], nameservers: c.Sequence[str] | None, upstream: c.Sequence[str]) -> Item:
    chosen = member.get("nameservers", nameservers)
    # without an address it gets one by DHCP or router advertisement, of whichever version
    versions = {address.version for address in own} or {4, 6}
    servers = _networks.usable_nameservers(upstream if chosen is None else chosen, versions, "bridged_network_nameservers")
    if chosen is None and not servers:
        raise NetworkError(
            "bridged_network_nameservers: the host names no DNS server that can be reached from a namespace: "
            "set it, or set it to an empty list to leave DNS alone"
        )
    return {"name": [member["name"]], **({"nameservers": servers} if servers else {})}
