# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import options
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.changes import Change
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError, StateError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.plan import plan
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.record import Resource
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources import Link
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_addresses import Address
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_routes import Nexthop, Route
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.state import Observed

MAC = "02:00:5e:10:00:01"
WISH = {"links": [{"name": "br0", "kind": "bridge", "take_over": "enp1s0"}]}
PORT = Link(netns="", ifname="enp1s0", link_kind="", master="", up=True, mac_address=MAC)
BRIDGE = Link(netns="", ifname="br0", link_kind="bridge", master="", up=True, mac_address=MAC)


def address(dev: str, text: str, prefixlen: int, **more) -> Address:
    return Address(netns="", dev=dev, address=text, prefixlen=prefixlen, noprefixroute=False, **more)


def route(dest: str, **more) -> Route:
    return Route(netns="", dest=dest, table=more.pop("table", 254), metric=more.pop("metric", 0), type="unicast", **more)


ADDRESSES = [
    address("enp1s0", "192.0.2.5", 24, label="enp1s0"),
    address("enp1s0", "192.0.2.6", 24, label="enp1s0:1"),
    address("enp1s0", "2001:db8::5", 64),
    address("enp1s0", "fe80::1", 64),
]
ROUTES = [
    route("192.0.2.0/24", dev="enp1s0", protocol=2),
    route("0.0.0.0/0", dev="enp1s0", gateway="192.0.2.1", protocol=16, metric=100),
    route("10.0.0.0/8", table=7, nexthops=(Nexthop("192.0.2.1", "enp1s0"), Nexthop("198.51.100.1", "enp2s0"))),
    route("2001:db8::/64", dev="enp1s0", protocol=2, metric=256),
    route("fe80::/64", dev="enp1s0", protocol=2, metric=256),
    route("::/0", dev="enp1s0", gateway="fe80::9", protocol=9, metric=1024),
]


def observed(links: list[Link], addresses: list[Address], routes: list[Route], wanted: options.Wanted) -> Observed:
    state = Observed(places={"": "there"})
    resources: list[Resource] = [*links, *addresses]
    state.found = {resource.key: resource for resource in resources}
    state.devices = {(link.netns, link.ifname): link for link in links}
    for found in routes:
        for dev in found.devices:
            state.routes.setdefault(("", dev), []).append(found)
    state.expect(wanted.present)
    state.named = frozenset(resource.key for resource in (*wanted.present, *wanted.absent))
    return state


def changes(state: str, links: list[Link], addresses: list[Address], routes: list[Route]) -> list[Change]:
    wanted = options.read(WISH, state, topology=True)
    return plan(wanted, observed(links, addresses, routes, wanted))


def told(found: list[Change]) -> list[tuple[str, str]]:
    return [(change.action, change.resource.name) for change in found]


def test_everything_moves_in_the_order_that_keeps_the_gap_short() -> None:
    found = changes("present", [PORT], ADDRESSES, ROUTES)
    assert told(found) == [
        ("create", "br0"),
        ("update", "enp1s0"),
        ("create", "192.0.2.5/24 dev br0"),
        ("create", "192.0.2.6/24 dev br0"),
        ("create", "2001:db8::5/64 dev br0"),
        ("update", "default metric 100"),
        ("update", "10.0.0.0/8 table 7"),
        ("update", "ipv6 default"),
        ("delete", "2001:db8::5/64 dev enp1s0"),
        ("delete", "192.0.2.6/24 dev enp1s0"),
        ("delete", "192.0.2.5/24 dev enp1s0"),
    ]
    bridge, _port, first, second, third, default, multipath, *_rest = (change.after for change in found)
    assert isinstance(bridge, Link) and bridge.mac_address == MAC
    assert isinstance(first, Address) and first.label == "br0"
    assert isinstance(second, Address) and second.label == "br0:1"
    # it was checked for duplicates on this very link; a second check would take it out of use
    assert isinstance(third, Address) and third.nodad
    assert isinstance(default, Route) and (default.dev, default.protocol, default.gateway) == ("br0", 16, "192.0.2.1")
    assert isinstance(multipath, Route) and [hop.dev for hop in multipath.nexthops] == ["br0", "enp2s0"]


