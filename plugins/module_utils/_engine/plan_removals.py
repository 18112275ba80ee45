# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What is to go: wishes and observations -> changes, each thing once."""

from __future__ import annotations

import typing as t

from .changes import Change, Phase
from .errors import StateError
from .plan import planners
from .record import Kind, Resource
from .resources import Namespace, Veth

if t.TYPE_CHECKING:
    from .state import Observed


def plan(absent: t.Iterable[Resource], state: Observed, problems: list[str] | None, others: t.Sequence[Change]) -> t.Iterator[Change]:
    """What takes them away and ``others`` do not; what cannot be removed is noted in ``problems``, or else raised."""
    return _once(_removals(absent, state, problems), others)


def _removals(absent: t.Iterable[Resource], state: Observed, problems: list[str] | None) -> t.Iterator[Change]:
    """Namespaces first: whether one goes decides how what is in it goes."""
    doomed: set[str] = set()
    for resource in sorted(absent, key=lambda resource: not isinstance(resource, Namespace)):
        try:
            yield from planners(resource.KIND)[1][resource.KIND](resource, state, doomed)
        except StateError as exc:
            if problems is None:
                raise
            if str(exc) not in problems:
                problems.append(str(exc))
        else:
            if isinstance(resource, Namespace) and resource.processes != "keep":
                doomed.add(resource.netns)


def _once(changes: t.Iterable[Change], others: t.Sequence[Change]) -> t.Iterator[Change]:
    """Two wishes may mean one object, such as a rule with and without its priority, either end of a pair, or an address
    that its topology lists no longer on a device that is to have no other: it goes once."""
    gone: set[t.Any] = {change.before for change in others if change.action == "delete" and change.resource.KIND == Kind.ADDRESS}
    home: list[Change] = []  # what belongs to a namespace's removal and to its device's
    for change in changes:
        if change.phase[0] == Phase.RETURN:
            if change not in home:
                home.append(change)
                yield change
            continue
        ends = change.before.ends if isinstance(change.before, Veth) else ()
        what = frozenset(end.key for end in ends) or change.before
        if change.action != "delete" or what not in gone:
            yield change
        gone.add(what)
