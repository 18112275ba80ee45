# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor: the star by hand-made netlink messages and nothing else, beside the engine without Ansible.

What is here is what the kernel needs to be told, and the least of Python around it: no reading, no comparing, no journal, nothing
generic. Phased: all namespaces; the bridge; all veths from one socket; one send inside each namespace; the bridge up last. Like
the engine, and unlike `ip`, it asks for one queue on each end of a veth and for no link-local address on a port.

A process of its own (`python floor.py SIZE`) tells its own time, without the start of Python and the imports.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import pathlib
import resource
import socket
import struct
import sys
import typing as t

import engine_alone
import harness
import star
from engine_alone import CLOCK, PROCESSOR

FLOOR, ENGINE = "hand-made netlink", "the engine"


def run(size: int, pairs: int, folder: pathlib.Path) -> harness.Series:
    files = engine_alone.Star(size, folder)
    commands = {
        FLOOR: [sys.executable, __file__, str(size)],
        ENGINE: [sys.executable, engine_alone.__file__, str(files.wish)],
    }
    series = harness.Series()
    for technique in harness.in_turns((FLOOR, ENGINE), pairs):
        sample = harness.measure(commands[technique])
        star.check(size)
        engine_alone.add(series, technique, sample)
        files.remove()
    return series


def report(series: t.Mapping[int, harness.Series]) -> str:
    rows = []
    for size, one in series.items():
        for step in (CLOCK, PROCESSOR):
            medians = [f"{1000 * (one.median(name, step) or 0):.0f}" for name in (FLOOR, ENGINE)]
            rows.append([f"{size}, {step}", *medians, f"{one.ratio(ENGINE, FLOOR, step) or 0:.2f}"])
    return harness.table(["namespaces, build (ms)", FLOOR, ENGINE, "ratio"], rows)


# --- in a process of its own

_FOLDER = "/run/netns"
_SOL_NETLINK, _CAP_ACK = 270, 10
_REQUEST, _ACK, _NEW = 1, 4, 0x600  # _NEW: create, and it must not be there
_ERROR, _NEWLINK, _SETLINK, _NEWADDR, _NEWROUTE = 2, 16, 19, 20, 24
_CLONE_NEWNET, _MS_BIND, _MS_REC, _MS_SHARED = 0x40000000, 0x1000, 0x4000, 0x100000
_SIOCGIFINDEX, _UP, _NODAD = 0x8933, 1, 2
_VETHS_A_SEND = 50
_libc = ctypes.CDLL(None, use_errno=True)


def _call(function: str, *arguments: t.Any) -> None:
    if getattr(_libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), function)


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _text(kind: int, value: str) -> bytes:
    return _attribute(kind, value.encode() + b"\0")


def _number(kind: int, value: int) -> bytes:
    return struct.pack("HHI", 8, kind, value)


def _device(index: int = 0, flags: int = 0) -> bytes:
    return struct.pack("BxHiII", 0, 0, index, flags, flags)


_IFNAME, _MTU, _MASTER, _LINKINFO, _AF_SPEC, _NET_NS_FD, _QUEUES = 3, 4, 10, 18, 26, 28, (31, 32)
_ONE_QUEUE = b"".join(_number(kind, 1) for kind in _QUEUES)
_NO_LINK_LOCAL = _attribute(_AF_SPEC, _attribute(socket.AF_INET6, _attribute(8, b"\1")))
_Message = tuple[int, int, bytes]


