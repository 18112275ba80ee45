# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be reached from the network namespace that this runs in, and who the other side thinks we are. Prints JSON.

A server that reports from where it is reached may do so over HTTP, or as a line of text as soon as it is connected. DNS is
asked for by hand at the servers of /etc/resolv.conf: the C library might ask a daemon of the host instead, which does not
live in this namespace.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import re
import socket
import struct
import sys

TIMEOUT = 5
# How long a server may think before it speaks first; after that it is taken for one that waits for a request.
FIRST_WORD = 0.3
DNS_TRIES = 3
TYPE_A = 1


def split(server):
    """HOST and PORT of HOST:PORT or [HOST]:PORT."""
    host, _colon, port = server.rpartition(":")
    return host.strip("[]"), int(port)


def conversation(connection, host):
    """All that the server says."""
    said = b""
    connection.settimeout(FIRST_WORD)
    try:
        said = connection.recv(4096)
    except socket.timeout:
        connection.settimeout(TIMEOUT)
        name = f"[{host}]" if ":" in host else host
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
    connection.settimeout(TIMEOUT)
    while len(said) < 65536:
        more = connection.recv(4096)
        if not more:
            break
        said += more
    return said.decode("utf-8", "replace").rpartition("\r\n\r\n")[2]


def reported(text):
    """The first IP address in what a server says."""
    for word in re.findall(r"[0-9a-fA-F:.]+", text):
        try:
            return str(ipaddress.ip_address(word))
        except ValueError:
            continue
    return ""


def check_server(server, hidden, sources):
    """A connection whose source the server reports."""
    host, port = split(server)
    row = {"server": server, "address": "", "source": ""}
    try:
        with socket.create_connection((host, port), timeout=TIMEOUT) as connection:
            row["address"] = connection.getsockname()[0]
            row["source"] = reported(conversation(connection, host))
    except OSError as exc:
        return {**row, "problem": f"no connection to {server}: {exc}"}
    return {**row, "problem": judged(row, hidden, sources)}


def judged(row, hidden, sources):
    if not row["source"]:
        return f"{row['server']} reports no source address"
    if not hidden:
        return (
            "" if row["source"] == row["address"] else f"{row['server']} sees {row['source']} and not the namespace's own {row['address']}"
        )
    if row["source"] == row["address"]:
        return f"{row['server']} sees the inside address {row['address']}"
    if sources and row["source"] not in sources:
        return f"{row['server']} sees {row['source']}, expected {' or '.join(sources)}"
    return ""


def check_connection(server):
    """A connection to a server that reports nothing."""
    row = {"server": server, "address": "", "source": ""}
    try:
        with socket.create_connection(split(server), timeout=TIMEOUT) as connection:
            return {**row, "address": connection.getsockname()[0], "problem": ""}
    except OSError as exc:
        return {**row, "problem": f"no connection to {server}: {exc}"}


def nameservers():
    with open("/etc/resolv.conf", encoding="utf-8", errors="replace") as lines:
        words = [line.split() for line in lines]
    return [word[1] for word in words if len(word) > 1 and word[0] == "nameserver"]


def question(name, identity):
    labels = b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split("."))
    return struct.pack("!6H", identity, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", TYPE_A, 1)


def first_address(packet, identity, length):
    """The first IPv4 address of a response to a question of this length; empty where there is none."""
    number, flags, _questions, answers = struct.unpack_from("!4H", packet)
    if number != identity or flags & 0x800F != 0x8000:
        return ""
    position = length
    for _answer in range(answers):
        while packet[position] and packet[position] < 0xC0:
            position += 1 + packet[position]
        position += 2 if packet[position] >= 0xC0 else 1
        kind, _class, _ttl, size = struct.unpack_from("!HHIH", packet, position)
        position += 10
        if kind == TYPE_A and size == 4:
            return socket.inet_ntoa(packet[position : position + 4])
        position += size
    return ""


def ask(server, name):
    """The address of a name according to one server."""
    identity = int.from_bytes(os.urandom(2), "big")
    packet = question(name, identity)
    with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as query:
        query.settimeout(TIMEOUT / DNS_TRIES)
        query.connect((server, 53))
        for _attempt in range(DNS_TRIES):
            query.send(packet)
            try:
                return first_address(query.recv(4096), identity, len(packet))
            except (socket.timeout, IndexError, struct.error):
                continue
    return ""


def check_dns(namespace, name):
    """What the first server that answers says, and by whom; or the problem."""
    own = f"/etc/netns/{namespace}/resolv.conf"
    if not os.path.exists(own) or not os.path.samefile("/etc/resolv.conf", own):
        return "", f"/etc/resolv.conf is not the namespace's own, {own}"
    servers = nameservers()
    for server in servers:
        try:
            address = ask(server, name)
        except OSError:
            continue
        if address:
            return f"{address} by {server}", ""
    return "", f"no DNS server of {own} ({', '.join(servers) or 'none'}) knows {name}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--server", action="append", default=[], metavar="HOST:PORT")
    parser.add_argument("--connect", default="", metavar="HOST:PORT", help="where to connect to without a server; the first DNS server")
    parser.add_argument("--hidden", action="store_true", help="the server must not see the namespace's own address")
    parser.add_argument("--nat-source", action="append", default=[], metavar="ADDRESS", help="what it may see instead")
    parser.add_argument("--dns", required=True, metavar="NAME")
    options = parser.parse_args()
    rows = [check_server(server, options.hidden, options.nat_source) for server in options.server]
    if not rows:
        first = next(iter(nameservers()), "")
        name = f"[{first}]" if ":" in first else first
        rows = [check_connection(options.connect or f"{name}:53")]
    dns, dns_problem = check_dns(options.namespace, options.dns)
    for row in rows:
        row["verdict"] = "; ".join(filter(None, (row["problem"], dns_problem))) or "ok"
    problems = [f"{options.namespace}: {problem}" for problem in [*(row["problem"] for row in rows), dns_problem] if problem]
    sys.stdout.write(
        json.dumps({"namespace": options.namespace, "hidden": options.hidden, "rows": rows, "dns": dns, "problems": problems}) + "\n"
    )


if __name__ == "__main__":
    main()
