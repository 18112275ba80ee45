# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine without Ansible: a process of its own (`python engine_alone.py FILE`) that builds a star and tells what that took.

It tells the engine's own time: the start of Python and the imports are left out.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import sys
import time
import typing as t

import harness
import star

PROCESSOR, CLOCK = "processor time", "by the clock"
STATE = "/run/linuxnet-netns"
_PACKAGE = "ansible_collections.linuxnet.netns.plugins.module_utils._engine"
_PAUSE = 0.5  # for the kernel's last work on what was removed


class Star:
    """The files for a star of one size: its description, and the lines that remove it."""

    def __init__(self, size: int, folder: pathlib.Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.wish = folder / "topology.json"
        self.wish.write_text(json.dumps(star.topology(size)), encoding="utf-8")
        self._removal = folder / "removal"
        lines = [f"netns delete {star.namespace(number)}" for number in range(size)] + [f"link delete {star.HUB}"]
        self._removal.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def remove(self) -> None:
        harness.measure(["ip", "-batch", str(self._removal)], until=star.gone)
        star.check_gone()
        shutil.rmtree(STATE, ignore_errors=True)
        time.sleep(_PAUSE)


def add(series: harness.Series, technique: str, sample: harness.Sample) -> None:
    """The times that a process told of itself."""
    for step, seconds in json.loads(sample.output).items():
        series.add(technique, step, seconds)


# --- in a process of its own


def timed(work: t.Callable[[], t.Any]) -> None:
    """Do it and print the times."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    print(json.dumps({CLOCK: time.perf_counter() - clock, PROCESSOR: time.process_time() - processor}))


def load() -> dict[str, t.Any]:
    import importlib

    sys.path[:0] = os.environ["ANSIBLE_COLLECTIONS_PATH"].split(os.pathsep)
    # each file, also those that a run would import when it needs them: that is not what is measured
    files = pathlib.Path(importlib.import_module(_PACKAGE).__path__[0]).glob("[a-z]*.py")
    engine = {file.stem: importlib.import_module(f"{_PACKAGE}.{file.stem}") for file in files}
    engine["programs"].use(_start_program)
    return engine


def _start_program(words: t.Sequence[str], text: str, environment: t.Mapping[str, str]) -> t.Any:
    raise harness.BenchmarkError(f"{words[0]} is to be run, which a star does not need")


def build(engine: t.Mapping[str, t.Any], wish: str, owned: bool = True) -> None:
    lists = json.loads(pathlib.Path(wish).read_text(encoding="utf-8"))
    name = lists.pop("name")
    # what AnsibleModule fills in
    lists["veths"] = [{**pair, "up": True, "peer": {**pair["peer"], "up": True}} for pair in lists["veths"]]
    terms = engine["transaction"].Terms(owner=name if owned else None)
    timed(lambda: engine["transaction"].execute(engine["options"].read(lists, "present", True), terms=terms))


if __name__ == "__main__":
    build(load(), sys.argv[1])
