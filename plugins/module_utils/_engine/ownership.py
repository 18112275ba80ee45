# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Whose an object is: the records of topologies, and the marks in the kernel. Pure.

A topology has what it made, what it made earlier, and what another topology made and it lists too. What was there
before is nobody's: it is corrected where that was asked for, and never removed. A record says what was made; the
mark in the kernel (a device's second name, the protocol number of an address, a route or a rule, a namespace's inode)
says that it still is that object and not one that somebody put in its place.
"""

from __future__ import annotations

import dataclasses
import itertools
import typing as t

from .changes import Change
from .errors import StateError
from .record import Key, Resource
from .resources import Link, Namespace, Sysctl, Veth
from .resources_addresses import Address, OnlyAddresses, TakeOver
from .resources_foreign import ForeignAccept
from .resources_nat import Nat, SysctlFile, Table
from .resources_routes import Route, Rule
from .values import HOST, OUR_PROTOCOL

if t.TYPE_CHECKING:
    from .options import Wanted
    from .state import Observed

_NOT_OWNED = (Sysctl, OnlyAddresses, Table, SysctlFile, ForeignAccept)  # they go with nothing, with their addresses, with their network

Records = t.Mapping[str, tuple[Resource, ...]]


def _unnumbered(resource: Resource) -> set[Key]:
    """As a wish for a rule that leaves the priority to the kernel has it."""
    return {dataclasses.replace(resource, priority=None).key} if isinstance(resource, Rule) else set()


def _leans(resource: Resource) -> set[Key]:
    """The objects without which it could not be there."""
    found: set[Key] = set()
    for part in resource.ends if isinstance(resource, Veth) else (resource,):
        where = part.where
        found.add((Namespace.KIND, where))
        devices = [getattr(part, name, None) for name in ("master", "dev", "interface", "bridge")]
        devices += part.devices if isinstance(part, Route) else []
        found |= {(Link.KIND, where, device) for device in devices if device}
        if isinstance(part, Link) and part.parent:
            below = where if part.parent_netns is None else part.parent_netns
            found |= {(Namespace.KIND, below), (Link.KIND, below, part.parent)}
    return found - resource.claims - {(Namespace.KIND, HOST)}


@dataclasses.dataclass(frozen=True)
class Owners:
    """What topologies have; ``name`` is the one that this run is about."""

    name: str
    records: Records

    @property
    def mine(self) -> tuple[Resource, ...]:
        return self.records.get(self.name, ())

    def _others(self) -> t.Iterator[tuple[str, Resource]]:
        return ((name, resource) for name, record in self.records.items() if name != self.name for resource in record)

    def of_others(self) -> dict[Key, str]:
        """The objects that other topologies have, with the name of one of them."""
        return {key: name for name, resource in self._others() for key in resource.claims}

    def leaning(self) -> dict[Key, str]:
        """The objects that what another topology has stands on."""
        return {key: name for name, resource in self._others() for key in _leans(resource)}

    def concerned(self) -> set[str]:
        """The topologies whose records this run may change: this one, and those that something of it may be left to."""
        mine = {key for resource in self.mine for key in resource.claims}
        return {self.name, *(name for key, name in self.leaning().items() if key in mine)}

    # --- before the run

    def going(self, wanted: Wanted, purge: bool) -> tuple[Resource, ...]:
        """What this topology has and does not list any more; with ``state: absent`` all that it has."""
        if wanted.present and not purge:
            return ()
        listed = {key for resource in wanted.present for key in resource.claims}
        return tuple(resource for resource in reversed(self.mine) if listed.isdisjoint(resource.claims | _unnumbered(resource)))

    def share(self, wanted: Wanted) -> Wanted:
        """Without what is not to go, since another topology has it too, or has something that stands on it."""
        shared = {**self.leaning(), **self.of_others()}
        return dataclasses.replace(wanted, absent=tuple(gone for gone in wanted.absent if gone.claims.isdisjoint(shared)))

    def spare(self, wanted: Wanted, state: Observed) -> tuple[Wanted, list[str]]:
        """Without what is not to go, since it is not this topology's; of that it is said."""
        had = {key: resource for resource in self.mine for key in resource.claims}
        mine = {(route.netns, route.table, route.dest) for route in self.mine if isinstance(route, Route) and route.metric is not None}
        going, said = [], []
        for resource in wanted.absent:
            if isinstance(resource, Route) and resource.metric is None and (resource.netns, resource.table, resource.dest) in mine:
                continue  # it goes as the record has it
            recorded = next((had[key] for key in resource.claims if key in had), None)
            problem = _not_ours(resource, recorded, state)
            if problem:
                said.append(f"{resource.describe()} {problem}: it is left; remove it by the module for that kind if it is to go")
            else:
                going.append(resource)
        return dataclasses.replace(wanted, absent=tuple(going)), said

    def refuse(self, changes: t.Iterable[Change]) -> None:
        """Raise StateError where another topology made an object otherwise than this one wants it."""
        mine = {key for resource in self.mine for key in resource.claims}
        theirs = {key: name for key, name in self.of_others().items() if key not in mine}
        for change in changes:
            if change.action == "create":
                continue
            for key in theirs.keys() & change.resource.claims:
                raise StateError(
                    f"{change.resource.describe()} belongs to topology {theirs[key]!r}, which has it otherwise ({change.reason}): "
                    "say the same there and here, or choose another name"
                )

    # --- after it

    def after(
        self, wanted: Wanted, changes: t.Sequence[Change], found: t.Mapping[Key, Resource], purged: bool
    ) -> dict[str, tuple[Resource, ...]]:
        """The records that this run changes: this topology's, and of those that go on with what it leaves them."""
        made = {key for change in changes if change.action in ("create", "move") for key in change.resource.claims}
        made |= {change.owner for change in changes if change.owner[0] == TakeOver.KIND}
        mine = {key: resource for resource in self.mine for key in resource.claims}
        theirs = {*self.of_others()}
        ours = made | mine.keys() | theirs
        pairs = [(resource, _traced(resource, found, mine)) for resource in wanted.present if not isinstance(resource, _NOT_OWNED)]
        kept = [trace for resource, trace in pairs if _is_had(resource, ours, found) or _is_had(trace, ours, found)]
        gone = {key for change in changes if change.action == "delete" for key in change.resource.claims}
        listed = {key for resource in kept for key in resource.claims}
        if not purged:
            kept += [resource for resource in self.mine if not resource.claims & (listed | gone)]
        records = {self.name: tuple(kept)}
        still = {key for resource in kept for key in resource.claims}
        heirs = {key: resource for resource in self.mine for key in resource.claims - still - theirs}
        for key, name in self.leaning().items():
            heir = heirs.get(key)
            if heir is not None:
                records[name] = (*records.get(name, self.records[name]), heir)
        return records


