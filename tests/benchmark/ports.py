# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network that publishes a thousand ports beside one that publishes one, in turns: the whole module's process, at every step."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import typing as t

import harness
import packed

MODULE = "linuxnet.netns.netns_nat"
MANY = 1000
ONE, ALL = "1 published port", f"{MANY} published ports"
BUILD, AGAIN, REMOVE = "publish", "again", "remove"
_COUNTS = {ONE: 1, ALL: MANY}
_NETWORK = {"name": "bench", "subnets": ["10.99.0.0/16"], "interface": "bench-br", "uplink": "bench-up"}
_FIRST_PORT = 20000


def _orders() -> dict[str, tuple[str, dict[str, t.Any]]]:
    """Each port leads to a port of another number: what a map has the most to say of."""
    orders: dict[str, tuple[str, dict[str, t.Any]]] = {"remove": (MODULE, {"name": "bench", "state": "absent"})}
    for technique, count in _COUNTS.items():
        ports = [{"host_port": str(_FIRST_PORT + at), "to_address": "10.99.0.10", "to_port": str(at + 1)} for at in range(count)]
        orders[str(_COUNTS[technique])] = (MODULE, {**_NETWORK, "publish": ports})
    return orders


def run(rounds: int, folder: pathlib.Path) -> harness.Series:
    """Seconds of each step, in turns."""
    files = packed.pack(_orders(), folder)
    subprocess.run(["ip", "link", "add", "bench-br", "type", "bridge"], check=True)
    subprocess.run(["ip", "link", "add", "bench-up", "type", "bridge"], check=True)
    series = harness.Series()
    for technique in harness.in_turns([*_COUNTS], rounds):
        publish = [sys.executable, str(files[str(_COUNTS[technique])])]
        for step, command in ((BUILD, publish), (AGAIN, publish), (REMOVE, [sys.executable, str(files["remove"])])):
            sample = harness.measure(command)
            series.add(technique, step, sample.seconds)
            if json.loads(sample.output)["changed"] != (step != AGAIN):
                raise harness.BenchmarkError(f"{technique}, step {step!r}: the module says the wrong thing of whether it changed something")
            _check(_COUNTS[technique] if step != REMOVE else 0)
    for device in ("bench-br", "bench-up"):
        subprocess.run(["ip", "link", "delete", device], check=True)
    return series


def _check(count: int) -> None:
    """As the kernel has it."""
    listed = json.loads(subprocess.run(["nft", "-j", "list", "ruleset"], capture_output=True, text=True, check=True).stdout)
    found = sum(len(entry["map"].get("elem", ())) for entry in listed["nftables"] if "map" in entry)
    if found != count:
        raise harness.BenchmarkError(f"{found} ports are published where {count} were asked for")


def report(series: harness.Series) -> str:
    rows = []
    for step in (BUILD, AGAIN, REMOVE):
        medians = [series.median(technique, step) or 0.0 for technique in _COUNTS]
        longer = series.difference(ALL, ONE, step) or 0.0
        rows.append(
            [step, *(f"{1000 * median:.0f}" for median in medians), f"{1000 * longer:.0f}", f"{series.ratio(ALL, ONE, step) or 0:.2f}"]
        )
    return harness.table([f"module {MODULE} (ms)", *_COUNTS, "longer by", "ratio"], rows)
