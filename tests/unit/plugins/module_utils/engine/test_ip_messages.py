# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses, routes and rules: what the codec writes is read back by iproute2 and pyroute2, and what iproute2 writes by the codec."""

from __future__ import annotations

import dataclasses
import errno
import ipaddress
import json
import socket
import subprocess
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import (
    ip_messages,
    ip_numbers,
    route_messages,
    rtnetlink,
    rule_messages,
)
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.ip_messages import FOREVER
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.record import pairs
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_addresses import Address
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_routes import Nexthop, Route, Rule
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.route_messages import ROUTE_TYPES
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.rule_messages import RULE_TYPES

Sandbox = t.Callable[[t.Callable[[], t.Any]], None]

MAIN = 254
BOOT, OURS = 3, 110
LINK, HOST = 253, 254


def ip(*command: str) -> t.Any:
    """What iproute2 says, as objects."""
    said = subprocess.run(["ip", "-details", "-json", *command], stdout=subprocess.PIPE, check=True).stdout
    return json.loads(said or "[]")


def index_of(name: str) -> int:
    return socket.if_nametoindex(name)


def name_of(index: int) -> str:
    return socket.if_indextoname(index)


def send(*messages: rtnetlink.Message) -> dict[int, rtnetlink.Failure]:
    channel = rtnetlink.Socket()
    failures = channel.batch(messages)
    channel.close()
    return failures


def addresses() -> list[Address]:
    found = rtnetlink.Socket().dump(rtnetlink.RTM_GETADDR, ip_messages.address_query(0))
    return [ip_messages.decode_address(data, "", name_of) for data in found]


def routes(family: int, table: int) -> list[Route]:
    found = rtnetlink.Socket().dump(rtnetlink.RTM_GETROUTE, route_messages.route_query(family, table))
    return [route_messages.decode_route(data, "", name_of) for data in found]


def rules(family: str) -> list[Rule]:
    found = rtnetlink.Socket().dump(rtnetlink.RTM_GETRULE, rule_messages.rule_query(ip_numbers.FAMILIES[family]))
    return [rule for rule in (rule_messages.decode_rule(data, "") for data in found) if rule.priority not in (0, 32766, 32767)]


def wire(*links: str) -> None:
    """Veth pairs, both ends up: left0 and right0, left1 and right1."""
    for number in links or ("0",):
        ip("link", "add", f"left{number}", "type", "veth", "peer", "name", f"right{number}")
        for end in ("left", "right"):
            subprocess.run(["sysctl", "-q", f"net.ipv6.conf.{end}{number}.addr_gen_mode=1"], check=True)
            ip("link", "set", f"{end}{number}", "up")


def asked_for(found: t.Any, wanted: t.Any) -> t.Any:
    """What was found, in the fields that were asked for."""
    fields = [field.name for field in dataclasses.fields(wanted) if getattr(wanted, field.name) is None]
    return dataclasses.replace(found, **dict.fromkeys(fields))


# -- addresses


ADDRESSES: list[tuple[Address, dict[str, t.Any]]] = [
    (Address("", "left0", "192.0.2.1", 24), {"family": "inet", "prefixlen": 24, "scope": "global", "label": "left0"}),
    (Address("", "left0", "192.0.2.1", 32, peer="198.51.100.1"), {"address": "198.51.100.1", "prefixlen": 32}),
    (
        Address("", "left0", "192.0.2.1", 24, broadcast="192.0.2.255", label="left0:ünd", scope=LINK, metric=77, noprefixroute=True),
        {"broadcast": "192.0.2.255", "label": "left0:ünd", "scope": "link", "metric": 77, "noprefixroute": True},
    ),
    (
        Address("", "left0", "192.0.2.1", 24, valid_lft=5000, preferred_lft=4000, scope=HOST),
        {"valid_life_time": 5000, "preferred_life_time": 4000, "scope": "host", "dynamic": True},
    ),
    (Address("", "left0", "192.0.2.1", 24, valid_lft=FOREVER, preferred_lft=0), {"valid_life_time": FOREVER, "deprecated": True}),
    (Address("", "left0", "192.0.2.1", 24, valid_lft=600), {"valid_life_time": 600, "preferred_life_time": 600}),
    (Address("", "left0", "2001:db8::1", 64, nodad=True), {"family": "inet6", "prefixlen": 64, "scope": "global", "nodad": True}),
    (Address("", "left0", "2001:db8::1", 128, peer="2001:db8::2", nodad=True), {"address": "2001:db8::2"}),
    (
        Address("", "left0", "2001:db8::1", 64, nodad=True, noprefixroute=True, home=True, mngtmpaddr=True, metric=88),
        {"nodad": True, "noprefixroute": True, "home": True, "mngtmpaddr": True, "metric": 88},
    ),
    (Address("", "left0", "2001:db8::1", 64, nodad=True, valid_lft=900, preferred_lft=0), {"valid_life_time": 900, "deprecated": True}),
    (Address("", "left0", "fe80::5", 64, nodad=True), {"scope": "link"}),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "told"), ADDRESSES, ids=lambda value: value.name if isinstance(value, Address) else None)