class _Socket:
    """Of the namespace that the thread is in when it is made."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._socket.setsockopt(_SOL_NETLINK, _CAP_ACK, 1)

    def send(self, messages: t.Sequence[_Message]) -> None:
        """All in one send; the kernel answers the last one, and any that fails."""
        last = len(messages) - 1
        whole = b""
        for number, (kind, flags, body) in enumerate(messages):
            flags |= _REQUEST | (_ACK if number == last else 0)
            whole += struct.pack("IHHII", 16 + len(body), kind, flags, number, 0) + body
        self._socket.send(whole)
        while True:
            _length, _kind, _flags, number, _port, error = struct.unpack_from("IHHIIi", self._socket.recv(65536))
            if error:
                raise OSError(-error, os.strerror(-error), f"message {number} of {last + 1}")
            if number == last:
                return

    def index(self, name: str) -> int:
        answer = fcntl.ioctl(self._socket, _SIOCGIFINDEX, struct.pack("16si20x", name.encode(), 0))
        return int(struct.unpack_from("i", answer, 16)[0])


def _folder() -> None:
    """As `ip netns add` prepares it."""
    os.makedirs(_FOLDER, exist_ok=True)
    place = _FOLDER.encode()
    if _libc.mount(b"", place, b"none", _MS_SHARED | _MS_REC, None):
        _call("mount", place, place, b"none", _MS_BIND | _MS_REC, None)
        _call("mount", b"", place, b"none", _MS_SHARED | _MS_REC, None)


def _namespace(number: int) -> tuple[int, _Socket]:
    """A new one, which the thread is in then: what stands for it, and a socket inside."""
    path = f"{_FOLDER}/{star.namespace(number)}"
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444))
    _call("unshare", _CLONE_NEWNET)
    _call("mount", b"/proc/self/ns/net", path.encode(), b"none", _MS_BIND, None)
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC), _Socket()


def _address(family: int, text: str, length: int, index: int) -> _Message:
    value = socket.inet_pton(family, text)
    flags = _NODAD if family == socket.AF_INET6 else 0
    return _NEWADDR, _NEW, struct.pack("BBBBI", family, length, flags, 0, index) + _attribute(2, value) + _attribute(1, value)


def _default(family: int, gateway: str) -> _Message:
    # table main, protocol boot, scope universe, unicast: what ip says as well
    head = struct.pack("BBBBBBBBI", family, 0, 0, 0, 254, 3, 0, 1, 0)
    return _NEWROUTE, _NEW, head + _attribute(5, socket.inet_pton(family, gateway))


def _hub(root: _Socket) -> int:
    kind = _attribute(_LINKINFO, _text(1, "bridge"))
    root.send([(_NEWLINK, _NEW, _device() + _text(_IFNAME, star.HUB) + _number(_MTU, star.MTU) + kind)])
    index = root.index(star.HUB)
    root.send(
        [
            _address(socket.AF_INET, star.GATEWAY, star.PREFIX, index),
            _address(socket.AF_INET6, star.GATEWAY6, star.PREFIX6, index),
        ]
    )
    return index


def _veth(number: int, inside: int, hub: int) -> list[_Message]:
    common = _number(_MTU, star.MTU) + _ONE_QUEUE
    peer = _attribute(1, _device() + _text(_IFNAME, "eth0") + common + _number(_NET_NS_FD, inside))
    pair = _attribute(_LINKINFO, _text(1, "veth") + _attribute(2, peer))
    name = _text(_IFNAME, star.port(number))
    return [
        (_NEWLINK, _NEW, _device() + name + common + _number(_MASTER, hub) + pair),
        (_SETLINK, 0, _device() + name + _NO_LINK_LOCAL),
        (_SETLINK, 0, _device(flags=_UP) + name),
    ]


def _inside(number: int, index: int) -> list[_Message]:
    return [
        (_SETLINK, 0, _device(1, _UP)),
        (_SETLINK, 0, _device(index, _UP)),
        _address(socket.AF_INET, star.address(number), star.PREFIX, index),
        _address(socket.AF_INET6, star.address6(number), star.PREFIX6, index),
        _default(socket.AF_INET, star.GATEWAY),
        _default(socket.AF_INET6, star.GATEWAY6),
    ]


def _build(size: int) -> None:
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    root = _Socket()
    _folder()
    made = [_namespace(number) for number in range(size)]
    _call("setns", home, _CLONE_NEWNET)
    hub = _hub(root)
    for start in range(0, size, _VETHS_A_SEND):
        several = enumerate(made[start : start + _VETHS_A_SEND], start)
        root.send([message for number, (inside, _socket) in several for message in _veth(number, inside, hub)])
    for number, (_inside_fd, inner) in enumerate(made):
        inner.send(_inside(number, inner.index("eth0")))
    root.send([(_SETLINK, 0, _device(hub, _UP))])


def _main(size: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    engine_alone.timed(lambda: _build(size))


if __name__ == "__main__":
    _main(int(sys.argv[1]))
