# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What outlives a run: where its small files are, /run/linuxnet-netns, and the lock that lets one run at a time work on them.

The directory is root's alone and no step of the way to a file may be somebody's link. A file is replaced in one step,
so that whoever is killed while writing leaves the old one. Files end in the inode of the network namespace that the
run calls the host: a module that runs inside a namespace (by become, or in a container that shares /run) has its own.

What outlives the boot as well, the files called ``saved.NAME``, are under /var/lib/linuxnet-netns in the same manner.
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
LASTING = "/var/lib/linuxnet-netns"
JOURNAL = "journal"  # of the run that is under way, or was killed
SAVED, JSON = "saved.", ".json"
_LOCK = "lock"
NEW = ".new"  # one name suffices: who writes has the lock
_LOCK_TIMEOUT = 60.0
_POLL = 0.02


@contextlib.contextmanager
def locked() -> t.Iterator[None]:
    """One run at a time on a host."""
    prepare(DIRECTORY)
    fd = open_plain(f"{DIRECTORY}/{_LOCK}", os.O_RDWR | os.O_CREAT)
    try:
        deadline = time.monotonic() + _LOCK_TIMEOUT
        while not _taken(fd):
            if time.monotonic() > deadline:
                raise StateError(
                    f"another run of linuxnet.netns has held {DIRECTORY}/{_LOCK} for {_LOCK_TIMEOUT:.0f} seconds: "
                    "wait for its end and try again"
                )
            time.sleep(_POLL)
        for directory in (DIRECTORY, LASTING):
            with contextlib.suppress(OSError):  # of a run that was killed while it wrote; a run that writes meets it again
                os.unlink(f"{directory}/{NEW}")
        yield
    finally:
        os.close(fd)


def idle() -> bool:
    """Whether nobody has the lock; only who looks without changing anything may ask."""
    if not os.path.lexists(f"{DIRECTORY}/{_LOCK}"):
        return True
    fd = open_plain(f"{DIRECTORY}/{_LOCK}", os.O_RDWR)
    try:
        return _taken(fd)
    finally:
        os.close(fd)


def there(name: str) -> bool:
    """Whether there is anything of that name, readable or not."""
    return os.path.lexists(path(name))


def path(name: str) -> str:
    """Where a file is, and where a message can send somebody."""
    return f"{LASTING}/{name[len(SAVED) :]}{JSON}" if name.startswith(SAVED) else f"{DIRECTORY}/{file_of(name)}"


def file_of(name: str) -> str:
    """How a file is called on this host."""
    return f"{name}.{os.stat('/proc/thread-self/ns/net').st_ino}"


def _taken(fd: int) -> bool:
    with reporting(f"lock {DIRECTORY}/{_LOCK}"):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def prepare(directory: str) -> None:
    """Make a directory of the store, or see to it that it is root's alone."""
    with reporting(f"make the directory {directory}"), contextlib.suppress(FileExistsError):
        os.mkdir(directory, 0o700)
    found = os.lstat(directory)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise StateError(f"{directory} is not a directory of root's that only root can write to: remove it")
    # umask and older versions: what runs did is nobody else's to read
    if stat.S_IMODE(found.st_mode) != 0o700:
        os.chmod(directory, 0o700)


def open_plain(name: str, flags: int) -> int:
    """A plain file of ours, by its path. O_NONBLOCK: a fifo must not stop us."""
    try:
        fd = os.open(name, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as exc:
        if exc.errno == errno.ENOENT:
            raise
        raise StateError(f"{name} cannot be opened: {exc.strerror}: remove it") from exc
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise StateError(f"{name} is not a plain file: remove it")
    if flags & os.O_CREAT:
        try:
            with reporting(f"set the mode of {name}"):
                os.fchmod(fd, 0o600)  # whatever the umask is
        except NetnsError:
            os.close(fd)
            raise
    return fd