def test_address_is_read_back_by_iproute2_and_by_us(sandboxed: Sandbox, wanted: Address, told: dict[str, t.Any]) -> None:
    def inside() -> None:
        wire()
        assert not send(ip_messages.set_address(wanted, index_of))
        (seen,) = ip("addr", "show", "dev", "left0")[0]["addr_info"]
        assert seen["local"] == wanted.address
        assert {name: seen.get(name) for name in told} == told
        for flag in ("nodad", "noprefixroute", "home", "mngtmpaddr"):
            assert seen.get(flag, False) == bool(getattr(wanted, flag))
        (found,) = addresses()
        assert asked_for(found, wanted) == wanted
        assert send(ip_messages.set_address(wanted, index_of))[0].errno == errno.EEXIST
        assert not send(ip_messages.delete_address(wanted, index_of))
        assert addresses() == []

    sandboxed(inside)


def test_lifetimes_metric_and_flags_of_an_address_are_replaced(sandboxed: Sandbox) -> None:
    def inside() -> None:
        wire()
        for first in (Address("", "left0", "192.0.2.1", 24, label="left0"), Address("", "left0", "2001:db8::1", 64, nodad=True)):
            second = dataclasses.replace(first, valid_lft=700, preferred_lft=600, metric=99)
            if ":" in first.address:  # of IPv4 addresses the kernel changes no flag
                second = dataclasses.replace(second, noprefixroute=True)
            assert not send(ip_messages.set_address(first, index_of), ip_messages.set_address(second, index_of, replace=True))
            (found,) = addresses()
            assert asked_for(found, second) == second
            assert not send(ip_messages.delete_address(second, index_of))

    sandboxed(inside)


def test_what_iproute2_makes_of_addresses_is_read_field_by_field(sandboxed: Sandbox) -> None:
    def inside() -> None:
        wire()
        ip("addr", "add", "192.0.2.1", "peer", "192.0.2.9/32", "dev", "left0", "metric", "5", "label", "left0:1")
        ip("addr", "add", "198.51.100.1/24", "broadcast", "+", "dev", "left0", "scope", "link", "valid_lft", "50", "preferred_lft", "40")
        ip("addr", "add", "2001:db8::1/64", "dev", "left0", "nodad", "noprefixroute", "home", "mngtmpaddr", "metric", "7")
        ip("addr", "add", "2001:db8::2/64", "dev", "left0")
        always = {"preferred_lft": FOREVER, "valid_lft": FOREVER, "protocol": 0}
        flags4 = {"noprefixroute": False}
        flags6 = {"nodad": False, "noprefixroute": False, "home": False, "mngtmpaddr": False}
        expected = [
            Address("", "left0", "192.0.2.1", 32, peer="192.0.2.9", label="left0:1", scope=0, metric=5, **always, **flags4),
            Address("", "left0", "198.51.100.1", 24, broadcast="198.51.100.255", label="left0", scope=LINK, metric=0, preferred_lft=40,
                    valid_lft=50, protocol=0, **flags4),
            Address("", "left0", "2001:db8::2", 64, scope=0, metric=0, tentative=True, **always, **flags6),
            Address("", "left0", "2001:db8::1", 64, scope=0, metric=7, **always, **dict.fromkeys(flags6, True)),
        ]  # fmt: skip
        assert sorted(addresses(), key=repr) == sorted(expected, key=repr)

    sandboxed(inside)


def test_duplicate_address_is_told_as_failed(sandboxed: Sandbox) -> None:
    def inside() -> None:
        ip("netns", "add", "far")
        ip("link", "add", "left0", "type", "veth", "peer", "name", "right0", "netns", "far")
        ip("-n", "far", "addr", "add", "2001:db8::1/64", "nodad", "dev", "right0")
        ip("-n", "far", "link", "set", "right0", "up")
        ip("link", "set", "left0", "up")
        assert not send(ip_messages.set_address(Address("", "left0", "2001:db8::1", 64), index_of))
        with subprocess.Popen(["ip", "monitor", "address"], stdout=subprocess.PIPE, text=True) as monitor:
            try:
                assert monitor.stdout is not None
                if not any(one.dadfailed for one in addresses()):
                    next(line for line in monitor.stdout if "dadfailed" in line)
            finally:
                monitor.kill()
        (found,) = (one for one in addresses() if one.address == "2001:db8::1")
        assert (found.dadfailed, found.tentative) == (True, True)

    sandboxed(inside)


