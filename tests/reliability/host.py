# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Throw-away hosts, a fresh one per case.

A host is a network namespace and a mount namespace with an empty /run and an empty /etc/netns, held open by two descriptors.
All that happens on it happens in a child process, ``host.call(function, ...)``: the child may be killed at any point, and a
run leaves nothing behind in this process. What is on a host is seen by ``picture.take``.

    with Host() as host:
        host.call(run, lists)                   # a run of the engine, see engine.py
        before = host.picture()
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import pickle
import select
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback
import typing as t

import picture

_CLONE_NEWNS, _CLONE_NEWNET = 0x20000, 0x40000000
_MS_NOSUID, _MS_NODEV, _MS_REC, _MS_PRIVATE = 2, 4, 0x4000, 1 << 18
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_PATIENCE = 3.0  # the kernel tells devices of a carrier once a second
_REST = 20.0  # on a busy machine it is late with that, and with duplicate address detection
_POLL = 0.2

_libc = ctypes.CDLL(None, use_errno=True)


class Killed(Exception):
    """The process on the host was ended by a signal."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number


class Crashed(Exception):
    """The function raised; the message is the traceback."""


def _libc_call(function: str, *arguments: t.Any) -> None:
    if getattr(_libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def _tmpfs(target: str) -> None:
    _libc_call("mount", b"tmpfs", target.encode(), b"tmpfs", ctypes.c_ulong(_MS_NOSUID | _MS_NODEV), b"mode=755")


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        flags = struct.unpack("16xH", fcntl.ioctl(sock, _SIOCGIFFLAGS, struct.pack("16sH", b"lo", 0))[:18])[0]
        fcntl.ioctl(sock, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | _IFF_UP))


def _make() -> None:
    _libc_call("unshare", _CLONE_NEWNET | _CLONE_NEWNS)
    _libc_call("mount", b"none", b"/", None, ctypes.c_ulong(_MS_REC | _MS_PRIVATE), None)
    _tmpfs("/run")
    os.mkdir("/run/lock")
    _tmpfs("/etc/netns")
    _loopback_up()


class Child:
    """A process that runs a function on a host; ``result`` waits for what it returns."""

    def __init__(self, prepare: t.Callable[[], None], function: t.Callable[..., t.Any], arguments: t.Sequence[t.Any]) -> None:
        self._read, write = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._read)
            _run(write, prepare, function, arguments)
        os.close(write)

    def kill(self, number: int) -> None:
        os.kill(self.pid, number)

    def result(self, timeout: float = 60.0) -> t.Any:
        """What the function returned. Raises Killed and Crashed; a child that takes too long is killed, and TimeoutError raised."""
        data = self._all(time.monotonic() + timeout)
        _pid, status = os.waitpid(self.pid, 0)
        if os.WIFSIGNALED(status):
            raise Killed(os.WTERMSIG(status))
        if not data:
            raise Crashed(f"the process on the host ended by itself with status {os.WEXITSTATUS(status)}")
        good, value = pickle.loads(data)
        if not good:
            raise Crashed(value)
        return value

    def _all(self, deadline: float) -> bytes:
        parts = []
        with open(self._read, "rb", buffering=0) as pipe:
            while True:
                if not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
                    os.kill(self.pid, signal.SIGKILL)
                    os.waitpid(self.pid, 0)
                    raise TimeoutError("the process on the host did not end")
                part = pipe.read(1 << 20)
                if not part:
                    return b"".join(parts)
                parts.append(part)


def _run(write: int, prepare: t.Callable[[], None], function: t.Callable[..., t.Any], arguments: t.Sequence[t.Any]) -> None:
    """The child: never comes back into the test run."""
    try:
        try:
            prepare()
            answer = (True, function(*arguments))
        except BaseException:
            answer = (False, traceback.format_exc())
        # in one piece and at the end: a grandchild that holds the pipe open must not hold it for ever
        with open(write, "wb") as pipe:
            pickle.dump(answer, pipe)
    finally:
        os._exit(0)


class Host:
    """One host. ``etc`` and ``run`` are its own, everything else of the file system is the test's."""

    def __init__(self) -> None:
        ready, ready_end = os.pipe()
        stay, stay_end = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                _make()
                os.write(ready_end, b"+")
                os.close(stay_end)
                os.read(stay, 1)
            finally:
                os._exit(0)
        os.close(ready_end)
        os.close(stay)
        try:
            if os.read(ready, 1) != b"+":
                raise OSError("a throw-away host cannot be made: run the suite by tools/sandbox.py exec -- ...")
            self._net = os.open(f"/proc/{child}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            self._mount = os.open(f"/proc/{child}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            os.close(ready)
            os.close(stay_end)
            os.waitpid(child, 0)

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        os.close(self._net)
        os.close(self._mount)

    def enter(self) -> None:
        """Put this process onto the host, for ever: for a child of one's own."""
        _libc_call("setns", self._mount, _CLONE_NEWNS)
        _libc_call("setns", self._net, _CLONE_NEWNET)
        os.chdir("/")

    def start(self, function: t.Callable[..., t.Any], *arguments: t.Any) -> Child:
        """Begin ``function`` in a child process on the host."""
        return Child(self.enter, function, arguments)

    def call(self, function: t.Callable[..., t.Any], *arguments: t.Any, timeout: float = 60.0) -> t.Any:
        """Run ``function`` in a child process on the host; what it returns has to be plain data."""
        return self.start(function, *arguments).result(timeout)

    def popen(self, words: t.Sequence[str], **options: t.Any) -> subprocess.Popen[str]:
        """A program on the host."""
        # the suite has one thread only
        return subprocess.Popen(words, preexec_fn=self.enter, text=True, **options)  # noqa: PLW1509

    def shell(self, script: str, check: bool = True) -> str:
        """Run shell commands on the host; what they print."""
        with self.popen(["sh", "-ec", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            said = process.communicate()[0]
        if check and process.returncode:
            raise AssertionError(f"{script!r} ended with {process.returncode}: {said}")
        return said

    def picture(self, alike: bool = False) -> picture.Picture:
        """All that is on the host; with ``alike`` in a form that can be compared with that of another host."""
        seen = self.call(picture.take)
        return picture.alike(seen) if alike else seen

    def settled(self, alike: bool = False, quiet: float = 0.3) -> picture.Picture:
        """The picture once nothing moves any more: carrier, link-local addresses and dying devices come and go by themselves."""
        deadline = time.monotonic() + _REST
        before = self.picture()
        while time.monotonic() < deadline:
            time.sleep(quiet)
            now = self.picture()
            if now == before and not picture.unsettled(now):
                return picture.alike(now) if alike else now
            before = now
        raise AssertionError("the host does not come to rest")

    def differs(self, expected: picture.Picture, alike: bool = False, patience: float = _PATIENCE) -> list[str]:
        """The lines that tell this host from what is expected, if any after ``patience`` seconds, or when nothing moves any more."""
        began = time.monotonic()
        while True:
            seen = self.picture()
            lines = picture.difference(expected, picture.alike(seen) if alike else seen)
            waited = time.monotonic() - began
            if not lines or waited > (_REST if picture.unsettled(seen) else patience):
                return lines
            time.sleep(_POLL)


@contextlib.contextmanager
def hosts(number: int) -> t.Iterator[list[Host]]:
    """Several hosts at once."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Host()) for _host in range(number)]


def spread(cases: t.Sequence[t.Any], judge: t.Callable[[t.Any], t.Any], workers: int = 2) -> list[t.Any]:
    """``judge(case)`` of all cases, by several processes, in the order of the cases."""
    children = [Child(lambda: None, lambda share: [judge(case) for case in share], [cases[at::workers]]) for at in range(workers)]
    shares = [child.result(timeout=7200) for child in children]
    return [shares[at % workers][at // workers] for at in range(len(cases))]