def _is_had(resource: Resource, ours: set[Key], found: t.Mapping[Key, Resource]) -> bool:
    # the name of its table says whose a NATed network is, and its mark whose a device
    if isinstance(resource, Nat) or not ours.isdisjoint(resource.claims):
        return True
    return any(isinstance(now, Link) and now.ours for now in map(found.get, resource.claims))


def _traced(resource: Resource, found: t.Mapping[Key, Resource], mine: t.Mapping[Key, Resource]) -> Resource:
    """What a record keeps of it: where that is what it has, the very same, which needs no comparing and is written as it was read."""
    now = found.get(resource.key)
    if isinstance(now, (Namespace, Address)):
        resource = now
    recorded = next((mine[key] for key in resource.claims if key in mine), None)
    if recorded is not None and resource.same_essence(recorded):
        return recorded
    if isinstance(resource, Rule) and resource.priority is None:
        same = [
            rule for rule in found.values() if isinstance(rule, Rule) and rule.selectors == resource.selectors and _by_us(rule.protocol)
        ]
        return next((rule.essence() for rule in same if (rule.netns, rule.family) == (resource.netns, resource.family)), resource.essence())
    return resource.essence()


def _by_us(protocol: int | None) -> bool:
    # 0: a kernel that does not keep who set an address
    return protocol in (0, None, OUR_PROTOCOL)


def _not_ours(resource: Resource, recorded: Resource | None, state: Observed) -> str | None:
    """Why an object that is to go is not this topology's to remove; None where it is, or where there is none."""
    if isinstance(resource, (Nat, TakeOver, *_NOT_OWNED)):
        return None
    there = [now for now in (state.found.get(key) for key in resource.claims) if now is not None]
    if isinstance(resource, Route) and resource.metric is None:
        same = ((now.table, now.dest) == (resource.table, resource.dest) for now in state.of(Route, resource.netns))
        there += itertools.compress(state.of(Route, resource.netns), same)
    if not there:
        return None
    if recorded is None:
        marked = all(isinstance(now, Link) and now.ours for now in there)
        return None if marked else "was not made by this topology"
    # a device that was moved in keeps no mark of ours
    virtual = not isinstance(recorded, Link) or bool(recorded.link_kind)
    for now in there:
        if isinstance(now, Link) and virtual and not now.ours:
            return "was replaced by somebody else's"
        if isinstance(now, Namespace) and isinstance(recorded, Namespace) and recorded.inode not in (0, now.inode) and not now.stale:
            return "was replaced by somebody else's"
        if isinstance(now, (Address, Route, Rule)) and not _same_maker(now, recorded):
            return "was replaced by somebody else's"
    return None


def _same_maker(now: Address | Route | Rule, recorded: Resource) -> bool:
    before = getattr(recorded, "protocol", None)
    return _by_us(now.protocol) if before is None else now.protocol in (before, OUR_PROTOCOL)
