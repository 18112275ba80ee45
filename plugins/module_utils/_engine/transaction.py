# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""One run, from wishes to report: lock, recover, observe, plan, apply, verify, commit; what fails half way is undone.

Check mode is the same way without ``apply``: it cannot disagree with a real run. It takes no lock, and a journal that a
killed run left is only told of. What a run does that has something to change is in ``making``; a run that has not does
not even compile it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from . import report, stopping, store
from .changes import Change
from .errors import NetnsError, StateError
from .host import Host
from .observe import observe, settle
from .options import Wanted
from .plan import plan
from .record import Value, record
from .report import Report
from .resources import Namespace
from .state import Observed

if t.TYPE_CHECKING:
    from .journal import Files
    from .probe_options import Check
    from .remembered import Keeper
    from .resources_nat import Table


@record
class Terms(Value):
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
        recovered, problems = _left_over(check_mode)
        host = stack.enter_context(Host())
        try:
            asked = wanted() if callable(wanted) else wanted
            result = Transaction(host, asked, terms, check_mode).run()
        except NetnsError as exc:
            exc.recovered = recovered
            raise
    result.recovered = recovered
    result.warnings += problems
    return result


def _left_over(check_mode: bool) -> tuple[list[dict[str, t.Any]], list[str]]:
    """Bring a killed run to its end, or in check mode say that a real run would; the changes that took, and what went wrong."""
    if not store.there(store.JOURNAL):
        return [], []
    if not check_mode:
        from . import recovery

        found = recovery.recover()
        return found.changes, found.problems
    from . import journal

    if store.idle() and journal.left():
        return [], ["a run was killed here; a real run first takes back what that one had done"]
    return [], []


