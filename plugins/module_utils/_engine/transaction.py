# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""One run, from wishes to report: lock, recover, observe, plan, apply, verify, commit; what fails half way is undone.

Check mode is the same way without ``apply``: it cannot disagree with a real run. It takes no lock, and a journal that a
killed run left is only told of.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from . import journal, recovery, registry, remembered, report, running, saved, snapshot, stopping, store
from .changes import Change, Phase
from .errors import KernelError, NetnsError, StateError
from .host import Host
from .observe import observe, references, settle
from .observe_hanging import keep_hanging
from .options import Wanted
from .plan import plan
from .plan_devices import readdressed, recreated
from .record import Key, Resource
from .report import Report
from .resources import Link, Namespace, Veth
from .resources_nat import Table
from .state import Observed
from .values import HOST
from .waiting import Leaving, wait_for_dad, waits_for_dad

if t.TYPE_CHECKING:
    from .probe_options import Check


# A bridge goes up, and what can only be set after that.
_LOUD = (Phase.BRIDGE_UP, Phase.LATE_ROUTE)


@dataclasses.dataclass(frozen=True)
class Terms:
    """How a run is made; the defaults are those of a module for one thing.

    ``owner``: the topology whose objects these are; ``purge``: what it had and does not list goes; ``verify``: what is
    probed before the run counts; ``on_failure``: ``rollback`` or ``keep``; ``saved``: what is to be replayed at boot, as
    ``saved.text`` has it; empty: nothing; None: what was saved stays.
    """

    owner: str | None = None
    purge: bool = True
    verify: tuple[Check, ...] = ()
    on_failure: str = "rollback"
    saved: str | None = None


def execute(wanted: Wanted | t.Callable[[], Wanted], check_mode: bool = False, terms: Terms | None = None) -> Report:
    """Bring the host to what is wanted, or with ``check_mode`` say what that would take.

    ``wanted`` may be a function, which is asked when nobody else can change anything any more.
    Raises NetnsError; after partial work it carries ``changes`` (what had been done) and ``rolled_back``.
    """
    terms = terms or Terms()
    with contextlib.ExitStack() as stack:
        if not check_mode:
            stack.enter_context(store.locked())
            stack.enter_context(stopping.deferred())
        before = _left_over() if check_mode else recovery.recover()
        host = stack.enter_context(Host())
        try:
            asked = wanted() if callable(wanted) else wanted
            result = _Transaction(host, asked, terms, check_mode).run()
        except NetnsError as exc:
            exc.recovered = before.changes
            raise
    result.recovered = before.changes
    result.warnings += before.problems
    return result


def _left_over() -> recovery.Recovered:
    """In check mode: whether a real run would first bring a killed one to its end."""
    if store.idle() and journal.left():
        return recovery.Recovered(problems=["a run was killed here; a real run first takes back what that one had done"])
    return recovery.Recovered()


