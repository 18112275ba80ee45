# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""A picture in the language of graphviz. Pure."""

from __future__ import annotations

import html
import itertools
import typing as t

from ansible_collections.linuxnet.netns.plugins.plugin_utils._picture import COLOURS, FONT_COLOUR, ROOMS, Box, Line, Picture, visible

_FAINT = "#52606d"
_BORDER = {form: border for form, (_fill, border) in COLOURS.items()}
_LINES = {
    "cable": f'color="{_BORDER["device"]}", penwidth=1.4',
    "port": f'color="{_BORDER["bridge"]}", penwidth=1.4',
    "parent": f'color="{_FAINT}", style=dashed',
    "out": f'color="{_BORDER["outside"]}", penwidth=1.4',
    "way": f'color="{_BORDER["nat"]}", style=dotted, penwidth=1.6',
}
# In points, of a line of text in a box.
_LINE_HEIGHT = 14
_FONT = "Helvetica,Arial,sans-serif"
_HEAD = f"""graph topology {{
  rankdir=LR; ranksep=0.45; nodesep=0.12; pad=0.2; bgcolor="#ffffff"; fontname="{_FONT}"; fontsize=11; fontcolor="{FONT_COLOUR}";
  node [shape=plain, fontname="{_FONT}", fontsize=10, fontcolor="{FONT_COLOUR}"];
  edge [fontname="{_FONT}", fontsize=9, fontcolor="{FONT_COLOUR}"];"""


def dot(picture: Picture, host: str) -> str:
    """The whole as one graph; ``host`` is what the host is called."""
    # numbers, so that no name has to be one that graphviz takes for an identifier
    names = {id(box): f"n{number}" for number, box in enumerate(picture.boxes)}
    text = [_HEAD]
    for number, (place, inside) in enumerate(picture.places.items()):
        text.append(f"  subgraph cluster_{number} {{")
        text.append(f'    label=<<b>{_escaped(place or host)}</b>>; margin=6; style="rounded,filled"; {_colours(place)}')
        # an empty cluster would not be drawn
        text += [f"    {names[id(box)]} {_node(box)};" for box in inside]
        if _crowded(inside):
            # one above the other, or what is beside them had to keep clear of all that the frame spans
            text.append(f"    {{ rank=same; {' '.join(names[id(box)] for box in inside)} }}")
        if not inside:
            text.append(f'    e{number} [label="", shape=none, width=0.8, height=0.1];')
        text.append("  }")
    if picture.outside:
        text.append(f"  {names[id(picture.outside)]} {_node(picture.outside)};")
    text += [_edge(line, names) for line in picture.lines]
    return "\n".join([*text, "}"]) + "\n"


def _crowded(boxes: t.Iterable[Box]) -> bool:
    return any(box.crowd for box in boxes)


def _colours(place: str) -> str:
    fill, border = ROOMS[bool(place)]
    return f'color="{border}"; fillcolor="{fill}";'


def _escaped(text: str) -> str:
    # graphviz does not take a bracket that a label ends with
    return html.escape(visible(text)).replace("]", "&#93;")


def _node(box: Box) -> str:
    fill, border = COLOURS[box.form]
    if box.form == "outside":
        return f'[label=<{_escaped(box.name)}>, shape=ellipse, style=filled, fillcolor="{fill}", color="{border}"]'
    kind = f' <font color="{_FAINT}" point-size="9">{_escaped(box.kind)}</font>' if box.kind else ""
    # half a letter more on both sides: the letters of who looks at it may be wider
    rows = [f'<tr><td colspan="2">&#160;{text}&#160;</td></tr>' for text in (f"<b>{_escaped(box.name)}</b>{kind}", *map(_small, box.lines))]
    pairs = itertools.zip_longest(box.left, box.right) if box.left and box.right else ((port,) for port in box.left or box.right)
    height = round(box.crowd * _LINE_HEIGHT / max(len(box.left), len(box.right), 1))
    rows += [f"<tr>{_ports(number, pair, bool(box.left), height)}</tr>" for number, pair in enumerate(pairs)]
    table = f'border="1" cellborder="0" cellspacing="0" cellpadding="2" style="rounded" color="{border}" bgcolor="{fill}"'
    return f"[label=<<table {table}>{''.join(rows)}</table>>]"


def _small(text: str) -> str:
    return f'<font point-size="9">{_escaped(text)}</font>'


def _ports(number: int, pair: t.Sequence[str | None], left: bool, height: int) -> str:
    """One row of a bridge: a port on each side, or one as wide as the bridge. As high as what it leads to, so that lines run straight."""
    style = f'border="1" sides="t" color="{_BORDER["bridge"]}" height="{height}"'
    if len(pair) == 1:
        return f'<td colspan="2" {style} port="{"l" if left else "r"}{number}">{_small(str(pair[0]))}</td>'
    cells = zip("lr", ("left", "right"), pair)
    return "".join(f'<td {style} align="{align}" port="{side}{number}">{_small(port) if port else ""}</td>' for side, align, port in cells)


def _edge(line: Line, names: t.Mapping[int, str]) -> str:
    tail = _end(names[id(line.tail)], "r", line.tail.right, line.tail_port)
    head = _end(names[id(line.head)], "l", line.head.left, line.head_port)
    if line.tail.place == line.head.place:
        tail, head = names[id(line.tail)], names[id(line.head)]
    length = f", minlen={line.length}" if line.length > 1 else ""
    label = f", label=<{'<br/>'.join(f'&#160;{_escaped(text)}&#160;' for text in line.texts)}>" if line.texts else ""
    return f"  {tail} -- {head} [{_LINES[line.form]}{length}{label}];"


def _end(name: str, side: str, ports: t.Sequence[str], port: str | None) -> str:
    where = "" if port is None else f":{side}{ports.index(port)}"
    return f"{name}{where}:{'w' if side == 'l' else 'e'}"
