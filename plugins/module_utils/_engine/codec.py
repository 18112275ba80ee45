# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Records and changes as what JSON can carry, and back. What is as by default is left out. Pure."""

from __future__ import annotations

import dataclasses
import functools
import operator
import typing as t

from . import resources, resources_addresses, resources_routes
from .changes import Change
from .homes import Home
from .record import Resource
from .resources_foreign import ForeignAccept
from .resources_nat import Nat, Publish, SysctlFile, Table

_CLASS, _BYTES = "", "hex"
_PLAIN = "_plain"  # a record keeps what it is in writing: of a topology of thousands only what is new is to be put so
_ATOMS = frozenset({str, int, bool})

_CLASSES: dict[str, type] = {
    name: kind
    for room in (resources, resources_addresses, resources_routes)
    for name, kind in vars(room).items()
    if isinstance(kind, type) and issubclass(kind, Resource) and kind is not Resource
}
_CLASSES.update({kind.__name__: kind for kind in (resources_routes.Nexthop, Nat, Publish, Table, SysctlFile, ForeignAccept, Change, Home)})


def to_plain(value: t.Any) -> t.Any:
    """Dataclasses as dicts that name their class, tuples as lists, bytes as hexadecimal digits."""
    if value is None or type(value) in _ATOMS:
        return value
    if isinstance(value, (tuple, list)):
        return [to_plain(inner) for inner in value]
    if isinstance(value, bytes):
        return {_BYTES: value.hex()}
    if isinstance(value, dict):
        return {name: to_plain(inner) for name, inner in value.items()}
    if _PLAIN in value.__dict__:
        return value.__dict__[_PLAIN]
    plain: dict[str, t.Any] = {_CLASS: type(value).__name__}
    names, defaults, read = _fields(t.cast(t.Any, type(value)))
    for name, default, inner in zip(names, defaults, read(value)):
        if inner is not default and inner != default:
            plain[name] = inner if type(inner) in _ATOMS else to_plain(inner)
    value.__dict__[_PLAIN] = plain
    return plain


@functools.cache
def _fields(kind: t.Any) -> tuple[tuple[str, ...], tuple[t.Any, ...], t.Callable[[t.Any], tuple[t.Any, ...]]]:
    """The names of a record's fields, what they are where nothing was said, and what reads them all; each record has several."""
    fields = dataclasses.fields(kind)
    names = tuple(field.name for field in fields)
    defaults: tuple[t.Any, ...] = tuple({} if field.default_factory is not dataclasses.MISSING else field.default for field in fields)
    return names, defaults, operator.attrgetter(*names)


def from_plain(plain: t.Any) -> t.Any:
    """The inverse; lists become tuples. ValueError or TypeError where the text is not one of ours."""
    if isinstance(plain, list):
        return tuple(from_plain(inner) for inner in plain)
    if not isinstance(plain, dict):
        return plain
    if _BYTES in plain and len(plain) == 1:
        return bytes.fromhex(plain[_BYTES])
    fields = {name: from_plain(inner) for name, inner in plain.items() if name != _CLASS}
    if _CLASS not in plain:
        return fields
    if plain[_CLASS] not in _CLASSES:
        raise ValueError(f"there are no records of class {plain[_CLASS]!r}")
    value = _CLASSES[plain[_CLASS]](**fields)
    value.__dict__[_PLAIN] = plain
    return value
