# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Who has a port of the host already: a process that listens on it, or a rule in somebody else's table that leads it elsewhere."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import socket
import sys
import typing as t

from . import foreign_host_saved, nftables
from .host import Host
from .probe_chains import Entry, Packet
from .probe_chains_dnat import LeadingRules, statement_of
from .resources_nat import Publish

OURS = "linuxnet_"

_TCP_LISTEN, _UDP_UNCONNECTED, _SCTP_LISTEN = "0A", "07", "10"
_SOCKETS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


class Listener(t.NamedTuple):
    """A socket that waits for others; ``address`` is the zero address where it waits on all."""

    protocol: str
    address: str
    port: int
    inode: int


def takers(host: Host, netns: str, wanted: t.Sequence[Publish]) -> t.Iterator[tuple[Publish, str]]:
    """Each of the wanted ports that is taken, and who has it."""
    listening = listeners(host, netns)
    entries = foreign_host_saved.told(netns, nftables.ruleset(netns), "nat")
    rules, leading = _Rules(entries), list(_leading_elsewhere(entries))
    for publish in wanted:
        heard = next((listener for listener in listening if _hears(host, netns, listener, publish)), None)
        if heard:
            yield publish, f"{_process(heard.inode)} listens on it"
        rule = next((rule for rule in leading if rules.aim(rule, publish)), None)
        if rule:
            comment = f' "{rule["comment"]}"' if rule.get("comment") else ""
            told = f"'{rule['text']}'" if "text" in rule else f"handle {rule.get('handle', '?')}{comment}"
            yield publish, f"chain {rule['chain']} of table {rule['family']} {rule['table']} leads it elsewhere by its rule {told}"


# -- processes


def listeners(host: Host, netns: str) -> list[Listener]:
    """Everything that waits for others in a namespace."""
    found = []
    with host.inside(netns):
        for name in ("tcp", "tcp6", "udp", "udp6"):
            wanted = _TCP_LISTEN if name.startswith("tcp") else _UDP_UNCONNECTED
            for words in _table(name):
                address, port = words[1].split(":")
                if words[3] == wanted:
                    found.append(Listener(name[:3], _decoded(address), int(port, 16), int(words[9])))
        for words in _table("sctp/eps"):
            if words[3] == _SCTP_LISTEN:
                found += [Listener("sctp", address, int(words[5]), int(words[7])) for address in words[8:]]
    return found


def _table(name: str) -> list[list[str]]:
    """A table of sockets of the namespace that the calling thread is in, without its heading; none where the kernel lacks the protocol."""
    try:
        with open(f"/proc/thread-self/net/{name}", encoding="ascii") as file:
            return [line.split() for line in file.readlines()[1:]]
    except OSError:
        return []


def _decoded(text: str) -> str:
    """An address from words of four bytes, each told as the number that this machine reads in them."""
    words = [bytes.fromhex(text[at : at + 8]) for at in range(0, len(text), 8)]
    return str(ipaddress.ip_address(b"".join(int.from_bytes(word, "big").to_bytes(4, sys.byteorder) for word in words)))


def _hears(host: Host, netns: str, listener: Listener, publish: Publish) -> bool:
    """Whether what is meant for the port would reach the listener, if the port were not published."""
    if listener.protocol != publish.protocol or not publish.first <= listener.port <= publish.last:
        return False
    address = ipaddress.ip_address(listener.address)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if str(address.version) == publish.digit:
        if publish.host_address is None:
            return str(address) != "::1"  # which stays on lo
        return address.is_unspecified or str(address) == publish.host_address
    if address.version == 4 or not address.is_unspecified:
        return False
    # IPv4 comes to a socket of IPv6 too, unless it said that it wants none; only the kernel knows
    return _bound(host, netns, listener)


def _bound(host: Host, netns: str, listener: Listener) -> bool:
    kind = _SOCKETS.get(listener.protocol)
    if kind is None:
        return True
    with host.inside(netns):
        probe = socket.socket(socket.AF_INET, kind)
    with probe:
        try:
            probe.bind(("0.0.0.0", listener.port))
        except OSError as exc:
            return exc.errno == errno.EADDRINUSE
    return False


def _process(inode: int) -> str:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # it ended meanwhile
            for fd in os.listdir(f"/proc/{pid}/fd"):
                if os.readlink(f"/proc/{pid}/fd/{fd}") == f"socket:[{inode}]":
                    with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                        return f"process {file.read().strip()} (pid {pid})"
    return "a process that cannot be seen from here"


# -- rules


def _leading_elsewhere(entries: t.Iterable[Entry]) -> t.Iterator[Entry]:
    """The rules of others that give packets another target; of iptables' own targets the name alone is known."""
    for rule in (entry["rule"] for entry in entries if "rule" in entry):
        if rule["family"] == "inet" and rule["table"].startswith(OURS):
            continue
        for statement in rule.get("expr", ()):
            name, content = statement_of(statement)
            if name in ("dnat", "redirect") or (name == "xt" and content.get("name") in ("DNAT", "REDIRECT")):
                yield rule


class _Rules(LeadingRules):
    """A ruleset that is asked of single rules whether they are about a port."""

    def aim(self, rule: Entry, publish: Publish) -> bool:
        """Whether a rule is about one of the ports, or about this very address, and nothing speaks against it."""
        packets = (
            Packet(int(publish.digit), "", publish.host_address or "", publish.protocol, dport=port)
            for port in range(publish.first, publish.last + 1)
        )
        return any(self._aims(rule, packet) for packet in packets)

    def _aims(self, rule: Entry, packet: Packet) -> bool:
        about = False
        for statement in rule["expr"]:
            name, content = statement_of(statement)
            if name == "match":
                left = content["left"] if isinstance(content["left"], dict) else {}
                if "meta" in left and left["meta"]["key"] in ("iif", "iifname", "oif", "oifname"):
                    continue  # it may come by any device
                if self._matches(rule, content, packet) is False:
                    return False
                field = left.get("payload", {}).get("field")
                about = about or field == "dport" or (field == "daddr" and content["op"] == "==" and bool(packet.to))
            elif name in ("dnat", "redirect"):
                for chosen in (part["map"] for part in content.values() if isinstance(part, dict) and "map" in part):
                    if self.mapped(rule, chosen, packet) is None:
                        return False
                    about = True
        return about
