# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The price of a run that has nothing to do: on the target alone, and with the controller."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import harness
import packed

MODULE = "linuxnet.netns.netns"
NAMESPACE = "bench-noop"
STEP = "noop"
CONTROLLER, CONTROLLER_PING = f"ansible -m {MODULE}", "ansible -m ansible.builtin.ping"
TARGET, TARGET_EMPTY = "the module's process", "an empty module's, as big a file"
BARE = "python -c pass"
# What is compared with what.
_LINES = ((BARE, None), (TARGET_EMPTY, None), (TARGET, TARGET_EMPTY), (CONTROLLER_PING, None), (CONTROLLER, CONTROLLER_PING))


def _ansible(name: str, arguments: t.Sequence[str] = ()) -> list[str]:
    interpreter = f"ansible_python_interpreter={sys.executable}"
    options = ["--inventory", "localhost,", "--connection", "local", "--extra-vars", interpreter, "--module-name", name]
    return [sys.executable, "-m", "ansible", "adhoc", "localhost", *options, *arguments]


def run(rounds: int, folder: pathlib.Path) -> tuple[harness.Series, dict[str, t.Any]]:
    """Times of every way, and facts: the size of the packed files and the module's peak."""
    files = packed.pack({"noop": (MODULE, {"name": [NAMESPACE]}), "empty": (packed.EMPTY, {})}, folder)
    commands = {
        BARE: [sys.executable, "-c", "pass"],
        TARGET_EMPTY: [sys.executable, str(files["empty"])],
        TARGET: [sys.executable, str(files["noop"])],
        CONTROLLER_PING: _ansible("ansible.builtin.ping"),
        CONTROLLER: _ansible(MODULE, ["--args", f"name={NAMESPACE}"]),
    }
    subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
    subprocess.run(["ip", "-n", NAMESPACE, "link", "set", "lo", "up"], check=True)
    for command in commands.values():  # the first of each fills the caches
        harness.measure(command)
    series = harness.Series()
    peak = 0.0
    for technique in harness.in_turns([*commands], rounds):
        sample = harness.measure(commands[technique])
        series.add(technique, STEP, sample.seconds)
        if technique == TARGET:
            peak = max(peak, sample.peak_mb)
            if json.loads(sample.output)["changed"]:
                raise harness.BenchmarkError(f"a run for namespace {NAMESPACE}, which was as asked for, says changed")
    subprocess.run(["ip", "netns", "delete", NAMESPACE], check=True)
    sizes = {label: os.path.getsize(path) for label, path in files.items()}
    return series, {"file_bytes": sizes, "peak_mb": round(peak, 1)}


def report(series: harness.Series, facts: t.Mapping[str, t.Any]) -> str:
    rows = []
    for technique, other in _LINES:
        ratio = series.ratio(technique, other, STEP) if other else None
        rows.append([technique, f"{1000 * (series.median(technique, STEP) or 0):.0f}", f"{ratio:.2f}" if ratio else ""])
    sizes = facts["file_bytes"]
    note = (
        f"The packed module is a file of {sizes['noop'] / 1024:.0f} KiB, the empty one of {sizes['empty'] / 1024:.0f} KiB "
        f"(AnsibleModule and exit_json, nothing else imported); the module's peak memory is {facts['peak_mb']:.0f} MB."
    )
    return f"{harness.table(['a run without a change', 'ms', 'to the one above'], rows)}\n\n{note}"