# -- routes


def route(dest: str, **fields: t.Any) -> Route:
    return Route("", dest, **{"table": MAIN, "metric": 1024 if ":" in dest else 0, **fields})


# The route and what iproute2 tells of it; left0 has 192.0.2.1/24 and 2001:db8::1/64, left1 the same in 198.51.100.0/24 and 2001:db8:1::/64.
ROUTES: list[tuple[Route, dict[str, t.Any]]] = [
    (route("0.0.0.0/0", gateway="192.0.2.9"), {"dst": "default", "gateway": "192.0.2.9", "dev": "left0", "protocol": "110"}),
    (route("203.0.113.0/24", dev="left0"), {"dst": "203.0.113.0/24", "scope": "link"}),
    (
        route("203.0.113.0/24", gateway="192.0.2.9", dev="left0", table=70000, metric=50, src="198.51.100.1", mtu=1300, advmss=1200,
              protocol=16),
        {"table": "70000", "metric": 50, "prefsrc": "198.51.100.1", "metrics": [{"mtu": 1300, "advmss": 1200}], "protocol": "dhcp"},
    ),
    (route("203.0.113.7/32", gateway="10.9.9.9", dev="left0", onlink=True), {"dst": "203.0.113.7", "flags": ["onlink"]}),
    (route("203.0.113.0/24", dev="left0", scope=HOST), {"scope": "host"}),
    (route("203.0.113.0/24", gateway="2001:db8::9", dev="left0"), {"via": {"family": "inet6", "host": "2001:db8::9"}}),
    (route("203.0.113.0/24", type="blackhole"), {"type": "blackhole"}),
    (route("203.0.113.0/24", type="unreachable", table=255, metric=9), {"type": "unreachable", "table": "local"}),
    (route("203.0.113.0/24", type="prohibit", table=256), {"type": "prohibit", "table": "256"}),
    (route("203.0.113.0/24", type="throw", table=2**32 - 1), {"type": "throw", "table": "4294967295"}),
    (route("203.0.113.1/32", type="local", dev="left0", table=255), {"type": "local", "scope": "host", "table": "local"}),
    (
        route("203.0.113.0/24", nexthops=(Nexthop("192.0.2.9", "left0", 3), Nexthop("198.51.100.9", "left1", 256),
                                          Nexthop("10.9.9.9", "left1", 1, True))),
        {"nexthops": [{"gateway": "192.0.2.9", "dev": "left0", "weight": 3, "flags": []},
                      {"gateway": "198.51.100.9", "dev": "left1", "weight": 256, "flags": []},
                      {"gateway": "10.9.9.9", "dev": "left1", "weight": 1, "flags": ["onlink"]}]},
    ),
    (
        route("203.0.113.0/24", nexthops=(Nexthop("2001:db8::9", "left0", 1), Nexthop(None, "left1", 2))),
        {"nexthops": [{"via": {"family": "inet6", "host": "2001:db8::9"}, "dev": "left0", "weight": 1, "flags": []},
                      {"dev": "left1", "weight": 2, "flags": []}]},
    ),
    (route("::/0", gateway="2001:db8::9"), {"dst": "default", "gateway": "2001:db8::9", "dev": "left0", "metric": 1024}),
    (
        route("2001:db8:9::/48", gateway="fe80::9", dev="left0", table=1000, metric=1, src="2001:db8::1", mtu=1400, advmss=1300),
        {"table": "1000", "metric": 1, "prefsrc": "2001:db8::1", "metrics": [{"mtu": 1400, "advmss": 1300}]},
    ),
    (route("2001:db8:9::/48", gateway="2001:db8:77::9", dev="left0", onlink=True), {"flags": ["onlink"]}),
    (route("2001:db8:9::1/128", dev="left1"), {"dst": "2001:db8:9::1", "dev": "left1"}),
    (route("::ffff:0.0.0.0/96", type="unreachable"), {"type": "unreachable"}),
    (route("2001:db8:9::/48", type="blackhole", metric=5), {"type": "blackhole", "metric": 5}),
    (
        route("2001:db8:9::/48", nexthops=(Nexthop("2001:db8::9", "left0", 1), Nexthop("2001:db8:1::9", "left1", 7))),
        {"nexthops": [{"gateway": "2001:db8::9", "dev": "left0", "weight": 1, "flags": []},
                      {"gateway": "2001:db8:1::9", "dev": "left1", "weight": 7, "flags": []}]},
    ),
]  # fmt: skip


