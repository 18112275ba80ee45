# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The engine as one file that Python runs without Ansible."""

from __future__ import annotations

import io
import pathlib
import zipfile

ENGINE = pathlib.Path(__file__).resolve().parents[1] / "module_utils" / "_engine"

_SHEBANG = b"#!/usr/bin/env python3\n"
_MAIN = pathlib.Path(__file__).with_name("_engine_main.py")
# The same files give the same bytes, whoever builds them: no times, and not compressed, since zlibs differ.
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644


def build() -> bytes:
    """The zipped engine: what is installed on a target."""
    target = io.BytesIO(_SHEBANG)
    target.seek(0, io.SEEK_END)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "__main__.py", _MAIN.read_bytes())
        _add(archive, "_engine/__init__.py", b"")  # in a zip file a folder is not a package without it
        for path in sorted(ENGINE.glob("*.py")):
            _add(archive, f"_engine/{path.name}", path.read_bytes())
    return target.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _TIME)
    entry.create_system = 3
    entry.external_attr = _MODE << 16
    archive.writestr(entry, content)
