# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a probe sends and reads, byte by byte; whatever a network answers, nothing but ``WireError`` comes of it."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import probe_wire as wire
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.probe_wire import Answer, WireError

TOKEN = bytes(range(16))
QUERY = wire.dns_query(0x1234, "www.example.test", wire.TYPE_A)

addresses4 = st.integers(0, 2**32 - 1).map(lambda number: str(ipaddress.IPv4Address(number)))
addresses6 = st.integers(0, 2**128 - 1).map(lambda number: str(ipaddress.IPv6Address(number)))


def record(name: bytes, kind: int, data: bytes, klass: int = 1) -> bytes:
    return name + struct.pack("!HHIH", kind, klass, 300, len(data)) + data


def reply(*records: bytes, flags: int = 0x8180, query: bytes = QUERY) -> bytes:
    return query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0) + query[12:] + b"".join(records)


# --- DNS


def test_a_query() -> None:
    assert bytes.fromhex("1234 0100 0001 0000 0000 0000 03777777 076578616d706c65 0474657374 00 0001 0001") == QUERY


@given(found=st.lists(addresses4, max_size=8), others=st.lists(addresses6, max_size=3))
def test_addresses_are_read(found: list[str], others: list[str]) -> None:
    alias = record(b"\xc0\x0c", 5, b"\x03cdn\xc0\x10")
    records = [record(b"\xc0\x0c", 1, socket.inet_aton(address)) for address in found]
    records += [record(b"\x03cdn\x00", 28, socket.inet_pton(socket.AF_INET6, address)) for address in others]
    assert wire.dns_answer(reply(alias, *records), QUERY) == Answer(0, (*found, *others), False)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (reply(flags=0x8183), Answer(3, (), False)),
        (reply(flags=0x8380), Answer(0, (), True)),
        (QUERY[:2] + struct.pack("!HHHHH", 0x8185, 0, 0, 0, 0), Answer(5, (), False)),  # refused, the question not repeated
        (reply(record(b"\0", 1, b"\1\2\3")), Answer(0, (), False)),  # an A record that is none
        (reply(record(b"\0", 1, b"\1\2\3\4", klass=3)), Answer(0, (), False)),
        (b"\x12\x35" + reply()[2:], None),
        (QUERY, None),  # a query is no answer
        (reply(query=wire.dns_query(0x1234, "www.example.text", 1)), None),
        (reply(query=QUERY.upper()), Answer(0, (), False)),
    ],
)
def test_answers(data: bytes, expected: Answer | None) -> None:
    assert wire.dns_answer(data, QUERY) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        QUERY[:11],
        reply(record(b"\xc0\x0c", 1, b"\1\2\3\4"))[:-1],
        reply(b"\x80"),
        reply(b"\x3f" * 200),
        reply()[:12] + b"\x01a" * 200,
    ],
)
def test_broken_answers(data: bytes) -> None:
    with pytest.raises(WireError):
        wire.dns_answer(data, QUERY)


@given(data=st.one_of(st.binary(max_size=600), st.binary(max_size=300).map(lambda tail: reply(b"")[:-1] + tail)))
def test_any_answer(data: bytes) -> None:
    with contextlib.suppress(WireError):
        found = wire.dns_answer(data, QUERY)
        assert found is None or isinstance(found, Answer)


