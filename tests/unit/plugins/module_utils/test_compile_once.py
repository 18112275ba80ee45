# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In a ZIP file as Ansible sends it, a file of the engine is compiled once; Python's own events are counted."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import zipfile

import pytest

PLUGINS = pathlib.Path(__file__).parents[4] / "plugins"
FOLDERS = ("ansible_collections", "linuxnet", "netns", "plugins", "module_utils", "_engine")
COUNT = """
import collections, json, os, sys
compiled = collections.Counter()
sys.addaudithook(lambda event, arguments: event == "compile" and compiled.update([str(arguments[1])]))
sys.path.insert(0, sys.argv[1])
package = "ansible_collections.linuxnet.netns.plugins.module_utils"
for name in sys.argv[2:]:
    __import__(f"{package}.{name}")
values = sys.modules[f"{package}._engine.values"]
print(json.dumps({"values": compiled[values.__file__], "file": values.__file__, "package": sys.modules[f"{package}._engine"].__file__}))
"""


@pytest.fixture
def archive(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "payload.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for depth in range(1, len(FOLDERS) + 1):
            target.writestr("/".join((*FOLDERS[:depth], "__init__.py")), "")
        for name in ("_compile_once", "_engine/values", "_engine/errors"):
            target.write(PLUGINS / "module_utils" / f"{name}.py", "/".join((*FOLDERS[:-1], f"{name}.py")))
    return path


def counted(archive: pathlib.Path, *names: str) -> dict[str, object]:
    done = subprocess.run([sys.executable, "-c", COUNT, str(archive), *names], capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_file_is_compiled_once(archive: pathlib.Path) -> None:
    found = counted(archive, "_compile_once", "_engine.values")
    folder = archive.joinpath(*FOLDERS)
    assert found == {"values": 1, "file": str(folder / "values.py"), "package": str(folder / "__init__.py")}


def test_it_would_be_compiled_twice(archive: pathlib.Path) -> None:
    assert counted(archive, "_engine.values")["values"] == 2


def test_what_is_missing_is_missing(archive: pathlib.Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        counted(archive, "_compile_once", "_engine.values", "_engine.nothing")
    assert "No module named" in caught.value.stderr
