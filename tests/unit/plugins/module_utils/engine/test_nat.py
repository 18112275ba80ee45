# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NATed networks with real traffic: a server says from which address it was reached, and who must not get through does not.

::

    client  10.77.0.16 -- br-lab --+
    second  10.78.0.16 -- br-two --+ router +-- up0 -- 198.51.100.2  outside
    other   10.99.0.16 --   oth0 --+        +-- up1 -- 203.0.113.2   elsewhere
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import pathlib
import socket
import struct
import subprocess
import time
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import namespaces, nat, nftables
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError, StateError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.record import Resource
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources import Sysctl
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_nat import Nat, Table
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.values import HOST

Sandbox = t.Callable[[t.Callable[[], t.Any]], None]

LAB = Nat(HOST, "lab", ("10.77.0.0/24", "fd77::/64"), "br-lab", "auto")
TWO = Nat(HOST, "two", ("10.78.0.0/24", "fd78::/64"), "br-two", "up0")

# namespace, the router's device, whether that is a bridge, IPv4 and IPv6 network (router is 1), host part in the namespace
ENDS = (
    ("client", "br-lab", True, "10.77.0.0/24", "fd77::/64", 16),
    ("second", "br-two", True, "10.78.0.0/24", "fd78::/64", 16),
    ("other", "oth0", False, "10.99.0.0/24", "fd99::/64", 16),
    ("outside", "up0", False, "198.51.100.0/24", "2001:db8:1::/64", 2),
    ("elsewhere", "up1", False, "203.0.113.0/24", "2001:db8:2::/64", 2),
)
VERSIONS = ("4", "6")


def address(end: str, version: str, router: bool = False) -> str:
    row = next(row for row in ENDS if row[0] == end)
    return str(ipaddress.ip_network(row[3 if version == "4" else 4])[1 if router else row[5]])


# -- a network of our own


def sh(*command: str) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}"
    return done.stdout


def read(path: str) -> str | None:
    file = pathlib.Path("/proc/sys", path)
    return file.read_text(encoding="ascii").strip() if file.exists() else None


def write(path: str, value: str) -> None:
    pathlib.Path("/proc/sys", path).write_text(value, encoding="ascii")