class Transaction:
    """The steps of one run."""

    def __init__(self, host: Host, wanted: Wanted, terms: Terms, check_mode: bool) -> None:
        self.host = host
        self.terms = terms
        self.check_mode = check_mode
        self.asked = self._settled = wanted
        # removing a topology goes as far as it can: what is in the way of one thing is not in the way of all
        self.tolerant = terms.owner is not None and not wanted.present
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self._results: list[dict[str, t.Any]] = []
        self.away: Keeper | None = None
        self._owners = self._registry().load(terms.owner) if terms.owner else None
        self.saved = self._lasting().files(terms.owner, terms.saved) if terms.owner else {}

    def run(self) -> Report:
        wanted, state, changes = self._planned()
        if self.check_mode:
            self.refuse(self.problems, [])
            return self.report(changes, state)
        if changes or self.tolerant:
            from . import making

            make = making.Making(self, wanted, state, changes)
            return make.removed() if self.tolerant else make.made()
        self.probe()
        self.commit(self.files(changes, state))
        return self.report(changes, state)

    # --- before

    def _planned(self) -> tuple[Wanted, Observed, list[Change]]:
        """What is wanted in the end, what was found, and what is to be done about it."""
        wanted = self.asked
        owners = self._owners
        if owners:
            going = owners.going(wanted, self.terms.purge)
            listed = {resource.key for resource in wanted.absent}
            wanted = dataclasses.replace(wanted, absent=(*wanted.absent, *(gone for gone in going if gone.key not in listed)))
            wanted = owners.share(wanted)
            if wanted.present:
                wanted = dataclasses.replace(wanted, because="not listed any more")
        wanted = settle(self.host, wanted, may_lack_nft=self.check_mode)
        state = observe(self.host, wanted)
        if owners:
            wanted, said = owners.spare(wanted, state)
            if state.doomed - {resource.netns for resource in wanted.absent if isinstance(resource, Namespace)}:
                # a namespace stays after all, and what there is of ours in it has not been looked at
                state = observe(self.host, wanted)
                wanted, more = owners.spare(wanted, state)
                said += more
            self.warnings += said
        changes = self._plan(wanted, state)
        if any(change.action in ("delete", "move") for change in changes):
            wanted, state, changes = self._with_what_hangs(wanted, state, changes)
        if owners:
            owners.refuse(changes)
        if state.homes or state.leaving:
            from . import remembered

            self.away = remembered.Keeper(wanted, state)
        self._settled = wanted
        return wanted, state, changes

    def _with_what_hangs(self, wanted: Wanted, state: Observed, changes: list[Change]) -> tuple[Wanted, Observed, list[Change]]:
        """Where a device is re-created, what hangs on it is wished for too."""
        from . import observe_hanging, plan_devices

        devices, bare = plan_devices.recreated(changes, state), plan_devices.readdressed(changes)
        if not devices and not bare:
            return wanted, state, changes
        wanted = observe_hanging.keep_hanging(self.host, wanted, devices, bare)
        state = observe(self.host, wanted)
        return wanted, state, self._plan(wanted, state)

    def _plan(self, wanted: Wanted, state: Observed) -> list[Change]:
        self.problems = []
        return plan(wanted, state, self.problems if self.tolerant else None)

    # --- after

    def probe(self) -> None:
        """What is to be proved before the run counts. Raises ProbeError."""
        if self.terms.verify:
            from . import probe  # compiled only by runs that probe

            self._results = probe.run(self.host, self.terms.verify)

    def files(self, changes: t.Sequence[Change], state: Observed, whole: bool = True) -> Files:
        """The state files that these changes are recorded in. Not ``whole``: the run stopped among them."""
        if self._owners is None:
            return self._files(changes, state, whole, {})
        records = self._owners.after(self.asked, changes, state.found, self.terms.purge)
        return self._files(changes, state, whole, self._registry().files(self._owners, records))

    def files_now(self, changes: t.Sequence[Change], state: Observed) -> Files:
        """The same files for the way back: of a topology's record, which may be of thousands of objects, not what it is to say."""
        return self._files(changes, state, True, self._registry().files_now(self._owners) if self._owners else {})

    def _files(self, changes: t.Sequence[Change], state: Observed, whole: bool, owned: Files) -> Files:
        away = self.away.after(changes, state, whole) if self.away else {}
        return {**away, **(self._tables() if whole else {}), **owned, **(self.saved if whole else {})}

    def _tables(self) -> Files:
        present, absent = (_tables_of(side) for side in (self._settled.present, self._settled.absent))
        if not present and not absent:
            return {}
        from . import nat_remembered  # compiled only by runs that are about NAT

        return nat_remembered.files(present, absent)

    def commit(self, files: Files) -> None:
        """Write them."""
        if not files:
            return
        from . import store_files  # compiled only by runs that have something to write

        for name, (_old, new) in files.items():
            store_files.put(name, new)

    def refuse(self, problems: t.Sequence[str], done: t.Sequence[Change]) -> None:
        """Raise StateError with all that keeps the topology from being removed whole, if anything does."""
        if not problems:
            return
        error = StateError(f"not all of topology {self.terms.owner!r} could be removed: {'; '.join(problems)}")
        error.changes = [] if self.check_mode else self.told(done)
        raise error

    def told(self, changes: t.Sequence[Change]) -> list[dict[str, t.Any]]:
        """The changes as a result shows them, with that of what is saved in its place."""
        return self._with_saved([change.report() for change in changes])

    def _with_saved(self, told: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
        if not self.saved:
            return told
        about = self._lasting().told(self.saved)
        return [*about, *told] if self.tolerant else [*told, *about]

    def report(self, changes: t.Sequence[Change], state: Observed) -> Report:
        """The run as it went."""
        result = report.report(changes, state.found)
        result.changes = self._with_saved(result.changes)
        result.warnings += self.warnings
        result.results = self._results
        result.saved = self._lasting().names_after(self.saved) if self._owners else []
        return result

    # --- what only a topology has, and only its runs compile

    @staticmethod
    def _registry() -> t.Any:
        from . import registry

        return registry

    @staticmethod
    def _lasting() -> t.Any:
        from . import saved

        return saved


def _tables_of(records: t.Iterable[t.Any]) -> list[Table]:
    return [record for record in records if record.KIND == "nft_table"]
