# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Eight runs at once: each succeeds, none comes between the steps of another, and the host is as if they had come one by one."""

from __future__ import annotations

import typing as t

import picture
import pytest
from host import Host
from pieces import Pieces, comparable, pieces
from runs import Arguments, Result, at_once, good, sentence

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import store
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import StateError

RUNS = 8
TOPOLOGY = "netns_topology"


def lab(number: int, name: str = "", variant: int = 0) -> Arguments:
    """A topology with a bridge on the host that all share, one of its own, a namespace, and all that goes with it."""
    netns, subnet = f"n{number}", f"10.{number}.{variant}"
    return {
        "name": name or f"lab{number}",
        "namespaces": [{"name": [netns, f"spare{variant}"]}],
        "links": [
            {"name": "br-all", "kind": "bridge", "mac_address": "02:00:00:00:00:01"},
            {"name": f"br{number}", "kind": "bridge", "mtu": 1400 + variant},
        ],
        "veths": [
            {"name": "eth0", "netns": netns, "peer": {"name": f"{netns}-e0", "master": f"br{number}"}},
            {"name": "eth1", "netns": netns, "peer": {"name": f"{netns}-e1", "master": "br-all"}},
        ],
        "addresses": [
            {"dev": f"br{number}", "address": [f"{subnet}.1/24"]},
            {"netns": netns, "dev": "eth0", "address": [f"{subnet}.2/24", f"2001:db8:{number}:{variant}::2/64"], "wait_for_dad": False},
        ],
        "routes": [{"netns": netns, "dest": ["default"], "gateway": f"{subnet}.1"}],
        "rules": [{"netns": netns, "priority": 100 + variant, "from": f"{subnet}.0/24", "table": "100"}],
    }


def after(host: Host) -> Pieces:
    return comparable(pieces(picture.alike(host.settled())))


def in_turn(wanted: t.Iterable[tuple[str, Arguments]]) -> Pieces:
    """What a new host is after the same, one by one."""
    with Host() as host:
        for name, arguments in wanted:
            good(host, name, **arguments)
        return after(host)


Judge = t.Callable[[str, t.Sequence[Result], Pieces, Pieces], None]


def open_ends(host: Host) -> list[str]:
    """Journals and half-written files; at rest the state directory has the lock and the records of topologies."""
    return [path for path in host.picture()["state"] if "journal" in path or path.endswith(".new")]


@pytest.fixture
def host() -> t.Iterator[Host]:
    with Host() as found:
        yield found


@pytest.fixture
def judge(host: Host, tally: t.Callable[[str, int, int, int], None]) -> Judge:
    """All runs succeeded and the host is as expected: a row of the table, and then the verdict."""

    def verdict(scenario: str, results: t.Sequence[Result], expected: Pieces, found: Pieces) -> None:
        bad = [result["msg"] for result in results if result.get("failed")]
        lines = picture.difference(expected, found) + open_ends(host)
        tally(f"{RUNS} at once, {scenario}", len(results), len(results) - len(bad), len(lines))
        assert not bad, bad
        assert not lines, "\n".join(lines[:20])

    return verdict


def test_the_same_topology(host: Host, judge: Judge) -> None:
    wanted = [(TOPOLOGY, lab(1))] * RUNS
    results = at_once(host, wanted)
    judge("one topology", results, in_turn(wanted[:1]), after(host))
    # had they come between each other, two would have made something
    assert sorted(bool(result["changes"]) for result in results) == [False] * (RUNS - 1) + [True]


def test_topologies_that_share_a_bridge(host: Host, judge: Judge) -> None:
    wanted = [(TOPOLOGY, lab(number)) for number in range(1, RUNS + 1)]
    results = at_once(host, wanted)
    judge("topologies that share a bridge", results, in_turn(wanted), after(host))
    assert all(result["changed"] for result in results)
    makers = [result for result in results for change in result["changes"] if (change["action"], change["name"]) == ("create", "br-all")]
    assert len(makers) == 1
    gone = at_once(host, [(name, {**arguments, "state": "absent"}) for name, arguments in wanted])
    judge("the same, absent", gone, in_turn([]), after(host))


