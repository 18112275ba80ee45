# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flood: what went over the bridge's ports while a star was built.

A bridge that is up copies every multicast packet of a new namespace (duplicate address detection, multicast reports, router
solicitations) to all ports that are there already, so that the packets grow with the square of the namespaces. Part of them comes
after the build, and a slower process has had more time for them: so the ports are counted once more a while later.
"""

from __future__ import annotations

import json
import subprocess
import time
import typing as t

import harness
import star

AT_END, LATER = "when the build ends", "2 s later"
_WHILE = 2.0
# From so many namespaces on the flood takes a core for seconds, and what is measured meanwhile is the flood. Router solicitations
# come 4, 12 and 28 s after the first one: before the last it is calm for long enough.
LOUD, CALM = 300, 15.0


def count(technique: str, counts: harness.Series, size: int) -> None:
    """Count, and wait until what comes next can be measured: of a small star in the first round only."""
    counts.add(technique, AT_END, _packets())
    if size >= LOUD or counts.median(technique, LATER) is None:
        time.sleep(_WHILE)
        counts.add(technique, LATER, _packets())
    if size >= LOUD:
        time.sleep(CALM)


def note(sizes: t.Iterable[int]) -> str:
    if max(sizes) < LOUD:
        return ""
    return (
        f"Of stars from {LOUD} namespaces on all but the build is measured {_WHILE + CALM:.0f} s after it, "
        "when the bridge has calmed down, for each technique alike."
    )


def _packets() -> int:
    """Of all ports of the hub, both directions, since they were made."""
    done = subprocess.run(["ip", "-json", "-s", "link", "show", "master", star.HUB], capture_output=True, text=True, check=True)
    ports = json.loads(done.stdout or "[]")
    return sum(port["stats64"][direction]["packets"] for port in ports for direction in ("rx", "tx"))


def report(counts: t.Mapping[int, harness.Series], techniques: t.Sequence[str]) -> str:
    rows = [
        [f"{size}, {step}", *(f"{one.median(name, step) or 0:.0f}" for name in techniques)]
        for size, one in counts.items()
        for step in (AT_END, LATER)
    ]
    return harness.table(["namespaces, packets over the bridge's ports", *techniques], rows)
