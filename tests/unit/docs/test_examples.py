# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every task that the documentation shows is one that its module accepts. That it does what it says, the target examples shows."""

from __future__ import annotations

import ast
import importlib
import os
import pathlib
import re

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import info, preflight_files, probe, transaction

ROOT = pathlib.Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PREFIX = "linuxnet.netns."
ROW = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \|$", re.MULTILINE)


class Accepted(BaseException):
    """The module got as far as the kernel."""


def tasks_in(items):
    for item in items:
        for part in ("pre_tasks", "tasks", "block", "rescue", "always", "post_tasks"):
            yield from tasks_in(item.get(part) or [])
        for action, arguments in item.items():
            if action.startswith(PREFIX):
                yield action[len(PREFIX) :], arguments or {}


def literal(module, name):
    tree = ast.parse((ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8"))
    return next(node.value.value for node in tree.body if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name)


def documents():
    for pattern in ("README.md", "roles/*/README.md"):
        for path in sorted(ROOT.glob(pattern)):
            for block in re.findall(r"^```yaml\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
                yield f"{path.relative_to(ROOT)}", block
    for path in sorted((ROOT / "docs" / "docsite" / "rst").glob("*.rst")):
        for block in re.findall(r"^\.\. code-block:: yaml\n\n((?:(?:   .*)?\n)+)", path.read_text(encoding="utf-8") + "\n", re.MULTILINE):
            yield path.name, block


def shown():
    """Where it is written, the module, its options."""
    for _command, task in ROW.findall(README):
        yield from (("a row", *found) for found in tasks_in([yaml.safe_load(task)]))
    for where, block in documents():
        items = yaml.safe_load(block)
        # an inventory or a tool's configuration is a dict
        yield from ((where, *found) for found in tasks_in(items if isinstance(items, list) else []))
    for path in sorted((ROOT / "plugins" / "modules").glob("*.py")):
        if path.stem != "__init__":
            yield from (("EXAMPLES", *found) for found in tasks_in(yaml.safe_load(literal(path.stem, "EXAMPLES"))))


SHOWN = list(shown())


@pytest.mark.parametrize(("where", "module", "arguments"), SHOWN, ids=[f"{where}-{module}" for where, module, _arguments in SHOWN])
def test_the_module_accepts_it(where, module, arguments, monkeypatch, capsys):
    def accept(*_arguments, **_named):
        raise Accepted

    monkeypatch.setattr(transaction, "execute", accept)
    monkeypatch.setattr(info, "collect", accept)
    monkeypatch.setattr(probe, "run", accept)
    monkeypatch.setattr(preflight_files, "plan", accept)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    code = importlib.import_module(f"ansible_collections.linuxnet.netns.plugins.modules.{module}")
    try:
        with patch_module_args(arguments):
            code.main()
    except Accepted:
        return
    except SystemExit:
        pytest.fail(f"{where}: {module} {arguments}: {capsys.readouterr().out}")


def test_every_module_is_shown():
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")} - {"__init__"}
    assert {module for where, module, _arguments in SHOWN if where == "EXAMPLES"} == modules
    assert {module for where, module, _arguments in SHOWN if where == "a row"} == modules - {"netns_topology"}


def test_readme_lists_what_there_is():
    listed = set(re.findall(r"^\| `([a-z_.]+)` \| ", README, re.MULTILINE))
    there = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")} - {"__init__"}
    there |= {path.stem for path in (ROOT / "plugins" / "filter").glob("*.py")} - {"__init__"}
    for kind in ("become", "inventory", "lookup"):
        there |= {f"{PREFIX}{path.stem}" for path in (ROOT / "plugins" / kind).glob("*.py")}
    there |= {path.name for path in (ROOT / "roles").iterdir()}
    there |= {f"{PREFIX}{path.stem}" for path in (ROOT / "playbooks").glob("*.yml")}
    assert listed - {"name"} == there


def test_the_guide_has_the_rows_of_the_readme():
    guide = (ROOT / "docs" / "docsite" / "rst" / "from_ip_to_tasks_guide.rst").read_text(encoding="utf-8")
    assert re.findall(r"^   \* - ``(.+)``\n     - ``(.+)``$", guide, re.MULTILINE) == ROW.findall(README)


def test_the_guide_shows_the_scenarios_that_are_run():
    guide = (ROOT / "docs" / "docsite" / "rst" / "testing_roles_guide.rst").read_text(encoding="utf-8")
    shown = re.findall(r"^\.\. not run: it is (\S+), .*\n\n\.\. code-block:: yaml\n\n((?:(?:   .*)?\n)+)", guide, re.MULTILINE)
    elsewhere = guide.count("tests/hosts/test_molecule_hosts.py runs it")
    assert len(shown) == guide.count("code-block:: yaml") - elsewhere >= 9
    for path, block in shown:
        assert yaml.safe_load(block) == yaml.safe_load((ROOT / path).read_text(encoding="utf-8")), path
