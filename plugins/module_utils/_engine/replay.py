# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The engine on its own: saved topologies are built again, under the same lock and journal as a module's runs.

Nothing is probed, since at boot the outside may not be there yet, and nothing is removed: what is not as saved is
corrected, what is not there is made.
"""

from __future__ import annotations

import os
import sys
import typing as t

from . import options, saved, stopping, transaction
from .errors import NetnsError

# Levels that the journal of systemd takes from the beginning of a line.
_WARNING, _NOTICE, _INFO = "<4>", "<5>", "<6>"


def say(level: str, text: str) -> None:
    """One line for whoever reads the service's log; the level is for systemd only."""
    sys.stderr.write(f"{level if 'JOURNAL_STREAM' in os.environ else ''}{text}\n")
    sys.stderr.flush()


def replay(names: t.Sequence[str] = (), quiet: bool = False) -> list[str]:
    """Build these topologies, or all that are saved; returns those that could not be built, whose reasons have been told.

    One may stand on another, as a device on another topology's bridge: what fails is tried again after the rest.
    ``quiet``: nothing is told of those that are as they should be.
    """
    waiting = list(names or saved.names())
    while True:
        problems = {name: problem for name, problem in ((name, _build(name, quiet)) for name in waiting) if problem}
        if len(problems) in (0, len(waiting)):
            break
        waiting = list(problems)
    if not names:  # one may have been removed since it was listed, which is no failure
        problems = {name: problem for name, problem in problems.items() if name in saved.names()}
    for name, problem in problems.items():
        say(_WARNING, f"{name}: {problem}")
    return list(problems)


def _build(name: str, quiet: bool) -> str:
    """Build one of them; returns what went wrong."""
    terms = transaction.Terms(owner=name, purge=False)
    try:
        report = transaction.execute(lambda: options.read(saved.load(name), topology=True), terms=terms)
    except stopping.Stopped as exc:
        say(_WARNING, f"{name}: {exc}")
        raise SystemExit(1) from exc
    except NetnsError as exc:
        return str(exc)
    for entry in report.recovered:
        say(_NOTICE, f"{name}: a killed run had been here: {_words(entry)}")
    for warning in report.warnings:
        say(_WARNING, f"{name}: {warning}")
    for entry in report.changes:
        say(_NOTICE, f"{name}: {_words(entry)}")
    if not report.changes and not quiet:
        say(_INFO, f"{name}: is as saved")
    return ""


def _words(entry: t.Mapping[str, t.Any]) -> str:
    where = f" in {entry['netns']}" if entry["netns"] else ""
    return f"{entry['action']} {entry['kind']} {entry['name']}{where} ({entry['reason']})"
