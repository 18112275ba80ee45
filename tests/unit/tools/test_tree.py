# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The copy that ansible-test works on is the checkout, no more and no less."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest

from ansible_collections.linuxnet.netns.tools import tree

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git")


@pytest.fixture
def checkout(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "checkout"
    (root / "plugins" / "modules").mkdir(parents=True)
    (root / ".gitignore").write_text("*.pyc\n", encoding="utf-8")
    (root / "plugins" / "modules" / "one.py").write_text("1\n", encoding="utf-8")
    (root / "plugins" / "modules" / "one.pyc").write_text("1\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    return root


def files_of(place: pathlib.Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file() and ".git/" not in str(path)}


def test_a_tree_holds_what_git_would_add(checkout: pathlib.Path) -> None:
    place = tree.sync(checkout, "gate")
    assert place.parts[-3:] == ("ansible_collections", "linuxnet", "netns")
    assert files_of(place) == {".gitignore", "plugins/modules/one.py"}


def test_a_tree_follows_the_checkout(checkout: pathlib.Path) -> None:
    place = tree.sync(checkout, "gate")
    module = checkout / "plugins" / "modules" / "one.py"
    module.write_text("2\n", encoding="utf-8")
    tree.sync(checkout, "gate")
    assert (place / "plugins" / "modules" / "one.py").read_text(encoding="utf-8") == "2\n"
    module.unlink()
    tree.sync(checkout, "gate")
    assert files_of(place) == {".gitignore"}
    assert not (place / "plugins").exists()


def test_what_ansible_test_keeps_stays(checkout: pathlib.Path) -> None:
    place = tree.sync(checkout, "gate")
    kept = place / "tests" / "output" / "venv" / "python"
    kept.parent.mkdir(parents=True)
    kept.write_text("", encoding="utf-8")
    tree.sync(checkout, "gate")
    assert kept.exists()


def test_trees_are_apart(checkout: pathlib.Path, tmp_path: pathlib.Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(checkout, other)
    assert len({tree.sync(checkout, "a"), tree.sync(checkout, "b"), tree.sync(other, "a")}) == 3
