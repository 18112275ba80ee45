# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""rtnetlink on the wire: attributes, and sockets that send many requests at once and match every answer to its request.

Why not pyroute2 here: a request costs it 12 to 20 times a raw one, and its import more than half of a whole module run.
"""

from __future__ import annotations

import errno as errnos
import fcntl
import os
import socket
import struct
import typing as t

from .errors import KernelError

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE = 32, 33, 34
RTM_NEWNSID, RTM_GETNSID = 88, 90
RTM_NEWLINKPROP = 108

NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE = 0x100, 0x200, 0x400
NLM_F_DUMP_INTR = 0x10
NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200

_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_SIOCGIFNAME, _SIOCGIFFLAGS, _SIOCGIFINDEX = 0x8910, 0x8913, 0x8933
_IFNAMSIZ = 16
_IFREQ_OF_NAME, _IFREQ_OF_INDEX = struct.Struct("=16s24x"), struct.Struct("=16xi20x")
_NLMSGERR_ATTR_MSG = 1
_SOL_NETLINK = 270
_NETLINK_CAP_ACK, _NETLINK_EXT_ACK, _NETLINK_GET_STRICT_CHK = 10, 11, 12
_SO_RCVBUFFORCE = 33
_RECEIVE_BUFFER = 4 << 20
_BATCH_BYTES = 32 << 10  # well below net.core.wmem_default, which bounds one send
_BATCH_MESSAGES = 1024  # should all of them fail, their answers fit the receive buffer: each takes up to 1280 bytes of it
_BATCH_MESSAGES_DEFAULT_BUFFER = 128
_READ_BYTES = 256 << 10
_DUMP_TRIES = 20
# of rules, a kernel without IPv6 says EAFNOSUPPORT
_NOTHING_THERE = (errnos.ENODEV, errnos.ENOENT, errnos.ESRCH, errnos.EAFNOSUPPORT)

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_U32 = struct.Struct("=I")
_NESTED = 0x8000
_TYPE_MASK = 0x3FFF
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")


class Message(t.NamedTuple):
    """One request without its header."""

    type: int
    flags: int
    body: bytes


class Request(t.NamedTuple):
    """One message, or what makes it when it is sent, for the socket of one namespace. ``optional``: a no does no harm.

    The stage says what it must wait for: stage 1 of a phase goes out when all of stage 0 is answered.
    """

    stage: int
    netns: str
    message: Message | t.Callable[[], Message]
    optional: bool = False


class Failure(t.NamedTuple):
    """The kernel's no to one request."""

    errno: int
    text: str

    def __str__(self) -> str:
        name = f"{os.strerror(self.errno)} ({errnos.errorcode.get(self.errno, self.errno)})"
        return f"{name}: {self.text}" if self.text else name


