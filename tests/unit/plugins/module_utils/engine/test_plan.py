# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From wishes and what was found to changes: tables for what each kind does, properties over a small model of the kernel."""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t
from random import Random

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import options
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.changes import Change, Phase
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError, NetnsError, StateError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.options import Wanted
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.plan import plan
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.plan_devices import readdressed, recreated
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.record import Key, Resource
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources import Link, Namespace, Sysctl, Veth
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_addresses import Address
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_nat import Table
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_routes import Nexthop, Route, Rule
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.state import Observed

Lists = dict[str, list[dict[str, t.Any]]]
Item = dict[str, t.Any]
Device = tuple[str, str]


# -- what was found, by hand


def observed(*records: Resource, wanted: Wanted | None = None, missing: t.Collection[str] = ()) -> Observed:
    """As ``observe`` would tell it: ``records`` are there, of the namespaces all but ``missing`` are."""
    state = Observed()
    state.places[""] = "there"
    for record in records:
        state.found[record.key] = record
        if isinstance(record, Namespace):
            state.places[record.netns] = "a stale plain file" if record.stale else "there"
            state.devices[(record.netns, "lo")] = Link(record.netns, "lo", up=record.loopback)
        if isinstance(record, Link):
            state.devices[(record.netns, record.ifname)] = record
        if isinstance(record, Address):
            state.reach(record.netns, f"{record.peer or record.address}/{record.prefixlen}")
    for netns in missing:  # one that is stale is something else
        state.places.setdefault(netns, "missing")
    if wanted is not None:
        state.expect(wanted.present)
        state.named = frozenset(record.key for record in (*wanted.present, *wanted.absent))
    return state


def planned(lists: Lists, *records: Resource, state: str = "present", missing: t.Collection[str] = ()) -> list[Change]:
    wanted = options.read(lists, state, topology=True)
    return plan(wanted, observed(*records, wanted=wanted, missing=missing))


def said(lists: Lists, *records: Resource, **more: t.Any) -> list[str]:
    """The plan in words."""
    return [
        f"{change.describe()} {sorted(change.differs)}" if change.action == "update" else change.describe()
        for change in planned(lists, *records, **more)
    ]


def refused(lists: Lists, *records: Resource, **more: t.Any) -> str:
    with pytest.raises(NetnsError) as caught:
        planned(lists, *records, **more)
    assert isinstance(caught.value, (StateError, InputError))
    return str(caught.value)


RED = Namespace("red", loopback=True)
BLUE = Namespace("blue", loopback=True)


def bridge(name: str = "br0", netns: str = "", **more: t.Any) -> Link:
    return Link(netns, name, **{"link_kind": "bridge", "mtu": 1500, "master": "", "up": True, "ours": True, **more})


def pair(one: Device = ("red", "e0"), other: Device = ("", "p0"), **more: t.Any) -> tuple[Link, Link]:
    """Both ends as found."""
    ends = (
        Link(*place, link_kind="veth", **{"mtu": 1500, "master": "", "up": True, "ours": True, **more}, peer=peer)
        for place, peer in ((one, other), (other, one))
    )
    return next(ends), next(ends)


PHYSICAL = Link("", "eth0", mtu=1500, master="", up=True, mac_address="02:00:00:00:00:01")
ADDRESS = Address("", "eth0", "192.0.2.2", 24, scope=0, label="eth0")
ROUTE = Route("", "0.0.0.0/0", 254, 0, gateway="192.0.2.1", dev="eth0", type="unicast", scope=0, protocol=3)
VETH = {"name": "e0", "netns": "red", "up": True, "peer": {"name": "p0", "up": True}}


# -- every kind: create, update, nothing to do, delete

