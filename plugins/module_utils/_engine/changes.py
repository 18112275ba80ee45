# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""One change: from a record to a record, with its place in the order, its reason and its inverse."""

from __future__ import annotations

import dataclasses
import typing as t

from .record import Key, Resource, Value
from .resources import Link


class Phase:
    """The order of everything. Below 100 things come, above they go."""

    NAMESPACE = 10
    CLOSE = 11  # an old value given back, before the guard that made it bearable is replaced
    FIREWALL = 12  # before forwarding goes on, so that what was closed is at no moment open
    SYSCTL = 15
    DEVICE = 20
    DEVICE_SYSCTL = 35
    ADDRESS = 40
    ROUTE = 50
    RULE = 55
    BRIDGE_UP = 60
    TAKE_OVER = 62  # port, addresses, routes, away with the old addresses
    LATE_ROUTE = 65
    NO_FIREWALL = 100
    NO_RULE = 105
    NO_ROUTE = 110
    NO_ADDRESS = 115
    NO_DEVICE = 120
    RETURN = 125  # a device home, before the namespace that it is in goes
    NO_NAMESPACE = 130


Pair = tuple[t.Any, t.Any]


def _told(value: t.Any) -> t.Any:
    """A value as a result can carry it."""
    if isinstance(value, tuple):
        return [_told(inner) for inner in value]
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value


@dataclasses.dataclass(eq=False, repr=False)  # as record does; said so that field() is known to be in one
class Change(Value):
    """``action`` is create, update, delete or move; ``differs`` what an update changes: name -> (old, new)."""

    action: str
    before: Resource | None
    after: Resource | None
    phase: tuple[int, int]
    reason: str
    differs: t.Mapping[str, Pair] = dataclasses.field(default_factory=dict)
    owner: Key = ()  # the wish it belongs to

    @classmethod
    def create(cls, after: Resource, phase: tuple[int, int], reason: str, owner: Key = ()) -> Change:
        return cls("create", None, after, phase, reason, owner=owner or after.key)

    @classmethod
    def update(
        cls, before: Resource, after: Resource, differs: t.Mapping[str, Pair], phase: tuple[int, int], reason: str = "", owner: Key = ()
    ) -> Change:
        names = ", ".join(after.option(name) for name in differs)
        reason = reason or f"{names} differ{'s' if len(differs) == 1 else ''}"
        return cls("update", before, after, phase, reason, differs, owner or after.key)

    @classmethod
    def delete(cls, before: Resource, phase: tuple[int, int], reason: str, owner: Key = ()) -> Change:
        return cls("delete", before, None, phase, reason, owner=owner or before.key)

    @property
    def resource(self) -> Resource:
        """The object it is about, as it will be if it will be."""
        found = self.after or self.before
        if found is None:
            raise ValueError("a change is about something")
        return found

    def inverse(self) -> Change:
        """What takes the host back to where it was."""
        action = {"create": "delete", "delete": "create"}.get(self.action, self.action)
        back = {name: (new, old) for name, (old, new) in self.differs.items()}
        return dataclasses.replace(self, action=action, before=self.after, after=self.before, differs=back, reason="rolled back")

    def describe(self) -> str:
        """How a message names it: 'create address 192.0.2.1/24 on eth0 in namespace blue'."""
        return f"{self.action} {self.resource.describe()}"

    def report(self) -> dict[str, t.Any]:
        """How a result shows it."""
        resource = self.resource
        if self.action == "update":
            before: t.Any = {resource.option(name): _told(old) for name, (old, _new) in self.differs.items()}
            after: t.Any = {resource.option(name): _told(new) for name, (_old, new) in self.differs.items()}
        elif self.action == "move":
            before, after = ({"netns": side.where or None} if side else None for side in (self.before, self.after))
        else:
            before = self.before.shown() if self.before else None
            after = self.after.shown() if self.after else None
        kind = "veth" if isinstance(resource, Link) and resource.link_kind == "veth" else resource.KIND
        return {
            "action": self.action,
            "kind": kind,
            "netns": resource.where or None,
            "name": resource.name,
            "before": before,
            "after": after,
            "reason": self.reason,
        }


# What plans each kind of object: of a wish and what was found; of what is to go, with the namespaces that go as well.
Planners = dict[str, t.Callable[[t.Any, t.Any], t.Iterator[Change]]]
Removers = dict[str, t.Callable[[t.Any, t.Any, set[str]], t.Iterator[Change]]]
