# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""A topology as boxes, each in its namespace, and lines between them; and where a large one gets its room. Pure."""

from __future__ import annotations

import collections
import collections.abc as c
import dataclasses
import math
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.linuxnet.netns.plugins.module_utils._argspec_topology import LISTS, TERMS
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.values import HOST, netns_reference

Item = dict[str, t.Any]

# What a box is filled with and framed in, by its form. Six digits each: graphviz takes shorter ones for black.
COLOURS = {
    "device": ("#ffffff", "#6b7f99"),
    "bridge": ("#fff2cc", "#b8860b"),
    "nat": ("#f8d9d6", "#b5483f"),
    "outside": ("#e4e7eb", "#7a8594"),
}
# The same of the host and of a namespace.
ROOMS = (("#f5f6f7", "#b8c0c9"), ("#eaf2fb", "#9db8d6"))
FONT_COLOUR = "#1f2933"

# What is worth a line of a kind's own attributes.
_DETAILS = {
    "bond": ("mode",),
    "geneve": ("id", "remote"),
    "gre": ("remote",),
    "gretap": ("remote",),
    "ipip": ("remote",),
    "ipvlan": ("mode",),
    "macvlan": ("mode",),
    "macvtap": ("mode",),
    "sit": ("remote",),
    "vlan": ("id",),
    "vrf": ("table",),
    "vxlan": ("id", "remote", "group"),
}
_DEFAULT_ROUTES = {"default", "0.0.0.0/0", "::/0"}
# More namespaces than that on the bridges of another are not put one below the other.
_MANY = 8
# How many times more rows than columns each side gets, so that the whole is somewhat wider than high: a box is twice as wide as high.
_ROWS_PER_COLUMN = 3.3
# More ports that lead in are not told one by one.
_MANY_PORTS = 6
# How much higher than the device in it the room of a namespace is, in lines.
_FRAME = 5


def visible(text: str) -> str:
    """With what has no shape of its own, or means something to a program that reads it, in the notation of Python."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class PictureError(ValueError):
    """One sentence for whoever gave the topology."""


@dataclasses.dataclass(eq=False)
class Box:
    """A device, a NATed network, or what is outside. ``left`` and ``right``: its ports that have no boxes of their own."""

    place: str
    name: str
    form: str = "device"  # or bridge, nat, outside
    kind: str = ""
    lines: list[str] = dataclasses.field(default_factory=list)
    left: list[str] = dataclasses.field(default_factory=list)
    right: list[str] = dataclasses.field(default_factory=list)
    crowd: int = 0  # of a bridge with many namespaces: how high these are, in lines of text


@dataclasses.dataclass(eq=False)
class Line:
    """From left to right; ``length`` in columns, ``texts`` beside it. A port is one of the box's own."""

    tail: Box
    head: Box
    form: str  # cable: a veth pair; port: of a bridge; parent: a device on another; way: of packets through NAT; out: to what is not here
    tail_port: str | None = None
    head_port: str | None = None
    length: int = 1
    texts: c.Sequence[str] = ()

    def turn(self) -> None:
        self.tail, self.head, self.tail_port, self.head_port = self.head, self.tail, self.head_port, self.tail_port


@dataclasses.dataclass
class Crowd:
    """Many namespaces with the same cables: each way is the name of a device in all of them, and the bridge that it is connected to."""

    places: list[str]
    ways: list[tuple[str, Box]]
    lines: list[Line]


@dataclasses.dataclass
class Picture:
    """Boxes by namespace in the order of the topology, and what lies between them."""

    places: dict[str, list[Box]]
    lines: list[Line]
    outside: Box | None
    crowds: list[Crowd] = dataclasses.field(default_factory=list)

    @property
    def boxes(self) -> list[Box]:
        return [*(box for inside in self.places.values() for box in inside), *([self.outside] if self.outside else [])]


def picture(topology: t.Any) -> Picture:
    """The boxes and lines of a topology in the form that netns_topology takes. Raises PictureError."""
    lists = _checked(topology)
    try:
        made = _Drawing(lists).picture()
    except InputError as exc:
        raise PictureError(f"topology: {exc}") from None
    _arrange(made)
    return made


def _checked(topology: t.Any) -> dict[str, list[Item]]:
    if not isinstance(topology, c.Mapping):
        raise PictureError(f"topology: {topology!r} is none: give a dict of the lists that netns_topology takes")
    spec = {"name": {"type": "str"}, "state": {"type": "str"}, **LISTS, **TERMS}
    judged = ArgumentSpecValidator(spec).validate(dict(topology))
    if judged.error_messages:
        raise PictureError(f"topology: netns_topology does not take it: {judged.error_messages[0]}")
    return {name: judged.validated_parameters[name] or [] for name in LISTS}


