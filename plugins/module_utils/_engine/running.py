# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Changes made, and changes undone: forward phase by phase, back one by one."""

from __future__ import annotations

import contextlib
import errno
import functools
import itertools
import os
import typing as t

from . import apply, namespaces, namespaces_making, snapshot
from .apply import Handlers, Step
from .changes import Change, Phase
from .errors import KernelError, NetnsError
from .host import Host
from .record import Resource
from .resources import Link, Namespace, Sysctl, Veth
from .resources_addresses import Address
from .resources_routes import Route, Rule
from .rtnetlink import Failure, Request
from .snapshot import Snapshot
from .values import HOST


def steps(change: Change, host: Host) -> t.Iterator[Step]:
    """What is to be done for a change. A generator: a call that it yields is to be made before it is asked for more."""
    kind = change.resource.KIND
    return _handlers(kind)[(kind, change.action)](change, host)


@functools.cache
def _handlers(kind: str) -> Handlers:
    """Those of a kind of object; compiled only by runs that change one."""
    if kind in (Link.KIND, Veth.KIND):
        from . import apply_links

        return apply_links.HANDLERS
    if kind in (Address.KIND, Route.KIND, Rule.KIND):
        from . import apply_ip

        return apply_ip.HANDLERS
    if kind in (Namespace.KIND, Sysctl.KIND):
        return apply.HANDLERS
    from . import apply_nat

    return apply_nat.HANDLERS


class Run:
    """What has been done so far, so that it can be undone. ``tolerant``: a failure is noted, and the rest is done nevertheless."""

    def __init__(self, host: Host, tolerant: bool = False) -> None:
        self._host = host
        self._tolerant = tolerant
        self._asked: list[Change] = []  # in the order of the plan
        self._done: set[int] = set()  # the identities of those of which something was done
        self._open: set[int] = set()  # and of those of which nobody knows
        self.problems: list[str] = []

    @property
    def done(self) -> list[Change]:
        """The changes of which something was done, in their order."""
        return [change for change in self._asked if id(change) in self._done]

    @property
    def begun(self) -> list[Change]:
        """Those, and those that failed on the way: something of them may have been done."""
        return [change for change in self._asked if id(change) in self._done | self._open]

    def phase(self, changes: t.Sequence[Change]) -> None:
        """Do the changes of one phase: requests pipelined per namespace, one stage after the other."""
        queue: list[tuple[Request, Change]] = []
        with _together(changes):
            for change in changes:
                self._asked.append(change)
                try:
                    for step in steps(change, self._host):
                        if isinstance(step, Request):
                            queue.append((step, change))
                        else:
                            self._call(step, change)
                except NetnsError as exc:
                    self._failed(exc)
        for stage in sorted({request.stage for request, _change in queue}):
            self._stage([(request, change) for request, change in queue if request.stage == stage])

    def _failed(self, exc: NetnsError) -> None:
        if not self._tolerant:
            raise exc
        self.problems.append(str(exc))

    def _call(self, call: t.Callable[[], None], change: Change) -> None:
        # what could not come is not there or somebody else's; what was to go may have gone in part
        if change.action == "delete":
            self._open.add(id(change))
        try:
            call()
        except OSError as exc:
            raise KernelError(f"cannot {change.describe()}: {_explained(change, Failure(exc.errno or 0, ''))}", exc.errno or 0) from exc
        self._done.add(id(change))

    def _stage(self, queue: t.Sequence[tuple[Request, Change]]) -> None:
        by_place: dict[str, list[tuple[Request, Change]]] = {}
        for request, change in queue:
            by_place.setdefault(request.netns, []).append((request, change))
        refused: list[tuple[Change, Failure]] = []
        for netns, members in by_place.items():
            messages = [request.message() if callable(request.message) else request.message for request, _change in members]
            sock = self._host.socket(netns)
            asked = [id(change) for _request, change in members]
            self._open.update(asked)
            failures = sock.batch(messages)
            self._open.difference_update(asked)
            self._done.update(asked if not failures else (each for position, each in enumerate(asked) if position not in failures))
            refused += [(members[at][1], failure) for at, failure in sorted(failures.items()) if not members[at][0].optional]
        for change, failure in refused:
            # what a device is to have at home again, a router or a daemon may give it as soon as it is up
            calm = self._tolerant or change.phase[0] == Phase.RETURN
            if not (calm and as_it_should(change, failure.errno)):
                self._failed(KernelError(f"cannot {change.describe()}: {_explained(change, failure)}", failure.errno))


