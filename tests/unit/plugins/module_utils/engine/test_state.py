# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was found, what goes with what, and what a wish may lean on."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import StateError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.record import Resource, pairs
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources import Link, Namespace, Sysctl, Veth
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_addresses import Address
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_routes import Nexthop, Route, Rule
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.state import MAIN, Observed
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.state_losses import NEW_PORT, down, hangs_on, without


def state(*found: Resource, **fields: t.Any) -> Observed:
    devices = {(link.netns, link.ifname): link for link in found if isinstance(link, Link)}
    return Observed(found={one.key: one for one in found}, devices=devices, **fields)


def left(observed: Observed) -> set[str]:
    return {one.describe() for one in observed.found.values()}


def route(dest: str, **fields: t.Any) -> Route:
    return Route("blue", dest, **{"table": MAIN, "metric": 0, **fields})


BRIDGE = Link("blue", "br0", "bridge")
PORT = Link("blue", "eth0", "veth", master="br0", port=pairs({"cost": 5}))
OTHER = Link("blue", "eth1", "veth", master="br1", port=pairs({"cost": 6}))


# -- what hangs on devices


@pytest.mark.parametrize(
    "found",
    [
        Link("blue", "eth0", "veth"),
        Address("blue", "eth0", "192.0.2.1", 24),
        route("0.0.0.0/0", gateway="192.0.2.9", dev="eth0"),
        route("0.0.0.0/0", nexthops=(Nexthop("198.51.100.1", "eth1"), Nexthop("192.0.2.9", "eth0"))),
        Sysctl("blue", "net/ipv4/conf/eth0/rp_filter", "1"),
        Sysctl("blue", "net/ipv6/neigh/eth0/mcast_solicit", "1"),
    ],
    ids=lambda found: found.describe(),
)
def test_hangs_on_its_device_and_on_no_other(found: Resource) -> None:
    assert hangs_on(found, {("blue", "eth0")})
    assert not hangs_on(found, {("blue", "eth2"), ("", "eth0"), ("red", "eth0")})


@pytest.mark.parametrize(
    "found",
    [
        Namespace("blue"),
        Rule("blue", "ipv4", 5, pairs({"iif": "eth0"})),
        route("192.0.2.0/24", type="blackhole"),
        Sysctl("blue", "net/ipv4/conf/all/rp_filter", "1"),
        Sysctl("blue", "net/ipv4/ip_forward", "1"),
    ],
    ids=lambda found: found.describe(),
)
def test_hangs_on_no_device(found: Resource) -> None:
    assert not hangs_on(found, {("blue", "eth0"), ("blue", "all"), ("blue", "ip_forward")})


# -- what goes with what


def test_without_a_device_all_that_hung_on_it_is_gone_and_nothing_else() -> None:
    before = state(
        *(BRIDGE, PORT, OTHER),
        Address("blue", "eth0", "192.0.2.1", 24),
        Address("blue", "eth1", "192.0.2.2", 24),
        route("0.0.0.0/0", dev="eth0"),
        route("198.51.100.0/24", dev="eth1"),
        Sysctl("blue", "net/ipv4/conf/eth0/rp_filter", "1"),
        Rule("blue", "ipv4", 5, pairs({"iif": "eth0"})),
    )
    after = without(before, PORT)
    assert left(before) - left(after) == {
        "link eth0 in namespace 'blue'",
        "address 192.0.2.1/24 dev eth0 in namespace 'blue'",
        "route default in namespace 'blue'",
        "sysctl net.ipv4.conf.eth0.rp_filter in namespace 'blue'",
    }
    assert len(before.found) == 9  # the state itself is as it was
    assert after.devices == before.devices


def test_without_a_bridge_its_ports_stand_alone() -> None:
    after = without(state(BRIDGE, PORT, OTHER), BRIDGE)
    assert after.like(PORT) == dataclasses.replace(PORT, master="", port=NEW_PORT)
    assert after.like(OTHER) == OTHER
    assert after.like(BRIDGE) is None


