# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The copy of the collection that ansible-test wants, at .../ansible_collections/linuxnet/netns.

It lies outside the repository on purpose: inside, ansible-test asks git, finds the copy ignored, says "All targets
skipped" and exits 0. It is kept between runs, because ansible-test keeps its virtual environments in it, and each gate
has its own, because two ansible-test runs in one tree overwrite each other's results.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import subprocess

COLLECTION = pathlib.Path("ansible_collections", "linuxnet", "netns")
# What ansible-test itself leaves in the tree, and our `git init`.
KEPT = (pathlib.Path(".git"), pathlib.Path("tests", "output"))


def cache_of(root: pathlib.Path) -> pathlib.Path:
    """Where this checkout keeps its trees; another checkout has another place."""
    base = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return base / "linuxnet.netns" / hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:12]


def known_files(root: pathlib.Path) -> list[pathlib.Path]:
    """Everything git tracks or would offer to add; without git's data (an unpacked archive), everything there is."""
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        names = [pathlib.Path(name) for name in listing.split("\0") if name]
    else:
        skipped = {".venv", ".nox", "build", "__pycache__"}
        names = [path.relative_to(root) for path in root.rglob("*") if not skipped & set(path.relative_to(root).parts)]
    return sorted({name for name in names if (root / name).is_file()})


def _differs(source: pathlib.Path, target: pathlib.Path) -> bool:
    if target.is_symlink() or not target.is_file():
        return True
    same_mode = (source.stat().st_mode & 0o111) == (target.stat().st_mode & 0o111)
    return not same_mode or source.read_bytes() != target.read_bytes()


def _remove_stale(tree: pathlib.Path, wanted: set[pathlib.Path]) -> None:
    for folder, folders, files in os.walk(tree, topdown=True):
        here = pathlib.Path(folder).relative_to(tree)
        folders[:] = [name for name in folders if here / name not in KEPT]
        for name in files:
            if here / name not in wanted:
                (tree / here / name).unlink()
    # An empty folder is a plugin folder or a test target to ansible-test, so none may stay.
    for folder, _folders, _files in os.walk(tree, topdown=False):
        path = pathlib.Path(folder)
        if not any(path.relative_to(tree) == kept or kept in path.relative_to(tree).parents for kept in KEPT) and not any(path.iterdir()):
            path.rmdir()


def sync(root: pathlib.Path, gate: str) -> pathlib.Path:
    """Bring the gate's tree to the state of the checkout and return its collection folder."""
    tree = cache_of(root) / gate / COLLECTION
    tree.mkdir(parents=True, exist_ok=True)
    wanted = known_files(root)
    _remove_stale(tree, set(wanted))
    for name in wanted:
        source, target = root / name, tree / name
        if _differs(source, target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_symlink():
                target.unlink()
            shutil.copy(source, target)
    # A repository of its own, or a home folder kept in git would be asked, and would call the tree ignored.
    if not (tree / ".git").is_dir():
        subprocess.run(["git", "init", "--quiet", str(tree)], check=True)
    return tree
