# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A device of the host's goes into a namespace and comes back as it was. An ifb, a tap, a macvlan and a veth end stand in for a NIC."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import glob
import json
import os
import re
import signal
import subprocess
import time
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import (
    homes,
    options,
    plan_homes,
    remembered,
    rtnetlink,
    store_files,
    transaction,
)
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.changes import Change, Phase
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import NetnsError, StateError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.homes import Home
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.plan import plan
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources import Link, Namespace, Sysctl
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_addresses import Address
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_routes import Route
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.state import Observed

Lists = dict[str, list[dict[str, t.Any]]]
Sandbox = t.Callable[[t.Callable[[], t.Any]], None]


# -- pure: what is worth keeping, whose way back it is, what it takes

NIC = Link(
    "",
    "eth0",
    mtu=1400,
    master="",
    up=True,
    mac_address="02:00:00:00:00:01",
    alias="uplink",
    txqueuelen=500,
    addr_gen_mode="eui64",
    index=2,
)
FIRST = Address("", "eth0", "192.0.2.2", 24, scope=0, label="eth0", protocol=0)
SECOND = dataclasses.replace(FIRST, address="192.0.2.3")
LINK_LOCAL = Address("", "eth0", "fe80::1", 64, scope=253, protocol=3)
CONNECTED = Route("", "192.0.2.0/24", 254, 0, dev="eth0", type="unicast", scope=253, src="192.0.2.2", protocol=2)
DEFAULT = Route("", "0.0.0.0/0", 254, 0, gateway="192.0.2.1", dev="eth0", type="unicast", scope=0, protocol=3)
BEYOND = Route("", "198.51.100.0/24", 254, 0, dev="eth0", type="unicast", scope=253, protocol=3)
LISTENS = Sysctl("", "net/ipv6/conf/eth0/accept_ra", "2", if_there=True)
HOME = Home(NIC, "red", "eth0", 77, 5, (FIRST, SECOND), (DEFAULT, BEYOND), (LISTENS,))
AWAY = dataclasses.replace(NIC, netns="red", index=5, mtu=1300, alias="inside", txqueuelen=1000)
RED = Namespace("red", inode=77)


def found(
    *homes_: Home, away: t.Mapping[t.Any, Link] | None = None, records: t.Iterable[t.Any] = (), missing: t.Collection[str] = ()
) -> Observed:
    state = Observed(homes=homes_, away=dict(away or {}))
    for netns in ("", "red", "blue"):
        if netns not in missing:
            state.places[netns] = "there"
        else:
            state.places[netns] = "missing"
    for record in records:
        state.found[record.key] = record
        if isinstance(record, Link):
            state.devices[(record.netns, record.ifname)] = record
        if isinstance(record, Namespace):
            state.inodes[record.netns] = record.inode
    return state


def planned(lists: Lists, state: Observed, kind: str = "absent") -> list[Change]:
    return plan(options.read(lists, kind, topology=True), state)


def said(changes: t.Iterable[Change]) -> list[str]:
    return [f"{change.action} {change.resource.name} {' '.join(change.differs)}".strip() for change in changes]


WHOLE_WAY = [
    "move eth0",
    "update eth0 mtu alias txqueuelen",
    "update net.ipv6.conf.eth0.accept_ra value",
    "update eth0 up",
    "create 192.0.2.2/24 dev eth0",
    "create 192.0.2.3/24 dev eth0",
    "create 198.51.100.0/24",
    "create default",
]
LINK: Lists = {"links": [{"name": "eth0", "netns": "red"}]}
NAMESPACE: Lists = {"namespaces": [{"name": "red"}]}


@pytest.mark.parametrize(
    ("lists", "last"),
    [(LINK, []), (NAMESPACE, ["delete red"]), ({**LINK, **NAMESPACE}, ["delete red"])],
    ids=["the link", "its namespace", "both, once"],
)
def test_the_way_home(lists: Lists, last: list[str]) -> None:
    changes = planned(lists, found(HOME, away={HOME.key: AWAY}, records=[AWAY, RED]))
    assert said(changes) == WHOLE_WAY + last
    assert changes[0].report()["before"] == {"netns": "red"}
    assert changes[0].report()["after"] == {"netns": None}
    assert {change.phase[0] for change in changes[: len(WHOLE_WAY)]} == {Phase.RETURN}


