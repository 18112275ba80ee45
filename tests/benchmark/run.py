# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: a run without a change, stars beside `ip -batch` and hand-made netlink, a crowded host, many ports, memory, and the goals.

    python tools/sandbox.py exec -- python tests/benchmark/run.py --sizes 10,100 --repeat 3 --json bench.json
    python tools/sandbox.py exec -- python tests/benchmark/run.py --full --markdown bench.md --svg bench.svg

Ends with 1 if something did not come out as asked for, or if the module needs too much memory or its journal too much time. The
goals at the end are times on whatever machine this is: they are told and fail nothing.
"""

from __future__ import annotations

import argparse
import datetime
import fcntl
import json
import os
import pathlib
import platform
import socket
import struct
import subprocess
import sys
import tempfile
import typing as t

import chart
import cost
import crowd
import flood
import floor
import goals
import harness
import noop
import ports
import star
import stars

# Of the module's process, for a star of up to so many namespaces.
MEMORY_LIMIT_MB, MEMORY_LIMIT_SIZE = 80, 100
FULL_SIZES, FULL_LINKS, LINKS, QUICK_LINKS = [10, 100, 300, 1000], 5000, 1000, 200
_SIOCGIFFLAGS, _IFF_UP = 0x8913, 1


def _sizes(text: str) -> list[int]:
    try:
        sizes = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers such as 10,100") from None
    if sizes[0] < 1 or sizes[-1] > star.LARGEST:
        raise argparse.ArgumentTypeError(f"a star has 1 to {star.LARGEST} namespaces, not {text}")
    return sizes


def _rounds(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _options(arguments: t.Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=_sizes, default=[10, 100], help="namespaces of each star (default: 10,100)")
    parser.add_argument("--repeat", type=_rounds, default=3, metavar="ROUNDS", help="rounds; medians are of these (default: 3)")
    parser.add_argument("--quick", action="store_true", help="one round with one star of 10: shows that it works, no figures to quote")
    parser.add_argument("--full", action="store_true", help="stars of 10, 100, 300 and 1000, three rounds, 5000 foreign links: all goals")
    parser.add_argument("--links", type=_rounds, default=LINKS, help=f"foreign links of the crowded host (default: {LINKS})")
    parser.add_argument("--markdown", type=pathlib.Path, metavar="FILE", help="write what is printed there as well")
    parser.add_argument("--svg", type=pathlib.Path, metavar="FILE", help="draw the build times by size there; needs matplotlib")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every single time there as well")
    options = parser.parse_args(arguments)
    if options.quick:
        options.sizes, options.repeat, options.links = [10], 1, QUICK_LINKS
    elif options.full:
        options.sizes, options.repeat, options.links = FULL_SIZES, 3, FULL_LINKS
    return options


def _is_up(name: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        answer = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, struct.pack("16sH14x", name.encode(), 0))
    return bool(struct.unpack_from("H", answer, 16)[0] & _IFF_UP)


def _require_sandbox() -> None:
    """It makes and removes namespaces and a bridge, so never where there could be somebody's."""
    up = [name for _index, name in socket.if_nameindex() if name != "lo" and _is_up(name)]
    named = os.listdir("/run/netns") if os.path.isdir("/run/netns") else []
    if up or named:
        found = f"interface {up[0]} is up" if up else f"namespace {named[0]} exists"
        raise harness.BenchmarkError(f"this is not an empty sandbox, {found}: use 'make bench', or tools/sandbox.py exec -- ...")


def _prepare_ansible(home: str) -> None:
    """The collection that this file belongs to, and nobody's own configuration."""
    folders = pathlib.Path(os.path.abspath(__file__)).parents
    if len(folders) > 5 and folders[4].name == "ansible_collections":
        os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(folders[5])
    elif "ANSIBLE_COLLECTIONS_PATH" not in os.environ:
        raise harness.BenchmarkError("this file is in no ansible_collections folder: set ANSIBLE_COLLECTIONS_PATH, or use 'make bench'")
    configuration = pathlib.Path(home, "ansible.cfg")
    configuration.touch()
    os.environ.update(ANSIBLE_CONFIG=str(configuration), ANSIBLE_HOME=home, ANSIBLE_LOCALHOST_WARNING="False", ANSIBLE_NOCOLOR="1")


