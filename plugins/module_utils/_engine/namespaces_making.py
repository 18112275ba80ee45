# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The names of /run/netns: made, given to what there is, taken away.

In iproute2's order and under iproute2's lock, so that both can work on one host at once.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
import typing as t

from . import syscalls
from .errors import KernelError, StateError
from .namespaces import find, go_back, is_network, kind_of, path_of, pid_namespace, way_back
from .values import NETNS_DIR

# unshare changes the calling thread only; /proc/self would show the main thread's namespace.
_THREAD_NETNS = "/proc/thread-self/ns/net"

_LOCK_WAIT = 30.0  # seconds for another program that holds the lock on /run/netns
_YOUNG = 1.0  # seconds in which a plain file may still become a namespace: iproute2 mounts on it without the lock

_prepared: set[tuple[str, int, int]] = set()


class _Held:
    """The directory of /run/netns, open, while this process has the lock on it; -1 otherwise."""

    directory = -1


@contextlib.contextmanager
def _locked() -> t.Iterator[int]:
    """Hold the lock on the directory that iproute2 takes too; yields the directory's descriptor."""
    if _Held.directory >= 0:
        yield _Held.directory
        return
    with syscalls.reporting(f"open {NETNS_DIR}"):
        directory = os.open(NETNS_DIR, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(directory)
        _Held.directory = directory
        yield directory
    finally:
        _Held.directory = -1
        # Not by closing alone: a child forked meanwhile would keep the lock.
        with contextlib.suppress(OSError):
            fcntl.flock(directory, fcntl.LOCK_UN)
        os.close(directory)


def _lock(directory: int) -> None:
    deadline = time.monotonic() + _LOCK_WAIT
    while True:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise StateError(f"{NETNS_DIR} has been locked by another program for {_LOCK_WAIT:.0f} seconds: see lslocks") from None
            time.sleep(0.002)
        except OSError:
            return  # a file system without locks: iproute2 goes on as well


def _make_directory() -> None:
    with syscalls.reporting(f"make the directory {NETNS_DIR}"):
        try:
            os.mkdir(NETNS_DIR)
        except FileExistsError:
            return
        os.chmod(NETNS_DIR, 0o755)  # whatever the umask is: everybody may look names up


def _prepare(directory: int) -> None:
    """Make /run/netns a shared mount, so that a removal reaches the copies in other mount namespaces; once per process.

    A fresh bind mount is in the peer group of /run, where that is shared, and each namespace would be mounted twice.
    Private first, then shared again, gives it a group of its own.
    """
    info = os.fstat(directory)
    key = (NETNS_DIR, info.st_dev, info.st_ino)
    if key in _prepared:
        return
    try:
        syscalls.mount("", NETNS_DIR, syscalls.MS_SHARED | syscalls.MS_REC)
    except KernelError as error:
        if error.errno != errno.EINVAL:  # EINVAL: not a mount point yet
            raise
        syscalls.mount(NETNS_DIR, NETNS_DIR, syscalls.MS_BIND | syscalls.MS_REC)
        try:
            syscalls.mount("", NETNS_DIR, syscalls.MS_PRIVATE | syscalls.MS_REC)
            syscalls.mount("", NETNS_DIR, syscalls.MS_SHARED | syscalls.MS_REC)
        except BaseException:
            syscalls.unmount(NETNS_DIR, stacked=1)
            raise
        # Names that were mounted before are now mounted twice, and the hidden mount would keep its file busy for ever.
        for name in os.listdir(directory):
            with contextlib.suppress(KernelError):
                syscalls.unmount(f"/proc/self/fd/{directory}/{name}")
    _prepared.add(key)


def _clear_stale(name: str, path: str) -> None:
    """Remove a plain file that no creator is going to mount on any more; anything else in the way is an error."""
    while True:
        try:
            kind, age = kind_of(path), time.time() - os.lstat(path).st_mtime
        except FileNotFoundError:
            return
        # After the look at its kind: what is mounted in between is told from a mount of something else.
        found = find(name)
        if found is None:
            return
        if not found.stale:
            raise StateError(f"namespace {name!r} exists already: choose another name or remove it first")
        if kind != "a stale plain file":
            raise StateError(f"namespace {name!r} cannot be made: {path} is {kind}, not a namespace: remove it first")
        if not 0 <= age < _YOUNG:
            break
        time.sleep(0.01)
    with syscalls.reporting(f"remove the stale file {path}"), contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _reserve(name: str, path: str) -> None:
    """Make the file to mount on: exclusively, so that of several creators one wins."""
    for _attempt in range(3):
        try:
            with syscalls.reporting(f"make {path}"):
                os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0))
            return
        except KernelError as error:
            if error.errno != errno.EEXIST:
                raise
        _clear_stale(name, path)
    raise StateError(f"namespace {name!r} cannot be made: another program makes {path} at the same time")


@contextlib.contextmanager
def several() -> t.Iterator[None]:
    """Make names with one lock and one look at /run/netns for all of them, which for each would be a tenth of what it costs."""
    _make_directory()
    with _locked() as directory:
        _prepare(directory)
        yield


@contextlib.contextmanager
def _claimed(name: str) -> t.Iterator[str]:
    """The file for ``name``, under the lock, to be mounted on; taken away again when that fails."""
    path = path_of(name)
    with contextlib.nullcontext() if _Held.directory >= 0 else several():
        _reserve(name, path)
        try:
            yield path
        except BaseException:
            with contextlib.suppress(KernelError, OSError):  # the reason of the failure matters more
                syscalls.unmount(path)
                os.unlink(path)
            raise


def create(name: str, inside: t.Callable[[], object] | None = None) -> None:
    """Make a new namespace of that name; the calling thread stays where it is, but calls ``inside`` while it is there anyway."""
    back = way_back()
    with _claimed(name) as path:
        try:
            syscalls.unshare()
            syscalls.mount(_THREAD_NETNS, path, syscalls.MS_BIND)
            if inside:
                inside()
        finally:
            go_back(back)


def bind(name: str, fd: int) -> None:
    """Give the namespace behind an open file descriptor a name."""
    if not is_network(fd):
        raise StateError(f"namespace {name!r} cannot be made: what was opened for it is not a network namespace")
    with _claimed(name) as path:
        syscalls.mount(f"/proc/self/fd/{fd:d}", path, syscalls.MS_BIND)


def attach(name: str, pid: int) -> None:
    """Give the namespace that a process lives in a name."""
    fd = pid_namespace(pid)
    try:
        bind(name, fd)
    finally:
        os.close(fd)


def remove(name: str) -> None:
    """Take the name away, and whatever is mounted on it; a link is removed and never followed. Absent is fine."""
    path = path_of(name)
    if not os.path.lexists(path):
        return
    with _locked():
        if stat.S_ISDIR(os.lstat(path).st_mode):
            raise StateError(f"namespace {name!r} cannot be removed: {path} is a directory, not a namespace: remove it by hand")
        syscalls.unmount(path)
        with syscalls.reporting(f"remove {path}"), contextlib.suppress(FileNotFoundError):
            os.unlink(path)
