# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks and diagnoses on the real kernel: each layer is broken for real, and must be named.

web (10.1.0.10, fd01::10) -- host, the router (10.1.0.1, 10.2.0.1 ...) -- db (10.2.0.10, fd02::10)
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import nftables, probe
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import ProbeError, StateError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.host import Host

Sandbox = t.Callable[[t.Callable[[], t.Any]], None]

LAB = """
set -e
echo 0 > /proc/sys/net/ipv6/conf/all/accept_dad
echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
ip link set lo up
number=1
for name in web db; do
  ip netns add $name
  ip netns exec $name sh -c 'echo 0 > /proc/sys/net/ipv6/conf/all/accept_dad; echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad'
  ip link add v-$name type veth peer name eth0 netns $name
  ip address add 10.$number.0.1/24 dev v-$name
  ip address add fd0$number::1/64 dev v-$name nodad
  ip link set v-$name up
  ip -n $name link set lo up
  ip -n $name address add 10.$number.0.10/24 dev eth0
  ip -n $name address add fd0$number::10/64 dev eth0 nodad
  ip -n $name link set eth0 up
  ip -n $name route add default via 10.$number.0.1
  ip -n $name route add default via fd0$number::1
  echo 0 > /proc/sys/net/ipv4/conf/v-$name/rp_filter
  number=2
done
echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
"""

# HTTP on 8080 tells the client's address in a body, TCP on 7777 in a line; DNS on 53 knows one name by both families.
SERVER = r"""
import http.server, ipaddress, socket, socketserver, struct, sys, threading

def plain(address):
    return str(getattr(ipaddress.ip_address(address), "ipv4_mapped", None) or address)

class Dual:
    address_family = socket.AF_INET6
    allow_reuse_address = True

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({"/missing": 404, "/moved": 301}.get(self.path, 200))
        self.end_headers()
        self.wfile.write(('{"peer": "%s"}' % plain(self.client_address[0])).encode())
    def log_message(self, *_ignored):
        pass

class Line(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(plain(self.client_address[0]).encode() + b"\n")

class Names(socketserver.BaseRequestHandler):
    def handle(self):
        query, sock = self.request
        kind = struct.unpack_from("!H", query, len(query) - 4)[0]
        known = query[12:-4] == b"\x02db\x07example\x00"
        data = {1: socket.inet_aton("10.2.0.10"), 28: socket.inet_pton(socket.AF_INET6, "fd02::10")}.get(kind) if known else None
        answer = struct.pack("!HHIH", kind, 1, 60, len(data)) + data if data else b""
        code = 0x8180 if known else 0x8183
        header = query[:2] + struct.pack("!HHHHH", code, 1, 1 if data else 0, 0, 0)
        sock.sendto(header + query[12:] + (b"\xc0\x0c" + answer if data else b""), self.client_address)

servers = [
    type("H", (Dual, http.server.ThreadingHTTPServer), {})(("::", 8080), Page),
    type("T", (Dual, socketserver.ThreadingTCPServer), {})(("::", 7777), Line),
    type("U", (Dual, socketserver.UDPServer), {})(("::", 53), Names),
]
for server in servers:
    threading.Thread(target=server.serve_forever, daemon=True).start()
silent = socket.create_server(("10.2.0.10", 7776))
print("ready", flush=True)
sys.stdin.read()
"""