def test_nothing_is_left_when_it_is_done() -> None:
    port = Link(netns="", ifname="enp1s0", link_kind="", master="br0", up=True, mac_address=MAC)
    assert changes("present", [port, BRIDGE], [address("br0", "192.0.2.5", 24), address("enp1s0", "fe80::1", 64)], []) == []


def test_what_somebody_put_back_moves_again() -> None:
    port = Link(netns="", ifname="enp1s0", link_kind="", master="br0", up=True, mac_address=MAC)
    both = [address("br0", "192.0.2.5", 24), address("enp1s0", "192.0.2.5", 24), address("enp1s0", "192.0.2.7", 24)]
    assert told(changes("present", [port, BRIDGE], both, [])) == [
        ("create", "192.0.2.7/24 dev br0"),
        ("delete", "192.0.2.7/24 dev enp1s0"),
        ("delete", "192.0.2.5/24 dev enp1s0"),
    ]


def test_all_goes_back_before_the_bridge_goes() -> None:
    port = Link(netns="", ifname="enp1s0", link_kind="", master="br0", up=True, mac_address=MAC)
    found = changes(
        "absent",
        [port, BRIDGE],
        [address("br0", "192.0.2.5", 24), address("br0", "fe80::2", 64)],
        [route("0.0.0.0/0", dev="br0", gateway="192.0.2.1"), route("192.0.2.0/24", dev="br0", protocol=2)],
    )
    assert told(found) == [
        ("update", "enp1s0"),
        ("create", "192.0.2.5/24 dev enp1s0"),
        ("update", "default"),
        ("delete", "192.0.2.5/24 dev br0"),
        ("delete", "br0"),
    ]
    assert found[0].differs == {"master": ("br0", "")}


def test_absent_leaves_a_device_alone_that_is_not_its_port() -> None:
    assert told(changes("absent", [PORT, BRIDGE], [address("br0", "192.0.2.5", 24)], [])) == [("delete", "br0")]
    assert changes("absent", [PORT], ADDRESSES, ROUTES) == []


def test_a_route_that_networkmanager_made_for_the_kernel_moves() -> None:
    bare = Address(netns="", dev="enp1s0", address="192.0.2.5", prefixlen=24, noprefixroute=True)
    found = changes("present", [PORT], [bare], [route("192.0.2.0/24", dev="enp1s0", protocol=2, metric=100)])
    assert ("update", "192.0.2.0/24 metric 100") in told(found)


def test_a_wish_about_an_address_on_the_bridge_wins() -> None:
    wanted = options.read({**WISH, "addresses": [{"dev": "br0", "address": ["192.0.2.5/24"]}]}, "present", topology=True)
    found = plan(wanted, observed([PORT], ADDRESSES[:1], [], wanted))
    assert [change.action for change in found if change.resource.name == "192.0.2.5/24 dev br0"] == ["create"]


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ([], "take_over: there is no device 'enp1s0' on the host"),
        ([Link(netns="", ifname="enp1s0", link_kind="", master="bond0", up=True)], "enp1s0 on the host is in bond0 already"),
        ([Link(netns="", ifname="enp1s0", link_kind="bridge", master="", up=True)], "enp1s0 on the host is a bridge itself"),
    ],
)
def test_refused_before_anything_is_changed(links: list[Link], message: str) -> None:
    with pytest.raises(StateError) as caught:
        changes("present", links, [], [])
    assert message in str(caught.value)


def test_two_routes_of_one_key_are_not_mixed_up() -> None:
    wanted = options.read(WISH, "present", topology=True)
    state = observed([PORT], ADDRESSES[:1], [ROUTES[1]], wanted)
    state.contested = {ROUTES[1].key}
    with pytest.raises(StateError, match="another one has the same destination and metric"):
        plan(wanted, state)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"name": "br0", "take_over": "enp1s0"}, "take_over: link br0 is not a bridge, and only a bridge has ports: set kind: bridge"),
        (
            {"name": "br0", "kind": "bridge", "take_over": "br0"},
            "take_over: 'br0' cannot be its own port: name the device that the bridge is to take over",
        ),
    ],
)
def test_bad_input(item: dict, message: str) -> None:
    with pytest.raises(InputError) as caught:
        options.read({"links": [item]})
    assert str(caught.value) == message