def test_what_keeps_its_processes_keeps_its_devices() -> None:
    red = dataclasses.replace(RED, pids=(9,))
    lists: Lists = {"namespaces": [{"name": "red", "processes": "keep"}]}
    assert said(planned(lists, found(HOME, away={HOME.key: AWAY}, records=[AWAY, red]))) == ["delete red"]
    assert said(planned(lists, found(HOME, away={HOME.key: AWAY}, records=[AWAY, RED])))[0] == "move eth0"


def test_a_way_back_that_was_interrupted_is_gone_on_with() -> None:
    begun = dataclasses.replace(HOME, returning=True)
    half = dataclasses.replace(NIC, index=6)
    records = [half, RED, FIRST, BEYOND, LISTENS]
    assert said(planned(LINK, found(begun, records=records))) == ["create 192.0.2.3/24 dev eth0", "create default"]
    assert planned(LINK, found(begun, records=[*records, SECOND, DEFAULT])) == []


def test_who_took_it_home_by_hand_has_the_say() -> None:
    by_hand = dataclasses.replace(NIC, mtu=9000)
    assert planned(LINK, found(HOME, records=[by_hand, RED])) == []
    bare = dataclasses.replace(by_hand, up=False)  # as the kernel leaves it when its namespace goes
    assert said(planned(LINK, found(HOME, records=[bare])))[:3] == [
        "update eth0 mtu",
        "update net.ipv6.conf.eth0.accept_ra value",
        "update eth0 up",
    ]


def test_what_is_gone_is_gone() -> None:
    assert planned(LINK, found(HOME, records=[RED])) == []
    assert planned(LINK, found(HOME, missing=["red"])) == []
    assert said(planned(NAMESPACE, found(HOME, records=[RED]))) == ["delete red"]
    other = dataclasses.replace(NIC, link_kind="dummy", up=False)  # in its place is another now
    assert planned(LINK, found(HOME, records=[other])) == []


def test_a_route_that_somebody_else_has_set_stays() -> None:
    theirs = dataclasses.replace(DEFAULT, dev="eth1", gateway="203.0.113.1")
    assert "create default" not in said(planned(LINK, found(HOME, away={HOME.key: AWAY}, records=[AWAY, RED, theirs])))


def test_a_new_name_inside_is_not_taken_home() -> None:
    renamed = dataclasses.replace(AWAY, ifname="wan")
    for name in ("eth0", "wan"):
        changes = planned({"links": [{"name": name, "netns": "red"}]}, found(HOME, away={HOME.key: renamed}, records=[renamed, RED]))
        assert said(changes) == WHOLE_WAY


@pytest.mark.parametrize("lists", [LINK, NAMESPACE])
def test_a_name_that_is_taken(lists: Lists) -> None:
    taken = dataclasses.replace(NIC, mac_address="02:00:00:00:00:02")
    with pytest.raises(StateError) as caught:
        planned(lists, found(HOME, away={HOME.key: AWAY}, records=[AWAY, RED, taken]))
    assert str(caught.value) == (
        "link eth0 in namespace 'red' cannot be given back: on the host there is another device of that name: "
        "rename or remove that one first"
    )


def test_from_one_namespace_to_the_next_it_keeps_its_home() -> None:
    state = found(HOME, away={HOME.key: AWAY}, records=[AWAY, RED])
    lists: Lists = {"links": [{"name": "eth0", "netns": "blue"}]}
    changes = planned(lists, state, "present")
    assert said(changes) == ["move eth0", "update eth0 up"]
    assert changes[0].reason == "is in namespace 'red'"
    now = found(records=[dataclasses.replace(AWAY, netns="blue", index=8), Namespace("blue", inode=88)])
    assert plan_homes.after(state.homes, [], changes, state, now) == (dataclasses.replace(HOME, netns="blue", inode=88, index=8),)