@given(data=st.data())
def test_an_answer_with_some_bytes_changed(data: st.DataObject) -> None:
    answer = bytearray(reply(record(b"\xc0\x0c", 5, b"\x03cdn\xc0\x10"), record(b"\x03cdn\xc0\x10", 1, b"\1\2\3\4")))
    for _change in range(data.draw(st.integers(1, 6))):
        answer[data.draw(st.integers(0, len(answer) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(WireError):
        found = wire.dns_answer(bytes(answer[: data.draw(st.integers(0, len(answer)))]), QUERY)
        assert found is None or all(ipaddress.ip_address(address) for address in found.addresses)


# --- ICMP


def checksum(data: bytes) -> int:
    """As RFC 1071 has it, one word after the other."""
    total = 0
    for position in range(0, len(data), 2):
        total += int.from_bytes(data[position : position + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    return total


@given(size=st.integers(0, 2000), identity=st.integers(0, 0xFFFF), token=st.binary(min_size=16, max_size=16))
def test_an_echo_sums_up_and_has_its_size(size: int, identity: int, token: bytes) -> None:
    request = wire.echo_request(4, identity, token, size)
    assert checksum(request) == 0xFFFF
    assert len(request) + 20 == max(size, 44)
    assert len(wire.echo_request(6, identity, token, size)) + 40 == max(size, 64)


@given(version=st.sampled_from([4, 6]), size=st.integers(0, 300), options=st.integers(5, 15), raw=st.booleans())
def test_the_reply_is_known(version: int, size: int, options: int, raw: bool) -> None:
    request = wire.echo_request(version, 7, TOKEN, size)
    header = bytes([0x40 | options]) + bytes(options * 4 - 1) if raw and version == 4 else b""
    answer = header + bytes([{4: 0, 6: 129}[version]]) + request[1:]
    assert wire.is_echo_reply(version, answer, TOKEN, raw)
    assert not wire.is_echo_reply(version, answer, TOKEN[::-1], raw)
    assert not wire.is_echo_reply(version, header + request, TOKEN, raw)  # one's own request, as a raw socket on lo sees it


@given(version=st.sampled_from([4, 6]), data=st.binary(max_size=100), raw=st.booleans())
def test_any_packet(version: int, data: bytes, raw: bool) -> None:
    assert wire.is_echo_reply(version, data, TOKEN, raw) in (True, False)


# --- the error queue


def extended(number: int, origin: int, info: int, tail: bytes) -> bytes:
    return struct.pack("=IBBBBII", number, origin, 3, 4, 0, info, 0) + tail


def test_errors_that_came_back() -> None:
    router = struct.pack("=H2x4s8x", socket.AF_INET, socket.inet_aton("10.0.0.1"))
    assert wire.extended_error(extended(90, 2, 1400, router)) == (90, "10.0.0.1", 1400)
    router = struct.pack("=H6x16sI", socket.AF_INET6, socket.inet_pton(socket.AF_INET6, "fd00::1"), 0)
    assert wire.extended_error(extended(90, 3, 1280, router)) == (90, "fd00::1", 1280)
    assert wire.extended_error(extended(90, 1, 1500, router)) == (90, "", 1500)
    assert wire.extended_error(extended(113, 2, 0, struct.pack("=H26x", 0))) == (113, "", 0)


@given(data=st.binary(max_size=64))
def test_any_error(data: bytes) -> None:
    with contextlib.suppress(WireError):
        assert len(wire.extended_error(data)) == 3


# --- HTTP


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nServer: x\r\n", (200, "OK")),
        (b"HTTP/1.0 404 Not Found\n", (404, "Not Found")),
        (b"HTTP/2 204\r\n", (204, "")),
        (b"HTTP/1.1 20", None),
        (b"HT", None),
        (b"", None),
    ],
)
def test_the_status(data: bytes, expected: t.Any) -> None:
    assert wire.http_status(data) == expected


@given(data=st.binary(max_size=300))
def test_any_status(data: bytes) -> None:
    with contextlib.suppress(WireError):
        found = wire.http_status(data)
        assert found is None or 0 <= found[0] <= 999


def test_a_request_cannot_be_continued_by_its_host() -> None:
    assert wire.http_request("h:80", "/p?q").split(b"\r\n")[:2] == [b"GET /p?q HTTP/1.0", b"Host: h:80"]


def test_the_body() -> None:
    assert wire.http_body(b"HTTP/1.1 200 OK\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n10.0.0.1") == b"10.0.0.1"
    assert wire.http_body(b"HTTP/1.1 200 OK\r\n") == b""


# --- addresses in a text


@given(found=st.lists(st.one_of(addresses4, addresses6), max_size=5, unique=True))
def test_addresses_in_a_text(found: list[str]) -> None:
    mapped = {address: getattr(ipaddress.ip_address(address), "ipv4_mapped", None) for address in found}
    expected = {str(mapped[address] or address) for address in found}
    assert set(wire.addresses_in("".join(f'"peer": "{address}",\n' for address in found))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("your address is 10.0.0.1.", ["10.0.0.1"]),
        ("10.0.0.1:4711", ["10.0.0.1"]),
        ("[fd00::1]:80", ["fd00::1"]),
        ("::ffff:10.0.0.1", ["10.0.0.1"]),
        ("FD00:0:0::1", ["fd00::1"]),
        ("10.0.0.100", ["10.0.0.100"]),
        ("a deadbeef: 12:30", []),
    ],
)
def test_spellings_of_addresses(text: str, expected: list[str]) -> None:
    assert wire.addresses_in(text) == expected


@given(text=st.text(max_size=200))
def test_any_text(text: str) -> None:
    assert all(ipaddress.ip_address(address) for address in wire.addresses_in(text))
