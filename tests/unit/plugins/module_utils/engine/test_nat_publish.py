# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Published ports, isolation and source addresses with real traffic, on the router of ``test_nat``; ``third`` is on br-lab too."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import socket
import struct
import subprocess
import time
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import (
    conntrack,
    nat,
    nat_host,
    nat_publish,
    nat_told,
    nftables,
    options_nat,
    running,
)
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.changes import Change
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError, StateError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.host import Host
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources import Sysctl
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_nat import Nat, Publish, SysctlFile, Table
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.values import HOST

from .test_nat import (
    LAB,
    TWO,
    VERSIONS,
    Kernel,
    OldKernel,
    Sandbox,
    address,
    apply,
    build,
    inside,
    left_to_do,
    reach,
    read,
    replaced,
    settle,
    sh,
    switched_on,
    write,
)

KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
THIRD = {"4": "10.77.0.99", "6": "fd77::99"}
LOCALHOST = {"4": "127.0.0.1", "6": "::1"}


class Machine(Kernel):
    """As the engine sees it, so that what it refuses is refused."""

    def addresses(self, netns: str) -> t.Collection[tuple[str, str]]:
        with Host() as host:
            return nat_host.View(host).addresses(netns)

    def takers(self, netns: str, wanted: t.Sequence[Publish]) -> t.Iterator[tuple[Publish, str]]:
        with Host() as host:
            yield from nat_host.View(host).takers(netns, wanted)


class OldMachine(OldKernel, Machine):
    """Before Linux 6.17."""


def lab(*publish: Publish, **fields: t.Any) -> Nat:
    return replaced(publish=publish, **fields)


def web(version: str, port: int = 8080, end: str = "client", **fields: t.Any) -> Publish:
    return Publish(**{"protocol": "tcp", "first": port, "last": port, "to_address": address(end, version), "to_first": 80, **fields})


BOTH = tuple(web(version) for version in VERSIONS)


def put(*wanted: Nat, gone: t.Sequence[Nat] = ()) -> None:
    apply(wanted, gone, host=Machine())
    assert left_to_do(wanted, Machine()) == []


def add_third() -> None:
    """A neighbour of ``client``."""
    sh("ip", "netns", "add", "third")
    sh("ip", "netns", "exec", "third", "sysctl", "-q", "net.ipv6.conf.default.accept_dad=0")
    sh("ip", "link", "add", "p-third", "master", "br-lab", "up", "type", "veth", "peer", "name", "eth0", "netns", "third")
    sh("ip", "-n", "third", "link", "set", "eth0", "up")
    for version, length in (("4", 24), ("6", 64)):
        sh("ip", "-n", "third", "address", "add", f"{THIRD[version]}/{length}", "dev", "eth0")
        sh("ip", f"-{version}", "-n", "third", "route", "add", "default", "via", address("client", version, True))
        settle("third", address("client", version, True))


@contextlib.contextmanager
def listening(netns: str, at: str, port: int, protocol: str = "tcp") -> t.Iterator[socket.socket]:
    with inside(netns):
        server = socket.socket(socket.AF_INET6 if ":" in at else socket.AF_INET, KINDS[protocol])
    with server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((at, port))
        if protocol == "tcp":
            server.listen(8)
        server.settimeout(3)
        yield server


def visit(source: str, to: str, port: int, server: socket.socket, wait: float = 3) -> str | None:
    """The address that the server sees when ``to`` is asked for from ``source``; None where it is not reached."""
    with inside(source):
        client = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, server.type)
    with client:
        client.settimeout(wait)
        try:
            client.connect((to, port))
            if server.type == socket.SOCK_DGRAM:
                client.send(b"hello")
                server.settimeout(wait)
                return str(server.recvfrom(16)[1][0])
        except OSError:
            return None
        connection, peer = server.accept()
        connection.close()
        return str(peer[0])


def bridged(filtered: bool) -> None:
    """Whether br_netfilter shows the frames of bridges to the chains; it begins with yes."""
    for tables in ("iptables", "ip6tables"):
        if read(f"net/bridge/bridge-nf-call-{tables}") is not None:
            write(f"net/bridge/bridge-nf-call-{tables}", str(int(filtered)))


def host_address(version: str) -> str:
    return address("outside", version, True)


# -- who reaches a published port


