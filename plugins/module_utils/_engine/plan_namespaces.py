# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Namespaces: wishes and observations -> changes."""

from __future__ import annotations

import dataclasses
import typing as t

from .changes import Change, Phase, Planners, Removers
from .compare import differences
from .errors import StateError
from .resources import Namespace
from .values import no_namespace

if t.TYPE_CHECKING:
    from .state import Observed


def _namespace(wish: Namespace, state: Observed) -> t.Iterator[Change]:
    found = state.like(wish)
    if wish.pid is not None:
        wish = dataclasses.replace(wish, inode=state.pid_inodes[wish.pid])
    if found is None or found.stale:
        what = state.places[wish.netns] if found else "not there"
        if found and what != "a stale plain file":
            raise StateError(no_namespace(wish.netns, what))
        reason = f"{what} is in its place" if found else what
        text = state.resolvers.get(wish.netns) if wish.resolver else None
        if text is None:
            yield Change.create(wish, (Phase.NAMESPACE, 0), reason)
            return
        # somebody's DNS file waits there for this name: what replaces it must be able to bring it back
        bare = dataclasses.replace(wish, resolver=None)
        yield Change.create(bare, (Phase.NAMESPACE, 0), reason)
        if text != wish.resolver:
            yield Change.update(dataclasses.replace(bare, resolver=text), wish, {"resolver": (text, wish.resolver)}, (Phase.NAMESPACE, 1))
        return
    if wish.pid is not None and found.inode != wish.inode:
        raise StateError(
            f"pid: namespace {wish.netns!r} exists and is not that of process {wish.pid}: remove it first or choose another name"
        )
    differs = differences(found, wish)
    if "nsid" in differs and found.nsid is not None:
        raise StateError(
            f"nsid: namespace {wish.netns!r} has the number {found.nsid} already, and the kernel cannot change it to {wish.nsid}: "
            "correct nsid, or remove the namespace first"
        )
    if differs:
        yield Change.update(found, wish, differs, (Phase.NAMESPACE, 1))


def _no_namespace(wish: Namespace, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    from . import plan_homes

    found, going = state.like(wish), plan_homes.of_namespace(wish, state)
    if found is None:
        for home in going:
            yield from plan_homes.give_back(home, state, doomed | {home.netns})
        return
    if found.stale and state.places[wish.netns] == "a directory":  # the one thing that is not taken away
        raise StateError(no_namespace(wish.netns, "a directory"))
    if found.pids and wish.processes == "fail":
        shown = ", ".join(map(str, found.pids[:5])) + (", ..." if len(found.pids) > 5 else "")
        raise StateError(
            f"namespace {wish.netns!r} is in use by {len(found.pids)} process{'es' if len(found.pids) > 1 else ''} (pid {shown}): "
            "end them, or set processes: kill to end them, or processes: keep to remove only the name"
        )
    for home in going:
        yield from plan_homes.give_back(home, state, doomed | {home.netns})
    policy = dataclasses.replace(found, processes=wish.processes, kill_timeout=wish.kill_timeout)
    yield Change.delete(policy, (Phase.NO_NAMESPACE, 0), state.because)


PRESENT: Planners = {Namespace.KIND: _namespace}
ABSENT: Removers = {Namespace.KIND: _no_namespace}
