# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The connections that the kernel knows, by ctnetlink: listed, and forgotten.

Three attributes to read and one message to send: too little to import pyroute2 for, and hosts without it need it as well.
"""

from __future__ import annotations

import errno
import socket
import struct
import typing as t

from . import rtnetlink
from .errors import KernelError

_NETLINK_NETFILTER = 12
_GET, _DELETE = 0x0101, 0x0102
_ORIGINAL, _REPLY, _ID, _ZONE = 1, 2, 12, 18
_IP, _PROTO = 1, 2
_SOURCES, _TARGETS = {1: socket.AF_INET, 3: socket.AF_INET6}, {2: socket.AF_INET, 4: socket.AF_INET6}
_NUMBER, _SOURCE_PORT, _TARGET_PORT = 1, 2, 3
_PROTOCOLS = {6: "tcp", 17: "udp", 132: "sctp"}


class Flow(t.NamedTuple):
    """A connection: what it was meant for, and who answers it."""

    protocol: str
    to: str
    port: int
    answers: str
    answers_port: int
    raw: bytes  # what names it in a message


def _socket() -> rtnetlink.Socket | None:
    """Of the namespace that the calling thread is in."""
    try:
        return rtnetlink.Socket(_NETLINK_NETFILTER)
    except KernelError:  # a kernel without netfilter
        return None


def flows() -> list[Flow]:
    """All connections of the namespace that the calling thread is in; none where the kernel cannot tell."""
    channel = _socket()
    if channel is None:
        return []
    try:
        found = channel.dump(_GET, b"\0\0\0\0")
    except KernelError:  # without nf_conntrack_netlink
        return []
    finally:
        channel.close()
    return [flow for flow in map(_decoded, found) if flow is not None]


def forget(flows_to_forget: t.Sequence[Flow]) -> None:
    """Their next packets begin new connections."""
    channel = _socket() if flows_to_forget else None
    if channel is None:
        return
    try:
        failures = channel.batch([rtnetlink.Message(_DELETE, 0, flow.raw) for flow in flows_to_forget])
    finally:
        channel.close()
    for failure in failures.values():
        if failure.errno != errno.ENOENT:  # it ended by itself
            raise KernelError(f"cannot make the kernel forget a connection: {failure}", failure.errno)


def _decoded(data: bytes) -> Flow | None:
    found = rtnetlink.attributes(data, 4)
    original, reply = (rtnetlink.attributes(found[number]) for number in (_ORIGINAL, _REPLY))
    protocol = _PROTOCOLS.get(rtnetlink.attributes(original[_PROTO])[_NUMBER][0])
    if protocol is None:
        return None
    named = [rtnetlink.attribute(number, found[number]) for number in (_ORIGINAL, _ID, _ZONE) if number in found]
    named[0] = rtnetlink.nest(_ORIGINAL, found[_ORIGINAL])
    to, answers = _address(original, _TARGETS), _address(reply, _SOURCES)
    return Flow(protocol, to, _port(original, _TARGET_PORT), answers, _port(reply, _SOURCE_PORT), data[:4] + b"".join(named))


def _address(tuple_: t.Mapping[int, bytes], which: t.Mapping[int, int]) -> str:
    found = rtnetlink.attributes(tuple_[_IP])
    return next(socket.inet_ntop(family, found[number]) for number, family in which.items() if number in found)


def _port(tuple_: t.Mapping[int, bytes], which: int) -> int:
    return int(struct.unpack("!H", rtnetlink.attributes(tuple_[_PROTO])[which])[0])
