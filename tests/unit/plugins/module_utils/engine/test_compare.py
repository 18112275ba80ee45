# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a wish and what was found differ."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine.compare import differences
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.record import Resource
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources import Link, Namespace
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_addresses import Address
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_routes import Nexthop, Route, Rule

FOREVER = 2**32 - 1
LINK = Link(
    "", "br0", link_kind="bridge", mtu=1500, master="", up=True, alias="", info=(("priority", 1), ("stp", False)), index=3, ours=True
)
ADDRESS = Address("", "br0", "10.0.0.1", 24, scope=0, metric=0, valid_lft=FOREVER, preferred_lft=FOREVER, noprefixroute=False, label="br0")
ROUTE = Route("", "10.9.0.0/16", 254, 0, gateway="10.0.0.9", dev="br0", type="unicast", scope=0, mtu=0, advmss=0, onlink=False, protocol=3)
WAYS = (Nexthop("10.0.0.9", "br0", 1), Nexthop("10.0.0.8", "br0", 3))
MULTIPATH = dataclasses.replace(ROUTE, gateway=None, dev=None, nexthops=WAYS)


def wish(like: Resource, **asked: t.Any) -> Resource:
    """The identity of a record, and nothing else than what is given."""
    required = {
        field.name: getattr(like, field.name)
        for field in dataclasses.fields(like)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    return type(like)(**{**required, **asked})


@pytest.mark.parametrize(
    ("found", "asked", "differs"),
    [
        (LINK, {}, {}),
        (LINK, {"mtu": 1500, "up": True, "master": ""}, {}),
        (LINK, {"mtu": 1400, "up": False}, {"mtu": (1500, 1400), "up": (True, False)}),
        (LINK, {"master": "br1"}, {"master": ("", "br1")}),
        (LINK, {"alias": "x"}, {"alias": ("", "x")}),
        (LINK, {"info": (("stp", True),)}, {"info.stp": (False, True)}),
        (LINK, {"info": (("stp", False),)}, {}),
        (LINK, {"port": (("cost", 5),)}, {"port.cost": (None, 5)}),
        (LINK, {"link_kind": "vxlan"}, {"link_kind": ("bridge", "vxlan")}),
        # how to do it and what only an observation knows is not compared
        (LINK, {"force": True, "from_netns": "red", "addr_gen_mode": "none", "index": 7}, {}),
        (Namespace("red", loopback=False, nsid=None), {"loopback": True}, {"loopback": (False, True)}),
        (Namespace("red", loopback=True, inode=5, pids=(1,)), {"processes": "kill", "pid": 7}, {}),
        (ADDRESS, {}, {}),
        (ADDRESS, {"metric": 5, "label": "br0:1"}, {"metric": (0, 5), "label": ("br0", "br0:1")}),
        (ADDRESS, {"wait_for_dad": True}, {}),
        (ROUTE, {"gateway": "10.0.0.9"}, {}),
        (ROUTE, {"gateway": "10.0.0.8"}, {"gateway": ("10.0.0.9", "10.0.0.8")}),
        (ROUTE, {"dev": "br0"}, {"gateway": ("10.0.0.9", None)}),
        (ROUTE, {"nexthops": WAYS}, {"gateway": ("10.0.0.9", None), "nexthops": (None, WAYS)}),
        (ROUTE, {"type": "blackhole"}, {"type": ("unicast", "blackhole")}),
        (MULTIPATH, {"gateway": "10.0.0.9"}, {"gateway": (None, "10.0.0.9")}),
        (Rule("", "ipv4", 5, table=254, type="unicast"), {"table": 7}, {"table": (254, 7)}),
    ],
)
def test_differences(found: Resource, asked: dict[str, t.Any], differs: dict[str, t.Any]) -> None:
    assert differences(found, wish(found, **asked)) == differs


@pytest.mark.parametrize(
    ("ways", "same"),
    [
        (WAYS, True),
        (WAYS[::-1], True),
        ((Nexthop("10.0.0.9"), Nexthop("10.0.0.8", weight=3)), True),
        (WAYS[:1], False),
        ((*WAYS, Nexthop("10.0.0.7")), False),
        ((WAYS[0], WAYS[0]), False),
        ((WAYS[0], Nexthop("10.0.0.8", "br0", 2)), False),
        ((WAYS[0], Nexthop("10.0.0.8", "br1", 3)), False),
        ((Nexthop("10.0.0.9", "br0", onlink=True), WAYS[1]), False),
    ],
)
def test_the_ways_of_a_route_are_a_set(ways: tuple[Nexthop, ...], same: bool) -> None:
    assert ("nexthops" not in differences(MULTIPATH, wish(MULTIPATH, nexthops=ways))) is same


@pytest.mark.parametrize(
    ("now", "wanted", "same"),
    [(FOREVER, FOREVER, True), (100, FOREVER, False), (100, 100, True), (90, 100, True), (110, 100, False), (FOREVER, 100, False)],
)
def test_a_running_lifetime_is_not_renewed_at_every_run(now: int, wanted: int, same: bool) -> None:
    found = dataclasses.replace(ADDRESS, valid_lft=now)
    assert (differences(found, wish(ADDRESS, valid_lft=wanted)) == {}) is same
