# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The zipped engine: the same files make the same bytes, and all of it can be imported where there is nothing else."""

from __future__ import annotations

import io
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest
from ansible import constants
from ansible.errors import AnsibleLookupError

from ansible_collections.linuxnet.netns.plugins.lookup import engine
from ansible_collections.linuxnet.netns.plugins.plugin_utils import _engine_zip


def test_the_same_files_make_the_same_bytes(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _engine_zip.build()
    copied = tmp_path / "_engine"
    shutil.copytree(_engine_zip.ENGINE, copied, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copyfile)
    for path in copied.iterdir():
        os.utime(path, (0, 0))
        path.chmod(0o600)
    monkeypatch.setattr(_engine_zip, "ENGINE", copied)
    assert _engine_zip.build() == before
    (copied / "store.py").write_text((copied / "store.py").read_text() + "\n")
    assert _engine_zip.build() != before


def test_all_of_the_engine_is_in_it_and_needs_nothing_else(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "engine.pyz"
    path.write_bytes(_engine_zip.build())
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        names = [name[len("_engine/") : -len(".py")] for name in archive.namelist() if name.startswith("_engine/")]
    assert sorted(names) == sorted(["__init__", *(file.stem for file in _engine_zip.ENGINE.glob("*.py"))])
    script = f"import importlib, sys; sys.path.insert(0, {str(path)!r}); [importlib.import_module('_engine.' + name) for name in {names}]"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_lookup_makes_one_file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    first, second = (engine.LookupModule().run([]) for _time in range(2))
    assert first == second == [str(path) for path in tmp_path.iterdir()]
    assert pathlib.Path(first[0]).read_bytes() == _engine_zip.build()


@pytest.mark.parametrize(("terms", "options"), [(["x"], {}), ([], {"path": "x"})])
def test_the_lookup_takes_nothing(terms: list[str], options: dict[str, str]) -> None:
    with pytest.raises(AnsibleLookupError, match="takes neither terms nor options"):
        engine.LookupModule().run(terms, **options)
