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
import typing as t

from . import plan_devices, plan_homes, plan_sysctls, takeover
from .changes import Change, Phase
from .compare import differences
from .errors import StateError
from .record import Resource
from .resources import Address, Link, Namespace, Nat, OnlyAddresses, Route, Rule, Sysctl, TakeOver, Veth
from .resources_foreign import ForeignAccept
from .resources_nat import SysctlFile, Table
from .values import no_namespace, place

if t.TYPE_CHECKING:
    from .options import Wanted
    from .state import Observed

_R = t.TypeVar("_R", bound=Resource)


def plan(wanted: Wanted, state: Observed, problems: list[str] | None = None) -> list[Change]:
    """What is left to do, in the order in which it is done; empty when the host is as wanted.

    Raises StateError for what cannot or must not be done, before anything is changed; with ``problems``, what cannot be
    removed is noted there, and the rest is planned.
    """
    depths = plan_devices.depths(wanted.present)
    late = plan_devices.bridges_with_ports(wanted.present)
    changes: list[Change] = []
    # who stands on another comes after it, and whatever has no depth last: it may hang on a device that is re-created
    for resource in sorted(wanted.present, key=lambda resource: depths.get(resource.key, len(depths))):
        planner = _PRESENT[type(resource)]
        for change in planner(resource, state):
            if change.action == "delete":
                state = state.without(change.resource)
            elif change.action == "update" and isinstance(change.resource, Link) and change.differs.get("up") == (True, False):
                state = state.down(change.resource)
            changes += plan_devices.placed(change, depths, late)
    changes += _once(_removals(wanted.absent, state, problems), changes)
    up_late = {change.resource.where for change in changes if change.phase[0] == Phase.BRIDGE_UP}
    changes = [
        _after_bridges(change) if isinstance(change.resource, Route) and change.resource.where in up_late else change for change in changes
    ]
    return sorted(plan_sysctls.again(changes, wanted.present), key=lambda change: change.phase)


def _removals(absent: t.Iterable[Resource], state: Observed, problems: list[str] | None) -> t.Iterator[Change]:
    """Namespaces first: whether one goes decides how what is in it goes."""
    doomed: set[str] = set()
    for resource in sorted(absent, key=lambda resource: not isinstance(resource, Namespace)):
        try:
            yield from _ABSENT[type(resource)](resource, state, doomed)
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
    gone: set[t.Any] = {change.before for change in others if change.action == "delete" and isinstance(change.before, Address)}
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


def _after_bridges(change: Change) -> Change:
    """A route of a namespace whose bridge comes up late can only be set after that."""
    return change if change.phase[0] != Phase.ROUTE else dataclasses.replace(change, phase=(Phase.LATE_ROUTE, change.phase[1]))


# --- present


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


def _address(wish: Address, state: Observed) -> t.Iterator[Change]:
    state.need_place(wish.netns, wish)
    state.need_device(wish.netns, wish.dev, "dev", wish)
    found = state.like(wish)
    if found is None:
        yield Change.create(wish, (Phase.ADDRESS, 0), "not there")
        return
    differs = differences(found, wish)
    # of an IPv4 address the kernel changes the metric and the lifetimes only, and ignores the flags
    lasting = ("prefixlen", "peer", "broadcast", "label", "scope", *(() if ":" in wish.address else ("noprefixroute",)))
    fixed = next((name for name in differs if name in lasting), None)
    if fixed:
        reason = f"{fixed} cannot be changed in place"
        # after those that are new: with its last IPv4 address a device loses its routes
        yield Change.delete(found, (Phase.ADDRESS, 1), reason)
        yield Change.create(_completed(wish, found, ()), (Phase.ADDRESS, 1), reason)
    elif differs:
        # the kernel sets back what a change does not name
        yield Change.update(found, _completed(wish, found, ()), differs, (Phase.ADDRESS, 0))


def _completed(wish: _R, found: _R, less: t.Collection[str]) -> _R:
    """The wish with what it leaves open as it was found."""
    if isinstance(wish, Address) and wish.valid_lft is not None:
        less = (*less, "preferred_lft")  # it cannot be longer
    kept: dict[str, t.Any] = {"protocol": found.protocol} if isinstance(found, Address) else {}  # who made it made it
    kept.update({name: value for name, value in found.attributes().items() if getattr(wish, name) is None and name not in less})
    return dataclasses.replace(wish, **kept)


