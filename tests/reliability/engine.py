# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of the engine, as a module makes it, for a child process on a throw-away host. What it tells comes back as plain data."""

from __future__ import annotations

import os
import subprocess
import typing as t

import points

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import options, programs, transaction
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import NetnsError


class Wish(t.NamedTuple):
    """What a task asks for: the lists of netns_topology, and the topology's name (None: a module for one thing)."""

    lists: dict[str, list[dict[str, t.Any]]]
    owner: str | None = "lab"
    state: str = "present"
    terms: dict[str, t.Any] = {}


class Told(t.NamedTuple):
    """What a run told. ``error`` is None where it went well, and a sentence where it was refused."""

    changed: bool
    changes: list[dict[str, t.Any]]
    recovered: list[dict[str, t.Any]]
    warnings: list[str]
    error: str | None
    rolled_back: bool | None

    @property
    def good(self) -> bool:
        return self.error is None


def runner(words: t.Sequence[str], text: str, environment: t.Mapping[str, str]) -> programs.Ended:
    """How the engine's programs are run here."""
    ran = subprocess.run(words, input=text, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    return programs.Ended(ran.returncode, ran.stdout, ran.stderr)


def run(wish: Wish, check_mode: bool = False, hook: points.Hook | None = None) -> Told:
    """One run. An exception that is no NetnsError comes through: it is a bug."""
    programs.use(runner)
    if hook:
        hook.install()
    try:
        wanted = options.read(wish.lists, wish.state, wish.owner is not None)
        terms = transaction.Terms(owner=wish.owner, **wish.terms)
        report = transaction.execute(wanted, check_mode=check_mode, terms=terms)
    except NetnsError as error:
        changes = list(getattr(error, "changes", []))
        recovered = list(getattr(error, "recovered", None) or [])
        return Told(bool(changes), changes, recovered, [], str(error), getattr(error, "rolled_back", None))
    return Told(report.changed, list(report.changes), list(report.recovered), list(report.warnings), None, None)


def counted(wish: Wish, hook: points.Hook) -> tuple[Told, list[str]]:
    """A whole run, and the points that it passed."""
    told = run(wish, hook=hook)
    return told, hook.passed
