# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible starts it, from outside: signals at random moments, and system calls that strace makes fail."""

from __future__ import annotations

import collections
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import time
import typing as t

import engine
import host
import lab
import picture
import pytest
import runs
import situations
from conftest import Tally

WISHES = lab.wishes()
MODULE = "netns_topology"
# A run gives way to who looks for the moment to hit it: on a busy machine it would be over before it is seen.
SLOWLY = ("nice", "-n", "19")


def arguments(wish: engine.Wish) -> runs.Arguments:
    return {"name": wish.owner, "state": wish.state, **wish.lists}


def built(here: host.Host) -> None:
    """A lab with other people's things in it, that is going to be changed."""
    situations.SITUATIONS["change of a lab"].prepare(here)


def converged(here: host.Host, wish: engine.Wish) -> list[str]:
    """After one more run, which has to succeed, there is nothing left to do."""
    told = here.call(engine.run, wish)
    again = here.call(engine.run, wish)
    return [
        f"the run {which} is not as it should: {one}"
        for which, one, good in (("after it", told, told.good), ("after the next", again, again.good and not again.changed))
        if not good
    ]


def left_over(here: host.Host, empty: picture.Picture) -> list[str]:
    told = here.call(engine.run, WISHES["absent"])
    return ([] if told.good else [f"the removal fails: {told.error}"]) + here.differs(empty, alike=True)


def begun(run: runs.Run, delay: float) -> None:
    """Wait until the run has written its journal, or has ended; then a moment longer."""
    while run.ended() is None and not run.sees("/run/linuxnet-netns", "journal."):
        time.sleep(0.001)
    time.sleep(delay)


class Verdict(t.NamedTuple):
    """How a run ended that got a signal, what is wrong after it, and what is left over."""

    how: str
    wrong: list[str]
    left: list[str]


def hit(seed: int, one: t.Callable[[random.Random, float], Verdict], missed: str) -> Verdict:
    """A signal at a random moment; where it came too late, another run that gets it earlier: how long a run takes, nobody knows."""
    dice, latest = random.Random(seed), 0.2
    verdict = one(dice, latest)
    while verdict.how == missed and not verdict.wrong and not verdict.left and latest > 0.002:
        latest /= 3
        verdict = one(dice, latest)
    return verdict


# -- signals


def _killed(dice: random.Random, latest: float) -> Verdict:
    delay = dice.uniform(0, latest)
    with host.Host() as here:
        empty = here.picture(alike=True)
        here.call(engine.run, WISHES["apply"])
        run = runs.Run(here, MODULE, arguments(WISHES["change"]), under=SLOWLY)
        run.begin()
        begun(run, delay)
        run.signal(signal.SIGKILL)
        how = "killed" if run.wait()[0] == -signal.SIGKILL else "ended before"
        there = "journal" in here.shell("ls /run/linuxnet-netns")
        told = here.call(engine.run, WISHES["change"])
        wrong = [] if told.good else [f"the next run fails: {told.error}"]
        if there and not told.recovered:
            how = f"{how}, nothing to recover"
        wrong += converged(here, WISHES["change"])
        return Verdict(how, [f"killed after {delay:.3f}: {line}" for line in wrong], left_over(here, empty))


def killed(seed: int) -> Verdict:
    """One run that is killed a random time after it has begun."""
    return hit(seed, _killed, "ended before")


def test_a_killed_process(short: bool, tally: Tally) -> None:
    """kill -9, at random, of a real process."""
    found = host.spread(range(4 if short else 40), killed)
    tally("kill -9 of a process", len(found), sum(not one.wrong for one in found), sum(bool(one.left) for one in found))
    lines = [line for one in found for line in (*one.wrong, *one.left)]
    assert not lines, "\n".join(lines)
    assert any(one.how == "killed" for one in found), collections.Counter(one.how for one in found)


def _stopped(dice: random.Random, latest: float) -> Verdict:
    number, delay = dice.choice([signal.SIGTERM, signal.SIGINT, signal.SIGHUP]), dice.uniform(0, latest)
    with host.Host() as here:
        built(here)
        before = here.settled()
        run = runs.Run(here, MODULE, arguments(WISHES["change"]), under=SLOWLY)
        run.begin()
        begun(run, delay)
        run.signal(number)
        code, output = run.wait()
        if code == -number:  # it does not listen yet, or not any more
            return _outside(here, before)
        result = json.loads(output)
        if not result.get("failed"):
            return Verdict("was through", converged(here, WISHES["change"]), [])
        wrong = [] if f"stopped by {number.name}" in result["msg"] else [result["msg"]]
        if result["changes"] and not result["rolled_back"]:
            wrong.append(f"not rolled back: {result}")
        how = "rolled back" if result["changes"] else "not begun"
        return Verdict(how, [f"{number.name} after {delay:.3f}: {line}" for line in wrong], here.differs(before))


