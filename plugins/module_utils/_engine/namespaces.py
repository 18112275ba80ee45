# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The life cycle of /run/netns: what is there, opening, entering, making, naming and removing.

Opening never creates. A name is a namespace only if a network namespace is mounted on it; whatever else stands there is
``stale``. Names are made in iproute2's order and under iproute2's lock, so that both can work on one host at once.
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

# unshare changes the calling thread only; /proc/self would show the main thread's namespace.
_THREAD_NETNS = "/proc/thread-self/ns/net"

_LOCK_WAIT = 30.0  # seconds for another program that holds the lock on /run/netns
_YOUNG = 1.0  # seconds in which a plain file may still become a namespace: iproute2 mounts on it without the lock

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


class _Held:
    """The directory of /run/netns, open, while this process has the lock on it; -1 otherwise."""

    directory = -1


class _Here(threading.local):
    """Where ``entered`` has put this thread; -1 is home."""

    fd = -1


_here = _Here()
_prepared: set[tuple[str, int, int]] = set()


# -- what is there


def _path(name: str) -> str:
    return f"{NETNS_DIR}/{namespace_name(name, 'netns')}"


def _is_network(fd: int) -> bool:
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
        inode = os.fstat(fd).st_ino if _is_network(fd) else 0
    finally:
        os.close(fd)
    return Entry(name, inode, not inode, path)


def _kind(path: str) -> str:
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
        return _kind(_path(name))
    except FileNotFoundError:
        return ""


def find(name: str) -> Entry | None:
    """One name of /run/netns, or None where it is not there."""
    _path(name)
    return _examine(name)


# -- opening and entering


def _home() -> int:
    if _Home.pid != os.getpid():
        with syscalls.reporting("open /proc/self/ns/net"):
            _Home.fd = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _Home.pid, _Home.returnable = os.getpid(), False
    return _Home.fd


def _way_back() -> int:
    """Home, once it is sure that it can be entered: in a user namespace leaving may be allowed and coming back not."""
    fd = _home()
    if not _Home.returnable:
        syscalls.setns(fd)
        _Home.returnable = True
    return fd


def _back() -> int:
    """Where the thread is, to come back to."""
    return _here.fd if _here.fd >= 0 else _way_back()


def _return(fd: int) -> None:
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
    if _is_network(fd):
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
    path = _path(netns)
    missing = f"namespace {netns!r} does not exist: create it with linuxnet.netns.netns or correct 'netns'"
    fd = _open_network(path, _LOOK, missing)
    if fd >= 0:
        return fd
    try:
        kind = _kind(path)
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
    before, back = _here.fd, _back()
    try:
        syscalls.setns(fd)
        _here.fd = fd
        yield
    finally:
        _here.fd = before
        _return(back)


# -- making, naming, removing


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
            kind, age = _kind(path), time.time() - os.lstat(path).st_mtime
        except FileNotFoundError:
            return
        # After the look at its kind: what is mounted in between is told from a mount of something else.
        found = _examine(name)
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
    path = _path(name)
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
    back = _back()
    with _claimed(name) as path:
        try:
            syscalls.unshare()
            syscalls.mount(_THREAD_NETNS, path, syscalls.MS_BIND)
            if inside:
                inside()
        finally:
            _return(back)


def bind(name: str, fd: int) -> None:
    """Give the namespace behind an open file descriptor a name."""
    if not _is_network(fd):
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
    path = _path(name)
    if not os.path.lexists(path):
        return
    with _locked():
        if stat.S_ISDIR(os.lstat(path).st_mode):
            raise StateError(f"namespace {name!r} cannot be removed: {path} is a directory, not a namespace: remove it by hand")
        syscalls.unmount(path)
        with syscalls.reporting(f"remove {path}"), contextlib.suppress(FileNotFoundError):
            os.unlink(path)