def test_without_a_pair_both_ends_are_gone() -> None:
    ends = Link("blue", "eth0", "veth"), Link("", "web0", "veth")
    before = state(*ends, BRIDGE, Address("", "web0", "192.0.2.1", 24), Address("blue", "web0", "192.0.2.1", 24))
    assert left(without(before, Veth(*ends))) == {"link br0 in namespace 'blue'", "address 192.0.2.1/24 dev web0 in namespace 'blue'"}


def test_without_a_parent_its_children_and_their_children_are_gone_in_every_namespace() -> None:
    child = Link("red", "mv0", "macvlan", parent="eth0", parent_netns="blue")
    grandchild = Link("red", "vx0", "vxlan", parent="mv0")
    stranger = Link("red", "mv1", "macvlan", parent="eth0")  # on red's own eth0
    address = Address("red", "vx0", "192.0.2.1", 24)
    assert left(without(state(PORT, child, grandchild, stranger, address), PORT)) == {"link mv1 in namespace 'red'"}


@pytest.mark.parametrize("gone", [Rule("blue", "ipv4", 5), route("0.0.0.0/0", dev="eth0"), Address("blue", "eth0", "2001:db8::1", 64)])
def test_on_what_is_no_device_nothing_hangs(gone: Resource) -> None:
    before = state(PORT, gone, route("::/0", dev="eth0", metric=1024))
    assert without(before, gone) is before


def test_with_the_last_ipv4_address_the_ipv4_routes_of_the_device_are_gone() -> None:
    last = Address("blue", "eth0", "192.0.2.1", 24)
    before = state(
        *(last, Address("blue", "eth0", "2001:db8::1", 64), Address("blue", "eth1", "192.0.2.7", 24)),
        route("0.0.0.0/0", gateway="192.0.2.9", dev="eth0"),
        route("198.51.100.0/24", dev="eth1"),
        route("203.0.113.0/24", dev="eth1", src="192.0.2.1"),
        route("::/0", dev="eth0", metric=1024),
    )
    lost = {"route default in namespace 'blue'", "route 203.0.113.0/24 in namespace 'blue'"}
    assert left(before) - left(without(before, last)) == lost


@pytest.mark.parametrize("coming", [False, True], ids=["is there", "comes in this run"])
def test_with_another_ipv4_address_only_routes_that_leave_from_the_lost_one_go(coming: bool) -> None:
    gone, other = Address("blue", "eth0", "192.0.2.1", 24), Address("blue", "eth0", "192.0.2.2", 24)
    ways = route("0.0.0.0/0", gateway="192.0.2.9", dev="eth0"), route("203.0.113.0/24", dev="eth0", src="192.0.2.1")
    before = state(gone, *ways, *(() if coming else (other,)))
    if coming:
        before.expect([other])
    assert left(before) - left(without(before, gone)) == {"route 203.0.113.0/24 in namespace 'blue'"}


def test_down_takes_all_routes_and_the_ipv6_addresses() -> None:
    before = state(
        *(PORT, Address("blue", "eth0", "192.0.2.1", 24), Address("blue", "eth0", "2001:db8::1", 64)),
        *(route("0.0.0.0/0", dev="eth0"), route("::/0", dev="eth0", metric=1024), route("198.51.100.0/24", dev="eth1")),
    )
    lost = {"address 2001:db8::1/64 dev eth0", "route default", "route ipv6 default"}
    assert left(before) - left(down(before, PORT)) == {f"{one} in namespace 'blue'" for one in lost}


# -- what a gateway needs


@pytest.mark.parametrize(
    ("gateway", "table", "reached"),
    [
        ("192.0.2.9", MAIN, True),
        ("192.0.3.9", MAIN, False),
        ("192.0.3.9", 100, True),  # of another table the kernel judges
        ("2001:db8::9", MAIN, True),
        ("2001:db9::9", MAIN, False),
        ("fe80::9", MAIN, True),
        ("198.51.100.1", MAIN, True),  # the peer
        ("198.51.100.2", MAIN, False),
        ("203.0.113.77", MAIN, True),  # by a route without a gateway
        ("10.0.0.1", MAIN, False),  # behind a gateway
        ("10.1.0.1", MAIN, False),  # in another table
    ],
)
def test_gateway_is_reached_where_a_wish_puts_it_on_a_link(gateway: str, table: int, reached: bool) -> None:
    observed = Observed()
    observed.reach("blue", "2001:db8::1/64")
    observed.expect(
        [
            Address("blue", "eth0", "192.0.2.1", 24),
            Address("blue", "eth0", "192.0.2.1", 32, peer="198.51.100.1"),
            route("203.0.113.0/24", dev="eth0"),
            route("10.0.0.0/24", gateway="192.0.2.9", dev="eth0"),
            route("10.1.0.0/24", dev="eth0", table=100),
        ]
    )
    assert observed.reaches("blue", gateway, table) == reached
    assert observed.reaches("red", gateway, table) == (table != MAIN or gateway.startswith("fe80"))


