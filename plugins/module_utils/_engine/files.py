# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Small files that other programs read: read and replaced as a whole."""

from __future__ import annotations

import os

from .syscalls import reporting


def read(path: str) -> str | None:
    """A file's text; None where there is none."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def write(path: str, content: str) -> None:
    """In one step: nobody reads half a file."""
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    new = f"{path}.new"
    with open(new, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(content)
    os.replace(new, path)


def put(path: str, content: str | None) -> None:
    """Write, or with None remove; KernelError where that cannot be done."""
    with reporting(f"write {path}"):
        if content is not None:
            write(path, content)
        elif os.path.lexists(path):
            os.unlink(path)
