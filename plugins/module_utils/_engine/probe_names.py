# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Names of a probe: which servers a namespace has, and what they answer over UDP."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import select
import socket
import time
import typing as t

from . import probe_wire, resolver
from .host import Host
from .probe_options import Check, Place
from .probe_talk import Failed, Talk, Wait, opened
from .probe_wire import WireError
from .values import HOST, place

RESOLV_CONF = "/etc/resolv.conf"
_DNS_PORT = 53
_SERVERS_MAX = 3  # as the C library: what stands behind the third is not asked
_PIECE = 65536
_LOOPBACK = ("127.0.0.1", "::1")


class Known(t.NamedTuple):
    """What a name server knows of a name."""

    addresses: list[str]
    server: Place
    source: str


def servers(netns: str) -> list[Place]:
    """The name servers that a program started by ``ip netns exec`` asks."""
    text = resolver.read_resolver(netns) if netns != HOST and not netns.startswith("/") else None
    if text is None:
        with contextlib.suppress(FileNotFoundError), open(RESOLV_CONF, encoding="utf-8", errors="replace") as file:
            text = file.read()
    found = []
    for words in (line.split() for line in (text or "").splitlines()):
        if words[:1] == ["nameserver"] and len(words) > 1:
            address, _percent, zone = words[1].partition("%")
            with contextlib.suppress(ValueError):
                found.append(Place(str(ipaddress.ip_address(address)), zone, _DNS_PORT))
    return found[:_SERVERS_MAX]


def look_up(host: Host, check: Check, name: str, until: float, usable: t.Callable[[str], bool]) -> t.Generator[Wait, bool, Known]:
    """Addresses of a name, IPv6 ones only where no IPv4 one is usable; where a server fails the next one is asked."""
    asked = [check.to] if check.kind == "udp_dns" and check.to else servers(check.netns)
    if not asked:
        raise Failed(f"there is no name server to ask for {name}").at("dns", "give the namespace nameservers, or use an address")
    begin = time.monotonic()
    last = Failed("")
    for number, server in enumerate(asked, 1):
        share = begin + (until - begin) * number / len(asked)
        try:
            known = yield from _ask_for(host, check.netns, server, name, share, usable)
        except Failed as exc:
            last = exc
            if not last.layer:
                last.reason = f"asking name server {server.host} for {name}: {last.reason}"
            continue
        return known
    raise last


def _ask_for(
    host: Host, netns: str, server: Place, name: str, until: float, usable: t.Callable[[str], bool]
) -> t.Generator[Wait, bool, Known]:
    found: list[str] = []
    source = ""
    for kind in (probe_wire.TYPE_A, probe_wire.TYPE_AAAA):
        query = probe_wire.dns_query(int.from_bytes(os.urandom(2), "big"), name, kind)
        answer, source = yield from _ask(host, netns, server, query, until)
        if answer.code and not found:
            said = probe_wire.RCODES.get(answer.code, f"its answer has the code {answer.code}")
            raise _unknown(f"name server {server.host} says of {name}: {said}", server)
        found += answer.addresses
        if any(map(usable, answer.addresses)):
            break
    if not found:
        raise _unknown(f"name server {server.host} knows no address of {name}", server)
    return Known(found, server, source)


def _unknown(reason: str, server: Place) -> Failed:
    return Failed(reason, server, "udp").at("dns", "correct the name, or ask a server that knows it")


def _ask(host: Host, netns: str, server: Place, query: bytes, until: float) -> t.Generator[Wait, bool, tuple[probe_wire.Answer, str]]:
    """One query to one server: the answer, and from which address it was asked."""
    with opened(host, netns, server, socket.SOCK_DGRAM) as sock:
        talk = Talk(host, netns, sock, server, "udp", until)
        talk.connect()
        yield from talk.do(lambda: sock.send(query), select.POLLOUT)
        while True:
            data = yield from talk.do(lambda: sock.recv(_PIECE), select.POLLIN)
            try:
                answer = probe_wire.dns_answer(data, query)
            except WireError as exc:
                raise Failed(f"name server {server.host} cannot be understood: {exc}", server, "udp").at(
                    "dns", "ask another name server"
                ) from None
            if answer is not None:
                return answer, talk.source


def resolved(host: Host, check: Check, to: Place, until: float) -> t.Generator[Wait, bool, Place]:
    """The place with an address for its host: the first one that there is a route to."""
    if to.numeric:
        return to
    if to.host == "localhost":
        return to._replace(host=next((address for address in _LOOPBACK if _routed(host, check.netns, address)), _LOOPBACK[0]))
    known = yield from look_up(host, check, to.host, until, lambda address: _routed(host, check.netns, address))
    return to._replace(host=next((address for address in known.addresses if _routed(host, check.netns, address)), known.addresses[0]))


def _routed(host: Host, netns: str, address: str) -> bool:
    to = Place(address, "", _DNS_PORT)
    with opened(host, netns, to, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((address, to.port))
        except OSError:
            return False
    return True


def is_stub(check: Check, server: Place) -> bool:
    """Whether a namespace asks on its own loopback, where the host's resolver does not listen."""
    return check.netns != HOST and ipaddress.ip_address(server.host).is_loopback


def stub(check: Check, server: Place) -> tuple[str, str]:
    """What is wrong with that, and what to do."""
    where = RESOLV_CONF if check.netns.startswith("/") else f"/etc/netns/{check.netns}/{RESOLV_CONF.rpartition('/')[2]}"
    text = f"{server.host} is a stub resolver on the loopback of another namespace, and nothing listens there {place(check.netns)}"
    return text, f"put the addresses of real name servers into {where} (nameservers)"