class _Drawing:
    """Boxes and lines while they come to be known."""

    def __init__(self, lists: c.Mapping[str, list[Item]]) -> None:
        self._lists = lists
        self._places: dict[str, list[Box]] = {HOST: []}
        self._boxes: dict[tuple[str, str], Box] = {}
        self._lines: list[Line] = []
        self._outside: Box | None = None
        self._addresses: dict[tuple[str, str], list[str]] = collections.defaultdict(list)
        # what must have a box of its own, since something leans on it
        self._leaned_on: set[tuple[str, str]] = set()
        # where a cable of this topology ends, and what may lead to where this topology says nothing of
        self._cabled: set[tuple[str, str]] = set()
        self._leading: dict[tuple[str, str], Box] = {}

    def picture(self) -> Picture:
        for item in self._lists["namespaces"]:
            for name in item["name"]:
                self._places.setdefault(_place(name), [])
        for item in self._lists["addresses"]:
            self._addresses[_place(item["netns"]), item["dev"]] += item["address"]
        self._note_what_is_leaned_on()
        for item in self._lists["links"]:
            self._link(item)
        for item in self._lists["veths"]:
            self._veth(item)
        for place, name in self._addresses:
            self._box(place, name)
        for item in self._lists["nat"]:
            self._nat(item)
        for key, box in self._leading.items():
            # a network card above all
            if not box.kind and box.form == "device" and box.name != "lo" and key not in self._cabled:
                self._line(box, self._elsewhere(), "out")
        return Picture({place: boxes for place, boxes in self._places.items() if boxes or place}, self._lines, self._outside)

    def _note_what_is_leaned_on(self) -> None:
        for item in self._lists["links"]:
            if item["parent"]:
                self._leaned_on.add((_below(item), item["parent"]))
            self._leaned_on |= {(_place(item["netns"]), name) for name in (item["name"], item["take_over"]) if name}
        for item in self._lists["nat"]:
            self._leaned_on |= {(_place(item["netns"]), item[option]) for option in ("interface", "uplink")}

    def _box(self, place: str, name: str) -> Box:
        key = (place, name)
        if key not in self._boxes:
            self._boxes[key] = box = Box(place, name, lines=[*self._addresses.get(key, ())])
            self._places.setdefault(place, []).append(box)
        return self._boxes[key]

    def _line(self, tail: Box, head: Box, form: str, tail_port: str | None = None, head_port: str | None = None) -> Line:
        self._lines.append(Line(tail, head, form, tail_port, head_port))
        return self._lines[-1]

    def _bridge(self, place: str, name: str) -> Box:
        box = self._box(place, name)
        box.form = "bridge"
        return box

    def _link(self, item: Item) -> None:
        place, kind = _place(item["netns"]), item["kind"]
        box = self._bridge(place, item["name"]) if kind == "bridge" else self._box(place, item["name"])
        own = item.get(kind) or {}
        box.kind = " ".join(str(word) for word in [kind, *(own.get(name) for name in _DETAILS.get(kind, ()))] if word not in (None, ""))
        if item["parent"]:
            self._line(box, self._leads(_below(item), item["parent"]), "parent")
        if item["take_over"]:
            self._line(box, self._leads(place, item["take_over"]), "port")
        if item["master"]:
            self._line(self._bridge(place, item["master"]), box, "port")
        if not kind:
            self._leads(place, item["name"])

    def _veth(self, item: Item) -> None:
        given = [end for end in (item, item["peer"]) if end]
        self._cabled |= {(_place(end["netns"]), end["name"]) for end in given}
        ends = [self._end(end) for end in given]
        (one, one_port), (other, other_port) = ends if len(ends) == 2 else (*ends, (None, None))
        if other:
            self._line(one, other, "cable", one_port, other_port)
        elif one_port:
            one.left.append(one_port)

    def _end(self, end: Item) -> tuple[Box, str | None]:
        """Where the cable ends: in a box of its own, or in a bridge's port that is nothing else."""
        place, name = _place(end["netns"]), end["name"]
        if not end["master"]:
            return self._box(place, name), None
        bridge = self._bridge(place, end["master"])
        if self._addresses.get((place, name)) or (place, name) in self._leaned_on:
            self._line(bridge, self._box(place, name), "port")
            return self._box(place, name), None
        return bridge, name

    def _nat(self, item: Item) -> None:
        place = _place(item["netns"])
        box = Box(place, f"NAT {item['name']}", "nat", lines=[*(item["subnets"] or ())])
        self._places.setdefault(place, []).append(box)
        if item["interface"]:
            self._line(self._box(place, item["interface"]), box, "way")
        uplink = self._default_device(place) if item["uplink"] == "auto" else item["uplink"]
        way = self._line(box, self._leads(place, uplink) if uplink else self._elsewhere(), "way")
        # one for each family is one for who reads it
        ports = [*dict.fromkeys(self._published(port) for port in item["publish"] or ())]
        way.texts = ports if len(ports) <= _MANY_PORTS else [*ports[: _MANY_PORTS - 1], f"and {len(ports) - _MANY_PORTS + 1} ports more"]

    def _published(self, port: Item) -> str:
        """As "tcp 8080 \u2192 web:80"."""
        owners = (place for (place, _name), given in self._addresses.items() if _has(given, port["to_address"]))
        there = next(owners, "") or _bracketed(port["to_address"])
        here = f"{_bracketed(port['host_address'])}:" if port["host_address"] else ""
        return f"{port['protocol']} {here}{port['host_port']} \u2192 {there}:{port['to_port'] or port['host_port']}"

    def _default_device(self, place: str) -> str | None:
        for route in self._lists["routes"]:
            if _place(route["netns"]) == place and _DEFAULT_ROUTES & {*route["dest"]} and route["dev"]:
                return str(route["dev"])
        return None

    def _leads(self, place: str, name: str) -> Box:
        """A device that may lead out of what this topology says."""
        return self._leading.setdefault((place, name), self._box(place, name))

    def _elsewhere(self) -> Box:
        self._outside = self._outside or Box(HOST, "outside", "outside")
        return self._outside


