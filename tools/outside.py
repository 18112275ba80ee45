# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small simulated Internet behind the uplink of the network namespace we are in.

    with outside.build() as world:          # adds uplink0 here; gone again at the end
        ... http://203.0.113.10/ ...

    uplink0 198.51.100.2/24, 2001:db8:100::2/64  --  ISP router  --  server 203.0.113.10, 2001:db8:203::10

The ISP knows no route to any other network and drops every packet from its customer whose source is not in the customer's
own network, as providers do (BCP 38): what is neither translated nor bridged gets no answer. Router and server live in network
namespaces without a name, held by one process, so `ip netns` shows nothing of them.

The server: HTTP on 80 answers {"peer": ..., "port": ..., "path": ...}; TCP 7777 sends the peer's address and a newline; UDP 9999
answers with the peer's address; DNS on 53 (UDP, TCP) knows www.example.test.
"""

from __future__ import annotations

import ctypes
import http.server
import json
import os
import select
import shutil
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import time

ADDRESS, ADDRESS6 = "198.51.100.2", "2001:db8:100::2"
GATEWAY, GATEWAY6 = "198.51.100.1", "2001:db8:100::1"
SERVER, SERVER6 = "203.0.113.10", "2001:db8:203::10"
DOMAIN = "www.example.test"
HTTP_PORT, TCP_PORT, UDP_PORT, DNS_PORT = 80, 7777, 9999, 53
CLONE_NEWNET = 0x40000000
START_SECONDS = 10
QUIET = {"net.ipv6.conf.all.accept_dad": "0", "net.ipv6.conf.default.accept_dad": "0"}

HOST_BATCH = f"""
address add {ADDRESS}/24 dev %(uplink)s
address add {ADDRESS6}/64 dev %(uplink)s nodad
link set %(uplink)s up
route add default via {GATEWAY} dev %(uplink)s
route add default via {GATEWAY6} dev %(uplink)s
"""
ISP_BATCH = f"""
link set lo up
link add wan0 type veth peer name eth0 netns %(server)s
address add {GATEWAY}/24 dev lan0
address add {GATEWAY6}/64 dev lan0 nodad
address add 203.0.113.1/24 dev wan0
address add 2001:db8:203::1/64 dev wan0 nodad
link set lan0 up
link set wan0 up
"""
SERVER_BATCH = f"""
link set lo up
address add {SERVER}/24 dev eth0
address add {SERVER6}/64 dev eth0 nodad
link set eth0 up
route add default via 203.0.113.1
route add default via 2001:db8:203::1
"""
ISP_RULES = """
table inet isp {
  chain customer {
    type filter hook forward priority filter; policy accept;
    iifname "lan0" ip saddr != 198.51.100.0/24 drop
    iifname "lan0" ip6 saddr != 2001:db8:100::/64 drop
  }
}
"""

_libc = ctypes.CDLL(None, use_errno=True)


class OutsideError(Exception):
    """One sentence for the user."""


# --- DNS ------------------------------------------------------------------------------------------------------------------------

NOERROR, FORMERR, NXDOMAIN, NOTIMP = 0, 1, 3, 4
TYPE_A, TYPE_AAAA, TYPE_ANY, CLASS_IN, CLASS_ANY = 1, 28, 255, 1, 255
RECORDS = {TYPE_A: (socket.AF_INET, SERVER), TYPE_AAAA: (socket.AF_INET6, SERVER6)}


def read_question(packet: bytes) -> tuple[str, int, int, int]:
    """The name (lower case), type, class and end of the first question; ValueError if there is none."""
    labels, position = [], 12
    while True:
        if position >= len(packet):
            raise ValueError("the question ends within its name")
        length = packet[position]
        position += 1
        if length == 0:
            break
        # 0xc0 marks a pointer; the first name of a packet has nothing before it to point to.
        if length > 63 or position + length > len(packet):
            raise ValueError("bad label")
        labels.append(packet[position : position + length].decode("latin-1").lower())
        position += length
    if position + 4 > len(packet):
        raise ValueError("the question ends within its type")
    kind, klass = struct.unpack_from("!HH", packet, position)
    return ".".join(labels), kind, klass, position + 4


def answer_dns(packet: bytes) -> bytes | None:
    """The response to one DNS message; None for what deserves none (too short, or a response itself)."""
    if len(packet) < 12:
        return None
    identity, flags, questions = struct.unpack_from("!HHH", packet)
    if flags & 0x8000:
        return None
    # A response, authoritative, recursion "available" for resolvers that insist; opcode and RD are the query's.
    base = 0x8480 | (flags & 0x7900)
    if flags & 0x7800:
        return struct.pack("!6H", identity, base | NOTIMP, 0, 0, 0, 0)
    try:
        if questions != 1:
            raise ValueError("exactly one question is usual")
        name, kind, klass, end = read_question(packet)
    except ValueError:
        return struct.pack("!6H", identity, base | FORMERR, 0, 0, 0, 0)
    answers = []
    # A name above an existing one exists, even if it has no record.
    code = NOERROR if name == DOMAIN or DOMAIN.endswith("." + name) else NXDOMAIN
    if name == DOMAIN and klass in (CLASS_IN, CLASS_ANY):
        for record in (TYPE_A, TYPE_AAAA) if kind == TYPE_ANY else (kind,):
            if record in RECORDS:
                data = socket.inet_pton(*RECORDS[record])
                # 0xc00c points to the question's name, so that its spelling comes back as it was sent.
                answers.append(struct.pack("!HHHIH", 0xC00C, record, CLASS_IN, 60, len(data)) + data)
    return struct.pack("!6H", identity, base | code, 1, len(answers), 0, 0) + packet[12:end] + b"".join(answers)


def make_query(name: str, kind: int = TYPE_A, identity: int = 1) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split("."))
    return struct.pack("!6H", identity, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, CLASS_IN)


# --- servers --------------------------------------------------------------------------------------------------------------------


def plain(address: str) -> str:
    """The address without the prefix that an IPv6 socket gives to IPv4 peers."""
    return address[len("::ffff:") :] if address.startswith("::ffff:") and "." in address else address


class _DualStack:
    address_family: int = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # type: ignore[attr-defined]
        super().server_bind()  # type: ignore[misc]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error."""


