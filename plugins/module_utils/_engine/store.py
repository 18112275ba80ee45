# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What outlives a run: small files under /run/linuxnet-netns, and the lock that lets one run at a time work on them.

The directory is root's alone and no step of the way to a file may be somebody's link. A file is replaced in one step,
so that whoever is killed while writing leaves the old one. Files end in the inode of the network namespace that the
run calls the host: a module that runs inside a namespace (by become, or in a container that shares /run) has its own.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
import typing as t

from .errors import NetnsError, StateError
from .syscalls import reporting

DIRECTORY = "/run/linuxnet-netns"
_LOCK = "lock"
_NEW = ".new"  # one name suffices: who writes has the lock
_LOCK_TIMEOUT = 60.0
_POLL = 0.02


@contextlib.contextmanager
def locked() -> t.Iterator[None]:
    """One run at a time on a host."""
    _prepare()
    fd = _open(_LOCK, os.O_RDWR | os.O_CREAT)
    try:
        deadline = time.monotonic() + _LOCK_TIMEOUT
        while not _taken(fd):
            if time.monotonic() > deadline:
                raise StateError(
                    f"another run of linuxnet.netns has held {DIRECTORY}/{_LOCK} for {_LOCK_TIMEOUT:.0f} seconds: "
                    "wait for its end and try again"
                )
            time.sleep(_POLL)
        with contextlib.suppress(OSError):  # of a run that was killed while it wrote; a run that writes meets it again
            os.unlink(f"{DIRECTORY}/{_NEW}")
        yield
    finally:
        os.close(fd)


def idle() -> bool:
    """Whether nobody has the lock; only who looks without changing anything may ask."""
    if not os.path.lexists(f"{DIRECTORY}/{_LOCK}"):
        return True
    fd = _open(_LOCK, os.O_RDWR)
    try:
        return _taken(fd)
    finally:
        os.close(fd)


def read(name: str) -> str | None:
    """The text of a file, or None where there is none."""
    try:
        fd = _open(_file(name), os.O_RDONLY)
    except FileNotFoundError:
        return None
    with open(fd, encoding="utf-8", errors="replace") as file:
        return file.read()


def write(name: str, text: str) -> None:
    """Put a file in the place of what has its name, in one step."""
    new = f"{DIRECTORY}/{_NEW}"
    with reporting(f"write {path(name)}"):
        try:
            os.unlink(new)
        except FileNotFoundError:
            pass
        except IsADirectoryError:
            raise StateError(f"{new} is a directory: remove it") from None
        try:
            with open(_open(_NEW, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w", encoding="utf-8") as file:
                file.write(text)
            os.rename(new, path(name))
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(new)
            raise


def append(name: str, text: str) -> None:
    """Add to a file that is there, in one write."""
    with reporting(f"write {path(name)}"):
        fd = _open(_file(name), os.O_WRONLY | os.O_APPEND)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)


def remove(name: str) -> None:
    """Take a file away; none is fine."""
    with reporting(f"remove {path(name)}"), contextlib.suppress(FileNotFoundError):
        os.unlink(path(name))


def names() -> list[str]:
    """The files of this host."""
    try:
        found = os.listdir(DIRECTORY)
    except FileNotFoundError:
        return []
    end = _file("")
    return sorted(name[: -len(end)] for name in found if name.endswith(end))


def path(name: str) -> str:
    """Where a message can send somebody."""
    return f"{DIRECTORY}/{_file(name)}"


def _file(name: str) -> str:
    return f"{name}.{os.stat('/proc/thread-self/ns/net').st_ino}"


def _taken(fd: int) -> bool:
    with reporting(f"lock {DIRECTORY}/{_LOCK}"):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _prepare() -> None:
    with reporting(f"make the directory {DIRECTORY}"), contextlib.suppress(FileExistsError):
        os.mkdir(DIRECTORY, 0o700)
    found = os.lstat(DIRECTORY)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise StateError(f"{DIRECTORY} is not a directory of root's that only root can write to: remove it")
    # umask and older versions: what runs did is nobody else's to read
    if stat.S_IMODE(found.st_mode) != 0o700:
        os.chmod(DIRECTORY, 0o700)


def _open(entry: str, flags: int) -> int:
    """A plain file of the directory. O_NONBLOCK: a fifo must not stop us."""
    try:
        fd = os.open(f"{DIRECTORY}/{entry}", flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as exc:
        if exc.errno == errno.ENOENT:
            raise
        raise StateError(f"{DIRECTORY}/{entry} cannot be opened: {exc.strerror}: remove it") from exc
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise StateError(f"{DIRECTORY}/{entry} is not a plain file: remove it")
    if flags & os.O_CREAT:
        try:
            with reporting(f"set the mode of {DIRECTORY}/{entry}"):
                os.fchmod(fd, 0o600)  # whatever the umask is
        except NetnsError:
            os.close(fd)
            raise
    return fd
