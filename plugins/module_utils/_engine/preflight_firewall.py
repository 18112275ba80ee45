# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""br_netfilter: frames between ports of one bridge go through the forward chains of IP, where others drop."""

from __future__ import annotations

import os
import shlex
import shutil
import typing as t

from . import programs
from .preflight_host import text
from .preflight_wish import Finding, Wish
from .probe_chains import Packet
from .probe_facts import Facts
from .values import HOST

_SWITCH = {4: "bridge-nf-call-iptables", 6: "bridge-nf-call-ip6tables"}
_LEGACY = {4: ("iptables-legacy", "ip_tables_names"), 6: ("ip6tables-legacy", "ip6_tables_names")}
_SBIN = "/usr/sbin:/sbin"


def bridge_netfilter(wish: Wish, facts: Facts, root: str) -> list[Finding]:
    """Of each IP version, where a neighbour's packet would end."""
    found = []
    for version in wish.versions() if wish.interface else ():
        if facts.sysctl(HOST, f"net/bridge/{_SWITCH[version]}") != 1:
            continue
        place = facts.rules(HOST).drops(_packet(wish, version), ["forward"])
        where = str(place) if place and place.certain else _legacy(version, wish.interface, root)
        if where:
            found.append(
                Finding(
                    "bridge_netfilter",
                    # behind NAT the way out still works; on a bridged network all goes through the bridge
                    "error" if wish.bridge_uplink else "warning",
                    f"br_netfilter is on, and IPv{version} packets from port to port of {wish.interface} are {where}",
                    "namespaces on one bridge cannot reach each other" + (", nor anybody outside" if wish.bridge_uplink else ""),
                    f"set net.bridge.{_SWITCH[version]} to 0, or accept what comes in and leaves by {wish.interface} in that chain",
                )
            )
    return found


def _packet(wish: Wish, version: int) -> Packet:
    """The first packet of a TCP connection between two neighbours; the kernel shows the bridge as both interfaces."""
    subnet = next((subnet for subnet in wish.subnets if subnet.version == version), None)
    source, to = (str(subnet.network_address + 2), str(subnet.network_address + 3)) if subnet else ("", "")
    bridge = {"iif": wish.interface, "oif": wish.interface, "iif_kind": "bridge", "oif_kind": "bridge"}
    return Packet(version, source, to, "tcp", **t.cast(t.Any, bridge))


def _legacy(version: int, bridge: str, root: str) -> str:
    """Where iptables-legacy drops it; empty where it does not. Asked only if its table is there: asking would make it."""
    name, tables = _LEGACY[version]
    program = shutil.which(name, path=f"{_SBIN}:{os.environ.get('PATH', '')}")
    if program is None or "filter" not in text(os.path.join(root, "proc/net", tables)).split():
        return ""
    told = programs.run([program, "-w", "-S", "FORWARD"])
    return f"dropped by {_verdict(told.output, bridge)} of {name}" if told.status == 0 and _verdict(told.output, bridge) else ""


def _verdict(rules: str, bridge: str) -> str:
    """What drops in the output of -S; a rule that asks for what is not known decides nothing."""
    policy = ""
    for line in rules.splitlines():
        words = shlex.split(line)
        if words[:2] == ["-P", "FORWARD"]:
            policy = "the policy of chain FORWARD" if words[2:] == ["DROP"] else ""
        elif words[:2] == ["-A", "FORWARD"]:
            target = _target(words[2:], bridge)
            if target in ("ACCEPT", "DROP", "REJECT"):
                return "" if target == "ACCEPT" else f"rule '{line}'"
    return policy


def _target(words: list[str], bridge: str) -> str:
    """Where a rule sends the packet for certain; empty where it does not match, or who knows."""
    at = 0
    while at < len(words):
        word, value = words[at], words[at + 1] if at + 1 < len(words) else ""
        if word == "-j":
            return value
        if word in ("-i", "-o"):
            same = bridge.startswith(value[:-1]) if value.endswith("+") else value == bridge
            if not same:
                return ""
        elif not (word == "--comment" or (word == "-m" and value in ("comment", "physdev"))):
            if word != "--physdev-is-bridged":
                return ""
            at -= 1  # this one takes no value
        at += 2
    return ""
