# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links: iproute2 and pyroute2 read what the codec writes, and the codec what iproute2 writes."""

from __future__ import annotations

import dataclasses
import json
import os
import struct
import subprocess
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import bridge, kinds, link_messages, link_requests, rtnetlink
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.host import Host
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.link_messages import MARK
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources import Link, Veth
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.rtnetlink import Message, Request

Sandbox = t.Callable[[t.Callable[[], t.Any]], None]


def sh(text: str) -> str:
    return subprocess.run(["sh", "-ec", text], check=True, stdout=subprocess.PIPE, text=True).stdout


def ip(*command: str) -> t.Any:
    shown = subprocess.run(("ip", "-details", "-json", *command), check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(shown) if shown.strip() else []


def shown(name: str, netns: str = "") -> dict[str, t.Any]:
    (entry,) = ip(*(("-n", netns) if netns else ()), "link", "show", "dev", name)
    return t.cast(dict[str, t.Any], entry)


def send(host: Host, requests: t.Sequence[Request]) -> None:
    """As a run does: stage by stage, what is made late made then."""
    for stage in sorted({request.stage for request in requests}):
        for request in requests:
            if request.stage == stage:
                message = request.message() if callable(request.message) else request.message
                failures = host.socket(request.netns).batch([message])
                assert not failures, (request, str(failures[0]))


def create(host: Host, link: Link) -> None:
    send(host, link_requests.create(link, host))


def update(host: Host, before: Link, wanted: dict[str, t.Any], after: Link | None = None) -> None:
    send(host, link_requests.update(before, after or before, wanted, host))


def find(host: Host, name: str, netns: str = "") -> Link:
    host.forget_names(netns)
    link = host.link(netns, name)
    assert link is not None
    return link


def on_the_host(sandboxed: Sandbox, test: t.Callable[[Host], None]) -> None:
    def inside() -> None:
        sh("mkdir -p /run/netns; ip netns add red; ip netns add blue; ip link set lo up")
        with Host() as host:
            test(host)

    sandboxed(inside)


def holds(entry: dict[str, t.Any], **expected: t.Any) -> bool:
    assert {key: entry.get(key) for key in expected} == expected
    return True


# -- ours, seen by others


def test_a_bridge_is_born_with_everything(sandboxed: Sandbox) -> None:
    def test(host: Host) -> None:
        create(
            host,
            Link(
                *("red", "br0", "bridge"),
                mtu=1400,
                mac_address="02:00:00:00:00:07",
                up=True,
                alias="the middle",
                txqueuelen=55,
                info=(("ageing_time", 12346), ("stp", True)),
            ),
        )
        entry = shown("br0", "red")
        holds(entry, mtu=1400, address="02:00:00:00:00:07", ifalias="the middle", txqlen=55, altnames=[f"{MARK}br0"])
        assert "UP" in entry["flags"]
        holds(entry["linkinfo"]["info_data"], ageing_time=12346, stp_state=1)
        found = find(host, "br0", "red")
        assert (found.ours, found.up, found.link_kind, found.mtu, found.alias, found.master) == (
            True,
            True,
            "bridge",
            1400,
            "the middle",
            "",
        )
        assert (found.mac_address, found.txqueuelen, found.num_tx_queues, found.altnames) == ("02:00:00:00:00:07", 55, 1, (f"{MARK}br0",))

    on_the_host(sandboxed, test)


@pytest.mark.parametrize("mtu", [1400, 1500, 9000, 68])
def test_a_bridge_keeps_the_mtu_that_it_was_given(sandboxed: Sandbox, mtu: int) -> None:
    """By default it has the least of its ports'."""

    def test(host: Host) -> None:
        create(host, Link("", "br0", "bridge", mtu=mtu, up=True))
        sh("ip link add v0 mtu 1450 type veth peer v1; ip link set v0 master br0 up; ip link set v0 mtu 1430")
        holds(shown("br0"), mtu=mtu)
        create(host, Link("", "br1", "bridge"))
        sh("ip link set v0 master br1")
        holds(shown("br1"), mtu=1430)

    on_the_host(sandboxed, test)


PAIRS = [("red", "blue"), ("red", ""), ("", "red"), ("", ""), ("red", "red")]


@pytest.mark.parametrize("places", PAIRS, ids=[f"{one or 'host'}-{other or 'host'}" for one, other in PAIRS])
def test_both_ends_of_a_pair_are_born_where_they_belong(sandboxed: Sandbox, places: tuple[str, str]) -> None:
    def test(host: Host) -> None:
        one, other = places
        before = {netns: {link.ifname for link in host.links(netns)} for netns in ("", "red", "blue")}
        pair = Veth(
            Link(one, "v0", "veth", mtu=1400, mac_address="02:00:00:00:00:01", up=True, num_tx_queues=3),
            Link(other, "v1", "veth", mac_address="02:00:00:00:00:02", alias="the other", txqueuelen=7, addr_gen_mode="none"),
        )
        send(host, link_requests.create_veth(pair, host))
        first, second = shown("v0", one), shown("v1", other)
        holds(
            first,
            mtu=1400,
            address="02:00:00:00:00:01",
            num_tx_queues=3,
            num_rx_queues=1,
            altnames=[f"{MARK}v0"],
            inet6_addr_gen_mode="eui64",
        )
        holds(second, mtu=1500, address="02:00:00:00:00:02", num_tx_queues=1, ifalias="the other", txqlen=7, inet6_addr_gen_mode="none")
        assert ("UP" in first["flags"], "UP" in second["flags"]) == (True, False)
        assert first.get("link_index", first.get("link")) == ("v1" if one == other else second["ifindex"])
        found, peer = find(host, "v0", one), find(host, "v1", other)
        assert (found.parent_index, peer.parent_index) == (peer.index, found.index)
        assert (found.parent_nsid is None) == (one == other)
        assert (found.parent, peer.parent) == (None, None), "a peer is no parent"
        assert found.parent_nsid == (None if one == other else host.nsid(one, other))
        assert peer.addr_gen_mode == "none"
        after = {netns: {link.ifname for link in host.links(netns)} for netns in ("", "red", "blue")}
        before[one].add("v0")
        before[other].add("v1")
        assert after == before, "nothing appeared anywhere else"
        send(host, [link_requests.delete(other, "v1")])
        assert host.link(one, "v0") is None

    on_the_host(sandboxed, test)


def test_each_attribute_is_changed_in_place(sandboxed: Sandbox) -> None:
    def test(host: Host) -> None:
        sh("ip link add br0 type bridge; ip link add v0 type veth peer v1; ip link set v0 up alias old")
        link = find(host, "v0")
        for wanted, expected in (
            ({"mtu": 1300}, {"mtu": 1300}),
            ({"mac_address": "02:00:00:00:00:09"}, {"address": "02:00:00:00:00:09"}),
            ({"txqueuelen": 7}, {"txqlen": 7}),
            ({"alias": "new"}, {"ifalias": "new"}),
            ({"alias": ""}, {"ifalias": None}),
            ({"master": "br0"}, {"master": "br0"}),
            ({"master": ""}, {"master": None}),
            ({"mtu": 1200, "alias": "both", "master": "br0"}, {"mtu": 1200, "ifalias": "both", "master": "br0"}),
        ):
            update(host, link, wanted)
            holds(shown("v0"), **expected)
            assert {name: getattr(find(host, "v0"), name) for name in wanted} == wanted
        for up in (False, True):
            update(host, link, {"up": up})
            assert ("UP" in shown("v0")["flags"]) is up
            assert find(host, "v0").up is up
        running = find(host, "v0").running
        sh("ip link set v1 up")
        assert (running, find(host, "v0").running or find(host, "v1").up) == (False, True)

    on_the_host(sandboxed, test)


def test_a_port_and_its_settings(sandboxed: Sandbox) -> None:
    def test(host: Host) -> None:
        sh("ip link add br0 type bridge; ip link add br1 type bridge; ip link add v0 type veth peer v1")
        update(host, find(host, "v0"), {"master": "br0", "port.cost": 55, "port.isolated": True})
        port = shown("v0")["linkinfo"]["info_slave_data"]
        holds(port, cost=55, isolated=True)
        # with port settings at birth
        create(host, Link("", "ifb9", "ifb", master="br0", port=(("cost", 9), ("hairpin", True)), up=True))
        holds(shown("ifb9")["linkinfo"]["info_slave_data"], cost=9, hairpin=True)
        # back in its bridge it has all that it had there; out of it there is nothing to set
        before = find(host, "v0")
        update(host, before, {"master": ""}, dataclasses.replace(before, master="", port=(), raw_port=b""))
        update(host, find(host, "v0"), {"master": "", "port.cost": 1})
        assert "master" not in shown("v0")
        update(host, find(host, "v0"), {"master": "br0"}, before)
        holds(shown("v0")["linkinfo"]["info_slave_data"], cost=55, isolated=True)

    on_the_host(sandboxed, test)


def test_a_parent_in_another_namespace(sandboxed: Sandbox) -> None:
    pytest.importorskip("pyroute2", reason="macvlan's attributes are written by pyroute2, which is not installed")

    def test(host: Host) -> None:
        sh("ip link add v0 type veth peer v1; ip link set v0 up")
        create(host, Link("red", "m0", "macvlan", parent="v0", parent_netns="", info=(("mode", "bridge"),), up=True))
        entry = shown("m0", "red")
        assert (entry["link_index"], entry["linkinfo"]["info_data"]["mode"]) == (shown("v0")["ifindex"], "bridge")
        found = find(host, "m0", "red")
        assert (found.parent, found.parent_nsid, found.parent_index) == (None, host.nsid("red", ""), find(host, "v0").index)
        create(host, Link("", "m1", "macvlan", parent="v0", info=(("mode", "vepa"),)))
        here = find(host, "m1")
        assert (here.parent, link_messages.below(here), link_messages.below(found)) == ("v0", here.parent_index, 0)

    on_the_host(sandboxed, test)


def test_a_device_moves(sandboxed: Sandbox) -> None:
    def test(host: Host) -> None:
        sh("ip link add v0 type veth peer v1; ip link set v0 up mtu 1400")
        send(host, [link_requests.move("v0", "", "red", host)])
        assert host.link("", "v0") is None
        holds(shown("v0", "red"), mtu=1400)
        assert not find(host, "v0", "red").up

    on_the_host(sandboxed, test)


# -- the order of requests


class NoNames:
    def index(self, netns: str, name: str) -> int:
        raise AssertionError(f"{name} was asked for too early")

    def fd(self, netns: str) -> int:
        raise AssertionError(netns)


def what(request: Request) -> tuple[int, set[int], int]:
    """Type, attributes and the change of flags."""
    message = t.cast(Message, request.message)
    return message.type, {*rtnetlink.attributes(message.body, link_messages.HEADER_SIZE)} - {link_messages.IFLA_IFNAME}, message.body[8] & 1


def test_down_comes_first_and_up_last() -> None:
    link = Link("", "v0", "veth")
    down = [what(request) for request in link_requests.update(link, link, {"mtu": 1400, "up": False}, NoNames())]
    assert down == [(rtnetlink.RTM_SETLINK, set(), 0), (rtnetlink.RTM_NEWLINK, {link_messages.IFLA_MTU}, 0)]
    up = [what(request) for request in link_requests.update(link, link, {"up": True, "alias": "x"}, NoNames())]
    assert up == [(rtnetlink.RTM_NEWLINK, {link_messages.IFLA_IFALIAS}, 0), (rtnetlink.RTM_SETLINK, set(), 1)]
    born = link_requests.create(Link("", "br0", "bridge", up=True, alias="x"), NoNames())
    assert [(request.stage, *what(request)) for request in born] == [
        (0, rtnetlink.RTM_NEWLINK, {link_messages.IFLA_LINKINFO}, 0),
        (1, rtnetlink.RTM_NEWLINKPROP, {link_messages.IFLA_PROP_LIST}, 0),
        (1, rtnetlink.RTM_NEWLINK, {link_messages.IFLA_IFALIAS}, 0),
        (1, rtnetlink.RTM_SETLINK, set(), 1),
    ]
    assert [request.optional for request in born] == [False, True, False, False]


def test_the_vlans_of_a_new_port_wait_for_its_index() -> None:
    class Names(NoNames):
        there = False

        def index(self, netns: str, name: str) -> int:
            assert name == "br0" or self.there, f"{name} was asked for before it was made"
            return 77

    names = Names()
    requests = link_requests.create(Link("", "e0", "dummy", master="br0", port=(("pvid", 7), ("vlans", (10, 11)))), names)
    late = [request for request in requests if callable(request.message)]
    assert [request.stage for request in late] == [2, 2]
    names.there = True
    added, removed = (t.cast(t.Callable[[], Message], request.message)() for request in late)
    assert (added.type, removed.type) == (rtnetlink.RTM_SETLINK, rtnetlink.RTM_DELLINK)
    assert struct.unpack_from("=i", added.body, 4)[0] == 77
    spec = rtnetlink.attributes(added.body, link_messages.HEADER_SIZE)[link_messages.IFLA_AF_SPEC]
    assert bridge.decode_port_vlans(spec) == {7: 6, 10: 0, 11: 0}


# -- others', seen by us


def test_links_that_iproute2_made(sandboxed: Sandbox) -> None:
    def test(host: Host) -> None:
        sh(
            "ip link add br0 type bridge; ip link add v0 mtu 1400 txqueuelen 7 numtxqueues 3 type veth peer v1 netns red;"
            "ip link set v0 master br0 up alias 'an alias'; ip link property add dev v0 altname another; ip link set v0 addrgenmode random"
        )
        if os.path.exists("/dev/net/tun"):
            sh("ip tuntap add tap0 mode tap; ip tuntap add tun0 mode tun")
            assert (find(host, "tap0").link_kind, find(host, "tun0").link_kind, find(host, "tun0").mac_address) == ("tap", "tun", None)
        link = find(host, "v0")
        assert (link.mtu, link.txqueuelen, link.num_tx_queues, link.master, link.up, link.alias) == (1400, 7, 3, "br0", True, "an alias")
        assert (link.ours, link.altnames, link.addr_gen_mode, link.link_kind) == (False, ("another",), "random", "veth")
        assert link.mac_address == shown("v0")["address"]
        assert (link.index, link.parent_nsid) == (shown("v0")["ifindex"], host.nsid("", "red"))
        assert find(host, "lo").link_kind == ""
        assert [found.ifname for found in host.links("red")] == ["lo", "v1"]
        assert next(found for found in host.links("") if found.ifname == "v0") == link, "a dump tells the same as a single request"

    on_the_host(sandboxed, test)


def test_a_device_is_put_back_as_it_was(sandboxed: Sandbox) -> None:
    """What was read makes it again: its index, its names and the attributes of its kind too."""

    def test(host: Host) -> None:
        sh(
            "ip link add gap type bridge; ip link add br0 type bridge; ip link add br1 address 02:00:00:00:00:99 mtu 1400 type bridge "
            "ageing_time 11100 priority 7 mcast_snooping 0;"
            "ip link set br1 up alias mine txqueuelen 9 addrgenmode none; ip link property add dev br1 altname foreign;"
            "ip link add v0 numtxqueues 2 type veth peer v1 netns red; ip link set v0 master br0 up;"
            "bridge link set dev v0 cost 9 guard on;"
            "ip -n red link set v1 up mtu 1300; ip link del gap"
        )
        moving = ("operstate", "gc_timer", "flags", "state", "hold_timer", "forward_delay_timer", "message_age_timer", "tso_max_size")

        def look(name: str, netns: str = "") -> str:
            def still(entry: t.Any) -> t.Any:
                return {key: still(value) for key, value in entry.items() if key not in moving} if isinstance(entry, dict) else entry

            return json.dumps(still(shown(name, netns)), sort_keys=True)

        before = look("br1"), look("v0"), look("v1", "red")
        foreign, one, other = find(host, "br1"), find(host, "v0"), find(host, "v1", "red")
        send(host, [link_requests.delete("", "br1"), link_requests.delete("", "v0")])
        host.forget_names("")
        host.forget_names("red")
        sh("ip link add later type bridge")
        create(host, foreign)
        send(host, link_requests.create_veth(Veth(one, other), host))
        assert (look("br1"), look("v0"), look("v1", "red")) == before

    on_the_host(sandboxed, test)


def test_attributes_of_a_kind_go_in_and_out() -> None:
    assert link_requests.encode_info("bridge", {}) == b""
    data = link_requests.encode_info("bridge", {"stp": True, "ageing_time": 100})
    assert link_messages.decode_info(Link("", "br0", "bridge", raw_info=data)) == {"stp": True, "ageing_time": 100}
    assert link_messages.decode_info(Link("", "v0", "veth")) == {}
    assert link_requests.encode_info("ifb", {}) == b""
    assert not link_requests.starts_from_nothing("bridge")
    assert link_requests.starts_from_nothing("gre") is kinds.KINDS["gre"].whole is True


def test_as_pyroute2_sees_them(sandboxed: Sandbox) -> None:
    pyroute2 = pytest.importorskip("pyroute2", reason="pyroute2 is not installed: nothing else to read messages with")

    def test(host: Host) -> None:
        create(host, Link("", "br0", "bridge", mtu=1400, alias="x", info=(("priority", 77),)))
        send(host, link_requests.create_veth(Veth(Link("", "v0", "veth", master="br0"), Link("red", "v1", "veth")), host))
        with pyroute2.IPRoute() as other:
            entries = {dict(entry["attrs"])["IFLA_IFNAME"]: entry for entry in other.get_links()}
        attrs = dict(entries["br0"]["attrs"])
        info = dict(attrs["IFLA_LINKINFO"]["attrs"])
        assert (attrs["IFLA_MTU"], attrs["IFLA_IFALIAS"], info["IFLA_INFO_KIND"]) == (1400, "x", "bridge")
        assert dict(info["IFLA_INFO_DATA"]["attrs"])["IFLA_BR_PRIORITY"] == 77
        port = dict(entries["v0"]["attrs"])
        assert port["IFLA_MASTER"] == entries["br0"]["index"]
        assert [value for _name, value in port["IFLA_PROP_LIST"]["attrs"]] == [f"{MARK}v0"]

    on_the_host(sandboxed, test)


VXLAN = "id 5 remote 192.0.2.9 dstport 4789 ttl 9 nolearning dev below"


def test_a_vxlan_goes_in_and_out_and_is_put_back_as_it_was(sandboxed: Sandbox) -> None:
    pytest.importorskip("pyroute2", reason="vxlan's attributes are written by pyroute2, which is not installed")

    def test(host: Host) -> None:
        sh(f"ip link add below type bridge; ip link add theirs mtu 1280 address 02:00:00:00:00:33 type vxlan {VXLAN}")
        theirs = find(host, "theirs")
        options = {"id": 5, "remote": "192.0.2.9", "port": 4789, "ttl": 9, "learning": False}
        assert options.items() <= link_messages.decode_info(theirs).items()
        assert link_messages.below(theirs) == find(host, "below").index
        before = shown("theirs")
        send(host, [link_requests.delete("", "theirs")])
        create(host, theirs)
        assert shown("theirs") == before
        send(host, [link_requests.delete("", "theirs")])
        create(host, Link("", "ours", "vxlan", parent="below", mtu=1280, info=tuple(options.items())))
        expected = before["linkinfo"]["info_data"]
        assert shown("ours")["linkinfo"]["info_data"] == expected
        create(host, Link("red", "away", "vxlan", parent="below", parent_netns="", info=(("id", 6), ("group", "239.1.1.1"))))
        assert {"id": 6, "group": "239.1.1.1"}.items() <= shown("away", "red")["linkinfo"]["info_data"].items()
        assert host.link("", "away") is None

    on_the_host(sandboxed, test)


@pytest.mark.parametrize("mode", ["eui64", "none", "random"])
def test_the_link_local_address_is_of_the_mode_from_the_first_moment(sandboxed: Sandbox, mode: str) -> None:
    def test(host: Host) -> None:
        ends = Link("", "v0", "veth", mac_address="02:00:00:00:00:01", addr_gen_mode=mode, up=True), Link("", "v1", "veth", up=True)
        send(host, link_requests.create_veth(Veth(*ends), host))
        there = [entry["local"] for link in ip("-6", "addr", "show", "dev", "v0") for entry in link["addr_info"]]
        assert len(there) == (mode != "none")
        assert ("fe80::ff:fe00:1" in there) == (mode == "eui64")

    on_the_host(sandboxed, test)
