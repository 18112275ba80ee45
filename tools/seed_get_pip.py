# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seed ansible-test's get-pip cache, so that it needs no host but the package index.

Run with the Python that has the ansible-test in question. A file that is there already is left alone.
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
import re
import shutil
import sys


def wanted_versions(package: pathlib.Path) -> list[str]:
    source = (package / "_internal" / "python_requirements.py").read_text(encoding="utf-8")
    return sorted(set(re.findall(r"pip='([0-9.]+)'", source)))


def main() -> None:
    spec = importlib.util.find_spec("ansible_test")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("seed_get_pip: this Python has no ansible-test")
    versions = wanted_versions(pathlib.Path(next(iter(spec.submodule_search_locations))))
    if not versions:
        sys.exit("seed_get_pip: this ansible-test does not say which pip it wants; see _internal/python_requirements.py")
    cache = pathlib.Path.home() / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in versions:
        target = cache / f"get_pip_{version.replace('.', '_')}.py"
        if not target.exists():
            # Two gates may start at once: a rename leaves no half-written file to be read by the other.
            draft = target.with_suffix(f".{os.getpid()}.tmp")
            shutil.copyfile(pathlib.Path(__file__).with_name("get_pip_shim.py"), draft)
            draft.replace(target)


if __name__ == "__main__":
    main()
