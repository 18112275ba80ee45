# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Points of a run at which it can be stopped, or a request be refused: the transport of the engine, wrapped.

    hook = Hook()                                        # passes all points and notes them in hook.passed
    hook = Hook(at=17, how="before")                     # SIGKILL just before point 17
    hook = Hook(at=17, how="after")                      # SIGKILL just after it
    hook = Hook(at=17, how="half")                       # a write: SIGKILL with half of it written
    hook = Hook(at=17, how="fail", kinds=points.ALL)     # the kernel says no to it
    hook = Hook(at=17, how="full")                       # from it on there is no room for state files any more

``install`` wraps for the rest of the process: it is for the child that makes the run. Batches are split, so that each netlink
request is a point of its own; what follows a refused one in its batch is done, as the kernel does.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import typing as t

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import programs, rtnetlink, syscalls
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import KernelError

NETLINK, MOUNT, FILE, PROGRAM = "netlink", "mount", "file", "program"  # these change something
READ, ENTER = "read", "enter"  # these do not
CHANGING = frozenset({NETLINK, MOUNT, FILE, PROGRAM})
ALL = CHANGING | {READ, ENTER}

# The number that each kind fails with: one that the engine cannot take for "it has been done already".
ERRORS = {NETLINK: errno.ENOBUFS, MOUNT: errno.ENOMEM, FILE: errno.ENOSPC, READ: errno.ENOBUFS, ENTER: errno.EPERM, PROGRAM: errno.ENOMEM}

_NAMES = {number: name for name, number in vars(rtnetlink).items() if name.startswith("RTM_")}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_FILE_CALLS = (
    "mkdir",
    "rename",
    "replace",
    "unlink",
    "remove",
    "rmdir",
    "link",
    "symlink",
    "chmod",
    "fchmod",
    "fsync",
    "write",
    "ftruncate",
)

# What fails when the file system is full: the rest makes room, or needs none.
_FILLING = ("open", "write", "mkdir")


def kill() -> t.NoReturn:
    """As by kill -9: nothing of Python's runs any more."""
    while True:
        os.kill(os.getpid(), signal.SIGKILL)


class Hook:
    """Counts the points of a run from 0, and stops it or fails it at one of them."""

    def __init__(self, at: int = -1, how: str = "", kinds: t.Collection[str] = CHANGING) -> None:
        self.passed: list[str] = []
        self._at, self._how, self._kinds = at, how, kinds
        self._inner = False

    def install(self) -> None:
        self._wrap_sockets()
        self._wrap_system_calls()
        for name in _FILE_CALLS:
            self._wrap_file_call(name)
        self._wrap_open()
        self._wrap_programs()

    def _point(self, kind: str, label: str, do: t.Callable[[], t.Any], fail: t.Callable[[int], t.Any], half: t.Any = None) -> t.Any:
        if kind not in self._kinds or self._inner:
            return do()
        number = len(self.passed)
        self.passed.append(f"{kind} {label}")
        if self._how == "full" and self._full(number, label):
            return fail(errno.ENOSPC)
        if number != self._at or self._how == "full":
            return do()
        if self._how == "fail":
            return fail(ERRORS[kind])
        if self._how == "after":
            with contextlib.suppress(Exception):  # the kernel's own no, which is the end of a loop
                do()
        elif self._how == "half" and half:
            half()
        kill()

    def _full(self, number: int, label: str) -> bool:
        call, _space, path = label.partition(" ")
        return number >= self._at and call in _FILLING and path.startswith("/run/linuxnet-netns")

    # -- what is wrapped

    def _wrap_sockets(self) -> None:
        batch, get, dump = rtnetlink.Socket.batch, rtnetlink.Socket.get, rtnetlink.Socket.dump

        def split(sock: rtnetlink.Socket, messages: t.Sequence[rtnetlink.Message]) -> dict[int, rtnetlink.Failure]:
            failures = {}
            for position, message in enumerate(messages):
                found = self._point(
                    NETLINK,
                    _NAMES.get(message.type, str(message.type)),
                    lambda message=message: batch(sock, [message]).get(0),
                    lambda number: rtnetlink.Failure(number, "refused by the test"),
                )
                if found:
                    failures[position] = found
            return failures

        def reading(original: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
            def read(sock: rtnetlink.Socket, kind: int, body: bytes) -> t.Any:
                return self._point(READ, _NAMES.get(kind, str(kind)), lambda: original(sock, kind, body), _no_reading)

            return read

        rtnetlink.Socket.batch = split
        rtnetlink.Socket.get, rtnetlink.Socket.dump = reading(get), reading(dump)

    def _wrap_system_calls(self) -> None:
        call = syscalls._call

        def wrapped(function: str, *arguments: t.Any) -> None:
            kind = ENTER if function == "setns" else MOUNT
            self._point(kind, function, lambda: call(function, *arguments), _os_error)

        syscalls._call = wrapped
        for name, kind in (("setns", ENTER), ("unshare", MOUNT)):  # Python's own, from 3.12
            if hasattr(os, name):
                self._wrap_os(name, getattr(os, name), kind)

    def _wrap_os(self, name: str, original: t.Callable[..., t.Any], kind: str) -> None:
        def wrapped(*arguments: t.Any, **named: t.Any) -> t.Any:
            return self._point(kind, name, lambda: original(*arguments, **named), _os_error)

        setattr(os, name, wrapped)

    def _wrap_file_call(self, name: str) -> None:
        original = getattr(os, name)

        def wrapped(what: t.Any, *arguments: t.Any, **named: t.Any) -> t.Any:
            def half() -> None:
                if name == "write":
                    original(what, arguments[0][: len(arguments[0]) // 2])

            label = f"{name} {_path(what)}"
            return self._point(FILE, label, lambda: original(what, *arguments, **named), _os_error, half)

        setattr(os, name, wrapped)

    def _wrap_open(self) -> None:
        original = os.open

        def wrapped(path: t.Any, flags: int, *arguments: t.Any, **named: t.Any) -> int:
            if not flags & _WRITING:
                return original(path, flags, *arguments, **named)
            label = f"open {os.fsdecode(path)}"
            return self._point(FILE, label, lambda: original(path, flags, *arguments, **named), _os_error)

        os.open = wrapped

    def _wrap_programs(self) -> None:
        original = programs.run

        def wrapped(words: t.Sequence[str], text: str = "") -> programs.Ended:
            def whole() -> programs.Ended:
                # what starting a program needs of pipes and files is Python's matter
                self._inner = True
                try:
                    return original(words, text)
                finally:
                    self._inner = False

            return self._point(PROGRAM, " ".join([os.path.basename(words[0]), *words[1:]]), whole, _refused)

        programs.run = wrapped


def _path(what: t.Any) -> str:
    return os.readlink(f"/proc/self/fd/{what}") if isinstance(what, int) else os.fsdecode(what)


def _os_error(number: int) -> t.NoReturn:
    raise OSError(number, os.strerror(number))


def _no_reading(number: int) -> t.NoReturn:
    raise KernelError(f"reading from the kernel failed: {rtnetlink.Failure(number, 'refused by the test')}", number)


def _refused(number: int) -> programs.Ended:
    return programs.Ended(1, "", f"Error: Could not process rule: {os.strerror(number)}\n")