def _only_addresses(wish: OnlyAddresses, state: Observed) -> t.Iterator[Change]:
    kept = {address.key for address in wish.keep}
    kinds = {(":" in address.address, address.scope or _natural_scope(address.address)) for address in wish.keep}
    for found in state.of(Address, wish.netns):
        if found.dev != wish.dev or found.key in kept:
            continue
        if (":" in found.address, found.scope) in kinds and not found.automatic:
            yield Change.delete(found, (Phase.ADDRESS, 2), "not listed, and exclusive is true")


def _natural_scope(address: str) -> int:
    """The scope that the kernel gives: host for ::1, link for fe80::/10; for IPv4 what was asked, global by default."""
    return 254 if address == "::1" else 253 if address.startswith("fe80:") else 0


def _route(wish: Route, state: Observed) -> t.Iterator[Change]:
    state.need_place(wish.netns, wish)
    ways = [(f"nexthops[{at}]." if wish.nexthops else "", way) for at, way in enumerate(wish.ways)]
    for where, way in ways:
        state.need_device(wish.netns, way.dev, f"{where}dev", wish)
    found = state.like(wish)
    differs = differences(found, wish) if found else {}
    if found and not differs:
        return
    for where, way in ways:
        if way.gateway and not way.onlink and not state.reaches(wish.netns, way.gateway, wish.table):
            raise StateError(
                f"{where}gateway: {way.gateway} of {wish.describe()} is in no subnet of the addresses there: "
                "add an address in its subnet first, correct it, or set onlink: true with the dev on which it is"
            )
    if found is None:
        yield Change.create(wish, (Phase.ROUTE, wish.rank), "not there")
        return
    # the old way's source and protocol may not fit the new one; the metrics are about the destination
    kept = set() if "type" in differs else {"mtu", "advmss"} if {"gateway", "dev", "nexthops"} & {*differs} else {*found.attributes()}
    less = {*found.attributes()} - kept
    yield Change.update(found, _completed(wish, found, less), differs, (Phase.ROUTE, wish.rank))


def _rule(wish: Rule, state: Observed) -> t.Iterator[Change]:
    state.need_place(wish.netns, wish)
    same = [found for found in _rules_like(wish, state) if not differences(found, wish)]
    if same:
        return
    found = state.like(wish)
    if found is None:
        yield Change.create(wish, (Phase.RULE, 0), "not there")
        return
    reason = ", ".join(f"{name} differs" for name in differences(found, wish))
    # the new one first: two rules with one priority may stand beside each other, none may not
    yield Change.create(wish, (Phase.RULE, 0), reason)
    yield Change.delete(found, (Phase.RULE, 1), reason)


def _rules_like(wish: Rule, state: Observed) -> list[Rule]:
    """The rules with the selectors of the wish, and its priority if it names one."""
    return [
        found
        for found in state.of(Rule, wish.netns)
        if (found.family, found.selectors) == (wish.family, wish.selectors) and wish.priority in (None, found.priority)
    ]


def _sysctl(wish: Sysctl, state: Observed) -> t.Iterator[Change]:
    state.need_place(wish.netns, wish)
    found = state.like(wish)
    device = wish.device
    if found is None and wish.if_there:
        return
    if found is None and (state.there(wish.netns) and not (device and (wish.netns, device) in state.coming_devices)):
        raise StateError(
            f"sysctl {wish.name} does not exist {place(wish.netns)}: correct its name, or create the device that it belongs to first"
        )
    # IPv6 forwarding of the host makes it forget routes from router advertisements, unless accept_ra of the device says otherwise first
    last = wish.path == "net/ipv6/conf/all/forwarding"
    phase = (Phase.CLOSE if wish.if_there else Phase.DEVICE_SYSCTL if device or last else Phase.SYSCTL, int(last))
    if found is None:
        yield Change.update(dataclasses.replace(wish, value=None), wish, {"value": (None, wish.value)}, phase, "not there yet")
    elif found.value != wish.value:
        yield Change.update(found, wish, {"value": (found.value, wish.value)}, phase)


