# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The 100-star by a playbook with one netns_topology task, beside a playbook that loops over one-thing tasks.

Both run through ansible-playbook on the same machine, without facts. A loop costs a process of a module for every one of its
items, some minutes for 100 namespaces: by default the loops build a small star, and what they would take for 100 is
reckoned from it, the start of ansible-playbook left out.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import typing as t

import harness
import peers_tools
import star

GOAL_SIZE, GOAL = 100, 100
LOOPS, TASK = "loops of one-thing tasks", "one netns_topology task"
_PREFIX = "linuxnet.netns."


def run(size: int, rounds: int, folder: pathlib.Path, world: t.Callable[[], None]) -> dict[int, harness.Series]:
    """Seconds of a whole ansible-playbook by size of the star: both for the loops' size, the one task for the goal's as well."""
    folder.mkdir(parents=True)
    told: dict[int, harness.Series] = {}
    plan = [(TASK, size), (LOOPS, size)] + ([(TASK, GOAL_SIZE)] if size != GOAL_SIZE else [])
    books = {(name, count): _write(name, count, folder) for name, count in plan}
    for name, count in harness.in_turns(plan, rounds):
        world()
        sample = harness.measure([sys.executable, "-m", "ansible", "playbook", str(books[name, count])])
        star.check(count)
        told.setdefault(count, harness.Series()).add(name, "build", sample.seconds)
        harness.measure(["sh", "-e", "-c", "\n".join(peers_tools.removal(count))], until=star.gone)
    return told


def _write(name: str, size: int, folder: pathlib.Path) -> pathlib.Path:
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False}
    if name == LOOPS:
        play.update(vars={"nodes": peers_tools.wish(size)["nodes"]}, tasks=_loops())
    else:
        play.update(tasks=[{"name": "Build the star", f"{_PREFIX}netns_topology": star.topology(size)}])
    path = folder / f"{'loops' if name == LOOPS else 'task'}-{size}.yml"
    # JSON is YAML
    path.write_text(json.dumps([play]), encoding="utf-8")
    return path


def _loops() -> list[dict[str, t.Any]]:
    hub = {"name": star.HUB, "kind": "bridge", "mtu": star.MTU, "up": True}
    tasks: list[dict[str, t.Any]] = [{"name": "Make the hub", f"{_PREFIX}netns_link": hub}]
    for address in ({"address": f"{star.GATEWAY}/{star.PREFIX}"}, {"address": f"{star.GATEWAY6}/{star.PREFIX6}", "nodad": True}):
        tasks.append({"name": "Give the hub an address", f"{_PREFIX}netns_addr": {"dev": star.HUB, **address}})
    inside = {"netns": "{{ item.name }}"}
    peer = {"name": "{{ item.port }}", "master": star.HUB, "mtu": star.MTU}
    eth0 = {**inside, "dev": "eth0"}
    each = [
        ("Make a namespace", "netns", {"name": "{{ item.name }}"}),
        ("Connect it", "veth", {**inside, "name": "eth0", "mtu": star.MTU, "peer": peer}),
        ("Give it an IPv4 address", "netns_addr", {**eth0, "address": f"{{{{ item.address }}}}/{star.PREFIX}"}),
        ("Give it an IPv6 address", "netns_addr", {**eth0, "address": f"{{{{ item.address6 }}}}/{star.PREFIX6}", "nodad": True}),
        ("Give it a default route for IPv4", "netns_route", {**inside, "dest": "default", "gateway": star.GATEWAY}),
        ("Give it a default route for IPv6", "netns_route", {**inside, "dest": "default", "gateway": star.GATEWAY6}),
    ]
    tasks += [{"name": title, _PREFIX + module: options, "loop": "{{ nodes }}"} for title, module, options in each]
    return tasks


def report(size: int, told: t.Mapping[int, harness.Series]) -> tuple[str, bool]:
    """A table, and whether the goal is kept; only a measured one is judged."""
    loops, task = told[size].median(LOOPS, "build") or 0.0, told[size].median(TASK, "build") or 0.0
    goal_task = told[GOAL_SIZE].median(TASK, "build") or 0.0
    rows = [
        [f"{LOOPS}, {size} namespaces", f"{loops:.2f}", f"{1000 * loops / size:.0f}", f"{told[size].ratio(LOOPS, TASK, 'build') or 0:.1f}"],
        [f"{TASK}, {size} namespaces", f"{task:.2f}", f"{1000 * task / size:.0f}", "1.0"],
    ]
    kept, verdict = True, ""
    if size == GOAL_SIZE:
        kept = (told[size].ratio(LOOPS, TASK, "build") or 0) >= GOAL
        verdict = f"The goal is at least {GOAL} times faster with {GOAL_SIZE} namespaces: {'kept' if kept else 'NOT KEPT'}."
    else:
        # the hub's tasks, which are no loops, come once
        once = sum("loop" not in one for one in _loops())
        looped = len(_loops()) - once
        each = (loops - task) / (once + looped * size)
        reckoned = goal_task + each * (once + looped * GOAL_SIZE)
        label = f"{LOOPS}, {GOAL_SIZE} namespaces: reckoned, not measured"
        rows.append([label, f"{reckoned:.0f}", f"{10 * reckoned:.0f}", f"{reckoned / goal_task:.0f}"])
        rows.append([f"{TASK}, {GOAL_SIZE} namespaces", f"{goal_task:.2f}", f"{10 * goal_task:.0f}", "1.0"])
        verdict = (
            f"One of the {looped} tasks for a namespace takes {each:.2f} s. The goal, at least {GOAL} times faster "
            f"with {GOAL_SIZE} namespaces, is judged only where it is measured: --loops {GOAL_SIZE}."
        )
    heads = ["ansible-playbook, build", "seconds", "each namespace (ms)", "ratio to one task"]
    return f"{harness.table(heads, rows)}\n\n{verdict}", kept


def ready() -> None:
    """Not every installation of ansible-core has its command as a module."""
    done = subprocess.run([sys.executable, "-m", "ansible", "playbook", "--version"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise harness.BenchmarkError(f"ansible-playbook cannot be run: {done.stderr.strip()[-300:]}")