@pytest.mark.parametrize("version", VERSIONS)
def test_from_everywhere(sandboxed: Sandbox, version: str) -> None:
    def check() -> None:
        build("client", "second", "other", "outside")
        add_third()
        bridged(False)
        sh("ip", "link", "set", "lo", "up")
        put(lab(*BOTH))
        to, gateway = host_address(version), address("client", version, True)
        with listening("client", address("client", version), 80) as server:
            assert visit("outside", to, 8080, server) == address("outside", version)
            assert visit(HOST, to, 8080, server) == to
            assert visit("third", to, 8080, server) == gateway
            assert visit("client", to, 8080, server) == gateway
            # by the bridge's own address as well
            assert visit("third", gateway, 8080, server) == gateway
            assert visit("third", to, 80, server, wait=0.4) is None
            # what was closed stays closed
            assert visit("outside", address("client", version), 80, server, wait=0.4) is None
            assert visit("other", address("client", version), 80, server, wait=0.4) is None
            assert visit("second", to, 8080, server, wait=0.4) is None
            # IPv6 leads nothing away from ::1
            assert visit(HOST, LOCALHOST[version], 8080, server, wait=0.4) == (gateway if version == "4" else None)

    sandboxed(check)


def test_localhost_is_opened_for_the_host_alone_and_closed_again(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        sh("ip", "link", "set", "lo", "up")
        localnet = "net/ipv4/conf/br-lab/route_localnet"
        put(lab(web("6"), web("4", host_address="198.51.100.1")))
        assert read(localnet) == "0"
        put(lab(web("4")))
        assert read(localnet) == "1"
        # the client tries to reach what listens on the host's 127.0.0.1, and to come from there
        sh("ip", "netns", "exec", "client", "sysctl", "-q", "net.ipv4.conf.all.route_localnet=1")
        sh("ip", "-n", "client", "route", "add", "127.0.0.1/32", "via", "10.77.0.1", "src", "10.77.0.16")
        with listening(HOST, "127.0.0.1", 9999, "udp") as server:
            assert visit("client", "127.0.0.1", 9999, server, wait=0.4) is None
            # the guard does it: without, it gets in
            text = t.cast(Table, nftables.live(HOST, "inet", "linuxnet_lab")).text
            sh("nft", "flush", "chain", "inet", "linuxnet_lab", "loopback")
            assert visit("client", "127.0.0.1", 9999, server) == "10.77.0.16"
        nftables.replace(HOST, Table(HOST, "inet", "linuxnet_lab", text=text))
        assert left_to_do([lab(web("4"))], Machine()) == []
        put(lab(web("6")))
        assert read(localnet) == "0"
        put(lab(web("4")))
        put(gone=[LAB])
        assert read(localnet) == "0"
        assert switched_on() == []

    sandboxed(check)


def test_what_somebody_opened_is_not_closed(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        write("net/ipv4/conf/br-lab/route_localnet", "1")
        put(lab(web("4")))
        assert "loopback" not in sh("nft", "list", "ruleset")
        put(gone=[LAB])
        assert read("net/ipv4/conf/br-lab/route_localnet") == "1"

    sandboxed(check)


def test_old_values_are_given_back_before_their_guard_goes() -> None:
    given_back = Sysctl(HOST, "net/ipv4/conf/br-lab/route_localnet", "0", if_there=True)
    from ansible_collections.linuxnet.netns.plugins.module_utils._engine import plan, state
    from ansible_collections.linuxnet.netns.plugins.module_utils._engine.options import Wanted

    table = Table(HOST, "inet", "linuxnet_lab", text="new", ruleset="new")
    opened = Sysctl(HOST, "net/ipv4/conf/up1/forwarding", "1")
    found = {given_back.key: Sysctl(HOST, given_back.path, "1"), opened.key: Sysctl(HOST, opened.path, "0")}
    found[table.key] = Table(HOST, "inet", "linuxnet_lab", text="old", ruleset="old")
    changes = plan.plan(Wanted(present=(table, opened, given_back)), state.Observed(found=found, places={HOST: "there"}))
    assert [change.resource for change in changes] == [given_back, table, opened]


def test_one_host_address_only(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        sh("ip", "address", "add", "198.51.100.9/24", "dev", "up0")
        sh("ip", "address", "add", "2001:db8:1::9/64", "dev", "up0", "nodad")
        second = {"4": "198.51.100.9", "6": "2001:db8:1::9"}
        put(lab(*(web(version, host_address=second[version]) for version in VERSIONS)))
        for version in VERSIONS:
            with listening("client", address("client", version), 80) as server:
                assert visit("outside", second[version], 8080, server) == address("outside", version)
                assert visit("outside", host_address(version), 8080, server, wait=0.4) is None

    sandboxed(check)


def test_localhost_only(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        sh("ip", "link", "set", "lo", "up")
        put(lab(web("4", host_address="127.0.0.1")))
        sh("ip", "-n", "outside", "route", "add", "127.0.0.1/32", "via", "198.51.100.1", "src", "198.51.100.2")
        sh("ip", "netns", "exec", "outside", "sysctl", "-q", "net.ipv4.conf.all.route_localnet=1")
        with listening("client", address("client", "4"), 80) as server:
            assert visit(HOST, "127.0.0.1", 8080, server) == "10.77.0.1"
            assert visit("outside", host_address("4"), 8080, server, wait=0.4) is None
            # no translation before the kernel sees that it is meant for 127.0.0.1
            assert visit("outside", "127.0.0.1", 8080, server, wait=0.4) is None

    sandboxed(check)


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_ranges(sandboxed: Sandbox, protocol: str) -> None:
    def check() -> None:
        build("client", "outside")
        ranges = {"as they are": (5000, 5010, 5000), "shifted": (6000, 6010, 7000)}
        put(lab(*(Publish(protocol, *ports[:2], address("client", v), ports[2]) for ports in ranges.values() for v in VERSIONS)))
        for version in VERSIONS:
            for first, last, to_first in ranges.values():
                for port in (first, first + 4, last):
                    with listening("client", address("client", version), port - first + to_first, protocol) as server:
                        assert visit("outside", host_address(version), port, server) == address("outside", version)
            with listening("client", address("client", version), 5011, protocol) as server:
                assert visit("outside", host_address(version), 5011, server, wait=0.3) is None

    sandboxed(check)


def crc32c(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _bit in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def test_sctp(sandboxed: Sandbox) -> None:
    """By a packet made by hand, so that the kernel need not have SCTP sockets: RFC 9260, 3.3.2, an INIT chunk."""

    def check() -> None:
        build("client", "outside")
        put(lab(web("4", protocol="sctp")))
        chunk = struct.pack("!BBHIIHHI", 1, 0, 20, 0x1234, 65536, 1, 1, 7)
        header = struct.pack("!HHII", 4000, 8080, 0, 0)
        packet = header[:8] + struct.pack("<I", crc32c(header + chunk)) + chunk
        with inside("client"):
            server = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_SCTP)
        with inside("outside"):
            client = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_SCTP)
        with server, client:
            server.settimeout(3)
            client.sendto(packet, (host_address("4"), 0))
            data, peer = server.recvfrom(200)
            ports = struct.unpack_from("!HH", data, (data[0] & 15) * 4)
            assert (peer[0], ports) == (address("outside", "4"), (4000, 80))

    sandboxed(check)


def test_without_hairpin(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        add_third()
        put(lab(*BOTH, hairpin=False))
        for version in VERSIONS:
            with listening("client", address("client", version), 80) as server:
                assert visit("third", host_address(version), 8080, server, wait=0.4) is None
                assert visit("outside", host_address(version), 8080, server) == address("outside", version)
            # the host itself is asked, as if nothing were published
            with listening(HOST, host_address(version), 8080) as server:
                assert visit("third", host_address(version), 8080, server) == THIRD[version]

    sandboxed(check)


@pytest.mark.skipif(not os.path.exists("/proc/sys/net/bridge"), reason="this kernel has no br_netfilter")
def test_hairpin_where_bridged_frames_are_filtered(sandboxed: Sandbox) -> None:
    """br_netfilter turns round on the bridge what others route: to a neighbour that works, to the sender's own port by its hairpin mode."""

    def check() -> None:
        build("client", "outside")
        add_third()
        bridged(True)
        put(lab(*BOTH))
        for version in VERSIONS:
            to, gateway = host_address(version), address("client", version, True)
            with listening("client", address("client", version), 80) as server:
                assert visit("outside", to, 8080, server) == address("outside", version)
                assert visit("third", to, 8080, server) == gateway
                assert visit("client", to, 8080, server, wait=0.4) is None
                sh("bridge", "link", "set", "dev", "p-br-lab", "hairpin", "on")
                assert visit("client", to, 8080, server) == gateway
                sh("bridge", "link", "set", "dev", "p-br-lab", "hairpin", "off")

    sandboxed(check)


@pytest.mark.skipif(not os.path.exists("/proc/sys/net/bridge"), reason="this kernel has no br_netfilter")
@pytest.mark.parametrize("host", [Machine(), OldMachine()], ids=["per device", "whole host"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_network_of_others_stays_closed_where_bridged_frames_are_filtered(sandboxed: Sandbox, version: str, host: Kernel) -> None:
    """br_netfilter gives what is translated on a bridge its route: IPv6 then asks the device that it leaves by whether it forwards."""

    def check() -> None:
        build("client", "second", "outside")
        add_third()
        bridged(True)
        apply([lab(*BOTH)], host=host)
        assert left_to_do([lab(*BOTH)], host) == []
        to, gateway = host_address(version), address("client", version, True)
        with listening("client", address("client", version), 80) as server:
            # by any address of the host, its own network's gateway too
            asked = [at for at in (to, address("second", version, True)) for _again in range(2)]
            assert [visit("second", at, 8080, server, wait=0.4) for at in asked] == [None] * 4
            assert visit("outside", to, 8080, server) == address("outside", version)
            assert visit("third", to, 8080, server) == gateway
            # by the guard: nothing else keeps IPv6 from it
            sh("nft", "flush", "chain", "inet", "linuxnet_lab", "guard")
            assert version == "4" or any(visit("second", at, 8080, server, wait=0.4) for at in asked)
        # two networks of ours that want it so are not kept apart
        apply([lab(*BOTH, isolation="none"), dataclasses.replace(TWO, isolation="none")], host=host)
        with listening("client", address("client", version), 80) as server:
            assert visit("second", to, 8080, server) == address("second", version)

    sandboxed(check)


# -- drift, and what is told


def test_a_changed_target_is_seen(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        put(lab(*BOTH))
        key = "0.0.0.0/0 . 8080"
        for target in ("10.77.0.17 . 80", "10.77.0.16 . 81"):
            sh("nft", "delete", "element", "inet", "linuxnet_lab", "tcp4", f"{{ {key} }}")
            sh("nft", "add", "element", "inet", "linuxnet_lab", "tcp4", f"{{ {key} : {target} }}")
            assert left_to_do([lab(*BOTH)], Machine()) == ["inet linuxnet_lab"]
            put(lab(*BOTH))

    sandboxed(check)


EVERYTHING = (
    *BOTH,
    Publish("udp", 53, 53, "10.77.0.16", 53, "198.51.100.1"),
    Publish("tcp", 5000, 5010, "10.77.0.17", 5000),
    Publish("sctp", 7, 7, "fd77::10", 8, "2001:db8:1::1"),
)


@pytest.mark.parametrize(
    "wanted",
    [
        LAB,
        lab(*EVERYTHING),
        lab(*EVERYTHING, hairpin=False, isolation="strict"),
        replaced(isolation="none", masquerade=False),
        replaced(snat_to=("198.51.100.1",), isolation="networks"),
        replaced(snat_to=("198.51.100.1",), masquerade=False),
        replaced(snat_to=("198.51.100.1", "2001:db8:1::1")),
        replaced(subnets=("10.77.0.0/24",), snat_to=("198.51.100.1",), publish=(web("4"),), masquerade=False),
    ],
    ids=lambda wanted: f"{len(wanted.publish)}-{wanted.isolation}-{len(wanted.snat_to)}-{wanted.masquerade}",
)
def test_told_back(sandboxed: Sandbox, wanted: Nat) -> None:
    """What is told of a table makes the same table."""

    def check() -> None:
        build("client", "outside")
        put(wanted)
        table = t.cast(Table, nftables.live(HOST, "inet", "linuxnet_lab"))
        told = nat_told.told(table)
        assert told is not None
        assert {*told.publish} == {*wanted.publish}
        assert left_to_do([told], Machine()) == []

    sandboxed(check)


def test_a_shifted_range_is_told_port_by_port(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        wanted = lab(Publish("tcp", 6000, 6002, "10.77.0.16", 7000))
        put(wanted)
        told = nat_told.told(t.cast(Table, nftables.live(HOST, "inet", "linuxnet_lab")))
        assert told is not None
        assert [(each.first, each.last, each.to_first) for each in told.publish] == [(6000 + n, 6000 + n, 7000 + n) for n in range(3)]
        assert left_to_do([told], Machine()) == []

    sandboxed(check)


# -- a port that somebody has


def refusal(*wanted: Nat) -> str:
    with pytest.raises(StateError) as caught:
        nat.resolve(wanted, [], Machine())
    return str(caught.value)


ADVICE = "free it, or choose another host_port or host_address"


def test_a_listening_process_is_named(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        sh("ip", "link", "set", "lo", "up")
        me = f"process {pathlib.Path('/proc/self/comm').read_text(encoding='ascii').strip()} (pid {os.getpid()}) listens on it: {ADVICE}"
        for at, protocol in (("0.0.0.0", "tcp"), ("198.51.100.1", "tcp"), ("127.0.0.1", "udp"), ("0.0.0.0", "udp")):
            with listening(HOST, at, 8080, protocol):
                taken = f"nat lab: publish: {protocol} port 8080 is taken on the host: {me}"
                assert refusal(lab(web("4", protocol=protocol))) == taken
                # another protocol, another port, another family
                nat.resolve([lab(web("4", 8081), web("6", protocol=protocol))], [], Machine())
        with listening(HOST, "198.51.100.1", 8080):
            assert "tcp port 8000-8100 of 198.51.100.1 is taken" in refusal(lab(web("4", 8000, last=8100, host_address="198.51.100.1")))
            nat.resolve([lab(web("4", host_address="198.51.100.9"))], [], Machine())
        with listening(HOST, "2001:db8:1::1", 8080):
            assert "tcp port 8080 is taken on the host" in refusal(lab(web("6")))
            nat.resolve([lab(web("4"))], [], Machine())
        with listening(HOST, "::1", 8080):
            nat.resolve([lab(web("6"))], [], Machine())

    sandboxed(check)


@pytest.mark.parametrize("only", [0, 1])
def test_a_socket_for_both_families(sandboxed: Sandbox, only: int) -> None:
    def check() -> None:
        build("client", "outside")
        with socket.socket(socket.AF_INET6) as server:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
            server.bind(("::", 8080))
            server.listen()
            assert "listens on it" in refusal(lab(web("6")))
            if only:
                nat.resolve([lab(web("4"))], [], Machine())
            else:
                assert "listens on it" in refusal(lab(web("4")))

    sandboxed(check)


def test_who_comes_later_is_no_reason_to_stop(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        put(lab(web("4")))
        with listening(HOST, "0.0.0.0", 8080):
            put(lab(web("4")))
            assert "tcp port 8081 is taken" not in str(nat.resolve([lab(web("4"), web("4", 8081))], [], Machine()))

    sandboxed(check)


def test_another_network_is_named(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "second", "outside")
        put(lab(web("4", 8000, last=8010)))
        theirs = Nat(HOST, "two", TWO.subnets, "br-two", "up0", publish=(web("4", 8005, "second", host_address="198.51.100.1"),))
        taken = f"nat two: publish: tcp port 8005 of 198.51.100.1 is taken on the host: network 'lab' publishes it: {ADVICE}"
        assert refusal(theirs) == taken
        # in one run it may be given from one to the other, and not to both
        nat.resolve([LAB, theirs], [], Machine())
        nat.resolve([theirs], [LAB], Machine())
        assert "publishes it" in refusal(lab(web("4", 8005)), theirs)

    sandboxed(check)


@pytest.mark.parametrize(
    ("rule", "taken"),
    [
        ("tcp dport 8080 dnat to 192.0.2.1:80", True),
        ('iifname "up0" tcp dport { 80, 8000-8100 } counter dnat to 192.0.2.1 comment "theirs"', True),
        ("tcp dport 8080 redirect to :3128", True),
        ("dnat to tcp dport map { 443 : 192.0.2.1, 8080 : 192.0.2.2 }", True),
        ("ip daddr 198.51.100.1 dnat to 192.0.2.1", True),
        ("dnat to ip daddr . tcp dport map { 198.51.100.1 . 8080 : 192.0.2.1 . 80 }", True),
        ("tcp dport 8081 dnat to 192.0.2.1:80", False),
        ("udp dport 8080 dnat to 192.0.2.1:80", False),
        ("ip daddr 198.51.100.7 tcp dport 8080 dnat to 192.0.2.1:80", False),
        ("dnat to tcp dport map { 443 : 192.0.2.1 }", False),
        ("ip daddr 198.51.100.7 dnat to 192.0.2.1", False),
        ("tcp dport 8080 accept", False),
    ],
)
def test_a_rule_of_others_is_named(sandboxed: Sandbox, rule: str, taken: bool) -> None:
    def check() -> None:
        build("client", "outside")
        chain = "type nat hook prerouting priority -100; policy accept; jump ports;"
        nftables.replace(
            HOST, Table(HOST, "ip", "theirs", text=f"table ip theirs {{ chain ports {{ {rule}; }}\nchain pre {{ {chain} }}\n}}\n")
        )
        wanted = lab(web("4", host_address="198.51.100.1"))
        if not taken:
            nat.resolve([wanted], [], Machine())
            return
        handle = next(
            entry["rule"]["handle"]
            for entry in json.loads(sh("nft", "-a", "-j", "list", "chain", "ip", "theirs", "ports"))["nftables"]
            if "rule" in entry
        )
        by = f"chain ports of table ip theirs leads it elsewhere by its rule handle {handle}"
        assert refusal(wanted).startswith(f"nat lab: publish: tcp port 8080 of 198.51.100.1 is taken on the host: {by}")

    sandboxed(check)


# -- connections that began before


def engine_put(wanted: Nat | None) -> None:
    """As a run does it: by a change from the table that is there."""
    before = nftables.live(HOST, "inet", "linuxnet_lab")
    table = next((record for record in nat.resolve([wanted], [], Machine())[0] if isinstance(record, Table)), None) if wanted else None
    if table is None:
        change = Change.delete(t.cast(Table, before), (0, 0), "")
    elif before is None:
        change = Change.create(table, (0, 0), "")
    else:
        change = Change.update(before, table, {}, (0, 0))
    with Host() as host:
        for step in running.steps(change, host):
            t.cast(t.Callable[[], None], step)()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_that_goes_on_sending_reaches_the_new_target(sandboxed: Sandbox, version: str) -> None:
    def check() -> None:
        build("client", "outside")
        add_third()
        first = lab(*(web(v, protocol="udp") for v in VERSIONS))
        moved = lab(*(web(v, protocol="udp", to_address=THIRD[v]) for v in VERSIONS))
        put(first)
        with inside("outside"):
            sender, steady = (
                socket.socket(socket.AF_INET6 if version == "6" else socket.AF_INET, socket.SOCK_DGRAM) for _which in range(2)
            )
        with sender, steady, contextlib.ExitStack() as stack:
            here = stack.enter_context(listening("client", address("client", version), 80, "udp"))
            there = stack.enter_context(listening("third", THIRD[version], 80, "udp"))
            local = stack.enter_context(listening(HOST, host_address(version), 9090, "udp"))
            to = (host_address(version), 8080)
            sender.sendto(b"one", to)
            assert here.recv(9) == b"one"
            # without forgetting, the connection goes on as it was
            put(moved)
            sender.sendto(b"two", to)
            assert here.recv(9) == b"two"
            put(first)
            steady.sendto(b"local", (to[0], 9090))
            assert local.recv(9) == b"local"
            engine_put(moved)
            sender.sendto(b"three", to)
            assert there.recv(9) == b"three"
            steady.sendto(b"still", (to[0], 9090))
            assert local.recv(9) == b"still"
            known = {flow.answers for flow in conntrack.flows() if flow.port == 8080}
            assert known == {THIRD[version]}
            # gone: the host itself is asked
            engine_put(None)
            assert not [flow for flow in conntrack.flows() if flow.port == 8080]
            assert [flow.answers for flow in conntrack.flows() if flow.port == 9090] == [host_address(version)]

    sandboxed(check)


# -- isolation


def three(isolation: str, others: str = "none") -> tuple[Nat, Nat]:
    return replaced(isolation=isolation), Nat(HOST, "two", TWO.subnets, "br-two", "up0", isolation=others)


def ways() -> dict[str, bool]:
    """Who reaches whom, by TCP, in both versions of IP alike."""
    pairs = {
        "out": ("client", "outside"),
        "to two": ("client", "second"),
        "from two": ("second", "client"),
        "to other": ("client", "other"),
    }
    found = {name: {reach(*pair, version=version, wait=0.4) is not None for version in VERSIONS} for name, pair in pairs.items()}
    hosts = set()
    for version in VERSIONS:
        with listening(HOST, address("client", version, True), 7777) as server:
            hosts.add(visit("client", address("client", version, True), 7777, server, wait=0.4) is not None)
    found["to host"] = hosts
    assert all(len(answers) == 1 for answers in found.values()), found
    return {name: answers.pop() for name, answers in found.items()}


@pytest.mark.parametrize("open_host", [False, True], ids=["closed host", "open host"])
@pytest.mark.parametrize(
    ("isolation", "others", "two", "other", "to_host"),
    [
        ("none", "none", True, None, True),
        ("none", "networks", False, None, True),
        ("networks", "none", False, None, True),
        ("networks", "networks", False, None, True),
        ("strict", "none", False, False, False),
    ],
)
def test_isolation(sandboxed: Sandbox, open_host: bool, isolation: str, others: str, two: bool, other: bool | None, to_host: bool) -> None:
    def check() -> None:
        build("client", "second", "other", "outside")
        if open_host:
            write("net/ipv4/ip_forward", "1")
            write("net/ipv6/conf/all/forwarding", "1")
        put(*three(isolation, others))
        # to a network that is none of ours it goes as it went before
        elsewhere = open_host if other is None else other
        assert ways() == {"out": True, "to two": two, "from two": two, "to other": elsewhere, "to host": to_host}
        if isolation == "strict":
            # what keeps the network alive
            assert "1 received" in sh("ip", "netns", "exec", "client", "ping", "-c", "1", "-W", "2", "10.77.0.1")
        put(gone=three(isolation, others))
        assert nftables.tables(HOST) == []

    sandboxed(check)


@pytest.mark.parametrize("isolation", ["none", "networks", "strict"])
def test_published_ports_of_an_isolated_network(sandboxed: Sandbox, isolation: str) -> None:
    def check() -> None:
        build("client", "second", "outside")
        add_third()
        put(lab(*BOTH, isolation=isolation), three("none")[1])
        for version in VERSIONS:
            with listening("client", address("client", version), 80) as server:
                assert visit("outside", host_address(version), 8080, server) == address("outside", version)
                assert visit(HOST, host_address(version), 8080, server) == host_address(version)
                assert visit("third", host_address(version), 8080, server) == address("client", version, True)
                seen = visit("second", host_address(version), 8080, server, wait=0.4)
                assert seen == (address("second", version) if isolation == "none" else None)

    sandboxed(check)


# -- the address to hide behind


def test_snat_to(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        second = ("198.51.100.9", "2001:db8:1::9")
        with pytest.raises(StateError) as caught:
            nat.resolve([replaced(snat_to=second)], [], Machine())
        lost = "nat lab: snat_to: 198.51.100.9 is no address of up0, so answers would get lost: give it to up0 first"
        assert str(caught.value) == lost
        sh("ip", "address", "add", f"{second[0]}/24", "dev", "up0")
        sh("ip", "address", "add", f"{second[1]}/64", "dev", "up0", "nodad")
        put(replaced(snat_to=second))
        assert [reach("client", "outside", version) for version in VERSIONS] == [*second]
        put(replaced(snat_to=second[:1], masquerade=False))
        assert [reach("client", "outside", version) for version in VERSIONS] == [second[0], address("client", "6")]

    sandboxed(check)


# -- what others may not switch off


class Booted(Machine):
    """Where systemd-sysctl is for this namespace."""

    def reads_drop_ins(self, netns: str) -> bool:
        return True


def test_a_file_for_systemd_sysctl_says_what_was_switched_on(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        path = "/run/sysctl.d/zz-linuxnet-netns-lab.conf"
        wanted, gone = nat.resolve([lab(web("4"))], [], Booted())
        (file,) = (record for record in wanted if isinstance(record, SysctlFile))
        assert (file.path, gone) == (path, [])
        mark, *lines = t.cast(str, file.text).splitlines()
        assert mark == "# Written by linuxnet.netns for network lab, goes with it."
        switches = {line: f"-{record.path} = {record.value}" for line, record in zip(lines, (r for r in wanted if isinstance(r, Sysctl)))}
        assert [*switches] == [*switches.values()]
        assert "-net/ipv4/conf/br-lab/route_localnet = 1" in lines
        assert "-net/ipv4/conf/up0/forwarding = 1" in lines
        # sysctl(8) understands it, and goes on where a device is gone
        apply([lab(web("4"))], host=Machine())
        pathlib.Path("/run/lines.conf").write_text(t.cast(str, file.text), encoding="ascii")
        write("net/ipv4/ip_forward", "0")
        sh("ip", "link", "delete", "br-lab")
        subprocess.run(["sysctl", "-q", "-p", "/run/lines.conf"], stderr=subprocess.DEVNULL, check=False)
        assert read("net/ipv4/conf/up0/forwarding") == "1"

    sandboxed(check)


def test_no_file_where_nothing_was_switched_on(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        write("net/ipv4/ip_forward", "1")
        write("net/ipv6/conf/all/forwarding", "1")
        gone = SysctlFile("/run/sysctl.d/zz-linuxnet-netns-lab.conf")
        wanted, absent = nat.resolve([LAB], [], Booted())
        assert not [record for record in wanted if isinstance(record, SysctlFile)]
        assert absent == [gone]
        assert nat.resolve([], [LAB], Booted())[1] == [gone, Table(HOST, "inet", "linuxnet_lab")]

    sandboxed(check)


# -- options


def given(*publish: t.Mapping[str, t.Any], **more: t.Any) -> dict[str, t.Any]:
    return {"name": "lab", "subnets": ["10.77.0.0/24", "fd77::/64"], "interface": "br-lab", "publish": [*publish], **more}


def port(**more: t.Any) -> dict[str, t.Any]:
    return {"host_port": "80", "to_address": "10.77.0.16", **more}


def test_options_as_records() -> None:
    items = (port(), port(protocol="udp", host_port="90-99", to_port="190-199"), port(host_port=8080, host_address="0.0.0.0"))
    assert options_nat.nat(given(*items), True).publish == (
        Publish("tcp", 80, 80, "10.77.0.16", 80),
        Publish("udp", 90, 99, "10.77.0.16", 190),
        Publish("tcp", 8080, 8080, "10.77.0.16", 8080),
    )


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        (given(port(host_port="0")), "publish[0].host_port: '0' is neither a port from 1 to 65535 nor a range of them, such as 8000-8010"),
        (given(port(host_port="90-80")), "publish[0].host_port: '90-80' is neither a port"),
        (given(port(host_port="http")), "publish[0].host_port: 'http' is neither a port"),
        (given(port(), port(host_port="81", to_port="80-")), "publish[1].to_port: '80-' is neither a port"),
        (given(port(to_port="80-81")), "publish[0].to_port: 80-81 are not as many ports as host_port 80: give as many"),
        (given(port(to_address="10.78.0.16")), "publish[0].to_address: 10.78.0.16 is in none of the subnets 10.77.0.0/24, fd77::/64"),
        (given(port(to_address="web")), "publish[0].to_address: 'web' is not an IP address"),
        (given(port(host_address="fd77::1")), "publish[0].host_address: fd77::1 and to_address 10.77.0.16 are of different families"),
        (given(port(host_address="::1", to_address="fd77::10")), "publish[0].host_address: what is sent to ::1 stays on lo"),
        (given(port(host_address="224.0.0.1")), "publish[0].host_address: 224.0.0.1 is a multicast address"),
        (given(port(), port(host_port="70-90")), "publish[0] and publish[1] both publish tcp port 70-90: remove one of them"),
        (given(port(host_address="192.0.2.1"), port()), "publish[0] and publish[1] both publish tcp port 80 of 192.0.2.1: remove one"),
        (given(snat_to=["192.0.2.1", "192.0.2.2"]), "snat_to: 192.0.2.2 is the second address of IPv4: give one of each family at most"),
        (given(snat_to=["192.0.2.1/24"]), "snat_to: '192.0.2.1/24' is not an IP address (without prefix length)"),
        ({**given(snat_to=["2001:db8::1"]), "subnets": ["10.77.0.0/24"]}, "snat_to: none of the subnets is of the family of 2001:db8::1"),
    ],
)
def test_refused_options(item: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        options_nat.nat(item, True)
    assert str(caught.value).startswith(sentence)


def test_a_thousand_ports_are_compared_with_each_other_quickly() -> None:
    many = [port(host_port=str(1000 + number)) for number in range(1000)]
    begun = time.process_time()
    assert len(options_nat.nat(given(*many), True).publish) == 1000
    assert time.process_time() - begun < 1


def test_one_map_a_protocol() -> None:
    side = nat_publish  # the maps do not grow in number with the ports
    from ansible_collections.linuxnet.netns.plugins.module_utils._engine.nat_text import Side

    ports = tuple(Publish("tcp", port, port, "10.77.0.16", 80) for port in range(1000, 2000))
    lines = side.maps(Side("4", ("10.77.0.0/24",), "br-lab", "up0", frozenset(), frozenset(), publish=ports))
    assert [line.strip() for line in lines if line.startswith("  map")] == ["map tcp4 {"]
