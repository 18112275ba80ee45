# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attributes and the transport: pipelined batches whose failures are blamed on the right request, dumps that are whole."""

from __future__ import annotations

import errno
import json
import os
import socket
import struct
import subprocess
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import ip_messages, link_messages, route_messages, rtnetlink
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import KernelError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_addresses import Address
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_routes import Route
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.rtnetlink import Failure, Message

Sandbox = t.Callable[[t.Callable[[], t.Any]], None]

HEADER = struct.Struct("=IHHII")
DONE, ERROR, MULTI, INTERRUPTED = 3, 2, 0x2, 0x10


# -- attributes


@pytest.mark.parametrize("size", range(10))
def test_an_attribute_is_padded_and_read_back(size: int) -> None:
    payload = bytes(range(1, size + 1))
    encoded = rtnetlink.attribute(7, payload)
    assert len(encoded) % 4 == 0
    assert rtnetlink.attribute_list(b"head" + encoded + rtnetlink.u8(8, 255), 4) == [(7, payload), (8, b"\xff")]


def test_nests_and_flags() -> None:
    encoded = rtnetlink.nest(18, rtnetlink.text(1, "bridge"), rtnetlink.nest(2, rtnetlink.u32(5, 2**32 - 1)))
    assert struct.unpack_from("=HH", encoded)[1] == 18 | 0x8000
    outer = rtnetlink.attributes(encoded)
    inner = rtnetlink.attributes(outer[18])
    assert rtnetlink.to_text(inner[1]) == "bridge"
    assert rtnetlink.to_u32(rtnetlink.attributes(inner[2])[5]) == 2**32 - 1


@pytest.mark.parametrize("broken", [b"", b"\x08\x00\x01", b"\x00\x00\x01\x00", b"\x03\x00\x01\x00abc"])
def test_broken_attributes_end_the_list(broken: bytes) -> None:
    assert rtnetlink.attributes(broken) == {}


def test_of_one_that_stands_twice_the_last() -> None:
    assert rtnetlink.attributes(rtnetlink.u8(1, 1) + rtnetlink.u8(1, 2)) == {1: b"\2"}


def test_a_text_need_not_be_utf8() -> None:
    assert rtnetlink.to_text(b"\xffx\0\0").encode(errors="surrogateescape") == b"\xffx"


def test_a_failure_in_words() -> None:
    assert str(Failure(errno.EINVAL, "")) == "Invalid argument (EINVAL)"
    assert str(Failure(errno.EEXIST, "Address already assigned")) == "File exists (EEXIST): Address already assigned"
    assert str(Failure(9999, "")) == "Unknown error 9999 (9999)"


# -- a socket that answers what it was told to


class Wire:
    """In place of the kernel: each ``recv`` gives the next of the answers, with the number of the request put in."""

    def __init__(self, *answers: t.Callable[[int], bytes]) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[int, int, int]] = []  # type, flags, sequence

    def send(self, data: bytes) -> int:
        offset = 0
        while offset < len(data):
            length, kind, flags, sequence, _pid = HEADER.unpack_from(data, offset)
            self.sent.append((kind, flags, sequence))
            offset += (length + 3) & ~3
        return len(data)

    def recv(self, _size: int) -> bytes:
        return self.answers.pop(0)(self.sent[-1][2])


def part(kind: int, flags: int, body: bytes, shift: int = 0) -> t.Callable[[int], bytes]:
    def answer(sequence: int) -> bytes:
        padding = b"\0" * (-len(body) % 4)
        return HEADER.pack(16 + len(body), kind, flags, sequence + shift, 0) + body + padding

    return answer


def together(*parts: t.Callable[[int], bytes]) -> t.Callable[[int], bytes]:
    return lambda sequence: b"".join(one(sequence) for one in parts)


def refusal(number: int, text: str = "", shift: int = 0, capped: bool = True) -> t.Callable[[int], bytes]:
    """An NLMSG_ERROR with extack, behind the header of the request or behind the whole request."""

    def answer(sequence: int) -> bytes:
        request = HEADER.pack(20, 16, 5, sequence + shift, 0) + (b"" if capped else b"body")
        said = rtnetlink.text(1, text) if text else b""
        flags = (0x200 if text else 0) | (0x100 if capped else 0)
        return part(ERROR, flags, struct.pack("=i", -number) + request + said, shift)(sequence)

    return answer


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., tuple[rtnetlink.Socket, Wire]]:
    def make(*answers: t.Callable[[int], bytes]) -> tuple[rtnetlink.Socket, Wire]:
        channel = rtnetlink.Socket.__new__(rtnetlink.Socket)
        wire = Wire(*answers)
        channel._socket, channel._sequence, channel._most = t.cast(socket.socket, wire), 101, 1000
        return channel, wire

    return make


