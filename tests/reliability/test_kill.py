# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 before and after every netlink request, mount, written file and program of a run on a lab of ten namespaces.

Whatever the point: the next run of the same wish brings the host to exactly what it is after a run that nobody killed, the run
after that finds nothing to do, and when the lab is removed the host is as it was before there was one.
"""

from __future__ import annotations

import dataclasses
import functools
import signal
import typing as t

import engine
import host
import lab
import picture
import points
import pytest
from conftest import Tally

WISHES = lab.wishes()
# What a host has seen before the run that is killed.
BEFORE = {"apply": [], "change": ["apply"], "absent": ["apply", "change"]}
SAMPLE = 12  # of the points one in so many


class Case(t.NamedTuple):
    scenario: str
    at: int
    how: str
    label: str

    def __str__(self) -> str:
        return f"{self.scenario}, kill {self.how} point {self.at} ({self.label})"


@dataclasses.dataclass
class Verdict:
    """What came of one case. ``wrong``: what did not converge; ``left``: what was left over after the removal."""

    case: Case
    wrong: list[str] = dataclasses.field(default_factory=list)
    left: list[str] = dataclasses.field(default_factory=list)

    def lines(self) -> t.Iterator[str]:
        for line in (*self.wrong[:12], *(f"left over: {line}" for line in self.left[:12])):
            yield f"{self.case}: {line}"


@dataclasses.dataclass
class Reference:
    """A run that nobody kills: its points, and the host before any lab, before the run, and after it."""

    passed: list[str]
    empty: picture.Picture
    before: picture.Picture
    after: picture.Picture


def prepared(here: host.Host, scenario: str) -> None:
    for name in BEFORE[scenario]:
        told = here.call(engine.run, WISHES[name])
        assert told.good, told.error


@functools.cache
def reference(scenario: str) -> Reference:
    with host.Host() as here:
        empty = here.settled(alike=True)
        prepared(here, scenario)
        before = here.settled(alike=True)
        told, passed = here.call(engine.counted, WISHES[scenario], points.Hook())
        assert told.good, told.error
        return Reference(passed, empty, before, here.settled(alike=True))


def cases(scenario: str, short: bool) -> list[Case]:
    passed = reference(scenario).passed
    found = [Case(scenario, at, how, label) for at, label in enumerate(passed) for how in ("before", "after")]
    found += [Case(scenario, at, "half", label) for at, label in enumerate(passed) if label.startswith("file write")]
    # of each point are two: an odd step, so that both take their turn
    return found[:: 2 * SAMPLE + 1] if short else found


def judged(case: Case) -> Verdict:
    verdict = Verdict(case)
    with host.Host() as here:
        prepared(here, case.scenario)
        try:
            here.call(engine.run, WISHES[case.scenario], False, points.Hook(case.at, case.how))
            verdict.wrong.append("the run was not killed: it did not pass this point")
        except host.Killed as end:
            assert end.number == signal.SIGKILL
        _converge(here, case, verdict)
        _remove(here, verdict)
    return verdict


def _converge(here: host.Host, case: Case, verdict: Verdict) -> None:
    """The next run of the same wish, and the one after that."""
    expected = reference(case.scenario)
    wish = WISHES[case.scenario]
    journal = [name for name in here.shell("ls /run/linuxnet-netns || true").split() if name.startswith("journal")]
    told = here.call(engine.run, wish)
    if not told.good:
        verdict.wrong.append(f"the next run fails: {told.error}")
        return
    if told.warnings and not _expected_warnings(told.warnings):
        verdict.wrong.append(f"the next run warns: {told.warnings}")
    if told.recovered and not journal:
        verdict.wrong.append(f"recovered without a journal: {told.recovered}")
    verdict.wrong += here.differs(expected.after, alike=True)
    again = here.call(engine.run, wish)
    if not again.good or again.changed or again.recovered:
        verdict.wrong.append(f"the run after the next is not silent: {again}")


def _remove(here: host.Host, verdict: Verdict) -> None:
    told = here.call(engine.run, WISHES["absent"])
    if not told.good:
        verdict.left.append(f"the removal fails: {told.error}")
    verdict.left += here.differs(reference(verdict.case.scenario).empty, alike=True)


def _expected_warnings(warnings: list[str]) -> bool:
    return all("sysctl" in warning for warning in warnings)


@pytest.mark.parametrize("scenario", ["apply", "change", "absent"])
def test_the_next_run_converges_and_nothing_is_left_over(scenario: str, short: bool, tally: Tally) -> None:
    """Each point of each kind, in a fresh host each."""
    tried = cases(scenario, short)
    verdicts = host.spread(tried, judged)
    tally(
        f"kill -9, {scenario}", len(tried), sum(not verdict.wrong for verdict in verdicts), sum(bool(verdict.left) for verdict in verdicts)
    )
    lines = [line for verdict in verdicts for line in verdict.lines()]
    assert not lines, "\n".join(lines[:100])