def test_versions_of_one_topology(host: Host, judge: Judge) -> None:
    """The last one to get the lock is what stays, all of it and nothing else."""
    versions = [lab(1, "lab", variant) for variant in range(RUNS)]
    results = at_once(host, [(TOPOLOGY, version) for version in versions])
    found = after(host)
    last = versions[found[("", "link", "br1")]["mtu"] - 1400]
    judge("versions of one topology", results, in_turn([(TOPOLOGY, last)]), found)


def test_a_topology_comes_and_goes(host: Host, judge: Judge, short: bool) -> None:
    there = in_turn([(TOPOLOGY, lab(1))])
    empty = in_turn([])
    for _round in range(1 if short else 5):
        results = at_once(host, [(TOPOLOGY, {**lab(1), "state": state}) for state in ("present", "absent") * (RUNS // 2)])
        found = after(host)
        expected = there if ("", "link", "br1") in found else empty
        judge("apply and absent", results, expected, found)
        # one more made it than removed it, or as many
        made = [result for result in results if any(change["action"] == "create" for change in result["changes"])]
        gone = [result for result in results if any(change["action"] == "delete" for change in result["changes"])]
        assert len(made) - len(gone) == int(expected is there)
        good(host, TOPOLOGY, **{**lab(1), "state": "absent"})


def test_one_namespace_eight_modules(host: Host, judge: Judge) -> None:
    first: list[tuple[str, Arguments]] = [
        ("netns", {"name": ["blue"]}),
        ("veth", {"name": "eth0", "netns": "blue", "peer": {"name": "blue-e0"}}),
    ]
    wanted: list[tuple[str, Arguments]] = [
        ("netns", {"name": ["blue", "red"]}),
        ("veth", {"name": "eth1", "netns": "blue", "peer": {"name": "blue-e1"}}),
        ("netns_link", {"name": "br0", "netns": "blue", "kind": "bridge"}),
        ("netns_addr", {"netns": "blue", "dev": "eth0", "address": ["192.0.2.1/24"]}),
        ("netns_addr", {"netns": "blue", "dev": "eth0", "address": ["2001:db8::1/64"], "wait_for_dad": False}),
        ("netns_route", {"netns": "blue", "dest": ["198.51.100.0/24"], "type": "blackhole"}),
        ("netns_rule", {"netns": "blue", "priority": 10, "from": "192.0.2.0/24", "table": "10"}),
        ("netns_sysctl", {"netns": "blue", "name": "net.ipv4.conf.eth0.rp_filter", "value": 2}),
    ]
    for name, arguments in first:
        good(host, name, **arguments)
    results = at_once(host, wanted)
    judge("modules in one namespace", results, in_turn([*first, *wanted]), after(host))
    assert all(result["changed"] for result in results)
    assert not any(result["changed"] for result in at_once(host, wanted))


def test_one_thing_eight_times(host: Host, judge: Judge) -> None:
    wanted: list[tuple[str, Arguments]] = [
        ("netns", {"name": ["blue"]}),
        ("netns_link", {"name": "br0", "netns": "blue", "kind": "bridge"}),
        ("netns_addr", {"netns": "blue", "dev": "br0", "address": ["192.0.2.1/24"]}),
    ]
    results = [at_once(host, [task] * RUNS) for task in wanted]
    judge("one thing", [result for group in results for result in group], in_turn(wanted), after(host))
    assert [sum(result["changed"] for result in group) for group in results] == [1] * len(wanted)


def _refused() -> str:
    store._LOCK_TIMEOUT = 0.3
    try:
        with store.locked():
            return "the lock was had twice"
    except StateError as error:
        return str(error)


def test_a_lock_that_is_not_given_back(host: Host) -> None:
    """Whoever waits too long is told what it waits for, and nothing has been done."""
    good(host, "netns", name=["blue"])
    before = host.picture()
    holder = host.popen(["flock", "--no-fork", f"{store.DIRECTORY}/lock", "sh", "-c", "echo; exec sleep 100"], stdout=-1)
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        said = sentence(host.call(_refused))
        assert "another run" in said
        assert store.DIRECTORY in said
        # who only looks does not wait
        assert good(host, TOPOLOGY, check_mode=True, **lab(1))["changed"]
    finally:
        holder.kill()
        holder.communicate()
    assert not picture.difference(before, host.picture())
    assert good(host, TOPOLOGY, **lab(1))["changed"]
