# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A crowded host: a star of 10 looked at again on a host with thousands of links that are none of its business, and on one without.

Two hosts side by side (a process each that holds a network namespace and a /run of its own), so that the two are measured in
turns: a round's runs stood under the same load. The foreign links are veth pairs in the host's own namespace, up, thus each with a
link-local address and its routes.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import subprocess
import time
import typing as t

import harness
from techniques import AGAIN, BUILD, Module

SIZE = 10
EMPTY, CROWDED = "a host without", "with foreign links"
# The host says that it stands, and lives until its standard input ends.
_HOST = """\
set -e
mount -t tmpfs -o mode=755 tmpfs /run/netns
mkdir -p /run/linuxnet-netns
mount -t tmpfs -o mode=755 tmpfs /run/linuxnet-netns
ip link set lo up
echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
echo 0 > /proc/sys/net/ipv6/conf/default/router_solicitations
echo ready
exec cat
"""
_SETTLE = 3.0  # the multicast reports of so many links that came up


class Host:
    """What runs there sees its namespace, its /run/netns and its state, and shares all else with the sandbox."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._enter = ["nsenter", f"--net=/proc/{process.pid}/ns/net", f"--mount=/proc/{process.pid}/ns/mnt"]

    def run(self, command: t.Sequence[str]) -> harness.Sample:
        return harness.measure([*self._enter, *command])

    def count_links(self) -> int:
        return len(json.loads(self.run(["ip", "-json", "link", "show"]).output))


@contextlib.contextmanager
def _host() -> t.Iterator[Host]:
    command = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", _HOST]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            if not process.stdout or process.stdout.readline() != "ready\n":
                raise harness.BenchmarkError("a second host cannot be made in this sandbox")
            yield Host(process)
        finally:
            process.terminate()


def _fill(host: Host, links: int, folder: pathlib.Path) -> None:
    lines = []
    for number in range(links // 2):
        ends = (f"foreign-{number}a", f"foreign-{number}b")
        lines.append(f"link add {ends[0]} numtxqueues 1 numrxqueues 1 type veth peer name {ends[1]} numtxqueues 1 numrxqueues 1")
        lines += [f"link set {end} up" for end in ends]
    batch = folder / "foreign"
    batch.write_text("\n".join(lines) + "\n", encoding="utf-8")
    host.run(["ip", "-batch", str(batch)])
    time.sleep(_SETTLE)


def run(links: int, rounds: int, folder: pathlib.Path) -> harness.Series:
    """Times of a run without a change, in turns on the two hosts."""
    module = Module(SIZE, folder)
    series = harness.Series()
    with _host() as empty, _host() as crowded:
        hosts = {EMPTY: empty, CROWDED: crowded}
        _fill(crowded, links, folder)
        for host in hosts.values():
            module.check(BUILD, host.run(module.commands[BUILD]).output)
        difference = crowded.count_links() - empty.count_links()
        if difference != links // 2 * 2:
            raise harness.BenchmarkError(f"the crowded host has {difference} links more than the other, not {links}")
        for name in harness.in_turns([*hosts], rounds):
            sample = hosts[name].run(module.commands[AGAIN])
            module.check(AGAIN, sample.output)
            series.add(name, AGAIN, sample.seconds)
    return series


def report(links: int, series: harness.Series) -> str:
    medians = [f"{1000 * (series.median(name, AGAIN) or 0):.0f}" for name in (EMPTY, CROWDED)]
    ratio = f"{series.ratio(CROWDED, EMPTY, AGAIN) or 0:.2f}"
    heads = [f"again, no change, {SIZE} namespaces (ms)", EMPTY, CROWDED, "ratio"]
    return harness.table(heads, [[f"{links} foreign links", *medians, ratio]])
