# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Wishes and observations -> ordered changes, each with its reason and its inverse. Pure: no kernel, no Ansible.

Order is by phase. All that makes traffic flow comes last: a bridge goes up after its ports, since a bridge that is up
while a thousand ports join it floods itself with their neighbour discovery.
"""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from .changes import Change, Phase, Planners, Removers
from .record import Kind, Resource
from .resources import Link

if t.TYPE_CHECKING:
    from .options import Wanted
    from .state import Observed

_DEVICES = (Kind.LINK, Kind.VETH)


def plan(wanted: Wanted, state: Observed, problems: list[str] | None = None) -> list[Change]:
    """What is left to do, in the order in which it is done; empty when the host is as wanted.

    Raises StateError for what cannot or must not be done, before anything is changed; with ``problems``, what cannot be
    removed is noted there, and the rest is planned.
    """
    changes: list[Change] = []
    order, place = _arranged(wanted.present)
    for resource in order:
        for change in planners(resource.KIND)[0][resource.KIND](resource, state):
            state = _after(change, state)
            changes += place(change)
    if wanted.absent:
        from . import plan_removals

        changes += plan_removals.plan(wanted.absent, state, problems, changes)
    up_late = {change.resource.where for change in changes if change.phase[0] == Phase.BRIDGE_UP}
    changes = [
        _after_bridges(change) if change.resource.KIND == Kind.ROUTE and change.resource.where in up_late else change for change in changes
    ]
    if any(change.resource.KIND == Kind.SYSCTL for change in changes):
        from . import plan_sysctls

        changes = plan_sysctls.again(changes, wanted.present)
    return sorted(changes, key=lambda change: change.phase)


def _after(change: Change, state: Observed) -> Observed:
    """The state that what comes after a change is planned from."""
    resource = change.resource
    if change.action == "delete":
        from . import state_losses  # compiled only by runs that take something away

        return state_losses.without(state, resource)
    if change.action == "update" and isinstance(resource, Link) and change.differs.get("up") == (True, False):
        from . import state_losses

        return state_losses.down(state, resource)
    return state


def _arranged(present: t.Sequence[Resource]) -> tuple[list[Resource], t.Callable[[Change], t.Iterable[Change]]]:
    """The wishes in the order in which they are planned, and what puts a change in its place."""
    if not any(resource.KIND in _DEVICES for resource in present):
        return [*present], lambda change: (change,)
    from . import plan_devices

    depths = plan_devices.depths(present)
    late = plan_devices.bridges_with_ports(present)
    # who stands on another comes after it, and whatever has no depth last: it may hang on a device that is re-created
    order = sorted(present, key=lambda resource: depths.get(resource.key, len(depths)))
    return order, lambda change: plan_devices.placed(change, depths, late)


@functools.cache
def planners(kind: str) -> tuple[Planners, Removers]:
    """Those of a kind of object; compiled only by runs that are about one."""
    room: t.Any
    if kind == Kind.NAMESPACE:
        from . import plan_namespaces as room
    elif kind in _DEVICES:
        from . import plan_devices as room
    elif kind in (Kind.ADDRESS, Kind.ONLY_ADDRESSES):
        from . import plan_addresses as room
    elif kind == Kind.ROUTE:
        from . import plan_routes as room
    elif kind == Kind.RULE:
        from . import plan_rules as room
    elif kind == Kind.SYSCTL:
        from . import plan_sysctls as room
    elif kind == Kind.TAKE_OVER:
        from . import takeover as room
    else:
        from . import plan_nat as room
    return room.PRESENT, room.ABSENT


def _after_bridges(change: Change) -> Change:
    """A route of a namespace whose bridge comes up late can only be set after that."""
    return change if change.phase[0] != Phase.ROUTE else dataclasses.replace(change, phase=(Phase.LATE_ROUTE, change.phase[1]))