def test_home_again_by_a_wish_it_is_forgotten() -> None:
    state = found(HOME, away={HOME.key: AWAY}, records=[AWAY, RED])
    changes = planned({"links": [{"name": "eth0", "from_netns": "red"}]}, state, "present")
    assert said(changes)[0] == "move eth0"
    assert plan_homes.after(state.homes, [], changes, state, found()) == ()


def test_home_is_what_it_was_when_it_left() -> None:
    state = dataclasses.replace(found(HOME, records=[NIC]), leaving={("", "eth0"): dataclasses.replace(HOME, netns="", ifname="")})
    changes = planned({"links": [{"name": "eth0", "netns": "blue", "mtu": 1280}]}, state, "present")
    now = found(records=[dataclasses.replace(AWAY, netns="blue")])
    assert plan_homes.after(state.homes, [], changes, state, now) == (dataclasses.replace(HOME, netns="blue", inode=0),)


def test_what_the_kernel_makes_is_not_kept() -> None:
    kept = homes.remembered(NIC, [FIRST, LINK_LOCAL], [CONNECTED, DEFAULT, dataclasses.replace(BEYOND, protocol=9)], [])
    assert (kept.addresses, kept.routes) == ((FIRST,), (DEFAULT,))


def test_what_looks_as_if_the_kernel_had_made_it_is_kept() -> None:
    by_hand = dataclasses.replace(LINK_LOCAL, address="fe80::2", protocol=0)
    bare = dataclasses.replace(FIRST, noprefixroute=True)
    kept = homes.remembered(NIC, [bare, LINK_LOCAL, by_hand], [CONNECTED], [])
    assert (kept.addresses, kept.routes) == ((bare, by_hand), (CONNECTED,))
    # a kernel that does not tell who made it: the one that it makes is made again
    assert homes.remembered(NIC, [by_hand], [], []).addresses == ()
    assert homes.remembered(dataclasses.replace(NIC, addr_gen_mode="none"), [by_hand], [], []).addresses == (by_hand,)


@given(
    link=st.builds(
        Link,
        st.sampled_from(["", "green"]),
        st.just("eth0"),
        mtu=st.integers(68, 9000),
        alias=st.text(max_size=8),
        txqueuelen=st.integers(0, 5000),
        up=st.booleans(),
        raw_port=st.binary(max_size=4),
    ),
    addresses=st.lists(st.sampled_from([FIRST, SECOND, LINK_LOCAL]), max_size=3, unique=True),
    returning=st.booleans(),
)
def test_the_file_keeps_all_of_it(link: Link, addresses: list[Address], returning: bool) -> None:
    home = dataclasses.replace(HOME, link=link, addresses=tuple(addresses), returning=returning)
    texts: dict[str, str] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_files, "read", texts.get)
        keeper = remembered.Keeper(options.Wanted(absent=(Namespace("red"),)), found(home))
        texts.update({name: new for name, (_old, new) in keeper.begin().items() if new})
        # it may be marked already
        assert remembered.load() == ((dataclasses.replace(home, returning=True),) if texts else ())
        texts.update({name: new or "" for name, (_old, new) in keeper.undone().items()})
        assert remembered.load() == (home,)


