# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts are made of, and for which Python has no function of its own: namespaces, mounts, views that can be written to."""

from __future__ import annotations

import ctypes
import os
import pathlib
import shutil
import typing as t

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 4096, 8192, 16384, 1 << 18

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: t.Any, what: str) -> None:
    encoded = [os.fsencode(argument) if isinstance(argument, str) else argument for argument in arguments]
    if getattr(_libc, name)(*encoded) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"{name} {what}")


def enter_network(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    _call("setns", descriptor, CLONE_NEWNET, what=path)
    os.close(descriptor)


def unshare(flags: int) -> None:
    _call("unshare", flags, what="a host's namespaces")


def mount(source: str | None, target: str, fstype: str | None = None, flags: int = 0, data: str | None = None) -> None:
    _call("mount", source, target, fstype, ctypes.c_ulong(flags), data, what=target)


def unmount(target: str) -> None:
    _call("umount2", target, 0, what=target)


def mount_private() -> None:
    """From here on nobody else sees what this process mounts."""
    mount(None, "/", None, MS_REC | MS_PRIVATE)


def overlay(lower: str, target: str, changes: pathlib.Path) -> None:
    """`lower` seen at `target`, with what is written kept in `changes`."""
    upper, work = changes / "upper", changes / "work"
    for folder in (upper, work):
        folder.mkdir(parents=True)
    shutil.copystat(lower, upper)
    state = os.stat(lower)
    os.chown(upper, state.st_uid, state.st_gid)
    mount("overlay", target, "overlay", 0, f"lowerdir={lower},upperdir={upper},workdir={work}")
