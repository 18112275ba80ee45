# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""How to make the processes of a network namespace leave it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
import typing as t

from .errors import StateError
from .namespaces import inode_of, open_reference
from .processes import namespace_of, nsfs, processes
from .syscalls import reporting
from .values import HOST

_KILL_WAIT = 5.0  # seconds after SIGKILL; longer only takes who is stuck in the kernel
_ROUNDS = 5  # processes that appear while others are being ended are ended too, but not for ever
_PAUSE = 0.01


def _named(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return f"process {pid} ({file.read().strip()})"
    except OSError:
        return f"process {pid}"


def _ancestors() -> t.Iterator[int]:
    pid = os.getppid()
    while pid > 0:
        yield pid
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                # The command's name stands in brackets and may hold brackets and blanks itself.
                pid = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            return


def _refuse_own(inode: int) -> None:
    """Nobody may be ended without whom this run would end too."""
    host = open_reference(HOST)
    try:
        own = os.getpid() if inode_of(host) == inode else 0
    finally:
        os.close(host)
    device = nsfs()
    own = own or next((pid for pid in _ancestors() if namespace_of(pid, device) == inode), 0)
    if own:
        raise StateError(f"the processes of this namespace cannot be ended: {_named(own)} runs this task: run it outside")


def _hold(inode: int) -> dict[int, int]:
    """The processes of a namespace with a descriptor each (-1 where the kernel gives none), so that no reused number is hit."""
    held: dict[int, int] = {}
    device = nsfs()
    for pid in processes([inode])[inode]:
        if pid == os.getpid():  # a thread of ours that has only gone in to look
            continue
        try:
            fd = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
        except ProcessLookupError:
            continue
        except OSError:  # a kernel before 5.3, or too many open files
            fd = -1
        if namespace_of(pid, device) == inode:
            held[pid] = fd
        elif fd >= 0:
            os.close(fd)
    return held


def _signal(held: dict[int, int], inode: int, number: signal.Signals) -> None:
    device = nsfs()
    for pid, fd in held.items():
        with reporting(f"send {number.name} to {_named(pid)}"), contextlib.suppress(ProcessLookupError):  # gone by itself
            if fd >= 0:
                signal.pidfd_send_signal(fd, number)
            elif namespace_of(pid, device) == inode:
                os.kill(pid, number)


def _over(pid: int, fd: int, inode: int, device: int) -> bool:
    if fd < 0:
        return namespace_of(pid, device) != inode
    waiting = select.poll()
    waiting.register(fd, select.POLLIN)
    return bool(waiting.poll(0))


def _wait(held: dict[int, int], inode: int, deadline: float) -> dict[int, int]:
    """Those who are still there at the deadline."""
    device = nsfs()
    while True:
        held = {pid: fd for pid, fd in held.items() if not _over(pid, fd, inode, device)}
        if not held or time.monotonic() >= deadline:
            return held
        time.sleep(_PAUSE)


def end_processes(inode: int, timeout: float) -> list[int]:
    """End everything that lives in a namespace: SIGTERM, after ``timeout`` seconds SIGKILL. Returns who was ended."""
    _refuse_own(inode)
    patience = time.monotonic() + timeout
    ended: set[int] = set()
    for _round in range(_ROUNDS):
        held = _hold(inode)
        if not held:
            return sorted(ended)
        try:
            _signal(held, inode, signal.SIGTERM)
            left = _wait(held, inode, patience)
            _signal(left, inode, signal.SIGKILL)
            left = _wait(left, inode, time.monotonic() + _KILL_WAIT)
        finally:
            for fd in held.values():
                if fd >= 0:
                    os.close(fd)
        ended.update(pid for pid in held if pid not in left)
        if left:
            raise StateError(f"{', '.join(map(_named, sorted(left)))} did not end, not even with SIGKILL: stuck in the kernel")
    fresh = [pid for pid in processes([inode])[inode] if pid != os.getpid()]
    if fresh:
        raise StateError(f"new processes keep appearing in the namespace, now {', '.join(map(_named, fresh))}: stop what starts them")
    return sorted(ended)
