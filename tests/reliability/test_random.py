# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random states: whatever the host had, it comes to what was asked for, and it comes back to nothing.

Names are few, so that one state's bridge is the next one's VXLAN, and a cable of the one ends elsewhere in the other. Every attribute is
given in each state, since one that is not asked for is left alone, which is another rule than the one that is looked at here.
"""

from __future__ import annotations

import importlib.util
import shutil
import time
import typing as t

import engine
import hypothesis
import picture
from engine import Told, Wish
from host import Host
from hypothesis import strategies
from pieces import Pieces, comparable, pieces

Lists = dict[str, list[dict[str, t.Any]]]
Draw = t.Callable[[t.Any], t.Any]

NAMESPACES = ("red", "green", "blue")
PATIENCE = 5.0
# without pyroute2 there is no macvlan and no vxlan
KINDS = ("bridge", "ifb", "macvlan", "vxlan") if importlib.util.find_spec("pyroute2") else ("bridge", "ifb")


def choice(*values: t.Any) -> strategies.SearchStrategy[t.Any]:
    return strategies.sampled_from(values)


class Maker:
    """Draws one state."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self.lists: Lists = {name: [] for name in ("namespaces", "links", "veths", "addresses", "routes", "rules", "sysctls", "nat")}
        self.places: list[str | None] = [None]
        self.bridges: list[tuple[str | None, str]] = []
        self.up: list[tuple[str | None, str, int]] = []  # devices that take addresses, with a number of their own
        self.parents: list[tuple[str | None, str]] = []  # what a macvlan can lie on

    def _sometimes(self) -> bool:
        return bool(self._draw(strategies.booleans()))

    def _namespaces(self) -> None:
        names = self._draw(strategies.lists(choice(*NAMESPACES), unique=True, max_size=len(NAMESPACES)))
        for name in names:
            # with loopback: false it stays as it is, which is not a state
            self.lists["namespaces"].append({"name": [name], "loopback": True, "nameservers": [f"192.0.2.{self._draw(choice(1, 2))}"]})
            value = self._draw(choice(80, 1024))
            self.lists["sysctls"].append({"netns": name, "name": "net.ipv4.ip_unprivileged_port_start", "value": value})
        self.places += names

    def _bridge(self, number: int) -> None:
        place, name, up = self._draw(choice(*self.places)), f"dev{number}", self._sometimes()
        link = {"name": name, "netns": place, "kind": "bridge", "up": up, "mtu": self._draw(choice(1400, 1500)), "txqueuelen": 500}
        self.lists["links"].append({**link, "bridge": {"stp": self._sometimes(), "ageing_time": self._draw(choice(100, 30000))}})
        self.bridges.append((place, name))
        if up:
            self.up.append((place, name, number))

    def _cable(self, number: int) -> None:
        mtu, ends = self._draw(choice(1400, 1500)), []
        for name in (f"a{number}", f"b{number}"):
            place, up = self._draw(choice(*self.places)), self._sometimes()
            masters = [bridge for where, bridge in self.bridges if where == place]
            master = self._draw(choice("", *masters))
            ends.append({"name": name, "netns": place, "mtu": mtu, "up": up, "master": master})
            if not master:
                self.parents.append((place, name))
            if up and not master:
                self.up.append((place, name, 10 + number * 2 + len(ends)))
        self.lists["veths"].append({**ends[0], "peer": ends[1]})

    def _link(self, number: int, kind: str) -> None:
        link = {
            "name": f"dev{number}",
            "netns": self._draw(choice(*self.places)),
            "kind": kind,
            "up": self._sometimes(),
            "mtu": 1300,
            "txqueuelen": 500,
        }
        if kind == "macvlan":
            if not self.parents:
                return
            where, parent = self._draw(choice(*self.parents))
            link.update(parent=parent, macvlan={"mode": self._draw(choice("bridge", "private"))})
            if where is None:  # the host has no name that could be given as parent_netns
                link["netns"] = None
            elif where != link["netns"]:
                link["parent_netns"] = where
        elif kind == "vxlan":
            link["vxlan"] = {"id": self._draw(choice(7, 8)), "port": 4789 + number, "remote": f"192.0.2.{self._draw(choice(9, 10))}"}
        self.lists["links"].append(link)
        if link["up"]:
            self.up.append((link["netns"], link["name"], number))

    def _addresses(self, place: str | None, device: str, number: int) -> None:
        for subnet in self._draw(strategies.lists(choice(0, 1), unique=True, max_size=2)):
            own = self._draw(choice(1, 2))
            texts = [f"10.{number}.{subnet}.{own}/24", f"2001:db8:{number}:{subnet}::{own}/64"]
            chosen = self._draw(strategies.lists(choice(*texts), unique=True, min_size=1))
            wish = {"netns": place, "dev": device, "address": chosen, "nodad": True, "exclusive": self._draw(choice(False, False, True))}
            self.lists["addresses"].append(wish)
            for text in chosen:
                if self._sometimes():
                    self._route(place, text.rpartition("/")[0].rpartition("." if "." in text else ":")[0], ":" in text, number)

    def _route(self, place: str | None, subnet: str, ipv6: bool, number: int) -> None:
        gateway = f"{subnet}:fe" if ipv6 else f"{subnet}.254"
        dest = self._draw(choice("2001:db8:ff::/64", "2001:db8:fe::/64") if ipv6 else choice("198.51.100.0/24", "203.0.113.0/24"))
        # another metric for each device: two ways to one place are one route
        self.lists["routes"].append(
            {"netns": place, "dest": [dest], "gateway": gateway, "table": self._draw(choice("main", "100")), "metric": 50 + number}
        )

    def _rest(self) -> None:
        for place in self.places:
            if self._sometimes():
                rule = {"netns": place, "priority": self._draw(choice(100, 101)), "table": self._draw(choice("100", "200"))}
                self.lists["rules"].append({**rule, "from": self._draw(choice("10.1.0.0/16", "2001:db8::/32"))})
            if self._sometimes():
                wish = {"netns": place, "dest": ["10.99.0.0/16"], "type": self._draw(choice("blackhole", "unreachable", "prohibit"))}
                self.lists["routes"].append(wish)
        inside = [bridge for place, bridge in self.bridges if place is None]
        if shutil.which("nft") and inside and self._draw(choice(False, False, True)):
            subnet = self._draw(choice("10.50.0.0/24", "10.51.0.0/24"))
            self.lists["nat"].append({"name": "net", "subnets": [subnet], "interface": inside[0], "uplink": "lo"})

    def make(self) -> Lists:
        self._namespaces()
        kinds = self._draw(strategies.lists(choice(*KINDS), max_size=3))
        for number, kind in enumerate(kinds):
            if kind == "bridge":
                self._bridge(number)
        for number in range(self._draw(strategies.integers(0, 3))):
            self._cable(number)
        for number, kind in enumerate(kinds):
            if kind != "bridge":
                self._link(number, kind)
        for place, device, number in self.up:
            self._addresses(place, device, number)
        self._merged_routes()
        self._rest()
        return {name: found for name, found in self.lists.items() if found}

    def _merged_routes(self) -> None:
        """One of those with the same table, prefix and metric."""
        kept = {(route["netns"], *route["dest"], route["table"], route["metric"]): route for route in self.lists["routes"]}
        self.lists["routes"] = [*kept.values()]


