# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The growth curves as SVG: the time of a build against the namespaces. matplotlib is imported only for this."""

from __future__ import annotations

import importlib.util
import pathlib
import textwrap
import typing as t

import floor
import goals
import harness
import stars
from techniques import BUILD, LAST, MODULE, NATURAL

_STYLES = {
    NATURAL: ("#c44e52", "o"),
    LAST: ("#dd8452", "s"),
    MODULE: ("#1f5fa8", "D"),
    floor.ENGINE: ("#55a0d8", "^"),
    floor.FLOOR: ("#555555", "v"),
}


def require() -> None:
    """Before anything is measured; not by importing it, since the kernel counts this process's memory into that of what it starts."""
    if importlib.util.find_spec("matplotlib") is None:
        raise harness.BenchmarkError("--svg needs matplotlib: pip install matplotlib, or use 'make bench'")


def _curves(measured: goals.Measured) -> dict[str, list[tuple[int, float]]]:
    curves: dict[str, list[tuple[int, float]]] = {}
    for name in stars.NAMES:
        curves[name] = [(size, result.times.median(name, BUILD) or 0) for size, result in measured.stars.items()]
    for name in (floor.ENGINE, floor.FLOOR):
        curves[name] = [(size, series.median(name, floor.CLOCK) or 0) for size, series in measured.floor.items()]
    return curves


def draw(measured: goals.Measured, about: str, path: pathlib.Path) -> None:
    import matplotlib

    matplotlib.use("svg")
    # text stays text, and the same figures give the same file
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "bench", "font.family": "sans-serif", "font.size": 11})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 6))
    labels = {MODULE: f"{MODULE}, the whole process", floor.ENGINE: "the engine of netns_topology, alone"}
    for name, points in _curves(measured).items():
        colour, marker = _STYLES[name]
        axes.plot(*zip(*points), color=colour, marker=marker, linewidth=2, label=labels.get(name, name))
    _label(axes, [*measured.stars])
    figure.text(0.01, 0.01, "\n".join(textwrap.wrap(about, 150)), fontsize=7, color="#555555", va="bottom")
    figure.tight_layout(rect=(0, 0.06, 1, 1))
    figure.savefig(path, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    # matplotlib ends the lines of a path with a blank
    first, *rest = (line.rstrip() for line in path.read_text(encoding="utf-8").splitlines())
    path.write_text("\n".join([first, "<!--", harness.LICENCE, "-->", *rest, ""]), encoding="utf-8")


def _label(axes: t.Any, sizes: t.Sequence[int]) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _position: f"{value:g}")
    axes.set_xlabel("namespaces in the star")
    axes.set_ylabel("seconds to build it")
    axes.set_title("Time to build a star of namespaces (lower is better)")
    axes.grid(True, color="#dddddd")
    axes.legend(frameon=False, loc="upper left")
