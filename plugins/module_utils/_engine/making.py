# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What a run does that has something to change: its journal, the changes in phases, the proof, and the way back.

All or nothing: what fails half way, is refused, is stopped or does not come out as it was meant is undone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from . import journal, running, snapshot, stopping, store_files
from .changes import Change, Phase
from .errors import KernelError, NetnsError
from .host import Host
from .observe import observe, references
from .options import Wanted
from .plan import plan
from .record import Key, Resource
from .report import Report
from .resources import Link, Namespace, Veth
from .state import Observed
from .values import HOST
from .waiting import Leaving, wait_for_dad, waits_for_dad

if t.TYPE_CHECKING:
    from .transaction import Transaction

# A bridge goes up, and what can only be set after that.
_LOUD = (Phase.BRIDGE_UP, Phase.LATE_ROUTE)


class Making:
    """The steps between a plan and its end; ``owner`` is the run that has planned."""

    def __init__(self, owner: Transaction, wanted: Wanted, state: Observed, changes: list[Change]) -> None:
        self._owner = owner
        self._host = owner.host
        self._wanted = wanted
        self._before = state
        self._changes = changes
        self._gone = Leaving(owner.host, changes)
        self._run = running.Run(owner.host, tolerant=owner.tolerant)

    def made(self) -> Report:
        """All of the changes, or none."""
        owner, changes = self._owner, self._changes
        kept = snapshot.take(self._host, changes)
        # only a run that had begun to remove namespaces is brought to its end by the next one: any other goes back
        ends = any(change.phase[0] >= Phase.NO_NAMESPACE for change in changes)
        files = owner.files(changes, self._before) if ends else owner.files_now(changes, self._before)
        diary = journal.Journal(changes, kept, files)
        try:
            owner.commit(owner.away.begin() if owner.away else {})
            state = self._steps(diary)
            owner.probe()
            stopping.check()
            # once more, since only now the namespaces that were made have their inodes
            owner.commit(owner.files(changes, state))
            journal.close()
        except BaseException as exc:
            self._undo(exc, kept, diary)
            raise
        self._host.release()
        owner.warnings += self._gone.wait()
        return owner.report(changes, state)

    def _steps(self, diary: journal.Journal) -> Observed:
        """Make the changes and read again what they are about.

        A bridge that goes up is flooded by what its ports have to say to each other, and all that is read meanwhile waits:
        with a thousand ports as long as all the rest takes. So it goes up when the rest has been read, unless it is needed
        for that: duplicate address detection asks those behind it.
        """
        changes, state = self._changes, self._before
        last = [change for change in changes if change.phase[0] in _LOUD]
        alone = bool(last) and changes[-1] is last[-1] and not waits_for_dad(self._wanted)
        parts = [changes[: -len(last)], last] if alone else [changes]
        for part in parts:
            for members in running.phases(part):
                stopping.check()
                diary.begin(members)
                self._run.phase(members)
            wait_for_dad(self._host, self._wanted)
            ahead = frozenset(key for change in last if part is not parts[-1] for key in change.resource.claims)
            state = verified(self._host, self._wanted, part, state, ahead)
        return state

    def removed(self) -> Report:
        """Remove all that can be removed; what cannot is told together at the end, and stays this topology's."""
        owner = self._owner
        owner.commit(owner.saved)  # first, or what is left half removed would be built again
        owner.commit(owner.away.begin() if owner.away else {})
        try:
            for members in running.phases(self._changes):
                stopping.check()
                self._run.phase(members)
        except NetnsError as exc:
            exc.changes = owner.told(self._run.done)
            raise
        self._host.release()
        owner.warnings += self._gone.wait()
        owner.refuse([*owner.problems, *self._run.problems], self._run.done)
        owner.commit(owner.files(self._changes, self._before))
        return owner.report(self._changes, self._before)

    # --- the way back

    def _undo(self, exc: BaseException, kept: snapshot.Snapshot, diary: journal.Journal) -> None:
        """Go back, or leave things for a look; tell on the exception what had been done and whether all is as it was."""
        done = self._run.done
        keeps = self._owner.terms.on_failure == "keep"
        problems = self._left(done) if keeps else self._taken_back(kept, diary)
        try:
            journal.close()
        except NetnsError as problem:
            problems.append(str(problem))
        if isinstance(exc, NetnsError):
            exc.changes = [change.report() for change in done]
            exc.rolled_back = not problems and not keeps
            if problems:
                exc.args = (f"{exc}; and undoing what had been done failed: {'; '.join(problems)}",)

    def _left(self, done: t.Sequence[Change]) -> list[str]:
        """What is left is this topology's, so that its next run or its removal finds it."""
        owner = self._owner
        with contextlib.suppress(NetnsError, OSError):
            owner.commit(owner.files(done, observe(self._host, owner.asked), whole=False))
        return []

    def _taken_back(self, kept: snapshot.Snapshot, diary: journal.Journal) -> list[str]:
        """All as it was; returns what went wrong."""
        begun, away = self._run.begun, self._owner.away
        with contextlib.suppress(NetnsError, OSError):  # the reason of the failure matters more, and a full disk is no reason to stay
            diary.undo()
        with contextlib.suppress(NetnsError, OSError):
            kept = snapshot.keep_routes(self._host, kept, begun)
        problems = running.undo(self._host, kept, (change.inverse() for change in reversed(begun)), [])
        try:
            self._owner.commit({name: (None, old) for name, (old, _new) in diary.files.items() if old != store_files.read(name)})
            self._owner.commit(away.undone() if away else {})
        except (NetnsError, OSError) as problem:
            problems.append(str(problem))
        return problems