def _machine() -> dict[str, t.Any]:
    import ansible.release

    iproute2 = subprocess.run(["ip", "-V"], capture_output=True, text=True, check=True).stdout.strip()
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "ansible_core": ansible.release.__version__,
        "ip": iproute2.split(", ")[1],
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }


def _noop_rounds(rounds: int) -> int:
    """More than of the stars: it is short, and a few milliseconds matter."""
    return 2 * rounds + 1


def _machine_text(machine: t.Mapping[str, t.Any], rounds: int) -> str:
    about = (
        f"{machine['date']}, kernel {machine['kernel']}, Python {machine['python']}, ansible-core {machine['ansible_core']}, "
        f"{machine['ip']}, {machine['cores']} cores; "
        f"medians of {rounds} rounds ({_noop_rounds(rounds)} of the run without a change), the techniques in turns."
    )
    before, after = machine["load"], machine["load_after"]
    if before > 0.5 * machine["cores"]:
        return f"{about} Load {before} at the start, {after} at the end: the machine was busy, trust the ratios more than the times."
    return f"{about} Load {before} at the start, {after} at the end."


def _memory(results: t.Mapping[int, stars.Result]) -> tuple[str, bool]:
    """A line a size, and whether the limit is kept."""
    lines, kept = [], True
    for size, result in results.items():
        most = max(result.peaks.values())
        limit = ""
        if size <= MEMORY_LIMIT_SIZE:
            kept = kept and most < MEMORY_LIMIT_MB
            limit = f" (limit {MEMORY_LIMIT_MB} MB: {'kept' if most < MEMORY_LIMIT_MB else 'NOT KEPT'})"
        lines.append(f"- {size} namespaces: {most:.0f} MB{limit}")
    return "\n".join(["Peak memory of the module's process:", "", *lines]), kept


def _measure(options: argparse.Namespace, folder: pathlib.Path) -> goals.Measured:
    short = _noop_rounds(options.repeat)
    series, facts = noop.run(short, folder / "noop")
    size = min(cost.SIZE, max(options.sizes))
    return goals.Measured(
        noop=series,
        noop_facts=facts,
        stars={size: stars.run(size, options.repeat, folder / str(size)) for size in options.sizes},
        floor={size: floor.run(size, options.repeat, folder / f"floor-{size}") for size in options.sizes},
        cost_size=size,
        cost=cost.run(size, short, folder / "cost"),
        links=options.links,
        crowd=crowd.run(options.links, 2 * short, folder / "crowd"),
        ports=ports.run(options.repeat, folder / "ports"),
    )


def _report(measured: goals.Measured) -> tuple[list[str], bool]:
    """The parts, and whether the limits that are no times by the clock are kept."""
    times = {size: result.times for size, result in measured.stars.items()}
    costs, affordable = cost.report(measured.cost_size, measured.cost)
    memory, kept = _memory(measured.stars)
    parts = [
        noop.report(measured.noop, measured.noop_facts),
        *(stars.report(size, series) for size, series in times.items()),
        flood.note(times),
        stars.report_growth(times),
        flood.report({size: result.packets for size, result in measured.stars.items()}, stars.NAMES),
        floor.report(measured.floor),
        crowd.report(measured.links, measured.crowd),
        ports.report(measured.ports),
        costs,
        memory,
        goals.report(measured),
    ]
    return [*filter(None, parts)], kept and affordable


def _run(options: argparse.Namespace, folder: pathlib.Path) -> bool:
    if options.svg:
        chart.require()
    machine = _machine()
    measured = _measure(options, folder)
    machine["load_after"] = round(os.getloadavg()[0], 2)
    about = _machine_text(machine, options.repeat)
    parts, kept = _report(measured)
    text = "\n\n".join(["# Benchmark", about, *parts])
    print(text)
    if options.markdown:
        harness.write_page(options.markdown, text)
    if options.svg:
        chart.draw(measured, about, options.svg)
    if options.json:
        raw = {"machine": machine, "rounds": options.repeat, **measured.raw()}
        options.json.write_text(json.dumps(raw, indent=2) + "\n", encoding="utf-8")
    return kept


def main(arguments: t.Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        _require_sandbox()
        with tempfile.TemporaryDirectory(prefix="linuxnet-bench-") as folder:
            _prepare_ansible(folder)
            return 0 if _run(options, pathlib.Path(folder)) else 1
    except (harness.BenchmarkError, subprocess.CalledProcessError) as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
