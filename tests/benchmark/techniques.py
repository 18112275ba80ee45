# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to build a star: `netns_topology` in one packed run, and `ip -batch` in two orders. Each is a command a step.

`ip -batch` has no change of namespace in its lines, so it is one process for the host and one for each namespace, started
by a shell script; all files are written before the clock starts.
"""

from __future__ import annotations

import json
import pathlib
import sys
import typing as t

import harness
import packed
import star

BUILD, AGAIN, MORE, REMOVE = "build", "again", "one more", "remove"
STEPS = (BUILD, AGAIN, MORE, REMOVE)
MODULE, NATURAL, LAST = "netns_topology", "ip -batch", "ip -batch, bridge up last"


class Module:
    """One run of the packed module a step; what it says is compared with what it should have done."""

    name = MODULE

    def __init__(self, size: int, folder: pathlib.Path) -> None:
        name = "linuxnet.netns.netns_topology"
        more = star.topology(size + 1)
        orders = {
            BUILD: (name, star.topology(size)),
            MORE: (name, more),
            REMOVE: (name, {**more, "state": "absent"}),
        }
        files = packed.pack({label.replace(" ", "-"): order for label, order in orders.items()}, folder)
        self.commands = {step: [sys.executable, str(files[step.replace(" ", "-")])] for step in orders}
        self.commands[AGAIN] = self.commands[BUILD]
        self._created = {BUILD: size, AGAIN: 0, MORE: 1}

    def check(self, step: str, output: str) -> None:
        result = json.loads(output)
        created = [change for change in result["changes"] if (change["action"], change["kind"]) == ("create", "namespace")]
        if step in self._created and len(created) != self._created[step]:
            raise harness.BenchmarkError(f"{step}: the module made {len(created)} namespaces, not {self._created[step]}")
        if result["changed"] != (step != AGAIN):
            raise harness.BenchmarkError(f"{step}: the module says changed: {result['changed']}")


class IpBatch:
    """A second run is an error to ip, so there is no step AGAIN."""

    def __init__(self, name: str, size: int, folder: pathlib.Path) -> None:
        self.name = name
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        up = [f"link set {star.HUB} up"]
        outside = [line for number in range(size) for line in star.ip_outside(number)]
        first, last = (star.ip_hub(), up) if name == LAST else (star.ip_hub() + up, [])
        inside = [self._inside(number) for number in range(size + 1)]
        removal = [f"netns delete {star.namespace(number)}" for number in range(size + 1)] + [f"link delete {star.HUB}"]
        self.commands = {
            BUILD: self._script(BUILD, [self._batch("host", first + outside), *inside[:-1], self._batch("up", last)]),
            MORE: self._script("more", [self._batch("host-more", star.ip_outside(size)), inside[-1]]),
            REMOVE: self._script(REMOVE, [self._batch("removal", removal)]),
        }

    def _inside(self, number: int) -> str:
        return self._batch(f"inside-{number}", star.ip_inside(number), f"-n {star.namespace(number)} ")

    def _batch(self, name: str, lines: t.Sequence[str], options: str = "") -> str:
        if not lines:
            return ""
        path = self._folder / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return f"ip {options}-batch {path}"

    def _script(self, name: str, commands: t.Sequence[str]) -> list[str]:
        path = self._folder / f"{name}.sh"
        path.write_text("\n".join(["set -e", *filter(None, commands)]) + "\n", encoding="utf-8")
        return ["sh", str(path)]

    def check(self, step: str, output: str) -> None:
        """What ip says is its return code; the look at the star is the same for all."""