class _Transaction:
    """The steps of one run."""

    def __init__(self, host: Host, wanted: Wanted, terms: Terms, check_mode: bool) -> None:
        self._host = host
        self._terms = terms
        self._check_mode = check_mode
        self._asked = self._settled = wanted
        self._owners = registry.load(terms.owner) if terms.owner else None
        # removing a topology goes as far as it can: what is in the way of one thing is not in the way of all
        self._tolerant = terms.owner is not None and not wanted.present
        self._problems: list[str] = []
        self._warnings: list[str] = []
        self._results: list[dict[str, t.Any]] = []
        self._away = remembered.Keeper(wanted, Observed())
        self._saved = saved.files(terms.owner, terms.saved) if terms.owner else {}

    def run(self) -> Report:
        wanted, state, changes = self._planned()
        if self._check_mode:
            self._refuse(self._problems, [])
            return self._report(changes, state)
        gone = Leaving(self._host, changes)
        if self._tolerant:
            return self._removed(state, changes, gone)
        if not changes:
            self._probe()
            self._commit(self._files(changes, state))
            return self._report(changes, state)
        kept = snapshot.take(self._host, changes)
        diary = journal.Journal(changes, kept, self._files(changes, state))
        run = running.Run(self._host)
        try:
            self._commit(self._away.begin())
            state = self._made(wanted, state, changes, run, diary)
            self._probe()
            stopping.check()
            # once more, since only now the namespaces that were made have their inodes
            self._commit(self._files(changes, state))
            journal.close()
        except BaseException as exc:
            self._undo(exc, run, kept, diary)
            raise
        self._host.release()
        self._warnings += gone.wait()
        return self._report(changes, state)

    def _made(self, wanted: Wanted, state: Observed, changes: list[Change], run: running.Run, diary: journal.Journal) -> Observed:
        """Make the changes and read again what they are about.

        A bridge that goes up is flooded by what its ports have to say to each other, and all that is read meanwhile waits:
        with a thousand ports as long as all the rest takes. So it goes up when the rest has been read, unless it is needed
        for that: duplicate address detection asks those behind it.
        """
        last = [change for change in changes if change.phase[0] in _LOUD]
        alone = bool(last) and changes[-1] is last[-1] and not waits_for_dad(wanted)
        parts = [changes[: -len(last)], last] if alone else [changes]
        for part in parts:
            for members in running.phases(part):
                stopping.check()
                diary.begin(members)
                run.phase(members)
            wait_for_dad(self._host, wanted)
            ahead = frozenset(key for change in last if part is not parts[-1] for key in change.resource.claims)
            state = _verified(self._host, wanted, part, state, ahead)
        return state

    # --- before

    def _planned(self) -> tuple[Wanted, Observed, list[Change]]:
        """What is wanted in the end, what was found, and what is to be done about it."""
        wanted = self._asked
        owners = self._owners
        if owners:
            going = owners.going(wanted, self._terms.purge)
            listed = {resource.key for resource in wanted.absent}
            wanted = dataclasses.replace(wanted, absent=(*wanted.absent, *(gone for gone in going if gone.key not in listed)))
            wanted = owners.share(wanted)
            if wanted.present:
                wanted = dataclasses.replace(wanted, because="not listed any more")
        wanted = settle(self._host, wanted, may_lack_nft=self._check_mode)
        state = observe(self._host, wanted)
        if owners:
            wanted, said = owners.spare(wanted, state)
            if state.doomed - {resource.netns for resource in wanted.absent if isinstance(resource, Namespace)}:
                # a namespace stays after all, and what there is of ours in it has not been looked at
                state = observe(self._host, wanted)
                wanted, more = owners.spare(wanted, state)
                said += more
            self._warnings += said
        changes = self._plan(wanted, state)
        devices, bare = recreated(changes, state), readdressed(changes)
        if devices or bare:
            wanted = keep_hanging(self._host, wanted, devices, bare)
            state = observe(self._host, wanted)
            changes = self._plan(wanted, state)
        if owners:
            owners.refuse(changes)
        self._away = remembered.Keeper(wanted, state)
        self._settled = wanted
        return wanted, state, changes

    def _plan(self, wanted: Wanted, state: Observed) -> list[Change]:
        self._problems = []
        return plan(wanted, state, self._problems if self._tolerant else None)

    # --- after

    def _probe(self) -> None:
        if self._terms.verify:
            from . import probe  # compiled only by runs that probe

            self._results = probe.run(self._host, self._terms.verify)

    def _files(self, changes: t.Sequence[Change], state: Observed, whole: bool = True) -> journal.Files:
        away = {**self._away.after(changes, state, whole), **(self._tables() if whole else {})}
        if self._owners is None:
            return away
        records = registry.files(self._owners, self._owners.after(self._asked, changes, state.found, self._terms.purge))
        return {**away, **records, **(self._saved if whole else {})}

    def _tables(self) -> journal.Files:
        present, absent = ([each for each in side if isinstance(each, Table)] for side in (self._settled.present, self._settled.absent))
        if not present and not absent:
            return {}
        from . import nat_remembered  # compiled only by runs that are about NAT

        return nat_remembered.files(present, absent)

    def _commit(self, files: journal.Files) -> None:
        for name, (_old, new) in files.items():
            recovery.put(name, new)

    def _removed(self, state: Observed, changes: list[Change], gone: Leaving) -> Report:
        """Remove all that can be removed; what cannot is told together at the end, and stays this topology's."""
        run = running.Run(self._host, tolerant=True)
        self._commit(self._saved)  # first, or what is left half removed would be built again
        self._commit(self._away.begin())
        try:
            for members in running.phases(changes):
                stopping.check()
                run.phase(members)
        except NetnsError as exc:
            exc.changes = self._told(run.done)
            raise
        self._host.release()
        self._warnings += gone.wait()
        self._refuse([*self._problems, *run.problems], run.done)
        self._commit(self._files(changes, state))
        return self._report(changes, state)

    def _refuse(self, problems: t.Sequence[str], done: t.Sequence[Change]) -> None:
        """Raise StateError with all that keeps the topology from being removed whole, if anything does."""
        if not problems:
            return
        error = StateError(f"not all of topology {self._terms.owner!r} could be removed: {'; '.join(problems)}")
        error.changes = [] if self._check_mode else self._told(done)
        raise error

    def _told(self, changes: t.Sequence[Change]) -> list[dict[str, t.Any]]:
        """The changes as a result shows them, with that of what is saved in its place."""
        told, about = [change.report() for change in changes], saved.told(self._saved)
        return [*about, *told] if self._tolerant else [*told, *about]

    def _undo(self, exc: BaseException, run: running.Run, kept: snapshot.Snapshot, diary: journal.Journal) -> None:
        """Go back, or leave things for a look; tell on the exception what had been done and whether all is as it was."""
        done = run.done
        problems = []
        if self._terms.on_failure == "keep":
            # what is left is this topology's, so that its next run or its removal finds it
            with contextlib.suppress(NetnsError, OSError):
                self._commit(self._files(done, observe(self._host, self._asked), whole=False))
        else:
            with contextlib.suppress(NetnsError, OSError):  # the reason of the failure matters more, and a full disk is no reason to stay
                diary.undo()
            with contextlib.suppress(NetnsError, OSError):
                kept = snapshot.keep_routes(self._host, kept, run.begun)
            problems = running.undo(self._host, kept, (change.inverse() for change in reversed(run.begun)), [])
            try:
                self._commit({name: (None, old) for name, (old, _new) in diary.files.items() if old != store.read(name)})
                self._commit(self._away.undone())
            except (NetnsError, OSError) as problem:
                problems.append(str(problem))
        try:
            journal.close()
        except NetnsError as problem:
            problems.append(str(problem))
        if isinstance(exc, NetnsError):
            exc.changes = [change.report() for change in done]
            exc.rolled_back = not problems and self._terms.on_failure != "keep"
            if problems:
                exc.args = (f"{exc}; and undoing what had been done failed: {'; '.join(problems)}",)

    def _report(self, changes: t.Sequence[Change], state: Observed) -> Report:
        result = report.report(changes, state.found)
        result.changes = self._told(changes)
        result.warnings += self._warnings
        result.results = self._results
        result.saved = saved.names_after(self._saved) if self._owners else []
        return result


def _verified(host: Host, wanted: Wanted, changes: t.Sequence[Change], before: Observed, ahead: frozenset[Key]) -> Observed:
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
