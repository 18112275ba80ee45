# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What is said where two items mean one object and not the same of it."""

from __future__ import annotations

import dataclasses
import typing as t

from . import values
from .errors import InputError
from .record import Resource
from .resources import Link

_OPTION_NAMES = {
    "link_kind": "kind",
    "ifname": "name",
    "prefixlen": "the prefix length",
    "resolver": "the DNS configuration",
    "mac_of": "take_over",
}


def between(other: Resource, where: str, resource: Resource, label: str) -> InputError:
    """The sentence about the first difference; ``where`` and ``label`` say which items they came from."""
    theirs, ours = _flat(other), _flat(resource)
    differs = next(name for name in {**theirs, **ours} if ours.get(name) != theirs.get(name))
    sides = (_said(side.get(differs), differs) for side in (theirs, ours))
    said = f"{resource.describe()}: {differs} is {' in the one and '.join(sides)} in the other: remove one of them"
    if where == label:  # one item says both
        return InputError(f"{label}{': ' if label else ''}two of the values contradict each other about {said}")
    return InputError(f"{where} and {label} contradict each other about {said}")


def _said(value: t.Any, option: str) -> str:
    """A value as a user would write it."""
    if value is None or (value == values.HOST and option.endswith("netns")):
        return "not given"
    if not isinstance(value, tuple):
        return repr(value)
    plain = (dataclasses.asdict(each) if dataclasses.is_dataclass(each) and not isinstance(each, type) else each for each in value)
    return repr([{name: inner for name, inner in each.items() if inner} if isinstance(each, dict) else each for each in plain])


def _flat(resource: Resource, prefix: str = "") -> dict[str, t.Any]:
    """What an item says, by the names of its options."""
    found: dict[str, t.Any] = {}
    for field in dataclasses.fields(resource):
        value = getattr(resource, field.name)
        if isinstance(value, Link):
            found.update(_flat(value, "" if field.name == "end" else f"{field.name}."))
        elif field.name in ("info", "port"):
            option = "port" if field.name == "port" else getattr(resource, "link_kind", None) or ""
            found.update({f"{prefix}{option}.{name}": inner for name, inner in value})
        else:
            found[prefix + _OPTION_NAMES.get(field.name, field.name)] = value
    return found
