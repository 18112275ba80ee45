# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Writing and removing the resolv.conf of a namespace, in a directory of its own."""

from __future__ import annotations

import contextlib
import errno
import os
import typing as t

from . import resolver
from .errors import KernelError, StateError
from .syscalls import reporting
from .values import RESOLVER_MARK

_NEW = ".resolv.conf.new"  # one name suffices: one run at a time works on a host


@contextlib.contextmanager
def _opened(name: str) -> t.Iterator[int]:
    """The namespace's directory, never by a link: what is written there is meant for this namespace alone."""
    path = resolver.directory_of(name)
    try:
        with reporting(f"open {path}"):
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except KernelError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP):
            what = "a symbolic link" if os.path.islink(path) else "not a directory"
            need = f"the DNS files of namespace {name!r} need a directory of their own there, remove it"
            raise StateError(f"{path} is {what}: {need}") from None
        raise
    try:
        yield fd
    finally:
        os.close(fd)


def need_directory(name: str) -> None:
    """Refuse what stands in the place of the namespace's directory and is none."""
    if os.path.lexists(resolver.directory_of(name)):
        with _opened(name):
            pass


def _make_directory(path: str) -> bool:
    """Whether it was made here."""
    with reporting(f"make the directory {path}"):
        try:
            os.mkdir(path)
        except FileExistsError:
            return False
        try:
            os.chmod(path, 0o755)  # whatever the umask is: programs of every user resolve names
        except OSError:
            os.rmdir(path)
            raise
    return True


def write_resolver(name: str, text: str) -> None:
    """Replace the namespace's resolv.conf in one step: whoever reads it sees the old text or the new one."""
    path = resolver.directory_of(name)
    _make_directory(resolver.ETC_NETNS)
    made = _make_directory(path)
    with _opened(name) as directory, reporting(f"write {path}/{resolver.FILE}"):
        _unlink(_NEW, directory)  # left by a killed run
        try:
            fd = os.open(_NEW, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=directory)
            with open(fd, "w", encoding="utf-8") as file:
                os.fchmod(fd, 0o644)
                file.write(text)
            os.rename(_NEW, resolver.FILE, src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(_NEW, dir_fd=directory)
            if made:
                with contextlib.suppress(OSError):
                    os.rmdir(path)
            raise


def remove_resolver(name: str) -> None:
    """Remove the namespace's resolv.conf if it is ours, and then its directory where nothing else is in it; absent is fine."""
    path = resolver.directory_of(name)
    if os.path.islink(path) or not os.path.isdir(path):
        return
    ours = [_NEW] + ([resolver.FILE] if (resolver.read_resolver(name) or "").startswith(RESOLVER_MARK) else [])
    with _opened(name) as directory, reporting(f"remove {path}/{resolver.FILE}"):
        for file in ours:
            _unlink(file, directory)
    # an empty one too: a run that was killed after the file went left that
    try:
        os.rmdir(path)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
            with reporting(f"remove the directory {path}"):
                raise


def _unlink(file: str, directory: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(file, dir_fd=directory)
