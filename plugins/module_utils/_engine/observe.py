# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The kernel's state as the same records that wishes are made of; only of what is asked about.

What a wish leaves open until the host is looked at (NAT: which uplink, which device was closed before) is decided by
``settle``; ``observe`` then reads, a reader a kind.
"""

from __future__ import annotations

import os
import typing as t

from . import namespaces
from .host import Host
from .options import Wanted
from .record import Kind, Resource
from .resources import Link, Namespace, Sysctl, Veth
from .state import Observed
from .values import HOST

Reader = t.Callable[[Host, Observed, str, t.Any], None]

_LINKS = frozenset((Kind.LINK, Kind.VETH))
_IP = frozenset((Kind.ADDRESS, Kind.ONLY_ADDRESSES, Kind.TAKE_OVER, Kind.ROUTE, Kind.RULE))
# What else there is, is NAT's.
_COMMON = _LINKS | _IP | {Kind.NAMESPACE, Kind.SYSCTL}


def settle(host: Host, wanted: Wanted, may_lack_nft: bool = False) -> Wanted:
    """Replace what only the host can decide by plain records.

    ``may_lack_nft``: a role in check mode has not installed it yet.
    """
    if all(resource.KIND in _COMMON for resource in (*wanted.present, *wanted.absent)):
        return wanted
    from . import observe_nat

    return observe_nat.settle(host, wanted, may_lack_nft)


def observe(host: Host, wanted: Wanted) -> Observed:
    """Read what the records are about. Opening never creates, and what is not there is simply not found."""
    state = Observed(because=wanted.because)
    everything = [*wanted.present, *wanted.absent]
    kinds = {resource.KIND for resource in everything}
    state.expect(wanted.present)
    _places(state, everything)
    if Kind.NAMESPACE in kinds:
        from . import observe_namespaces

        observe_namespaces.look(host, state, wanted)
    if not kinds <= {Kind.NAMESPACE, Kind.RULE, Kind.SYSCTL}:
        from . import observe_links

        observe_links.look(host, state, everything)
    _homes(host, state, wanted)
    for mine, reader in _readers(kinds):
        by_place: dict[str, list[t.Any]] = {}
        for resource in (resource for resource in everything if resource.KIND in mine):
            by_place.setdefault(resource.where, []).append(resource)
        for netns, resources in by_place.items():
            if state.there(netns) and netns not in state.doomed:
                reader(host, state, netns, resources)
    state.expect(wanted.present)
    state.named = frozenset(resource.key for resource in everything)
    return state


def _readers(kinds: set[str]) -> t.Iterator[tuple[t.Collection[str], Reader]]:
    """What reads objects of these kinds; compiled only by runs that are about one."""
    if kinds & _IP:
        from . import observe_ip

        yield from observe_ip.READERS
    yield (Kind.SYSCTL,), _sysctls
    if not kinds <= _COMMON:
        from . import observe_nat

        yield from observe_nat.READERS


def references(resource: Resource) -> set[str]:
    """The namespaces that it has to do with."""
    found = {resource.where} | ({resource.netns} if isinstance(resource, Namespace) else set())
    for link in resource.ends if isinstance(resource, Veth) else (resource,) if isinstance(resource, Link) else ():
        found |= {link.netns, link.from_netns}
        if link.parent_netns is not None:
            found.add(link.parent_netns)
    return found


def _places(state: Observed, resources: t.Sequence[Resource]) -> None:
    for netns in {reference for resource in resources for reference in references(resource)}:
        state.places[netns] = _place(netns)


def _place(netns: str) -> str:
    if netns == HOST:
        return "there"
    if netns.startswith("/"):
        return "there" if os.path.exists(netns) else "missing"
    entry = namespaces.find(netns)
    return "missing" if entry is None else "there" if not entry.stale else namespaces.what(netns) or "missing"


def _sysctls(host: Host, state: Observed, netns: str, resources: t.Sequence[Sysctl]) -> None:
    for resource in resources:
        value = host.sysctl(netns, resource.path)
        if value is not None:
            state.found[resource.key] = Sysctl(netns=netns, path=resource.path, value=value)


def _homes(host: Host, state: Observed, wanted: Wanted) -> None:
    """Devices that move: only a wish without a kind is about one, and only a namespace that goes may have one in it."""
    movable = (isinstance(resource, Link) and not resource.link_kind for resource in (*wanted.present, *wanted.absent))
    if not any(movable) and not any(isinstance(resource, Namespace) for resource in wanted.absent):
        return
    from . import observe_homes

    for netns in observe_homes.references(state):
        state.places.setdefault(netns, _place(netns))
    observe_homes.look(host, state, wanted)
