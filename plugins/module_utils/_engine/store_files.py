# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The files of the store: read, replaced in one step, added to, removed. Who changes one has the lock."""

from __future__ import annotations

import contextlib
import os

from . import store
from .errors import StateError
from .syscalls import reporting


def read(name: str) -> str | None:
    """The text of a file, or None where there is none."""
    try:
        fd = store.open_plain(store.path(name), os.O_RDONLY)
    except FileNotFoundError:
        return None
    with open(fd, encoding="utf-8", errors="replace") as file:
        return file.read()


def write(name: str, text: str) -> None:
    """Put a file in the place of what has its name, in one step."""
    directory = os.path.dirname(store.path(name))
    new = f"{directory}/{store.NEW}"
    if directory == store.LASTING:
        store.prepare(directory)
    with reporting(f"write {store.path(name)}"):
        try:
            os.unlink(new)
        except FileNotFoundError:
            pass
        except IsADirectoryError:
            raise StateError(f"{new} is a directory: remove it") from None
        try:
            with open(store.open_plain(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w", encoding="utf-8") as file:
                file.write(text)
                if directory == store.LASTING:  # or a power failure leaves the new name with nothing in it
                    file.flush()
                    os.fsync(file.fileno())
            os.rename(new, store.path(name))
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(new)
            raise


def put(name: str, text: str | None) -> None:
    """A file as it is to be, or away."""
    if text is None:
        remove(name)
    else:
        write(name, text)


def append(name: str, text: str) -> None:
    """Add to a file that is there, in one write."""
    with reporting(f"write {store.path(name)}"):
        fd = store.open_plain(store.path(name), os.O_WRONLY | os.O_APPEND)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)


def remove(name: str) -> None:
    """Take a file away; none is fine."""
    with reporting(f"remove {store.path(name)}"), contextlib.suppress(FileNotFoundError):
        os.unlink(store.path(name))


def names() -> list[str]:
    """The files of this host."""
    try:
        found = os.listdir(store.DIRECTORY)
    except FileNotFoundError:
        return []
    end = store.file_of("")
    return sorted(name[: -len(end)] for name in found if name.endswith(end))


def saved() -> list[str]:
    """The files that outlive the boot."""
    try:
        found = os.listdir(store.LASTING)
    except FileNotFoundError:
        return []
    return sorted(store.SAVED + name[: -len(store.JSON)] for name in found if name.endswith(store.JSON))