def _outside(here: host.Host, before: picture.Picture) -> Verdict:
    if "journal" in here.shell("ls /run/linuxnet-netns"):
        return Verdict("died", ["it died in the middle"], [])
    if not here.differs(before):
        return Verdict("not begun", [], [])
    return Verdict("was through", converged(here, WISHES["change"]), [])


def stopped(seed: int) -> Verdict:
    """One run that gets SIGTERM, SIGINT or SIGHUP: it goes back by itself and says so, or it was through."""
    return hit(seed, _stopped, "was through")


def test_a_stopped_process(short: bool, tally: Tally) -> None:
    """SIGTERM, SIGINT and SIGHUP, at random."""
    found = host.spread(range(6 if short else 40), stopped)
    tally("stopped by a signal", len(found), sum(not one.wrong for one in found), sum(bool(one.left) for one in found))
    lines = [line for one in found for line in (*one.wrong, *one.left)]
    assert not lines, "\n".join(lines)
    assert any(one.how == "rolled back" for one in found), collections.Counter(one.how for one in found)


# -- system calls

# The calls of a run that can be told from those of Python's start, and what they fail with.
REFUSED = {
    "sendto": errno.ENOBUFS,
    "recvfrom": errno.ENOBUFS,
    "mount": errno.ENOMEM,
    "umount2": errno.EBUSY,
    "setns": errno.ENOMEM,
    "unshare": errno.ENOMEM,
    "mkdir": errno.ENOSPC,
    "rename": errno.ENOSPC,
    "unlink": errno.EIO,
    "fchmod": errno.EIO,
    "flock": errno.ENOLCK,
    "setsockopt": errno.ENOMEM,
    "socket": errno.EMFILE,
}


class Injection(t.NamedTuple):
    call: str
    when: int

    def __str__(self) -> str:
        return f"{self.call} number {self.when} fails"


def traced(here: host.Host, wish: engine.Wish, *options: str) -> runs.Run:
    run = runs.Run(here, MODULE, arguments(wish), under=["strace", "-f", "--seccomp-bpf", "-qq", *options])
    run.begin()
    return run


def numbers() -> dict[str, int]:
    """How often a whole run makes each call."""
    with host.Host() as here:
        built(here)
        here.shell("mkdir -p /run/trace")
        result = traced(here, WISHES["change"], "-o", "/run/trace/calls", "-e", f"trace={','.join(REFUSED)}").result()
        assert not result.get("failed"), result
        made = collections.Counter(
            line.split("(")[0].split()[-1] for line in here.shell("cat /run/trace/calls").splitlines() if "(" in line
        )
    return {call: made[call] for call in REFUSED if made[call]}


def injected(case: Injection) -> list[str]:
    """What is wrong, in lines."""
    with host.Host() as here:
        built(here)
        before = here.settled()
        what = f"inject={case.call}:error={errno.errorcode[REFUSED[case.call]]}:when={case.when}"
        run = traced(here, WISHES["change"], "-o", "/dev/null", "-e", f"trace={case.call}", "-e", what)
        try:
            result = run.result()
        except AssertionError as problem:  # no line of JSON, or a traceback
            return [f"{case}: {problem}"]
        if not result.get("failed"):
            return [f"{case}: {line}" for line in converged(here, WISHES["change"])]
        wrong = [f"not rolled back: {result['msg']}"] if result["changes"] and not result["rolled_back"] else []
        wrong += here.differs(before)
        return [f"{case}: {line} [{result['msg']}]" for line in wrong[:8]]


def unusable() -> str:
    """Why strace cannot do it here; empty where it can."""
    if not shutil.which("strace"):
        return "strace is not installed: the package has the same name"
    ran = subprocess.run(["strace", "-f", "--seccomp-bpf", "-qq", "-o", os.devnull, "true"], capture_output=True, text=True, check=False)
    return f"strace cannot trace here: {ran.stderr.strip()}" if ran.returncode else ""


def test_system_calls_that_fail(short: bool, tally: Tally) -> None:
    """A sample of all calls of a run that changes a lab, by a tracer that knows nothing of Python."""
    reason = unusable()
    if reason:
        pytest.skip(reason)
    most = 1 if short else 12
    cases = []
    for call, number in numbers().items():
        cases += [Injection(call, when) for when in sorted(random.Random(call).sample(range(1, number + 1), min(most, number)))]
    verdicts = host.spread(cases[::2] if short else cases, injected)
    left = sum(any(": expected " in line or ": left over " in line for line in wrong) for wrong in verdicts)
    tally("system calls refused by strace", len(verdicts), sum(not wrong for wrong in verdicts), left)
    lines = [line for wrong in verdicts for line in wrong]
    assert not lines, "\n".join(lines[:100])
