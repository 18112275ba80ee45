# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What there is under /run/netns, and opening and entering it; ``namespaces_making`` makes and removes.

Opening never creates. A name is a namespace only if a network namespace is mounted on it; whatever else stands there is
``stale``.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import threading
import time
import typing as t

from . import syscalls
from .errors import KernelError, StateError
from .values import HOST, NETNS_DIR, namespace_name, no_namespace

_NS_GET_NSTYPE = 0xB703

# O_NONBLOCK: a fifo in /run/netns must not stop us.
_FOLLOW = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_LOOK = _FOLLOW | os.O_NOFOLLOW

_RETURNS = 20
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class Entry(t.NamedTuple):
    """A name under /run/netns; ``inode`` identifies the namespace and is 0 where there is none (``stale``)."""

    name: str
    inode: int
    stale: bool
    path: str


class _Home:
    """The namespace this process was started in, opened once; a forked child opens its own."""

    pid = 0
    fd = -1
    returnable = False


class _Here(threading.local):
    """Where ``entered`` has put this thread; -1 is home."""

    fd = -1


_here = _Here()


# -- what is there


def path_of(name: str) -> str:
    return f"{NETNS_DIR}/{namespace_name(name, 'netns')}"


def is_network(fd: int) -> bool:
    try:
        return bool(fcntl.ioctl(fd, _NS_GET_NSTYPE) == syscalls.CLONE_NEWNET)
    except OSError:  # ENOTTY: not a namespace at all
        return False


def _examine(name: str) -> Entry | None:
    path = f"{NETNS_DIR}/{name}"
    try:
        fd = os.open(path, _LOOK)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in _EXHAUSTED:
            with syscalls.reporting(f"open {path}"):
                raise
        return Entry(name, 0, True, path)  # a symlink, a socket; a namespace can be opened by everybody
    try:
        inode = os.fstat(fd).st_ino if is_network(fd) else 0
    finally:
        os.close(fd)
    return Entry(name, inode, not inode, path)


def kind_of(path: str) -> str:
    """What stands in the place of a namespace, in words."""
    info = os.lstat(path)
    if stat.S_ISLNK(info.st_mode):
        return "a symbolic link"
    if stat.S_ISDIR(info.st_mode):
        return "a directory"
    if not stat.S_ISREG(info.st_mode):
        return "a special file"
    return "a stale plain file" if info.st_dev == os.stat(NETNS_DIR).st_dev else "a mount of something else"


def entries() -> list[Entry]:
    """All of /run/netns, sorted by name, namespaces or not."""
    try:
        with syscalls.reporting(f"list {NETNS_DIR}"):
            names = sorted(os.listdir(NETNS_DIR))
    except KernelError as error:
        if error.errno == errno.ENOENT:
            return []
        raise
    return [entry for entry in map(_examine, names) if entry is not None]


def what(name: str) -> str:
    """What stands in the place of a namespace, in words; empty where nothing does."""
    try:
        return kind_of(path_of(name))
    except FileNotFoundError:
        return ""


def find(name: str) -> Entry | None:
    """One name of /run/netns, or None where it is not there."""
    path_of(name)
    return _examine(name)


# -- opening and entering


def _home() -> int:
    if _Home.pid != os.getpid():
        with syscalls.reporting("open /proc/self/ns/net"):
            _Home.fd = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _Home.pid, _Home.returnable = os.getpid(), False
    return _Home.fd


def _way_home() -> int:
    """Home, once it is sure that it can be entered: in a user namespace leaving may be allowed and coming back not."""
    fd = _home()
    if not _Home.returnable:
        syscalls.setns(fd)
        _Home.returnable = True
    return fd


def way_back() -> int:
    """Where the thread is, to come back to."""
    return _here.fd if _here.fd >= 0 else _way_home()


def go_back(fd: int) -> None:
    """Go back to where the thread came from. Away from there nothing can be done or undone, so a kernel short of memory is asked again."""
    for _attempt in range(_RETURNS):
        with contextlib.suppress(KernelError):
            syscalls.setns(fd)
            return
        time.sleep(0.01)
    syscalls.setns(fd)


def _open_network(path: str, flags: int, missing: str) -> int:
    """An open network namespace, or -1 where ``path`` is something else."""
    try:
        with syscalls.reporting(f"open {path}"):
            fd = os.open(path, flags)
    except KernelError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESRCH):
            raise StateError(missing) from None
        if flags & os.O_NOFOLLOW and error.errno not in _EXHAUSTED:
            return -1
        raise
    if is_network(fd):
        return fd
    os.close(fd)
    return -1


def open_reference(netns: str) -> int:
    """A file descriptor of the host's namespace (``HOST``), of a name, or of an absolute path; the caller closes it."""
    if netns == HOST:
        return os.dup(_home())
    if netns.startswith("/"):
        fd = _open_network(netns, _FOLLOW, f"namespace path {netns!r} does not exist: its process has ended, or correct 'netns'")
        if fd < 0:
            raise StateError(f"{netns!r} is not a network namespace: correct 'netns'")
        return fd
    path = path_of(netns)
    missing = f"namespace {netns!r} does not exist: create it with linuxnet.netns.netns or correct 'netns'"
    fd = _open_network(path, _LOOK, missing)
    if fd >= 0:
        return fd
    try:
        kind = kind_of(path)
    except FileNotFoundError:
        raise StateError(missing) from None
    raise StateError(no_namespace(netns, kind))


def inode_of(fd: int) -> int:
    """The number that identifies the namespace behind ``fd``, as ``ip netns`` and ``lsns`` show it."""
    return os.fstat(fd).st_ino


def pid_namespace(pid: int) -> int:
    """A file descriptor of the network namespace that a process lives in; the caller closes it."""
    # A zombie still has its directory in /proc, but no namespace (ENOENT).
    return _open_network(f"/proc/{pid:d}/ns/net", _FOLLOW, f"process {pid} does not exist or has ended: correct 'pid'")


@contextlib.contextmanager
def entered(fd: int) -> t.Iterator[None]:
    """The calling thread is in the namespace behind ``fd``, and afterwards where it was before."""
    before, back = _here.fd, way_back()
    try:
        syscalls.setns(fd)
        _here.fd = fd
        yield
    finally:
        _here.fd = before
        go_back(back)
