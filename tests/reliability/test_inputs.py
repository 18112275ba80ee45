# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: one sentence that names the option, the object and what to do, and a host on which nothing has changed.

The table is in inputs.py. Each case is run by the module's own code, arguments parsed by AnsibleModule, once in check mode and once
for real, in child processes on one host that is full of things to trip over.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import pathlib
import subprocess
import typing as t

import inputs
import pytest
from ansible.module_utils import basic
from ansible.module_utils.common import respawn
from conftest import Tally
from host import Crashed, Host

from ansible_collections.linuxnet.netns.plugins.module_utils import _module

MODULES = "ansible_collections.linuxnet.netns.plugins.modules"
LONGEST = 400
SAMPLE = 5  # of the table one line in so many, where a sample is enough
# Sentences that are not ours to mend.
ANSIBLES_OWN = ("Unsupported parameters for ", "argument '", "dictionary requested")


def run(case: inputs.Bad, check_mode: bool) -> tuple[int, dict[str, t.Any]]:
    """The module's exit code and what it told; for a process of its own, since a module ends its process."""
    case.before_run()
    text = json.dumps({"ANSIBLE_MODULE_ARGS": {**case.args, "_ansible_check_mode": check_mode, "_ansible_module_name": case.full_name}})
    basic._ANSIBLE_ARGS = text.encode()
    if hasattr(basic, "_ANSIBLE_PROFILE"):
        basic._ANSIBLE_PROFILE = "legacy"
    # the system's log belongs to the machine, not to the host
    basic.AnsibleModule.log = lambda *_args, **_options: None
    # no second life under an interpreter that has what this one lacks
    respawn.has_respawned = lambda: True
    output, code = io.StringIO(), 0
    with contextlib.redirect_stdout(output):
        try:
            importlib.import_module(f"{MODULES}.{case.module}").main()
        except SystemExit as end:
            code = int(end.code or 0)
    lines = output.getvalue().strip().splitlines()
    assert len(lines) == 1, f"a module prints one line of JSON, not {output.getvalue()!r}"
    return code, json.loads(lines[0])


class Lab:
    """The host, and how it looks as long as nothing has been changed on it; made anew after a case that did change it."""

    def __init__(self) -> None:
        self.tried = self.refused = self.changed = 0
        self._make()

    def _make(self) -> None:
        self.host = Host()
        self.busy = self.host.popen(["sh", "-ec", inputs.WORLD], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        assert self.busy.stdout is not None
        said = self.busy.stdout.readline()
        assert said == "ready\n", "the host could not be built"
        self.host.call(inputs.make_what_is_ours)
        self.picture = self.host.settled()

    def close(self) -> None:
        assert self.busy.stdin is not None
        self.busy.communicate()
        self.host.close()

    def unchanged(self, case: inputs.Bad) -> list[str]:
        lines = self.host.differs(self.picture, patience=1.0)
        if lines:
            self.changed += 1
            self.close()
            self._make()
        return lines


@pytest.fixture(name="lab", scope="module")
def fixture_lab(tally: Tally) -> t.Iterator[Lab]:
    lab = Lab()
    yield lab
    lab.close()
    tally("bad inputs, each with a sentence", lab.tried, lab.refused, lab.changed)


def judge(case: inputs.Bad, code: int, result: dict[str, t.Any]) -> None:
    """Refused by one sentence that helps."""
    assert code == 1 and result.get("failed") is True, f"not refused: {result}"
    assert "exception" not in result, result["exception"]
    message = result["msg"]
    assert "\n" not in message and "Traceback" not in message, message
    if not message.startswith(ANSIBLES_OWN):
        assert len(message) < LONGEST, message
        assert not any(word in message for word in ("object at 0x", "<class", "NoneType", "Errno ", "Error(")), message
    missing = [word for word in case.words if word not in message]
    assert not missing, f"{message!r} does not say {missing}"
    if case.late:
        assert result.get("rolled_back", True) is True, result
    else:
        assert not result.get("changes"), result
    assert not result.get("changed"), result


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        table = inputs.TABLE[:: SAMPLE if metafunc.config.getoption("--short") else 1]
        metafunc.parametrize("case", table, ids=[case.id for case in table])


def test_the_table_is_about_every_module() -> None:
    modules = {path.stem for path in (pathlib.Path(_module.__file__).parents[1] / "modules").glob("*.py")} - {"__init__"}
    assert modules == {case.module for case in inputs.TABLE}
    assert all(case.words for case in inputs.TABLE)


def refuse(lab: Lab, case: inputs.Bad) -> None:
    try:
        code, foreseen = lab.host.call(run, case, True)
        if not case.late:
            judge(case, code, foreseen)
        code, result = lab.host.call(run, case, False)
    except Crashed as crash:
        pytest.fail(f"the module ended with a traceback: {crash}")
    judge(case, code, result)
    assert case.late or result["msg"] == foreseen["msg"], f"in check mode it says {foreseen['msg']!r}, for real {result['msg']!r}"


def test_refused(lab: Lab, case: inputs.Bad) -> None:
    lab.tried += 1
    try:
        refuse(lab, case)
        lab.refused += 1
    finally:
        changed = lab.unchanged(case)
    assert not changed, changed