def roads() -> None:
    wire("0", "1")
    for number, (version4, version6) in enumerate((("192.0.2.1/24", "2001:db8::1/64"), ("198.51.100.1/24", "2001:db8:1::1/64"))):
        ip("addr", "add", version4, "dev", f"left{number}")
        ip("addr", "add", version6, "nodad", "dev", f"left{number}")


def found_route(wanted: Route) -> Route | None:
    family = socket.AF_INET6 if ":" in wanted.dest else socket.AF_INET
    dest = str(ipaddress.ip_network(wanted.dest))
    return next((one for one in routes(family, wanted.table) if (one.dest, one.metric) == (dest, wanted.metric)), None)


@pytest.mark.parametrize(("wanted", "told"), ROUTES, ids=lambda value: value.name if isinstance(value, Route) else None)
def test_route_is_read_back_by_iproute2_and_by_us(sandboxed: Sandbox, wanted: Route, told: dict[str, t.Any]) -> None:
    def inside() -> None:
        roads()
        family = "-6" if ":" in wanted.dest else "-4"
        assert not send(route_messages.set_route(wanted, index_of))
        (seen,) = ip(family, "route", "show", "table", str(wanted.table), "exact", wanted.dest)
        assert {name: seen.get(name) for name in told if name != "table"} == {name: told[name] for name in told if name != "table"}
        if told.get("table"):
            everything = ip(family, "route", "show", "table", "all", "exact", wanted.dest)
            assert told["table"] in {one.get("table") for one in everything}
        found = found_route(wanted)
        dest = str(ipaddress.ip_network(wanted.dest))
        assert found is not None
        assert asked_for(found, wanted) == dataclasses.replace(wanted, dest=dest, nexthops=found.nexthops)
        # IPv6 has the list in an order of its own
        assert sorted(found.nexthops, key=repr) == sorted(wanted.nexthops, key=repr)
        assert found.protocol == (wanted.protocol or OURS)
        assert send(route_messages.set_route(wanted, index_of))[0].errno == errno.EEXIST
        assert not send(route_messages.delete_route(found, index_of))
        assert found_route(wanted) is None

    sandboxed(inside)


def test_route_is_replaced_by_another_with_the_same_key(sandboxed: Sandbox) -> None:
    def inside() -> None:
        roads()
        hops = Nexthop("192.0.2.9", "left0"), Nexthop("198.51.100.9", "left1")
        for first, second in (
            (route("203.0.113.0/24", gateway="192.0.2.9"), route("203.0.113.0/24", dev="left1", mtu=1300, scope=LINK)),
            (route("2001:db8:9::/48", gateway="2001:db8::9"), route("2001:db8:9::/48", gateway="2001:db8:1::9", mtu=1300)),
            (route("203.0.114.0/24", type="blackhole"), route("203.0.114.0/24", nexthops=hops)),
        ):
            assert not send(route_messages.set_route(first, index_of), route_messages.set_route(second, index_of, replace=True))
            found = found_route(second)
            assert found is not None
            assert asked_for(found, second) == second
            assert (found.gateway, found.type) == (second.gateway, "unicast")
            assert len(ip("-6" if ":" in second.dest else "-4", "route", "show", "exact", second.dest)) == 1

    sandboxed(inside)


def test_only_the_route_that_was_meant_is_deleted(sandboxed: Sandbox) -> None:
    def inside() -> None:
        roads()
        gone = [route("203.0.113.0/24", gateway="192.0.2.9", metric=20), route("2001:db8:9::/48", gateway="2001:db8::9", metric=20)]
        # the first that fits would be the one with the smallest metric
        stays = [dataclasses.replace(one, metric=10) for one in gone] + [dataclasses.replace(one, table=100) for one in gone]
        assert not send(*(route_messages.set_route(one, index_of) for one in (*stays, *gone)))
        for one in gone:
            found = found_route(one)
            assert found is not None
            assert not send(route_messages.delete_route(found, index_of))
        assert [found_route(one) for one in gone] == [None, None]
        assert None not in [found_route(one) for one in stays]

    sandboxed(inside)


