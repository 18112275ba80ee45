# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The star: N namespaces, each with lo up and a veth to one bridge, MTU, an IPv4 and an IPv6 address and two default routes.

Its description for `netns_topology`, the same as `ip -batch` lines, and a look at what is really there.
"""

from __future__ import annotations

import json
import socket
import subprocess
import typing as t

from harness import BenchmarkError

HUB = "hub"
MTU = 1400
# The ranges set apart for benchmarks, RFC 2544 and RFC 5180.
GATEWAY, GATEWAY6 = "198.18.0.1", "2001:2::1"
PREFIX, PREFIX6 = 16, 64
# A bridge has 1023 ports at most.
LARGEST = 1000


def namespace(number: int) -> str:
    return f"bench-{number}"


def port(number: int) -> str:
    return f"port-{number}"


def address(number: int) -> str:
    host = number + 2
    return f"198.18.{host >> 8}.{host & 255}"


def address6(number: int) -> str:
    return f"2001:2::{number + 2:x}"


def topology(size: int) -> dict[str, t.Any]:
    """The options of netns_topology."""
    numbers = range(size)
    hub = {"dev": HUB, "address": [f"{GATEWAY}/{PREFIX}"]}
    hub6 = {"dev": HUB, "address": [f"{GATEWAY6}/{PREFIX6}"], "nodad": True}
    inside = [{"netns": namespace(n), "dev": "eth0", "address": [f"{address(n)}/{PREFIX}"]} for n in numbers]
    inside6 = [{"netns": namespace(n), "dev": "eth0", "address": [f"{address6(n)}/{PREFIX6}"], "nodad": True} for n in numbers]
    return {
        "name": "bench",
        "namespaces": [{"name": [namespace(n) for n in numbers]}],
        "links": [{"name": HUB, "kind": "bridge", "mtu": MTU}],
        "veths": [
            {"name": "eth0", "netns": namespace(n), "mtu": MTU, "peer": {"name": port(n), "master": HUB, "mtu": MTU}} for n in numbers
        ],
        "addresses": [hub, hub6, *inside, *inside6],
        "routes": [{"netns": namespace(n), "dest": ["default"], "gateway": gateway} for n in numbers for gateway in (GATEWAY, GATEWAY6)],
    }


def ip_hub() -> list[str]:
    """Lines for `ip -batch`; the bridge is still down."""
    return [
        f"link add {HUB} mtu {MTU} type bridge",
        f"addr add {GATEWAY}/{PREFIX} dev {HUB}",
        f"addr add {GATEWAY6}/{PREFIX6} dev {HUB} nodad",
    ]


def ip_outside(number: int) -> list[str]:
    return [
        f"netns add {namespace(number)}",
        f"link add {port(number)} mtu {MTU} type veth peer name eth0 mtu {MTU} netns {namespace(number)}",
        f"link set {port(number)} master {HUB} up",
    ]


def ip_inside(number: int) -> list[str]:
    return [
        "link set lo up",
        "link set eth0 up",
        f"addr add {address(number)}/{PREFIX} dev eth0",
        f"addr add {address6(number)}/{PREFIX6} dev eth0 nodad",
        f"route add default via {GATEWAY}",
        f"route add default via {GATEWAY6}",
    ]


def gone() -> bool:
    """Whether no device of a star is left on the host; the kernel removes them after the namespaces."""
    return not any(name == HUB or name.startswith("port-") for _index, name in socket.if_nameindex())


def check(size: int) -> None:
    """Look with `ip -json` at the bridge, the count, and the first, a middle and the last namespace."""
    hub = _ip("-d", "link", "show", "dev", HUB)[0]
    _same(f"the bridge {HUB}", (hub["mtu"], "UP" in hub["flags"]), (MTU, True))
    _same("the bridge's ports", len(_ip("link", "show", "master", HUB)), size)
    _same("the namespaces", len(_ip("netns", "list")), size)
    for number in sorted({0, size // 2, size - 1}):
        _check_namespace(number)


def check_gone() -> None:
    _same("what is left after the removal", (gone(), _ip("netns", "list")), (True, []))


def _check_namespace(number: int) -> None:
    inside = ["-n", namespace(number)]
    links = {link["ifname"]: link for link in _ip(*inside, "address", "show")}
    _same(f"{namespace(number)}: lo is up", "UP" in links["lo"]["flags"], True)
    eth0 = links.get("eth0")
    if eth0 is None:
        raise BenchmarkError(f"{namespace(number)} has no eth0")
    _same(f"{namespace(number)}: eth0", (eth0["mtu"], "UP" in eth0["flags"]), (MTU, True))
    found = {(one["local"], one["prefixlen"]) for one in eth0["addr_info"] if one["scope"] == "global"}
    _same(f"{namespace(number)}: addresses", found, {(address(number), PREFIX), (address6(number), PREFIX6)})
    for family, gateway in (("-4", GATEWAY), ("-6", GATEWAY6)):
        routes = _ip(*inside, family, "route", "show", "default")
        _same(f"{namespace(number)}: default routes", [route.get("gateway") for route in routes], [gateway])


def _same(what: str, found: t.Any, wanted: t.Any) -> None:
    if found != wanted:
        raise BenchmarkError(f"{what}: {found} is there, {wanted} should be")


def _ip(*arguments: str) -> t.Any:
    done = subprocess.run(["ip", "-json", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchmarkError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return json.loads(done.stdout or "[]")
