# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which real Python interpreters this machine has.

ansible-test runs every python3.N it finds on PATH, and a pyenv shim of a version that is not active is found and fails:
so the gates get a PATH with a folder of working interpreters in front and without the shims.
"""

from __future__ import annotations

import functools
import os
import pathlib
import shutil
import subprocess

# The newest that any supported ansible-core takes as a target, down to the floor of the plugins.
MINORS = range(9, 16)
# What a controller may run on, per ansible-core, the preferred first.
CONTROLLERS = {"2.19": ("3.11", "3.12", "3.13"), "2.20": ("3.13", "3.12", "3.14"), "2.21": ("3.13", "3.12", "3.14")}


def _works(executable: str, minor: int) -> bool:
    probe = f"import sys; sys.exit(sys.version_info[:2] != (3, {minor}))"
    try:
        return subprocess.run([executable, "-c", probe], capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def search_path() -> list[str]:
    """PATH without pyenv's shims, and with the folders of nft and ip, which not every user has."""
    entries = [entry for entry in os.environ.get("PATH", "").split(os.pathsep) if entry and "shims" not in entry]
    return entries + [entry for entry in ("/usr/local/sbin", "/usr/sbin", "/sbin") if entry not in entries]


@functools.cache
def available() -> dict[str, str]:
    """Version, as in "3.11", to the path of an interpreter that was run once to be sure."""
    found = {}
    for minor in MINORS:
        name = f"python3.{minor}"
        versions = sorted(pathlib.Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/{name}"))
        candidates = [str(version) for version in versions] + [shutil.which(name, path=os.pathsep.join(search_path()))]
        for candidate in filter(None, candidates):
            if _works(candidate, minor):
                found[f"3.{minor}"] = candidate
                break
    return found


def first_of(*versions: str) -> str:
    """The first of these that is here; when none is, the first, so that its absence is reported by that name."""
    return next((version for version in versions if version in available()), versions[0])


def link_into(folder: pathlib.Path) -> pathlib.Path:
    """Make `folder` hold python3.N for each interpreter that works, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {f"python{version}": executable for version, executable in available().items()}
    for entry in folder.iterdir():
        if entry.name not in wanted:
            entry.unlink(missing_ok=True)
    for name, executable in wanted.items():
        link = folder / name
        if link.is_symlink() and os.readlink(link) == executable:
            continue
        # Gates run side by side: a rename never leaves a moment without the link.
        draft = folder.parent / f"{name}.{os.getpid()}.tmp"
        draft.symlink_to(executable)
        draft.replace(link)
    return folder