def _place(netns: str | None) -> str:
    return netns_reference(netns)


def _has(addresses: c.Iterable[str], address: str) -> bool:
    """Whether it is one of these, which have the lengths of their prefixes."""
    return any(text.partition("/")[0] == address for text in addresses)


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _below(item: Item) -> str:
    return _place(item["parent_netns"] or item["netns"])


# --- where everything gets its room


def _arrange(made: Picture) -> None:
    """Namespaces that hang on the bridges of another are left of these; where they are many, on both sides in columns."""
    for hanging in _hanging(made.lines).values():
        many = len(hanging) > _MANY
        one_side = math.ceil(len(hanging) / 2) if many else len(hanging)
        columns = max(1, round(math.sqrt(one_side / _ROWS_PER_COLUMN))) if many else 1
        for at, lines in enumerate(hanging.values()):
            for line, bridge in lines:
                if (line.head is bridge) == (at >= one_side):
                    line.turn()
                line.length = 1 + at % one_side % columns
        if many:
            highest = max(sum(1 + len(box.lines) for box in made.places[place]) for place in hanging)
            _stretch([bridge for lines in hanging.values() for _line, bridge in lines], math.ceil(one_side / columns) * (_FRAME + highest))
            made.crowds += _crowds(hanging)
    for line in made.lines:
        line.tail.right += [line.tail_port] if line.tail_port else []
        line.head.left += [line.head_port] if line.head_port else []


def _crowds(hanging: c.Mapping[str, list[tuple[Line, Box]]]) -> list[Crowd]:
    alike: dict[tuple[tuple[str, Box], ...], list[str]] = collections.defaultdict(list)
    for place, lines in hanging.items():
        alike[tuple(((line.tail if line.head is bridge else line.head).name, bridge) for line, bridge in lines)].append(place)
    return [
        Crowd(places, [*ways], [line for place in places for line, _bridge in hanging[place]])
        for ways, places in alike.items()
        if len(places) > _MANY
    ]


def _hanging(lines: c.Iterable[Line]) -> dict[str, dict[str, list[tuple[Line, Box]]]]:
    """By namespace those with nothing but cables to its bridges, each with these cables and where they end."""
    crossing: dict[str, list[tuple[Line, Box | None]]] = collections.defaultdict(list)
    for line in lines:
        if line.tail.place != line.head.place:
            crossing[line.tail.place].append((line, line.head if line.head_port else None))
            crossing[line.head.place].append((line, line.tail if line.tail_port else None))
    found: dict[str, dict[str, list[tuple[Line, Box]]]] = {}
    for place, ways in crossing.items():
        ends = [(line, bridge) for line, bridge in ways if bridge]
        there = {bridge.place for _line, bridge in ends}
        if len(ends) == len(ways) and len(there) == 1:
            found.setdefault(there.pop(), {})[place] = ends
    return found


def _stretch(bridges: c.Sequence[Box], lines: int) -> None:
    """Make the bridges together as high as what hangs on one side, so that cables run straight."""
    for bridge, ports in collections.Counter(bridges).items():
        bridge.crowd = round(lines * ports / len(bridges))
