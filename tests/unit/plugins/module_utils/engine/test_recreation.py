# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A device that has to be re-created is afterwards what it was, but for what the task asks: iproute2 looks before and after."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import options, transaction
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.plan_inherit import Around, inherited
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.record import pairs
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources import Link

Sandbox = t.Callable[[t.Callable[[], t.Any]], None]
Lists = dict[str, list[dict[str, t.Any]]]

QUIET = """
ip link set lo up
for place in all default; do sysctl -q net.ipv6.conf.$place.accept_dad=0 net.ipv6.conf.$place.addr_gen_mode=1; done
"""
# What the kernel numbers and works out by itself.
MOVING = {
    *("ifindex", "link_index", "operstate", "linkmode", "group", "hello_timer", "gc_timer", "tcn_timer", "topology_change_timer", "flags"),
    *("state", "topology_change", "topology_change_detected", "tso_max_size", "hold_timer", "message_age_timer", "forward_delay_timer"),
    *("id", "designated_port", "no", "vlan_stats_enabled"),
}  # fmt: skip


def sh(text: str) -> str:
    done = subprocess.run(["sh", "-ec", text], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{text!r} ended with {done.returncode}: {done.stdout}")
    return done.stdout


def execute(lists: Lists, check_mode: bool = False) -> t.Any:
    return transaction.execute(options.read(lists, "present", True), check_mode=check_mode)


def flat(name: str, entry: t.Any) -> t.Iterator[tuple[str, t.Any]]:
    if isinstance(entry, dict):
        for key, inner in entry.items():
            if key not in MOVING or name == "linkinfo.info_data" and key == "id":
                yield from flat(f"{name}.{key}".lstrip("."), inner)
    else:
        yield name, entry


def look(*devices: str) -> dict[str, t.Any]:
    """All that iproute2 tells of devices, and whether they are up."""
    found: dict[str, t.Any] = {}
    for device in devices:
        netns, _colon, name = device.rpartition(":")
        (link,) = json.loads(sh(f"ip {f'-n {netns}' if netns else ''} -json -d link show {name}"))
        found.update({f"{name} {key}": value for key, value in flat("", link)})
        found[f"{name} up"] = "UP" in link["flags"]
    return found


def changed(before: dict[str, t.Any], after: dict[str, t.Any]) -> dict[str, t.Any]:
    return {name: after.get(name) for name in {**before, **after} if before.get(name) != after.get(name)}


def pyroute2_or_skip() -> None:
    pytest.importorskip("pyroute2", reason="the attributes of these kinds are read and written by pyroute2, which is not installed")


# Standing things, the devices to look at, the wish, and all that may be different afterwards.
CASES: dict[str, tuple[str, tuple[str, ...], Lists, dict[str, t.Any]]] = {
    "a veth pair": (
        """
        ip netns add red; ip link add br0 type bridge; ip link set br0 up
        ip link add v0 address 02:00:00:00:00:11 mtu 1400 txqueuelen 33 numtxqueues 1 numrxqueues 1 type veth peer v1 netns red \
            address 02:00:00:00:00:12 mtu 1400 txqueuelen 44 numtxqueues 2 numrxqueues 3
        ip link set v0 alias "to red" master br0 up; bridge link set dev v0 cost 50 hairpin on isolated on learning off
        ip link property add dev v0 altname second
        ip -n red link set v1 alias inside up
        """,
        ("v0", "red:v1"),
        {"veths": [{"name": "v0", "num_tx_queues": 4, "force": True, "peer": {"name": "v1", "netns": "red"}}]},
        {"v0 num_tx_queues": 4},
    ),
    "a bridge": (
        """
        ip link add br0 address 02:00:00:00:00:b0 mtu 1400 txqueuelen 55 type bridge ageing_time 20000 stp_state 1 priority 77 \
            forward_delay 400 mcast_snooping 0 group_fwd_mask 8 no_linklocal_learn 1
        ip link add p0 mtu 1400 type veth peer p1; ip link set p0 master br0 up; bridge link set dev p0 cost 50 guard on
        ip link set br0 alias middle
        """,
        ("br0", "p0"),
        {"links": [{"name": "br0", "kind": "bridge", "num_tx_queues": 2, "bridge": {"max_age": 1000}, "force": True}]},
        {"br0 num_tx_queues": 2, "br0 linkinfo.info_data.max_age": 1000},
    ),
    "a listed port of a bridge": (
        """
        ip link add br0 type bridge; ip link add p0 mtu 1400 type veth peer p1; ip link set p0 master br0 up
        bridge link set dev p0 cost 50 guard on
        """,
        ("br0", "p0"),
        {"links": [{"name": "br0", "kind": "bridge", "num_tx_queues": 2, "force": True}, {"name": "p0", "alias": "port"}]},
        {"br0 num_tx_queues": 2, "p0 ifalias": "port"},
    ),
    "a bridge with the MAC address of its port": (
        "ip link add br0 type bridge; ip link add p0 address 02:00:00:00:00:01 type veth peer p1; ip link set p0 master br0 up",
        ("br0",),
        {"links": [{"name": "br0", "kind": "bridge", "num_tx_queues": 2, "force": True}]},
        {"br0 num_tx_queues": 2},
    ),
    "an ifb": (
        "ip link add ifb7 mtu 1300 txqueuelen 9 numtxqueues 3 numrxqueues 3 type ifb; ip link set ifb7 up alias shaper",
        ("ifb7",),
        {"links": [{"name": "ifb7", "kind": "ifb", "mac_address": "02:00:00:00:00:99", "force": True}]},
        {"ifb7 address": "02:00:00:00:00:99"},
    ),
    "a vxlan": (
        """
        ip link add v0 type veth peer v1; ip link set v0 up; ip addr add 10.6.0.1/24 dev v0; ip link add br0 type bridge
        ip link add vx0 address 02:00:00:00:00:77 type vxlan id 5 dev v0 local 10.6.0.1 remote 10.6.0.2 dstport 4789 ttl 9 tos 4 \
            nolearning ageing 77 maxaddress 99 proxy l2miss udpcsum
        ip link set vx0 up master br0; bridge link set dev vx0 learning off neigh_suppress on
        """,
        ("vx0",),
        {"links": [{"name": "vx0", "kind": "vxlan", "vxlan": {"id": 6}, "force": True}]},
        {"vx0 linkinfo.info_data.id": 6},
    ),
    "a vxlan with another peer": (
        """
        ip link add v0 type veth peer v1; ip link set v0 up
        ip link add vx0 type vxlan id 5 dev v0 local 10.6.0.1 remote 10.6.0.2 dstport 4789 ttl 9
        """,
        ("vx0",),
        {"links": [{"name": "vx0", "kind": "vxlan", "vxlan": {"id": 5, "remote": "fd06::2"}, "force": True}]},
        {
            "vx0 linkinfo.info_data.remote": None, "vx0 linkinfo.info_data.remote6": "fd06::2", "vx0 linkinfo.info_data.local": None,
            "vx0 mtu": 1430,
        },
    ),
    "a macvlan with its parent": (
        """
        ip link add v0 mtu 1450 type veth peer v1 mtu 1450; ip link set v0 up; ip link set v1 up
        ip link add m0 link v0 address 02:00:00:00:00:55 mtu 1300 txqueuelen 7 type macvlan mode vepa; ip link set m0 alias upper
        """,
        ("v0", "v1", "m0"),
        {
            "veths": [{"name": "v0", "num_tx_queues": 3, "force": True, "peer": {"name": "v1"}}],
            "links": [{"name": "m0", "kind": "macvlan", "parent": "v0"}],
        },
        {"v0 num_tx_queues": 3},
    ),
    "a macvlan on another parent": (
        """
        ip link add v0 type veth peer v1; ip link add w0 mtu 1290 type veth peer w1 mtu 1290
        ip link add m0 link v0 address 02:00:00:00:00:55 txqueuelen 7 type macvlan mode private
        """,
        ("m0",),
        {"links": [{"name": "m0", "kind": "macvlan", "parent": "w0", "force": True}]},
        {"m0 mtu": 1290, "m0 link": "w0"},
    ),
    "a tap": (
        "ip tuntap add tap0 mode tap user 1 group 2; ip link set tap0 address 02:00:00:00:00:66 mtu 1280 txqueuelen 5 alias vm",
        ("tap0",),
        {"links": [{"name": "tap0", "kind": "tap", "tap": {"multi_queue": True}, "force": True}]},
        {
            "tap0 linkinfo.info_data.multi_queue": True, "tap0 linkinfo.info_data.numqueues": 0,
            "tap0 linkinfo.info_data.numdisabled": 0, "tap0 num_tx_queues": 256, "tap0 num_rx_queues": 256,
        },
    ),
    "another kind": (
        """
        ip link add br0 type bridge
        ip link add x0 address 02:00:00:00:00:44 mtu 1300 txqueuelen 9 type bridge ageing_time 777; ip link set x0 alias keep
        """,
        ("x0",),
        {"links": [{"name": "x0", "kind": "vxlan", "vxlan": {"id": 9}, "force": True}]},
        {"x0 linkinfo.info_kind": "vxlan"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_only_what_is_asked_is_different(sandboxed: Sandbox, case: str) -> None:
    standing, devices, lists, expected = CASES[case]
    if any(kind in case for kind in ("vxlan", "macvlan", "another")):
        pyroute2_or_skip()

    def inside() -> None:
        if case == "a tap" and not os.path.exists("/dev/net/tun"):
            pytest.skip("there is no /dev/net/tun here")
        sh(QUIET + standing)
        before = look(*devices)
        announced = execute(lists, check_mode=True)
        done = execute(lists)
        assert done.changes == announced.changes
        assert [change["action"] for change in done.changes][:2] == ["delete", "create"]
        after = look(*devices)
        difference = changed(before, after)
        if case == "another kind":
            own = ("info_data", "min_mtu", "max_mtu", "gso", "num_", "tso")
            difference = {name: value for name, value in difference.items() if not any(part in name for part in own)}
        # of our mark the kernel's list of names tells
        marks = [name for name in difference if "altnames" in name]
        for name in marks:
            assert set(before.get(name) or ()) < set(difference.pop(name))
        assert difference == expected
        assert execute(lists).changes == []
        created = next(change["after"] for change in done.changes if change["action"] == "create")
        assert created.get("mtu") in (None, after[f"{devices[0]} mtu"]), "what is told is what is there"

    sandboxed(inside)


def test_a_macvlan_of_mode_passthru_has_the_address_of_its_parent(sandboxed: Sandbox) -> None:
    """Neither does it keep its own, nor does the next mode keep that one: in another namespace the parent is not looked at."""
    pyroute2_or_skip()

    def inside() -> None:
        sh(QUIET + "ip netns add blue; ip link add v0 address 02:00:00:00:00:01 type veth peer v1")
        link = {"name": "m0", "netns": "blue", "kind": "macvlan", "parent": "v0", "parent_netns": "/proc/self/ns/net", "force": True}
        execute({"links": [{**link, "mac_address": "02:00:00:00:00:55", "macvlan": {"mode": "bridge"}}]})
        seen = []
        for mode in ("passthru", "private"):
            wish: Lists = {"links": [{**link, "macvlan": {"mode": mode}}]}
            execute(wish)
            assert execute(wish).changes == []
            seen.append(sh("ip netns exec blue cat /sys/class/net/m0/address").strip())
        assert seen[0] == "02:00:00:00:00:01"
        assert seen[1] not in ("02:00:00:00:00:01", "02:00:00:00:00:55")

    sandboxed(inside)


def test_the_result_tells_what_is_taken_over(sandboxed: Sandbox) -> None:
    def inside() -> None:
        sh(QUIET + "ip link add br0 address 02:00:00:00:00:b0 mtu 1400 type bridge ageing_time 20000; ip link set br0 alias middle")
        lists: Lists = {"links": [{"name": "br0", "kind": "bridge", "num_tx_queues": 2, "force": True}]}
        delete, create = execute(lists).changes
        assert (create["after"]["mtu"], create["after"]["alias"], create["after"]["up"]) == (1400, "middle", False)
        assert (create["after"]["mac_address"], create["after"]["bridge.ageing_time"]) == ("02:00:00:00:00:b0", 20000)
        assert (delete["before"]["num_tx_queues"], create["after"]["num_tx_queues"]) == (1, 2)

    sandboxed(inside)


# -- kinds that not every kernel has


def bond(mode: str, **info: t.Any) -> Link:
    return Link("", "bond0", "bond", info=pairs({"mode": mode, **info}))


def test_a_bond_takes_over_what_its_mode_has() -> None:
    found = bond("balance-rr", miimon=0, updelay=0, downdelay=0, packets_per_slave=4, min_links=2, resend_igmp=3)
    assert dict(inherited(bond("balance-rr"), found, Around()).info) == {
        "mode": "balance-rr", "miimon": 0, "packets_per_slave": 4, "min_links": 2, "resend_igmp": 3,
    }  # fmt: skip
    assert dict(inherited(bond("802.3ad", miimon=100), found, Around()).info) == {
        "mode": "802.3ad", "miimon": 100, "min_links": 2, "resend_igmp": 3,
    }  # fmt: skip


def test_a_vlan_follows_its_new_parent() -> None:
    parent, other = Link("", "eth0", mtu=9000, mac_address="02:00:00:00:00:01"), Link("", "eth1", mtu=1500)
    found = Link("", "v5", "vlan", parent="eth0", mtu=9000, mac_address="02:00:00:00:00:01", info=pairs({"id": 5, "reorder_hdr": False}))
    wish = Link("", "v5", "vlan", parent="eth1", info=pairs({"id": 5}))
    again = inherited(wish, found, Around(parent, other, lenders=frozenset({"02:00:00:00:00:01"})))
    assert (again.mtu, again.mac_address, dict(again.info)) == (None, None, {"id": 5, "reorder_hdr": False})
    stays = inherited(Link("", "v5", "vlan", parent="eth0", info=pairs({"id": 6})), found, Around(parent, parent))
    assert (stays.mtu, stays.mac_address, dict(stays.info)) == (9000, "02:00:00:00:00:01", {"id": 6, "reorder_hdr": False})


@pytest.mark.parametrize(
    ("kind", "master", "joins"),
    [("bridge", "bridge", False), ("bridge", "vrf", True), ("wireguard", "bridge", False), ("ifb", "bridge", True), ("vrf", "vrf", False)],
)
def test_another_kind_joins_the_bridge_where_it_can(kind: str, master: str, joins: bool) -> None:
    found = Link("", "x0", "dummy", master="m0", num_tx_queues=8, info=pairs({"a": 1}), port=pairs({"cost": 5}))
    again = inherited(Link("", "x0", kind), found, Around(master=Link("", "m0", master)))
    assert (again.master, again.num_tx_queues, again.info) == ("m0" if joins else None, None, ())
    assert again.port == (pairs({"cost": 5}) if joins else ())
