# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What all records have in common: a key, attributes that can be compared, words for a person. Pure."""

from __future__ import annotations

import dataclasses
import functools
import operator
import typing as t

from .values import HOST, place

if t.TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_options):
        return lambda decorator: decorator


Key = tuple[t.Any, ...]
_R = t.TypeVar("_R", bound="Resource")
_T = t.TypeVar("_T")
Pairs = tuple[tuple[str, t.Any], ...]


def pairs(options: t.Mapping[str, t.Any] | None) -> Pairs:
    """A dict as an immutable value; what is ``None`` was not asked for."""
    return tuple(sorted((name, value) for name, value in (options or {}).items() if value is not None))


class lazy(t.Generic[_T]):
    """A property that is computed once, as functools.cached_property, which before Python 3.12 takes a lock; a run has one thread."""

    def __init__(self, method: t.Callable[[t.Any], _T]) -> None:
        self._method = method
        self._name = method.__name__
        self.__doc__ = method.__doc__

    def __get__(self, record: t.Any, owner: t.Any = None) -> _T:
        value: _T = self._method(record)
        # found there from now on, before this is asked
        record.__dict__[self._name] = value
        return value


class Value:
    """What is told by its fields: equality, hash and text are of all of them."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        read = _every(t.cast(t.Any, type(self)))
        return bool(read(self) == read(other))

    def __hash__(self) -> int:
        return hash(_every(t.cast(t.Any, type(self)))(self))

    def __repr__(self) -> str:
        said = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(t.cast(t.Any, self)))
        return f"{type(self).__name__}({', '.join(said)})"


@dataclass_transform(frozen_default=True)
def record(kind: type[_T]) -> type[_T]:
    """Make a subclass of Value a dataclass. Nobody changes one: of that mypy takes care.

    Each method that a dataclass gets is written and compiled anew by every run; those that Value has it does not need.
    """
    return dataclasses.dataclass(eq=False, repr=False)(kind)


@functools.cache
def _every(kind: type[Value]) -> t.Callable[[t.Any], t.Any]:
    """What reads all fields of a record."""
    return operator.attrgetter(*(field.name for field in dataclasses.fields(t.cast(t.Any, kind))))


class Kind:
    """What ``KIND`` says of the records that more than one room sorts by it, also where a run has none and compiles none."""

    NAMESPACE = "namespace"
    LINK = "link"
    VETH = "veth"
    ADDRESS = "address"
    ONLY_ADDRESSES = "only_addresses"
    TAKE_OVER = "take_over"
    ROUTE = "route"
    RULE = "rule"
    SYSCTL = "sysctl"


@record
class Resource(Value):
    """Base of all records."""

    KIND: t.ClassVar[str] = ""
    KEY: t.ClassVar[tuple[str, ...]] = ()
    POLICY: t.ClassVar[tuple[str, ...]] = ()
    TRACE: t.ClassVar[tuple[str, ...]] = ()  # beside its identity: what it takes to recognise it and to remove it

    # asked for ten times as often as there are records
    @lazy
    def key(self) -> Key:
        """What makes it this object and no other."""
        return (self.KIND, *_identity(t.cast(t.Any, type(self)))(self))

    @property
    def name(self) -> str:
        """What a person calls it within its namespace."""
        raise NotImplementedError

    @property
    def where(self) -> str:
        """The namespace reference it lives in."""
        return str(getattr(self, "netns", HOST))

    @property
    def reached(self) -> str | None:
        """The prefix that a namespace reaches without a gateway where it has this."""
        return None

    @lazy
    def claims(self) -> frozenset[Key]:
        """The objects that a record is about: of a pair each end."""
        return frozenset((self.key,))

    def attributes(self) -> dict[str, t.Any]:
        """Every field that says something and can be compared."""
        names, values = _compared(t.cast(t.Any, type(self)))
        return {name: value for name, value in zip(names, values(self)) if value is not None and value != ()}

    def attribute(self, name: str) -> t.Any:
        """One of them; None where it says nothing."""
        value = getattr(self, name)
        return None if value == () else value

    def essence(self: _R) -> _R:
        """No more of it than it takes to find it again and to remove it."""
        return t.cast(_R, self._essence)

    def same_essence(self, other: Resource) -> bool:
        """Whether it comes to the same: cheaper than to make both of them."""
        if type(self) is not type(other):
            return False
        traces = _traces(t.cast(t.Any, type(self)))
        return bool(traces(self) == traces(other))

    # what a run leaves alone is asked twice: before it and after it
    @lazy
    def _essence(self) -> Resource:
        return type(self)(**{name: getattr(self, name) for name in (*self.KEY, *self.TRACE)})

    def option(self, name: str) -> str:
        """What a user calls an attribute."""
        return name

    def shown(self) -> dict[str, t.Any]:
        """The attributes as a result shows them."""
        return {self.option(name): list(value) if isinstance(value, tuple) else value for name, value in self.attributes().items()}

    def describe(self) -> str:
        """How a message names it."""
        return f"{self.KIND} {self.name} {place(self.where)}"


@functools.cache
def _identity(record: type[Resource]) -> t.Callable[[Resource], tuple[t.Any, ...]]:
    """What reads the fields that are a record's identity."""
    one = operator.attrgetter(*record.KEY)
    return one if len(record.KEY) > 1 else lambda record: (one(record),)


@functools.cache
def _traces(record: type[Resource]) -> t.Callable[[Resource], t.Any]:
    """What reads the fields of a record that are its essence."""
    return operator.attrgetter(*record.KEY, *record.TRACE)


@functools.cache
def _compared(record: type[Resource]) -> tuple[tuple[str, ...], t.Callable[[Resource], tuple[t.Any, ...]]]:
    """The fields of a record that are neither its identity nor how to do it, and what reads them all."""
    names = tuple(field.name for field in dataclasses.fields(record) if field.name not in {*record.KEY, *record.POLICY})
    one = operator.attrgetter(*names) if names else lambda _record: ()
    return names, one if len(names) != 1 else lambda record: (one(record),)
