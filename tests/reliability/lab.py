# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab that is killed and refused: ten namespaces behind a bridge on the host, and another version of it.

MAC addresses are given, so that pictures of two hosts can be compared, and addresses do without duplicate address detection,
which takes two seconds a run.
"""

from __future__ import annotations

import shutil
import typing as t

from engine import Wish

Lists = dict[str, list[dict[str, t.Any]]]


def lab(numbers: t.Sequence[int] = range(10)) -> Lists:
    """Version one: bridge, a cable, addresses, routes, a resolver each; here and there a sysctl, a rule, a table."""
    names = {number: f"n{number}" for number in numbers}
    lists: Lists = {
        "namespaces": [{"name": [name], "nameservers": [f"10.77.0.{10 + number}"]} for number, name in names.items()],
        "links": [{"name": "br-lab", "kind": "bridge", "mac_address": "02:77:00:00:00:01", "up": True, "bridge": {"stp": False}}],
        "veths": [_cable(number, name) for number, name in names.items()],
        "addresses": [{"dev": "br-lab", "address": ["10.77.0.1/24", "fd77::1/64"], "nodad": True}],
        "routes": [],
        "sysctls": [{"netns": name, "name": "net.ipv4.conf.eth0.rp_filter", "value": 2} for name in names.values()],
        "rules": [{"netns": names[numbers[0]], "priority": 100, "from": "10.77.0.0/24", "table": "100"}],
    }
    for number, name in names.items():
        own = [f"10.77.0.{10 + number}/24", f"fd77::{10 + number}/64"]
        lists["addresses"].append({"netns": name, "dev": "eth0", "address": own, "nodad": True})
        lists["routes"].append({"netns": name, "dest": ["default"], "gateway": "10.77.0.1"})
        lists["routes"].append({"netns": name, "dest": ["default"], "gateway": "fd77::1"})
    lists["routes"].append({"netns": names[numbers[0]], "dest": ["10.99.0.0/16"], "gateway": "10.77.0.1", "table": "100"})
    if shutil.which("nft"):
        lists["nat"] = [{"name": "lab", "subnets": ["10.77.0.0/24"], "interface": "br-lab", "uplink": "lo"}]
    return lists


def _cable(number: int, name: str) -> dict[str, t.Any]:
    return {
        "name": "eth0",
        "netns": name,
        "up": True,
        "mac_address": f"02:77:00:00:01:{number:02x}",
        "peer": {"name": f"{name}-eth0", "master": "br-lab", "up": True, "mac_address": f"02:77:00:00:02:{number:02x}"},
    }


def other_lab() -> Lists:
    """Version two: two namespaces less and two more, another MTU, an address and a cable that have to be made anew."""
    lists = lab([*range(8), 10, 11])
    cables = {cable["netns"]: cable for cable in lists["veths"]}
    cables["n1"]["mtu"] = cables["n1"]["peer"]["mtu"] = 1400
    cables["n3"]["num_tx_queues"] = cables["n3"]["num_rx_queues"] = 2
    own = next(address for address in lists["addresses"] if address.get("netns") == "n2")
    lists["addresses"].append({**own, "address": ["10.77.0.212/24"]})
    own["address"] = [own["address"][1]]
    lists["addresses"].append({"netns": "n4", "dev": "eth0", "address": ["10.77.0.14/24"], "label": "eth0:lab"})
    four = next(address for address in lists["addresses"] if address.get("netns") == "n4")
    four["address"] = [four["address"][1]]
    lists["sysctls"][5]["value"] = 1
    return lists


def wishes() -> dict[str, Wish]:
    """By name: the lab, its other version, and the end of it."""
    return {
        "apply": Wish(lab()),
        "change": Wish(other_lab()),
        "absent": Wish(other_lab(), state="absent"),
    }
