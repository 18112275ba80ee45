# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Talks of a probe with the network: generators that say what they wait for, and all wait at once.

A socket belongs to the namespace in which it was made: the thread goes in, makes it and comes back. No talk is held up by
another one, so that a list of checks that fail takes as long as the slowest of them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import time
import typing as t

from . import probe_wire, stopping
from .host import Host
from .probe_options import Place
from .probe_wire import Told, WireError
from .syscalls import reporting
from .values import place

_AT_ONCE = 100
_IP_RECVERR, _IPV6_RECVERR = 11, 25
_SSL_WANTS = {"SSLWantReadError": select.POLLIN, "SSLWantWriteError": select.POLLOUT}


class Wait(t.NamedTuple):
    """What a try waits for; a ``fd`` of -1: that time passes."""

    fd: int
    events: int
    until: float


class Answer(t.NamedTuple):
    """A try that succeeded."""

    source: str
    text: str
    milliseconds: float = 0.0


class Failed(Exception):
    """A try that did not. ``layer`` is known where the answer itself says what is wrong."""

    def __init__(self, reason: str, to: Place | None = None, protocol: str = "", number: int = 0, told: Told | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.to = to  # whom the talk was with; its host is an address
        self.protocol = protocol
        self.number = number
        self.told = told
        self.connected = False  # there was a TCP connection: small packets pass in both directions
        self.layer = ""
        self.remedy = ""

    def at(self, layer: str, remedy: str) -> Failed:
        """With what is to be said of it."""
        self.layer, self.remedy = layer, remedy
        return self


Steps = t.Generator[Wait, bool, Answer]
T = t.TypeVar("T")


def drive(steps: t.Sequence[Steps]) -> list[Answer | Failed]:
    """Run all to their ends."""
    found: list[Answer | Failed] = []
    for start in range(0, len(steps), _AT_ONCE):
        found += _drive(steps[start : start + _AT_ONCE])
    return found


def _drive(steps: t.Sequence[Steps]) -> list[Answer | Failed]:
    found: dict[int, Answer | Failed] = {}
    waiting: dict[int, Wait] = {}

    def step(number: int, ready: bool | None) -> None:
        waiting.pop(number, None)
        try:
            waiting[number] = next(steps[number]) if ready is None else steps[number].send(ready)
        except StopIteration as end:
            found[number] = end.value
        except Failed as exc:
            found[number] = exc

    try:
        for number in range(len(steps)):
            step(number, None)
        while waiting:
            stopping.check()
            ready = _ready(waiting)
            now = time.monotonic()
            for number, wait in [*waiting.items()]:
                if wait.fd in ready or now >= wait.until:
                    step(number, wait.fd in ready)
    finally:
        for generator in steps:
            generator.close()
    return [found[number] for number in range(len(steps))]


def _ready(waiting: t.Mapping[int, Wait]) -> set[int]:
    poll = select.poll()
    for wait in waiting.values():
        if wait.fd >= 0:
            poll.register(wait.fd, wait.events)
    pause = min(wait.until for wait in waiting.values()) - time.monotonic()
    return {fd for fd, _events in poll.poll(max(0, int(pause * 1000) + 1))}


# --- sockets


@contextlib.contextmanager
def opened(host: Host, netns: str, to: Place, kind: int, protocol: int = 0) -> t.Iterator[socket.socket]:
    """A socket of the namespace that does not block and hears of the ICMP errors that its packets cause."""
    family = socket.AF_INET6 if to.version == 6 else socket.AF_INET
    with reporting(f"make a socket {place(netns)}"), host.inside(netns):
        sock = socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol)
    with sock:
        if to.version == 6:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        yield sock


def _told(sock: socket.socket) -> Told | None:
    """The newest entry of the error queue, which is emptied."""
    found = None
    with contextlib.suppress(OSError, WireError):
        while True:
            _data, ancillary, _flags, _address = sock.recvmsg(0, 512, socket.MSG_ERRQUEUE)
            for _level, _kind, data in ancillary:
                found = probe_wire.extended_error(data)
    return found


class Talk:
    """A socket and whom it talks with: errors become ``Failed``."""

    def __init__(self, host: Host, netns: str, sock: socket.socket, to: Place, protocol: str, until: float) -> None:
        self.sock, self.to, self.protocol, self.until = sock, to, protocol, until
        self.connected = False
        self._began = time.monotonic()
        link = host.link(netns, to.zone) if to.zone else None
        if to.zone and link is None:
            raise Failed(f"there is no device {to.zone}").at("interface_down", f"correct the zone of {to.host}")
        self._scope = link.index if link else 0

    def connect(self) -> None:
        address: t.Any = (self.to.host, self.to.port, 0, self._scope) if self.to.version == 6 else (self.to.host, self.to.port)
        try:
            self.sock.connect(address)
        except BlockingIOError:
            pass
        except OSError as exc:
            raise self.failed(exc) from None

    @property
    def source(self) -> str:
        return str(self.sock.getsockname()[0]).partition("%")[0]

    def do(self, call: t.Callable[[], T], events: int) -> t.Generator[Wait, bool, T]:
        """Make a call as soon as it does not have to wait."""
        while True:
            try:
                return call()
            except BlockingIOError:
                wanted = events
                told = _told(self.sock)  # it would wake the wait again and again
                if told:
                    raise self.failed(OSError(told.errno, ""), told) from None
            except OSError as exc:
                wanted = _SSL_WANTS.get(type(exc).__name__, 0)
                if not wanted:
                    raise self.failed(exc) from None
            if not (yield Wait(self.sock.fileno(), wanted, self.until)):
                raise self.silent("no answer")

    def silent(self, what: str) -> Failed:
        what = f"connected, but {what}" if self.connected else what
        seconds = round(self.until - self._began, 1)
        return self._made(Failed(f"{what} within {seconds:g} seconds", self.to, self.protocol, errno.ETIMEDOUT))

    def _made(self, failed: Failed) -> Failed:
        failed.connected = self.connected
        return failed

    def failed(self, exc: OSError, told: Told | None = None) -> Failed:
        """What the kernel or somebody on the way says, in words."""
        told = told or _told(self.sock)
        number = exc.errno or 0
        reason = os.strerror(number).lower() if 0 < number < 4096 and type(exc).__module__ != "ssl" else str(exc)
        if told and told.by and told.by != self.to.host:
            reason = f"{reason}, says {told.by}"
        return self._made(Failed(reason, self.to, self.protocol, number, told))
