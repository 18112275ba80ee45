# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What outlives a run: small files under /run/linuxnet-netns, and the lock that lets one run at a time work on them.

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
_SAVED, _JSON = "saved.", ".json"
_LOCK = "lock"
_NEW = ".new"  # one name suffices: who writes has the lock
_LOCK_TIMEOUT = 60.0
_POLL = 0.02


@contextlib.contextmanager
def locked() -> t.Iterator[None]:
    """One run at a time on a host."""
    _prepare(DIRECTORY)
    fd = _open(f"{DIRECTORY}/{_LOCK}", os.O_RDWR | os.O_CREAT)
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
                os.unlink(f"{directory}/{_NEW}")
        yield
    finally:
        os.close(fd)


def idle() -> bool:
    """Whether nobody has the lock; only who looks without changing anything may ask."""
    if not os.path.lexists(f"{DIRECTORY}/{_LOCK}"):
        return True
    fd = _open(f"{DIRECTORY}/{_LOCK}", os.O_RDWR)
    try:
        return _taken(fd)
    finally:
        os.close(fd)


def there(name: str) -> bool:
    """Whether there is anything of that name, readable or not."""
    return os.path.lexists(path(name))


def read(name: str) -> str | None:
    """The text of a file, or None where there is none."""
    try:
        fd = _open(path(name), os.O_RDONLY)
    except FileNotFoundError:
        return None
    with open(fd, encoding="utf-8", errors="replace") as file:
        return file.read()


def write(name: str, text: str) -> None:
    """Put a file in the place of what has its name, in one step."""
    directory = os.path.dirname(path(name))
    new = f"{directory}/{_NEW}"
    if directory == LASTING:
        _prepare(directory)
    with reporting(f"write {path(name)}"):
        try:
            os.unlink(new)
        except FileNotFoundError:
            pass
        except IsADirectoryError:
            raise StateError(f"{new} is a directory: remove it") from None
        try:
            with open(_open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w", encoding="utf-8") as file:
                file.write(text)
                if directory == LASTING:  # or a power failure leaves the new name with nothing in it
                    file.flush()
                    os.fsync(file.fileno())
            os.rename(new, path(name))
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
    with reporting(f"write {path(name)}"):
        fd = _open(path(name), os.O_WRONLY | os.O_APPEND)
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


def saved() -> list[str]:
    """The files that outlive the boot."""
    try:
        found = os.listdir(LASTING)
    except FileNotFoundError:
        return []
    return sorted(_SAVED + name[: -len(_JSON)] for name in found if name.endswith(_JSON))


def path(name: str) -> str:
    """Where a file is, and where a message can send somebody."""
    return f"{LASTING}/{name[len(_SAVED) :]}{_JSON}" if name.startswith(_SAVED) else f"{DIRECTORY}/{_file(name)}"


def _file(name: str) -> str:
    return f"{name}.{os.stat('/proc/thread-self/ns/net').st_ino}"


def _taken(fd: int) -> bool:
    with reporting(f"lock {DIRECTORY}/{_LOCK}"):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _prepare(directory: str) -> None:
    with reporting(f"make the directory {directory}"), contextlib.suppress(FileExistsError):
        os.mkdir(directory, 0o700)
    found = os.lstat(directory)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise StateError(f"{directory} is not a directory of root's that only root can write to: remove it")
    # umask and older versions: what runs did is nobody else's to read
    if stat.S_IMODE(found.st_mode) != 0o700:
        os.chmod(directory, 0o700)


def _open(name: str, flags: int) -> int:
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