CASES: dict[str, tuple[str, Lists, list[Resource], list[str]]] = {
    # namespaces
    "a namespace": ("present", {"namespaces": [{"name": "red"}]}, [], ["create namespace red"]),
    "a namespace that is there": ("present", {"namespaces": [{"name": "red"}]}, [RED], []),
    "a stale namespace": ("present", {"namespaces": [{"name": "red"}]}, [Namespace("red", stale=True)], ["create namespace red"]),
    "a loopback that is down": (
        "present",
        {"namespaces": [{"name": "red"}]},
        [Namespace("red", loopback=False)],
        ["update namespace red ['loopback']"],
    ),
    "a loopback that nobody asks for": (
        "present",
        {"namespaces": [{"name": "red", "loopback": False}]},
        [Namespace("red", loopback=False)],
        [],
    ),
    "a first nsid": ("present", {"namespaces": [{"name": "red", "nsid": 5}]}, [RED], ["update namespace red ['nsid']"]),
    "other DNS": (
        "present",
        {"namespaces": [{"name": "red", "nameservers": ["192.0.2.53"]}]},
        [dataclasses.replace(RED, resolver="nameserver 192.0.2.1\n")],
        ["update namespace red ['resolver']"],
    ),
    "no namespace": ("absent", {"namespaces": [{"name": "red"}]}, [RED], ["delete namespace red"]),
    "no stale namespace": ("absent", {"namespaces": [{"name": "red"}]}, [Namespace("red", stale=True)], ["delete namespace red"]),
    "no namespace that is not there": ("absent", {"namespaces": [{"name": "red"}]}, [], []),
    # links
    "a bridge": ("present", {"links": [{"name": "br0", "kind": "bridge"}]}, [], ["create link br0 on the host"]),
    "a bridge that is there": ("present", {"links": [{"name": "br0", "kind": "bridge", "up": True}]}, [bridge()], []),
    "a bridge that differs": (
        "present",
        {"links": [{"name": "br0", "kind": "bridge", "up": False, "mtu": 1400}]},
        [bridge()],
        ["update link br0 on the host ['mtu', 'up']"],
    ),
    "what nobody asks for stays": ("present", {"links": [{"name": "br0", "kind": "bridge"}]}, [bridge(up=False, mtu=9000, alias="x")], []),
    "an attribute of the kind": (
        "present",
        {"links": [{"name": "br0", "kind": "bridge", "bridge": {"stp": True}}]},
        [bridge(info=(("stp", False),))],
        ["update link br0 on the host ['info.stp']"],
    ),
    "what the kernel ignores is re-created": (
        "present",
        {"links": [{"name": "x0", "kind": "vxlan", "vxlan": {"id": 7}}]},
        [bridge("x0", link_kind="vxlan", info=(("id", 5),))],
        ["delete link x0 on the host", "create link x0 on the host"],
    ),
    "another kind is re-created": (
        "present",
        {"links": [{"name": "br0", "kind": "ifb"}]},
        [bridge()],
        ["delete link br0 on the host", "create link br0 on the host"],
    ),
    "a veth end goes with the other one": (
        "present",
        {"links": [{"name": "e0", "netns": "red", "kind": "bridge"}, {"name": "p0", "kind": "bridge"}]},
        [RED, *pair()],
        ["delete veth e0 in namespace 'red'", "create link e0 in namespace 'red'", "create link p0 on the host"],
    ),
    "another parent is re-created": (
        "present",
        {"links": [{"name": "m0", "kind": "macvlan", "parent": "eth1"}]},
        [bridge("m0", link_kind="macvlan", parent="eth0"), PHYSICAL, dataclasses.replace(PHYSICAL, ifname="eth1")],
        ["delete link m0 on the host", "create link m0 on the host"],
    ),
    "not ours, but forced": (
        "present",
        {"links": [{"name": "br0", "kind": "ifb", "force": True}]},
        [bridge(ours=False)],
        ["delete link br0 on the host", "create link br0 on the host"],
    ),
    "not ours, in place": (
        "present",
        {"links": [{"name": "br0", "kind": "bridge", "mtu": 1400}]},
        [bridge(ours=False)],
        ["update link br0 on the host ['mtu']"],
    ),
    "no bridge": ("absent", {"links": [{"name": "br0", "kind": "bridge"}]}, [bridge()], ["delete link br0 on the host"]),
    "no bridge that is not there": ("absent", {"links": [{"name": "br0", "kind": "bridge"}]}, [], []),
    "no bridge in a namespace that goes": (
        "absent",
        {"namespaces": [{"name": "red"}], "links": [{"name": "br0", "netns": "red", "kind": "bridge"}]},
        [RED, bridge(netns="red")],
        ["delete namespace red"],
    ),
    # physical devices
    "a physical device moves in": (
        "present",
        {"links": [{"name": "eth0", "netns": "red", "mtu": 1400}]},
        [RED, PHYSICAL],
        ["move link eth0 in namespace 'red'", "update link eth0 in namespace 'red' ['mtu', 'up']"],
    ),
    "a physical device is in": (
        "present",
        {"links": [{"name": "eth0", "netns": "red", "up": True}]},
        [RED, dataclasses.replace(PHYSICAL, netns="red")],
        [],
    ),
    "a physical device is changed": (
        "present",
        {"links": [{"name": "eth0", "mtu": 1400}]},
        [PHYSICAL],
        ["update link eth0 on the host ['mtu']"],
    ),
    "a physical device goes home": (
        "absent",
        {"links": [{"name": "eth0", "netns": "red"}]},
        [RED, dataclasses.replace(PHYSICAL, netns="red")],
        ["move link eth0 on the host"],
    ),
    "a physical device goes home before its namespace goes": (
        "absent",
        {"namespaces": [{"name": "red"}], "links": [{"name": "eth0", "netns": "red"}]},
        [RED, dataclasses.replace(PHYSICAL, netns="red")],
        ["move link eth0 on the host", "delete namespace red"],
    ),
    # veth pairs
    "a pair": ("present", {"veths": [VETH]}, [RED], ["create veth e0 in namespace 'red'"]),
    "a pair that is there": ("present", {"veths": [VETH]}, [RED, *pair()], []),
    "a pair named from its other end": (
        "present",
        {"veths": [{"name": "p0", "peer": {"name": "e0", "netns": "red"}}]},
        [RED, *pair()],
        [],
    ),
    "both ends differ": (
        "present",
        {"veths": [{**VETH, "mtu": 1400, "peer": {"name": "p0", "up": False}}]},
        [RED, *pair()],
        ["update link e0 in namespace 'red' ['mtu']", "update link p0 on the host ['up']"],
    ),
    "the number of queues is fixed": (
        "present",
        {"veths": [{**VETH, "num_tx_queues": 4}]},
        [RED, *pair(num_tx_queues=1)],
        ["delete veth e0 in namespace 'red'", "create veth e0 in namespace 'red'"],
    ),
    "an end without the other": (
        "present",
        {"veths": [VETH]},
        [RED, dataclasses.replace(pair()[0], peer=None)],
        ["delete link e0 in namespace 'red'", "create veth e0 in namespace 'red'"],
    ),
    "ends of two pairs": (
        "present",
        {"veths": [VETH]},
        [RED, *pair(("red", "e0"), ("", "x0")), *pair(("red", "x1"), ("", "p0"))],
        ["delete veth e0 in namespace 'red'", "delete veth p0 on the host", "create veth e0 in namespace 'red'"],
    ),
    "no pair": ("absent", {"veths": [VETH]}, [RED, *pair()], ["delete veth e0 in namespace 'red'"]),
    "no pair, by one end": ("absent", {"veths": [{"name": "p0"}]}, [RED, *pair()], ["delete veth p0 on the host"]),
    "no pair that is not there": ("absent", {"veths": [VETH]}, [RED], []),
    "no pair whose namespace goes": (
        "absent",
        {"namespaces": [{"name": "red"}], "veths": [VETH]},
        [RED, *pair()],
        ["delete namespace red"],
    ),
    # addresses
    "an address": (
        "present",
        {"addresses": [{"dev": "eth0", "address": "192.0.2.2/24"}]},
        [PHYSICAL],
        ["create address 192.0.2.2/24 dev eth0 on the host"],
    ),
    "an address that is there": ("present", {"addresses": [{"dev": "eth0", "address": "192.0.2.2/24"}]}, [PHYSICAL, ADDRESS], []),
    "another prefix length is another IPv4 address": (
        "present",
        {"addresses": [{"dev": "eth0", "address": "192.0.2.2/25"}]},
        [PHYSICAL, ADDRESS],
        ["create address 192.0.2.2/25 dev eth0 on the host"],
    ),
    "an IPv6 address is re-created for its prefix length": (
        "present",
        {"addresses": [{"dev": "eth0", "address": "2001:db8::2/48"}]},
        [PHYSICAL, Address("", "eth0", "2001:db8::2", 64)],
        ["delete address 2001:db8::2/64 dev eth0 on the host", "create address 2001:db8::2/48 dev eth0 on the host"],
    ),
    "a metric is changed in place": (
        "present",
        {"addresses": [{"dev": "eth0", "address": "192.0.2.2/24", "metric": 5}]},
        [PHYSICAL, ADDRESS],
        ["update address 192.0.2.2/24 dev eth0 on the host ['metric']"],
    ),
    "a label is not": (
        "present",
        {"addresses": [{"dev": "eth0", "address": "192.0.2.2/24", "label": "eth0:1"}]},
        [PHYSICAL, ADDRESS],
        ["delete address 192.0.2.2/24 dev eth0 on the host", "create address 192.0.2.2/24 dev eth0 on the host"],
    ),
    "exclusive: of its family and scope there is no other": (
        "present",
        {"addresses": [{"dev": "eth0", "address": "192.0.2.3/24", "exclusive": True}]},
        [
            *(PHYSICAL, ADDRESS, Address("", "eth0", "192.0.2.4", 24, scope=253), Address("", "eth0", "2001:db8::2", 64, scope=0)),
            *(Address("", "eth1", "192.0.2.5", 24, scope=0), Address("red", "eth0", "192.0.2.6", 24, scope=0)),
        ],
        ["create address 192.0.2.3/24 dev eth0 on the host", "delete address 192.0.2.2/24 dev eth0 on the host"],
    ),
    "exclusive: what the kernel makes stays": (
        "present",
        {"addresses": [{"dev": "eth0", "address": ["fe80::2/64", "2001:db8::2/64"], "exclusive": True}]},
        [
            *(PHYSICAL, Address("", "eth0", "fe80::1", 64, scope=253), Address("", "eth0", "fe80::2", 64, scope=253)),
            *(Address("", "eth0", "2001:db8::2", 64, scope=0), Address("", "eth0", "2001:db8::3", 64, scope=0)),
        ],
        ["delete address 2001:db8::3/64 dev eth0 on the host"],
    ),
    "no address": (
        "absent",
        {"addresses": [{"dev": "eth0", "address": "192.0.2.2/24"}]},
        [PHYSICAL, ADDRESS],
        ["delete address 192.0.2.2/24 dev eth0 on the host"],
    ),
    "no address on a device that is not there": ("absent", {"addresses": [{"dev": "eth9", "address": "192.0.2.2/24"}]}, [], []),
    # routes
    "a route": (
        "present",
        {"routes": [{"dest": "default", "gateway": "192.0.2.1"}]},
        [PHYSICAL, ADDRESS],
        ["create route default on the host"],
    ),
    "a route that is there": ("present", {"routes": [{"dest": "default", "gateway": "192.0.2.1"}]}, [PHYSICAL, ADDRESS, ROUTE], []),
    "another gateway": (
        "present",
        {"routes": [{"dest": "default", "gateway": "192.0.2.9"}]},
        [PHYSICAL, ADDRESS, ROUTE],
        ["update route default on the host ['gateway']"],
    ),
    "another metric is another route": (
        "present",
        {"routes": [{"dest": "default", "gateway": "192.0.2.1", "metric": 9}]},
        [PHYSICAL, ADDRESS, ROUTE],
        ["create route default metric 9 on the host"],
    ),
    "a gateway in the way": (
        "present",
        {"routes": [{"dest": "default", "family": "ipv4", "dev": "eth0"}]},
        [PHYSICAL, ADDRESS, ROUTE],
        ["update route default on the host ['gateway']"],
    ),
    "ways in another order": (
        "present",
        {"routes": [{"dest": "10.0.0.0/8", "nexthops": [{"gateway": "192.0.2.8"}, {"gateway": "192.0.2.9", "dev": "eth0"}]}]},
        [
            *(PHYSICAL, ADDRESS),
            Route("", "10.0.0.0/8", 254, 0, type="unicast", nexthops=(Nexthop("192.0.2.9", "eth0"), Nexthop("192.0.2.8", "eth0"))),
        ],
        [],
    ),
    "no route, whatever its metric": (
        "absent",
        {"routes": [{"dest": "default", "family": "ipv4"}]},
        [ROUTE, dataclasses.replace(ROUTE, metric=9), dataclasses.replace(ROUTE, table=7), dataclasses.replace(ROUTE, dest="10.0.0.0/8")],
        ["delete route default on the host", "delete route default metric 9 on the host"],
    ),
    "no route by another gateway": ("absent", {"routes": [{"dest": "default", "gateway": "192.0.2.9"}]}, [ROUTE], []),
    "no route in a namespace that is not there": ("absent", {"routes": [{"netns": "red", "dest": "10.0.0.0/8"}]}, [], []),
    # rules
    "a rule": ("present", {"rules": [{"priority": 7, "table": "9"}]}, [], ["create rule ipv4 7: from all on the host"]),
    "a rule that is there": ("present", {"rules": [{"priority": 7, "table": "9"}]}, [Rule("", "ipv4", 7, (), 9, "unicast")], []),
    "a rule of any priority": ("present", {"rules": [{"table": "9"}]}, [Rule("", "ipv4", 7, (), 9, "unicast")], []),
    "a rule to another table": (
        "present",
        {"rules": [{"priority": 7, "table": "9"}]},
        [Rule("", "ipv4", 7, (), 8, "unicast")],
        ["create rule ipv4 7: from all on the host", "delete rule ipv4 7: from all on the host"],
    ),
    "no rule": (
        "absent",
        {"rules": [{"priority": 7}]},
        [Rule("", "ipv4", 7, (), 9, "unicast")],
        ["delete rule ipv4 7: from all on the host"],
    ),
    "a rule that two wishes mean goes once": (
        "absent",
        {"rules": [{"from": "10.0.0.0/8"}, {"from": "10.0.0.0/8", "priority": 7}]},
        [Rule("", "ipv4", 7, (("from", "10.0.0.0/8"),), 9, "unicast"), Rule("", "ipv4", 8, (("from", "10.0.0.0/8"),), 9, "unicast")],
        ["delete rule ipv4 7: from 10.0.0.0/8 on the host", "delete rule ipv4 8: from 10.0.0.0/8 on the host"],
    ),
    "a pair that two wishes mean goes once": (
        "absent",
        {"veths": [{"name": "e0", "netns": "red"}, {"name": "p0"}]},
        [RED, *pair()],
        ["delete veth e0 in namespace 'red'"],
    ),
    "no link before what stands on it": (
        "absent",
        {"links": [{"name": name, "kind": kind} for name, kind in (("br0", "bridge"), ("m0", "macvlan"), ("m1", "macvlan"))]},
        [bridge(), bridge("m0", link_kind="macvlan", parent="br0"), bridge("m1", link_kind="macvlan", parent="m0")],
        ["delete link m1 on the host", "delete link m0 on the host", "delete link br0 on the host"],
    ),
    "no rule to another table": ("absent", {"rules": [{"priority": 7, "table": "8"}]}, [Rule("", "ipv4", 7, (), 9, "unicast")], []),
    "no rule of another family": ("absent", {"rules": [{"priority": 7, "family": "ipv6"}]}, [Rule("", "ipv4", 7, (), 9, "unicast")], []),
    # sysctls
    "a sysctl": (
        "present",
        {"sysctls": [{"name": "net.ipv4.ip_forward", "value": 1}]},
        [Sysctl("", "net/ipv4/ip_forward", "0")],
        ["update sysctl net.ipv4.ip_forward on the host ['value']"],
    ),
    "a sysctl that is so": (
        "present",
        {"sysctls": [{"name": "net.ipv4.ip_forward", "value": 1}]},
        [Sysctl("", "net/ipv4/ip_forward", "1")],
        [],
    ),
    "a sysctl of a namespace to come": (
        "present",
        {"namespaces": [{"name": "red"}], "sysctls": [{"netns": "red", "name": "net.ipv4.ip_forward", "value": 1}]},
        [],
        ["create namespace red", "update sysctl net.ipv4.ip_forward in namespace 'red' ['value']"],
    ),
    "a sysctl stays": ("absent", {"sysctls": [{"name": "net.ipv4.ip_forward", "value": 1}]}, [Sysctl("", "net/ipv4/ip_forward", "1")], []),
}