@strategies.composite
def states(draw: Draw) -> Lists:
    return Maker(draw).make()


# -- judging


def run(host: Host, lists: Lists, state: str = "present", check_mode: bool = False) -> Told:
    told = host.call(engine.run, Wish(lists, "random", state), check_mode)
    assert told.good, told.error
    return told


def bring(host: Host, lists: Lists) -> None:
    """To the state: what check mode says is what is done, and then there is nothing more to do."""
    said = run(host, lists, check_mode=True)
    done = run(host, lists)
    assert said.changes == done.changes, "check mode says otherwise than the run:\n" + "\n".join(
        picture.difference(said.changes, done.changes)
    )
    again = run(host, lists)
    assert not again.changed, f"a second run is not silent: {again.changes}"


def shape(host: Host) -> Pieces:
    found = comparable(pieces(host.picture(alike=True)))
    # a veth end is born without a link-local address where it is born as a port, and keeps that when its bridge is replaced
    return {name: value for name, value in found.items() if not name[2].endswith("/addr_gen_mode")}


def same(expected: Host, found: Host, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        lines = picture.difference(shape(expected), shape(found))
        if not lines:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}:\n" + "\n".join(lines[:20]))
        time.sleep(0.2)


def judge(first: Lists, second: Lists) -> None:
    with Host() as host, Host() as scratch, Host() as empty:
        bring(host, first)
        bring(host, second)
        run(scratch, second)
        same(scratch, host, "the second state after the first is not what it is from scratch")
        run(host, second, "absent")
        same(empty, host, "something is left over")
        left = {*host.picture()["state"]} - {"/run/linuxnet-netns/lock"}
        assert not left, left


def test_states_after_each_other(short: bool, tally: t.Callable[[str, int, int, int], None]) -> None:
    examples = 10 if short else 150
    count = [0, 0]

    @hypothesis.settings(
        max_examples=examples,
        derandomize=short,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],  # to shrink an example takes five minutes
        suppress_health_check=list(hypothesis.HealthCheck),
        print_blob=True,
    )
    @hypothesis.given(first=states(), second=states())
    def case(first: Lists, second: Lists) -> None:
        count[0] += 1
        judge(first, second)
        count[1] += 1

    try:
        case()
    finally:
        tally("random state after random state", count[0], count[1], count[0] - count[1])