def test_what_iproute2_makes_of_routes_is_read_field_by_field(sandboxed: Sandbox) -> None:
    def inside() -> None:
        roads()
        told = {"type": "unicast", "mtu": 0, "advmss": 0, "onlink": False, "scope": 0, "protocol": BOOT}
        table = {"table": 300}
        expected = {
            "198.18.0.0/24 via 192.0.2.9 metric 7 src 192.0.2.1 mtu 1300 advmss 1200 proto bgp": route(
                "198.18.0.0/24", **{**told, **table, "mtu": 1300, "advmss": 1200, "protocol": 186}, gateway="192.0.2.9", dev="left0",
                metric=7, src="192.0.2.1"),
            "198.18.1.0/24 via 10.9.9.9 dev left1 onlink": route(
                "198.18.1.0/24", **{**told, **table, "onlink": True}, gateway="10.9.9.9", dev="left1"),
            "198.18.2.0/24 via inet6 fe80::9 dev left1": route("198.18.2.0/24", **told, **table, gateway="fe80::9", dev="left1"),
            "198.18.3.0/24 dev left1": route("198.18.3.0/24", **{**told, **table, "scope": LINK}, dev="left1"),
            "198.18.4.0/24 nexthop via 192.0.2.9 weight 5 nexthop via 198.51.100.9": route(
                "198.18.4.0/24", **told, **table, nexthops=(Nexthop("192.0.2.9", "left0", 5), Nexthop("198.51.100.9", "left1"))),
            "unreachable 0.0.0.0/0": route("0.0.0.0/0", **{**told, **table, "type": "unreachable"}),
            "2001:db8:9::/48 via fe80::9 dev left0 metric 3": route(
                "2001:db8:9::/48", **told, **table, metric=3, gateway="fe80::9", dev="left0"),
            "2001:db8:8::/48 dev left0 mtu 1300": route("2001:db8:8::/48", **{**told, **table, "mtu": 1300}, dev="left0"),
        }  # fmt: skip
        for command, wanted in expected.items():
            kind, rest = (["unreachable"], command.split()[1:]) if command.startswith("unreachable") else ([], command.split())
            ip(*(["-6"] if ":" in wanted.dest else []), "route", "add", *kind, rest[0], "table", "300", *rest[1:])
            assert found_route(wanted) == wanted

    sandboxed(inside)


# -- rules


# Selectors, and how iproute2 tells them.
SELECTORS: list[tuple[str, dict[str, t.Any], dict[str, t.Any]]] = [
    ("ipv4", {"from": "192.0.2.0/24"}, {"src": "192.0.2.0", "srclen": 24}),
    ("ipv4", {"from": "192.0.2.1/32", "to": "198.51.100.0/25"}, {"src": "192.0.2.1", "dst": "198.51.100.0", "dstlen": 25}),
    ("ipv6", {"from": "2001:db8::/32", "to": "2001:db8::1/128"}, {"src": "2001:db8::", "srclen": 32, "dst": "2001:db8::1"}),
    ("ipv4", {"iif": "lo"}, {"iif": "lo"}),
    ("ipv4", {"oif": "nosuch0", "iif": "alsonone"}, {"oif": "nosuch0", "oif_detached": None, "iif": "alsonone", "iif_detached": None}),
    ("ipv4", {"fwmark": 0x10, "fwmask": 0xFFFFFFFF}, {"fwmark": "0x10"}),
    ("ipv6", {"fwmark": 0x10, "fwmask": 0xFF}, {"fwmark": "0x10", "fwmask": "0xff"}),
    ("ipv4", {"tos": 0x10}, {"tos": "0x10"}),
    ("ipv4", {"ipproto": 6, "sport": "1024-2048", "dport": "443"},
     {"ipproto": "tcp", "sport_start": 1024, "sport_end": 2048, "dport": 443}),
    ("ipv6", {"ipproto": 17, "dport": "53-54"}, {"ipproto": "udp", "dport_start": 53, "dport_end": 54}),
    ("ipv4", {"uidrange": "1000-2000"}, {"uid_start": 1000, "uid_end": 2000}),
    ("ipv4", {"not": True, "from": "192.0.2.1/32"}, {"not": None, "src": "192.0.2.1"}),
    ("ipv6", {}, {"src": "all"}),
]  # fmt: skip