Wired = t.Callable[..., tuple[rtnetlink.Socket, Wire]]


def test_only_the_last_of_a_batch_is_acknowledged(wired: Wired) -> None:
    channel, wire = wired(refusal(0))
    assert channel.batch([Message(16, 0x600, b"abcd"), Message(17, 0, b"x"), Message(18, 0, b"")]) == {}
    assert wire.sent == [(16, 0x601, 101), (17, 0x1, 102), (18, 0x5, 103)]


@pytest.mark.parametrize("capped", [True, False])
def test_failures_by_position_with_their_text(wired: Wired, capped: bool) -> None:
    channel, _wire = wired(
        together(refusal(errno.EINVAL, "one", -2, capped), refusal(errno.EBUSY, "", -1, capped)), refusal(0, capped=capped)
    )
    assert channel.batch([Message(16, 0, b"")] * 3) == {0: Failure(errno.EINVAL, "one"), 1: Failure(errno.EBUSY, "")}
    channel, _wire = wired(refusal(errno.EPERM, "last", 0, capped))
    assert channel.batch([Message(16, 0, b"")] * 3) == {2: Failure(errno.EPERM, "last")}


def test_old_answers_are_not_mistaken(wired: Wired) -> None:
    """What an interrupted run did not fetch is still in the socket."""
    channel, _wire = wired(refusal(errno.EINVAL, "old", -7), together(refusal(errno.EBUSY, "old", -9), refusal(0)))
    assert channel.batch([Message(16, 0, b"")]) == {}