@pytest.mark.parametrize(
    "text", ["", "{}", '{"version": 2, "devices": []}', '{"version": 1, "devices": [{"": "Link"}]}', '{"version": 1, "devices": [7]}']
)
def test_a_file_that_is_none_of_ours(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(store_files, "read", lambda _name: text)
    with pytest.raises(StateError, match="the record of devices that are away from home, .* cannot be read"):
        remembered.load()


# -- on the real kernel


def sh(text: str) -> str:
    done = subprocess.run(["sh", "-ec", text], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert not done.returncode, f"{text!r} ended with {done.returncode}: {done.stdout}"
    return done.stdout


def ip(words: str) -> t.Any:
    return json.loads(sh(f"ip -json {words}") or "[]")


STANDS_IN = {
    "ifb": "ip link add nic0 address 02:00:00:00:00:09 type ifb",
    "tap": "ip tuntap add nic0 mode tap",
    "macvlan": "ip link add below type ifb; ip link set below up; ip link add nic0 link below type macvlan mode bridge",
    "a veth end": "ip link add nic0 type veth peer name cable; ip link set cable up",
}
SETTINGS = """
ip link set nic0 mtu 1400 txqueuelen 444 alias 'to the world'
ip link property add dev nic0 altname another-name-of-nic0
sysctl -qw net.ipv6.conf.nic0.accept_dad=0 net.ipv4.conf.nic0.rp_filter=2 net.ipv6.conf.nic0.accept_ra=0
ip link set nic0 up
ip addr add 192.0.2.3/24 dev nic0 label nic0:a
ip addr add 192.0.2.2/24 dev nic0
ip addr add 198.51.100.1 peer 198.51.100.2 dev nic0
ip addr add 2001:db8::2/64 dev nic0 nodad
ip addr add 2001:db8::3/64 dev nic0 nodad valid_lft 5000 preferred_lft 4000
ip route add default via 192.0.2.1 dev nic0 proto static
ip route add 203.0.113.0/24 dev nic0 metric 7
ip route add 203.0.113.128/25 via 192.0.2.9 table 100
ip -6 route add default via 2001:db8::1 dev nic0
ip -6 route add 2001:db8:1::/48 via fe80::1 dev nic0 metric 5
"""


def as_it_is(name: str = "nic0") -> dict[str, t.Any]:
    """The device as other eyes see it."""
    link = ip(f"-details link show dev {name}")[0]
    keys = ("ifname", "mtu", "txqlen", "ifalias", "address", "altnames", "master")
    seen: dict[str, t.Any] = {key: link.get(key) for key in keys}
    seen["up"] = "UP" in link["flags"]
    clocks = ("valid_life_time", "preferred_life_time", "tentative", "protocol")
    entries = [entry for entry in ip(f"addr show dev {name}")[0]["addr_info"] if entry["scope"] != "link" or entry["family"] == "inet"]
    plain = [{key: value for key, value in entry.items() if key not in clocks} for entry in entries]
    seen["ipv4"] = [entry for entry in plain if entry["family"] == "inet"]
    seen["ipv6"] = sorted((entry for entry in plain if entry["family"] == "inet6"), key=str)
    for family in ("-4", "-6"):
        moving = ("flags", "expires", "type", "pref")
        routes = [route for route in ip(f"{family} route show table all dev {name}") if route.get("type") != "multicast"]
        seen[f"routes {family}"] = sorted(str({key: value for key, value in route.items() if key not in moving}) for route in routes)
    for path in glob.glob(f"/proc/sys/net/ipv[46]/conf/{name}/*"):
        with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
            seen[path] = file.read()
    return seen


def differing(before: dict[str, t.Any], now: dict[str, t.Any]) -> dict[str, t.Any]:
    return {key: (before.get(key), now.get(key)) for key in {**before, **now} if before.get(key) != now.get(key)}


def is_as_it_was(before: dict[str, t.Any]) -> None:
    """Addresses lose what is left of duplicate address detection a moment later."""
    deadline = time.monotonic() + 4
    while differing(before, as_it_is()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert differing(before, as_it_is()) == {}


def run(lists: Lists, state: str = "present", check: bool = False, owner: str | None = None, **terms: t.Any) -> t.Any:
    agreed = transaction.Terms(owner=owner, **terms) if owner else None
    return transaction.execute(options.read(lists, state, True), check_mode=check, terms=agreed)


def at_home(kind: str = "ifb") -> dict[str, t.Any]:
    """A device with everything on it."""
    sh("ip link set lo up; ip netns add red; ip netns add blue")
    sh(STANDS_IN[kind] + SETTINGS)
    time.sleep(0.1)
    return as_it_is()


INSIDE: Lists = {
    "links": [{"name": "nic0", "netns": "red", "mtu": 1300, "alias": "inside", "txqueuelen": 7, "up": True}],
    "addresses": [{"netns": "red", "dev": "nic0", "address": ["10.0.0.1/24"]}],
}
OF_RED: Lists = {"links": [{"name": "nic0", "netns": "red"}]}


def nobody_is_away() -> None:
    assert "devices" not in store_files.names()


@pytest.mark.parametrize("kind", STANDS_IN)
@pytest.mark.parametrize("way", ["the link", "its namespace", "a topology", "purge"])
def test_it_comes_back_as_it_was(sandboxed: Sandbox, kind: str, way: str) -> None:
    def inside() -> None:
        before = at_home(kind)
        topology: Lists = {"namespaces": [{"name": ["lab"]}], **INSIDE}
        owner = {"a topology": "lab", "purge": "lab"}.get(way)
        run(topology, owner=owner)
        assert "nic0" not in {link["ifname"] for link in ip("link")}
        assert ip("-n red link show dev nic0")[0]["mtu"] == 1300
        assert "devices" in store_files.names()
        assert run(topology, owner=owner).changes == []
        wish: tuple[Lists, str] = {
            "the link": (OF_RED, "absent"),
            "its namespace": ({"namespaces": [{"name": ["red"]}]}, "absent"),
            "a topology": ({}, "absent"),
            "purge": ({"namespaces": [{"name": ["lab"]}]}, "present"),
        }[way]
        told = run(*wish, check=True, owner=owner)
        done = run(*wish, owner=owner)
        assert told.changes == done.changes
        assert done.warnings == []
        is_as_it_was(before)
        nobody_is_away()
        assert run(*wish, owner=owner).changes == []

    sandboxed(inside)


def test_it_comes_back_into_its_bridge_and_with_its_names(sandboxed: Sandbox) -> None:
    def inside() -> None:
        sh(f"ip netns add red; ip link add br0 type bridge; ip link set br0 up; {STANDS_IN['a veth end']}")
        sh("sysctl -qw net.ipv6.conf.nic0.accept_ra=0; ip link set nic0 master br0 up; bridge link set dev nic0 cost 55 isolated on")
        port = ip("-details link show dev nic0")[0]["linkinfo"]["info_slave_data"]
        before = as_it_is()
        run(OF_RED)
        # what somebody does to it there
        sh("ip -n red link set nic0 down; ip -n red link set nic0 address 02:00:00:00:00:77 up")
        sh("ip netns exec red sysctl -qw net.ipv6.conf.nic0.disable_ipv6=1; ip -n red link set nic0 mtu 900")
        run(OF_RED, "absent")
        is_as_it_was(before)
        now = ip("-details link show dev nic0")[0]["linkinfo"]["info_slave_data"]
        assert {name: now[name] for name in ("cost", "isolated")} == {name: port[name] for name in ("cost", "isolated")}
        nobody_is_away()

    sandboxed(inside)


def test_a_new_name_and_the_name_of_another(sandboxed: Sandbox) -> None:
    """Found by its number and its MAC address; the kernel moves and renames in one step."""

    def inside() -> None:
        before = at_home()
        run(INSIDE)
        sh("ip -n red link set nic0 down; ip -n red link set nic0 name wan0; ip link add wan0 type ifb; ip link add nic0 type ifb")
        taken = "link wan0 in namespace 'red' cannot be given back: on the host there is another device of that name: "
        for lists in (OF_RED, {"namespaces": [{"name": ["red"]}]}):
            with pytest.raises(StateError, match=re.escape(taken + "rename or remove that one first")):
                run(lists, "absent")
        assert ip("-n red link show dev wan0")
        sh("ip link del nic0")
        run(OF_RED, "absent")
        is_as_it_was(before)
        assert ip("link show dev wan0")

    sandboxed(inside)


def test_a_name_that_is_taken_does_not_stop_the_rest_of_a_removal(sandboxed: Sandbox) -> None:
    def inside() -> None:
        before = at_home()
        run({**INSIDE, "namespaces": [{"name": ["lab"]}], "veths": [{"name": "v0", "netns": "lab", "peer": {"name": "v1"}}]}, owner="lab")
        sh("ip link add nic0 type ifb")
        with pytest.raises(StateError, match="another device of that name") as caught:
            run({}, "absent", owner="lab")
        assert str(caught.value).count("another device of that name") == 1
        assert [link["ifname"] for link in ip("link")].count("v1") == 0
        sh("ip link del nic0")
        run({}, "absent", owner="lab")
        is_as_it_was(before)
        nobody_is_away()

    sandboxed(inside)


def test_from_one_namespace_to_the_next(sandboxed: Sandbox) -> None:
    def inside() -> None:
        before = at_home()
        run(INSIDE)
        moved = run({"links": [{"name": "nic0", "netns": "blue"}]})
        assert [change["action"] for change in moved.changes] == ["move", "update"]
        assert "nic0" not in {link["ifname"] for link in ip("-n red link")}
        assert run({"namespaces": [{"name": ["red"]}]}, "absent").changes[0]["action"] == "delete"
        run({"namespaces": [{"name": ["blue"]}]}, "absent")
        is_as_it_was(before)
        nobody_is_away()

    sandboxed(inside)


def test_what_was_down_comes_back_down(sandboxed: Sandbox) -> None:
    def inside() -> None:
        sh("ip netns add red; ip link add nic0 type ifb; ip addr add 192.0.2.2/24 dev nic0")
        before = as_it_is()
        run(OF_RED)
        run(OF_RED, "absent")
        assert differing(before, as_it_is()) == {}

    sandboxed(inside)


def test_unplugged(sandboxed: Sandbox) -> None:
    def inside() -> None:
        at_home()
        run(INSIDE)
        sh("ip -n red link del nic0")
        assert run(OF_RED, "absent").changes == []
        nobody_is_away()
        sh("ip link add nic0 type ifb")
        run(OF_RED)
        sh("ip netns del red")
        assert run({"namespaces": [{"name": ["red"]}]}, "absent").changes == []
        nobody_is_away()

    sandboxed(inside)


def test_what_somebody_set_meanwhile_is_no_error(sandboxed: Sandbox) -> None:
    def inside() -> None:
        before = at_home()
        run(INSIDE)
        sh("ip link add other type ifb; ip link set other up; ip addr add 192.0.2.77/25 dev other")
        sh("ip route add default via 192.0.2.1 dev other proto static; ip addr add 192.0.2.2/32 dev lo")
        run(OF_RED, "absent")
        assert [route["dev"] for route in ip("route show default")] == ["other"]
        sh("ip link del other; ip addr del 192.0.2.2/32 dev lo; ip route add default via 192.0.2.1 dev nic0 proto static")
        is_as_it_was(before)

    sandboxed(inside)


# -- what fails and what is killed


def points(monkeypatch: pytest.MonkeyPatch, at: int, how: str) -> list[str]:
    """Netlink requests one by one; at the one with this number something happens. Returns what has been passed."""
    real = rtnetlink.Socket.batch
    passed: list[str] = []

    def batch(self: rtnetlink.Socket, messages: t.Sequence[rtnetlink.Message]) -> dict[int, rtnetlink.Failure]:
        failures = {}
        for position, message in enumerate(messages):
            number = len(passed)
            passed.append(str(message.type))
            if (number, how) == (at, "fail"):
                failures[position] = rtnetlink.Failure(errno.EIO, "made to fail")
                continue
            refused = real(self, [message]).get(0)
            if refused:
                failures[position] = refused
            if (number, how) == (at, "kill"):
                os.kill(os.getpid(), signal.SIGKILL)
        return failures

    monkeypatch.setattr(rtnetlink.Socket, "batch", batch)
    return passed


WISHES: dict[str, tuple[Lists, str, str | None]] = {
    "moved in": (INSIDE, "present", None),
    "given back": (OF_RED, "absent", None),
    "its namespace removed": ({"namespaces": [{"name": ["red"]}]}, "absent", None),
    "moved in by a topology": (
        {"namespaces": [{"name": ["lab"]}], **json.loads(json.dumps(INSIDE).replace("red", "lab"))},
        "present",
        "lab",
    ),
    "its topology removed": ({}, "absent", "lab"),
}


def prepared(scenario: str) -> dict[str, t.Any]:
    before = at_home()
    if scenario in ("given back", "its namespace removed"):
        run(INSIDE)
    elif scenario == "its topology removed":
        lists, state, owner = WISHES["moved in by a topology"]
        run(lists, state, owner=owner)
    return before


def home_by(scenario: str) -> None:
    """The ordinary way home, whatever came before."""
    if "topology" in scenario:
        run({}, "absent", owner="lab")
    else:
        run(OF_RED if scenario != "its namespace removed" else {"namespaces": [{"name": ["red"]}]}, "absent")


def child(function: t.Callable[[], t.Any]) -> int:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            function()
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1]


@pytest.mark.parametrize("scenario", ["given back", "moved in by a topology", "its topology removed"])
def test_killed_after_any_request_it_is_home_in_the_end(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch, scenario: str) -> None:
    """At all other points, and files among them: tests/reliability."""
    lists, state, owner = WISHES[scenario]

    def tried(at: int) -> bool:
        before = prepared(scenario)

        def killed() -> None:
            points(monkeypatch, at, "kill")
            run(lists, state, owner=owner)

        status = child(killed)
        assert status in (0, signal.SIGKILL), status
        if status and at % 2:
            run(lists, state, owner=owner)  # the same once more
        home_by(scenario)
        is_as_it_was(before)
        assert store_files.names() == []
        return bool(status)

    def each() -> None:
        number = 0
        while number < 60:
            sh("for name in $(ls /run/netns); do ip netns del $name; done; ip link del nic0 2>/dev/null || true")
            if not tried(number):
                break
            number += 1
        assert 3 < number < 60

    sandboxed(each)


@pytest.mark.parametrize("scenario", ["moved in", "given back", "its namespace removed", "moved in by a topology"])
def test_refused_at_any_request_it_is_where_it_was(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch, scenario: str) -> None:
    lists, state, owner = WISHES[scenario]

    def each() -> None:
        before = prepared(scenario)
        at_first = [sh("ip -n red -details addr"), store_files.read("devices")]
        for number in range(60):
            with monkeypatch.context() as patch:
                passed = points(patch, number, "fail")
                try:
                    run(lists, state, owner=owner)
                    assert len(passed) <= number, f"request {number} was refused in vain"
                    break
                except NetnsError as error:
                    assert error.rolled_back, (number, error)
            if "moved in" in scenario:
                is_as_it_was(before)
            else:
                assert ip("-n red link show dev nic0")[0]["ifalias"] == "inside"
                assert ip("-n red addr show dev nic0")[0]["addr_info"][0]["local"] == "10.0.0.1"
            assert store_files.read("devices") == at_first[1]
        home_by(scenario)
        is_as_it_was(before)

    sandboxed(each)


def test_left_for_a_look_it_still_has_a_home(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    lists, state, owner = WISHES["moved in by a topology"]

    def inside() -> None:
        before = at_home()
        with monkeypatch.context() as patch:
            passed = points(patch, -1, "")
            run(lists, state, owner=owner)
            run({}, "absent", owner=owner)
        is_as_it_was(before)
        with monkeypatch.context() as patch:
            points(patch, passed.index(str(rtnetlink.RTM_NEWADDR)), "fail")
            with pytest.raises(NetnsError):
                run(lists, state, owner=owner, on_failure="keep")
        assert ip("-n lab link show dev nic0")
        run({}, "absent", owner=owner)
        is_as_it_was(before)
        nobody_is_away()

    sandboxed(inside)