def _together(changes: t.Sequence[Change]) -> t.ContextManager[None]:
    """What many changes of one phase have in common is done once."""
    if not any(change.action == "create" and isinstance(change.after, Namespace) for change in changes):
        return contextlib.nullcontext()
    return namespaces_making.several()


def _explained(change: Change, failure: Failure) -> str:
    from . import running_refusals

    return running_refusals.explained(change, failure)


def undo(host: Host, kept: Snapshot, back: t.Iterable[Change], done: list[Change]) -> list[str]:
    """Make the changes that lead back and put back what the kernel took away unasked; returns what went wrong.

    ``done`` gets those that were made.
    """
    # what fails may lean on what comes back later, some of it only by the snapshot: it is tried again
    sensible = (step for step in back if makes_sense(host, step))
    failed = [step for step, _problem in _made(host, sensible, done)]
    failed = [step for step, _problem in _made(host, filter(None, failed), done)]
    problems = [problem for _step, problem in _made(host, snapshot.missing(host, kept), done)]
    return problems + [problem for _step, problem in _made(host, filter(None, failed), done)]


def _made(host: Host, steps: t.Iterable[Change], done: list[Change]) -> t.Iterator[tuple[Change | None, str]]:
    """Make the changes; yields those that went wrong (none: the next could not be found), with the reason."""
    waiting = iter(steps)
    while True:
        for netns in host.places():
            host.forget_names(netns)
        step = None
        try:
            step = next(waiting, None)
            if step is None:
                return
            Run(host).phase([step])
            done.append(step)
        except (NetnsError, OSError) as problem:
            if step is None or not as_it_should(step, getattr(problem, "errno", 0)):
                yield step, str(problem)


def as_it_should(step: Change, number: int) -> bool:
    """Whether the kernel refused a change because it has been made: much goes, and some comes, with something else."""
    if step.action == "delete":
        return number in (errno.ENODEV, errno.ENOENT, errno.ESRCH, errno.EADDRNOTAVAIL)
    return step.action == "create" and number == errno.EEXIST and isinstance(step.after, (Address, Route, Rule))


def phases(changes: t.Sequence[Change]) -> t.Iterator[list[Change]]:
    """The changes phase by phase; they are in that order."""
    for _phase, members in itertools.groupby(changes, key=lambda change: change.phase):
        yield list(members)


def makes_sense(host: Host, step: Change) -> bool:
    """Whether a step is still to be made: what is to go is there, what is to come is not, and so is its place."""
    resource = step.resource
    if isinstance(resource, Namespace):
        # a plain file is what is left of one that could not be removed whole
        found = namespaces.find(resource.netns)
        return found is None or found.stale if step.action == "create" else found is not None
    if step.action == "move":
        return isinstance(step.before, Link) and _has(host, step.before) and there(host, resource.where)
    if isinstance(resource, Veth):
        alive = any(_has(host, end) for end in resource.ends)
        return alive if step.action == "delete" else not alive and all(there(host, end.netns) for end in resource.ends)
    if isinstance(resource, Link):
        return there(host, resource.where) and _has(host, resource) != (step.action == "create")
    return there(host, resource.where)


def there(host: Host, netns: str) -> bool:
    if netns == HOST:
        return True
    if netns.startswith("/"):
        return os.path.exists(netns)
    found = namespaces.find(netns)
    return found is not None and not found.stale


def _has(host: Host, link: Resource) -> bool:
    return isinstance(link, Link) and there(host, link.netns) and host.link(link.netns, link.ifname) is not None
