# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The goals: one row each, with what was measured. A goal stands for the size that it names and is not judged by another."""

from __future__ import annotations

import dataclasses
import typing as t

import crowd
import floor
import harness
import noop
import ports
import stars
from techniques import AGAIN, BUILD, LAST, MODULE, MORE, NATURAL, REMOVE

SIZE, SMALL, LINKS = 1000, 100, 5000


@dataclasses.dataclass
class Measured:
    """All of one run of the benchmark."""

    noop: harness.Series
    noop_facts: dict[str, t.Any]
    stars: dict[int, stars.Result]
    floor: dict[int, harness.Series]
    cost_size: int
    cost: harness.Series
    links: int
    crowd: harness.Series
    ports: harness.Series

    def raw(self) -> dict[str, t.Any]:
        return {
            "noop": {**self.noop_facts, "seconds": self.noop.raw()},
            "stars": {str(size): result.raw() for size, result in self.stars.items()},
            "floor": {str(size): series.raw() for size, series in self.floor.items()},
            "cost": {"namespaces": self.cost_size, "seconds": self.cost.raw()},
            "crowd": {"links": self.links, "seconds": self.crowd.raw()},
            "ports": self.ports.raw(),
        }


@dataclasses.dataclass(frozen=True)
class Goal:
    """At most ``limit``; ``value`` is None if this run has not measured what the goal is about."""

    what: str
    value: float | None
    limit: float
    unit: str = ""

    def row(self) -> list[str]:
        form = "{:.3f}" if not self.unit else "{:.1f} " + self.unit
        if self.value is None:
            return [self.what, "-", form.format(self.limit), "not measured"]
        return [self.what, form.format(self.value), form.format(self.limit), "kept" if self.value <= self.limit else "NOT KEPT"]


def report(measured: Measured) -> str:
    goals = [*_builds(measured), *_engine(measured), *_changes(measured), *_others(measured)]
    rows = [goal.row() for goal in goals]
    heads = [f"goals, for {SIZE} namespaces unless said otherwise", "value", "at most", "verdict"]
    text = harness.table(heads, rows)
    if any(goal.value is None for goal in goals):
        text += "\n\nWhat is not measured needs `--full`: a goal stands for the size that it names."
    return text


def _builds(measured: Measured) -> list[Goal]:
    result = measured.stars.get(SIZE)
    times = result.times if result else harness.Series()
    return [
        Goal("build, to ip -batch as people write it", times.ratio(MODULE, NATURAL, BUILD), 1 / 6),
        Goal("build, to ip -batch with the bridge up last", times.ratio(MODULE, LAST, BUILD), 1 / 3),
    ]


def _engine(measured: Measured) -> list[Goal]:
    big, small = measured.floor.get(SIZE), measured.floor.get(SMALL)
    growth = None
    if big and small:
        growth = _over(big.median(floor.ENGINE, floor.CLOCK), small.median(floor.ENGINE, floor.CLOCK), SIZE / SMALL)
    return [
        Goal("the engine's build, to hand-made netlink", big.ratio(floor.ENGINE, floor.FLOOR, floor.CLOCK) if big else None, 1.5),
        Goal(f"the engine's build, growth from {SMALL} to {SIZE}, to linear", growth, 1.3),
    ]


def _changes(measured: Measured) -> list[Goal]:
    result = measured.stars.get(SIZE)
    times = result.times if result else harness.Series()
    build, again, more = (times.median(MODULE, step) for step in (BUILD, AGAIN, MORE))
    longer = None if again is None or more is None else 1000 * (more - again)
    return [
        Goal("again without a change, to the build", _over(again, build), 1 / 3),
        Goal("again without a change, each namespace", _over(again, SIZE, 0.001), 1.5, "ms"),
        Goal("one more namespace, longer than without a change", longer, 50, "ms"),
        Goal("removal, to ip -batch", times.ratio(MODULE, NATURAL, REMOVE), 1.5),
        Goal("peak memory", max(result.peaks.values()) if result else None, 150, "MB"),
    ]


def _others(measured: Measured) -> list[Goal]:
    longer = measured.noop.difference(noop.TARGET, noop.TARGET_EMPTY, noop.STEP)
    crowded = measured.crowd.ratio(crowd.CROWDED, crowd.EMPTY, AGAIN) if measured.links >= LINKS else None
    return [
        Goal(f"module {noop.MODULE}, one namespace, longer than an empty one", None if longer is None else 1000 * longer, 40, "ms"),
        Goal(f"{ports.MANY} published ports, longer than one", measured.ports.difference(ports.ALL, ports.ONE, ports.BUILD), 1, "s"),
        Goal(f"{crowd.SIZE} namespaces again with {LINKS} foreign links, to without", crowded, 1.2),
    ]


def _over(one: float | None, two: float | None, factor: float = 1.0) -> float | None:
    return None if one is None or two is None else one / two / factor
