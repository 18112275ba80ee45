# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What the checks of a probe send and get, as bytes: ICMP echo, DNS, HTTP, the kernel's error queue. Pure.

What comes from a network may be anything: a reader returns what it understood or raises ``WireError``, nothing else.
"""

from __future__ import annotations

import ipaddress
import re
import struct
import typing as t

ECHO = {4: 8, 6: 128}
_ECHO_REPLY = {4: 0, 6: 129}
_ECHO_HEADER = struct.Struct("!BBHHH")
TOKEN_SIZE = 16
ICMP_OVERHEAD = {4: 28, 6: 48}  # the IP header without options, and the echo's own

TYPE_A, TYPE_AAAA = 1, 28
_DNS_HEADER = struct.Struct("!HHHHHH")
_DNS_RECORD = struct.Struct("!HHIH")
_DNS_ANSWER, _DNS_TRUNCATED, _DNS_RECURSION = 0x8000, 0x0200, 0x0100
_IN = 1
_POINTERS_MAX = 64
RCODES = {
    1: "the query is malformed (FORMERR)",
    2: "it cannot find out (SERVFAIL)",
    3: "there is no such name (NXDOMAIN)",
    4: "it does not do such queries (NOTIMP)",
    5: "it refuses to answer (REFUSED)",
}

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})(?: ([^\r\n]*))?\r?\n")
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]+")

_EXTENDED_ERROR = struct.Struct("=IBBBBII")
_ORIGIN_ICMP = (2, 3)
_SOCKADDR = {2: struct.Struct("=H2x4s"), 10: struct.Struct("=H6x16s")}  # AF_INET, AF_INET6


class WireError(ValueError):
    """Not what it should be."""


# --- ICMP echo


def _checksum(data: bytes) -> int:
    padded = data + b"\0" * (len(data) & 1)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo_request(version: int, identity: int, token: bytes, size: int = 0) -> bytes:
    """An echo request that carries the token; ``size`` is that of the whole IP packet.

    The kernel sums over ICMPv6, which has a pseudo header, and over what a datagram socket sends.
    """
    body = token.ljust(max(len(token), size - ICMP_OVERHEAD[version]), b"\0")
    checksum = _checksum(_ECHO_HEADER.pack(ECHO[version], 0, 0, identity, 1) + body) if version == 4 else 0
    return _ECHO_HEADER.pack(ECHO[version], 0, checksum, identity, 1) + body


def is_echo_reply(version: int, data: bytes, token: bytes, raw: bool) -> bool:
    """Whether this is the reply to the request with that token; a raw IPv4 socket gives the IP header as well."""
    if version == 4 and raw:
        data = data[(data[0] & 15) * 4 :] if data else data
    return len(data) >= 8 and data[0] == _ECHO_REPLY[version] and data[8 : 8 + len(token)] == token


# --- the kernel's error queue


class Told(t.NamedTuple):
    """An error that came back: ``by`` is the address of the router or host that sent it, empty where it was the kernel here."""

    errno: int
    by: str
    info: int  # of "too big": the size that would pass


def extended_error(data: bytes) -> Told:
    """A ``sock_extended_err`` and the address of the offender behind it."""
    try:
        number, origin, _type, _code, _pad, info, _data = _EXTENDED_ERROR.unpack_from(data)
        family = struct.unpack_from("=H", data, _EXTENDED_ERROR.size)[0] if origin in _ORIGIN_ICMP else 0
        by = ""
        if family in _SOCKADDR:
            by = str(ipaddress.ip_address(_SOCKADDR[family].unpack_from(data, _EXTENDED_ERROR.size)[1]))
    except struct.error:
        raise WireError("the error message is cut off") from None
    return Told(number, by, info)


# --- DNS


class Answer(t.NamedTuple):
    """What a name server says."""

    code: int
    addresses: tuple[str, ...]
    truncated: bool


def dns_query(identity: int, name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(label)]) + label for label in name.rstrip(".").encode("ascii").split(b".") if label)
    return _DNS_HEADER.pack(identity, _DNS_RECURSION, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, _IN)


def dns_answer(data: bytes, query: bytes) -> Answer | None:
    """The answer to this query; ``None`` where it answers another one."""
    try:
        identity, flags, questions, answers, _authority, _additional = _DNS_HEADER.unpack_from(data)
        if identity != _DNS_HEADER.unpack_from(query)[0] or not flags & _DNS_ANSWER:
            return None
        code = flags & 15
        if questions == 0 and code:  # some servers do not repeat a question that they refuse
            return Answer(code, (), False)
        end = _skip_name(data, _DNS_HEADER.size) + 4
        if questions != 1 or data[_DNS_HEADER.size : end].lower() != query[_DNS_HEADER.size :].lower():
            return None
        return Answer(code, tuple(_addresses(data, end, answers)), bool(flags & _DNS_TRUNCATED))
    except (struct.error, IndexError):
        raise WireError("the answer is cut off") from None


def _skip_name(data: bytes, offset: int) -> int:
    """The offset behind a name. Names are not read, so that a pointer need not be followed."""
    for _label in range(_POINTERS_MAX * 2):
        length = data[offset]
        if length >= 0xC0:
            return offset + 2
        if length > 63:
            raise WireError("a name in the answer is malformed")
        offset += length + 1
        if length == 0:
            return offset
    raise WireError("a name in the answer is endless")


def _addresses(data: bytes, offset: int, count: int) -> t.Iterator[str]:
    for _number in range(count):
        if offset == len(data):
            return  # a truncated answer counts the records that it left out
        offset = _skip_name(data, offset)
        kind, klass, _ttl, length = _DNS_RECORD.unpack_from(data, offset)
        offset += _DNS_RECORD.size
        value = data[offset : offset + length]
        if len(value) != length:
            raise WireError("a record of the answer is cut off")
        if klass == _IN and (kind, length) in ((TYPE_A, 4), (TYPE_AAAA, 16)):
            yield str(ipaddress.ip_address(value))
        offset += length


# --- HTTP


def http_request(host: str, path: str) -> bytes:
    """HTTP/1.0: the server closes the connection at the end and sends the body in one piece."""
    return f"GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: linuxnet.netns\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode("ascii")


def http_status(data: bytes) -> tuple[int, str] | None:
    """The status and its phrase, once the line is there."""
    if b"\n" not in data:
        if len(data) > 4096 or not b"HTTP/".startswith(data[:5]):
            raise WireError("what came back is not HTTP")
        return None
    found = _STATUS.match(data)
    if not found:
        raise WireError("what came back is not HTTP")
    return int(found.group(1)), (found.group(2) or b"").decode("latin-1").strip()


def http_body(data: bytes) -> bytes:
    """What stands behind the headers."""
    parts = re.split(rb"\r?\n\r?\n", data, maxsplit=1)
    return parts[1] if len(parts) == 2 else b""


def addresses_in(text: str) -> list[str]:
    """Every IP address in a text, in canonical spelling; an IPv4 one as IPv6 sockets write it counts as IPv4."""
    found = []
    for word in _ADDRESS.findall(text):
        word = word.rstrip(".")
        # as it is, at the end of a word or of a sentence, and with a port behind it
        address = next(filter(None, map(_as_address, (word, word.strip(":"), word.partition(":")[0]))), None)
        if address is not None and address not in found:
            found.append(address)
    return found


def _as_address(word: str) -> str | None:
    try:
        address = ipaddress.ip_address(word)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
