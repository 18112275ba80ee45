# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The checks of a probe: ping, path MTU, TCP, DNS, HTTP, each tried until it succeeds or its tries are used up."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import select
import socket
import time
import typing as t

from . import probe_wire
from .errors import KernelError
from .host import Host
from .probe_names import look_up, resolved
from .probe_options import Check, Place
from .probe_talk import Answer, Failed, Steps, Talk, Wait, opened
from .probe_wire import WireError

PAUSE = 1.0  # seconds between two tries: duplicate address detection takes one to two
_PIECE = 65536
_LINE_MAX, _RESPONSE_MAX = 1024, 256 * 1024
_SHOWN = 200
_LAST_GOOD_STATUS = 399

_IP_MTU_DISCOVER, _IPV6_MTU_DISCOVER, _IPV6_DONTFRAG = 10, 23, 62
_PMTUDISC_PROBE = 3  # don't fragment, and what is remembered of the path does not count


def attempts(host: Host, check: Check) -> Steps:
    """The check, again and again until it succeeds."""
    left = check.retries
    while True:
        begin = time.monotonic()
        try:
            answer = yield from _once(host, check, begin + check.timeout)
            return answer._replace(milliseconds=(time.monotonic() - begin) * 1000)
        except Failed:
            if not left:
                raise
        left -= 1
        yield Wait(-1, 0, time.monotonic() + PAUSE)


def _once(host: Host, check: Check, until: float) -> Steps:
    if check.kind == "udp_dns":
        known = yield from look_up(host, check, check.name, until, bool)
        to, answer = known.server, Answer(known.source, " ".join(known.addresses))
    else:
        to = yield from resolved(host, check, t.cast(Place, check.to), until)
        answer = yield from _TRIES[check.kind](host, check, to, until)
    if check.expect_source and check.kind not in ("http", "tcp") and answer.source != check.expect_source:
        raise _wrong_source(check, to, f"its source address was {answer.source}")
    return answer


def _wrong_source(check: Check, to: Place, seen: str) -> Failed:
    reason = f"{seen}, not {check.expect_source}"
    return Failed(reason, to).at("source_address", "look at the routes' src, and at what translates addresses on the way")


# --- ping and path MTU


@contextlib.contextmanager
def _echo_socket(host: Host, check: Check, to: Place) -> t.Iterator[tuple[socket.socket, bool]]:
    """A datagram socket where the namespace's net.ipv4.ping_group_range lets us have one, else a raw one."""
    protocol = socket.IPPROTO_ICMPV6 if to.version == 6 else socket.IPPROTO_ICMP
    with contextlib.ExitStack() as stack:
        try:
            sock, raw = stack.enter_context(opened(host, check.netns, to, socket.SOCK_DGRAM, protocol)), False
        except KernelError as exc:
            if exc.errno not in (errno.EACCES, errno.EPROTONOSUPPORT):
                raise
            sock, raw = stack.enter_context(opened(host, check.netns, to, socket.SOCK_RAW, protocol)), True
        yield sock, raw


def echo(host: Host, check: Check, to: Place, until: float, size: int = 0) -> Steps:
    """One echo request and its reply; with a size one that nobody may fragment."""
    token = os.urandom(probe_wire.TOKEN_SIZE)
    with _echo_socket(host, check, to) as (sock, raw):
        talk = Talk(host, check.netns, sock, to, "icmp", until)
        if size and to.version == 4:
            sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_PROBE)
        elif size:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PMTUDISC_PROBE)
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_DONTFRAG, 1)
        talk.connect()
        request = probe_wire.echo_request(to.version, os.getpid() & 0xFFFF, token, size)
        yield from talk.do(lambda: sock.send(request), select.POLLOUT)
        while True:
            data = yield from talk.do(lambda: sock.recv(_PIECE), select.POLLIN)
            if probe_wire.is_echo_reply(to.version, data, token, raw):
                return Answer(talk.source, "")


def _ping(host: Host, check: Check, to: Place, until: float) -> Steps:
    return echo(host, check, to, until)


def _mtu(host: Host, check: Check, to: Place, until: float) -> Steps:
    return echo(host, check, to, until, check.size)


