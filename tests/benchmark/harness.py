# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Timing: one command at a time, techniques in turns, medians and ratios of what was measured side by side."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time
import typing as t

# What this file says of itself holds for what is written.
LICENCE = "\n".join(line[2:] for line in pathlib.Path(__file__).read_text(encoding="utf-8").splitlines()[:3])


class BenchmarkError(Exception):
    """One sentence: what was measured is not what was meant to be measured."""


@dataclasses.dataclass(frozen=True)
class Sample:
    """One run of a command. The kernel counts the starting process into the peak: it is an upper bound."""

    seconds: float
    peak_mb: float
    output: str


def measure(command: t.Sequence[str], until: t.Callable[[], bool] | None = None) -> Sample:
    """Run a command, which must succeed; with ``until`` the clock runs on until that is true."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        # not process.wait(): this one tells the peak of just this process
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if until:
            _wait(until)
        seconds = time.perf_counter() - start
        output.seek(0)
        errors.seek(0)
        text = output.read()
        if process.returncode != 0:
            raise BenchmarkError(f"{' '.join(command)[:200]} ended with {process.returncode}: {_said(text, errors.read())}")
    return Sample(seconds, usage.ru_maxrss / 1024, text)


def _said(output: str, errors: str) -> str:
    """A module's own sentence, or the end of what any other command wrote."""
    try:
        return str(json.loads(output)["msg"])
    except (ValueError, KeyError, TypeError):
        return (errors + output).strip()[-1000:]


def _wait(until: t.Callable[[], bool], timeout: float = 60.0) -> None:
    deadline = time.monotonic() + timeout
    while not until():
        if time.monotonic() > deadline:
            raise BenchmarkError(f"what a command removed was still there after {timeout:.0f} seconds")
        time.sleep(0.002)


class Series:
    """Seconds by (technique, step), one for each round."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, str], list[float]] = {}

    def add(self, technique: str, step: str, seconds: float) -> None:
        self._seconds.setdefault((technique, step), []).append(seconds)

    def median(self, technique: str, step: str) -> float | None:
        """None where the technique has no such step."""
        seconds = self._seconds.get((technique, step))
        return statistics.median(seconds) if seconds else None

    def ratio(self, technique: str, other: str, step: str) -> float | None:
        """The median of the rounds' ratios: a round's runs stood under the same load."""
        pairs = list(zip(self._seconds.get((technique, step), []), self._seconds.get((other, step), [])))
        return statistics.median(one / two for one, two in pairs) if pairs else None

    def difference(self, technique: str, other: str, step: str) -> float | None:
        """As ratio, the seconds that the one takes longer."""
        pairs = list(zip(self._seconds.get((technique, step), []), self._seconds.get((other, step), [])))
        return statistics.median(one - two for one, two in pairs) if pairs else None

    def raw(self) -> dict[str, dict[str, list[float]]]:
        told: dict[str, dict[str, list[float]]] = {}
        for (technique, step), seconds in self._seconds.items():
            told.setdefault(technique, {})[step] = [round(value, 5) for value in seconds]
        return told


def in_turns(techniques: t.Sequence[t.Any], rounds: int) -> t.Iterator[t.Any]:
    """Every technique once a round, and another one first in each."""
    for number in range(rounds):
        start = number % len(techniques)
        yield from [*techniques[start:], *techniques[:start]]


def table(heads: t.Sequence[str], rows: t.Iterable[t.Sequence[str]]) -> str:
    """A Markdown table, the first column text, the others numbers."""
    lines = [list(heads), *([*row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]

    def text(line: t.Sequence[str]) -> str:
        cells = [cell.rjust(width) if column else cell.ljust(width) for column, (cell, width) in enumerate(zip(line, widths))]
        return f"| {' | '.join(cells)} |"

    rule = [("-" * (width - 1) + ":") if column else "-" * width for column, width in enumerate(widths)]
    return "\n".join([text(lines[0]), text(rule), *(text(line) for line in lines[1:])])


def write_page(path: pathlib.Path, text: str) -> None:
    """A report as a file of the documentation."""
    path.write_text(f"<!--\n{LICENCE}\n-->\n\n{text}\n", encoding="utf-8")
