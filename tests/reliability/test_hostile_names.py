# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and files that mean harm: in every option that takes a name, in /run/netns, in the state directory and in /etc/netns.

Each time the run does what was asked, or it says one clear sentence; nothing else on the host changes, and nothing hangs.
"""

from __future__ import annotations

import copy
import typing as t

import pytest
from host import Host
from pieces import comparable, pieces, touched
from runs import Arguments, inside

Tally = t.Callable[[str, int, int, int], None]

# What lies outside and has to stay as it is; a namespace of somebody else's is part of it.
WORLD = """
mkdir -p /run/outside/full
echo precious > /run/outside/file
echo precious > /run/outside/full/file
chmod 640 /run/outside/file
ip netns add other
ip -n other link set lo up
ip -n other link add keep type veth peer name keep1
ip link add eth9 type veth peer name eth8
ip address add 198.51.100.9/24 dev eth9
ip link set eth9 up
"""
OUTSIDE = "cd /run/outside && find . -printf '%p %y %m %U %G %l\\n' | sort && cat file full/file && md5sum /etc/passwd /etc/hosts"


def world() -> Host:
    host = Host()
    host.shell(WORLD)
    return host


class Eyes:
    """What of the world has changed since the last look."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._outside, self._pieces = self._look()

    def _look(self) -> tuple[str, t.Any]:
        return self._host.shell(OUTSIDE), comparable(pieces(self._host.picture()))

    def changed(self, but_new: bool) -> list[str]:
        """``but_new``: what has come is fine."""
        outside, found = self._look()
        lines = [] if outside == self._outside else [f"outside: {outside}"]
        return lines + touched(self._pieces, found) + ([] if but_new else [f"new: {name}" for name in found if name not in self._pieces])


# -- names

NAMES = {
    "up": "../x",
    "slash": "a/b",
    "dot": ".",
    "dots": "..",
    "empty": "",
    "long": "x" * 300,
    "long in bytes": "\u00e4" * 200,
    "newline": "a\nb",
    "zero": "a\0b",
    "escape": "\x1b[2Jx",
    "template": "v%d",
    "option": "-x",
    "shell": "$(touch /run/outside/x)",
    "nft": 'x"; flush ruleset; #',
    "absolute": "/run/outside/file",
    "blank": " ",
}
END = {"name": "v0", "peer": {"name": "v1"}}
LINK = {"name": "l0", "kind": "bridge"}
ROUTE = {"dest": ["192.0.2.0/24"], "type": "blackhole"}
NAT = {"name": "n0", "subnets": ["192.0.2.0/24"], "interface": "eth9", "uplink": "eth9"}
# The options of the modules that take a name: module, its other arguments, the way to the option.
OPTIONS: list[tuple[str, Arguments, str]] = [
    ("netns", {}, "name"),
    ("veth", END, "name"),
    ("veth", END, "netns"),
    ("veth", END, "master"),
    ("veth", END, "peer.name"),
    ("veth", END, "peer.netns"),
    ("netns_link", LINK, "name"),
    ("netns_link", LINK, "netns"),
    ("netns_link", LINK, "master"),
    ("netns_link", {**LINK, "kind": "macvlan"}, "parent"),
    ("netns_link", {**LINK, "kind": "macvlan", "parent": "eth9"}, "parent_netns"),
    ("netns_link", {"name": "elsewhere"}, "from_netns"),
    ("netns_addr", {"address": ["192.0.2.1/24"]}, "dev"),
    ("netns_addr", {"address": ["192.0.2.1/24"], "dev": "eth9"}, "netns"),
    ("netns_addr", {"address": ["192.0.2.1/24"], "dev": "eth9"}, "label"),
    ("netns_route", ROUTE, "netns"),
    ("netns_route", {"dest": ["192.0.2.0/24"]}, "dev"),
    ("netns_route", ROUTE, "table"),
    ("netns_rule", {"table": "100"}, "netns"),
    ("netns_rule", {"table": "100"}, "iif"),
    ("netns_rule", {"table": "100"}, "oif"),
    ("netns_sysctl", {"value": 1}, "name"),
    ("netns_sysctl", {"name": "net.ipv4.ip_forward", "value": 1}, "netns"),
    ("netns_nat", NAT, "name"),
    ("netns_nat", NAT, "interface"),
    ("netns_nat", NAT, "uplink"),
    ("netns_nat", NAT, "netns"),
    ("netns_topology", {"links": [LINK]}, "name"),
    ("netns_info", {}, "netns"),
]


def with_option(arguments: Arguments, way: str, value: str) -> Arguments:
    found = copy.deepcopy(arguments)
    inner = found
    *path, last = way.split(".")
    for step in path:
        inner = inner[step]
    inner[last] = value
    return found


def judge_name(host: Host, eyes: Eyes, module: str, arguments: Arguments) -> str:
    """Empty if all is well."""
    result = inside(host, module, **arguments)
    lines = eyes.changed(but_new=not result.get("failed"))
    if not result.get("failed") and module != "netns_info":
        gone = inside(host, module, **arguments, **({} if module == "netns_sysctl" else {"state": "absent"}))
        lines += [f"and then: {gone['msg']}"] if gone.get("failed") else []
        host.shell("sysctl -qw net.ipv4.ip_forward=0")
        lines += eyes.changed(but_new=False)
    return "\n".join(lines)


def _judged_names(module: str, base: Arguments, way: str, names: list[str]) -> list[str]:
    """The complaints about one option, one host for all names."""
    problems = []
    with world() as host:
        inside(host, "netns", name=["other"])  # the state directory is there
        eyes = Eyes(host)
        for name in names:
            try:
                problem = judge_name(host, eyes, module, with_option(base, way, NAMES[name]))
            except Exception as error:
                problem = str(error)
            if problem:
                problems.append(f"{module}.{way} {name}: {problem}")
                eyes = Eyes(host)
    return problems


@pytest.mark.parametrize(("module", "base", "way"), OPTIONS, ids=[f"{module}-{way}" for module, _base, way in OPTIONS])
def test_names(module: str, base: Arguments, way: str, short: bool, tally: Tally) -> None:
    at = OPTIONS.index((module, base, way))
    names = [name for number, name in enumerate(NAMES) if not short or (number + at) % 6 == 0]
    problems = _judged_names(module, base, way, names)
    tally("hostile names", len(names), len(names) - len(problems), len(problems))
    assert not problems, "\n".join(problems)