def verified(host: Host, wanted: Wanted, changes: t.Sequence[Change], before: Observed, ahead: frozenset[Key]) -> Observed:
    """Read again; what is still left to do was accepted by the kernel and not done. ``ahead``: what is done, and read, after this."""
    for netns in host.places():
        host.forget_names(netns)
    wanted = _touched(wanted, changes)
    # the devices of a removed namespace go when the last file of it is closed, which is after this
    doomed = {resource.netns for resource in wanted.absent if isinstance(resource, Namespace)}
    settled = [
        resource for resource in wanted.absent if not (isinstance(resource, Veth) and any(end.netns in doomed for end in resource.ends))
    ]
    wanted = dataclasses.replace(wanted, absent=tuple(settled))
    state = observe(host, wanted)
    left = [change for change in plan(wanted, state) if ahead.isdisjoint(change.resource.claims)]
    if left:
        raise KernelError(f"the kernel accepted but did not {left[0].describe()} ({left[0].reason}): {left[0].report()['after']}")
    gone = {key for change in changes if change.action == "delete" for key in change.resource.claims}
    as_before = {key: found for key, found in before.found.items() if key not in gone and key not in state.named}
    return dataclasses.replace(state, found={**as_before, **state.found})


def _touched(wanted: Wanted, changes: t.Sequence[Change]) -> Wanted:
    """The wishes that the changes are about, with all that is in the same namespaces; of the host, what is in no other one as well."""
    places = {netns for change in changes for side in (change.before, change.after) if side for netns in references(side)} - {HOST}
    keys = {key for change in changes for key in change.resource.claims}
    devices = {key[1:] for change in changes if change.action != "update" for key in change.resource.claims if key[0] == Link.KIND}

    def is_touched(wish: Resource) -> bool:
        there = references(wish) - {HOST}
        masters = {(end.netns, end.master) for end in wish.ends} if isinstance(wish, Veth) else set()
        return not there or not there.isdisjoint(places) or not keys.isdisjoint(wish.claims) or not devices.isdisjoint(masters)

    return dataclasses.replace(wanted, present=tuple(filter(is_touched, wanted.present)), absent=tuple(filter(is_touched, wanted.absent)))