@pytest.mark.parametrize(("family", "selectors", "told"), SELECTORS)
def test_selectors_of_a_rule_are_read_back(sandboxed: Sandbox, family: str, selectors: dict[str, t.Any], told: dict[str, t.Any]) -> None:
    def inside() -> None:
        wanted = Rule("", family, 100, pairs(selectors), table=70000)
        other = dataclasses.replace(wanted, priority=101)
        assert not send(rule_messages.create_rule(wanted), rule_messages.create_rule(other))
        command = ["-6" if family == "ipv6" else "-4", "rule", "show", "priority", "100"]
        (seen,) = ip(*command)
        assert (seen["table"], seen["protocol"], seen["priority"]) == ("70000", "110", 100)
        assert {name: seen.get(name) for name in told} == told
        assert told.keys() <= seen.keys()
        expected = dataclasses.replace(wanted, type="unicast", suppress_prefixlength=-1, protocol=OURS)
        if selectors.get("uidrange") is None:
            assert rules(family) == [expected, dataclasses.replace(expected, priority=101)]
        else:
            assert dict(rules(family)[0].selectors)["uidrange"] == selectors["uidrange"]
        assert send(rule_messages.create_rule(wanted))[0].errno == errno.EEXIST
        assert not send(rule_messages.delete_rule(rules(family)[0]))
        assert [rule.priority for rule in rules(family)] == [101]

    sandboxed(inside)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Rule("", "ipv4", 5, table=255), {"table": "local"}),
        (Rule("", "ipv4", 5, table=256, suppress_prefixlength=0, protocol=186), {"suppress_prefixlen": 0, "protocol": "bgp"}),
        (Rule("", "ipv6", 5, table=2**32 - 1, suppress_prefixlength=64), {"suppress_prefixlen": 64, "table": "4294967295"}),
        (Rule("", "ipv4", 5, type="blackhole"), {"action": "blackhole"}),
        (Rule("", "ipv6", 5, type="unreachable"), {"action": "unreachable"}),
        (Rule("", "ipv4", 5, type="prohibit"), {"action": "prohibit"}),
    ],
)
def test_what_a_rule_does_is_read_back(sandboxed: Sandbox, wanted: Rule, told: dict[str, t.Any]) -> None:
    def inside() -> None:
        assert not send(rule_messages.create_rule(wanted))
        (seen,) = ip("-6" if wanted.family == "ipv6" else "-4", "rule", "show", "priority", "5")
        assert {name: seen.get(name) for name in told} == told
        (found,) = rules(wanted.family)
        assert asked_for(found, wanted) == wanted
        assert not send(rule_messages.delete_rule(found))
        assert rules(wanted.family) == []

    sandboxed(inside)


def test_what_iproute2_makes_of_rules_is_read_field_by_field(sandboxed: Sandbox) -> None:
    def inside() -> None:
        told = {"type": "unicast", "suppress_prefixlength": -1, "protocol": 0, "table": 300}
        expected = {
            "from 192.0.2.0/24 to 198.51.100.1 iif lo oif nosuch0 tos 0x10 fwmark 7/0xf lookup 300": Rule("", "ipv4", 20, pairs(
                {"from": "192.0.2.0/24", "to": "198.51.100.1/32", "iif": "lo", "oif": "nosuch0", "tos": 16, "fwmark": 7, "fwmask": 15}),
                **told),
            "not ipproto udp sport 53 dport 1000-2000 lookup 300 suppress_prefixlength 8 protocol dhcp": Rule("", "ipv4", 20, pairs(
                {"not": True, "ipproto": 17, "sport": "53", "dport": "1000-2000"}),
                **{**told, "suppress_prefixlength": 8, "protocol": 16}),
            "from 2001:db8::/32 fwmark 9 lookup main": Rule("", "ipv6", 20, pairs(
                {"from": "2001:db8::/32", "fwmark": 9, "fwmask": 2**32 - 1}), **{**told, "table": MAIN}),
            "uidrange 5-6 lookup 300": Rule("", "ipv4", 20, pairs({"uidrange": "5-6"}), **told),
            "to 2001:db8::5 prohibit": Rule("", "ipv6", 20, pairs({"to": "2001:db8::5/128"}), **{**told, "type": "prohibit", "table": 0}),
        }  # fmt: skip
        for command, wanted in expected.items():
            family = "-6" if wanted.family == "ipv6" else "-4"
            ip(family, "rule", "add", "priority", "20", *command.split())
            assert rules(wanted.family) == [wanted]
            ip(family, "rule", "del", "priority", "20")

    sandboxed(inside)


# -- pyroute2 as the other eyes


