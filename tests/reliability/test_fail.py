# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every request of a run refused once, reading ones too: the run ends with one sentence, and the host is what it was, to the last index.

Where the kernel's no does not matter (a bridge filter that another reading replaces, the end of a loop) the run may as well succeed;
then it has to have done everything.
"""

from __future__ import annotations

import dataclasses
import functools
import typing as t

import engine
import host
import picture
import points
import pytest
import situations
from conftest import Tally

SAMPLE = 30  # of the points one in so many


class Case(t.NamedTuple):
    scenario: str
    at: int
    label: str
    how: str = "fail"

    def __str__(self) -> str:
        return f"{self.scenario}, point {self.at}: {self.how} ({self.label})"


@dataclasses.dataclass
class Standing:
    """A host on which a scenario is prepared; it serves as long as failing runs leave it as it was."""

    here: host.Host
    before: picture.Picture


# of this process: each worker has its own
_standing: dict[str, Standing] = {}


def standing(scenario: str) -> Standing:
    if scenario not in _standing:
        here = host.Host()
        situations.SITUATIONS[scenario].prepare(here)
        _standing[scenario] = Standing(here, here.settled(quiet=0.02 if situations.SITUATIONS[scenario].fresh else 0.3))
    return _standing[scenario]


def discard(scenario: str) -> None:
    _standing.pop(scenario).here.close()


@functools.cache
def passed(scenario: str) -> list[str]:
    """The points of a run that nobody disturbs."""
    with host.Host() as here:
        situation = situations.SITUATIONS[scenario]
        situation.prepare(here)
        told, found = here.call(engine.counted, situation.wish, points.Hook(kinds=points.ALL))
        assert told.good, told.error
        assert told.changed
        return found


def judged(case: Case) -> list[str] | None:
    """What is wrong, in lines; None where the run did not come to the point."""
    place = standing(case.scenario)
    wish = situations.SITUATIONS[case.scenario].wish
    hook = points.Hook(case.at, case.how, points.ALL)
    try:
        told, found = place.here.call(engine.counted, wish, hook)
    except (host.Crashed, host.Killed, TimeoutError) as crash:
        discard(case.scenario)
        return [f"{case}: no sentence: {_end_of(str(crash))}"]
    wrong = _success(place.here, wish) if told.good else [*_refusal(told), *place.here.differs(place.before)]
    # how often it looks whether the kernel has taken a device away is the kernel's matter
    if not wrong and {*passed(case.scenario)[len(found) : case.at + 1]} == {"read RTM_GETLINK"}:
        discard(case.scenario)
        return None
    if case.at >= len(found):
        wrong.append("the run did not pass this point")
    elif found[case.at].split()[:2] != case.label.split()[:2]:
        wrong.append(f"the run passed another point there: {found[case.at]}")
    if wrong or told.good or situations.SITUATIONS[case.scenario].fresh:
        discard(case.scenario)
    return [f"{case}: {line}" for line in wrong[:8]] + ([f"{case}: it said: {told.error}"] if wrong else [])


def _end_of(trace: str) -> str:
    """The engine's own places in a traceback, the last ones, and the error."""
    lines = trace.strip().splitlines()
    places = [line.strip().rpartition("/")[2] for line in lines if "/_engine/" in line]
    return f"{lines[-1]} [{' < '.join(reversed(places[-4:]))}]"


def _refusal(told: engine.Told) -> t.Iterator[str]:
    if not told.error or "\n" in told.error or "Traceback" in told.error:
        yield f"not a sentence: {told.error!r}"
    if told.changes and not told.rolled_back:
        yield "not rolled back"


def _success(here: host.Host, wish: engine.Wish) -> list[str]:
    again = here.call(engine.run, wish)
    return [] if again.good and not again.changed else [f"it succeeded, and left something to do: {again}"]


def told_of(cases: list[Case], name: str, tally: Tally) -> None:
    """Judge them, a row in the table, and all that is wrong."""
    verdicts = [verdict for verdict in host.spread(cases, judged) if verdict is not None]
    left = sum(any(word in line for line in verdict for word in (": expected ", ": left over ", ": missing ")) for verdict in verdicts)
    tally(name, len(verdicts), sum(not verdict for verdict in verdicts), left)
    lines = [line for verdict in verdicts for line in verdict]
    assert not lines, "\n".join(lines[:100])


@pytest.mark.parametrize("scenario", situations.SITUATIONS)
def test_the_host_is_what_it_was(scenario: str, short: bool, tally: Tally) -> None:
    """Each point, one at a time."""
    cases = [Case(scenario, at, label) for at, label in enumerate(passed(scenario))]
    told_of(cases[:: SAMPLE if short else 1], f"refused, {scenario}", tally)


# A namespace that is gone comes back by a file in /run, for which there is room only if state files are elsewhere: not in these.
FILLED = ("apply on an empty host", "vxlan made anew", "veth made anew", "bridge takes over", "device moves in", "addresses made anew")


def test_the_host_is_what_it_was_when_state_files_find_no_room(short: bool, tally: Tally) -> None:
    """From each of their writes on all of them fail, those of the way back too."""
    cases = [
        Case(scenario, at, label, "full")
        for scenario in FILLED
        for at, label in enumerate(passed(scenario))
        if label.startswith(("file open /run/linuxnet", "file write /run/linuxnet", "file mkdir /run/linuxnet"))
    ]
    told_of(cases[:: 9 if short else 1], "no room for state files", tally)