def sh(script: str) -> None:
    done = subprocess.run(["sh", "-ec", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout


@contextlib.contextmanager
def serving(netns: str) -> t.Iterator[None]:
    """Servers of all kinds in a namespace."""
    command = ["ip", "netns", "exec", netns, sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "ready\n"
        try:
            yield
        finally:
            process.kill()


def run(*items: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    checks = probe.read([{"timeout": 2, "retries": 0, **item} for item in items])
    with Host() as host:
        return probe.run(host, checks)


def failure(item: dict[str, t.Any]) -> tuple[str, str]:
    """The layer and the sentence of a check that must fail."""
    with pytest.raises(ProbeError) as caught:
        run({"timeout": 0.4, **item})
    (result,) = caught.value.results
    assert result["ok"] is False and result["msg"] == str(caught.value)
    return result["layer"], result["msg"]


def test_everything_passes(sandboxed: Sandbox) -> None:
    def scenario() -> None:
        sh(LAB + "mkdir -p /etc/netns/web; echo nameserver 10.2.0.10 > /etc/netns/web/resolv.conf")
        with serving("db"):
            before = os.stat("/proc/self/ns/net").st_ino
            found = run(
                {"netns": "web", "ping": "10.2.0.10", "expect_source": "10.1.0.10"},
                {"netns": "web", "ping": "fd02::10", "expect_source": "fd01::10"},
                {"netns": "web", "ping": "127.0.0.1"},
                {"netns": "web", "ping": "10.1.0.10"},
                {"netns": "web", "ping": "db.example"},
                {"ping": "10.1.0.10"},
                {"netns": "/run/netns/web", "tcp": "10.2.0.10:7777"},
                {"netns": "web", "tcp": "10.2.0.10:7777", "expect_source": "10.1.0.10"},
                {"netns": "web", "tcp": "[fd02::10]:7777", "expect_source": "fd01::10"},
                {"netns": "web", "tcp": "db.example:8080"},
                {"netns": "web", "udp_dns": "db.example"},
                {"netns": "web", "udp_dns": {"name": "db.example", "server": "fd02::10"}, "expect_source": "fd01::10"},
                {"netns": "web", "http": "http://10.2.0.10:8080/"},
                {"netns": "web", "http": "http://[fd02::10]:8080/", "expect_source": "fd01::10"},
                {"netns": "web", "http": "http://db.example:8080/moved?x=1", "expect_source": "10.1.0.10"},
                {"netns": "web", "mtu": {"to": "10.2.0.10", "size": 1500}},
                {"netns": "web", "mtu": {"to": "fd02::10", "size": 1500}},
            )
            assert os.stat("/proc/self/ns/net").st_ino == before
        assert all(result["ok"] and result["milliseconds"] > 0 and result["layer"] is None for result in found)
        assert [result["source"] for result in found[:4]] == ["10.1.0.10", "fd01::10", "127.0.0.1", "10.1.0.10"]
        assert found[5]["netns"] is None and found[5]["source"] == "10.1.0.1"
        assert found[7]["answer"] == "10.1.0.10" and found[10]["answer"] == "10.2.0.10" and found[12]["answer"] == "200 OK"

    sandboxed(scenario)


def test_a_link_local_neighbour(sandboxed: Sandbox) -> None:
    def scenario() -> None:
        # The kernel gives link-local addresses some time after the carrier, and a tentative one is nobody's source: it would take a
        # global one. Given by hand and without DAD they are there at once.
        sh(LAB + "ip address add fe80::1:1/64 dev v-web nodad; ip -n web address add fe80::1:10/64 dev eth0 nodad")
        (found,) = run({"netns": "web", "ping": "fe80::1:1%eth0"})
        assert found["source"].startswith("fe80:")
        layer, message = failure({"netns": "web", "ping": "fe80::1%eth7"})
        assert layer == "interface_down" and "there is no device eth7" in message

    sandboxed(scenario)


MAPPED = """
table inet ours {
  map tcp4 { type ipv4_addr . inet_service : ipv4_addr . inet_service; flags interval; elements = { 0.0.0.0/0 . 8088 : 10.2.0.10 . 80 }
  }
  map tcp6_same { type ipv6_addr . inet_service : ipv6_addr; flags interval; elements = { ::/0 . 8080-8089 : fd02::10 }
  }
  chain publish { type nat hook prerouting priority -100;
    ip daddr != 127.0.0.0/8 fib daddr type local dnat ip addr . port to ip daddr . tcp dport map @tcp4
    fib daddr type local dnat ip6 to ip6 daddr . tcp dport map @tcp6_same
  }
}
"""
BY_IPTABLES = "iptables-nft -t nat -A PREROUTING -p tcp -m addrtype --dst-type LOCAL --dport 8088 -j DNAT --to-destination 10.2.0.10:80"


@pytest.mark.parametrize("version", ["4", "6"])
@pytest.mark.parametrize("by", ["nft", "iptables"])
def test_a_published_port_is_followed(sandboxed: Sandbox, by: str, version: str) -> None:
    host, inside, port = {"4": ("10.1.0.1", "10.2.0.10", 80), "6": ("[fd01::1]", "fd02::10", 8088)}[version]
    check = {"netns": "web", "tcp": f"{host}:8088"}

    def scenario() -> None:
        if by == "iptables" and (version == "6" or not nftables.find("iptables-nft")):
            pytest.skip("it is the same in IPv6, or there is no iptables-nft here")
        publish = f"nft -f - <<'EOF'\n{MAPPED}\nEOF\n" if by == "nft" else f"PATH=$PATH:/usr/sbin:/sbin\n{BY_IPTABLES}\n"
        sh(LAB + publish + nft("inet fw", "gate { type filter hook forward priority 0; oifname v-db drop;"))
        assert failure(check) == ("dropped", failure(check)[1])
        assert f"packets to {inside} are dropped in chain gate of table inet fw by its rule" in failure(check)[1]
        # what is asked for elsewhere by the same port is not led there
        assert inside not in failure({"netns": "web", "tcp": "10.2.0.1:8089" if version == "4" else "[fd02::1]:8099"})[1]
        sh("nft delete table inet fw\n" + nft("inet fw", f"in {{ type filter hook input priority 0; tcp dport {port} drop;", "db"))
        assert "dropped in chain in of table inet fw" in failure(check)[1]
        sh("ip netns exec db nft flush ruleset")
        sh(nft("inet fw", f"in {{ type filter hook output priority 0; tcp sport {port} drop;", "db"))
        assert f"answers from {inside} are dropped in chain in of table inet fw" in failure(check)[1]

    sandboxed(scenario)


@pytest.mark.parametrize(
    ("program", "rule", "check"),
    [
        ("iptables-legacy", "FORWARD -d 10.2.0.10/32 -p tcp -m tcp --dport 80 -j DROP", {"netns": "web", "tcp": "10.2.0.10:80"}),
        (
            "ip6tables-legacy",
            "FORWARD -d fd02::10/128 -j REJECT --reject-with icmp6-port-unreachable",
            {"netns": "web", "ping": "fd02::10"},
        ),
        ("iptables-nft", "FORWARD -p tcp -m multiport --dports 80,443 -j DROP", {"netns": "web", "tcp": "10.2.0.10:80"}),
    ],
)
def test_rules_of_iptables_are_named_in_its_own_words(sandboxed: Sandbox, program: str, rule: str, check: dict[str, str]) -> None:
    def scenario() -> None:
        if subprocess.run(f"PATH=$PATH:/usr/sbin:/sbin {program} -S", shell=True, capture_output=True, check=False).returncode != 0:
            pytest.skip(f"{program} is not there, or this kernel has no part for it")
        sh(f"{LAB}\nPATH=$PATH:/usr/sbin:/sbin\n{program} -A {rule}")
        layer, message = failure(check)
        old = f" ({program})" if "legacy" in program else ""
        family = "ip6" if program.startswith("ip6") else "ip"
        assert layer == "dropped"
        assert f"dropped in chain FORWARD of table {family} filter{old} by its rule '-A {rule}' on the host" in message

    sandboxed(scenario)


def nft(table: str, chain: str, netns: str = "") -> str:
    """A table with one chain, told as ``name { hook; rule; ... }``."""
    inside = f"ip netns exec {netns} " if netns else ""
    return f"{inside}nft -f - <<'EOF'\ntable {table} {{ chain {chain}\n}}\n}}\nEOF\n"


PING = {"netns": "web", "ping": "10.2.0.10"}
PING6 = {"netns": "web", "ping": "fd02::10"}
STRICT = "echo 1 > /proc/sys/net/ipv4/conf/{0}/rp_filter; "

# What is broken, the check, the layer, and what the sentence must name.
BROKEN: dict[str, tuple[str, dict[str, t.Any], str, tuple[str, ...]]] = {
    "interface down": ("ip -n web link set eth0 down", PING, "interface_down", ("interface eth0 in namespace 'web' is down",)),
    "interface down, IPv6": ("ip -n web link set eth0 down", PING6, "interface_down", ("interface eth0 in namespace 'web' is down",)),
    "other end down": (
        "ip link set v-web down",
        PING,
        "interface_down",
        ("eth0 in namespace 'web' has no carrier", "v-web on the host is down"),
    ),
    "no interface": ("ip -n web link delete eth0", PING, "interface_down", ("no interface besides lo in namespace 'web'",)),
    "loopback down": (
        "ip -n web link set lo down",
        {"netns": "web", "ping": "127.0.0.1"},
        "interface_down",
        ("interface lo in namespace 'web'",),
    ),
    "own address, loopback down": (
        "ip -n web link set lo down",
        {"netns": "web", "ping": "10.1.0.10"},
        "interface_down",
        ("interface lo in namespace 'web'",),
    ),
    "next router's interface down": ("ip link set v-db down", PING, "interface_down", ("interface v-db on the host is down",)),
    "no address": ("ip -n web address flush dev eth0", PING, "no_address", ("no IPv4 address in namespace 'web'",)),
    "no address, IPv6": ("ip -n web address flush dev eth0 scope global", PING6, "no_address", ("no IPv6 address",)),
    "no address, but a route": (
        "ip -n web address flush dev eth0 scope global; ip -n web route add default dev eth0",
        PING,
        "no_address",
        ("interface eth0 in namespace 'web' has no IPv4 address",),
    ),
    "no route": ("ip -n web route delete default", PING, "no_route", ("no route to 10.2.0.10 in namespace 'web'",)),
    "no route, IPv6": ("ip -n web -6 route delete default", PING6, "no_route", ("no route to fd02::10 in namespace 'web'",)),
    "no route on the router": (
        "ip address delete 10.2.0.1/24 dev v-db",
        PING,
        "no_route",
        ("no route to 10.2.0.10 on the host",),
    ),
    "no route back": ("ip -n db route delete default", PING, "no_route", ("no route back to 10.1.0.10 in namespace 'db'",)),
    "no route back, IPv6": ("ip -n db -6 route delete default", PING6, "no_route", ("no route back to fd01::10 in namespace 'db'",)),
    "blackhole": ("ip -n web route add blackhole 10.2.0.0/24", PING, "no_route", ("is of type blackhole",)),
    "prohibited, IPv6": ("ip -n web route add prohibit fd02::/64", PING6, "no_route", ("is of type prohibit",)),
    "unreachable": ("ip -n web route add unreachable 10.2.0.0/24", PING, "no_route", ("is of type unreachable",)),
    "neighbour": ("", {"netns": "web", "ping": "10.1.0.99"}, "neighbour", ("neighbour 10.1.0.99 on eth0 in namespace 'web'",)),
    "gateway": (
        "ip -n web route replace default via 10.1.0.77",
        PING,
        "neighbour",
        ("neighbour 10.1.0.77 on eth0 in namespace 'web'",),
    ),
    "neighbour of the router, IPv6": (
        "",
        {"netns": "web", "ping": "fd02::99"},
        "neighbour",
        ("neighbour fd02::99 on v-db on the host",),
    ),
    "cable without a bridge": (
        "ip address flush dev v-web; ip link add br0 up type bridge; ip address add 10.1.0.1/24 dev br0",
        PING,
        "neighbour",
        ("v-web on the host", "is in no bridge"),
    ),
    "bridge down": (
        "ip address flush dev v-web; ip link add br0 type bridge; ip link set v-web master br0; ip address add 10.1.0.1/24 dev br0",
        PING,
        "interface_down",
        ("interface br0 on the host is down",),
    ),
    "forwarding off": (
        "echo 0 > /proc/sys/net/ipv4/conf/v-web/forwarding",
        PING,
        "forwarding_off",
        ("IPv4 forwarding is off on interface v-web on the host", "net.ipv4.conf.v-web.forwarding"),
    ),
    "forwarding off, IPv6": (
        "echo 0 > /proc/sys/net/ipv6/conf/all/forwarding",
        PING6,
        "forwarding_off",
        ("IPv6 forwarding is off on interface v-web on the host",),
    ),
    "forwarding of the answer off": (
        "echo 0 > /proc/sys/net/ipv4/conf/v-db/forwarding",
        PING,
        "forwarding_off",
        ("IPv4 forwarding is off on interface v-db on the host",),
    ),
    "dropped by policy": (
        nft("inet fw", "gate { type filter hook forward priority 0; policy drop; ip saddr 10.9.0.0/16 accept;"),
        PING,
        "dropped",
        ("dropped in chain gate of table inet fw by its policy on the host",),
    ),
    "dropped by rule": (
        nft("ip6 fw", 'gate { type filter hook forward priority 0; ip6 daddr fd02::/64 drop comment "not there";'),
        PING6,
        "dropped",
        ("dropped in chain gate of table ip6 fw by its rule handle", "not there", "on the host"),
    ),
    "dropped on its way out": (
        nft("inet fw", "away { type filter hook output priority 0; icmp type echo-request drop;", "web"),
        PING,
        "dropped",
        ("chain away of table inet fw", "in namespace 'web'"),
    ),
    "dropped at its destination": (
        nft("inet fw", "in { type filter hook input priority 0; policy drop; ct state established accept;", "db"),
        PING,
        "dropped",
        ("chain in of table inet fw by its policy in namespace 'db'",),
    ),
    "answers dropped": (
        nft("inet fw", "gate { type filter hook forward priority 0; ct state established,related iifname v-db drop;"),
        PING,
        "dropped",
        ("answers from 10.2.0.10 are dropped in chain gate",),
    ),
    "rejected": (
        nft("inet fw", "gate { type filter hook forward priority 0; tcp dport { 80, 443 } reject with tcp reset;"),
        {"netns": "web", "tcp": "10.2.0.10:80"},
        "dropped",
        ("chain gate of table inet fw",),
    ),
    "neighbours of IPv6 dropped": (
        nft("ip6 fw", "in { type filter hook input priority 0; policy drop; tcp dport 22 accept;", "db"),
        PING6,
        "dropped",
        ("chain in of table ip6 fw by its policy in namespace 'db'",),
    ),
    "reverse path filter": (
        STRICT.format("v-web")
        + "ip -n web address add 10.77.0.1/32 dev lo; ip -n web route replace default via 10.1.0.1 src 10.77.0.1; "
        + "ip route add 10.77.0.1 dev v-db",
        PING,
        "reverse_path_filter",
        ("strict reverse path filter on interface v-web on the host drops packets from 10.77.0.1", "leaves by v-db"),
    ),
    "refused": ("", {"netns": "web", "tcp": "10.2.0.10:81"}, "refused", ("10.2.0.10 was reached", "nothing listens on its TCP port 81")),
    "refused, IPv6": ("", {"netns": "web", "http": "http://[fd02::10]:81/"}, "refused", ("fd02::10 was reached", "TCP port 81")),
    "no server": (
        "",
        {"netns": "web", "udp_dns": {"name": "db.example", "server": "10.2.0.10"}},
        "refused",
        ("asking name server 10.2.0.10", "nothing listens on its UDP port 53"),
    ),
    "stub": (
        "mkdir -p /etc/netns/web; echo nameserver 127.0.0.53 > /etc/netns/web/resolv.conf",
        {"netns": "web", "http": "http://db.example/"},
        "dns_stub",
        ("127.0.0.53 is a stub resolver", "in namespace 'web'", "/etc/netns/web/resolv.conf"),
    ),
    "no name servers": (
        "mkdir -p /etc/netns/web; touch /etc/netns/web/resolv.conf",
        {"netns": "web", "ping": "db.example"},
        "dns",
        ("no name server to ask for db.example",),
    ),
    "path MTU told": (
        "ip link set v-db mtu 1400; ip -n db link set eth0 mtu 1400",
        {"netns": "web", "mtu": {"to": "10.2.0.10", "size": 1500}},
        "path_mtu",
        ("10.1.0.1 passes on packets of 1400 bytes at most",),
    ),
    "path MTU told, IPv6": (
        "ip link set v-db mtu 1400; ip -n db link set eth0 mtu 1400",
        {"netns": "web", "mtu": {"to": "fd02::10", "size": 1450}},
        "path_mtu",
        ("fd01::1 passes on packets of 1400 bytes at most",),
    ),
    "path MTU of the interface": (
        "ip -n web link set eth0 mtu 1300",
        {"netns": "web", "mtu": {"to": "10.2.0.10", "size": 1400}},
        "path_mtu",
        ("the MTU of interface eth0 in namespace 'web' is 1300",),
    ),
    "path MTU, a black hole": (
        nft("inet hole", "gate { type filter hook forward priority 0; meta length > 1389 drop;"),
        {"netns": "web", "mtu": {"to": "10.2.0.10", "size": 1500}},
        "path_mtu",
        ("of up to 1389 bytes pass",),
    ),
    "a router outside that has no route": (
        (
            "ip netns exec db ip link delete eth0; ip netns add isp; ip link add up0 type veth peer name lan0 netns isp; "
            "ip address add 198.51.100.2/24 dev up0; ip link set up0 up; ip -n isp link set lo up; "
            "ip -n isp address add 198.51.100.1/24 dev lan0; ip -n isp link set lan0 up; ip route add default via 198.51.100.1; "
            "ip netns exec isp sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward; sleep 60 > /dev/null 2>&1 &'; umount /run/netns/isp"
        ),
        {"ping": "203.0.113.7"},
        "no_route",
        ("network is unreachable, says 198.51.100.1", "198.51.100.1, which does not pass them on to 203.0.113.7"),
    ),
    "translation missing": (
        (
            "ip netns delete db; ip link delete v-db 2> /dev/null || true; "
            "ip link add up0 type veth peer name up1; ip link set up1 up; ip address add 198.51.100.2/24 dev up0; ip link set up0 up; "
            "ip neighbour add 198.51.100.1 lladdr 02:00:00:00:00:01 dev up0; ip route add default via 198.51.100.1"
        ),
        {"netns": "web", "ping": "203.0.113.7"},
        "no_answer",
        ("leave by up0 on the host towards 198.51.100.1 with the source address 10.1.0.10, which nobody translates",),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_layer_is_named(sandboxed: Sandbox, name: str) -> None:
    script, item, layer, words = BROKEN[name]

    def scenario() -> None:
        sh(LAB)
        sh(script or "true")
        found, message = failure(item)
        assert found == layer, message
        for word in words:
            assert word in message
        assert "\n" not in message

    sandboxed(scenario)


# As above, with the servers running in db.
SERVED: dict[str, tuple[str, dict[str, t.Any], str, tuple[str, ...]]] = {
    "status": ("", {"netns": "web", "http": "http://10.2.0.10:8080/missing"}, "http", ("the server answers 404",)),
    "not HTTP": ("", {"netns": "web", "http": "http://10.2.0.10:7777/"}, "http", ("what came back is not HTTP",)),
    "not TLS": ("", {"netns": "web", "http": "https://10.2.0.10:7777/"}, "tls", ("the server's certificate",)),
    "unknown name": ("", {"netns": "web", "udp_dns": {"name": "no.example", "server": "10.2.0.10"}}, "dns", ("NXDOMAIN",)),
    "source, ping": (
        "",
        {"netns": "web", "ping": "10.2.0.10", "expect_source": "192.0.2.7"},
        "source_address",
        ("its source address was 10.1.0.10, not 192.0.2.7",),
    ),
    "source, TCP": (
        "",
        {"netns": "web", "tcp": "10.2.0.10:7777", "expect_source": "10.2.0.1"},
        "source_address",
        ("the first line from the server, '10.1.0.10'",),
    ),
    "source, HTTP": (
        "",
        {"netns": "web", "http": "http://10.2.0.10:8080/", "expect_source": "10.1.0.1"},
        "source_address",
        ("not 10.1.0.1",),
    ),
    "answers of a translated connection dropped": (
        nft("inet nat", "out { type nat hook postrouting priority 100; oifname v-db masquerade;")
        + nft("inet fw", "gate { type filter hook forward priority 0; iifname v-db tcp sport 8080 ip daddr 10.1.0.10 drop;"),
        {"netns": "web", "tcp": "10.2.0.10:8080"},
        "dropped",
        ("answers from 10.2.0.10 are dropped in chain gate of table inet fw",),
    ),
    "great answers lost": (
        nft("inet hole", "gate { type filter hook forward priority 0; meta length > 1300 drop; tcp sport 8080 meta length > 60 drop;"),
        {"netns": "web", "http": "http://10.2.0.10:8080/"},
        "path_mtu",
        ("of up to 1300 bytes pass",),
    ),
    "a server that says nothing": (
        "",
        {"netns": "web", "http": "http://10.2.0.10:7776/"},
        "no_answer",
        ("connected, but no answer within", "its server says nothing"),
    ),
    "most likely dropped": (
        nft(
            "inet fw",
            "gate { type filter hook forward priority 0; tcp dport 8080 tcp flags syn limit rate over 1/hour burst 1 packets drop;",
        )
        + "ip netns exec web python3 -c 'import socket; socket.create_connection((\"10.2.0.10\", 8080))'",
        {"netns": "web", "tcp": "10.2.0.10:8080"},
        "dropped",
        ("are most likely dropped in chain gate of table inet fw by its rule handle",),
    ),
}


@pytest.mark.parametrize("name", SERVED)
def test_what_a_server_says(sandboxed: Sandbox, name: str) -> None:
    script, item, layer, words = SERVED[name]

    def scenario() -> None:
        sh(LAB)
        with serving("db"):
            sh(script or "true")
            found, message = failure(item)
        assert found == layer, message
        for word in words:
            assert word in message

    sandboxed(scenario)


# Two namespaces on one bridge.
BRIDGED = """
set -e
ip link add br0 up type bridge
for name in one two; do
  ip netns add $name
  ip link add v-$name master br0 up type veth peer name eth0 netns $name
  ip -n $name link set eth0 up
done
ip -n one address add 10.5.0.1/24 dev eth0
ip -n two address add 10.5.0.2/24 dev eth0
ip -n one address add fd05::1/64 dev eth0 nodad
"""


def test_neighbours_on_a_bridge(sandboxed: Sandbox) -> None:
    def scenario() -> None:
        sh(BRIDGED)
        ping = {"netns": "one", "ping": "10.5.0.2"}
        run(ping)
        sh(nft("bridge wall", "gate { type filter hook forward priority 0; ip protocol icmp drop;"))
        layer, message = failure(ping)
        assert layer == "dropped" and "chain gate of table bridge wall" in message and "on the host" in message
        sh("nft flush ruleset; echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables")
        sh(nft("inet wall", "gate { type filter hook forward priority 0; policy drop;"))
        layer, message = failure(ping)
        assert layer == "dropped" and "chain gate of table inet wall by its policy" in message
        sh("nft flush ruleset; bridge link set dev v-one isolated on; bridge link set dev v-two isolated on; ip -n one neighbour flush all")
        layer, message = failure(ping)
        assert layer == "neighbour" and "although eth0 in namespace 'two' has that address" in message and "isolation" in message

    sandboxed(scenario)


def test_addresses_that_are_no_addresses_yet(sandboxed: Sandbox) -> None:
    def scenario() -> None:
        sh(BRIDGED)
        sh("for name in one two; do ip netns exec $name sh -c 'echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad'; done")
        sh("ip -n one address add fd05:1::1/64 dev eth0 nodad; ip -n two address add fd05:1::2/64 dev eth0 nodad")
        sh("ip netns exec two sh -c 'echo 1 > /proc/sys/net/ipv6/conf/eth0/accept_dad'; ip -n two address flush dev eth0 scope link")
        sh("ip -n two address flush dev eth0 scope global; ip -n two address add fd05::1/64 dev eth0; sleep 2.5")
        layer, message = failure({"netns": "two", "ping": "fd05::7"})
        assert layer == "duplicate_address", message
        assert "address fd05::1 on eth0 in namespace 'two' is a duplicate" in message
        sh("ip -n two address flush dev eth0; ip netns exec two sh -c 'echo 30 > /proc/sys/net/ipv6/conf/eth0/dad_transmits'")
        sh("ip -n two address add fd05::9/64 dev eth0")
        layer, message = failure({"netns": "two", "ping": "fd05::1"})
        assert layer == "tentative_address" and "address fd05::9 on eth0" in message
        layer, message = failure({"netns": "one", "ping": "fd05::9"})
        assert layer == "tentative_address" and "address fd05::9 on eth0 in namespace 'two'" in message

    sandboxed(scenario)


def test_a_check_is_tried_again(sandboxed: Sandbox) -> None:
    def scenario() -> None:
        sh(LAB)
        back = "ip -n db link set eth0 up; ip -n db route add default via 10.2.0.1"
        sh(f"ip -n db link set eth0 down; (sleep 0.7; {back}) > /dev/null 2>&1 &")
        (found,) = run({"netns": "web", "ping": "10.2.0.10", "retries": 5})
        assert found["ok"]
        with pytest.raises(ProbeError, match=r"failed in 2 tries: connection refused"):
            run({"netns": "web", "tcp": "10.2.0.10:9", "retries": 1})

    sandboxed(scenario)


def test_checks_do_not_wait_for_each_other(sandboxed: Sandbox) -> None:
    def scenario() -> None:
        sh(LAB)
        sh(nft("inet fw", "gate { type filter hook forward priority 0; tcp dport 1-40 drop;"))
        items = [{"netns": "web", "tcp": f"10.2.0.10:{port}"} for port in range(1, 41)]
        begin = time.monotonic()
        with pytest.raises(ProbeError) as caught:
            run({"netns": "web", "ping": "10.2.0.10"}, *items)
        assert time.monotonic() - begin < 20
        assert [result["ok"] for result in caught.value.results] == [True] + [False] * 40
        assert str(caught.value).startswith("40 of 41 checks failed: tcp 10.2.0.10:1 in namespace 'web' failed")

    sandboxed(scenario)


def test_what_is_not_there_is_refused(sandboxed: Sandbox) -> None:
    def scenario() -> None:
        with pytest.raises(StateError, match="namespace 'nope' does not exist"):
            run({"netns": "nope", "ping": "10.2.0.10"})

    sandboxed(scenario)


def test_nothing_is_left_open(sandboxed: Sandbox) -> None:
    """The diagnosis looks into every namespace; none of them may live on by that."""

    def scenario() -> None:
        sh(LAB)
        with Host() as host:
            host.socket("web")
            held = os.listdir("/proc/self/fd")
            with pytest.raises(ProbeError):
                probe.run(host, probe.read([{"netns": "web", "ping": "10.2.0.99", "timeout": 1, "retries": 0}]))
            assert set(host.places()) == {"web"}
            assert len(os.listdir("/proc/self/fd")) == len(held)

    sandboxed(scenario)


def test_a_host_without_nft(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def scenario() -> None:
        sh(LAB + nft("inet fw", "gate { type filter hook forward priority 0; policy drop;"))
        monkeypatch.setattr(nftables, "find", lambda program="nft": None)
        layer, message = failure(PING)
        assert layer == "no_answer" and "nothing wrong was found on the way" in message

    sandboxed(scenario)


def test_nothing_is_changed(sandboxed: Sandbox) -> None:
    """What ip, nft and sysctl tell is the same after checks that fail in every way."""

    def look() -> str:
        parts = ["-o link", "-o address", "route show table all", "-6 route show table all", "rule"]
        script = "".join(f"ip {where} {part}; " for where in ("", "-n web", "-n db") for part in parts)
        return subprocess.check_output(["sh", "-c", script + "nft list ruleset; sysctl -a 2>/dev/null | grep forwarding"], text=True)

    def scenario() -> None:
        sh(LAB + nft("inet fw", "gate { type filter hook forward priority 0; policy drop;"))
        # devices tell their state a while after they came up
        sh("for turn in $(seq 50); do { ip link; ip -n web link; ip -n db link; } | grep -q NO-CARRIER || break; sleep 0.1; done")
        before = look()
        failure(PING)
        failure({"netns": "web", "mtu": {"to": "10.1.0.1", "size": 9000}})
        failure({"netns": "web", "http": "http://10.1.0.1:81/"})
        assert look() == before

    sandboxed(scenario)