def _nat(wish: Nat, state: Observed) -> t.Iterator[Change]:
    """What it takes are sysctls and a table of their own; here is judged what it names."""
    state.need_place(wish.netns, wish)
    state.need_device(wish.netns, wish.interface, "interface", wish)
    if wish.uplink != "auto":
        state.need_device(wish.netns, wish.uplink, "uplink", wish)
    return iter(())


def _table(wish: Table, state: Observed) -> t.Iterator[Change]:
    state.need_place(wish.netns, wish)
    found = state.like(wish)
    if found is None:
        yield Change.create(wish, (Phase.FIREWALL, 0), "not there")
    elif found.ruleset != wish.ruleset:
        yield Change.update(found, wish, {"ruleset": (found.text, wish.text)}, (Phase.FIREWALL, 0))


def _file(wish: SysctlFile, state: Observed) -> t.Iterator[Change]:
    found = state.like(wish)
    if found is None:
        yield Change.create(wish, (Phase.FIREWALL, 0), "not there")
    elif found != wish:
        yield Change.update(found, wish, differences(found, wish), (Phase.FIREWALL, 0))


def _foreign_accept(wish: ForeignAccept, state: Observed) -> t.Iterator[Change]:
    found = state.like(wish)
    if found is None:
        yield Change.create(wish, (Phase.FIREWALL, 1), "others would drop it")
    elif found.rules != wish.rules:
        yield Change.update(found, wish, {"rules": (found.rules, wish.rules)}, (Phase.FIREWALL, 1))


# --- absent: what is not there is fine, also where its whole namespace is not there


def _no_namespace(wish: Namespace, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
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


def _no_address(wish: Address, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    found = state.found.get(wish.key)
    if found and wish.netns not in doomed:
        yield Change.delete(found, (Phase.NO_ADDRESS, 0), state.because)


def _no_route(wish: Route, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    for found in [] if wish.netns in doomed else state.of(Route, wish.netns):
        if (found.table, found.dest) != (wish.table, wish.dest):
            continue
        if wish.metric in (None, found.metric) and not differences(found, wish):
            yield Change.delete(found, (Phase.NO_ROUTE, 0), state.because)


def _no_rule(wish: Rule, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    for found in [] if wish.netns in doomed else _rules_like(wish, state):
        if not differences(found, wish):
            yield Change.delete(found, (Phase.NO_RULE, 0), state.because)


def _no_table(wish: Table | ForeignAccept, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    found = state.found.get(wish.key)
    if found and wish.netns not in doomed:
        yield Change.delete(found, (Phase.NO_FIREWALL, 0), state.because)


def _no_file(wish: SysctlFile, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    found = state.found.get(wish.key)
    if found:
        yield Change.delete(found, (Phase.NO_FIREWALL, 0), state.because)


def _nothing(wish: Resource, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    """A sysctl cannot go, and a wish for the only addresses is gone with its addresses."""
    return iter(())


_PRESENT: dict[type, t.Callable[[t.Any, Observed], t.Iterator[Change]]] = {
    Namespace: _namespace,
    Link: plan_devices.link,
    Veth: plan_devices.veth,
    Address: _address,
    OnlyAddresses: _only_addresses,
    TakeOver: takeover.take_over,
    Route: _route,
    Rule: _rule,
    Sysctl: _sysctl,
    Nat: _nat,
    Table: _table,
    SysctlFile: _file,
    ForeignAccept: _foreign_accept,
}
_ABSENT: dict[type, t.Callable[[t.Any, Observed, set[str]], t.Iterator[Change]]] = {
    Namespace: _no_namespace,
    Link: plan_devices.no_link,
    Veth: plan_devices.no_veth,
    Address: _no_address,
    OnlyAddresses: _nothing,
    TakeOver: takeover.give_back,
    Route: _no_route,
    Rule: _no_rule,
    Sysctl: _nothing,
    Table: _no_table,
    SysctlFile: _no_file,
    ForeignAccept: _no_table,
}
