# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""One run, from wishes to report: lock, observe, plan, apply, verify; what fails half way is undone.

Check mode is the same way without ``apply``: it cannot disagree with a real run.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import itertools
import os
import signal
import stat
import time
import typing as t

from . import apply, report
from .changes import Change
from .errors import KernelError, NetnsError, StateError
from .host import Host
from .link_messages import Request
from .observe import keep_hanging, observe, settle
from .options import Wanted
from .plan import plan
from .plan_devices import readdressed, recreated
from .report import Report
from .resources import Address, Link, Namespace, Route, Rule, Veth
from .rtnetlink import Failure
from .snapshot import Snapshot
from .state import Observed
from .values import HOST

STATE_DIRECTORY = "/run/linuxnet-netns"
_LOCK_TIMEOUT = 60.0
_DAD_TIMEOUT = 10.0
_GONE_TIMEOUT = 10.0
_POLL = 0.02


def execute(wanted: Wanted, check_mode: bool = False) -> Report:
    """Bring the host to what is wanted, or with ``check_mode`` say what that would take.

    Raises NetnsError; after partial work it carries ``changes`` (what had been done) and ``rolled_back``.
    """
    with contextlib.ExitStack() as stack:
        if not check_mode:
            stack.enter_context(_locked())
        host = stack.enter_context(Host())
        wanted = settle(host, wanted, may_lack_nft=check_mode)
        state = observe(host, wanted)
        changes = plan(wanted, state)
        devices, bare = recreated(changes, state), readdressed(changes)
        if devices or bare:
            wanted = keep_hanging(host, wanted, devices, bare)
            state = observe(host, wanted)
            changes = plan(wanted, state)
        if check_mode:
            return report.report(changes, state.found)
        gone = _Leaving(host, changes)
        run = _Run(host, Snapshot(host, changes))
        try:
            for _phase, members in itertools.groupby(changes, key=lambda change: change.phase):
                run.phase(list(members))
            _wait_for_dad(host, wanted)
            if changes:
                state = _verified(host, wanted)
        except BaseException as exc:
            run.undo(exc)
            raise
        host.release()
        result = report.report(changes, state.found)
        result.warnings += gone.wait()
        return result


class _Run:
    """What has been done so far, so that it can be undone."""

    def __init__(self, host: Host, snapshot: Snapshot) -> None:
        self._host = host
        self._snapshot = snapshot
        self._asked: list[Change] = []  # in the order of the plan
        self._done: set[int] = set()  # the identities of those of which something was done

    def phase(self, changes: t.Sequence[Change]) -> None:
        """Do the changes of one phase: requests pipelined per namespace, one stage after the other."""
        queue: list[tuple[Request, Change]] = []
        for change in changes:
            self._asked.append(change)
            for step in apply.steps(change, self._host):
                if isinstance(step, Request):
                    queue.append((step, change))
                else:
                    self._call(step, change)
        for stage in sorted({request.stage for request, _change in queue}):
            self._stage([(request, change) for request, change in queue if request.stage == stage])

    def _call(self, call: t.Callable[[], None], change: Change) -> None:
        with _undisturbed():
            try:
                call()
            except OSError as exc:
                raise KernelError(f"cannot {change.describe()}: {Failure(exc.errno or 0, '')}", exc.errno or 0) from exc
            self._done.add(id(change))

    def _stage(self, queue: t.Sequence[tuple[Request, Change]]) -> None:
        by_place: dict[str, list[tuple[Request, Change]]] = {}
        for request, change in queue:
            by_place.setdefault(request.netns, []).append((request, change))
        first: tuple[Change, Failure] | None = None
        for netns, members in by_place.items():
            messages = [request.message() if callable(request.message) else request.message for request, _change in members]
            with _undisturbed():
                failures = self._host.socket(netns).batch(messages)
                self._done.update(id(change) for position, (_request, change) in enumerate(members) if position not in failures)
            for position, failure in sorted(failures.items()):
                request, change = members[position]
                if not request.optional:
                    first = first or (change, failure)
        if first:
            change, failure = first
            raise KernelError(f"cannot {change.describe()}: {_explained(change, failure)}", failure.errno)

    def undo(self, exc: BaseException) -> None:
        """Play the inverses back, the last first; tell on the exception what had been done and whether all is as it was."""
        done = [change for change in self._asked if id(change) in self._done]
        with _undisturbed():
            with contextlib.suppress(NetnsError, OSError):  # the reason of the failure matters more
                self._snapshot.keep_routes(done)
            back = itertools.chain.from_iterable((change.inverse(), *change.restores) for change in reversed(done))
            # what fails may lean on what comes back later, some of it only by the snapshot: it is tried again
            failed = [step for step, _problem in self._undone(back)]
            failed = [step for step, _problem in self._undone(filter(None, failed))]
            later = [problem for _step, problem in self._undone(self._snapshot.missing())]
            problems = [*later, *(problem for _step, problem in self._undone(filter(None, failed)))]
        if isinstance(exc, NetnsError):
            exc.changes = [change.report() for change in done]
            exc.rolled_back = not problems
            if problems:
                exc.args = (f"{exc}; and undoing what had been done failed: {'; '.join(problems)}",)

    def _undone(self, steps: t.Iterable[Change]) -> t.Iterator[tuple[Change | None, str]]:
        """Make the changes that lead back; yields those that went wrong (none: the next could not be found), with the reason."""
        waiting = iter(steps)
        while True:
            for netns in self._host.places():
                self._host.forget_names(netns)
            step = None
            try:
                step = next(waiting, None)
                if step is None:
                    return
                self.phase([step])
            except (NetnsError, OSError) as problem:
                if step is None or not _as_it_should(step, problem):
                    yield step, str(problem)


