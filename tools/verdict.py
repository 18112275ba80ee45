# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gate's output says about it: how many tests ran, and whether it ran anything at all.

A tool that found nothing to do exits 0. Such a run is a failure here, because nothing was shown by it.
Pure: text in, verdict out.
"""

from __future__ import annotations

import collections
import dataclasses
import re

# Sentences with which a tool says that it did nothing, although its exit code is 0.
EMPTY_RUN = (
    "All targets skipped",
    "no hosts matched",
    "Could not match supplied host pattern",
    "No tests applicable",
    "no tests ran",
    "No Python files found",
)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Tests by outcome; `problem` is a sentence when the gate as a whole must fail, whatever the numbers say."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    problem: str | None = None

    @property
    def ok(self) -> bool:
        return self.problem is None and self.failed == 0


def _tally(reasons: list[str]) -> tuple[tuple[str, int], ...]:
    return tuple(collections.Counter(reasons).most_common())


def _count_sanity(log: str) -> Verdict:
    started = re.findall(r'^Running sanity test "(\S+)"(?: on Python (\S+))?', log, re.MULTILINE)
    # Without its program, as with shellcheck, the test says so and checks nothing.
    missing = sorted(set(re.findall(r'^WARNING: Required program "(\S+)" not found', log, re.MULTILINE)))
    listed = re.search(r"The (\d+) sanity test\(s\) listed below", log)
    failed = int(listed.group(1)) if listed else 0
    passed = max(len(started) - failed - len(missing), 0)
    return Verdict(passed, failed, len(missing), _tally([f"no program {name}" for name in missing]))


def _count_pytest(log: str) -> Verdict:
    counts: collections.Counter[str] = collections.Counter()
    for line in re.findall(r"^(?:=+ )?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s\b", log, re.MULTILINE):
        for number, outcome in re.findall(r"(\d+) ([a-z]+)", line):
            counts[outcome.rstrip("s") if outcome.startswith("error") else outcome] += int(number)
    reasons = []
    for number, reason in re.findall(r"^SKIPPED \[(\d+)\] [^\n]*?:(?:\d+:)? ([^\n]+)$", log, re.MULTILINE):
        reasons += [reason] * int(number)
    passed = counts["passed"] + counts["xfailed"]
    return Verdict(passed, counts["failed"] + counts["error"] + counts["xpassed"], counts["skipped"], _tally(reasons))


def _count_plays(log: str) -> Verdict:
    """Ansible's output: each assertion that held is a test, each task that ended a play is a failed one."""
    recap = re.findall(r"^\S+ +: ok=\d+ .*?unreachable=(\d+) +failed=(\d+)", log, re.MULTILINE)
    failed = sum(int(unreachable) + int(bad) for unreachable, bad in recap)
    held = len(re.findall(r'"?msg"?: "?All assertions passed', log))
    # A test that this kernel cannot run says so with a message of this form.
    reasons = re.findall(r'"?msg"?: "?(?:skip|SKIP)(?:ped|PED)?: ([^"\n]+)', log)
    return Verdict(held, failed, len(reasons), _tally(reasons))


def _count_integration(log: str) -> Verdict:
    plays = _count_plays(log)
    parts = re.split(r"^Running (\S+) integration test (role|script)", log, flags=re.MULTILINE)
    silent, scripts = [], 0
    for name, form, output in zip(parts[1::3], parts[2::3], parts[3::3]):
        result = _count_plays(output)
        if result.passed or result.failed or result.skipped:
            continue
        # A script may have its own way to fail; a role that asserts nothing cannot fail for the right reason.
        scripts += form == "script"
        silent += [name] if form == "role" else []
    problem = f"these targets assert nothing: {', '.join(silent)}" if silent else None
    passed = plays.passed + scripts if len(parts) > 1 else 0
    return dataclasses.replace(plays, passed=passed, problem=problem)


COUNTERS = {
    "sanity": _count_sanity,
    "pytest": _count_pytest,
    "integration": _count_integration,
    "playbook": _count_plays,
}


def judge(kind: str, returncode: int, log: str, evidence: str | None = None) -> Verdict:
    """The verdict on a gate of this kind; a kind "check" counts as one test. `evidence` must be in the output, where there is any."""
    empty = next((sentence for sentence in EMPTY_RUN if sentence in log), None)
    if kind == "check":
        counted = Verdict(passed=int(returncode == 0), failed=int(returncode != 0))
        shown = evidence is None or re.search(evidence, log) is not None
    else:
        counted = COUNTERS[kind](log)
        shown = counted.passed + counted.failed > 0
        if shown and returncode == 0 and evidence and not re.search(evidence, log, re.MULTILINE):
            return dataclasses.replace(counted, failed=max(counted.failed, 1), problem=f"it did not show {evidence}")
    if returncode != 0:
        # The numbers may know of no failed test: an error before the first one is still a failure.
        failed = max(counted.failed, 1)
        unexplained = None if counted.failed else f"exit code {returncode}"
        return dataclasses.replace(counted, failed=failed, problem=counted.problem or unexplained)
    # A single pytest run of several may be empty by nature, as on a Python that no controller supports.
    if (empty and not (kind == "pytest" and shown)) or not shown:
        said = f' (it said "{empty}")' if empty else ""
        return dataclasses.replace(counted, passed=0, failed=max(counted.failed, 1), problem=f"it ran nothing{said}")
    if counted.problem:
        return dataclasses.replace(counted, failed=max(counted.failed, 1))
    return counted
