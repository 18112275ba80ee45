# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""A picture in the language of mermaid. Pure."""

from __future__ import annotations

import math
import typing as t

from ansible_collections.linuxnet.netns.plugins.plugin_utils._picture import COLOURS, FONT_COLOUR, ROOMS, Box, Crowd, Line, Picture, visible

_BOX = '["{}"]'
_SHAPES = {"nat": '(["{}"])', "outside": '(("{}"))'}
_LINES = {"cable": "---", "out": "---", "port": "===", "parent": "-.-", "way": "-.->"}
# What stands for itself; everything else is written by its number.
_PLAIN = " ._:/-"


def mermaid(picture: Picture, host: str) -> str:
    """The whole as one flowchart; ``host`` is what the host is called."""
    names = {id(box): f"n{number}" for number, box in enumerate(picture.boxes)}
    text = ["flowchart LR", *(f"  classDef {form} {_style(*colours)}" for form, colours in COLOURS.items())]
    crowded = {place for crowd in picture.crowds for place in crowd.places}
    frames = {place: f"p{number}" for number, place in enumerate(picture.places)}
    for place, frame in frames.items():
        if place not in crowded:
            text += _frame(picture, place, frame, names, host)
    for number, crowd in enumerate(picture.crowds):
        text += _crowd(picture, crowd, f"c{number}", frames, names, host)
    if picture.outside:
        text.append(f"  {names[id(picture.outside)]}{_node(picture.outside)}:::outside")
    once = {id(line) for crowd in picture.crowds for line in crowd.lines}
    text += [f"  {names[id(line.tail)]} {_line(line)} {names[id(line.head)]}" for line in picture.lines if id(line) not in once]
    return "\n".join(text) + "\n"


def _style(fill: str, border: str) -> str:
    return f"fill:{fill},stroke:{border},color:{FONT_COLOUR}"


def _frame(picture: Picture, place: str, frame: str, names: t.Mapping[int, str], host: str) -> list[str]:
    inside = [f"    {names[id(box)]}{_node(box)}:::{box.form}" for box in picture.places[place]]
    return [f'  subgraph {frame}["{_escaped(place or host)}"]', *inside, "  end", f"  style {frame} {_style(*ROOMS[bool(place)])}"]


def _crowd(picture: Picture, crowd: Crowd, frame: str, frames: t.Mapping[str, str], names: t.Mapping[int, str], host: str) -> list[str]:
    """As a square: links that are not seen put what they connect side by side."""
    text = [f'  subgraph {frame}["{len(crowd.places)} namespaces"]']
    for place in crowd.places:
        text += _frame(picture, place, frames[place], names, host)
    width = math.ceil(math.sqrt(len(crowd.places)))
    first = [names[id(picture.places[place][0])] for place in crowd.places]
    text += [f"    {' ~~~ '.join(first[at : at + width])}" for at in range(0, len(first), width)]
    text += ["  end", f"  style {frame} {_style(ROOMS[0][0], ROOMS[1][1])}"]
    return text + [f'  {frame} ---|"{_escaped(device)}"| {names[id(bridge)]}' for device, bridge in crowd.ways]


def _escaped(text: str) -> str:
    return "".join(char if char.isalnum() or char in _PLAIN else f"#{ord(char)};" for char in visible(text))


def _node(box: Box) -> str:
    head = f"{box.name} {box.kind}" if box.kind else box.name
    return _SHAPES.get(box.form, _BOX).format("<br/>".join(map(_escaped, (head, *box.lines))))


def _line(line: Line) -> str:
    ports = [port for port in (line.tail_port, line.head_port) if port]
    texts = [" - ".join(ports)] if ports else line.texts
    label = f'|"{"<br/>".join(map(_escaped, texts))}"|' if texts else ""
    return f"{_LINES[line.form]}{label}"
