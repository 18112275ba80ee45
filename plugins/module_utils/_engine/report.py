# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What a run has to tell: the changes, and what was found."""

from __future__ import annotations

import dataclasses
import typing as t

from .changes import Change
from .record import Key, Resource


@dataclasses.dataclass(repr=False)
class Report:
    """``changes`` in the order of execution; ``found`` the state read after the run (in check mode: before it)."""

    changes: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    found: dict[Key, Resource] = dataclasses.field(default_factory=dict)
    created: frozenset[Key] = frozenset()
    warnings: list[str] = dataclasses.field(default_factory=list)
    recovered: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)  # what a killed run had left, taken back
    results: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)  # of the checks
    saved: list[str] = dataclasses.field(default_factory=list)  # the topologies that are replayed at boot, after the run

    @property
    def changed(self) -> bool:
        return bool(self.changes)

    def diff(self) -> dict[str, str]:
        """What the changes were about, ``before`` and ``after`` them."""
        from . import report_diff  # compiled only by runs that are asked for one

        return report_diff.diff(self.changes)


def report(changes: t.Sequence[Change], found: dict[Key, Resource]) -> Report:
    """The report of a run that made, or would make, these changes."""
    created = frozenset(change.resource.key for change in changes if change.action == "create")
    return Report([change.report() for change in changes], found, created)
