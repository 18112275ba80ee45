# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A device of the host's on its way into a namespace and home: kill -9 before and after every request, mount and written file.

Whatever the point: taken home the ordinary way, by the same task or another one, it is as it was before it left, with its addresses
and routes, and nothing of it is left anywhere else.
"""

from __future__ import annotations

import functools
import typing as t

import engine
import host
import points
import pytest
from conftest import Tally

SAMPLE = 6

# A stand-in for a NIC: what is not made by this collection and named without a kind. It has no carrier to wait for.
NIC = """
ip link add nic0 address 02:00:00:00:00:09 type ifb
sysctl -qw net.ipv6.conf.nic0.accept_dad=0 net.ipv6.conf.nic0.addr_gen_mode=1 net.ipv4.conf.nic0.rp_filter=2
ip link set nic0 mtu 1400 txqueuelen 444 alias uplink up
ip link property add dev nic0 altname wan-port
ip addr add 192.0.2.3/24 dev nic0 label nic0:a
ip addr add 192.0.2.2/24 dev nic0
ip addr add 2001:db8::2/64 dev nic0 nodad
ip route add default via 192.0.2.1 dev nic0 proto static
ip route add 203.0.113.0/24 dev nic0 metric 7
ip -6 route add default via 2001:db8::1 dev nic0
"""
INSIDE: dict[str, list[dict[str, t.Any]]] = {
    "namespaces": [{"name": ["lab"]}],
    "links": [{"name": "nic0", "netns": "lab", "mtu": 1300, "alias": "inside", "up": True}],
    "addresses": [{"netns": "lab", "dev": "nic0", "address": ["10.0.0.1/24", "fd00::1/64"], "nodad": True}],
    "routes": [{"netns": "lab", "dest": ["default"], "gateway": "10.0.0.2"}],
}
MOVED = {"links": [{"name": "nic0", "netns": "lab"}]}
HOME = engine.Wish({}, state="absent")
# The run that is killed, what comes before it, and what takes the device home at last; a second way comes after every other kill.
SCENARIOS: dict[str, tuple[engine.Wish, list[engine.Wish], list[engine.Wish]]] = {
    "moved in": (engine.Wish(INSIDE), [], [HOME]),
    "topology removed": (HOME, [engine.Wish(INSIDE)], [HOME]),
    "purged": (engine.Wish({"namespaces": INSIDE["namespaces"]}), [engine.Wish(INSIDE)], [HOME]),
    "given back": (
        engine.Wish(MOVED, owner=None, state="absent"),
        [engine.Wish(INSIDE, owner=None)],
        [engine.Wish({"namespaces": INSIDE["namespaces"]}, owner=None, state="absent")],
    ),
    "namespace removed": (
        engine.Wish({"namespaces": INSIDE["namespaces"]}, owner=None, state="absent"),
        [engine.Wish(INSIDE, owner=None)],
        [engine.Wish({"namespaces": INSIDE["namespaces"]}, owner=None, state="absent")],
    ),
}


class Case(t.NamedTuple):
    scenario: str
    at: int
    how: str
    label: str


def prepared(here: host.Host, scenario: str) -> None:
    here.shell(NIC)
    for wish in SCENARIOS[scenario][1]:
        told = here.call(engine.run, wish)
        assert told.good, told.error


@functools.cache
def empty() -> t.Any:
    with host.Host() as here:
        here.shell(NIC)
        return here.settled(alike=True)


def cases(scenario: str, short: bool) -> list[Case]:
    with host.Host() as here:
        prepared(here, scenario)
        told, passed = here.call(engine.counted, SCENARIOS[scenario][0], points.Hook())
        assert told.good, told.error
    found = [Case(scenario, at, how, label) for at, label in enumerate(passed) for how in ("before", "after")]
    return found[:: 2 * SAMPLE + 1] if short else found


def judged(case: Case) -> list[str]:
    """What is wrong in the end."""
    wish, _before, last = SCENARIOS[case.scenario]
    with host.Host() as here:
        prepared(here, case.scenario)
        try:
            here.call(engine.run, wish, False, points.Hook(case.at, case.how))
            return [f"{case}: the run was not killed: it did not pass this point"]
        except host.Killed:
            pass
        wrong = []
        for next_ in ([wish] if case.at % 2 else []) + last:
            told = here.call(engine.run, next_)
            wrong += [] if told.good else [f"the next run fails: {told.error}"]
        wrong += here.differs(empty(), alike=True)
        return [f"{case}: {line}" for line in wrong]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_it_is_home_in_the_end(scenario: str, short: bool, tally: Tally) -> None:
    """Each point, in a fresh host each."""
    tried = cases(scenario, short)
    empty()  # once, and not in each process
    wrong = host.spread(tried, judged)
    tally(f"kill -9, device {scenario}", len(tried), sum(not lines for lines in wrong), sum(bool(lines) for lines in wrong))
    assert not any(wrong), "\n".join(line for lines in wrong for line in lines[:8])
