# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Options as users write them -> records. Everything that can be wrong without a look at the host is found here."""

from __future__ import annotations

import dataclasses
import typing as t

from . import values
from .errors import InputError
from .record import Key, Kind, Resource, Value
from .resources import Link, Namespace, Veth

Item = t.Mapping[str, t.Any]

# In the order in which they are read.
LISTS = ("namespaces", "links", "veths", "addresses", "routes", "rules", "sysctls", "nat")


@dataclasses.dataclass(eq=False, repr=False)  # as record does; said so that field() is known to be in one
class Wanted(Value):
    """What a run is asked for; ``labels`` say which option an object came from, ``because`` why the absent ones go."""

    present: tuple[Resource, ...] = ()
    absent: tuple[Resource, ...] = ()
    labels: t.Mapping[Key, str] = dataclasses.field(default_factory=dict)
    because: str = "state is absent"


def read(lists: t.Mapping[str, t.Sequence[Item]], state: str = "present", topology: bool = False) -> Wanted:
    """All records that the lists mean. ``topology``: messages name the list and the item.

    Raises InputError with one sentence for the first thing that cannot be meant.
    """
    seen: dict[Key, tuple[Resource, str]] = {}
    for list_name in (name for name in LISTS if lists.get(name)):
        reader = _reader(list_name)
        for position, item in enumerate(lists[list_name]):
            label = f"{list_name}[{position}]" if topology else ""
            try:
                found = reader(item, state == "present")
            except InputError as exc:
                # what is said of a kind's attributes begins with the link's name
                between = ": " if str(exc).startswith("link ") else "."
                raise InputError(f"{label}{between}{exc}" if label else str(exc)) from None
            for resource in found:
                _add(seen, resource, label)
    _check_devices(seen)
    _check_numbers(seen)
    records = tuple(resource for resource, _label in seen.values())
    if any(resource.KIND == Kind.ONLY_ADDRESSES for resource in records):
        from . import address_options

        records = address_options.with_all_listed(records)
    labels = {key: label for key, (_resource, label) in seen.items()}
    return Wanted(present=records, labels=labels) if state == "present" else Wanted(absent=records, labels=labels)


def _add(seen: dict[Key, tuple[Resource, str]], resource: Resource, label: str) -> None:
    other, where = seen.setdefault(resource.key, (resource, label))
    if other == resource or resource.KIND == Kind.ONLY_ADDRESSES:
        return
    from . import options_contradictions  # compiled only by runs that are refused

    raise options_contradictions.between(other, where, resource, label)


def _check_devices(seen: t.Mapping[Key, tuple[Resource, str]]) -> None:
    """A name in a namespace belongs to one device only."""
    owner: dict[tuple[str, str], str] = {}
    for resource, label in seen.values():
        ends = resource.ends if isinstance(resource, Veth) else (resource,) if isinstance(resource, Link) else ()
        for end in ends:
            other = owner.setdefault((end.netns, end.ifname), label)
            if other is not label:
                what = f"link {end.ifname} {values.place(end.netns)}"
                raise InputError(f"{other} and {label} contradict each other: both make {what}: rename or remove one of them")


def _check_numbers(seen: t.Mapping[Key, tuple[Resource, str]]) -> None:
    """A number belongs to one namespace only."""
    owner: dict[int, str] = {}
    for resource, label in seen.values():
        if isinstance(resource, Namespace) and resource.nsid is not None:
            other = owner.setdefault(resource.nsid, label)
            if other is not label:
                raise InputError(
                    f"{other} and {label} contradict each other: both are to have nsid {resource.nsid}: change or remove one of them"
                )


def _reader(list_name: str) -> t.Callable[[Item, bool], list[Resource]]:
    """What reads the items of a list; compiled only by runs that have some."""
    if list_name in ("links", "veths"):
        from . import link_options

        return link_options.links if list_name == "links" else link_options.veths
    if list_name == "addresses":
        from . import address_options

        return address_options.addresses
    if list_name == "routes":
        from . import route_options

        return route_options.routes
    if list_name == "rules":
        from . import rule_options

        return rule_options.rules
    if list_name == "nat":
        from . import options_nat

        return lambda item, present: [options_nat.nat(item, present)]
    if list_name == "sysctls":
        from . import sysctl_options

        return sysctl_options.sysctls
    from . import namespace_options

    return namespace_options.namespaces
