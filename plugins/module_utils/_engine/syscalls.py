# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The calls of the kernel that Python's standard library does not have in every version: setns, unshare, mount, umount."""

from __future__ import annotations

import contextlib
import errno
import os
import typing as t

from .errors import KernelError

CLONE_NEWNET = 0x40000000
MS_BIND, MS_REC, MS_PRIVATE, MS_SHARED = 0x1000, 0x4000, 0x40000, 0x100000
_MNT_DETACH, _UMOUNT_NOFOLLOW = 0x2, 0x8

_libc: t.Any = None


@contextlib.contextmanager
def reporting(what: str) -> t.Iterator[None]:
    """Turn an OSError into the sentence for the user: what was tried, and the kernel's reason."""
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        hint = "; this needs root with CAP_SYS_ADMIN (become: true)" if number in (errno.EPERM, errno.EACCES) else ""
        reason = f"{os.strerror(number)} ({errno.errorcode.get(number, number)})"
        raise KernelError(f"cannot {what}: {reason}{hint}", number) from None


def _call(function: str, *arguments: t.Any) -> None:
    global _libc
    import ctypes  # here, since it is the dearest import of this room and reading needs none of it on Python 3.12

    if _libc is None:
        _libc = ctypes.CDLL(None, use_errno=True)
    if getattr(_libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def setns(fd: int) -> None:
    """Put the calling thread into the network namespace behind ``fd``."""
    native = getattr(os, "setns", None)  # from Python 3.12
    with reporting("enter a network namespace"):
        if native is None:
            _call("setns", fd, CLONE_NEWNET)
        else:
            native(fd, CLONE_NEWNET)


def unshare() -> None:
    """Put the calling thread into a network namespace of its own."""
    native = getattr(os, "unshare", None)  # from Python 3.12
    with reporting("make a new network namespace"):
        if native is None:
            _call("unshare", CLONE_NEWNET)
        else:
            native(CLONE_NEWNET)


def mount(source: str, target: str, flags: int) -> None:
    """mount(2) as far as it is needed here: bind mounts and propagation."""
    import ctypes

    with reporting(f"bind {source} to {target}" if flags & MS_BIND else f"change the mount propagation of {target}"):
        _call("mount", os.fsencode(source), os.fsencode(target), b"none", ctypes.c_ulong(flags), None)


def unmount(path: str, stacked: int = 64) -> None:
    """Take off the mounts on ``path``, as many as racing creators stack there; none is fine. Links are not followed."""
    for _number in range(stacked):
        try:
            with reporting(f"unmount {path}"):
                _call("umount2", os.fsencode(path), _MNT_DETACH | _UMOUNT_NOFOLLOW)
        except KernelError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):  # EINVAL: not a mount point
                return
            raise
