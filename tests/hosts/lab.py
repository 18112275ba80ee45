# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network of two namespaces on a bridge behind NAT, on a host: built, removed, tried.

By the engine itself, copied to the host: a run takes a twentieth of the time of a playbook's.
"""

from __future__ import annotations

import concurrent.futures
import json
import pathlib
import sys
import typing as t

import systemd_host

_HERE = pathlib.Path(__file__).parent
_ENGINE = _HERE.parents[1] / "plugins" / "module_utils" / "_engine"
_PLACE = "/opt/linuxnet-test"

# From the network, and from the server on the Internet: by way, who is asked. The ports of the host are published.
OUT = {"out4": "203.0.113.10/7777", "out6": "2001:db8:203::10/7777", "near4": "10.50.0.11/7777", "near6": "fd50::11/7777"}
OWN = {"own4": "198.51.100.2/8080", "own6": "2001:db8:100::2/8080"}
IN = {"in4": OWN["own4"], "in6": OWN["own6"]}
# By way, who is seen to ask.
THROUGH = {"out4": "198.51.100.2", "out6": "2001:db8:100::2", "near4": "10.50.0.10", "near6": "fd50::10"}
THROUGH |= {"own4": "10.50.0.1", "own6": "fd50::1", "in4": "203.0.113.10", "in6": "2001:db8:203::10"}
NOTHING = dict.fromkeys(THROUGH)
PUBLISH = [{"host_port": 8080, "to_port": 7777, "to_address": address} for address in ("10.50.0.11", "fd50::11")]

Change = dict[str, t.Any]
LISTS: dict[str, list[dict[str, t.Any]]] = {
    "namespaces": [{"name": "red"}, {"name": "blue"}],
    "links": [{"name": "br-lab", "kind": "bridge", "up": True}],
    "veths": [
        {"name": "eth0", "netns": name, "up": True, "peer": {"name": f"{name}0", "master": "br-lab", "up": True}}
        for name in ("red", "blue")
    ],
    "addresses": [
        {"dev": "br-lab", "address": ["10.50.0.1/24", "fd50::1/64"]},
        {"netns": "red", "dev": "eth0", "address": ["10.50.0.10/24", "fd50::10/64"]},
        {"netns": "blue", "dev": "eth0", "address": ["10.50.0.11/24", "fd50::11/64"]},
    ],
    "routes": [{"netns": name, "dest": "default", "gateway": gateway} for name in ("red", "blue") for gateway in ("10.50.0.1", "fd50::1")],
}


class Told(t.NamedTuple):
    """What a run told; ``msg`` is None where it went well."""

    changes: list[Change]
    msg: str | None
    diff: t.Any = None
    rolled_back: bool | None = None

    def accepts(self) -> list[str]:
        """What it did in others' firewalls."""
        return [f"{change['action']} {change['name']}" for change in self.changes if change["kind"] == "foreign_accept"]


class Lab:
    """What a test does with the network."""

    def __init__(self, host: systemd_host.Host) -> None:
        self._host = host
        host.put(_ENGINE, f"{_PLACE}/_engine")
        for name in ("engine_run.py", "traffic.py"):
            host.put(_HERE / name, f"{_PLACE}/{name}")

    def run(self, foreign_drop: str = "fail", state: str = "present", check_mode: bool = False, broken: bool = False) -> Told:
        """One run, be it a failure; ``broken``: it will be one, when the firewalls have been changed."""
        subnets = ["10.50.0.0/24", "fd50::/64"]
        nat = {"name": "lab", "subnets": subnets, "interface": "br-lab", "foreign_drop": foreign_drop, "publish": PUBLISH}
        lists = {**LISTS, "nat": [nat]} if state == "present" else {}
        if broken:
            lists["routes"] = [*LISTS["routes"], {"netns": "blue", "dest": "192.0.2.0/24", "gateway": "10.50.0.1", "src": "192.0.2.1"}]
        asked = {"name": "lab", "state": state, "check_mode": check_mode, "lists": lists}
        return Told(**json.loads(self._host.run("python3", f"{_PLACE}/engine_run.py", text=json.dumps(asked)).stdout))

    def traffic(self, ways: t.Iterable[str] = tuple(THROUGH)) -> dict[str, str | None]:
        """By way: the address that the other end saw; none where nothing came through."""
        traffic, server = f"{_PLACE}/traffic.py", self._host.run("python3", f"{_PLACE}/traffic.py", "serve").stdout.strip()

        def outside() -> str:
            return self._host.outside(sys.executable, str(_HERE / "traffic.py"), "ask", *words(IN))

        with concurrent.futures.ThreadPoolExecutor() as pool:
            coming = pool.submit(outside)
            inside = self._host.run("ip", "netns", "exec", "red", "python3", traffic, "ask", *words({**OUT, **OWN}))
            seen = {**json.loads(inside.stdout), **json.loads(coming.result())}
        self._host.run("kill", server)
        return {way: seen[way] for way in ways}


def words(ways: dict[str, str]) -> list[str]:
    return [f"{way}={target}" for way, target in ways.items()]
