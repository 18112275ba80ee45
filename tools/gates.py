# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the gates side by side, go on after a failure, and sum up what each of them has shown."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

import pythons
import verdict

# The longest that one gate may take, so that a hanging one ends as a failure with its output.
LIMIT_SECONDS = 2400
TAIL_LINES = 60
# What says which test or task failed: it may stand far above the end of the output.
CULPRIT = re.compile(r"^(FAILED |ERROR |E  |fatal: |FATAL: |ERROR: )")


@dataclasses.dataclass(frozen=True)
class Gate:
    """One nox session and how to read its output; it needs one of these `interpreters`, where any are named, and `root` if so said."""

    name: str
    kind: str = "check"
    interpreters: tuple[str, ...] = ()
    evidence: str | None = None
    root: bool = False


# The last line of the reliability suite's table: as many points tried as converged, and nothing left over.
NOTHING_LEFT = r"^total +([1-9]\d*) +\1 +0$"

# Each scenario with all of its steps.
EVERY_SCENARIO = r"\n".join(rf"^{name} +: actions=4 +successful=4 .*$" for name in ("bridged_network", "nat_network", "sample_role"))

# The longest first: with two at a time the short ones fill the gaps. Of ansible-core and of Python the oldest and the newest.
COMMIT = (
    Gate("integration-nopyroute2", "integration"),
    Gate("sanity-2.21", "sanity", pythons.CONTROLLERS["2.21"]),
    Gate("integration-0.7.2", "integration"),
    Gate("sanity-2.19", "sanity", pythons.CONTROLLERS["2.19"]),
    Gate("integration-newest", "integration"),
    Gate("reliability", "pytest", evidence=NOTHING_LEFT),
    Gate("molecule", "playbook", evidence=EVERY_SCENARIO, root=True),
    Gate("ssh-hosts", evidence="ssh_hosts: all of it holds", root=True),
    Gate("galaxy", evidence="Importer processing completed successfully"),
    Gate("ansible-lint", evidence=r"in [1-9]\d* files processed"),
    Gate("lab", evidence=r'lab-three +\S+ +- +udp_dns .* ok"'),
    Gate("docs-check"),
    Gate("units-3.9", "pytest", ("3.9",)),
    Gate("units-3.13", "pytest", ("3.13",)),
    Gate("runner", evidence="runner: all of it holds"),
    Gate("typing", evidence=r"no issues found in [1-9]\d* source files"),
    Gate("license-check", evidence="is compliant with version"),
    Gate("extra-checks"),
    Gate("lint"),
)
MORE = (
    Gate("reliability-all-0.7.2", "pytest", evidence=NOTHING_LEFT),
    Gate("reliability-all-newest", "pytest", evidence=NOTHING_LEFT),
    Gate("hosts-12", "pytest"),
    Gate("hosts-13", "pytest"),
    Gate("ssh-hosts-all", evidence="ssh_hosts: all of it holds", root=True),
    Gate("sanity-2.20", "sanity", pythons.CONTROLLERS["2.20"]),
    Gate("units-3.10", "pytest", ("3.10",)),
    Gate("units-3.11", "pytest", ("3.11",)),
    Gate("units-3.12", "pytest", ("3.12",)),
    Gate("integration-all-0.7.2", "integration"),
    Gate("integration-all-newest", "integration"),
    Gate("docs", evidence="build succeeded"),
    Gate("bench", evidence="limit 80 MB: kept"),
)


@dataclasses.dataclass(frozen=True)
class Outcome:
    gate: Gate
    verdict: verdict.Verdict
    seconds: float
    log: pathlib.Path
    absent: bool = False

    @property
    def word(self) -> str:
        if self.absent and self.verdict.ok:
            return "skipped"
        return "ok" if self.verdict.ok else "FAILED"


