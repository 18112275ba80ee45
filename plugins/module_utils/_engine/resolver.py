# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The resolv.conf of a namespace, /etc/netns/NAME/resolv.conf, as ``ip netns exec`` looks for it."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import typing as t

from .errors import KernelError, StateError
from .syscalls import reporting
from .values import namespace_name

ETC_NETNS = "/etc/netns"

_FILE = "resolv.conf"


def _directory(name: str) -> str:
    return f"{ETC_NETNS}/{namespace_name(name, 'netns')}"


def read_resolver(name: str) -> str | None:
    """The text of the namespace's resolv.conf, None where there is none."""
    path = f"{_directory(name)}/{_FILE}"
    try:
        with reporting(f"read {path}"):
            # O_NONBLOCK: a fifo must not stop us.
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except KernelError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise
    with open(fd, encoding="utf-8", errors="replace") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise StateError(f"{path} is not a plain file: remove it by hand")
        return file.read()


@contextlib.contextmanager
def _opened(name: str) -> t.Iterator[int]:
    """The namespace's directory, never by a link: what is written there is meant for this namespace alone."""
    path = _directory(name)
    try:
        with reporting(f"open {path}"):
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except KernelError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP):
            what = "a symbolic link" if os.path.islink(path) else "not a directory"
            raise StateError(f"{path} is {what}: the DNS files of namespace {name!r} need a directory of their own there") from None
        raise
    try:
        yield fd
    finally:
        os.close(fd)


def _make_directory(path: str) -> None:
    with reporting(f"make the directory {path}"):
        try:
            os.mkdir(path)
        except FileExistsError:
            return
        os.chmod(path, 0o755)  # whatever the umask is: programs of every user resolve names


def write_resolver(name: str, text: str) -> None:
    """Replace the namespace's resolv.conf in one step: whoever reads it sees the old text or the new one."""
    path = _directory(name)
    _make_directory(ETC_NETNS)
    _make_directory(path)
    temporary = f".{_FILE}.{os.getpid()}"
    with _opened(name) as directory, reporting(f"write {path}/{_FILE}"):
        with contextlib.suppress(FileNotFoundError):  # left by a killed run that had the same process number
            os.unlink(temporary, dir_fd=directory)
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=directory)
        try:
            with open(fd, "w", encoding="utf-8") as file:
                os.fchmod(fd, 0o644)
                file.write(text)
            os.rename(temporary, _FILE, src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=directory)
            raise


def remove_resolver(name: str) -> None:
    """Remove the namespace's resolv.conf, and its directory where nothing else is in it; absent is fine."""
    path = _directory(name)
    if not os.path.lexists(path):
        return
    with _opened(name) as directory, reporting(f"remove {path}/{_FILE}"), contextlib.suppress(FileNotFoundError):
        os.unlink(_FILE, dir_fd=directory)
    try:
        os.rmdir(path)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
            with reporting(f"remove the directory {path}"):
                raise
