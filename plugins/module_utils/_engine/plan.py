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

from . import plan_devices, takeover
from .changes import Change, Phase
from .compare import differences
from .errors import StateError
from .record import Resource
from .resources import Address, Link, Namespace, Nat, OnlyAddresses, Route, Rule, Sysctl, Table, TakeOver, Veth
from .values import place

if t.TYPE_CHECKING:
    from .options import Wanted
    from .state import Observed

_R = t.TypeVar("_R", bound=Resource)


def plan(wanted: Wanted, state: Observed) -> list[Change]:
    """What is left to do, in the order in which it is done; empty when the host is as wanted.

    Raises StateError for what cannot or must not be done, before anything is changed.
    """
    depths = plan_devices.depths(wanted.present)
    late = plan_devices.bridges_with_ports(wanted.present)
    changes: list[Change] = []
    # who stands on another comes after it, and whatever has no depth last: it may hang on a device that is re-created
    for resource in sorted(wanted.present, key=lambda resource: depths.get(resource.key, len(depths))):
        planner = _PRESENT[type(resource)]
        for change in planner(resource, state):
            if change.action == "delete":
                change = dataclasses.replace(change, restores=plan_devices.hanging(change.resource, state))
                state = state.without(change.resource)
            elif change.action == "update" and isinstance(change.resource, Link) and change.differs.get("up") == (True, False):
                state = state.down(change.resource)
            changes += plan_devices.placed(change, depths, late)
    doomed = {resource.netns for resource in wanted.absent if isinstance(resource, Namespace) and resource.processes != "keep"}
    changes += _once(change for resource in wanted.absent for change in _ABSENT[type(resource)](resource, state, doomed))
    up_late = {change.resource.where for change in changes if change.phase[0] == Phase.BRIDGE_UP}
    changes = [
        _after_bridges(change) if isinstance(change.resource, Route) and change.resource.where in up_late else change for change in changes
    ]
    return sorted(changes, key=lambda change: change.phase)


def _once(changes: t.Iterable[Change]) -> t.Iterator[Change]:
    """Two wishes may mean one object, such as a rule with and without its priority, or either end of a pair: it goes once."""
    gone: set[t.Any] = set()
    for change in changes:
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
        reason = "not there" if found is None else "a stale plain file is in its place"
        yield Change.create(wish, (Phase.NAMESPACE, 0), reason)
        return
    if wish.pid is not None and found.inode != wish.inode:
        raise StateError(
            f"pid: namespace {wish.netns!r} exists and is not that of process {wish.pid}: remove it first or choose another name"
        )
    differs = differences(found, wish)
    if "nsid" in differs and found.nsid is not None:
        raise StateError(
            f"nsid: namespace {wish.netns!r} has the number {found.nsid} already, and the kernel cannot change it to {wish.nsid}"
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
    kept = {name: value for name, value in found.attributes().items() if getattr(wish, name) is None and name not in less}
    return dataclasses.replace(wish, **kept)


def _only_addresses(wish: OnlyAddresses, state: Observed) -> t.Iterator[Change]:
    kept = {address.key for address in wish.keep}
    kinds = {(":" in address.address, address.scope or _natural_scope(address.address)) for address in wish.keep}
    for found in state.found.values():
        if not isinstance(found, Address) or (found.netns, found.dev) != (wish.netns, wish.dev) or found.key in kept:
            continue
        if (":" in found.address, found.scope) in kinds and not found.automatic:
            yield Change.delete(found, (Phase.ADDRESS, 2), "not listed, and exclusive is true")


def _natural_scope(address: str) -> int:
    """The scope that the kernel gives: host for ::1, link for fe80::/10; for IPv4 what was asked, global by default."""
    return 254 if address == "::1" else 253 if address.startswith("fe80:") else 0


def _route(wish: Route, state: Observed) -> t.Iterator[Change]:
    state.need_place(wish.netns, wish)
    for way in wish.ways:
        state.need_device(wish.netns, way.dev, "dev", wish)
        if way.gateway and not way.onlink and not state.reaches(wish.netns, way.gateway, wish.table):
            raise StateError(
                f"gateway: {way.gateway} of {wish.describe()} is in no subnet of the addresses there: "
                "add an address in its subnet first, correct it, or set onlink: true with the dev on which it is"
            )
    found = state.like(wish)
    if found is None:
        yield Change.create(wish, (Phase.ROUTE, wish.rank), "not there")
        return
    differs = differences(found, wish)
    if differs:
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
        for found in state.found.values()
        if isinstance(found, Rule)
        and (found.netns, found.family, found.selectors) == (wish.netns, wish.family, wish.selectors)
        and wish.priority in (None, found.priority)
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
    phase = (Phase.DEVICE_SYSCTL if device or last else Phase.SYSCTL, int(last))
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


# --- absent: what is not there is fine, also where its whole namespace is not there


def _no_namespace(wish: Namespace, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    found = state.like(wish)
    if found is None:
        return
    if found.pids and wish.processes == "fail":
        shown = ", ".join(map(str, found.pids[:5])) + (", ..." if len(found.pids) > 5 else "")
        raise StateError(
            f"namespace {wish.netns!r} is in use by {len(found.pids)} process{'es' if len(found.pids) > 1 else ''} (pid {shown}): "
            "end them, or set processes: kill to end them, or processes: keep to remove only the name"
        )
    policy = dataclasses.replace(found, processes=wish.processes, kill_timeout=wish.kill_timeout)
    yield Change.delete(policy, (Phase.NO_NAMESPACE, 0), "state is absent")


def _no_address(wish: Address, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    found = state.found.get(wish.key)
    if found and wish.netns not in doomed:
        yield Change.delete(found, (Phase.NO_ADDRESS, 0), "state is absent")


def _no_route(wish: Route, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    for found in [] if wish.netns in doomed else state.found.values():
        if not isinstance(found, Route) or (found.netns, found.table, found.dest) != (wish.netns, wish.table, wish.dest):
            continue
        if wish.metric in (None, found.metric) and not differences(found, wish):
            yield Change.delete(found, (Phase.NO_ROUTE, 0), "state is absent")


def _no_rule(wish: Rule, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    for found in [] if wish.netns in doomed else _rules_like(wish, state):
        if not differences(found, wish):
            yield Change.delete(found, (Phase.NO_RULE, 0), "state is absent")


def _no_table(wish: Table, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    found = state.found.get(wish.key)
    if found and wish.netns not in doomed:
        yield Change.delete(found, (Phase.NO_FIREWALL, 0), "state is absent")


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
}