@pytest.mark.parametrize(("state", "lists", "found", "changes"), CASES.values(), ids=CASES.keys())
def test_what_is_done(state: str, lists: Lists, found: list[Resource], changes: list[str]) -> None:
    assert said(lists, *found, state=state, missing=() if RED in found else ("red",)) == changes


REFUSED: dict[str, tuple[str, Lists, list[Resource], str]] = {
    "a namespace that is not there": (
        "present",
        {"addresses": [{"netns": "green", "dev": "e0", "address": "192.0.2.2/24"}]},
        [],
        (
            "namespace 'green' does not exist: create it with linuxnet.netns.netns or correct 'netns'; "
            "address 192.0.2.2/24 dev e0 in namespace 'green' was to be there"
        ),
    ),
    "a path that is not there": (
        "present",
        {"rules": [{"netns": "/proc/9/ns/net", "priority": 7}]},
        [],
        "namespace '/proc/9/ns/net' does not exist: correct the path; rule ipv4 7: from all in namespace '/proc/9/ns/net' was to be there",
    ),
    "a stale namespace": (
        "present",
        {"links": [{"netns": "green", "name": "br0", "kind": "bridge"}]},
        [Namespace("green", stale=True)],
        "namespace 'green' is a stale plain file in /run/netns, not a namespace: linuxnet.netns.netns with state present repairs it",
    ),
    "a device that is not there": (
        "present",
        {"addresses": [{"dev": "e0", "address": "192.0.2.2/24"}]},
        [],
        "dev: there is no device 'e0' on the host: create it first or correct 'dev' of address 192.0.2.2/24 dev e0 on the host",
    ),
    "a master that is not there": (
        "present",
        {"veths": [{"name": "e0", "master": "br9", "peer": {"name": "p0"}}]},
        [],
        "master: there is no device 'br9' on the host: create it first or correct 'master' of veth e0 on the host",
    ),
    "a master of the other end's namespace": (
        "present",
        {"veths": [{"name": "e0", "netns": "red", "master": "br0", "peer": {"name": "p0"}}]},
        [RED, bridge()],
        "master: there is no device 'br0' in namespace 'red': create it first or correct 'master' of veth e0 in namespace 'red'",
    ),
    "a parent that is not there": (
        "present",
        {"links": [{"name": "m0", "kind": "macvlan", "parent": "eth9"}]},
        [],
        "parent: there is no device 'eth9' on the host: create it first or correct 'parent' of link m0 on the host",
    ),
    "a device of a next hop": (
        "present",
        {"routes": [{"dest": "10.0.0.0/8", "nexthops": [{"dev": "eth0"}, {"dev": "eth9"}]}]},
        [PHYSICAL],
        (
            "nexthops[1].dev: there is no device 'eth9' on the host: "
            "create it first or correct 'nexthops[1].dev' of route 10.0.0.0/8 on the host"
        ),
    ),
    "a gateway off the link": (
        "present",
        {"routes": [{"dest": "default", "gateway": "198.51.100.1"}]},
        [PHYSICAL, ADDRESS],
        (
            "gateway: 198.51.100.1 of route default on the host is in no subnet of the addresses there: "
            "add an address in its subnet first, correct it, or set onlink: true with the dev on which it is"
        ),
    ),
    "a gateway on another namespace's link": (
        "present",
        {"routes": [{"netns": "red", "dest": "default", "gateway": "192.0.2.1"}]},
        [RED, PHYSICAL, ADDRESS],
        (
            "gateway: 192.0.2.1 of route default in namespace 'red' is in no subnet of the addresses there: "
            "add an address in its subnet first, correct it, or set onlink: true with the dev on which it is"
        ),
    ),
    "a physical device that is to be of a kind": (
        "present",
        {"links": [{"name": "eth0", "kind": "bridge", "force": True}]},
        [PHYSICAL],
        "link eth0 on the host is a physical device (kind is none, not bridge): choose another name, it is not re-created",
    ),
    "not ours": (
        "present",
        {"links": [{"name": "br0", "kind": "ifb"}]},
        [bridge(ours=False)],
        (
            "link br0 on the host exists but differs: its kind is bridge, not ifb; the kernel cannot change that in place, "
            "and this collection did not make it: set force: true to re-create it, or remove it first"
        ),
    ),
    "a device without a kind that is nowhere": (
        "present",
        {"links": [{"name": "eth9", "netns": "red"}]},
        [RED],
        "name: there is no device 'eth9' in namespace 'red' or on the host: correct it, or give the kind of link to create",
    ),
    "a circle": (
        "present",
        {"links": [{"name": "a", "kind": "macvlan", "parent": "b"}, {"name": "b", "kind": "macvlan", "parent": "a"}]},
        [],
        "link a on the host stands on itself by way of master or parent: break the circle",
    ),
    "another nsid": (
        "present",
        {"namespaces": [{"name": "green", "nsid": 5}]},
        [Namespace("green", nsid=4)],
        (
            "nsid: namespace 'green' has the number 4 already, and the kernel cannot change it to 5: "
            "correct nsid, or remove the namespace first"
        ),
    ),
    "a sysctl that does not exist": (
        "present",
        {"sysctls": [{"name": "net.ipv4.nothing", "value": 1}]},
        [],
        "sysctl net.ipv4.nothing does not exist on the host: correct its name, or create the device that it belongs to first",
    ),
    "a link of another kind is not removed": (
        "absent",
        {"links": [{"name": "br0", "kind": "ifb"}]},
        [bridge()],
        "kind: link br0 on the host is of kind bridge, not ifb: it is not removed, correct kind",
    ),
    "a bridge is no veth end": (
        "absent",
        {"veths": [{"name": "br0"}]},
        [bridge()],
        "link br0 on the host is of kind bridge, not an end of a veth pair: linuxnet.netns.netns_link removes it",
    ),
    "a physical device at home": (
        "absent",
        {"links": [{"name": "eth0"}]},
        [PHYSICAL],
        "link eth0 on the host is not given back: it is where from_netns says that it came from; give its kind to remove a virtual link",
    ),
    "a physical device whose name is taken at home": (
        "absent",
        {"links": [{"name": "eth0", "netns": "red"}]},
        [RED, PHYSICAL, dataclasses.replace(PHYSICAL, netns="red")],
        (
            "link eth0 in namespace 'red' cannot be given back: on the host there is another device of that name: "
            "rename or remove that one first"
        ),
    ),
    "one process": (
        "absent",
        {"namespaces": [{"name": "green"}]},
        [Namespace("green", pids=(7,))],
        (
            "namespace 'green' is in use by 1 process (pid 7): "
            "end them, or set processes: kill to end them, or processes: keep to remove only the name"
        ),
    ),
    "many processes": (
        "absent",
        {"namespaces": [{"name": "green"}]},
        [Namespace("green", pids=(1, 2, 3, 4, 5, 6))],
        (
            "namespace 'green' is in use by 6 processes (pid 1, 2, 3, 4, 5, ...): "
            "end them, or set processes: kill to end them, or processes: keep to remove only the name"
        ),
    ),
}


