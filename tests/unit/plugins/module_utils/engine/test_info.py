# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A world made by iproute2 is told in the words of options, and asked for in these words it is there already."""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import typing as t

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import (
    info,
    ip_messages,
    kinds,
    options,
    rtnetlink,
    store,
    transaction,
    values,
)
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import MissingLibrary, StateError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.host import Host

Sandbox = t.Callable[[t.Callable[[], t.Any]], None]

EVERYTHING = ("namespaces", "links", "addresses", "routes", "rules")
PARTS = (*EVERYTHING, "nat")

WORLD = """
netns add blue
netns add red
-n blue link set lo up
-n red link set lo up
link add br0 type bridge stp_state 1 forward_delay 400
link add br1 mtu 1400 address 02:00:5e:10:00:01 type bridge
link add eth0 netns blue type veth peer name blue0
link add eth0 netns red type veth peer name red0
-n blue link add cross type veth peer name cross netns red
-n red link add near type veth peer name far
link set blue0 master br0 up
link set red0 master br0 up alias to-red
link set br0 up
-n blue link set eth0 up mtu 1400 address 02:00:5e:10:00:02
-n red link set eth0 up
-n red link set near up
-n blue link add br7 up type bridge ageing_time 12000
addr add 192.0.2.1/24 dev br0
-n blue addr add 192.0.2.2/24 broadcast + dev eth0 label eth0:x
-n blue addr add 198.18.9.3/24 dev eth0 scope link metric 7
-n blue addr add 198.18.0.1 peer 198.18.0.2/32 dev eth0 noprefixroute
-n blue addr add 198.18.7.1/24 dev eth0 valid_lft 5000 preferred_lft 4000
-n blue addr add 198.18.8.1/24 dev eth0 preferred_lft 0
-n blue addr add 2001:db8::2/64 dev eth0 nodad
-n blue addr add 2001:db8:5::2/64 dev eth0 nodad preferred_lft 0 noprefixroute home mngtmpaddr
-n blue addr add 10.255.0.1/32 dev lo
-n blue addr add ::ffff:10.0.0.1/128 dev eth0 nodad
-n red addr add 192.0.2.4/24 dev eth0
-n red addr add 198.51.100.4/24 dev near
-n blue route add default via 192.0.2.1
-n blue route add default via 192.0.2.1 metric 50 mtu 1300 advmss 1200 src 192.0.2.2
-n blue route add 203.0.113.0/24 dev eth0 table 300
-n blue route add 203.0.113.0/24 via 192.0.2.1 proto bgp
-n blue route add 203.0.114.0/24 via 10.9.9.9 dev eth0 onlink
-n blue route add 203.0.115.0/24 via inet6 2001:db8::1 dev eth0
-n blue route add blackhole 203.0.116.0/24
-n blue route add unreachable default metric 4278198272
-n blue route add prohibit 203.0.117.0/24 table 70000
-n blue route add throw 203.0.118.0/24 table 70000
-n blue route add default via 2001:db8::1 dev eth0
-n blue route add 2001:db8:9::/48 via fe80::1 dev eth0 metric 5 mtu 1350
-n blue route add unreachable ::ffff:0.0.0.0/96
-n blue route add 2001:db8:a::/48 nexthop via 2001:db8::7 dev eth0 weight 2 nexthop via 2001:db8::8 dev eth0
-n red route add 203.0.113.0/24 nexthop via 192.0.2.1 weight 3 nexthop via 198.51.100.1
-n blue rule add priority 100 from 192.0.2.0/24 to 198.51.100.1 iif eth0 lookup 300
-n blue rule add priority 100 from 192.0.2.0/24 fwmark 7/0xf tos 0x10 lookup 300
-n blue rule add priority 101 not ipproto tcp sport 53 dport 1000-2000 lookup 70000 suppress_prefixlength 8
-n blue -6 rule add priority 102 uidrange 5-6 oif eth0 prohibit
-n red rule add priority 103 fwmark 9 lookup main
rule add priority 104 from 192.0.2.99 unreachable
"""


def ip(*command: str) -> t.Any:
    said = subprocess.run(["ip", "-json", *command], stdout=subprocess.PIPE, check=True).stdout
    return json.loads(said or "[]")


