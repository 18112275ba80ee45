# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel takes away with something else comes back, by nothing but records."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import options, running, snapshot
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.changes import Change
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.host import Host
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.observe import observe
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.plan import plan
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.rtnetlink import Request

Sandbox = t.Callable[[t.Callable[[], t.Any]], None]

STANDING = """
for place in all default; do sysctl -q net.ipv6.conf.$place.accept_dad=0 net.ipv6.conf.$place.addr_gen_mode=1; done
ip link set lo up
ip link add br0 address 02:00:00:00:00:b0 mtu 1400 type bridge ageing_time 20000
ip link add p0 mtu 1400 type veth peer p1
ip link add q0 mtu 1400 type veth peer q1
ip link set p0 master br0 up; ip link set q0 master br0 up; ip link set p1 up; ip link set q1 up
bridge link set dev p0 cost 50 hairpin on isolated on
bridge link set dev q0 learning off guard on
ip link set br0 up
ip addr add 10.7.0.2/24 dev br0; ip addr add 10.7.0.1/24 dev br0; ip addr add fd07::1/64 dev br0
ip route add 10.20.0.0/16 via 10.7.0.50 metric 7 proto 99 mtu 1300
ip route add 10.21.0.0/16 nexthop via 10.7.0.50 nexthop via 10.7.0.51 weight 2
ip -6 route add fd20::/64 via fd07::50 metric 5 table 77
sysctl -q net.ipv4.conf.br0.rp_filter=2 net.ipv6.conf.br0.accept_ra=0 net.ipv4.conf.br0.forwarding=1
"""
COMMANDS = (
    "ip -json addr", "ip -json -4 route show table all", "ip -json -6 route show table all type unicast", "bridge -json -details link",
    "sysctl -a --pattern net.ipv..conf.br0",
)  # fmt: skip


def sh(text: str) -> str:
    done = subprocess.run(["sh", "-ec", text], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{text!r} ended with {done.returncode}: {done.stdout}")
    return done.stdout


def look() -> dict[str, t.Any]:
    """What the tools tell, less what the kernel makes by itself a moment later."""
    told: dict[str, t.Any] = {command: sh(command) for command in COMMANDS}
    for command, text in told.items():
        if "json" in command:
            entries = json.loads(text)
            for entry in entries:
                for name in ("operstate", "flags", "state"):
                    entry.pop(name, None)
            told[command] = sorted(entries, key=json.dumps)
    return told


def play(host: Host, change: Change) -> None:
    for netns in host.places():
        host.forget_names(netns)
    steps = list(running.steps(change, host))
    for stage in sorted({step.stage for step in steps if isinstance(step, Request)}):
        for step in steps:
            if isinstance(step, Request) and step.stage == stage:
                failures = host.socket(step.netns).batch([step.message() if callable(step.message) else step.message])
                assert step.optional or not failures, (change, failures)
    for step in steps:
        if not isinstance(step, Request):
            step()


def changes_of(host: Host, lists: dict[str, t.Any], state: str = "absent") -> list[Change]:
    wanted = options.read(lists, state, True)
    return plan(wanted, observe(host, wanted))


HARM: dict[str, tuple[dict[str, t.Any], str, str]] = {
    "a bridge that goes": ({"links": [{"name": "br0", "kind": "bridge"}]}, "absent", "ip link del br0"),
    "a bridge that goes down": ({"links": [{"name": "br0", "kind": "bridge", "up": False}]}, "present", "ip link set br0 down"),
    "a port that leaves": ({"links": [{"name": "p0", "master": ""}]}, "present", "ip link set p0 nomaster"),
    "forwarding of all": (
        {"sysctls": [{"name": "net.ipv4.ip_forward", "value": 1}]},
        "present",
        "sysctl -q net.ipv4.ip_forward=1; sysctl -q net.ipv4.ip_forward=0",
    ),
    "the only addresses": (
        {"addresses": [{"dev": "br0", "address": ["10.7.0.2/24", "10.7.0.1/24"]}]},
        "absent",
        "ip -4 addr flush dev br0",
    ),
}


@pytest.mark.parametrize("harm", HARM)
def test_records_alone_bring_back_what_went_along(sandboxed: Sandbox, harm: str) -> None:
    lists, state, command = HARM[harm]

    def inside() -> None:
        sh(STANDING)
        before = look()
        with Host() as host:
            kept = snapshot.take(host, changes_of(host, lists, state))
        assert {field.name for field in dataclasses.fields(kept)} == {"links", "addresses", "routes", "sysctls"}
        sh(command)
        assert look() != before, "the harm does nothing"
        with Host() as host:
            for change in snapshot.missing(host, kept):
                play(host, change)
            assert not [*snapshot.missing(host, kept)]
        after = look()
        for command_, told in before.items():
            assert after[command_] == told, command_

    sandboxed(inside)


def test_a_run_that_only_adds_keeps_nothing(sandboxed: Sandbox) -> None:
    lists = {"links": [{"name": "br1", "kind": "bridge"}], "addresses": [{"dev": "br0", "address": ["fd08::1/64"]}]}

    def inside() -> None:
        sh(STANDING)
        with Host() as host:
            changes = changes_of(host, lists, "present")
            assert changes
            assert snapshot.take(host, changes) == snapshot.Snapshot()

    sandboxed(inside)
