# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network of two namespaces on a bridge behind NAT, on a host: built, removed, tried.

By the engine itself, copied to the host: a run takes a twentieth of the time of a playbook's.
"""

from __future__ import annotations

import json
import pathlib
import typing as t

import systemd_host

_HERE = pathlib.Path(__file__).parent
_ENGINE = _HERE.parents[1] / "plugins" / "module_utils" / "_engine"
_PLACE = "/opt/linuxnet-test"

THROUGH = {"out4": "198.51.100.2", "out6": "2001:db8:100::2", "near4": "10.50.0.10", "near6": "fd50::10"}
NOTHING = dict.fromkeys(THROUGH)

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
    "routes": [{"netns": "red", "dest": "default", "gateway": gateway} for gateway in ("10.50.0.1", "fd50::1")],
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
        nat = {"name": "lab", "subnets": ["10.50.0.0/24", "fd50::/64"], "interface": "br-lab", "foreign_drop": foreign_drop}
        lists = {**LISTS, "nat": [nat]} if state == "present" else {}
        if broken:
            lists["routes"] = [*LISTS["routes"], {"netns": "blue", "dest": "default", "gateway": "10.50.0.1", "src": "192.0.2.1"}]
        asked = {"name": "lab", "state": state, "check_mode": check_mode, "lists": lists}
        return Told(**json.loads(self._host.run("python3", f"{_PLACE}/engine_run.py", text=json.dumps(asked)).stdout))

    def traffic(self, ways: t.Iterable[str] = tuple(THROUGH)) -> dict[str, str | None]:
        """By way: the address that the other end saw; none where nothing came through."""
        seen = json.loads(self._host.run("python3", f"{_PLACE}/traffic.py").stdout)
        return {way: seen[way] for way in ways}