class TcpServer(_DualStack, socketserver.ThreadingTCPServer):
    pass


class UdpServer(_DualStack, socketserver.UDPServer):
    pass


class HttpHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        body = json.dumps({"peer": plain(self.client_address[0]), "port": self.client_address[1], "path": self.path}).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_ignored: object) -> None:
        """Nothing of the server belongs into the command's output."""


class TcpSource(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(plain(self.client_address[0]).encode() + b"\n")


class UdpSource(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request[1].sendto(plain(self.client_address[0]).encode(), self.client_address)


class UdpDns(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        response = answer_dns(self.request[0])
        if response is not None:
            self.request[1].sendto(response, self.client_address)


class TcpDns(socketserver.StreamRequestHandler):
    timeout = 30

    def handle(self) -> None:
        while True:
            prefix = self.rfile.read(2)
            if len(prefix) < 2:
                return
            response = answer_dns(self.rfile.read(struct.unpack("!H", prefix)[0]))
            if response is None:
                return
            self.wfile.write(struct.pack("!H", len(response)) + response)


def start_servers() -> list[socketserver.BaseServer]:
    servers: list[socketserver.BaseServer] = [
        TcpServer(("::", HTTP_PORT), HttpHandler),
        TcpServer(("::", TCP_PORT), TcpSource),
        UdpServer(("::", UDP_PORT), UdpSource),
        UdpServer(("::", DNS_PORT), UdpDns),
        TcpServer(("::", DNS_PORT), TcpDns),
    ]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    return servers


# --- the network ----------------------------------------------------------------------------------------------------------------


def _tool(name: str, package: str) -> str:
    path = shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")
    if path is None:
        raise OutsideError(f"the simulated outside needs {name}: apt install {package}.")
    return path


def _feed(command: list[str], text: str) -> str:
    """Run a tool on a text; several of its complaints become one sentence."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OutsideError(f"{os.path.basename(command[0])} failed: {' '.join(done.stderr.split())}")
    return done.stdout


def _new_namespace() -> int:
    if _libc.unshare(CLONE_NEWNET) != 0:
        raise OutsideError(f"no network namespace for the simulated outside: {os.strerror(ctypes.get_errno())}; only root can build it.")
    return os.open("/proc/self/ns/net", os.O_RDONLY)


def _go_to(namespace: int) -> None:
    if _libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OutsideError(f"a network namespace cannot be entered: {os.strerror(ctypes.get_errno())}.")


def _set(values: dict[str, str]) -> None:
    for name, value in values.items():
        with open("/proc/sys/" + name.replace(".", "/"), "w", encoding="ascii") as file:
            file.write(value)


def lay_network(uplink: str) -> None:
    """Build it all; ends inside the server's namespace, with descriptors that keep the other one alive."""
    ip, nft = _tool("ip", "iproute2"), _tool("nft", "nftables")
    host = os.open("/proc/self/ns/net", os.O_RDONLY)
    isp, server = _new_namespace(), _new_namespace()
    # While a link-local address waits for duplicate detection, a router sends no neighbour solicitation: IPv6 would start
    # a second late.
    _set(QUIET)
    _go_to(isp)
    _set({**QUIET, "net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1"})
    _go_to(host)
    _feed([ip, "-batch", "-"], f"link add {uplink} type veth peer name lan0 netns /proc/{os.getpid()}/fd/{isp}\n")
    with open(f"/proc/sys/net/ipv6/conf/{uplink}/accept_dad", "w", encoding="ascii") as file:
        file.write("0")
    _go_to(isp)
    _feed([ip, "-batch", "-"], ISP_BATCH % {"server": f"/proc/{os.getpid()}/fd/{server}"})
    _feed([nft, "-f", "-"], ISP_RULES)
    _go_to(host)
    _feed([ip, "-batch", "-"], HOST_BATCH % {"uplink": uplink})
    os.close(host)
    _go_to(server)
    _feed([ip, "-batch", "-"], SERVER_BATCH)


def serve(uplink: str) -> int:
    """The process that is the outside: says `ready`, or what went wrong, and ends with its input."""
    try:
        lay_network(uplink)
        start_servers()
    except (OutsideError, OSError) as exc:
        print(exc, flush=True)
        return 1
    print("ready", flush=True)
    sys.stdin.buffer.read()
    return 0


# --- for callers ----------------------------------------------------------------------------------------------------------------


def resolv_conf() -> str:
    return f"nameserver {SERVER}\nnameserver {SERVER6}\noptions timeout:1 attempts:2\n"


def _probe(address: str) -> None:
    """Ask each kind of server once, over one family; OSError if one does not answer."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in (HTTP_PORT, TCP_PORT, DNS_PORT):
        socket.create_connection((address, port), timeout=0.5).close()
    for port, question in ((DNS_PORT, make_query(DOMAIN)), (UDP_PORT, b"?")):
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.5)
            sock.connect((address, port))
            sock.send(question)
            sock.recv(2048)


class Outside:
    """A running outside; `stop()` or the end of a `with` block removes it."""

    def __init__(self, uplink: str, process: subprocess.Popen[bytes]) -> None:
        self.uplink = uplink
        self.process = process

    def __enter__(self) -> Outside:
        return self

    def __exit__(self, *_ignored: object) -> None:
        self.stop()

    def environment(self) -> dict[str, str]:
        """Variables that tell a test or a play where everything is."""
        values = {"SERVER": SERVER, "SERVER6": SERVER6, "GATEWAY": GATEWAY, "GATEWAY6": GATEWAY6, "ADDRESS": ADDRESS, "ADDRESS6": ADDRESS6}
        values.update({"UPLINK": self.uplink, "DOMAIN": DOMAIN})
        return {"LINUXNET_OUTSIDE_" + name: value for name, value in values.items()}

    def wait(self) -> None:
        """Return when every server answers over IPv4 and IPv6; OutsideError after START_SECONDS."""
        deadline = time.monotonic() + START_SECONDS
        stream = self.process.stdout
        if stream is None or not select.select([stream], [], [], START_SECONDS)[0]:
            raise OutsideError(f"the simulated outside was not built within {START_SECONDS} seconds.")
        said = stream.readline().decode().strip()
        if said != "ready":
            raise OutsideError(f"the simulated outside cannot be built: {said or 'its process ended without a word.'}")
        for address in (SERVER, SERVER6):
            while True:
                try:
                    _probe(address)
                    break
                except OSError as exc:
                    if time.monotonic() > deadline:
                        message = f"the simulated server {address} does not answer within {START_SECONDS} seconds ({exc})."
                        raise OutsideError(message) from exc
                    time.sleep(0.01)

    def stop(self) -> None:
        # The kernel takes a dead namespace apart some time later; removing the pair here makes the end visible at once.
        if self.process.poll() is None:
            subprocess.run([_tool("ip", "iproute2"), "link", "delete", self.uplink], stderr=subprocess.DEVNULL, check=False)
        self.process.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        self.process.wait()


def build(uplink: str = "uplink0") -> Outside:
    """Connect this network namespace to a new outside; refused where there is a way out already, as on any real machine."""
    ip = _tool("ip", "iproute2")
    if any(_feed([ip, family, "route", "show", "default"], "").strip() for family in ("-4", "-6")):
        raise OutsideError("this network namespace has a default route already; build the outside in a sandbox.")
    if uplink in [name for _index, name in socket.if_nameindex()]:
        raise OutsideError(f"there is a device {uplink} already.")
    command = [sys.executable, os.path.abspath(__file__), uplink]
    # A session of its own: Ctrl-C is for the command, which may still need the outside while it cleans up.
    world = Outside(uplink, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True))
    try:
        world.wait()
    except BaseException:
        world.stop()
        raise
    return world


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1]))
