# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run tells: changes, and the managed objects before and after as YAML."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine.changes import Change
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.report import Report, report
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.report_diff import yaml
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources import Link, Namespace, Sysctl, Veth
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_addresses import Address
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_nat import Table
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_routes import Nexthop, Route, Rule

LINK = Link("red", "br0", link_kind="bridge", mtu=1500, up=False, master="")
PHASE = (1, 1)


def test_nothing_to_tell() -> None:
    assert report([], {}) == Report()
    assert not report([], {}).changed
    assert report([], {}).diff() == {"before": "", "after": ""}


def test_each_action() -> None:
    up = Link("red", "br0", link_kind="bridge", mtu=1500, up=True, master="")
    here = Link("", "eth0", up=True)
    there = Link("blue", "eth0", up=False)
    told = report(
        [
            Change.create(Namespace("red", loopback=True), PHASE, "not there"),
            Change.create(LINK, PHASE, "not there"),
            Change.update(LINK, up, {"up": (False, True)}, PHASE),
            Change("move", here, there, PHASE, "is on the host"),
            Change.delete(Address("", "br1", "10.0.0.1", 24, scope=0), PHASE, "state is absent"),
        ],
        {},
    )
    assert told.changed
    assert [{**change, "before": "", "after": ""} for change in told.changes] == [
        {"action": action, "kind": kind, "netns": netns, "name": name, "before": "", "after": "", "reason": reason}
        for action, kind, netns, name, reason in (
            ("create", "namespace", None, "red", "not there"),
            ("create", "link", "red", "br0", "not there"),
            ("update", "link", "red", "br0", "up differs"),
            ("move", "link", "blue", "eth0", "is on the host"),
            ("delete", "address", None, "10.0.0.1/24 dev br1", "state is absent"),
        )
    ]
    assert [(change["before"], change["after"]) for change in told.changes] == [
        (None, {"loopback": True}),
        (None, {"kind": "bridge", "mtu": 1500, "master": "", "up": False}),
        ({"up": False}, {"up": True}),
        ({"netns": None}, {"netns": "blue"}),
        ({"prefixlen": 24, "scope": 0}, None),
    ]
    json.dumps(told.changes)
    assert told.created == {("namespace", "red"), ("link", "red", "br0")}


def test_two_reasons_and_records_in_an_update() -> None:
    ways = (Nexthop("10.0.0.1"), Nexthop("10.0.0.2", "eth0", 2, True))
    route = Route("", "0.0.0.0/0", 254, 0)
    (change,) = report([Change.update(route, route, {"gateway": ("10.0.0.1", None), "nexthops": (None, ways)}, PHASE)], {}).changes
    assert change["reason"] == "gateway, nexthops differ"
    assert change["after"] == {
        "gateway": None,
        "nexthops": [
            {"gateway": "10.0.0.1", "dev": None, "weight": 1, "onlink": False},
            {"gateway": "10.0.0.2", "dev": "eth0", "weight": 2, "onlink": True},
        ],
    }
    json.dumps(change)


def test_names() -> None:
    def name(resource: t.Any) -> tuple[str, str]:
        (change,) = report([Change.create(resource, PHASE, "")], {}).changes
        return change["kind"], change["name"]

    assert name(Route("", "::/0", 254, 1024)) == ("route", "ipv6 default")
    assert name(Route("", "10.0.0.0/8", 100, 50)) == ("route", "10.0.0.0/8 table 100 metric 50")
    assert name(Sysctl("", "net/ipv4/conf/eth0.100/forwarding", "1")) == ("sysctl", "net.ipv4.conf.eth0/100.forwarding")
    assert name(Table("", "inet", "x")) == ("nft_table", "inet x")
    assert name(Veth(Link("red", "eth0", link_kind="veth"), Link("", "to-red", link_kind="veth"))) == ("veth", "eth0")
    assert name(Link("red", "eth0", link_kind="veth")) == ("veth", "eth0")


def test_a_recreation_shows_the_old_and_the_new() -> None:
    new = Link("red", "br0", link_kind="vxlan", mtu=1400)
    told = report([Change.delete(LINK, PHASE, "kind"), Change.create(new, PHASE, "kind")], {})
    assert told.diff()["before"] == "link br0 (red):\n  kind: bridge\n  mtu: 1500\n  master: ''\n  up: false\n"
    assert told.diff()["after"] == "link br0 (red):\n  kind: vxlan\n  mtu: 1400\n"


def test_the_new_rule_comes_before_the_old_one_goes() -> None:
    old, new = (Rule("red", "ipv4", 100, table=table, type="unicast") for table in (1, 2))
    told = report([Change.create(new, PHASE, "table differs"), Change.delete(old, PHASE, "table differs")], {})
    assert told.diff()["before"] == "'rule ipv4 100: from all (red)':\n  table: 1\n  type: unicast\n"
    assert told.diff()["after"] == "'rule ipv4 100: from all (red)':\n  table: 2\n  type: unicast\n"


def test_what_was_not_there_has_no_before() -> None:
    """A bridge is born down and goes up after its ports."""
    up = Link("red", "br0", link_kind="bridge", mtu=1500, up=True, master="")
    told = report([Change.create(LINK, PHASE, "not there"), Change.update(LINK, up, {"up": (False, True)}, PHASE)], {})
    assert told.diff()["before"] == ""
    assert told.diff()["after"] == "link br0 (red):\n  kind: bridge\n  mtu: 1500\n  master: ''\n  up: true\n"


def test_several_updates_of_one_object_are_one_entry() -> None:
    told = report([Change.update(LINK, LINK, {"mtu": (1500, 1400)}, PHASE), Change.update(LINK, LINK, {"up": (False, True)}, PHASE)], {})
    assert (told.diff()["before"], told.diff()["after"]) == (
        "link br0 (red):\n  mtu: 1500\n  up: false\n",
        "link br0 (red):\n  mtu: 1400\n  up: true\n",
    )


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": 1, "b": True, "c": None, "d": "x"},
        {"a": ["x", {"b": []}], "c": {}},
        {"text": "first\nsecond\n", "other": "1.5", "yes": "no", "minus": "-", "hash": "a # b", "colon": "a: b"},
        {"": "", "quote": "it's", "address": "fd00::1/64", "key with blank": "10.0.0.1/24 dev br0"},
        {"list": [[1, 2], ["a"]]},
        {"unicode": "äöü", "tab": "a\tb", "star": "*a", "and": "&a", "brace": "{a}", "at": "@a", "0x": "0x1f", "exp": "1e3", "null": "~"},
    ],
)
def test_yaml_is_read_back_as_it_was(value: object) -> None:
    reader = pytest.importorskip("yaml", reason="PyYAML is not installed: nothing to read YAML back with")
    assert reader.safe_load(yaml(value)) == (value or None)
