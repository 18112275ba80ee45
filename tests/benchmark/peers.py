# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`nox -s bench-peers`: the same star by other tools, and by loops of one-thing tasks, beside netns_topology.

    python tests/benchmark/peers_packages.py build/peers
    python tools/sandbox.py exec -- python tests/benchmark/peers.py --sizes 10,100 --repeat 3 --markdown peers.md

Every run of a tool has a network of its own and is looked at before it is removed. A tool that is not here or does not
work is left out, with the reason below the table. Ends with 1 if something of this collection did not come out as asked for.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import typing as t

import harness
import peers_playbooks
import peers_tools
import run

_CLONE_NEWNS, _CLONE_NEWNET = 0x20000, 0x40000000
_STEPS = (peers_tools.BUILD, peers_tools.REMOVE)
_OURS = peers_tools.Module.name


def _options(arguments: t.Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="peers.py", description=(__doc__ or "").splitlines()[0])
    unpacked = pathlib.Path(__file__).resolve().parents[2] / "build" / "peers"
    parser.add_argument("--sizes", type=run._sizes, default=[10], help="namespaces of each star (default: 10)")
    parser.add_argument("--repeat", type=run._rounds, default=3, metavar="ROUNDS", help="rounds; medians are of these (default: 3)")
    parser.add_argument("--loops", type=_loops, default=5, metavar="N", help="namespaces of the playbook with loops, 0: none (default: 5)")
    parser.add_argument("--markdown", type=pathlib.Path, metavar="FILE", help="write the tables there as well")
    parser.add_argument("--packages", type=pathlib.Path, default=unpacked, metavar="FOLDER", help="where peers_packages.py unpacked")
    return parser.parse_args(arguments)


def _loops(text: str) -> int:
    return 0 if text == "0" else run._sizes(text)[-1]


def _new_world() -> None:
    """A network that nobody has used, for this process and all that it starts: no tool meets another one's settings."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS | _CLONE_NEWNET) != 0:
        raise harness.BenchmarkError(f"the kernel refuses a new namespace: {os.strerror(ctypes.get_errno())}")
    shutil.rmtree("/run/linuxnet-netns", ignore_errors=True)
    for command in (
        "mount --make-rprivate /",
        "mount -t tmpfs tmpfs /run/netns",
        "mount -t sysfs sysfs /sys",
        "ip link set lo up",
    ):
        subprocess.run(command.split(), check=True)


def _links() -> set[str]:
    return {name for _index, name in socket.if_nameindex()}


def _measure(peer: peers_tools.Peer, series: harness.Series) -> None:
    """Build and remove once; figures count only when both came out right."""
    _new_world()
    peer.before()
    links = _links()
    build = harness.measure(peer.commands[peers_tools.BUILD])
    peers_tools.check(peer)
    remove = harness.measure(peer.commands[peers_tools.REMOVE], until=lambda: _links() <= links)
    if left := os.listdir("/run/netns"):
        raise harness.BenchmarkError(f"{peer.name}: the namespace {left[0]} is left after the removal")
    for step, sample in zip(_STEPS, (build, remove)):
        series.add(peer.name, step, sample.seconds)


def _prepare(size: int, folder: pathlib.Path, unpacked: pathlib.Path) -> tuple[list[peers_tools.Peer], dict[str, str]]:
    peers: list[peers_tools.Peer] = [peers_tools.Module(size, folder / "module", unpacked)]
    left_out: dict[str, str] = {}
    for kind in peers_tools.OTHERS:
        try:
            peers.append(kind(size, folder / kind.__name__.lower(), unpacked))
        except harness.BenchmarkError as error:
            left_out[kind.name] = str(error)
    return peers, left_out


def _star(options: argparse.Namespace, size: int, folder: pathlib.Path) -> str:
    """All tools in turns; one that fails once is left out from then on, with its figures."""
    peers, left_out = _prepare(size, folder, options.packages.resolve())
    series = harness.Series()
    for peer in harness.in_turns(peers, options.repeat):
        if peer.name in left_out:
            continue
        try:
            _measure(peer, series)
        except (harness.BenchmarkError, OSError, ValueError, LookupError) as error:
            if peer.name == _OURS:
                raise
            # of a traceback the sentence
            left_out[peer.name] = str(error).strip().rpartition("\n")[2].strip()
    table = _table(size, series, [peer for peer in peers if peer.name not in left_out])
    tail = [f"Left out of {len(peers_tools.OTHERS)} tools: {len(left_out)}."]
    return "\n".join([table, "", *tail, *(f"- {name}: {reason}" for name, reason in left_out.items())])


def _table(size: int, series: harness.Series, peers: t.Sequence[peers_tools.Peer]) -> str:
    """The ratio is a tool's time to the module's, so above 1 the module is faster."""
    heads = [f"star of {size}", "build (s)", "each namespace (ms)", "ratio", "remove (s)", "ratio", "without"]
    rows = []
    for peer in sorted(peers, key=lambda one: series.median(one.name, peers_tools.BUILD) or 0):
        build, remove = (series.median(peer.name, step) or 0.0 for step in _STEPS)
        ratios = [f"{series.ratio(peer.name, _OURS, step) or 0:.1f}" for step in _STEPS]
        row = [peer.name, f"{build:.3f}", f"{1000 * build / size:.1f}", ratios[0], f"{remove:.3f}", ratios[1], peer.without]
        rows.append(row)
    return harness.table(heads, rows)


def _run(options: argparse.Namespace, folder: pathlib.Path) -> bool:
    machine, kept = run._machine(), True
    about = f"{machine['date']}, kernel {machine['kernel']}, Python {machine['python']}, ansible-core {machine['ansible_core']}"
    load = f"{machine['ip']}, {machine['cores']} cores, load {machine['load']} at the start"
    rounds = "one round" if options.repeat == 1 else f"medians of {options.repeat} rounds"
    parts = ["# Other tools", f"{about}, {load}; {rounds}, the tools in turns."]
    parts += [_star(options, size, folder / str(size)) for size in options.sizes]
    if options.loops:
        peers_playbooks.ready()
        told = peers_playbooks.run(options.loops, options.repeat, folder / "playbooks", _new_world)
        text, kept = peers_playbooks.report(options.loops, told)
        parts.append(text)
    whole = "\n\n".join(parts)
    print(whole)
    if options.markdown:
        harness.write_page(options.markdown, whole)
    return kept


def main(arguments: t.Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        run._require_sandbox()
        with tempfile.TemporaryDirectory(prefix="linuxnet-bench-") as folder:
            run._prepare_ansible(folder)
            return 0 if _run(options, pathlib.Path(folder)) else 1
    except (harness.BenchmarkError, subprocess.CalledProcessError) as error:
        print(f"peers.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