def test_pyroute2_reads_the_same(sandboxed: Sandbox) -> None:
    pytest.importorskip("pyroute2", reason="pyroute2 is not installed for this Python")

    def inside() -> None:
        from pyroute2 import IPRoute

        roads()
        way = route("203.0.113.0/24", gateway="192.0.2.9", dev="left0", table=70000, metric=50, src="192.0.2.1", mtu=1300, advmss=1200)
        hops = Nexthop("192.0.2.9", "left0", 3), Nexthop("198.51.100.9", "left1")
        many = route("203.0.113.0/24", table=70000, metric=51, nexthops=hops)
        chosen = {"from": "192.0.2.0/24", "to": "198.51.100.1/32", "iif": "lo", "fwmark": 7, "fwmask": 15, "ipproto": 6, "dport": "5-6"}
        rule = Rule("", "ipv4", 100, pairs(chosen), table=70000, suppress_prefixlength=3)
        address = Address("", "left1", "198.18.0.1", 32, peer="198.18.0.2", label="left1:x", scope=LINK, metric=8, noprefixroute=True)
        assert not send(route_messages.set_route(way, index_of), route_messages.set_route(many, index_of), rule_messages.create_rule(rule),
                        ip_messages.set_address(address, index_of))  # fmt: skip
        with IPRoute() as other:
            one, two = sorted(other.get_routes(family=socket.AF_INET, table=70000), key=lambda found: found.get_attr("RTA_PRIORITY"))
            (policy,) = (found for found in other.get_rules(family=socket.AF_INET) if found.get_attr("FRA_PRIORITY") == 100)
            (near,) = (found for found in other.get_addr() if found.get_attr("IFA_LOCAL") == "198.18.0.1")
        assert (one["dst_len"], one["proto"], one["scope"], one["type"]) == (24, OURS, 0, 1)
        wanted = {"DST": "203.0.113.0", "GATEWAY": "192.0.2.9", "OIF": index_of("left0"), "PRIORITY": 50, "PREFSRC": "192.0.2.1",
                  "TABLE": 70000}  # fmt: skip
        assert {name: one.get_attr(f"RTA_{name}") for name in wanted} == wanted
        metrics = one.get_attr("RTA_METRICS")
        assert (metrics.get_attr("RTAX_MTU"), metrics.get_attr("RTAX_ADVMSS")) == (1300, 1200)
        ways = [(hop.get_attr("RTA_GATEWAY"), hop["oif"], hop["hops"]) for hop in two.get_attr("RTA_MULTIPATH")]
        assert ways == [("192.0.2.9", index_of("left0"), 2), ("198.51.100.9", index_of("left1"), 0)]
        wanted = {"SRC": "192.0.2.0", "DST": "198.51.100.1", "IIFNAME": "lo", "FWMARK": 7, "FWMASK": 15, "IP_PROTO": 6, "TABLE": 70000,
                  "SUPPRESS_PREFIXLEN": 3}  # fmt: skip
        assert {name: policy.get_attr(f"FRA_{name}") for name in wanted} == wanted
        assert (policy["src_len"], policy["dst_len"], policy["action"]) == (24, 32, 1)
        wanted = {"ADDRESS": "198.18.0.2", "LABEL": "left1:x", "FLAGS": 0x280}  # not to run out, without a prefix route
        assert {name: near.get_attr(f"IFA_{name}") for name in wanted} == wanted
        assert (near["prefixlen"], near["scope"]) == (32, LINK)

    sandboxed(inside)


# -- what needs no kernel: requests are laid out as the kernel's answers


DEVICES = {"lo": 1, "eth0": 2, "veth-with.dots": 2**31 - 1}
NAMES = {index: name for name, index in DEVICES.items()}

u32 = st.integers(0, 2**32 - 1)
positive = st.integers(1, 2**32 - 1)
devices = st.sampled_from(sorted(DEVICES))
versions = st.sampled_from([4, 6])


def plain(version: int) -> st.SearchStrategy[str]:
    return st.ip_addresses(v=version).map(str)  # type: ignore[arg-type]


@st.composite
def prefixes(draw: t.Any, version: int) -> str:
    address = draw(plain(version))
    return str(ipaddress.ip_network(f"{address}/{draw(st.integers(0, 32 if version == 4 else 128))}", strict=False))


@st.composite
def some_addresses(draw: t.Any) -> Address:
    version = draw(versions)
    address, peer = draw(plain(version)), draw(st.none() | plain(version))
    flags = ("noprefixroute",) if version == 4 else ("noprefixroute", "nodad", "home", "mngtmpaddr")
    return Address(
        "blue",
        draw(devices),
        address,
        draw(st.integers(0, 32 if version == 4 else 128)),
        peer=None if peer == address else peer,
        broadcast=draw(st.none() | plain(4)) if version == 4 else None,
        label=draw(st.none() | st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), min_size=1, max_size=15)),
        scope=draw(st.integers(0, 255)),
        metric=draw(u32),
        preferred_lft=draw(u32),
        valid_lft=draw(u32),
        protocol=draw(st.integers(0, 255)),
        **{name: draw(st.booleans()) for name in flags},
    )