@pytest.mark.parametrize(("state", "lists", "found", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(state: str, lists: Lists, found: list[Resource], sentence: str) -> None:
    assert refused(lists, *found, state=state, missing=("green", "/proc/9/ns/net") if Namespace not in map(type, found) else ()) == sentence


# -- more of single kinds


def test_every_change_has_its_reason() -> None:
    vxlan = {"name": "x0", "kind": "vxlan", "vxlan": {"id": 7}}
    lists: Lists = {"links": [{"name": "br0", "kind": "bridge", "mtu": 1400, "up": False}, vxlan], "veths": [VETH]}
    changes = planned(lists, RED, bridge(), bridge("x0", link_kind="vxlan", info=(("id", 5),)))
    assert [change.reason for change in changes] == [
        "vxlan id cannot be changed in place",
        "mtu, up differ",
        "vxlan id cannot be changed in place",
        "not there",
    ]


def test_a_process_gives_its_namespace_a_name() -> None:
    wanted = options.read({"namespaces": [{"name": "red", "pid": 7}]})
    for found, changes in (((), ["create"]), ((dataclasses.replace(RED, inode=9),), [])):
        state = observed(*found, wanted=wanted)
        state.pid_inodes = {7: 9}
        assert [change.action for change in plan(wanted, state)] == changes
    state = observed(dataclasses.replace(RED, inode=8), wanted=wanted)
    state.pid_inodes = {7: 9}
    with pytest.raises(StateError) as caught:
        plan(wanted, state)
    assert str(caught.value) == "pid: namespace 'red' exists and is not that of process 7: remove it first or choose another name"


@pytest.mark.parametrize("processes", ["kill", "keep"])
def test_processes_are_ended_or_kept(processes: str) -> None:
    lists: Lists = {"namespaces": [{"name": "red", "processes": processes, "kill_timeout": 3}]}
    (change,) = planned(lists, dataclasses.replace(RED, pids=(7, 8), inode=9), state="absent")
    found = t.cast(Namespace, change.before)
    assert (change.action, found.processes, found.kill_timeout, found.pids, found.inode) == ("delete", processes, 3, (7, 8), 9)


def test_a_namespace_that_lives_on_keeps_nothing_that_is_to_go() -> None:
    lists: Lists = {
        "namespaces": [{"name": "red", "processes": "keep"}],
        "links": [{"name": "br0", "netns": "red", "kind": "bridge"}],
        "addresses": [{"netns": "red", "dev": "br0", "address": "192.0.2.2/24"}],
    }
    found = [dataclasses.replace(RED, pids=(7,)), bridge(netns="red"), dataclasses.replace(ADDRESS, netns="red", dev="br0")]
    assert said(lists, *found, state="absent") == [
        "delete address 192.0.2.2/24 dev br0 in namespace 'red'",
        "delete link br0 in namespace 'red'",
        "delete namespace red",
    ]


@pytest.mark.parametrize(
    "route",
    [
        {"dest": "default", "gateway": "fe80::1", "dev": "eth0"},
        {"dest": "default", "gateway": "198.51.100.1", "table": "7"},
        {"dest": "default", "gateway": "198.51.100.1", "dev": "eth0", "onlink": True},
        {"dest": "10.0.0.0/8", "nexthops": [{"gateway": "198.51.100.1", "dev": "eth0", "onlink": True}, {"gateway": "192.0.2.1"}]},
        {"dest": "10.0.0.0/8", "type": "blackhole"},
    ],
)
def test_gateways_that_are_the_kernels_to_judge(route: dict[str, t.Any]) -> None:
    assert [change.action for change in planned({"routes": [route]}, PHYSICAL, ADDRESS)] == ["create"]


@pytest.mark.parametrize(
    "more",
    [
        {"addresses": [{"dev": "eth0", "address": "198.51.100.2/24"}]},
        {"addresses": [{"dev": "eth0", "address": "192.0.2.7/32", "peer": "198.51.100.1"}]},
        {"routes": [{"dest": "198.51.100.0/24", "dev": "eth0"}]},
    ],
)
def test_a_gateway_may_come_on_the_link_in_the_same_run(more: Lists) -> None:
    route = {"dest": "default", "gateway": "198.51.100.1"}
    changes = said({**more, "routes": [route, *more.get("routes", ())]}, PHYSICAL, ADDRESS)
    assert len(changes) == 2
    assert changes[-1] == "create route default on the host"


def test_a_route_keeps_what_fits_the_new_one() -> None:
    found = dataclasses.replace(ROUTE, mtu=1400, src="192.0.2.2", protocol=4)
    for wish, kept in (
        ({"mtu": 1300}, {"mtu": 1300, "src": "192.0.2.2", "protocol": 4, "dev": "eth0"}),
        ({"gateway": "192.0.2.9"}, {"mtu": 1400, "src": None, "protocol": None, "dev": None}),
    ):
        (change,) = planned({"routes": [{"dest": "default", "gateway": "192.0.2.1", **wish}]}, PHYSICAL, ADDRESS, found)
        assert {name: getattr(change.after, name) for name in kept} == kept


def test_an_address_keeps_what_a_change_leaves_open() -> None:
    found = dataclasses.replace(ADDRESS, metric=7, valid_lft=2**32 - 1, preferred_lft=2**32 - 1, noprefixroute=True)
    (change,) = planned({"addresses": [{"dev": "eth0", "address": "192.0.2.2/24", "metric": 5}]}, PHYSICAL, found)
    after = t.cast(Address, change.after)
    assert (after.metric, after.noprefixroute, after.label, after.preferred_lft) == (5, True, "eth0", 2**32 - 1)
    (change,) = planned({"addresses": [{"dev": "eth0", "address": "192.0.2.2/24", "valid_lft": "60"}]}, PHYSICAL, found)
    assert t.cast(Address, change.after).preferred_lft is None, "it cannot be longer than the new valid_lft"


# -- the order


def test_the_order_of_everything() -> None:
    lists: Lists = {
        "rules": [{"netns": "red", "priority": 7, "from": "10.0.0.0/8"}],
        "routes": [
            {"netns": "red", "dest": "default", "gateway": "10.0.0.1"},
            {"netns": "red", "dest": "10.1.0.0/16", "dev": "e0"},
            {"dest": "10.2.0.0/16", "dev": "br0"},
        ],
        "addresses": [{"netns": "red", "dev": "e0", "address": "10.0.0.2/24"}, {"dev": "br0", "address": "10.0.0.1/24"}],
        "sysctls": [
            {"netns": "red", "name": "net.ipv4.conf.e0.rp_filter", "value": 1},
            {"netns": "red", "name": "net.ipv4.ip_forward", "value": 1},
            {"netns": "red", "name": "net.ipv6.conf.all.forwarding", "value": 1},
        ],
        "veths": [{**VETH, "peer": {"name": "p0", "master": "br0", "up": True}}],
        "links": [{"name": "br0", "kind": "bridge", "up": True}],
        "namespaces": [{"name": "red"}],
    }
    assert said(lists, missing=["red"]) == [
        "create namespace red",
        "update sysctl net.ipv4.ip_forward in namespace 'red' ['value']",
        "create link br0 on the host",
        "create veth e0 in namespace 'red'",
        "update sysctl net.ipv4.conf.e0.rp_filter in namespace 'red' ['value']",
        "update sysctl net.ipv6.conf.all.forwarding in namespace 'red' ['value']",
        "create address 10.0.0.2/24 dev e0 in namespace 'red'",
        "create address 10.0.0.1/24 dev br0 on the host",
        "create route 10.1.0.0/16 in namespace 'red'",
        "create route default in namespace 'red'",
        "create rule ipv4 7: from 10.0.0.0/8 in namespace 'red'",
        "update link br0 on the host ['up']",
        "create route 10.2.0.0/16 on the host",
    ]


def test_what_goes_goes_the_other_way_round() -> None:
    lists: Lists = {
        "namespaces": [{"name": "blue"}],
        "links": [{"name": "br0", "kind": "bridge"}],
        "addresses": [{"dev": "eth0", "address": "192.0.2.2/24"}],
        "routes": [{"dest": "default", "gateway": "192.0.2.1"}],
        "rules": [{"priority": 7}],
    }
    found = [BLUE, bridge(), PHYSICAL, ADDRESS, ROUTE, Rule("", "ipv4", 7, (), 9, "unicast")]
    assert [change.resource.KIND for change in planned(lists, *found, state="absent")] == ["rule", "route", "address", "link", "namespace"]


def test_an_address_that_goes_for_two_reasons_goes_once() -> None:
    wanted = options.read({"addresses": [{"dev": "eth0", "address": "192.0.2.3/24", "exclusive": True}]}, "present", topology=True)
    wanted = dataclasses.replace(wanted, absent=(ADDRESS,))
    changes = plan(wanted, observed(PHYSICAL, ADDRESS, wanted=wanted))
    assert [(change.action, change.resource.key) for change in changes if change.action == "delete"] == [("delete", ADDRESS.key)]


@pytest.mark.parametrize("path", ["net/ipv4/conf/eth0/forwarding", "net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"])
def test_the_firewall_stands_before_forwarding_goes_on_and_goes_after_it_went_off(path: str) -> None:
    table = Table("", "inet", "linuxnet_lab", text="table", ruleset="[]")
    forwarding = Sysctl("", path, "0")
    on = Wanted(present=(dataclasses.replace(forwarding, value="1"), table))
    assert [change.resource.KIND for change in plan(on, observed(PHYSICAL, forwarding, wanted=on))] == ["nft_table", "sysctl"]
    off = Wanted(present=(forwarding,), absent=(table,))
    found = (PHYSICAL, dataclasses.replace(forwarding, value="1"), table)
    assert [change.resource.KIND for change in plan(off, observed(*found, wanted=off))] == ["sysctl", "nft_table"]
    other = Wanted(present=(dataclasses.replace(table, ruleset="[1]"),))
    assert [change.action for change in plan(other, observed(table, wanted=other))] == ["update"]
    assert plan(Wanted(present=(table,)), observed(table)) == []


def test_a_device_comes_after_what_it_stands_on() -> None:
    links = [
        {"name": "c", "kind": "macvlan", "parent": "b"},
        {"name": "b", "kind": "vxlan", "parent": "a", "vxlan": {"id": 5}, "master": "br0"},
        {"name": "a", "kind": "ifb"},
        {"name": "br0", "kind": "bridge"},
    ]
    changes = planned({"links": links})
    created = [change.resource.name for change in changes if change.action == "create"]
    assert created == ["a", "br0", "b", "c"]
    assert [change.phase[0] for change in changes] == [Phase.DEVICE] * 4 + [Phase.BRIDGE_UP]


def test_all_that_is_re_created_goes_before_anything_comes() -> None:
    links = [{"name": name, "kind": "vxlan", "vxlan": {"id": 7}} for name in ("x0", "x1")]
    found = [bridge(name, link_kind="vxlan", info=(("id", 5),)) for name in ("x0", "x1")]
    assert [change.action for change in planned({"links": links}, *found)] == ["delete", "delete", "create", "create"]


def test_what_stood_on_another_goes_first() -> None:
    """Whatever is to stand on what now."""
    links = [{"name": "a", "kind": "bridge"}, {"name": "b", "kind": "vxlan", "master": "a", "vxlan": {"id": 5}}]
    found = [bridge("a", link_kind="macvlan", parent="b"), bridge("b")]
    assert [change.describe() for change in planned({"links": links}, *found)] == [
        "delete link a on the host",
        "delete link b on the host",
        "create link a on the host",
        "create link b on the host",
        "update link a on the host",
    ]
    pairs = {"veths": [{"name": "b", "peer": {"name": "a"}}]}
    assert [change.describe() for change in planned(pairs, *found)][:2] == ["delete link a on the host", "delete link b on the host"]


def test_a_bridge_goes_up_after_its_ports() -> None:
    lists: Lists = {
        "links": [{"name": "br0", "kind": "bridge", "mtu": 1400, "up": True}],
        "veths": [{"name": "e0", "master": "br0", "peer": {"name": "e1"}}],
    }
    birth, veth, up = planned(lists)
    assert isinstance(birth.after, Link)
    assert (birth.after.up, veth.action, up.differs, up.reason) == (False, "create", {"up": (False, True)}, "goes up after its ports")
    changes = planned(lists, bridge(up=False))
    assert [(change.action, [*change.differs]) for change in changes] == [("update", ["mtu"]), ("create", []), ("update", ["up"])]
    assert planned({**lists, "veths": []})[0].after == dataclasses.replace(t.cast(Link, up.after), up=True), "without ports it is born up"


def test_a_bridge_that_bears_a_vlan_is_up_before_the_vlan() -> None:
    """The kernel refuses to take a vlan up while its parent is down."""
    links = [{"name": "br0", "kind": "bridge", "up": True}, {"name": "v0", "kind": "vlan", "parent": "br0", "vlan": {"id": 5}, "up": True}]
    lists: Lists = {"links": links, "veths": [{"name": "e0", "master": "br0", "peer": {"name": "e1"}}]}
    states = [(change.resource.name, t.cast(Link, change.after).up) for change in planned(lists) if isinstance(change.after, Link)]
    assert states.index(("br0", True)) < states.index(("v0", True))


# -- what hangs on a device that is re-created


def test_what_hung_on_it_is_made_again() -> None:
    lists: Lists = {
        "links": [
            {"name": "br0", "kind": "bridge", "num_tx_queues": 4},
            {"name": "m0", "kind": "macvlan", "parent": "br0"},
            {"name": "i0", "kind": "ifb", "master": "br0"},
        ],
        "addresses": [{"dev": "br0", "address": "10.0.0.1/24"}, {"dev": "m0", "address": "10.1.0.1/24"}],
        "routes": [{"dest": "10.2.0.0/16", "gateway": "10.0.0.2"}],
        "sysctls": [{"name": "net.ipv4.conf.br0.rp_filter", "value": 1}],
    }
    found = [
        bridge(num_tx_queues=1),
        bridge("m0", link_kind="macvlan", parent="br0"),
        bridge("i0", link_kind="ifb", master="br0"),
        Address("", "br0", "10.0.0.1", 24),
        Address("", "m0", "10.1.0.1", 24),
        Route("", "10.2.0.0/16", 254, 0, gateway="10.0.0.2", dev="br0", type="unicast"),
        Sysctl("", "net/ipv4/conf/br0/rp_filter", "1"),
    ]
    changes = planned(lists, *found)
    assert [change.describe() for change in changes] == [
        "delete link br0 on the host",
        "create link br0 on the host",
        "create link m0 on the host",
        "update link i0 on the host",
        "update sysctl net.ipv4.conf.br0.rp_filter on the host",
        "create address 10.0.0.1/24 dev br0 on the host",
        "create address 10.1.0.1/24 dev m0 on the host",
        "update link br0 on the host",
        "create route 10.2.0.0/16 on the host",
    ]
    assert recreated(changes, observed(*found)) == {("", "br0"), ("", "m0")}


def test_with_its_last_address_a_device_loses_its_routes() -> None:
    lists: Lists = {
        "addresses": [{"dev": "eth0", "address": "192.0.2.2/24", "label": "eth0:1"}],
        "routes": [{"dest": "default", "gateway": "192.0.2.1"}],
    }
    assert [change.describe() for change in planned(lists, PHYSICAL, ADDRESS, ROUTE)] == [
        "delete address 192.0.2.2/24 dev eth0 on the host",
        "create address 192.0.2.2/24 dev eth0 on the host",
        "create route default on the host",
    ]
    changes = planned(lists, PHYSICAL, ADDRESS, ROUTE, dataclasses.replace(ADDRESS, address="192.0.2.3"))
    assert [change.resource.KIND for change in changes] == ["address", "address"], "another address keeps them"
    assert readdressed(changes) == {("", "eth0")}


def test_a_device_that_goes_down_loses_routes_and_ipv6_addresses() -> None:
    lists: Lists = {
        "links": [{"name": "eth0", "up": False}],
        "addresses": [{"dev": "eth0", "address": ["192.0.2.2/24", "2001:db8::2/64"]}],
    }
    changes = planned(lists, PHYSICAL, ADDRESS, Address("", "eth0", "2001:db8::2", 64))
    assert [change.describe() for change in changes] == [
        "update link eth0 on the host",
        "create address 2001:db8::2/64 dev eth0 on the host",
    ]


# -- a small model of the kernel


class Refused(Exception):
    """The kernel's no."""


def _device_of(record: Resource) -> set[tuple[str, str | None]]:
    if isinstance(record, Address):
        return {(record.netns, record.dev)}
    if isinstance(record, Route):
        return {(record.netns, dev) for dev in record.devices}
    return {(record.netns, record.device)} if isinstance(record, Sysctl) else set()


class Kernel:
    """What is there, by key; ``lost`` is what went with something else."""

    def __init__(self) -> None:
        self.there: dict[Key, Resource] = {}
        self.kept: dict[str, dict[Key, Resource]] = {}  # namespaces without a name that somebody still holds
        self.lost: set[Key] = set()
        self._furnish("")
        self.there[PHYSICAL.key] = PHYSICAL
        self._conf("", "eth0")

    def copy(self) -> Kernel:
        other = Kernel()
        other.there = {**self.there}
        return other

    def _furnish(self, netns: str, loopback: bool = False) -> None:
        for record in (Link(netns, "lo", mtu=65536, master="", up=loopback), Sysctl(netns, "net/ipv4/ip_forward", "0")):
            self.there[record.key] = record

    def _conf(self, netns: str, dev: str) -> None:
        record = Sysctl(netns, f"net/ipv4/conf/{dev}/rp_filter", "0")
        self.there[record.key] = record

    def of(self, kind: type[Resource], netns: str | None = None) -> list[t.Any]:
        return [record for record in self.there.values() if isinstance(record, kind) and netns in (None, record.where)]

    def link(self, netns: str, name: str) -> Link:
        found = self.there.get(("link", netns, name))
        if not isinstance(found, Link):
            raise Refused(f"there is no {name} in {netns!r}")
        return found

    def _lose(self, record: Resource) -> None:
        self.there.pop(record.key, None)
        self.lost.add(record.key)

    # --- devices

    def make(self, wish: Link, peer: Device | None = None) -> None:
        if wish.netns and ("namespace", wish.netns) not in self.there:
            raise Refused(f"no namespace {wish.netns}")
        if wish.key in self.there:
            raise Refused(f"{wish.describe()} exists")
        if wish.master:
            self.link(wish.netns, wish.master)
        if wish.parent and not self.link(wish.netns, wish.parent).up and wish.link_kind == "vlan" and wish.up:
            raise Refused("a vlan cannot be up on a parent that is down")
        ours = wish.ours if wish.mtu and wish.index else True
        bare = {"fixed": Link("", "x").fixed, "force": False, "addr_gen_mode": None, "index": 1}
        born = dataclasses.replace(wish, **bare, mtu=wish.mtu or 1500, master=wish.master or "", up=bool(wish.up), ours=ours, peer=peer)
        self.there[born.key] = born
        self._conf(born.netns, born.ifname)

    def remove(self, link: Link) -> None:
        if self.there.pop(link.key, None) is None:
            raise Refused(f"no {link.describe()}")
        self.bare(link)
        for other in self.of(Link):
            if (other.netns, other.master) == (link.netns, link.ifname):
                self.there[other.key] = dataclasses.replace(other, master="")
                self.lost.add(other.key)
            goes = (other.netns, other.parent) == (link.netns, link.ifname) or (other.netns, other.ifname) == link.peer
            if goes and other.key in self.there:
                self.remove(other)
                self.lost.add(other.key)

    def bare(self, link: Link) -> None:
        for record in [*self.there.values()]:
            if (link.netns, link.ifname) in _device_of(record):
                self._lose(record)

    def set(self, link: Link, differs: t.Mapping[str, t.Any]) -> None:
        info = dict(link.info)
        for name, (_old, new) in differs.items():
            if name.startswith("info."):
                info[name[5:]] = new
            elif name == "master" and new:
                self.link(link.netns, new)
        plain = {name: new for name, (_old, new) in differs.items() if not name.startswith("info.")}
        self.there[link.key] = dataclasses.replace(link, **plain, info=tuple(sorted(info.items())))
        if plain.get("up") is False:
            for record in [*self.there.values()]:
                v6 = isinstance(record, Address) and ":" in record.address
                if (v6 or isinstance(record, Route)) and (link.netns, link.ifname) in _device_of(record):
                    self._lose(record)

    def move(self, link: Link, netns: str) -> None:
        moved = dataclasses.replace(link, netns=netns, up=False, master="")
        if moved.key in self.there:
            raise Refused(f"{moved.describe()} exists")
        self._lose(link)  # whether it was up, and its master
        self.bare(link)
        self.there[moved.key] = moved
        self._conf(netns, link.ifname)

    # --- what is on them

    def address(self, wish: Address, replace: bool) -> None:
        self.link(wish.netns, wish.dev)
        if (wish.key in self.there) != replace:
            raise Refused(f"{wish.describe()} exists" if not replace else f"no {wish.describe()}")
        label = wish.label or (None if ":" in wish.address else wish.dev)
        self.there[wish.key] = dataclasses.replace(wish, label=label, scope=wish.scope or 0, metric=wish.metric or 0, wait_for_dad=False)

    def no_address(self, address: Address) -> None:
        if self.there.pop(address.key, None) is None:
            raise Refused(f"no {address.describe()}")
        others = [other for other in self.of(Address, address.netns) if other.dev == address.dev and ":" not in other.address]
        for route in self.of(Route, address.netns):
            if ":" not in address.address and not others and ":" not in route.dest and address.dev in route.devices:
                self._lose(route)

    def route(self, wish: Route, replace: bool) -> None:
        if (wish.key in self.there) != replace:
            raise Refused(f"{wish.describe()} exists" if not replace else f"no {wish.describe()}")
        dev = wish.dev
        if wish.gateway:
            on = [
                address.dev
                for address in self.of(Address, wish.netns)
                if ipaddress.ip_address(wish.gateway) in ipaddress.ip_network(f"{address.address}/{address.prefixlen}", strict=False)
                and self.link(address.netns, address.dev).up
                and wish.dev in (None, address.dev)
            ]
            if not on:
                raise Refused(f"the gateway of {wish.describe()} is unreachable")
            dev = on[0]
        elif dev and not self.link(wish.netns, dev).up:
            raise Refused(f"{dev} is down")
        self.there[wish.key] = dataclasses.replace(wish, dev=dev, protocol=wish.protocol or 3, mtu=wish.mtu or None)

    def rule(self, wish: Rule) -> None:
        if wish.priority is None:
            wish = dataclasses.replace(wish, priority=min([32766, *(rule.priority for rule in self.of(Rule, wish.netns))]) - 1)
        if self._rule_key(wish) in self.there:
            raise Refused(f"{wish.describe()} exists")
        self.there[self._rule_key(wish)] = wish

    def _meant(self, rule: Rule) -> Rule:
        """The first that fits."""
        same = [other for other in self.of(Rule, rule.netns) if (other.selectors, other.table) == (rule.selectors, rule.table)]
        return rule if rule.priority is not None else min(same, key=lambda other: other.priority, default=rule)

    @staticmethod
    def _rule_key(rule: Rule) -> Key:
        return (*rule.key, rule.table, rule.type)  # of one priority there may be several

    # --- namespaces

    def namespace(self, wish: Namespace) -> None:
        if wish.key in self.there:
            raise Refused(f"{wish.describe()} exists")
        if wish.netns in self.kept:
            self.there.update(self.kept.pop(wish.netns))
            return
        self.there[wish.key] = Namespace(wish.netns)
        self._furnish(wish.netns, bool(wish.loopback))

    def no_namespace(self, netns: str) -> None:
        inside = {key: record for key, record in self.there.items() if record.where == netns or key == ("namespace", netns)}
        self.kept[netns] = inside
        for key in inside:
            del self.there[key]

    def release(self) -> None:
        """Nobody holds them any more: all in them goes, with the other ends of pairs; physical devices come home."""
        for inside in self.kept.values():
            for link in (record for record in inside.values() if isinstance(record, Link)):
                if link.peer and ("link", *link.peer) in self.there:
                    self.remove(self.link(*link.peer))
                elif not link.link_kind and link.ifname != "lo":
                    self.there[("link", "", link.ifname)] = dataclasses.replace(link, netns="", up=False, master="")
                    self._conf("", link.ifname)
        self.kept.clear()

    # --- changes

    def apply(self, change: Change) -> None:
        one = change.resource
        before, after = t.cast(t.Any, change.before), t.cast(t.Any, change.after)
        if isinstance(one, Namespace):
            if change.action == "create":
                self.namespace(after)
            elif change.action == "delete":
                self.no_namespace(one.netns)
            else:
                self.set(self.link(one.netns, "lo"), {"up": change.differs["loopback"]})
        elif isinstance(one, Veth):
            if change.action == "delete":
                self.remove(self.link(one.end.netns, one.end.ifname))
                return
            ends = [(end.netns, end.ifname) for end in one.ends]
            before_birth = self.copy()
            try:
                for end, peer in zip(one.ends, reversed(ends)):
                    self.make(end, peer)
            except Refused:  # both ends are made by one request
                self.there = before_birth.there
                raise
        elif isinstance(one, Link):
            if change.action == "create":
                if after.link_kind == "veth":
                    raise Refused("the other end is not known")
                self.make(after)
            elif change.action == "delete":
                self.remove(self.link(one.netns, one.ifname))
            elif change.action == "move":
                self.move(self.link(before.netns, before.ifname), after.netns)
            else:
                self.set(self.link(one.netns, one.ifname), change.differs)
        elif isinstance(one, Address):
            self.no_address(before) if change.action == "delete" else self.address(after, change.action == "update")
        elif isinstance(one, Sysctl):
            if after.value is None:
                return
            if one.key not in self.there:
                raise Refused(f"no {one.describe()}")
            self.there[one.key] = dataclasses.replace(one, value=after.value)
        elif change.action == "delete":
            key = self._rule_key(self._meant(before)) if isinstance(before, Rule) else before.key
            if self.there.pop(key, None) is None:
                raise Refused(f"no {before.describe()}")
        elif isinstance(one, Rule):
            self.rule(after)
        else:
            self.route(after, change.action == "update")

    def observe(self, wanted: Wanted) -> Observed:
        records = [
            dataclasses.replace(record, loopback=self.link(record.netns, "lo").up) if isinstance(record, Namespace) else record
            for record in self.there.values()
        ]
        records = [
            dataclasses.replace(record, peer=None)
            if isinstance(record, Link) and record.peer and ("link", *record.peer) not in self.there
            else record
            for record in records
        ]
        there = {record.netns for record in records if isinstance(record, Namespace)}
        return observed(*records, wanted=wanted, missing={"red", "blue"} - there)


def run(kernel: Kernel, wanted: Wanted) -> list[Change]:
    changes = plan(wanted, kernel.observe(wanted))
    for change in changes:
        kernel.apply(change)
    kernel.release()
    return changes


def _put_back(kernel: Kernel, before: Kernel, own: t.Collection[Key], coming: t.Collection[Key]) -> None:
    """What went along, as the snapshot has it; of a device with a step of its own what others may have taken from it."""
    for key in kernel.lost & {*before.there} - {*coming}:
        was, now = before.there[key], kernel.there.get(key)
        if now is None or key not in own:
            kernel.there[key] = was
        elif isinstance(was, Link) and isinstance(now, Link):
            kernel.there[key] = dataclasses.replace(now, mtu=was.mtu, master=was.master, up=was.up)


def undo(kernel: Kernel, before: Kernel, done: t.Sequence[Change]) -> list[str]:
    """As a transaction does; what could not be done. What went along and is nobody's own is the snapshot's to put back."""
    failed = [change.inverse() for change in reversed(done)]
    own = {step.resource.key for step in failed if step.action != "move" and not isinstance(step.resource, Sysctl)}
    for attempt in range(3):
        steps, failed, problems = failed, [], []
        if attempt == 2:
            _put_back(kernel, before, own, {key for step in steps if step.action == "create" for key in step.resource.claims})
        for step in steps:
            try:
                kernel.apply(step)
            except Refused as problem:
                again = isinstance(step.after, (Address, Route, Rule)) and "exists" in str(problem)
                if step.action != "delete" and not again:
                    failed.append(step)
                    problems.append(f"{step.describe()}: {problem}")
    return problems


# -- any state


class Dice:
    """Chance of which only the seed is hypothesis's: to draw each choice by itself takes a hundred times as long."""

    def __init__(self, random: Random) -> None:
        self.some = random.choice
        self._random = random

    def mostly(self) -> bool:
        return self._random.random() < 0.75

    def half(self) -> bool:
        return self._random.random() < 0.5

    def up_to(self, most: int, pool: t.Sequence[t.Any]) -> list[t.Any]:
        return self._random.sample(pool, min(len(pool), self._random.randint(0, most)))


def topology(dice: Dice, size: int) -> Lists:
    """Few names, so that two of these have much to do with each other."""
    netns = dice.up_to(2, ["red", "blue"])
    links, veths, devices = _devices(dice, [None, *netns], size)
    if "red" in netns and not dice.mostly():
        links.append({"name": "eth0", "netns": "red", "up": dice.half()})
    addresses, routes = _traffic(dice, devices)
    rules = {
        # without a priority the kernel takes the next one that is smaller
        (place, priority): {
            "netns": place,
            "priority": priority,
            "from": dice.some([None, "10.0.0.0/8"] if priority else ["10.1.0.0/16"]),
            "table": dice.some(["7", "8"]),
        }
        for place, priority in dice.up_to(2, [(place, priority) for place in (None, *netns) for priority in (None, 50, 60)])
    }
    sysctls = [(place, "net.ipv4.ip_forward") for place in (None, *netns)]
    sysctls += [(link["netns"], f"net.ipv4.conf.{link['name']}.rp_filter") for link in devices]
    return {
        "namespaces": [{"name": name, "loopback": dice.half()} for name in netns],
        "links": links,
        "veths": veths,
        "addresses": addresses,
        "routes": routes,
        "rules": [*rules.values()],
        "sysctls": [{"netns": place, "name": name, "value": dice.some([0, 1])} for place, name in dice.up_to(3, sysctls)],
    }


_AS_BRIDGE = ("bridge", "bridge", "ifb", "vxlan")
_AS_OTHER = ("veth", "veth", "veth", "veth", "bridge", "vxlan", "macvlan", "vlan")


def _devices(dice: Dice, places: list[str | None], size: int) -> tuple[list[Item], list[Item], list[Item]]:
    """Links, veth pairs, and of both every device."""
    slots = dice.up_to(size, [(place, name) for place in places for name in ("br0", "e0", "e1")])
    links, veths, ends = [], [], []
    while slots:
        place, name = slots.pop()
        link: Item = {"name": name, "netns": place, "up": dice.mostly(), "mtu": dice.some([None, 1400])}
        kind = dice.some(_AS_BRIDGE if name == "br0" else _AS_OTHER)
        below = [other for other in links if other["netns"] == place and other["kind"] not in ("macvlan", "vlan")]
        if kind == "veth" and slots:
            place, name = slots.pop()
            peer: Item = {"name": name, "netns": place, "up": dice.mostly(), "num_tx_queues": dice.some([None, None, 2])}
            veths.append({**link, "peer": peer})
            ends += [veths[-1], peer]
            continue
        if kind in ("macvlan", "vlan") and below:
            parent = dice.some(below)
            link.update({"kind": kind, "parent": parent["name"], "up": link["up"] and parent["up"]})
            link.update({"vlan": {"id": dice.some([1, 2])}} if kind == "vlan" else {})
        elif kind == "vxlan":
            link.update({"kind": kind, "vxlan": {"id": dice.some([1, 2]), "learning": dice.half()}})
        else:
            link["kind"] = "ifb" if kind == "ifb" else "bridge"
        links.append(link)
    for link in (*ends, *(link for link in links if link["kind"] in ("ifb", "vxlan"))):
        masters = [other["name"] for other in links if other["kind"] == "bridge" and other["netns"] == link["netns"]]
        link["master"] = dice.some([None, "", *masters, *masters])
    return links, veths, [*links, *ends]


def _traffic(dice: Dice, devices: list[Item]) -> tuple[list[Item], list[Item]]:
    """Addresses, and routes that lean on them."""
    addresses: list[Item] = []
    routes: dict[t.Any, Item] = {}
    for number, link in enumerate(devices):
        where = {"netns": link["netns"], "dev": link["name"]}
        given_ = dice.up_to(2, [f"10.0.{number}.1/24", f"10.0.{number}.2/16", dice.some(["fd00::1/64", "fd00::1/48"])])
        if not given_:
            continue
        addresses.append({**where, "address": given_, "exclusive": dice.half(), "label": dice.some([None, f"{link['name']}:x"])})
        if not link["up"] or dice.half():
            continue
        version6 = ":" in given_[0]
        dest = dice.some(["fd01::/64", "fd02::/64"] if version6 else ["10.9.0.0/16", "10.8.0.0/16"])
        way = dice.some([{"gateway": "fd00::9" if version6 else f"10.0.{number}.9"}, {"dev": link["name"]}, {"type": "blackhole"}])
        metric, mtu = dice.some([None, 5]), dice.some([None, 1300])
        routes[(link["netns"], dest, metric)] = {"netns": link["netns"], "dest": dest, "metric": metric, "mtu": mtu, **way}
    return addresses, [*routes.values()]


RANDOM = st.randoms(use_true_random=True)  # an ordinary Random whose seed is drawn
SIZE = st.integers(0, 7)


@st.composite
def journeys(draw: st.DrawFn) -> tuple[Lists, Lists, str]:
    """A state, and another to go to from there: what is to be there, or what of the first is to be gone."""
    dice = Dice(draw(RANDOM))
    first = topology(dice, draw(SIZE))
    if dice.mostly():
        return first, topology(dice, draw(SIZE)), "present"
    return first, {name: [item for item in items if dice.half()] for name, items in first.items()}, "absent"


QUICK = settings(max_examples=300, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def start(first: Wanted) -> Kernel:
    kernel = Kernel()
    run(kernel, first)
    return kernel


def planned_or_refused(wanted: Wanted, state: Observed) -> list[Change]:
    """Of these states only few are not to be had."""
    try:
        changes = plan(wanted, state)
    except StateError as no:
        assert "there is no device 'eth0'" in str(no) or "physical device" in str(no), str(no)
        event("refused")
        return []
    event("re-creation" if {change.action for change in changes} >= {"delete", "create"} else "no re-creation")
    return changes


@QUICK
@given(journeys())
def test_from_any_state_to_any_state_then_nothing_is_left_to_do(journey: tuple[Lists, Lists, str]) -> None:
    first, second = options.read(journey[0]), options.read(*journey[1:])
    kernel = start(first)
    assert plan(first, kernel.observe(first)) == []
    for change in planned_or_refused(second, kernel.observe(second)):
        kernel.apply(change)
    kernel.release()
    assert [change.describe() for change in planned_or_refused(second, kernel.observe(second))] == []


@QUICK
@given(journeys(), st.integers(0, 20))
def test_the_way_back_leads_back(journey: tuple[Lists, Lists, str], failing: int) -> None:
    """From wherever a run breaks off."""
    first, second = options.read(journey[0]), options.read(*journey[1:])
    kernel = start(first)
    before = kernel.copy()
    done = planned_or_refused(second, kernel.observe(second))[:failing]
    for change in done:
        kernel.apply(change)
    assert undo(kernel, before, done) == []
    assert kernel.there == before.there


@settings(QUICK, max_examples=100)
@given(RANDOM, SIZE)
def test_the_plan_of_a_topology_does_not_depend_on_the_order_of_its_lists(random: Random, size: int) -> None:
    lists = topology(Dice(random), size)
    turned = {name: items[::-1] for name, items in reversed([*lists.items()])}
    kernels = [start(options.read(each)) for each in (lists, turned)]
    one, other = ({key: record for key, record in kernel.there.items() if not isinstance(record, (Rule, Route))} for kernel in kernels)
    assert one == other
