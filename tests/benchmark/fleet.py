# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench` for many hosts: a topology on each, over real SSH, beside `ansible.builtin.ping` on the same ones.

    python tools/sandbox.py exec -- python tests/benchmark/fleet.py --hosts 20 --repeat 3 --forks 5,20 --markdown fleet.md

Ends with 1 if something was not built as asked for, or if the topology takes too long.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import typing as t

import fleet_hosts
import harness
import run
import star

# Namespaces of each host's star.
SIZE = 3
LIMIT = 1.5
PING, BUILD, REMOVE = "ping", "topology", "removal"


class Setting(t.NamedTuple):
    forks: int
    pipelining: bool

    def __str__(self) -> str:
        return f"{self.forks} forks, pipelining {'on' if self.pipelining else 'off'}"


def _number(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _hosts(text: str) -> int:
    if _number(text) > fleet_hosts.LARGEST:
        raise argparse.ArgumentTypeError(f"a fleet has 1 to {fleet_hosts.LARGEST} hosts, not {text}")
    return int(text)


def _forks(text: str) -> list[int]:
    return sorted({_number(part) for part in text.split(",")})


def _options(arguments: t.Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fleet.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hosts", type=_hosts, default=20, help="hosts of the fleet (default: 20)")
    parser.add_argument("--repeat", type=_number, default=3, metavar="ROUNDS", help="rounds; medians are of these (default: 3)")
    parser.add_argument("--forks", type=_forks, default=[5, 20], help="hosts at a time (default: 5,20)")
    parser.add_argument("--python", default=sys.executable, help="the Python of the hosts (default: the one that runs this)")
    parser.add_argument("--markdown", type=pathlib.Path, metavar="FILE", help="write the report there as well")
    return parser.parse_args(arguments)


def _write(folder: pathlib.Path, fleet: fleet_hosts.Fleet, python: str) -> None:
    """The inventory and the playbooks; JSON is YAML as well."""
    common = {"ansible_user": "root", "ansible_python_interpreter": python}
    names = {host.name: {"ansible_host": host.addresses[0]} for host in fleet.hosts}
    topology = star.topology(SIZE)
    tasks = {
        PING: {"ansible.builtin.ping": {}},
        BUILD: {"linuxnet.netns.netns_topology": topology},
        REMOVE: {"linuxnet.netns.netns_topology": {"name": topology["name"], "state": "absent"}},
    }
    (folder / "inventory.yml").write_text(json.dumps({"all": {"vars": common, "hosts": names}}), encoding="utf-8")
    for name, task in tasks.items():
        play = {"hosts": "all", "gather_facts": False, "tasks": [{"name": f"Measure {name}", **task}]}
        (folder / f"{name}.yml").write_text(json.dumps([play]), encoding="utf-8")
    # Both would take what the user has set for his own hosts.
    os.environ.update(ANSIBLE_SSH_ARGS=" ".join(fleet.ssh_options()), ANSIBLE_SSH_CONTROL_PATH_DIR=str(fleet.control_path))


def _play(folder: pathlib.Path, name: str, setting: Setting) -> float:
    os.environ["ANSIBLE_PIPELINING"] = str(setting.pipelining)
    command = [sys.executable, "-m", "ansible", "playbook", "--inventory", str(folder / "inventory.yml")]
    return harness.measure([*command, "--forks", str(setting.forks), str(folder / f"{name}.yml")]).seconds


def _round(fleet: fleet_hosts.Fleet, name: str, setting: Setting, series: harness.Series) -> None:
    series.add(name, str(setting), _play(fleet.folder, name, setting))
    if name == BUILD:
        fleet.check(SIZE)
        series.add(REMOVE, str(setting), _play(fleet.folder, REMOVE, setting))
        fleet.check(0)


def _measure(fleet: fleet_hosts.Fleet, settings: t.Sequence[Setting], rounds: int) -> harness.Series:
    # Connections stay open from here on, and Python has compiled what it imports.
    for name in (PING, BUILD):
        _round(fleet, name, settings[-1], harness.Series())
    series = harness.Series()
    for setting in settings:
        for name in harness.in_turns((PING, BUILD), rounds):
            _round(fleet, name, setting, series)
    return series


def _report(settings: t.Sequence[Setting], series: harness.Series) -> tuple[str, bool]:
    rows, kept = [], True
    for setting in settings:
        step = str(setting)
        ratio = series.ratio(BUILD, PING, step)
        seconds = [series.median(name, step) for name in (PING, BUILD, REMOVE)]
        if ratio is None or None in seconds:
            raise harness.BenchmarkError(f"nothing was measured with {step}")
        fine = ratio <= LIMIT
        kept = kept and fine
        texts = [f"{value:.2f} s" for value in seconds if value is not None]
        rows.append([step, *texts, f"{ratio:.2f}", "kept" if fine else "NOT KEPT"])
    heads = ["all hosts", PING, BUILD, REMOVE, "topology / ping", f"at most {LIMIT}"]
    return harness.table(heads, rows), kept


def _about(machine: t.Mapping[str, t.Any], options: argparse.Namespace) -> str:
    return (
        f"{machine['date']}, kernel {machine['kernel']}, Python {machine['python']}, ansible-core {machine['ansible_core']}, "
        f"{machine['cores']} cores; load {machine['load']} at the start, {machine['load_after']} at the end.\n\n"
        f"{options.hosts} hosts, each a sshd in namespaces of its own and all on these cores. A whole ansible-playbook with one task and "
        f"no facts, connections open already; the topology is a bridge with {SIZE} namespaces on each host. Medians of {options.repeat} "
        "rounds, the playbooks in turns; after each topology `ip -json` was asked in every host whether it is there."
    )


def _run(options: argparse.Namespace, folder: pathlib.Path) -> bool:
    machine = run._machine()
    settings = [Setting(forks, pipelining) for forks in options.forks for pipelining in (False, True)]
    with fleet_hosts.Fleet(options.hosts, folder) as fleet:
        _write(folder, fleet, options.python)
        series = _measure(fleet, settings, options.repeat)
    machine["load_after"] = round(os.getloadavg()[0], 2)
    text, kept = _report(settings, series)
    report = "\n\n".join(["# Benchmark of a fleet", _about(machine, options), text])
    print(report)
    if options.markdown:
        harness.write_page(options.markdown, report)
    return kept


def main(arguments: t.Sequence[str] | None = None) -> int:
    options = _options(arguments)
    # so that hosts and folder go when somebody ends this
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        run._require_sandbox()
        fleet_hosts.require_root()
        with tempfile.TemporaryDirectory(prefix="linuxnet-fleet-") as folder:
            run._prepare_ansible(folder)
            return 0 if _run(options, pathlib.Path(folder)) else 1
    except (harness.BenchmarkError, subprocess.CalledProcessError) as error:
        print(f"fleet.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
