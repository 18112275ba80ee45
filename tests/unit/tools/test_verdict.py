# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard against runs that exit 0 and have shown nothing."""

from __future__ import annotations

import pytest

from ansible_collections.linuxnet.netns.tools.verdict import judge

SANITY = 'Running sanity test "compile" on Python 3.9\nRunning sanity test "pep8"\nRunning sanity test "shellcheck"\n'
SANITY_FAILED = SANITY + "FATAL: The 1 sanity test(s) listed below (out of 3) failed. See error output above for details.\npep8\n"
PYTEST = """
SKIPPED [2] tests/unit/plugins/test_kinds.py:16: this kernel has no vrf
=================== 1 failed, 7 passed, 2 skipped in 1.06s ===================
======================= 3 passed, 1 warning in 0.20s =========================
"""
TARGET = """Running {name} integration test role
TASK [{name} : Look] ***
ok: [testhost] => {{
    "changed": false,
    "msg": "{message}"
}}
PLAY RECAP ***
testhost                   : ok=5    changed=0    unreachable=0    failed={failed}    skipped=1    rescued=0    ignored=1
"""
HELD = "All assertions passed"


def target(name: str = "veth", message: str = HELD, failed: int = 0) -> str:
    return TARGET.format(name=name, message=message, failed=failed)


@pytest.mark.parametrize(
    ("kind", "log", "passed", "failed", "skipped"),
    [
        ("sanity", SANITY, 3, 0, 0),
        ("sanity", SANITY + 'WARNING: Required program "shellcheck" not found.\n' * 2, 2, 0, 1),
        ("pytest", PYTEST.replace("1 failed, ", ""), 10, 0, 2),
        ("pytest", "5 passed in 0.10s\n", 5, 0, 0),
        ("integration", target() + target("netns"), 2, 0, 0),
        ("integration", target() + target("netns_link", "SKIPPED: this kernel has no vrf"), 1, 0, 1),
        ("integration", "Running become integration test script\nall well\n", 1, 0, 0),
        ("playbook", target(), 1, 0, 0),
    ],
)
def test_counts(kind: str, log: str, passed: int, failed: int, skipped: int) -> None:
    verdict = judge(kind, 0, log)
    assert (verdict.passed, verdict.failed, verdict.skipped) == (passed, failed, skipped)
    assert verdict.ok


@pytest.mark.parametrize(
    ("kind", "log", "failed"),
    [
        ("sanity", SANITY_FAILED, 1),
        ("pytest", PYTEST, 1),
        ("pytest", "2 passed, 1 error in 0.10s\n", 1),
        ("pytest", "2 passed, 2 errors in 0.10s\n", 2),
        ("integration", target() + target("netns", failed=1), 1),
        ("playbook", "", 1),
        ("check", "", 1),
    ],
)
def test_failures_are_counted(kind: str, log: str, failed: int) -> None:
    verdict = judge(kind, 1, log)
    assert verdict.failed == failed
    assert not verdict.ok


@pytest.mark.parametrize(
    ("kind", "log"),
    [
        ("sanity", ""),
        ("sanity", "WARNING: All targets skipped.\n"),
        ("pytest", ""),
        ("pytest", "===== no tests ran in 0.01s =====\n"),
        ("pytest", "===== 4 skipped in 0.01s =====\n"),
        ("integration", ""),
        ("integration", "WARNING: All targets skipped.\n"),
        ("integration", target() + "skipping: no hosts matched\n"),
        ("playbook", "[WARNING]: Could not match supplied host pattern, ignoring: nowhere\nskipping: no hosts matched\n"),
        ("playbook", "PLAY RECAP ***\n"),
    ],
)
def test_a_run_of_nothing_fails(kind: str, log: str) -> None:
    verdict = judge(kind, 0, log)
    assert verdict.passed == 0
    assert verdict.failed == 1
    assert not verdict.ok
    assert "ran nothing" in str(verdict.problem)


def test_a_check_must_show_what_it_looked_at() -> None:
    assert judge("check", 0, "Success: no issues found in 9 source files", r"in [1-9]\d* source files").ok
    assert not judge("check", 0, "Success: no issues found in 0 source files", r"in [1-9]\d* source files").ok


def test_a_target_without_an_assertion_fails() -> None:
    verdict = judge("integration", 0, target() + target("quiet", "hello"))
    assert verdict.problem == "these targets assert nothing: quiet"
    assert not verdict.ok


def test_a_failure_without_a_failed_test_is_a_failure() -> None:
    verdict = judge("pytest", 2, "3 passed in 0.1s\n")
    assert verdict.failed == 1
    assert verdict.problem == "exit code 2"


def test_skips_come_with_their_reasons() -> None:
    assert judge("pytest", 1, PYTEST).reasons == (("this kernel has no vrf", 2),)
    assert judge("integration", 0, target() + target("x", "skipped: no wireguard")).reasons == (("no wireguard", 1),)