@settings(derandomize=True, max_examples=100, deadline=None)
@given(some_addresses())
def test_address_comes_back_from_its_own_request(wanted: Address) -> None:
    message = ip_messages.set_address(wanted, DEVICES.__getitem__)
    assert (message.type, len(message.body) % 4) == (rtnetlink.RTM_NEWADDR, 0)
    assert ip_messages.decode_address(message.body, "blue", NAMES.__getitem__) == wanted


@st.composite
def some_hops(draw: t.Any, version: int) -> Nexthop:
    family = draw(versions) if version == 4 else 6
    return Nexthop(draw(st.none() | plain(family)), draw(st.none() | devices), draw(st.integers(1, 256)), draw(st.booleans()))


@st.composite
def some_routes(draw: t.Any) -> Route:
    version = draw(versions)
    family = draw(versions) if version == 4 else 6
    nexthops = tuple(draw(st.lists(some_hops(version), max_size=4)))
    return Route(
        "blue",
        draw(prefixes(version)),
        draw(positive),
        draw(u32),
        gateway=None if nexthops else draw(st.none() | plain(family)),
        dev=None if nexthops else draw(st.none() | devices),
        type=draw(st.sampled_from(sorted(ROUTE_TYPES))),
        scope=draw(st.integers(0, 255)),
        src=draw(st.none() | plain(version)),
        mtu=draw(u32),
        advmss=draw(u32),
        onlink=draw(st.booleans()),
        protocol=draw(st.integers(0, 255)),
        nexthops=nexthops,
    )


@settings(derandomize=True, max_examples=100, deadline=None)
@given(some_routes())
def test_route_comes_back_from_its_own_request(wanted: Route) -> None:
    message = route_messages.set_route(wanted, DEVICES.__getitem__)
    assert (message.type, len(message.body) % 4) == (rtnetlink.RTM_NEWROUTE, 0)
    assert route_messages.decode_route(message.body, "blue", NAMES.__getitem__) == wanted


@st.composite
def ranges(draw: t.Any, most: int) -> str:
    first, last = sorted(draw(st.tuples(st.integers(0, most), st.integers(0, most))))
    return str(first) if first == last else f"{first}-{last}"


@st.composite
def some_rules(draw: t.Any) -> Rule:
    version = draw(versions)
    chosen: dict[str, t.Any] = {name: draw(st.none() | prefixes(version)) for name in ("from", "to")}
    chosen.update({name: draw(st.none() | devices) for name in ("iif", "oif")})
    chosen.update(draw(st.just({}) | st.fixed_dictionaries({"fwmark": positive, "fwmask": u32})))
    chosen.update(tos=draw(st.none() | st.integers(1, 255)), ipproto=draw(st.none() | st.integers(0, 255)))
    chosen.update({name: draw(st.none() | ranges(65535)) for name in ("sport", "dport")})
    chosen.update({"uidrange": draw(st.none() | ranges(2**32 - 1)), "not": draw(st.none() | st.just(True))})
    return Rule(
        "blue",
        f"ipv{version}",
        draw(u32),
        pairs(chosen),
        table=draw(u32),
        type=draw(st.sampled_from([*sorted(RULE_TYPES), "2", "3"])),
        suppress_prefixlength=draw(st.integers(-1, 128)),
        protocol=draw(st.integers(0, 255)),
    )


@settings(derandomize=True, max_examples=100, deadline=None)
@given(some_rules())
def test_rule_comes_back_from_its_own_request(wanted: Rule) -> None:
    message = rule_messages.create_rule(wanted)
    assert (message.type, len(message.body) % 4) == (rtnetlink.RTM_NEWRULE, 0)
    assert rule_messages.decode_rule(message.body, "blue") == wanted
    assert rule_messages.delete_rule(wanted).type == rtnetlink.RTM_DELRULE


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0", "255.255.255.255", "::", "::1", "::ffff:192.0.2.1", "::192.0.2.1", "64:ff9b::192.0.2.1", "2001:db8:0:0:1::1", "1:0:2::"],
)
def test_addresses_are_spelled_as_options_are(address: str) -> None:
    spelled = str(ipaddress.ip_address(address))
    assert ip_numbers.unpack_ip(ip_numbers.pack_ip(address)) == spelled
    assert ip_numbers.unpack_ip(ip_numbers.pack_ip(spelled)) == spelled
