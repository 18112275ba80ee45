# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What a killed run left half done, brought to an end before the next one begins.

It is taken back, as that run would have taken it back itself. Only where it had begun to remove namespaces, its last
phase, is it finished instead: nothing can put back what was in a namespace that is gone.
"""

from __future__ import annotations

import dataclasses
import typing as t

from . import journal, running, store_files
from .changes import Change, Phase
from .host import Host
from .resources import Namespace
from .waiting import Leaving


@dataclasses.dataclass
class Recovered:
    """What was done about it: ``changes`` as a result tells them, and what went wrong."""

    changes: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    problems: list[str] = dataclasses.field(default_factory=list)


def recover() -> Recovered:
    """Look for a journal and deal with it; the lock is held."""
    left = journal.left()
    if left is None:
        return Recovered()
    with Host() as host:  # its own: what it opens would keep namespaces alive
        last = [change for change in left.begun if change.phase[0] >= Phase.NO_NAMESPACE]
        forward = bool(last) and not left.undoing
        done, problems = _finish(host, last) if forward else _take_back(host, left)
    for name, (old, new) in left.files.items():
        store_files.put(name, new if forward else old)
    journal.close()
    return Recovered([change.report() for change in done], problems)


def _finish(host: Host, last: t.Sequence[Change]) -> tuple[list[Change], list[str]]:
    waiting = [change for change in last if running.makes_sense(host, change)]
    leaving = Leaving(host, [change for change in waiting if running.there(host, change.resource.name)])
    run = running.Run(host, tolerant=True)
    run.phase([_for_good(change) for change in waiting])
    host.release()
    return run.done, run.problems + leaving.wait()


def _take_back(host: Host, left: journal.Left) -> tuple[list[Change], list[str]]:
    done: list[Change] = []
    inverses = (_for_good(change.inverse()) for change in reversed(left.begun))
    parts = dataclasses.fields(left.snapshot)
    there = {part.name: tuple(item for item in getattr(left.snapshot, part.name) if running.there(host, item.where)) for part in parts}
    return done, running.undo(host, dataclasses.replace(left.snapshot, **there), inverses, done)


def _for_good(step: Change) -> Change:
    """A namespace that goes is not held to be put back; its maker may have been killed when it was only a plain file."""
    if step.action == "delete" and isinstance(step.before, Namespace):
        return dataclasses.replace(step, before=dataclasses.replace(step.before, stale=True))
    return step