# -- what a wish may lean on


ADDRESS = Address("blue", "eth0", "192.0.2.1", 24)


@pytest.mark.parametrize(
    ("netns", "status", "sentence"),
    [
        ("blue", "missing", ("namespace 'blue' does not exist: create it with linuxnet.netns.netns or correct 'netns'; "
                             "address 192.0.2.1/24 dev eth0 in namespace 'blue' was to be there")),
        ("/proc/77/ns/net", "missing", ("namespace '/proc/77/ns/net' does not exist: correct the path; "
                                        "address 192.0.2.1/24 dev eth0 in namespace '/proc/77/ns/net' was to be there")),
        ("blue", "a stale plain file", ("namespace 'blue' is a stale plain file in /run/netns, not a namespace: "
                                        "linuxnet.netns.netns with state present repairs it")),
    ],
)  # fmt: skip
def test_namespace_that_is_not_there_is_refused(netns: str, status: str, sentence: str) -> None:
    observed = Observed(places={netns: status})
    with pytest.raises(StateError) as caught:
        observed.need_place(netns, dataclasses.replace(ADDRESS, netns=netns))
    assert str(caught.value) == sentence
    assert not observed.there(netns)


def test_namespace_that_is_there_or_comes_is_taken() -> None:
    observed = Observed(places={"blue": "there", "red": "missing", "stale": "a stale plain file"})
    observed.expect([Namespace("red"), Namespace("stale")])
    for netns in ("", "blue", "red", "stale"):
        observed.need_place(netns, ADDRESS)
    assert observed.there("blue") and not observed.there("red")


@pytest.mark.parametrize(
    ("netns", "option", "resource", "sentence"),
    [
        ("blue", "dev", ADDRESS, ("dev: there is no device 'eth0' in namespace 'blue': create it first or correct 'dev' of "
                                  "address 192.0.2.1/24 dev eth0 in namespace 'blue'")),
        ("", "master", Link("", "web0", "veth"), ("master: there is no device 'eth0' on the host: create it first or correct 'master' of "
                                                  "link web0 on the host")),
    ],
)  # fmt: skip
def test_device_that_is_not_there_is_refused(netns: str, option: str, resource: Resource, sentence: str) -> None:
    observed = state(Link("red", "eth0", "veth"))
    observed.expect([Link(netns, "eth1", "bridge")])
    with pytest.raises(StateError) as caught:
        observed.need_device(netns, "eth0", option, resource)
    assert str(caught.value) == sentence


def test_device_that_is_there_or_comes_is_taken() -> None:
    observed = state(PORT)
    observed.expect([BRIDGE, Veth(Link("blue", "a", "veth"), Link("", "b", "veth")), Namespace("red")])
    for netns, name in (("blue", "eth0"), ("blue", "br0"), ("blue", "a"), ("", "b"), ("red", "lo"), ("blue", None), ("blue", "")):
        observed.need_device(netns, name, "dev", ADDRESS)
    with pytest.raises(StateError):
        observed.need_device("", "a", "dev", ADDRESS)


def test_a_wish_finds_its_object_by_its_key() -> None:
    found = Address("blue", "eth0", "192.0.2.1", 24, scope=0, label="eth0")
    observed = state(found, dataclasses.replace(found, prefixlen=25))
    assert observed.like(ADDRESS) is found
    assert observed.like(dataclasses.replace(ADDRESS, netns="red")) is None