def test_a_long_batch_goes_in_pieces(wired: Wired) -> None:
    channel, wire = wired(together(refusal(errno.EINVAL, "x", -1), refusal(0)), refusal(errno.EBUSY))
    body = b"\0" * (rtnetlink._BATCH_BYTES // 2 - 100)
    assert channel.batch([Message(16, 0, body)] * 3) == {0: Failure(errno.EINVAL, "x"), 2: Failure(errno.EBUSY, "")}
    assert [flags & 4 for _kind, flags, _sequence in wire.sent] == [0, 4, 4]
    channel, wire = wired(refusal(errno.EBUSY, "x", -2), refusal(0), refusal(0))
    channel._most = 2
    assert channel.batch([Message(16, 0, b"")] * 3) == {}, "an answer to another request"
    channel, wire = wired(together(refusal(errno.EBUSY, "", -1), refusal(0)), refusal(errno.EINVAL))
    channel._most = 2
    assert {*channel.batch([Message(16, 0, b"")] * 3)} == {0, 2}, "no more at once than answers fit the buffer"
    channel, wire = wired(refusal(0), refusal(0))
    assert channel.batch([Message(16, 0, b"\0" * 2 * rtnetlink._BATCH_BYTES)] * 2) == {}, "one that is too long goes alone"
    assert channel.batch([]) == {}


def test_a_dump_that_was_interrupted_is_repeated(wired: Wired) -> None:
    whole = together(part(20, MULTI, b"new1"), part(20, MULTI, b"new2"), part(DONE, MULTI, b"\0\0\0\0"))
    for flagged in (
        together(part(20, MULTI | INTERRUPTED, b"old1"), part(DONE, MULTI, b"\0\0\0\0")),
        together(part(20, MULTI, b"old1"), part(DONE, MULTI | INTERRUPTED, b"\0\0\0\0")),
    ):
        channel, wire = wired(flagged, whole)
        assert channel.dump(22, b"") == [b"new1", b"new2"]
        assert len(wire.sent) == 2
        assert wire.sent[0][1] == 0x301


def test_a_dump_in_several_pieces(wired: Wired) -> None:
    channel, _wire = wired(part(20, MULTI, b"one"), part(20, MULTI, b"other", -5), part(20, MULTI, b"two"), part(DONE, MULTI, b"\0\0\0\0"))
    assert channel.dump(22, b"") == [b"one", b"two"]


def test_a_dump_is_not_repeated_for_ever(wired: Wired) -> None:
    channel, wire = wired(*[part(DONE, MULTI | INTERRUPTED, b"\0\0\0\0")] * rtnetlink._DUMP_TRIES)
    with pytest.raises(KernelError, match="^reading from the kernel failed: the list changed during each of 20 readings: try again$"):
        channel.dump(22, b"")
    assert len(wire.sent) == rtnetlink._DUMP_TRIES


def test_a_dump_can_fail_at_its_end(wired: Wired) -> None:
    channel, _wire = wired(together(part(20, MULTI, b"one"), part(DONE, MULTI, struct.pack("=i", -errno.EINVAL))))
    with pytest.raises(KernelError, match=r"^reading from the kernel failed: Invalid argument \(EINVAL\)$"):
        channel.dump(22, b"")


def test_a_dump_that_is_refused(wired: Wired) -> None:
    channel, _wire = wired(refusal(errno.EINVAL, "Invalid filter"))
    with pytest.raises(KernelError) as caught:
        channel.dump(26, b"")
    assert (str(caught.value), caught.value.errno) == (
        "reading from the kernel failed: Invalid argument (EINVAL): Invalid filter",
        errno.EINVAL,
    )
    channel, _wire = wired(refusal(errno.ENOENT))
    assert channel.dump(26, b"") == [], "a routing table that does not exist has no routes"


@pytest.mark.parametrize("number", [errno.ENODEV, errno.ENOENT, errno.ESRCH])
def test_what_is_not_there_is_none(wired: Wired, number: int) -> None:
    channel, _wire = wired(refusal(number))
    assert channel.get(18, b"") is None


def test_one_object(wired: Wired) -> None:
    channel, _wire = wired(part(16, 0, b"stale", -3), part(16, 0, b"it"))
    assert channel.get(18, b"") == b"it"
    channel, _wire = wired(refusal(errno.EPERM))
    with pytest.raises(KernelError, match=r"^reading from the kernel failed: Operation not permitted \(EPERM\)$"):
        channel.get(18, b"")


# -- the real kernel


def ip(*command: str) -> t.Any:
    shown = subprocess.run(("ip", "-json", *command), check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(shown) if shown.strip() else []


def sh(text: str) -> None:
    subprocess.run(["sh", "-ec", text], check=True)


def index(name: str) -> int:
    return socket.if_nametoindex(name)


def name(number: int) -> str:
    return socket.if_indextoname(number)


def test_what_follows_a_failure_is_done(sandboxed: Sandbox) -> None:
    def inside() -> None:
        sh("ip link add br0 type bridge; ip link set br0 up; ip addr add 10.0.0.1/24 dev br0")
        channel = rtnetlink.Socket()
        routes = [
            Route("", "10.1.0.0/16", 254, 0, gateway="10.0.0.2"),
            Route("", "10.2.0.0/16", 254, 0, gateway="192.0.2.9"),
            Route("", "10.3.0.0/16", 254, 0, gateway="10.0.0.2", src="10.0.0.77"),
            Route("", "10.4.0.0/16", 254, 0, gateway="10.0.0.2"),
        ]
        failures = channel.batch([route_messages.set_route(route, index) for route in routes])
        assert failures == {
            1: Failure(errno.ENETUNREACH, "Nexthop has invalid gateway"),
            2: Failure(errno.EINVAL, "Invalid prefsrc address"),
        }
        assert {"10.1.0.0/16", "10.4.0.0/16"} <= {route["dst"] for route in ip("route")}
        channel.close()

    sandboxed(inside)


def test_a_thousand_in_one_batch(sandboxed: Sandbox) -> None:
    def inside() -> None:
        sh("ip link add br0 type bridge")
        channel = rtnetlink.Socket()
        addresses = [Address("", "br0", f"10.{number // 250}.{number % 250}.1", 24) for number in range(1000)]
        number = index("br0")
        messages = [ip_messages.set_address(address, lambda _name: number) for address in addresses]
        assert channel.batch(messages) == {}
        assert len(ip("address", "show", "dev", "br0")[0]["addr_info"]) == 1000
        found = channel.dump(rtnetlink.RTM_GETADDR, ip_messages.address_query(number))
        decoded = [ip_messages.decode_address(data, "", name) for data in found]
        assert {(one.address, one.prefixlen) for one in decoded} == {(one.address, one.prefixlen) for one in addresses}
        again = channel.batch(messages)
        assert {*again} == {*range(1000)}
        assert {failure.errno for failure in again.values()} == {errno.EEXIST}

    sandboxed(inside)


def test_a_failing_batch_does_not_overrun_a_small_buffer(sandboxed: Sandbox) -> None:
    """Root of a user namespace cannot enlarge the receive buffer."""

    def inside() -> None:
        channel = rtnetlink.Socket()
        channel._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 212992 // 2)  # the kernel takes it twice: its usual default
        channel._most = rtnetlink._BATCH_MESSAGES_DEFAULT_BUFFER
        failures = channel.batch([Message(rtnetlink.RTM_DELLINK, 0, link_messages.query(f"none{number}")) for number in range(2000)])
        assert {*failures} == {*range(2000)}
        assert {failure.errno for failure in failures.values()} == {errno.ENODEV}

    sandboxed(inside)


def test_strict_dumps_tell_only_what_was_asked_for(sandboxed: Sandbox) -> None:
    def inside() -> None:
        sh(
            "ip link set lo up; for n in 0 1; do ip link add br$n type bridge; ip link set br$n up; ip addr add 10.$n.0.1/24 dev br$n;"
            "ip route add 10.2$n.0.0/16 dev br$n table 77; ip -6 route add fd0$n::/64 dev br$n metric 5; done"
        )
        channel = rtnetlink.Socket()

        def addresses(number: int) -> set[str]:
            dumped = channel.dump(rtnetlink.RTM_GETADDR, ip_messages.address_query(number, socket.AF_INET))
            return {ip_messages.decode_address(data, "", name).address for data in dumped}

        def routes(family: int, table: int, device: int = 0) -> set[str]:
            dumped = channel.dump(rtnetlink.RTM_GETROUTE, route_messages.route_query(family, table, device))
            return {route_messages.decode_route(data, "", name).dest for data in dumped}

        assert addresses(0) == {"127.0.0.1", "10.0.0.1", "10.1.0.1"}
        assert addresses(index("br1")) == {"10.1.0.1"}
        assert routes(socket.AF_INET, 254) == {"10.0.0.0/24", "10.1.0.0/24"}
        assert routes(socket.AF_INET, 77) == {"10.20.0.0/16", "10.21.0.0/16"}
        assert routes(socket.AF_INET, 78) == set(), "a table that does not exist"
        assert routes(socket.AF_INET6, 78) == set()
        assert routes(socket.AF_INET, 70000) == set()
        assert {"10.1.0.0/24", "10.21.0.0/16"} <= routes(socket.AF_INET, 0, index("br1"))
        assert not {"10.0.0.0/24", "10.20.0.0/16"} & routes(socket.AF_INET, 0, index("br1"))
        assert "fd01::/64" in routes(socket.AF_INET6, 0, index("br1"))
        assert "fd00::/64" not in routes(socket.AF_INET6, 0, index("br1"))
        assert channel.get(rtnetlink.RTM_GETLINK, link_messages.query("none")) is None
        assert channel.get(rtnetlink.RTM_GETLINK, link_messages.query(index=99)) is None
        assert len(channel.dump(rtnetlink.RTM_GETLINK, link_messages.query())) == 3

    sandboxed(inside)


def test_index_name_and_flags_are_those_of_the_sockets_namespace(sandboxed: Sandbox) -> None:
    def inside() -> None:
        from ansible_collections.linuxnet.netns.plugins.module_utils._engine import namespaces

        sh("ip netns add red; ip -n red link add index 77 name only-here-x-yz type bridge; ip -n red link set only-here-x-yz up")
        fd = namespaces.open_reference("red")
        with namespaces.entered(fd):
            channel = rtnetlink.Socket()
        os.close(fd)
        assert (channel.index("only-here-x-yz"), channel.index("none")) == (77, None)
        assert (channel.name(77), channel.name(1), channel.name(99)) == ("only-here-x-yz", "lo", None)
        up, lo = channel.flags("only-here-x-yz"), channel.flags("lo")
        assert (up and up & 1, lo and lo & 1, channel.flags("none")) == (1, 0, None)
        sh("ip -n red link set only-here-x-yz down; ip -n red link set lo up")
        assert ((channel.flags("only-here-x-yz") or 0) & 1, (channel.flags("lo") or 0) & 1) == (0, 1)
        channel.close()

    sandboxed(inside)


def test_a_socket_belongs_to_the_namespace_in_which_it_was_made(sandboxed: Sandbox) -> None:
    def inside() -> None:
        from ansible_collections.linuxnet.netns.plugins.module_utils._engine import namespaces, namespaces_making

        namespaces_making.create("red")
        fd = namespaces.open_reference("red")
        with namespaces.entered(fd):
            channel = rtnetlink.Socket()
        sh("ip link add br0 type bridge; ip -n red link add br1 type bridge")
        links = [link_messages.decode(data, "red", name) for data in channel.dump(rtnetlink.RTM_GETLINK, link_messages.query())]
        assert [link.ifname for link in links] == ["lo", "br1"]

    sandboxed(inside)
