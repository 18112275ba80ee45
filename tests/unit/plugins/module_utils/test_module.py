# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a module ends: what it tells on success, on refusal, after partial work, and when pyroute2 is missing."""

from __future__ import annotations

import pytest
from ansible.module_utils.common import respawn

from ansible_collections.linuxnet.netns.plugins.module_utils import _module
from ansible_collections.linuxnet.netns.plugins.module_utils._engine import saved
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError, KernelError, MissingLibrary
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.report import Report

CHANGE = {"action": "create", "kind": "namespace", "netns": None, "name": "blue", "before": None, "after": {}, "reason": "not there"}


class Ended(Exception):
    """The module has told ``result``."""

    def __init__(self, failed, result):
        super().__init__()
        self.failed, self.result = failed, result


class Module:
    """As much of AnsibleModule as ends a module."""

    _name = "linuxnet.netns.netns"

    def __init__(self, diff=False, check_mode=False, verbosity=0):
        self._verbosity = verbosity
        self.params = {"state": "present"}
        self.check_mode, self._diff, self.warnings = check_mode, diff, []

    def warn(self, text):
        self.warnings.append(text)

    def exit_json(self, **result):
        raise Ended(False, result)

    def fail_json(self, **result):
        raise Ended(True, result)


@pytest.fixture(name="root", autouse=True)
def fixture_root(monkeypatch):
    monkeypatch.setattr(_module.os, "geteuid", lambda: 0)


def end_of(monkeypatch, outcome, module, **more):
    """Run with an engine that reports, or raises, ``outcome``."""
    asked = []

    def execute(wanted, check_mode, terms):
        asked.append(check_mode)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(_module.transaction, "execute", execute)
    with pytest.raises(Ended) as ended:
        _module.run(module, {"namespaces": [{"name": ["blue"]}]}, **more)
    assert asked == [module.check_mode]
    return ended.value


@pytest.mark.parametrize("check_mode", [False, True])
def test_success(monkeypatch, check_mode):
    module = Module(check_mode=check_mode)
    end = end_of(
        monkeypatch,
        Report(changes=[CHANGE], warnings=["look"]),
        module,
        result=lambda report: {"own": len(report.changes)},
    )
    assert (end.failed, end.result) == (False, {"changed": True, "changes": [CHANGE], "own": 1})
    assert module.warnings == ["look"]


def test_the_diff_is_told_when_asked_for(monkeypatch):
    end = end_of(monkeypatch, Report(changes=[CHANGE]), Module(diff=True))
    assert end.result == {"changed": True, "changes": [CHANGE], "diff": {"before": "", "after": "namespace blue: {}\n"}}


@pytest.mark.parametrize(("verbosity", "told"), [(0, True), (2, True), (3, False)])
def test_a_topology_does_not_send_its_lists_back(monkeypatch, verbosity, told):
    """Unless somebody wants to see them: without 'invocation' Ansible adds all arguments."""
    module = Module(verbosity=verbosity)
    module.params = {"name": "lab", "namespaces": [{"name": ["blue"]}], "state": "present"}
    end = end_of(monkeypatch, Report(), module, agreed=lambda: None)
    short = {"invocation": {"module_args": {"name": "lab", "state": "present"}}}
    assert end.result == {"changed": False, "changes": [], **(short if told else {})}


def test_a_refusal_has_done_nothing(monkeypatch):
    end = end_of(monkeypatch, InputError("name: is wrong"), Module())
    assert (end.failed, end.result) == (True, {"msg": "name: is wrong", "changes": []})


@pytest.mark.parametrize("rolled_back", [False, True])
def test_partial_work_is_told(monkeypatch, rolled_back):
    error = KernelError("cannot do it")
    error.changes, error.rolled_back = [CHANGE], rolled_back
    end = end_of(monkeypatch, error, Module())
    assert end.failed
    assert end.result == {"msg": "cannot do it", "changed": not rolled_back, "changes": [CHANGE], "rolled_back": rolled_back}


def test_what_a_killed_run_had_left_is_told(monkeypatch):
    """Taking it back changes the host, also where there was nothing else to do."""
    end = end_of(monkeypatch, Report(recovered=[CHANGE]), Module())
    assert end.result == {"changed": True, "changes": [], "recovered": [CHANGE]}
    error = InputError("no")
    error.recovered = [CHANGE]
    assert end_of(monkeypatch, error, Module()).result == {"msg": "no", "changes": [], "recovered": [CHANGE]}


def agreed(**params):
    asked = {"purge": False, "verify": [], "on_failure": "keep", "state": "present", "persist": False, **params}
    return _module.terms(asked, {"namespaces": [{"name": ["blue"], "nsid": None}]})


def test_the_name_of_a_topology_can_be_a_file():
    with pytest.raises(InputError, match="name: '../x' cannot name a topology: use 1 to 64 letters"):
        agreed(name="../x")
    assert agreed(name="x.1") == _module.transaction.Terms("x.1", False, (), "keep", "")


def test_only_what_is_there_is_saved():
    assert agreed(name="x", persist=True).saved == saved.text("x", {"namespaces": [{"name": ["blue"]}]})
    assert agreed(name="x", persist=True, state="absent").saved == ""


def test_a_list_names_its_items_for_a_topology():
    module = Module()
    with pytest.raises(Ended) as ended:
        _module.run(module, {"namespaces": [{"name": ["blue"]}, {"name": ["a/b"]}]}, agreed=_module.transaction.Terms)
    assert ended.value.failed
    assert ended.value.result["msg"].startswith("namespaces[1].name: 'a/b'")


@pytest.mark.parametrize(
    ("again", "found", "done", "expected"),
    [
        (False, "/usr/bin/python3", [], ["/usr/bin/python3"]),
        (False, None, [], []),
        (True, "/usr/bin/python3", [], []),
        (False, "/usr/bin/python3", [CHANGE], []),
    ],
    ids=["another has it", "none has it", "only once", "not after partial work"],
)
def test_another_python_may_have_pyroute2(monkeypatch, again, found, done, expected):
    started = []
    monkeypatch.setattr(respawn, "has_respawned", lambda: again)
    monkeypatch.setattr(respawn, "probe_interpreters_for_module", lambda pythons, name: found if pythons and name == "pyroute2" else None)
    monkeypatch.setattr(respawn, "respawn_module", started.append)
    monkeypatch.setattr(_module.sys, "executable", "/nowhere/python")
    error = MissingLibrary("pyroute2 is needed")
    error.changes = done
    # what starts the module again does not come back; the stand-in does, and the sentence follows
    end = end_of(monkeypatch, error, Module())
    assert end.result["msg"] == "pyroute2 is needed"
    assert started == expected


def test_root_is_needed(monkeypatch):
    monkeypatch.setattr(_module.os, "geteuid", lambda: 1000)
    with pytest.raises(Ended) as ended:
        _module.require_root(Module())
    assert (ended.value.failed, ended.value.result) == (
        True,
        {"msg": "linuxnet.netns.netns must run as root: add 'become: true' to the task"},
    )
