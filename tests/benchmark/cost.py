# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the journal, the lock and the record of a topology cost: the engine as it is beside the same engine without them.

The engine has no switch for that. Each run is a process of its own (`python cost.py TECHNIQUE FILE`), which replaces the functions
that write and read state by ones that do nothing, or does not, and tells what the engine took: the start of Python and the
imports, which are the same for both, are left out, so that they cannot hide anything.

The limit is for processor time. Files under /run cost nothing else, a free lock neither, and the time by the clock, which has the
kernel's own work in it, differs from run to run by more than all of them together; it stands beside it.
"""

from __future__ import annotations

import contextlib
import pathlib
import sys
import typing as t

import engine_alone
import harness
import star
from engine_alone import CLOCK, PROCESSOR, STATE

SIZE, LIMIT = 100, 1.10
WITH, WITHOUT = "journal, lock and record", "none of them"


def run(size: int, pairs: int, folder: pathlib.Path) -> harness.Series:
    """Seconds of the engine's own time, in pairs that take turns in which of the two is first."""
    files = engine_alone.Star(size, folder)
    series = harness.Series()
    for technique in harness.in_turns((WITH, WITHOUT), pairs):
        sample = harness.measure([sys.executable, __file__, technique, str(files.wish)])
        star.check(size)
        _check_state(technique)
        engine_alone.add(series, technique, sample)
        files.remove()
    return series


def _check_state(technique: str) -> None:
    """That the one has kept a record and the other has not, or the comparison would be one of the same with the same."""
    kept = [path.name for path in pathlib.Path(STATE).glob("topology.bench*")]
    if bool(kept) != (technique == WITH):
        raise harness.BenchmarkError(f"a run with {technique} left {kept or 'no record'} in {STATE}")


def report(size: int, series: harness.Series) -> tuple[str, bool]:
    """A table, and whether the limit is kept; a star of another size than the limit's is not judged."""
    ratio = series.ratio(WITH, WITHOUT, PROCESSOR) or 0.0
    kept = size != SIZE or ratio <= LIMIT
    limit = f"{LIMIT:.2f}: {'kept' if kept else 'NOT KEPT'}" if size == SIZE else ""
    rows = []
    for step in (PROCESSOR, CLOCK):
        medians = [f"{1000 * (series.median(name, step) or 0):.0f}" for name in (WITHOUT, WITH)]
        rows.append([step, *medians, f"{series.ratio(WITH, WITHOUT, step) or 0:.3f}", limit if step == PROCESSOR else ""])
    heads = [f"the engine, apply of {size} namespaces (ms)", WITHOUT, WITH, "ratio", "limit"]
    return harness.table(heads, rows), kept


# --- in a process of its own


def _switch_off(engine: t.Mapping[str, t.Any]) -> None:
    store, files, journal = engine["store"], engine["store_files"], engine["journal"]
    store.locked = contextlib.nullcontext
    files.read = lambda _name: None
    files.names = list
    for name in ("write", "append", "remove"):
        setattr(files, name, lambda *_arguments: None)
    journal.Journal = _NoJournal


class _NoJournal:
    def __init__(self, *_arguments: t.Any) -> None:
        pass

    def begin(self, _changes: t.Any) -> None:
        pass

    def undo(self) -> None:
        pass


def _main(technique: str, wish: str) -> None:
    engine = engine_alone.load()
    if technique == WITHOUT:
        _switch_off(engine)
    engine_alone.build(engine, wish, owned=technique == WITH)


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2])
