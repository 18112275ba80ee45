# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs while others make and delete a hundred veth pairs a second around them: on the host, and in the namespaces that the run is about.

A dump that the kernel interrupts, a device that is gone between two questions, an index that another device has by now: none of it may
come through to a run that is about other things. Through pyroute2 too, where it is there: a macvlan and a VXLAN.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import subprocess
import threading
import time
import typing as t

import picture
import pytest
from host import Host
from pieces import Pieces, comparable, pieces
from runs import Arguments, good

TOPOLOGY = "netns_topology"
_F_SETPIPE_SZ = 1031  # Python has a name for it from 3.10 on
RATE = 100  # pairs a second that are asked for
LEAST = 10  # and that a busy machine has to come to, or nothing has been shown
AT_A_TIME, LIVES = 5, 3  # pairs that are made in one go, and for how many such ticks they live
ROUNDS = 6
FOREIGN = """
ip netns add crowded
ip link add foreign0 type veth peer name foreign1 netns crowded
ip address add 198.51.100.1/24 dev foreign0
ip link set foreign0 up
ip -n crowded link set foreign1 up
ip route add 203.0.113.0/24 via 198.51.100.2 table 77 proto 99
ip rule add from 198.51.100.0/24 table 77 priority 77
"""


class Churn:
    """Another program that makes and deletes veth pairs, one end in ``place``; it does not live there itself."""

    def __init__(self, host: Host, number: int, place: str = "") -> None:
        self.pairs = 0
        self._name, self._group = f"ch{number}", 7000 + 10 * number
        self._in = f" netns {place}" if place else ""
        self._stop = threading.Event()
        # -force: it goes on past an error
        words = ["ip", "-force", "-batch", "-"]
        self._ip = host.popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert self._ip.stdin is not None
        fcntl.fcntl(self._ip.stdin, _F_SETPIPE_SZ, 4096)  # what it has not done yet holds us up
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        assert self._ip.stdin is not None
        tick, begun = 0, time.monotonic()
        with contextlib.suppress(BrokenPipeError):
            while not self._stop.is_set():
                now, old = tick % LIVES, (tick + 1) % LIVES
                names = [f"{self._name}-{now}.{at}" for at in range(AT_A_TIME)]
                lines = [f"link add {name} group {self._group + now} type veth peer name p{name}{self._in}" for name in names]
                # the ends on the host, in one go: a pair goes with one end, wherever the other is
                lines += [f"link delete group {self._group + old}"] if tick >= LIVES - 1 else []
                self._ip.stdin.write("\n".join(lines) + "\n")
                self._ip.stdin.flush()
                self.pairs += AT_A_TIME
                tick += 1
                self._stop.wait(max(0.0, begun + tick * AT_A_TIME / RATE - time.monotonic()))

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        with contextlib.suppress(BrokenPipeError):
            self._ip.communicate(timeout=60)


def lab(version: int) -> Arguments:
    links: list[dict[str, t.Any]] = [{"name": "br0", "kind": "bridge", "mtu": 1400 + version}]
    if importlib.util.find_spec("pyroute2"):
        links += [
            {"name": "mv0", "netns": "blue", "kind": "macvlan", "parent": "up0", "macvlan": {"mode": ("bridge", "private")[version]}},
            {"name": "vx0", "netns": "crowded", "kind": "vxlan", "vxlan": {"id": 10 + version, "port": 4789, "remote": "192.0.2.99"}},
        ]
    return {
        "name": "calm",
        "namespaces": [{"name": ["red", "blue"]}],
        "links": links,
        "veths": [
            {"name": "up0", "netns": "red", "peer": {"name": "red-up0", "master": "br0"}},
            {"name": "up0", "netns": "blue", "peer": {"name": "blue-up0", "master": "br0"}},
            {"name": "up0", "netns": "crowded", "peer": {"name": "crowded-up0", "master": "br0"}, "num_tx_queues": 1 + version},
        ],
        "addresses": [
            {"dev": "br0", "address": ["192.0.2.1/24"]},
            *(
                {"netns": name, "dev": "up0", "address": [f"192.0.2.{at + version}/24"]}
                for name, at in (("red", 10), ("blue", 20), ("crowded", 30))
            ),
        ],
        "routes": [{"netns": name, "dest": ["default"], "gateway": "192.0.2.1"} for name in ("red", "blue", "crowded")],
        "rules": [{"netns": "crowded", "priority": 100 + version, "from": "192.0.2.0/24", "table": "100"}],
        "sysctls": [{"netns": "red", "name": "net.ipv4.conf.up0.rp_filter", "value": 1 + version}],
    }


def still(host: Host) -> Pieces:
    return comparable(pieces(picture.alike(host.settled())))


def informed(host: Host, built: bool) -> None:
    """netns_info: all that is calm is in what it tells, whatever else there is at that moment."""
    told = good(host, "netns_info")["topology"]
    names = {name for item in told["namespaces"] for name in item["name"]}
    assert names == ({"red", "blue", "crowded"} if built else {"crowded"})
    ends = {end.get("netns") for cable in told["veths"] for end in (cable, cable.get("peer", {})) if end.get("name") == "up0"}
    assert ends == ({"red", "blue", "crowded"} if built else set())
    gateways = [route["netns"] for route in told["routes"] if route.get("gateway") == "192.0.2.1"]
    assert sorted(gateways) == (["blue", "crowded", "red"] if built else [])


def one_round(host: Host, short: bool) -> int:
    """Build, look, build again, change, remove: the number of runs."""
    for version in (0, 1):
        said = None if short else good(host, TOPOLOGY, check_mode=True, **lab(version))
        done = good(host, TOPOLOGY, **lab(version))
        assert done["changed"]
        assert said is None or said["changes"] == done["changes"], picture.difference(said["changes"], done["changes"])
        informed(host, built=True)
        again = good(host, TOPOLOGY, **lab(version))
        assert not again["changed"], again["changes"]
    assert good(host, TOPOLOGY, **lab(1), state="absent")["changed"]
    assert short or not good(host, TOPOLOGY, **lab(1), state="absent")["changed"]
    informed(host, built=False)
    return 7 if short else 10


@pytest.mark.parametrize("places", [("",), ("crowded",), ("", "crowded")], ids=["host", "namespace", "both"])
def test_runs_in_a_crowd(places: tuple[str, ...], short: bool, tally: t.Callable[[str, int, int, int], None]) -> None:
    if short and len(places) == 1:
        pytest.skip("the short form has both at once")
    with Host() as host:
        host.shell(FOREIGN)
        before = still(host)
        runs, begun = 0, time.monotonic()
        churns = [Churn(host, at, place) for at, place in enumerate(places)]
        try:
            for _round in range(1 if short else ROUNDS):
                runs += one_round(host, short)
        finally:
            for churn in churns:
                churn.stop()
            # what it was told it has done now
            seconds = time.monotonic() - begun
        rates = [churn.pairs / seconds for churn in churns]
        host.shell("for name in /proc/sys/net/ipv4/conf/ch*; do [ ! -e $name ] || ip link delete ${name##*/}; done")
        lines = picture.difference(before, still(host))
        tally(f"runs in a crowd, {' and '.join(place or 'host' for place in places)}, {min(rates):.0f} pairs/s", runs, runs, len(lines))
        assert not lines, "\n".join(lines[:20])
        assert min(rates) >= LEAST, f"the machine is too slow for this test: {rates} pairs a second"