# --- TCP and HTTP


@contextlib.contextmanager
def _stream(host: Host, check: Check, to: Place, until: float) -> t.Iterator[Talk]:
    with opened(host, check.netns, to, socket.SOCK_STREAM) as sock:
        yield Talk(host, check.netns, sock, to, "tcp", until)


def _connected(talk: Talk) -> t.Generator[Wait, bool, None]:
    talk.connect()
    if not (yield Wait(talk.sock.fileno(), select.POLLOUT, talk.until)):
        raise talk.silent("no answer")
    number = talk.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise talk.failed(OSError(number, os.strerror(number)))
    talk.connected = True


def _tcp(host: Host, check: Check, to: Place, until: float) -> Steps:
    with _stream(host, check, to, until) as talk:
        yield from _connected(talk)
        source, line = talk.source, b""
        while check.expect_source and b"\n" not in line and len(line) < _LINE_MAX:
            piece = yield from talk.do(lambda: talk.sock.recv(_LINE_MAX), select.POLLIN)
            line += piece
            if not piece:
                break
    said = line.split(b"\n")[0].decode("utf-8", "replace").strip()
    if check.expect_source and check.expect_source not in probe_wire.addresses_in(said):
        raise _wrong_source(check, to, f"the first line from the server, {said[:_SHOWN]!r}, tells another source address or none")
    return Answer(source, said[:_SHOWN])


def _http(host: Host, check: Check, to: Place, until: float) -> Steps:
    with _stream(host, check, to, until) as talk:
        yield from _connected(talk)
        source = talk.source
        sock = yield from _secured(talk, check) if check.secure else _plain(talk)
        request = probe_wire.http_request(check.header, check.path)
        while request:
            request = request[(yield from talk.do(functools.partial(sock.send, request), select.POLLOUT)) :]
        data = yield from _response(talk, sock, check, to)
    try:
        status = probe_wire.http_status(data + b"\n")
    except WireError as exc:
        raise Failed(str(exc), to, "tcp").at("http", "look at what listens there") from None
    code, phrase = status or (0, "")
    if not 0 < code <= _LAST_GOOD_STATUS:
        raise Failed(f"the server answers {code} {phrase}".rstrip(), to, "tcp").at("http", "the way there is fine, look at the server")
    if check.expect_source and check.expect_source not in probe_wire.addresses_in(probe_wire.http_body(data).decode("utf-8", "replace")):
        raise _wrong_source(check, to, "the server's answer tells another source address or none")
    return Answer(source, f"{code} {phrase}".rstrip())


def _plain(talk: Talk) -> t.Generator[Wait, bool, socket.socket]:
    yield from ()
    return talk.sock


def _secured(talk: Talk, check: Check) -> t.Generator[Wait, bool, socket.socket]:
    """The socket under TLS; the certificate must be of one whom this host trusts."""
    import ssl

    name = t.cast(Place, check.to).host
    sock = ssl.create_default_context().wrap_socket(talk.sock, server_hostname=name, do_handshake_on_connect=False)
    try:
        yield from talk.do(sock.do_handshake, select.POLLIN)
    except Failed as exc:
        raise exc if exc.number == errno.ETIMEDOUT else exc.at("tls", "the way there is fine, look at the server's certificate") from None
    return sock


def _response(talk: Talk, sock: socket.socket, check: Check, to: Place) -> t.Generator[Wait, bool, bytes]:
    """What comes back: the first line, or all of it where the body matters."""
    data = b""
    while len(data) < _RESPONSE_MAX:
        piece = yield from talk.do(lambda: sock.recv(_PIECE), select.POLLIN)
        data += piece
        try:
            if not piece or (probe_wire.http_status(data) and not check.expect_source):
                break
        except WireError as exc:
            raise Failed(str(exc), to, "tcp").at("http", "look at what listens there") from None
    if not data:
        raise Failed("the server closed the connection without an answer", to, "tcp").at(
            "http", "the way there is fine, look at the server"
        )
    return data


_TRIES: dict[str, t.Callable[[Host, Check, Place, float], Steps]] = {"http": _http, "mtu": _mtu, "ping": _ping, "tcp": _tcp}
