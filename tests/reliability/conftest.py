# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reliability suite: what happens to a host when a run is killed, refused, disturbed or fed nonsense.

    python3 tools/sandbox.py exec -- python -m pytest tests/reliability           # all points, a quarter of an hour
    python3 tools/sandbox.py exec -- python -m pytest tests/reliability --short   # a sample of each

At the end stands one table: points tried, converged (the host came to what it had to), left over (things found that had to be gone).
"""

from __future__ import annotations

import os
import pathlib
import sys
import typing as t

import pytest

_HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(_HERE))  # host, picture, points, engine, lab
# the tree that the collection stands in, .../ansible_collections/linuxnet/netns
sys.path[:0] = [str(above.parent) for above in pathlib.Path(os.path.abspath(__file__)).parents if above.name == "ansible_collections"]

_ROWS: pytest.StashKey[list[tuple[str, int, int, int]]] = pytest.StashKey()

Tally = t.Callable[[str, int, int, int], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--short", action="store_true", help="a sample of the points of each scenario instead of all")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ROWS] = []


@pytest.fixture(scope="session")
def short(pytestconfig: pytest.Config) -> bool:
    """Whether a sample is enough."""
    return bool(pytestconfig.getoption("--short"))


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    """A row of the table: ``tally(scenario, tried, converged, left_over)``; call it before anything is asserted.

    Several of one scenario are one row.
    """
    rows = pytestconfig.stash[_ROWS]

    def add(scenario: str, tried: int, converged: int, left_over: int) -> None:
        for at, (name, *sums) in enumerate(rows):
            if name == scenario:
                rows[at] = (name, sums[0] + tried, sums[1] + converged, sums[2] + left_over)
                return
        rows.append((scenario, tried, converged, left_over))

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = config.stash[_ROWS]
    if not rows:
        return
    width = max(len(row[0]) for row in rows)
    terminalreporter.section("points" + (", a sample" if config.getoption("--short") else ""))
    terminalreporter.write_line(f"{'scenario':<{width}}  {'tried':>7}  {'converged':>9}  {'left over':>9}")
    for scenario, tried, converged, left_over in [*rows, ("total", *(sum(row[at] for row in rows) for at in (1, 2, 3)))]:
        terminalreporter.write_line(f"{scenario:<{width}}  {tried:>7}  {converged:>9}  {left_over:>9}")
