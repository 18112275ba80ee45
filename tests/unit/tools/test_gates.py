# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary that a run of all gates ends with, and the matrix that shrinks aloud."""

from __future__ import annotations

import importlib
import pathlib
import types

import pytest

TOOLS = pathlib.Path(__file__).parents[3] / "tools"


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    # As the noxfile does it: the tools import each other by their bare names.
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module("gates")


def outcome(gates: types.ModuleType, name: str, **numbers: object) -> object:
    verdict = importlib.import_module("verdict")
    return gates.Outcome(gates.Gate(name), verdict.Verdict(**numbers), 1.5, pathlib.Path("log"))


def test_the_last_line_is_the_total(gates: types.ModuleType) -> None:
    outcomes = [
        outcome(gates, "units", passed=7, skipped=2, reasons=(("no vrf", 2),)),
        outcome(gates, "lint", failed=1),
        outcome(gates, "sanity", passed=3),
    ]
    lines = gates.summary(outcomes).splitlines()
    assert lines[-1] == "10 passed, 1 failed, 2 skipped"
    assert "units: skipped 2: no vrf" in lines
    assert [line.split()[:2] for line in lines[2:5]] == [["units", "ok"], ["lint", "FAILED"], ["sanity", "ok"]]


@pytest.mark.parametrize(("ci", "word", "failed"), [("", "skipped", 0), ("true", "FAILED", 1)])
def test_a_missing_interpreter(
    gates: types.ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, ci: str, word: str, failed: int
) -> None:
    monkeypatch.setenv("CI", ci)
    gate = gates.Gate("units-2.0", "pytest", ("2.0",))
    (result,) = gates.Runner(tmp_path, 1).run((gate,))
    assert result.word == word
    assert result.verdict.failed == failed
    assert "no Python 2.0" in str(result.verdict)


@pytest.mark.parametrize(("ci", "word"), [("", "skipped"), ("true", "FAILED")])
def test_what_needs_root(gates: types.ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, ci: str, word: str) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(gates.os, "geteuid", lambda: 1000)
    (result,) = gates.Runner(tmp_path, 1).run((gates.Gate("molecule", "playbook", root=True),))
    assert result.word == word
    assert "no root" in str(result.verdict)


def test_a_scenario_that_did_not_run_fails_the_gate(gates: types.ModuleType) -> None:
    judge = importlib.import_module("verdict").judge
    lines = [f"{name:26}: actions=4  successful=4  failed=0" for name in ("bridged_network", "nat_network", "sample_role")]
    shown = "msg: All assertions passed\n"
    assert judge("playbook", 0, shown + "\n".join(lines), gates.EVERY_SCENARIO).ok
    assert not judge("playbook", 0, shown + "\n".join(lines[:2]), gates.EVERY_SCENARIO).ok
    assert not judge("playbook", 0, shown + "\n".join(lines).replace("actions=4", "actions=3"), gates.EVERY_SCENARIO).ok


def test_every_gate_is_a_session_of_its_own(gates: types.ModuleType) -> None:
    names = [gate.name for gate in gates.COMMIT + gates.MORE]
    assert len(names) == len(set(names))


def test_points_that_did_not_converge_or_were_left_over_fail_the_gate(gates: types.ModuleType) -> None:
    judge = importlib.import_module("verdict").judge
    table = "scenario  tried  converged  left over\nkilled  {0}  {0}  {1}\ntotal  {0}  {0}  {1}\n3 passed in 1.0s\n"
    assert judge("pytest", 0, table.format(7, 0), gates.NOTHING_LEFT).passed == 3
    short = table.format(7, 0).replace("total  7  7", "total  7  6")
    for log in (table.format(7, 1), table.format(0, 0), "3 passed in 1.0s\n", short):
        verdict = judge("pytest", 0, log, gates.NOTHING_LEFT)
        assert not verdict.ok and "did not show" in verdict.problem


def test_a_failure_far_above_the_end_is_told(gates: types.ModuleType) -> None:
    lines = ["E   assert 1 == 2", "FAILED tests/x.py::test_x", *["quiet"] * 200]
    assert gates._telling(lines) == [*lines[:2], *["quiet"] * gates.TAIL_LINES]
    assert gates._telling(lines[:5]) == lines[:5]