def attribute(number: int, data: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    return _ATTRIBUTE.pack(len(data) + 4, number) + data + _PADDING[len(data) & 3]


def u8(number: int, value: int) -> bytes:
    return attribute(number, struct.pack("=B", value))


def u32(number: int, value: int) -> bytes:
    return struct.pack("=HHI", 8, number, value)


def text(number: int, value: str) -> bytes:
    return attribute(number, value.encode() + b"\0")


def nest(number: int, *parts: bytes) -> bytes:
    return attribute(number | _NESTED, b"".join(parts))


def attributes(data: bytes, offset: int = 0) -> dict[int, bytes]:
    """The attributes from ``offset`` on; of one that stands twice the last."""
    found = {}
    last = len(data) - 4
    unpack = _ATTRIBUTE.unpack_from
    # the innermost loop of a run: of a thousand namespaces it sees 150000 attributes
    while offset <= last:
        length, number = unpack(data, offset)
        if length < 4:
            break
        found[number & _TYPE_MASK] = data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found


def attribute_list(data: bytes, offset: int = 0) -> list[tuple[int, bytes]]:
    """The attributes from ``offset`` on, in their order."""
    found = []
    end = len(data)
    while offset + 4 <= end:
        length, number = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4:
            break
        found.append((number & _TYPE_MASK, data[offset + 4 : offset + length]))
        offset += (length + 3) & ~3
    return found


def to_u32(data: bytes) -> int:
    number: int = _U32.unpack_from(data)[0]
    return number


def to_text(data: bytes) -> str:
    return data.rstrip(b"\0").decode(errors="surrogateescape")


def _failure(kind: int, data: bytes, offset: int, length: int, flags: int) -> Failure:
    """What an NLMSG_ERROR says; behind the number stand the request (its header only, where capped) and the extack.

    A dump ends by an NLMSG_DONE even where it failed; that has a number too, and no request.
    """
    number = -struct.unpack_from("=i", data, offset + 16)[0]
    said = ""
    if flags & NLM_F_ACK_TLVS:
        extack = offset + 20
        if kind == _NLMSG_ERROR:
            request_length = struct.unpack_from("=I", data, extack)[0]
            extack += 16 if flags & NLM_F_CAPPED else (request_length + 3) & ~3
        said = to_text(attributes(data[: offset + length], extack).get(_NLMSGERR_ATTR_MSG, b""))
    return Failure(number, said)


def _broken(exc: OSError) -> KernelError:
    """Netlink itself fails, so that nobody knows what became of the requests."""
    return KernelError(f"talking to the kernel by netlink failed: {Failure(exc.errno or 0, '')}", exc.errno or 0)


class Socket:
    """A netlink socket. It belongs to the namespace that the thread is in when it is made, wherever it is used."""

    __slots__ = ("_most", "_sequence", "_socket")

    def __init__(self, protocol: int = socket.NETLINK_ROUTE) -> None:
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
            for option in (_NETLINK_CAP_ACK, _NETLINK_EXT_ACK, _NETLINK_GET_STRICT_CHK):
                self._socket.setsockopt(_SOL_NETLINK, option, 1)
        except OSError as exc:
            raise _broken(exc) from exc
        self._most = _BATCH_MESSAGES
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER)
        except OSError:  # root in a user namespace may not
            self._most = _BATCH_MESSAGES_DEFAULT_BUFFER
        self._sequence = 1

    def close(self) -> None:
        self._socket.close()

    def _send(self, data: bytes) -> None:
        try:
            self._socket.send(data)
        except OSError as exc:
            raise _broken(exc) from exc

    def _messages(self) -> t.Iterator[tuple[int, int, int, int, int, bytes]]:
        try:
            data = self._socket.recv(_READ_BYTES)
        except OSError as exc:
            raise _broken(exc) from exc
        offset = 0
        while offset < len(data):
            length, kind, flags, sequence, _pid = _HEADER.unpack_from(data, offset)
            yield kind, flags, sequence, offset, length, data
            offset += (length + 3) & ~3

    def batch(self, messages: t.Sequence[Message]) -> dict[int, Failure]:
        """Send all, pipelined; return the failures by position. A batch is no transaction: what follows a failure is done."""
        failures: dict[int, Failure] = {}
        start = 0
        while start < len(messages):
            size, end = 0, start
            stop = min(len(messages), start + self._most)
            while end < stop and (end == start or size + len(messages[end].body) + 16 <= _BATCH_BYTES):
                size += len(messages[end].body) + 16
                end += 1
            for position, failure in self._chunk(messages[start:end]).items():
                failures[start + position] = failure
            start = end
        return failures

    def _chunk(self, messages: t.Sequence[Message]) -> dict[int, Failure]:
        base, last = self._sequence, len(messages) - 1
        self._sequence += len(messages)
        parts = []
        for position, message in enumerate(messages):
            # errors are always answered; one acknowledgement, the last one's, says that all are through
            flags = message.flags | NLM_F_REQUEST | (NLM_F_ACK if position == last else 0)
            length = 16 + len(message.body)
            parts.append(_HEADER.pack(length, message.type, flags, base + position, 0) + message.body + _PADDING[length & 3])
        self._send(b"".join(parts))
        failures: dict[int, Failure] = {}
        while True:
            for kind, flags, sequence, offset, length, data in self._messages():
                if kind != _NLMSG_ERROR or sequence < base:
                    continue
                failure = _failure(kind, data, offset, length, flags)
                if failure.errno:
                    failures[sequence - base] = failure
                if sequence == base + last:
                    return failures

    def index(self, name: str) -> int | None:
        """The index of a device; None where there is none."""
        found = self._ask(_SIOCGIFINDEX, _IFREQ_OF_NAME.pack(name.encode()))
        return None if found is None else int(struct.unpack_from("=i", found, _IFNAMSIZ)[0])

    def flags(self, name: str) -> int | None:
        """The flags of a device, such as whether it is up; None where there is none."""
        found = self._ask(_SIOCGIFFLAGS, _IFREQ_OF_NAME.pack(name.encode()))
        return None if found is None else int(struct.unpack_from("=H", found, _IFNAMSIZ)[0])

    def name(self, index: int) -> str | None:
        """The name of a device; None where there is none. It waits for nobody, not even while the kernel removes namespaces."""
        found = self._ask(_SIOCGIFNAME, _IFREQ_OF_INDEX.pack(index))
        return None if found is None else to_text(found[:_IFNAMSIZ].partition(b"\0")[0])

    def _ask(self, what: int, request: bytes) -> bytes | None:
        # in a message the kernel tells all that it knows of a device, which takes thirty times as long
        try:
            return fcntl.ioctl(self._socket, what, request)
        except OSError as exc:
            if exc.errno == errnos.ENODEV:
                return None
            raise _broken(exc) from exc

    def get(self, kind: int, body: bytes) -> bytes | None:
        """One object; ``None`` where the kernel knows none."""
        sequence = self._sequence
        self._sequence += 1
        self._send(_HEADER.pack(16 + len(body), kind, NLM_F_REQUEST, sequence, 0) + body)
        while True:
            for got, flags, answered, offset, length, data in self._messages():
                if answered != sequence:
                    continue
                if got != _NLMSG_ERROR:
                    return data[offset + 16 : offset + length]
                failure = _failure(got, data, offset, length, flags)
                if failure.errno in _NOTHING_THERE:
                    return None
                raise KernelError(f"reading from the kernel failed: {failure}", failure.errno)

    def dump(self, kind: int, body: bytes) -> list[bytes]:
        """All objects that match; repeated where the kernel says that the list changed while it was read."""
        for _try in range(_DUMP_TRIES):
            found = self._dump_once(kind, body)
            if found is not None:
                return found
        raise KernelError(
            f"reading from the kernel failed: the list changed during each of {_DUMP_TRIES} readings: try again", errnos.EINTR
        )

    def _dump_once(self, kind: int, body: bytes) -> list[bytes] | None:
        sequence = self._sequence
        self._sequence += 1
        self._send(_HEADER.pack(16 + len(body), kind, NLM_F_REQUEST | NLM_F_DUMP, sequence, 0) + body)
        found: list[bytes] = []
        interrupted = False
        while True:
            for got, flags, answered, offset, length, data in self._messages():
                if answered != sequence:
                    continue
                interrupted = interrupted or bool(flags & NLM_F_DUMP_INTR)
                if got in (_NLMSG_DONE, _NLMSG_ERROR):
                    failure = _failure(got, data, offset, length, flags)
                    # a filter by a routing table that does not exist is answered with ENOENT
                    if failure.errno and failure.errno not in _NOTHING_THERE:
                        raise KernelError(f"reading from the kernel failed: {failure}", failure.errno)
                    return None if interrupted else found
                found.append(data[offset + 16 : offset + length])
