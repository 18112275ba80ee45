# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Forward chains of others that would drop a network's packets; with br_netfilter those between ports of one bridge too."""

from __future__ import annotations

from . import foreign, foreign_host
from .foreign import Network, Way
from .preflight_wish import Finding, Wish
from .probe_facts import Facts
from .values import HOST

_SWITCH = {4: "bridge-nf-call-iptables", 6: "bridge-nf-call-ip6tables"}


def forward_chains(wish: Wish, facts: Facts, uplink: str) -> list[Finding]:
    """What is there now: where a network of ours has been accepted already, nothing is found."""
    if not wish.interface:
        return []
    shown = {version: facts.sysctl(HOST, f"net/bridge/{switch}") == 1 for version, switch in _SWITCH.items()}
    look = foreign_host.Look(HOST)
    if wish.nat:
        ways = [_way(wish, version, uplink, shown[version]) for version in wish.versions()]
        return _behind_nat(wish, Network(HOST, "", wish.interface, tuple(ways)), look) if uplink else []
    return [found for version in wish.versions() if shown[version] for found in _between_ports(wish, version, look)]


def _way(wish: Wish, version: int, uplink: str, shown: bool) -> Way:
    subnets = tuple(str(subnet) for subnet in wish.subnets if subnet.version == version)
    return Way(version, subnets, wish.interface, uplink, bridge=True, shown=shown)


def _behind_nat(wish: Wish, network: Network, look: foreign_host.Look) -> list[Finding]:
    """Where building the network will not see to it by itself."""
    dropped = [] if wish.foreign_drop == "accept" else foreign.drops(look, network.ways, bare=False).items()
    return [
        Finding(
            "foreign_drop",
            "error" if wish.foreign_drop == "fail" else "warning",
            f"packets {what} are {drop}",
            "they do not get through" + (", so this network is refused" if wish.foreign_drop == "fail" else ""),
            "accept them there, or set foreign_drop to accept",
        )
        for base, (what, drop) in dropped
        if foreign.own_place(network, look, base) is None
    ]


def _between_ports(wish: Wish, version: int, look: foreign_host.Look) -> list[Finding]:
    dropped = foreign.drops(look, [_way(wish, version, "", shown=True)], bare=False).items()
    return [
        Finding(
            "bridge_netfilter",
            "error" if wish.bridge_uplink else "warning",
            f"br_netfilter is on, and IPv{version} packets {what} are {drop}",
            "namespaces on one bridge cannot reach each other" + (", nor anybody outside" if wish.bridge_uplink else ""),
            f"set net.bridge.{_SWITCH[version]} to 0, or accept what comes in and leaves by {wish.interface} in that chain",
        )
        for base, (what, drop) in dropped
        if base[0] != "bridge"
    ]