def build(*names: str) -> None:
    """The named ends, each with the router as its default gateway; the router's default gateway is the outside."""
    write("net/ipv4/ip_forward", "0")
    write("net/ipv6/conf/all/forwarding", "0")
    write("net/ipv6/conf/default/accept_dad", "0")
    for name, device, bridge, four, six, _host in ENDS:
        if name not in names:
            continue
        port = f"p-{device}" if bridge else device
        sh("ip", "netns", "add", name)
        sh("ip", "netns", "exec", name, "sysctl", "-q", "net.ipv6.conf.default.accept_dad=0")
        sh("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name)
        if bridge:
            sh("ip", "link", "add", device, "type", "bridge", "forward_delay", "0")
            sh("ip", "link", "set", port, "master", device, "up")
        for version, network in (("4", four), ("6", six)):
            length = network.split("/")[1]
            sh("ip", "address", "add", f"{address(name, version, True)}/{length}", "dev", device)
            sh("ip", "-n", name, "address", "add", f"{address(name, version)}/{length}", "dev", "eth0")
        sh("ip", "link", "set", device, "up")
        sh("ip", "-n", name, "link", "set", "eth0", "up")
        for version in VERSIONS:
            sh("ip", f"-{version}", "-n", name, "route", "add", "default", "via", address(name, version, True))
    for name in names:
        for version in VERSIONS:
            settle(name, address(name, version, True))
    for version in VERSIONS if "outside" in names else ():
        sh("ip", f"-{version}", "route", "add", "default", "via", address("outside", version))


@contextlib.contextmanager
def inside(netns: str) -> t.Iterator[None]:
    fd = namespaces.open_reference(netns)
    with namespaces.entered(fd):
        yield
    os.close(fd)


def sockets(source: str, target: str, version: str, kind: socket.SocketKind) -> tuple[socket.socket, socket.socket]:
    """One socket in each namespace, the second bound to the address of ``target``."""
    family = socket.AF_INET if version == "4" else socket.AF_INET6
    with inside(source):
        client = socket.socket(family, kind)
    with inside(target):
        server = socket.socket(family, kind)
    server.bind((address(target, version), 0))
    return client, server


def reach(source: str, target: str, version: str = "4", wait: float = 3) -> str | None:
    """The address that a TCP server in ``target`` sees when reached from ``source``; None where nothing gets through."""
    client, server = sockets(source, target, version, socket.SOCK_STREAM)
    with server, client:
        server.listen(1)
        client.settimeout(wait)
        try:
            client.connect(server.getsockname()[:2])
        except OSError:
            return None
        server.settimeout(3)
        connection, peer = server.accept()
        connection.close()
        return str(peer[0])


def blocked(source: str, target: str) -> bool:
    """Whether no connection can be made, by neither version of IP."""
    return [reach(source, target, version, wait=0.4) for version in VERSIONS] == [None, None]


def delivered(source: str, target: str, version: str, wait: float) -> bool:
    """Whether a single datagram arrives: it needs no way back, so only one device has to forward."""
    client, server = sockets(source, target, version, socket.SOCK_DGRAM)
    with server, client:
        server.settimeout(wait)
        try:
            client.sendto(b"through", server.getsockname()[:2])
            return server.recv(16) == b"through"
        except OSError:
            return False


def settle(netns: str, target: str) -> None:
    """Wait until a neighbour answers, if only by refusing."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with inside(netns):
            client = socket.socket(socket.AF_INET6 if ":" in target else socket.AF_INET)
        with client:
            client.settimeout(0.5)
            try:
                client.connect((target, 9))
            except ConnectionRefusedError:
                return
            except OSError:
                time.sleep(0.05)
    raise AssertionError(f"{target} does not answer {netns}")


class Kernel:
    """This machine, looked at with iproute2 and /proc."""

    def default_device(self, netns: str, family: str) -> str | None:
        found = json.loads(sh("ip", "-json", f"-{family[-1]}", "route", "show", "default") or "[]")
        return str(found[0]["dev"]) if found else None

    def sysctl(self, netns: str, path: str) -> str | None:
        return read(path)

    def tables(self, netns: str) -> list[tuple[str, str]]:
        return nftables.tables(netns)

    def live_table(self, netns: str, family: str, table: str) -> Table | None:
        return nftables.live(netns, family, table)

    def reads_drop_ins(self, netns: str) -> bool:
        return False

    def canonical(self, text: str) -> str:
        return nftables.canonical(text)


class OldKernel(Kernel):
    """Before Linux 6.17: IPv6 forwarding is for the whole host or not at all."""

    def sysctl(self, netns: str, path: str) -> str | None:
        return None if path.endswith("/force_forwarding") else super().sysctl(netns, path)


def write_all(records: t.Iterable[Resource]) -> None:
    for record in records:
        if isinstance(record, Sysctl):
            write(record.path, str(record.value))


def apply(present: t.Sequence[Nat], absent: t.Sequence[Nat] = (), host: nat.Host | None = None) -> None:
    wanted, gone = nat.resolve(present, absent, host or Kernel())
    for record in wanted:
        if isinstance(record, Table):
            nftables.replace(HOST, record)
    write_all(wanted)
    for record in gone:
        assert isinstance(record, Table)
        nftables.remove(HOST, record.family, record.table)


def left_to_do(present: t.Sequence[Nat], host: nat.Host | None = None) -> list[str]:
    """What a second run would change."""
    found = []
    for record in nat.resolve(present, [], host or Kernel())[0]:
        if isinstance(record, Table):
            live = nftables.live(HOST, record.family, record.table)
            if live is None or live.ruleset != record.ruleset:
                found.append(record.name)
        elif isinstance(record, Sysctl) and read(record.path) != record.value:
            found.append(record.path)
    return found


def switched_on() -> list[str]:
    """Every forwarding switch of the router that is on."""
    root = pathlib.Path("/proc/sys/net")
    switches = [*root.glob("ipv4/conf/*/forwarding"), *root.glob("ipv6/conf/*/forwarding"), *root.glob("ipv6/conf/*/force_forwarding")]
    return sorted(str(path.relative_to(root)) for path in switches if path.read_text(encoding="ascii").strip() != "0")


needs_force_forwarding = pytest.mark.skipif(
    not os.path.exists("/proc/sys/net/ipv6/conf/all/force_forwarding"), reason="this kernel has no force_forwarding (Linux 6.17)"
)


# -- without a kernel


class Nowhere:
    """A host with nothing on it."""

    def __init__(self, devices: t.Mapping[str, str] | None = None, values: t.Mapping[str, str] | None = None) -> None:
        self.devices, self.values = devices or {}, values or {}

    def default_device(self, netns: str, family: str) -> str | None:
        return self.devices.get(family)

    def sysctl(self, netns: str, path: str) -> str | None:
        if path.endswith(("/all/forwarding", "/force_forwarding")):
            return self.values.get(path, "0")
        return self.values.get(path)

    def tables(self, netns: str) -> list[tuple[str, str]]:
        return []

    def live_table(self, netns: str, family: str, table: str) -> Table | None:
        return None

    def reads_drop_ins(self, netns: str) -> bool:
        return False

    def canonical(self, text: str) -> str:
        return text


def test_names_of_networks() -> None:
    assert nat.table_name("a.b-c_D9") == "linuxnet_a.b-c_D9"
    for name in ("", "a b", "a/b", "ä", "a" * 65, 'x"', "a\n"):
        with pytest.raises(InputError, match="^name: .* cannot name a network: use 1 to 64 letters"):
            nat.table_name(name)


def replaced(**fields: t.Any) -> Nat:
    return Nat(**{**{name: getattr(LAB, name) for name in ("netns", "network", "subnets", "interface", "uplink")}, **fields})


@pytest.mark.parametrize(
    ("wanted", "devices", "error", "sentence"),
    [
        (LAB, {}, StateError, "nat lab: uplink: auto finds no default route on the host: name the uplink or add a default route"),
        (replaced(netns="r"), {}, StateError, "nat lab: uplink: auto finds no default route in namespace 'r': name the uplink or add"),
        (LAB, {"ipv4": "br-lab"}, StateError, "nat lab: uplink: auto finds br-lab, which is the interface too: name the device"),
        (replaced(uplink="br-lab"), {}, InputError, "nat lab: uplink: br-lab is the interface too: name the device that leads outside"),
        (replaced(uplink="eth*"), {}, InputError, "nat lab: uplink: 'eth*' cannot be named in an nftables rule because of *"),
        (replaced(subnets=()), {}, InputError, "nat lab: subnets and interface: both are needed"),
        (replaced(interface=None), {}, InputError, "nat lab: subnets and interface: both are needed"),
    ],
)
def test_refusals(wanted: Nat, devices: dict[str, str], error: type[Exception], sentence: str) -> None:
    with pytest.raises(error) as caught:
        nat.resolve_present(wanted, Nowhere(devices))
    assert str(caught.value).startswith(sentence)


def test_without_ipv6() -> None:
    class NoSix(Nowhere):
        def sysctl(self, netns: str, path: str) -> str | None:
            return None if "ipv6" in path else super().sysctl(netns, path)

    with pytest.raises(StateError, match="^nat lab: subnets: fd77::/64 cannot be used: this host has no IPv6$"):
        nat.resolve_present(LAB, NoSix({"ipv4": "up0"}))
    assert [record.name for record in nat.resolve_present(replaced(subnets=("10.77.0.0/24",)), NoSix({"ipv4": "up0"}))] == [
        "inet linuxnet_lab",
        "net.ipv4.conf.br-lab.forwarding",
        "net.ipv4.conf.up0.forwarding",
    ]


def uplinks(wanted: Nat, devices: dict[str, str]) -> dict[str, str]:
    """Version -> device, from the sysctls."""
    records = nat.resolve_present(wanted, Nowhere(devices))
    paths = [record.path.split("/") for record in records if isinstance(record, Sysctl)]
    return {path[1]: path[3] for path in paths if path[3] != "br-lab"}


def test_auto_follows_each_default_route() -> None:
    assert uplinks(LAB, {"ipv4": "up0", "ipv6": "up1"}) == {"ipv4": "up0", "ipv6": "up1"}
    assert uplinks(LAB, {"ipv4": "up0"}) == {"ipv4": "up0", "ipv6": "up0"}
    assert uplinks(replaced(uplink="up2"), {"ipv4": "up0"}) == {"ipv4": "up2", "ipv6": "up2"}
    with pytest.raises(StateError):
        uplinks(LAB, {"ipv6": "up1"})


# -- traffic


def test_masquerade_both_versions_and_nothing_left_to_do(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        assert blocked("client", "outside")
        assert switched_on() == []
        apply([LAB])
        assert [reach("client", "outside", version) for version in VERSIONS] == [address("outside", version, True) for version in VERSIONS]
        assert left_to_do([LAB]) == []
        apply([LAB])
        assert left_to_do([LAB]) == []
        assert [reach("client", "outside", version) for version in VERSIONS] == [address("outside", version, True) for version in VERSIONS]

    sandboxed(check)


@needs_force_forwarding
def test_only_these_devices_are_switched_on_and_off_again(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "other", "outside")
        apply([LAB])
        assert switched_on() == [
            "ipv4/conf/br-lab/forwarding",
            "ipv4/conf/up0/forwarding",
            "ipv6/conf/br-lab/force_forwarding",
            "ipv6/conf/up0/force_forwarding",
        ]
        apply([], [Nat(HOST, "lab")])
        assert switched_on() == []
        assert nftables.tables(HOST) == []
        assert nat.resolve_absent(Nat(HOST, "lab"), Kernel())[0] == []

    sandboxed(check)


def test_without_masquerade_the_inside_address_is_seen(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        routed = replaced(masquerade=False)
        apply([routed])
        assert [reach("client", "outside", version) for version in VERSIONS] == [address("client", version) for version in VERSIONS]
        assert blocked("outside", "client")
        assert left_to_do([routed]) == []

    sandboxed(check)


def test_what_stays_among_the_subnets_is_not_masqueraded(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        wide = replaced(subnets=(*LAB.subnets, "198.51.100.0/24", "2001:db8:1::/64"))
        apply([wide])
        assert [reach("client", "outside", version) for version in VERSIONS] == [address("client", version) for version in VERSIONS]
        assert left_to_do([wide]) == []

    sandboxed(check)


def test_one_version_only(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        apply([replaced(subnets=("fd77::/64",))])
        assert reach("client", "outside", "6") == address("outside", "6", True)
        assert reach("client", "outside", "4", wait=0.4) is None
        assert not [path for path in switched_on() if path.startswith("ipv4")]

    sandboxed(check)


# -- what was closed stays closed, what was open stays open


def crossings(wait: float) -> set[bool]:
    """Whether datagrams go the ways that a NATed network has no need of."""
    pairs = (("outside", "other"), ("other", "outside"), ("outside", "client"), ("client", "other"), ("other", "client"))
    return {delivered(source, target, version, wait) for source, target in pairs for version in VERSIONS}


def delivered_anyhow(source: str, target: str) -> bool:
    return any(delivered(source, target, version, 0.3) for version in VERSIONS)


@pytest.mark.parametrize("host", [Kernel(), OldKernel()], ids=["per device", "whole host"])
def test_what_was_closed_stays_closed(sandboxed: Sandbox, host: Kernel) -> None:
    def check() -> None:
        build("client", "other", "outside")
        assert crossings(0.3) == {False}
        apply([LAB], host=host)
        assert left_to_do([LAB], host) == []
        assert crossings(0.3) == {False}
        assert [reach("client", "outside", version) for version in VERSIONS] == [address("outside", version, True) for version in VERSIONS]
        # It is the guard that does it: without the table, and with forwarding as it was left, there is a way.
        nftables.remove(HOST, "inet", "linuxnet_lab")
        for source, target in (("outside", "other"), ("outside", "client"), ("client", "other")):
            assert all(delivered(source, target, version, 3) for version in VERSIONS)

    sandboxed(check)


def test_what_was_open_stays_open(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "other", "outside")
        write("net/ipv4/ip_forward", "1")
        write("net/ipv6/conf/all/forwarding", "1")
        before = switched_on()
        assert crossings(3) == {True}
        apply([LAB])
        assert (crossings(3), switched_on()) == ({True}, before)
        assert "guard" not in sh("nft", "list", "ruleset")
        assert left_to_do([LAB]) == []
        apply([], [LAB])
        assert (crossings(3), switched_on()) == ({True}, before)

    sandboxed(check)


def test_somebody_opens_the_host_later(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "other", "outside")
        apply([LAB])
        write("net/ipv4/ip_forward", "1")
        write("net/ipv6/conf/all/forwarding", "1")
        assert left_to_do([LAB]) == ["inet linuxnet_lab"]
        apply([LAB])
        assert left_to_do([LAB]) == []
        assert [reach("outside", "other", version) for version in VERSIONS] == [address("outside", version) for version in VERSIONS]
        apply([], [LAB])
        assert [read("net/ipv4/conf/up0/forwarding"), read("net/ipv6/conf/all/forwarding")] == ["1", "1"]

    sandboxed(check)


def test_a_device_closed_on_an_open_host(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "other", "outside")
        write("net/ipv4/ip_forward", "1")
        write("net/ipv4/conf/up0/forwarding", "0")
        apply([LAB])
        assert left_to_do([LAB]) == []
        assert reach("client", "outside") == address("outside", "4", True)
        assert not delivered("outside", "other", "4", 0.3)
        # What comes in by the network's own device was open before.
        assert reach("client", "other") == address("client", "4")
        apply([], [LAB])
        assert [read(f"net/ipv4/conf/{device}/forwarding") for device in ("up0", "br-lab", "all")] == ["0", "1", "1"]

    sandboxed(check)


# -- several networks


@pytest.mark.parametrize("together", [False, True], ids=["one by one", "in one run"])
@pytest.mark.parametrize("order", [(LAB, TWO), (TWO, LAB)], ids=["lab first", "two first"])
def test_two_networks_on_one_uplink(sandboxed: Sandbox, order: tuple[Nat, Nat], together: bool) -> None:
    def check() -> None:
        build("client", "second", "other", "outside")
        for group in [[LAB, TWO]] if together else [[LAB], [TWO]]:
            apply(group)
        assert left_to_do([LAB, TWO]) == []
        for version in VERSIONS:
            assert reach("client", "outside", version) == reach("second", "outside", version) == address("outside", version, True)
        assert blocked("client", "second")
        assert not delivered_anyhow("outside", "other")
        if together:
            apply([], order)
            assert switched_on() == []
            return
        first, last = order
        apply([], [first])
        gone, stays = ("client", "second") if first is LAB else ("second", "client")
        for version in VERSIONS:
            assert reach(stays, "outside", version) == address("outside", version, True)
        assert blocked(gone, "outside")
        assert not delivered_anyhow("outside", "other")
        assert left_to_do([last]) == []
        apply([], [last])
        assert switched_on() == []
        assert nftables.tables(HOST) == []

    sandboxed(check)


def test_one_comes_and_one_goes_in_the_same_run(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "second", "other", "outside")
        apply([LAB])
        apply([TWO], [LAB])
        assert left_to_do([TWO]) == []
        assert [reach("second", "outside", version) for version in VERSIONS] == [address("outside", version, True) for version in VERSIONS]
        assert blocked("outside", "other")
        assert not [path for path in switched_on() if "br-lab" in path]
        apply([], [TWO])
        assert switched_on() == []

    sandboxed(check)


@pytest.mark.parametrize("inner_first", [False, True])
def test_a_network_behind_another(sandboxed: Sandbox, inner_first: bool) -> None:
    """The inner one's guard holds the device that the outer one needs: only the mark lets them agree."""

    def check() -> None:
        build("client", "second", "other", "outside")
        inner = replaced(uplink="br-two")
        for network in (inner, TWO) if inner_first else (TWO, inner):
            apply([network])
        assert left_to_do([inner, TWO]) == []
        for version in VERSIONS:
            assert reach("second", "outside", version) == address("outside", version, True)
            assert reach("client", "second", version) == address("second", version, True)
        assert blocked("client", "outside")
        assert not delivered_anyhow("second", "other")

    sandboxed(check)


def test_two_networks_on_one_bridge(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        sh("ip", "address", "add", "10.88.0.1/24", "dev", "br-lab")
        sh("ip", "-n", "client", "address", "add", "10.88.0.10/24", "dev", "eth0")
        more = Nat(HOST, "more", ("10.88.0.0/24",), "br-lab", "auto")
        apply([LAB])
        sh("ip", "-n", "client", "route", "replace", "default", "via", "10.88.0.1", "src", "10.88.0.10")
        assert reach("client", "outside", wait=0.4) is None
        apply([more])
        assert reach("client", "outside") == address("outside", "4", True)
        apply([], [LAB])
        assert reach("client", "outside") == address("outside", "4", True)
        sh("ip", "-n", "client", "route", "replace", "default", "via", "10.77.0.1", "src", "10.77.0.16")
        assert reach("client", "outside", wait=0.4) is None

    sandboxed(check)


def test_marks_do_not_leave_the_forward_hook(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        apply([LAB])
        look = "table inet look { chain c { type filter hook postrouting priority 0; oifname up0 ct state new meta mark 0 counter; %s; }; }"
        sh("bash", "-c", f"echo '{look % 'oifname up0 ct state new meta mark != 0 counter'}' | nft -f -")
        assert reach("client", "outside") == address("outside", "4", True)
        listed = json.loads(sh("nft", "-j", "list", "table", "inet", "look"))["nftables"]
        rules = [entry["rule"]["expr"] for entry in listed if "rule" in entry]
        counts = [part["counter"]["packets"] for rule in rules for part in rule if "counter" in part]
        assert counts[0] > 0
        assert counts[1] == 0

    sandboxed(check)


# -- changes from elsewhere, and to the wish


def test_drift_is_seen_and_others_are_left_alone(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        sh("nft", "add table inet theirs; add chain inet theirs c { type filter hook forward priority 0; }; add rule inet theirs c counter")
        theirs = sh("nft", "-a", "list", "table", "inet", "theirs")
        apply([LAB])
        sh("nft", "insert", "rule", "inet", "linuxnet_lab", "guard", "accept")
        assert left_to_do([LAB]) == ["inet linuxnet_lab"]
        apply([LAB])
        assert left_to_do([LAB]) == []
        sh("nft", "flush", "set", "inet", "linuxnet_lab", "inside4")
        assert left_to_do([LAB]) == ["inet linuxnet_lab"]
        apply([LAB])
        write("net/ipv4/conf/up0/forwarding", "0")
        assert left_to_do([LAB]) == ["net/ipv4/conf/up0/forwarding"]
        apply([], [LAB])
        assert sh("nft", "-a", "list", "ruleset") == theirs

    sandboxed(check)


def test_another_uplink(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "other", "outside", "elsewhere")
        apply([LAB])
        apply([replaced(uplink="up1")])
        assert left_to_do([replaced(uplink="up1")]) == []
        for version in VERSIONS:
            assert reach("client", "elsewhere", version) == address("elsewhere", version, True)
        assert blocked("client", "outside")
        assert not delivered_anyhow("outside", "other")
        assert not delivered_anyhow("elsewhere", "other")
        assert not [path for path in switched_on() if "up0" in path]
        apply([], [LAB])
        assert switched_on() == []

    sandboxed(check)


def test_the_interface_comes_later(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        sh("ip", "link", "del", "br-lab")
        wanted = nat.resolve_present(LAB, Kernel())
        sh("ip", "link", "add", "br-lab", "type", "bridge")
        for record in wanted:
            if isinstance(record, Table):
                nftables.replace(HOST, record)
        write_all(wanted)
        assert left_to_do([LAB]) == []
        apply([], [LAB])
        assert switched_on() == []

    sandboxed(check)


def test_removal_when_the_interface_is_gone(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        apply([LAB])
        sh("ip", "link", "del", "br-lab")
        apply([], [LAB])
        assert switched_on() == []
        assert nftables.tables(HOST) == []

    sandboxed(check)


# -- IPv6 for the whole host


def advertise(netns: str) -> None:
    """One router advertisement to all nodes: RFC 4861, 4.2."""
    with inside(netns):
        sender = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        index = socket.if_nametoindex("eth0")
    with sender:
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        sender.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0), ("ff02::1", 0, 0, index))


def advertised_routes() -> list[str]:
    routes = json.loads(sh("ip", "-6", "-json", "route", "show", "default", "proto", "ra") or "[]")
    return [str(route["dev"]) for route in routes]


def learn_default_route() -> None:
    sh("ip", "-6", "route", "del", "default")
    sh("ip", "netns", "exec", "outside", "sysctl", "-q", "net.ipv6.conf.eth0.forwarding=1")
    deadline = time.monotonic() + 5
    while not advertised_routes() and time.monotonic() < deadline:
        advertise("outside")
        time.sleep(0.05)
    assert advertised_routes() == ["up0"]


def test_the_advertised_default_route_survives(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "other", "outside")
        learn_default_route()
        apply([LAB], host=OldKernel())
        assert read("net/ipv6/conf/all/forwarding") == "1"
        assert read("net/ipv6/conf/up0/accept_ra") == "2"
        assert advertised_routes() == ["up0"]
        assert left_to_do([LAB], OldKernel()) == []
        assert reach("client", "outside", "6") == address("outside", "6", True)
        apply([replaced(network="two")], host=OldKernel())
        apply([], [LAB], host=OldKernel())
        assert read("net/ipv6/conf/up0/accept_ra") == "2"
        apply([], [replaced(network="two")], host=OldKernel())
        assert read("net/ipv6/conf/up0/accept_ra") == "1"
        assert advertised_routes() == ["up0"]
        assert switched_on() == []

    sandboxed(check)


def test_the_default_route_is_lost_without_it(sandboxed: Sandbox) -> None:
    """What the test above guards against does happen on this kernel."""

    def check() -> None:
        build("outside")
        learn_default_route()
        write("net/ipv6/conf/all/forwarding", "1")
        assert advertised_routes() == []

    sandboxed(check)


@needs_force_forwarding
def test_per_device_forwarding_keeps_the_advertised_route(sandboxed: Sandbox) -> None:
    def check() -> None:
        build("client", "outside")
        learn_default_route()
        apply([LAB])
        assert read("net/ipv6/conf/up0/accept_ra") == "1"
        sh("ip", "-6", "route", "del", "default", "proto", "ra")
        advertise("outside")
        time.sleep(0.2)
        assert advertised_routes() == ["up0"]

    sandboxed(check)


# -- bridges whose frames pass the forward chains


@pytest.mark.skipif(not os.path.exists("/proc/sys/net/bridge"), reason="this kernel has no br_netfilter")
@pytest.mark.parametrize("host", [Kernel(), OldKernel()], ids=["per device", "whole host"])
def test_bridged_frames_are_not_guarded(sandboxed: Sandbox, host: Kernel) -> None:
    def check() -> None:
        build("client", "second", "outside")
        for bridge, name, network in (("br-lab", "third", 7), ("br-two", "fourth", 8)):
            sh("ip", "netns", "add", name)
            sh("ip", "netns", "exec", name, "sysctl", "-q", "net.ipv6.conf.default.accept_dad=0")
            sh("ip", "link", "add", f"p-{name}", "master", bridge, "up", "type", "veth", "peer", "name", "eth0", "netns", name)
            sh("ip", "-n", name, "link", "set", "eth0", "up")
            sh("ip", "-n", name, "address", "add", f"10.7{network}.0.99/24", "dev", "eth0")
            sh("ip", "-n", name, "address", "add", f"fd7{network}::99/64", "dev", "eth0")
        for source, target in (("third", "client"), ("fourth", "second")):
            for version in VERSIONS:
                settle(source, address(target, version))
        write("net/bridge/bridge-nf-call-iptables", "1")
        write("net/bridge/bridge-nf-call-ip6tables", "1")
        apply([LAB], host=host)
        assert left_to_do([LAB], host) == []
        assert [reach("third", "client"), reach("third", "client", "6")] == ["10.77.0.99", "fd77::99"]
        assert [reach("fourth", "second"), reach("fourth", "second", "6")] == ["10.78.0.99", "fd78::99"]
        assert blocked("client", "second")
        assert [reach("client", "outside", version) for version in VERSIONS] == [address("outside", version, True) for version in VERSIONS]
        # Without the exception they would be: the frames do come through the chain.
        live = nftables.live(HOST, "inet", "linuxnet_lab")
        assert live is not None
        lines = [line for line in live.text.splitlines(keepends=True) if 'iifkind "bridge"' not in line]
        nftables.replace(HOST, Table(HOST, "inet", "linuxnet_lab", text="".join(lines)))
        assert blocked("third", "client")

    sandboxed(check)
