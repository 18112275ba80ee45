# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stars of one size by every technique in turns: build, again, one more, remove; each result is looked at."""

from __future__ import annotations

import dataclasses
import pathlib
import time
import typing as t

import flood
import harness
import star
from techniques import AGAIN, BUILD, LAST, MODULE, MORE, NATURAL, REMOVE, STEPS, IpBatch, Module

# For the kernel's last work on what was removed, so that it does not fall into the next measurement.
_PAUSE = 0.5
NAMES = (MODULE, NATURAL, LAST)


@dataclasses.dataclass
class Result:
    """Times by technique and step, packets over the bridge's ports, the module's peak memory in MB by step."""

    times: harness.Series = dataclasses.field(default_factory=harness.Series)
    packets: harness.Series = dataclasses.field(default_factory=harness.Series)
    peaks: dict[str, float] = dataclasses.field(default_factory=lambda: dict.fromkeys(STEPS, 0.0))

    def raw(self) -> dict[str, t.Any]:
        return {"seconds": self.times.raw(), "packets": self.packets.raw(), "peak_mb": self.peaks}


def run(size: int, rounds: int, folder: pathlib.Path) -> Result:
    techniques: list[t.Any] = [
        Module(size, folder / "module"),
        IpBatch(NATURAL, size, folder / "natural"),
        IpBatch(LAST, size, folder / "last"),
    ]
    result = Result()
    for technique in harness.in_turns(techniques, rounds):
        for step in STEPS:
            if step in technique.commands:
                _step(technique, step, size, result)
        time.sleep(_PAUSE)
    return result


def _step(technique: t.Any, step: str, size: int, result: Result) -> None:
    sample = harness.measure(technique.commands[step], until=star.gone if step == REMOVE else None)
    if step == BUILD:
        flood.count(technique.name, result.packets, size)
    technique.check(step, sample.output)
    if step == REMOVE:
        star.check_gone()
    else:
        star.check(size + (step == MORE))
    result.times.add(technique.name, step, sample.seconds)
    if technique.name == MODULE:
        result.peaks[step] = round(max(result.peaks[step], sample.peak_mb), 1)


def report(size: int, series: harness.Series) -> str:
    """Milliseconds; the ratio is the module's time to that of ip, so below 1 the module is faster."""
    heads = [f"{size} namespaces (ms)", *NAMES, "ratio", "ratio to last"]
    rows = []
    for step in STEPS:
        medians = [series.median(technique, step) for technique in NAMES]
        ratios = [series.ratio(MODULE, technique, step) for technique in (NATURAL, LAST)]
        label = "again, no change" if step == AGAIN else step
        rows.append([label, *(_ms(value) for value in medians), *(_ratio(value) for value in ratios)])
    per_namespace = [series.median(technique, BUILD) for technique in NAMES]
    rows.append(["build, each namespace", *(_ms(value and value / size, 2) for value in per_namespace), "", ""])
    return harness.table(heads, rows)


def report_growth(series: t.Mapping[int, harness.Series]) -> str:
    """What a namespace more costs, the start of the process left out; nothing to say of a single size."""
    if len(series) < 2:
        return ""
    small, big = min(series), max(series)
    rows = []
    for step in (BUILD, AGAIN, REMOVE):
        pairs = [(series[small].median(name, step), series[big].median(name, step)) for name in NAMES]
        costs = [None if one is None or two is None else (two - one) / (big - small) for one, two in pairs]
        rows.append([step, *(_ms(cost, 2) for cost in costs)])
    return harness.table([f"each namespace from {small} to {big} (ms)", *NAMES], rows)


def _ms(seconds: float | None, digits: int = 0) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.{digits}f}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