def make(world: str) -> None:
    lines = [re.fullmatch(r"((?:-n \w+ |-6 )*)(.*)", line.strip()).groups() for line in world.strip().splitlines()]
    for where, group in itertools.groupby(lines, key=lambda line: line[0]):
        batch = "".join(f"{command}\n" for _where, command in group)
        subprocess.run(["ip", *where.split(), "-batch", "-"], input=batch, text=True, check=True)
    pathlib.Path("/etc/netns/red").mkdir(parents=True)
    said = "nameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch example.com lab.example.com\noptions ndots:2 rotate\n"
    pathlib.Path("/etc/netns/red/resolv.conf").write_text(f"{values.RESOLVER_MARK}\n{said}", encoding="ascii")


def would_change(topology: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    wanted = options.read(topology, "present", True)
    return transaction.execute(wanted, check_mode=True).changes


def test_world_asked_for_as_it_was_told_is_there_already(sandboxed: Sandbox) -> None:
    def inside() -> None:
        make(WORLD)
        told = info.collect(["blue", "red", "/proc/self/ns/net"], EVERYTHING)["topology"]
        assert json.loads(json.dumps(told)) == told
        assert would_change(told) == []
        assert transaction.execute(options.read(told, "present", True)).changes == []

    sandboxed(inside)


def test_world_made_from_what_was_told_is_the_same_world(sandboxed: Sandbox) -> None:
    def parts() -> dict[str, list[t.Any]]:
        found = info.collect(["blue", "red", "/proc/self/ns/net"], EVERYTHING)["topology"]
        for address in found["addresses"]:
            for name in ("valid_lft", "preferred_lft"):  # they run on
                if int(address.get(name, 0)) > 3600:
                    address[name] = "5000"
        for number, pair in enumerate(found["veths"]):  # of a pair in one namespace the older end is told first
            peer = pair.pop("peer")
            first, second = (pair, peer) if (pair["name"], pair.get("netns", "")) <= (peer["name"], peer.get("netns", "")) else (peer, pair)
            found["veths"][number] = {**first, "peer": second}
        return {name: sorted(items, key=repr) for name, items in found.items()}

    def inside() -> None:
        make(WORLD)
        before = parts()
        for command in ("netns del blue", "netns del red", "link del br0", "link del br1", "rule del priority 104"):
            ip(*command.split())
        shutil.rmtree("/etc/netns/red")
        while ip("link", "show", "type", "veth"):
            pass  # the kernel takes namespaces down in its own time
        transaction.execute(options.read(before, "present", True))
        assert parts() == before

    sandboxed(inside)


def test_nothing_of_the_world_is_left_out(sandboxed: Sandbox) -> None:
    def inside() -> None:
        make(WORLD)
        told = info.collect(["blue", "red", "/proc/self/ns/net"], EVERYTHING)["topology"]
        counts = {part: len(items) for part, items in told.items()}
        said = [line.replace("-6 ", "").split() for line in WORLD.strip().splitlines()]
        said = [line[2:] if line[0] == "-n" else line for line in said]
        commands = [tuple(line[:2]) for line in said]
        assert counts == {
            "namespaces": 2,
            "links": sum(command == ("link", "add") for command in commands) - 4,
            "veths": 4,
            "addresses": sum(command == ("addr", "add") for command in commands),
            "routes": sum(command == ("route", "add") for command in commands),
            "rules": sum(command == ("rule", "add") for command in commands),
        }

    sandboxed(inside)


@pytest.mark.parametrize(
    ("command", "changes"),
    [
        ("-n red link set near mtu 1300", [("update", "veth", "near")]),
        ("-n red link set lo down", [("update", "namespace", "red")]),
        ("link set br0 type bridge stp_state 0", [("update", "link", "br0")]),
        ("-n blue addr del 198.18.7.1/24 dev eth0", [("create", "address", "198.18.7.1/24 dev eth0")]),
        ("-n blue route change 203.0.113.0/24 via 192.0.2.77 proto bgp", [("update", "route", "203.0.113.0/24")]),
        ("-n red rule del priority 103", [("create", "rule", "ipv4 103: fwmark 9 fwmask 4294967295")]),
        ("-n blue rule add priority 105 from 192.0.2.9 lookup main", []),
    ],
)
def test_what_was_changed_since_and_nothing_else_is_a_difference(sandboxed: Sandbox, command: str, changes: list[tuple[str, ...]]) -> None:
    def inside() -> None:
        make(WORLD)
        told = info.collect(["blue", "red", "/proc/self/ns/net"], EVERYTHING)["topology"]
        ip(*command.split())
        assert [(change["action"], change["kind"], change["name"]) for change in would_change(told)] == changes

    sandboxed(inside)


def test_topology_is_told_in_the_words_of_options(sandboxed: Sandbox) -> None:
    def inside() -> None:
        make(WORLD)
        told = info.collect(None, EVERYTHING)["topology"]
        assert told["namespaces"] == [
            {"name": ["blue"], "loopback": True},
            {"name": ["red"], "loopback": True, "nameservers": ["192.0.2.53", "2001:db8::53"],
             "search": ["example.com", "lab.example.com"], "resolver_options": ["ndots:2", "rotate"]},
        ]  # fmt: skip
        pairs = {(pair["netns"], pair["name"], pair["peer"].get("netns"), pair["peer"]["name"]) for pair in told["veths"]}
        assert pairs == {("blue", "eth0", None, "blue0"), ("blue", "cross", "red", "cross"), ("red", "eth0", None, "red0"),
                         ("red", "far", "red", "near")}  # fmt: skip
        near = next(pair for pair in told["veths"] if pair["name"] == "eth0" and pair["netns"] == "blue")
        assert {name: near[name] for name in ("mtu", "mac_address", "up")} == {"mtu": 1400, "mac_address": "02:00:5e:10:00:02", "up": True}
        assert {name: near["peer"][name] for name in ("master", "up")} == {"master": "br0", "up": True}
        (bridge,) = told["links"]
        assert (bridge["name"], bridge["netns"], bridge["kind"], bridge["up"]) == ("br7", "blue", "bridge", True)
        assert bridge["bridge"]["ageing_time"] == 12000
        assert {"netns": "red", "dest": ["203.0.113.0/24"], "protocol": "boot", "nexthops": [
            {"gateway": "192.0.2.1", "dev": "eth0", "weight": 3, "onlink": False},
            {"gateway": "198.51.100.1", "dev": "near", "weight": 1, "onlink": False}]} in told["routes"]  # fmt: skip
        assert {"netns": "blue", "dest": ["203.0.113.0/24"], "dev": "eth0", "table": "300", "protocol": "boot"} in told["routes"]
        assert {"netns": "blue", "dest": ["203.0.117.0/24"], "table": "70000", "type": "prohibit", "protocol": "boot"} in told["routes"]
        far = {"netns": "blue", "dev": "eth0", "address": ["198.18.0.1/32"], "peer": "198.18.0.2", "noprefixroute": True}
        assert far in told["addresses"]
        assert {"netns": "blue", "dev": "lo", "address": ["10.255.0.1/32"]} in told["addresses"]
        assert {"netns": "blue", "family": "ipv4", "priority": 100, "table": "300", "from": "192.0.2.0/24", "to": "198.51.100.1/32",
                "iif": "eth0"} in told["rules"]  # fmt: skip
        assert {"netns": "blue", "family": "ipv4", "priority": 101, "table": "70000", "not": True, "ipproto": "tcp", "sport": "53",
                "dport": "1000-2000", "suppress_prefixlength": 8} in told["rules"]  # fmt: skip
        assert {"netns": "blue", "family": "ipv6", "priority": 102, "uidrange": "5-6", "oif": "eth0", "type": "prohibit"} in told["rules"]

    sandboxed(inside)


def test_kinds_of_pyroute2_are_there_already_too(sandboxed: Sandbox) -> None:
    pytest.importorskip("pyroute2", reason="pyroute2 is not installed for this Python: it decodes the attributes of vxlan")

    def inside() -> None:
        make(
            """
            netns add blue
            link add below type bridge
            link add vx0 type vxlan id 5 remote 192.0.2.9 dstport 4789 ttl 9 nolearning dev below
            link add vx1 type vxlan id 6 group 239.1.1.1 dstport 4790 dev below
            link set vx1 netns blue
            """
        )
        command = ["ip", "link", "add", "mv0", "link", "below", "netns", "blue", "type", "macvlan", "mode", "bridge"]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            pytest.skip(f"this kernel makes no macvlan: {done.stderr.strip()}")
        told = info.collect(["blue", "/proc/self/ns/net"], EVERYTHING)["topology"]
        assert would_change(told) == []
        links = {link["name"]: link for link in told["links"]}
        assert (links["mv0"]["parent"], links["mv0"]["parent_netns"]) == ("below", "/proc/self/ns/net")
        assert links["mv0"]["macvlan"]["mode"] == "bridge"
        assert {"id": 5, "remote": "192.0.2.9", "port": 4789, "ttl": 9, "learning": False}.items() <= links["vx0"]["vxlan"].items()

    sandboxed(inside)


def without_pyroute2(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(what: str = "this") -> t.NoReturn:
        raise MissingLibrary(f"no library for {what}")

    monkeypatch.setattr(kinds, "require_pyroute2", missing)
    kinds._message_class.cache_clear()


@pytest.fixture(params=["with pyroute2", "without pyroute2"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> t.Callable[[], bool]:
    """Called when the world is there: from then on the library is there or not."""

    def decide() -> bool:
        if request.param == "without pyroute2":
            without_pyroute2(monkeypatch)
        return bool(request.param == "with pyroute2")

    if request.param == "with pyroute2":
        pytest.importorskip("pyroute2", reason="pyroute2 is not installed for this Python: it decodes the attributes of vxlan")
    return decide


RICH = """
netns add blue
netns add red
-n blue link set lo up
link add br0 type bridge ageing_time 12000 stp_state 1 forward_delay 400
link add vx0 type vxlan id 5 remote 192.0.2.9 dstport 4789 ttl 9 nolearning dev br0
link add vx1 type vxlan id 6 group 239.1.1.1 dstport 4790 dev br0
link add vx6 type vxlan id 7 local 2001:db8::9 dstport 4791
link set vx1 netns blue
link add mv0 link br0 netns blue txqueuelen 7 type macvlan mode vepa
link add ifb7 txqueuelen 9 type ifb
link add br9 type bridge
link set ifb7 master br9 up alias shaper
link add v0 numtxqueues 3 type veth peer v1 netns red
link set v0 master br9 up
link add up0 type veth peer up1
link set br0 up
link set up0 up
addr add 198.51.100.1/24 dev br0
addr add 192.0.2.1/24 dev up0
addr add 2001:db8:1::1/64 dev up0 nodad
route add default via 192.0.2.2
route add 203.0.113.0/24 dev up0 scope global
"""
RICH_NATS: list[dict[str, t.Any]] = [
    {"name": "lab", "subnets": ["10.1.0.0/25", "10.1.0.128/25", "10.1.2.0/24", "10.9.9.9/32", "fd00:1::/64"], "interface": "br0"},
    {"name": "no.masq", "subnets": ["198.18.0.0/15"], "interface": "br9", "uplink": "up0", "masquerade": False},
    {
        "name": "shop",
        "subnets": ["10.4.0.0/24", "fd04::/64"],
        "interface": "br9",
        "uplink": "up0",
        "snat_to": ["192.0.2.1"],
        "isolation": "strict",
        "hairpin": False,
        "publish": [
            {"host_port": "80", "to_address": "10.4.0.10", "to_port": "8080"},
            {"protocol": "udp", "host_address": "2001:db8:1::1", "host_port": "5000-5010", "to_address": "fd04::10"},
        ],
    },  # fmt: skip
]


def make_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made by others but for NAT, and the settings of a port."""
    make(RICH)
    subprocess.run(["bridge", "link", "set", "dev", "ifb7", "cost", "50", "hairpin", "on", "learning", "off"], check=True)
    if os.path.exists("/dev/net/tun"):
        ip(*["tuntap", "add", "tap0", "mode", "tap", "user", "1", "multi_queue"])
    transaction.execute(options.read({"nat": [*RICH_NATS, {"netns": "red", "name": "inner", "subnets": ["10.5.0.0/16"], "interface": "v1",
                                                           "uplink": "lo"}]}, "present", True))  # fmt: skip


def test_rich_host_given_back_is_no_change(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch, library: t.Callable[[], bool]) -> None:
    if not shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin"):
        pytest.skip("nft is not on this host")

    def inside() -> None:
        make_rich(monkeypatch)
        able = library()
        told = info.collect(["blue", "red", "/proc/self/ns/net"], PARTS)
        topology = told["topology"]
        assert json.loads(json.dumps(told)) == told
        assert would_change(topology) == []
        links = {link["name"]: link for link in topology["links"]}
        hidden = {"vx0", "vx1", "vx6", "mv0"}
        assert {*links} & hidden == (hidden if able else set())
        assert {name for name in hidden if any(f"link {name} " in warning for warning in told["warnings"])} == (set() if able else hidden)
        assert len(told["warnings"]) == (0 if able else 4), told["warnings"]
        assert links["ifb7"]["txqueuelen"] == 9
        assert links["ifb7"]["port"] == {"cost": 50, "hairpin": True, "learning": False}
        (pair,) = [pair for pair in topology["veths"] if "v0" in (pair["name"], pair["peer"]["name"])]
        assert 3 in (pair.get("num_tx_queues"), pair["peer"].get("num_tx_queues"))
        if able:
            assert (links["vx0"]["parent"], links["vx1"]["parent"], links["vx1"]["parent_netns"]) == ("br0", "br0", "/proc/self/ns/net")
        nats = {nat["name"]: nat for nat in topology["nat"]}
        assert nats == {
            "lab": {
                "name": "lab", "interface": "br0", "uplink": "up0", "masquerade": True,
                "subnets": ["10.1.0.0/24", "10.1.2.0/24", "10.9.9.9/32", "fd00:1::/64"],
            },
            "shop": {
                **RICH_NATS[2], "masquerade": True,
                "publish": [
                    {"protocol": "tcp", "host_port": "80", "to_address": "10.4.0.10", "to_port": "8080"},
                    {**RICH_NATS[2]["publish"][1], "to_port": "5000-5010"},
                ],
            },
            "no.masq": {"name": "no.masq", "interface": "br9", "uplink": "up0", "masquerade": False, "subnets": ["198.18.0.0/15"]},
            "inner": {
                "name": "inner", "netns": "red", "interface": "v1", "uplink": "lo", "masquerade": True, "subnets": ["10.5.0.0/16"],
            },
        }  # fmt: skip

    sandboxed(inside)


def test_rich_host_is_told_in_what_the_module_takes(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyroute2", reason="pyroute2 is not installed for this Python: it decodes the attributes of vxlan")
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    from ansible_collections.linuxnet.netns.plugins.module_utils import _argspec_topology

    def inside() -> None:
        make_rich(monkeypatch)
        make_more = info.collect(["blue", "red", "/proc/self/ns/net"], PARTS)["topology"]
        lists = {name: spec for name, spec in _argspec_topology.LISTS.items() if name in make_more}
        assert {*lists} == {*make_more}
        result = ArgumentSpecValidator(lists).validate(make_more)
        assert result.error_messages == []
        assert would_change(result.validated_parameters) == []

    sandboxed(inside)


def test_what_options_cannot_say_is_named_and_left_out(sandboxed: Sandbox) -> None:
    world = """
        netns add blue
        -n blue link add br0 type bridge
        -n blue link set br0 up
        -n blue addr add 192.0.2.1/24 dev br0
        -n blue route add 203.0.113.0/24 via 192.0.2.2
        -n blue route append 203.0.113.0/24 via 192.0.2.3
        -n blue route add 203.0.114.0/24 tos 8 via 192.0.2.3
        -n blue rule add priority 100 lookup 300
        -n blue rule add priority 100 lookup 301
        -n blue rule add priority 50 goto 100
        -n blue rule add priority 60 realms 7 lookup 5
    """

    def inside() -> None:
        make(world)
        told = info.collect(["blue"], PARTS)
        assert would_change(told["topology"]) == []
        assert [route["dest"] for route in told["topology"]["routes"]] == [["203.0.113.0/24"]]
        assert [rule["table"] for rule in told["topology"]["rules"]] == ["300"]
        assert sorted(told["warnings"]) == [
            "route 203.0.113.0/24 in namespace 'blue' is left out: options cannot tell it from another route there, which is told",
            "route 203.0.114.0/24 in namespace 'blue' is left out: options cannot say its type of service",
            "rule ipv4 100: from all in namespace 'blue' is left out: options cannot tell it from another rule there, which is told",
            "rule ipv4 50: from all in namespace 'blue' is left out: options cannot say its goto",
            "rule ipv4 60: from all in namespace 'blue' is left out: options cannot say its realms",
        ]

    sandboxed(inside)


def test_route_whose_gateway_is_in_no_subnet_any_more_is_there_already(sandboxed: Sandbox) -> None:
    def inside() -> None:
        make(
            """
            netns add blue
            -n blue link add br0 type bridge
            -n blue link set br0 up
            -n blue addr add 192.0.2.1/24 dev br0
            -n blue addr add 198.51.100.1/24 dev br0
            -n blue route add 203.0.113.0/24 via 192.0.2.2
            -n blue addr del 192.0.2.1/24 dev br0
            """
        )
        topology = info.collect(["blue"], PARTS)["topology"]
        assert [route["gateway"] for route in topology["routes"]] == ["192.0.2.2"]
        assert would_change(topology) == []

    sandboxed(inside)


def test_addresses_of_the_kernel_are_told_from_those_that_somebody_set(sandboxed: Sandbox) -> None:
    def inside() -> None:
        make("link add br0 type bridge\nlink set br0 up\nlink add v0 type veth peer v1\nlink set v0 up\nlink set v1 up")
        transaction.execute(options.read({"addresses": [{"dev": "v0", "address": ["fe80::99/64"]}]}, "present", True))
        topology = info.collect(["/proc/self/ns/net"], PARTS)["topology"]
        with Host() as host:
            (data, *_more) = host.socket("").dump(rtnetlink.RTM_GETADDR, ip_messages.address_query(host.index("", "v1")))
        if not ip_messages.decode_address(data, "", str).protocol:
            pytest.skip("this kernel does not say who set an address")
        assert [address["address"] for address in topology["addresses"]] == [["fe80::99/64"]]
        assert would_change(topology) == []

    sandboxed(inside)


# -- any topology


ENDS = ("a0", "a1", "b0", "b1")


@st.composite
def topologies(draw: st.DrawFn) -> dict[str, list[dict[str, t.Any]]]:
    """What can be made on any kernel with veth and bridge, in the host and in two namespaces."""
    places = st.sampled_from([{}, {"netns": "red"}, {"netns": "blue"}])

    def some(**options_of: st.SearchStrategy[t.Any]) -> dict[str, t.Any]:
        found = {name: draw(st.none() | values) for name, values in options_of.items()}
        return {name: value for name, value in found.items() if value is not None}

    device = {"mtu": st.integers(1300, 1500), "alias": st.text("ab c", max_size=5), "txqueuelen": st.integers(0, 2000), "up": st.booleans()}
    where = {name: draw(places) for name in ("br0", "a", "b")}
    nameservers = st.lists(st.sampled_from(["192.0.2.53", "2001:db8::53"]), unique=True)
    namespaces = [
        {"name": name, **some(loopback=st.booleans(), nameservers=nameservers, nsid=st.just(40 + number))}
        for number, name in enumerate(("red", "blue"))
    ]
    bridge = some(ageing_time=st.integers(0, 500).map(lambda n: n * 100), stp=st.booleans(), priority=st.integers(0, 65535))
    links = [{"name": "br0", "kind": "bridge", **where["br0"], **some(**device), "bridge": bridge}]
    veths = []
    for pair in "ab":
        far = draw(places)
        ends = [{"name": f"{pair}0", **where[pair]}, {"name": f"{pair}1", **far}]
        for end in ends:
            end.update(some(**device))
            if end.get("netns") == where["br0"].get("netns") and draw(st.booleans()):
                end["master"] = "br0"
        veths.append({**ends[0], **some(num_tx_queues=st.integers(1, 3)), "peer": {**ends[1], **some(num_rx_queues=st.integers(1, 3))}})
    four = some(label=st.sampled_from(["a0", "a0:x"]), metric=st.integers(1, 9), noprefixroute=st.booleans(),
                scope=st.sampled_from(["global", "link"]), valid_lft=st.just("5000"))  # fmt: skip
    six = some(nodad=st.booleans(), noprefixroute=st.booleans(), home=st.booleans(), preferred_lft=st.sampled_from(["0", "4000"]))
    addresses = [
        {**where["a"], "dev": "a0", "address": ["10.1.0.1/24"], **four},
        {**where["a"], "dev": "a0", "address": ["fd01::1/64"], "wait_for_dad": False, **six},
        {**where["br0"], "dev": "br0", "address": ["10.2.0.1/24", "10.2.0.2/32"]},
    ]
    veths[0]["up"] = links[0]["up"] = True
    # without a route to its prefix a gateway is on no link of its own
    via = {"dev": "a0", "onlink": True} if {"noprefixroute"} & {*four, *six} else {}
    ways: list[dict[str, t.Any]] = [
        {"gateway": "10.1.0.9", **via}, {"dev": "a0"}, {"type": "blackhole"}, {"type": "prohibit"},
        {"nexthops": [{"gateway": "10.1.0.8", "weight": 3, **via}, {"gateway": "10.1.0.9", **via}]},
    ]  # fmt: skip
    more = {"metric": st.integers(0, 9), "mtu": st.integers(1000, 1400), "protocol": st.sampled_from(["static", "bgp", "77"])}
    table = st.sampled_from(["100", "70000"])
    routes = [
        {**where["a"], "dest": f"10.{90 + number}.0.0/16", **draw(st.sampled_from(ways)), **some(**more)}
        for number in range(draw(st.integers(0, 4)))
    ]
    routes += [{**where["a"], "dest": "fd09::/64", "gateway": "fd01::9", **via, **some(**more, table=table)}] * draw(st.integers(0, 1))
    selectors = {"from": st.just("10.1.0.0/24"), "fwmark": st.sampled_from(["0x7", "16"]), "iif": st.just("a0"), "ipproto": st.just("tcp"),
                 "not": st.booleans(), "tos": st.just("0x10"), "uidrange": st.just("5-6")}  # fmt: skip
    rules = [
        {**draw(places), "priority": 100 + number, **some(**selectors), "table": draw(table)} for number in range(draw(st.integers(0, 3)))
    ]
    return {"namespaces": namespaces, "links": links, "veths": veths, "addresses": addresses, "routes": routes, "rules": rules}


def clean() -> None:
    for entry in os.listdir("/run/netns"):
        ip("netns", "del", entry)
    shutil.rmtree("/etc/netns", ignore_errors=True)
    for name in ("br0", *ENDS):
        subprocess.run(["ip", "link", "del", name], stderr=subprocess.DEVNULL, check=False)
    for kind in ("blackhole", "prohibit"):
        ip("route", "flush", "type", kind)
    for rule in ip("-4", "rule"):
        if rule["priority"] in range(100, 110):
            ip("rule", "del", "priority", str(rule["priority"]))
    while ip("link", "show", "type", "veth") or ip("netns", "list-id"):
        pass  # the kernel takes namespaces down in its own time


def test_any_topology_is_there_already_when_it_is_given_back(sandboxed: Sandbox) -> None:
    @settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
    @given(topologies())
    def given_back(wanted: dict[str, list[dict[str, t.Any]]]) -> None:
        try:
            transaction.execute(options.read(wanted, "present", True))
            told = info.collect(["red", "blue", "/proc/self/ns/net"], PARTS)
            assert told["warnings"] == []
            assert would_change(told["topology"]) == []
            assert {part: len(told["topology"][part]) for part in ("links", "veths", "routes", "rules")} == {
                part: len(wanted[part]) for part in ("links", "veths", "routes", "rules")
            }
        finally:
            clean()

    def inside() -> None:
        os.makedirs("/run/netns", exist_ok=True)
        given_back()

    sandboxed(inside)


def test_facts_that_no_option_says(sandboxed: Sandbox) -> None:
    def inside() -> None:
        ip("netns", "add", "blue")
        ip("netns", "set", "blue", "42")
        pathlib.Path("/run/netns/old").touch()
        with subprocess.Popen(["ip", "netns", "exec", "blue", "sleep", "100"]) as sleeper:
            try:
                while os.stat(f"/proc/{sleeper.pid}/ns/net").st_ino != os.stat("/run/netns/blue").st_ino:
                    assert sleeper.poll() is None
                found = info.collect(None, EVERYTHING)
            finally:
                sleeper.kill()
        assert found["namespaces"] == {
            "blue": {"path": "/run/netns/blue", "stale": False, "inode": os.stat("/run/netns/blue").st_ino, "nsid": 42,
                     "pids": [sleeper.pid], "owner": []},
            "old": {"path": "/run/netns/old", "stale": True, "inode": None, "nsid": None, "pids": [], "owner": []},
        }  # fmt: skip
        assert found["topology"]["namespaces"] == [{"name": ["blue"], "loopback": False}]

    sandboxed(inside)


def test_whose_a_namespace_is(sandboxed: Sandbox) -> None:
    def have(owner: str, *names: str) -> None:
        wanted = options.read({"namespaces": [{"name": [name]} for name in names]}, "present", True)
        transaction.execute(wanted, terms=transaction.Terms(owner=owner))

    def owners(*netns: str) -> dict[str, list[str]]:
        found = info.collect(netns or None, [])
        assert found["warnings"] == []
        return {name: facts["owner"] for name, facts in found["namespaces"].items()}

    def inside() -> None:
        os.makedirs("/run/netns", exist_ok=True)
        ip("netns", "add", "before")
        have("lab", "blue", "red", "before")
        have("shop", "red")
        assert owners() == {"before": [], "blue": ["lab"], "red": ["lab", "shop"]}
        with subprocess.Popen(["ip", "netns", "exec", "blue", "sleep", "100"]) as sleeper:
            try:
                while os.stat(path := f"/proc/{sleeper.pid}/ns/net").st_ino != os.stat("/run/netns/blue").st_ino:
                    assert sleeper.poll() is None
                assert owners(path) == {path: ["lab"]}
            finally:
                sleeper.kill()
        # somebody's own in the place of the one on record
        ip("netns", "del", "red")
        ip("netns", "add", "red")
        assert owners() == {"before": [], "blue": ["lab"], "red": []}
        store_of_lab = pathlib.Path(store.path("topology.lab"))
        store_of_lab.write_text("nonsense", encoding="utf-8")
        found = info.collect(["blue"], [])
        assert found["namespaces"]["blue"]["owner"] == []
        (warning,) = found["warnings"]
        assert re.sub(r" \(.*\)", "", warning) == (
            f"whose the namespaces are is left out: the record of topology 'lab', {store_of_lab}, cannot be read: "
            "remove the file, and by hand what that topology had"
        )

    sandboxed(inside)


def test_only_what_is_asked_for_is_gathered(sandboxed: Sandbox) -> None:
    def inside() -> None:
        ip("netns", "add", "blue")
        ip("link", "add", "br0", "type", "bridge")
        assert info.collect(["blue"], [])["topology"] == {}
        assert info.collect(["blue"], ["rules"])["topology"] == {"rules": []}
        here = info.collect(["/proc/self/ns/net"], EVERYTHING)
        assert [link["name"] for link in here["topology"]["links"]] == ["br0"]
        assert "netns" not in here["topology"]["links"][0]
        assert here["topology"]["namespaces"] == []
        by_path = info.collect([f"/proc/{os.getpid()}/ns/net"], ["links"])
        assert by_path["topology"]["links"][0]["netns"] == f"/proc/{os.getpid()}/ns/net"
        with pytest.raises(StateError, match="'green'"):
            info.collect(["green"], ["links"])

    sandboxed(inside)