class Runner:
    """Runs gates as child processes of their own, so that one that hangs or dies takes no other with it."""

    def __init__(self, root: pathlib.Path, jobs: int) -> None:
        self.root = root
        self.jobs = jobs
        self.logs = root / "build" / "logs"
        self._children: set[subprocess.Popen[bytes]] = set()
        self._printing = threading.Lock()

    def run(self, gates: tuple[Gate, ...]) -> list[Outcome]:
        self.logs.mkdir(parents=True, exist_ok=True)
        pool = concurrent.futures.ThreadPoolExecutor(self.jobs)
        try:
            return list(pool.map(self._guarded, gates))
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in list(self._children):
                _end(child)
            raise

    def _guarded(self, gate: Gate) -> Outcome:
        outcome = self._absent(gate) or self._run(gate)
        with self._printing:
            self._tell(outcome)
        return outcome

    def _absent(self, gate: Gate) -> Outcome | None:
        if gate.interpreters and not set(gate.interpreters) & set(pythons.available()):
            reason = f"no Python {' or '.join(gate.interpreters)}"
        elif gate.root and os.geteuid() != 0:
            reason = "no root"
        else:
            return None
        if os.environ.get("CI", "").lower() in ("", "0", "false"):
            result = verdict.Verdict(skipped=1, reasons=((reason, 1),))
        else:
            result = verdict.Verdict(failed=1, problem=f"{reason} on this machine, and with CI set the matrix may not shrink")
        return Outcome(gate, result, 0.0, self.logs / gate.name, absent=True)

    def _run(self, gate: Gate) -> Outcome:
        log = self.logs / f"{gate.name}.log"
        began = time.monotonic()
        environment = {**os.environ, "NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1", "PYTHONUNBUFFERED": "1"}
        # Of a tool's behaviour under CI we want none: it decides about colours, groups and missing interpreters.
        for name in ("FORCE_COLOR", "CI", "GITHUB_ACTIONS"):
            environment.pop(name, None)
        command = [sys.executable, "-m", "nox", "--non-interactive", "--session", gate.name]
        with log.open("wb") as output:
            child = subprocess.Popen(
                command,
                cwd=self.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._children.add(child)
            try:
                returncode = child.wait(timeout=LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                _end(child)
                returncode = 124
            self._children.discard(child)
        text = log.read_text(encoding="utf-8", errors="replace")
        return Outcome(gate, verdict.judge(gate.kind, returncode, text, gate.evidence), time.monotonic() - began, log)

    def _tell(self, outcome: Outcome) -> None:
        counts = outcome.verdict
        line = f"{outcome.word:8}{outcome.gate.name:24}{outcome.seconds:6.0f} s   "
        line += f"{counts.passed} passed, {counts.failed} failed, {counts.skipped} skipped"
        if outcome.absent:
            print(f"{outcome.word}: {outcome.gate.name}: {counts.problem or counts.reasons[0][0]}", flush=True)
            return
        print(line, flush=True)
        if not counts.ok:
            lines = outcome.log.read_text(encoding="utf-8", errors="replace").splitlines()
            print(f"---- the end of {outcome.log.relative_to(self.root)}")
            print("\n".join(_telling(lines)))
            print("----", flush=True)


def _telling(lines: list[str]) -> list[str]:
    """The end of an output, and before it the lines of the rest that name what failed."""
    above = [line for line in lines[:-TAIL_LINES] if CULPRIT.match(line)]
    return [*above[-TAIL_LINES:], *lines[-TAIL_LINES:]]


def _end(child: subprocess.Popen[bytes]) -> None:
    """Stop a gate and all that it has started."""
    for number, patience in ((signal.SIGTERM, 15), (signal.SIGKILL, 15)):
        try:
            os.killpg(child.pid, number)
            child.wait(timeout=patience)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
        return


def summary(outcomes: list[Outcome]) -> str:
    """The table, the reasons of what was skipped or failed as a whole, and the total as the last line."""
    rows = [("gate", "result", "seconds", "passed", "failed", "skipped")]
    for outcome in outcomes:
        counts = outcome.verdict
        numbers = (f"{outcome.seconds:.0f}", str(counts.passed), str(counts.failed), str(counts.skipped))
        rows.append((outcome.gate.name, outcome.word, *numbers))
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), row[1].ljust(widths[1])]
        cells += [cell.rjust(width) for cell, width in zip(row[2:], widths[2:])]
        lines.append("  ".join(cells))
    notes = []
    for outcome in outcomes:
        if outcome.verdict.problem:
            notes.append(f"{outcome.gate.name}: failed: {outcome.verdict.problem}")
        notes += [f"{outcome.gate.name}: skipped {number}: {reason}" for reason, number in outcome.verdict.reasons]
    total = [sum(getattr(outcome.verdict, field) for outcome in outcomes) for field in ("passed", "failed", "skipped")]
    last = "{} passed, {} failed, {} skipped".format(*total)
    return "\n".join(["", *lines, *([""] + notes if notes else []), "", last])


def run_all(root: pathlib.Path, gates: tuple[Gate, ...]) -> tuple[bool, str]:
    """Run these gates; whether all are well, and the text to print last."""
    jobs = min(2, os.cpu_count() or 1)
    print(f"{len(gates)} gates, {jobs} at a time; their output is in build/logs", flush=True)
    outcomes = Runner(root, jobs).run(gates)
    return all(outcome.verdict.ok for outcome in outcomes), summary(outcomes)