def _as_it_should(step: Change, problem: Exception) -> bool:
    """Whether the kernel refused a step back because it has been made: much goes, and some comes, with something else."""
    number = getattr(problem, "errno", 0)
    if step.action == "delete":
        return number in (errno.ENODEV, errno.ENOENT, errno.ESRCH, errno.EADDRNOTAVAIL)
    return step.action == "create" and number == errno.EEXIST and isinstance(step.after, (Address, Route, Rule))


@contextlib.contextmanager
def _undisturbed() -> t.Iterator[None]:
    """No signal comes between what is done and the note of it; what came is told at the end."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _explained(change: Change, failure: Failure) -> str:
    """The kernel's no, and what it means where its words alone do not say it."""
    link = change.after
    if not isinstance(link, Link) or failure.errno != errno.EOPNOTSUPP:
        return str(failure)
    created = change.action == "create"
    names = link.attributes() if created else change.differs
    asked = [name.replace("info.", f"{link.link_kind}.") for name in names if name.startswith(("info.", "port."))]
    # kernels before 5.5 do not say so, but they say the same of an attribute that was built without
    if created and (failure.text == "Unknown device type" or not (failure.text or asked)):
        from . import kinds

        module = kinds.MODULE.get(link.link_kind or "", link.link_kind)
        return f"this kernel has no links of kind {link.link_kind!r}: load the module {module}, or use a kernel that has it"
    if failure.text or not asked:
        return str(failure)
    return f"{failure}: this kernel does not have {'one of ' if len(asked) > 1 else ''}{', '.join(asked)}"


def _verified(host: Host, wanted: Wanted) -> Observed:
    """Read again; what is still left to do was accepted by the kernel and not done."""
    for netns in host.places():
        host.forget_names(netns)
    # the devices of a removed namespace go when the last file of it is closed, which is after this
    doomed = {resource.netns for resource in wanted.absent if isinstance(resource, Namespace)}
    settled = [
        resource for resource in wanted.absent if not (isinstance(resource, Veth) and any(end.netns in doomed for end in resource.ends))
    ]
    wanted = dataclasses.replace(wanted, absent=tuple(settled))
    state = observe(host, wanted)
    left = plan(wanted, state)
    if left:
        raise KernelError(f"the kernel accepted but did not {left[0].describe()} ({left[0].reason}): {left[0].report()['after']}")
    return state


def _wait_for_dad(host: Host, wanted: Wanted) -> None:
    """Until no listed address is tentative; only a device that runs does duplicate address detection."""
    waiting = [resource for resource in wanted.present if isinstance(resource, Address) and resource.wait_for_dad]
    if not waiting:
        return
    only = Wanted(present=tuple(waiting))
    deadline = time.monotonic() + _DAD_TIMEOUT
    while True:
        state = observe(host, only)
        found = [address for address in (state.found.get(wish.key) for wish in waiting) if isinstance(address, Address)]
        twice = next((address for address in found if address.dadfailed), None)
        if twice:
            raise StateError(f"{twice.describe()} is in use by a neighbour: duplicate address detection failed, choose another address")
        open_ = [address for address in found if address.tentative and state.devices[(address.netns, address.dev)].running]
        if not open_:
            return
        if time.monotonic() > deadline:
            raise StateError(
                f"{open_[0].describe()} is still tentative after {_DAD_TIMEOUT:.0f} seconds: set wait_for_dad: false not to wait"
            )
        time.sleep(_POLL * 2)


class _Leaving:
    """The devices that go with a namespace: the kernel takes them away later, and their names are free only then."""

    def __init__(self, host: Host, changes: t.Sequence[Change]) -> None:
        self._host = host
        self._indexes: dict[int, str] = {}
        for change in changes:
            namespace = change.before
            if (
                change.action == "delete"
                and isinstance(namespace, Namespace)
                and not namespace.stale
                and not (namespace.pids and namespace.processes == "keep")
            ):
                self._note_peers(namespace.netns)

    def _note_peers(self, netns: str) -> None:
        number = self._host.nsid(netns, HOST)
        for link in self._host.links(netns):
            if link.link_kind == "veth" and link.parent_nsid is not None and link.parent_nsid == number:
                self._indexes[link.parent_index] = netns

    def wait(self) -> list[str]:
        """Until the names are free; what a namespace that somebody else holds keeps is told as a warning."""
        deadline = time.monotonic() + _GONE_TIMEOUT
        left = dict(self._indexes)
        while left:
            left = {index: netns for index, netns in left.items() if self._host.exists(HOST, index)}
            if left and time.monotonic() > deadline:
                names = ", ".join(sorted(set(left.values())))
                return [f"namespace {names}: the name is gone, but an open file or another mount still holds it, so its devices stay"]
            if left:
                time.sleep(_POLL)
        return []


@contextlib.contextmanager
def _locked() -> t.Iterator[None]:
    """One run at a time on a host."""
    fd = _open_lock()
    try:
        deadline = time.monotonic() + _LOCK_TIMEOUT
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StateError(
                        f"another run of linuxnet.netns has held {STATE_DIRECTORY}/lock for {_LOCK_TIMEOUT:.0f} seconds: "
                        "wait for its end and try again"
                    ) from None
                time.sleep(_POLL)
        yield
    finally:
        os.close(fd)


def _open_lock() -> int:
    """The lock file; its directory is ours alone, and no step of the way is somebody's link."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(STATE_DIRECTORY, 0o700)
    found = os.lstat(STATE_DIRECTORY)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise StateError(f"{STATE_DIRECTORY} is not a directory of root's that only root can write to: remove it")
    try:
        return os.open(f"{STATE_DIRECTORY}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as exc:
        raise StateError(f"{STATE_DIRECTORY}/lock cannot be opened: {exc.strerror}: remove it") from exc
