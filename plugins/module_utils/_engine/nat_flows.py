# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Which known connections a change of published ports makes stale. Pure.

The kernel asks the maps for the first packet of a connection only. A client that goes on sending from the same port, as many
of UDP do, would reach for ever who answered it first.
"""

from __future__ import annotations

import ipaddress
import typing as t

from .conntrack import Flow
from .nat_publish import published
from .resources_nat import Publish, Table

_Targets = dict[tuple[str, str, int], list[tuple[t.Optional[str], str, int]]]


def concerned(before: Table | None, after: Table | None) -> bool:
    """Whether a change of a table is one of published ports."""
    old, new = (published(table.ruleset) if table else () for table in (before, after))
    return old != new


def stale(before: Table | None, after: Table | None, flows: t.Iterable[Flow], local: t.Collection[str]) -> list[Flow]:
    """The connections to addresses of the host that would lead elsewhere if they began now."""
    old, new = (_targets(published(table.ruleset) if table else ()) for table in (before, after))
    return [flow for flow in flows if (flow.to in local or ipaddress.ip_address(flow.to).is_loopback) and _is_stale(flow, old, new)]


def _targets(published_ports: t.Iterable[Publish]) -> _Targets:
    found: _Targets = {}
    for publish in published_ports:
        for port in range(publish.first, publish.last + 1):
            target = (publish.host_address, publish.to_address, port - publish.first + publish.to_first)
            found.setdefault((publish.protocol, publish.digit, port), []).append(target)
    return found


def _is_stale(flow: Flow, old: _Targets, new: _Targets) -> bool:
    key = (flow.protocol, "6" if ":" in flow.to else "4", flow.port)
    was, will = (
        next(((address, port) for host_address, address, port in targets.get(key, ()) if host_address in (None, flow.to)), None)
        for targets in (old, new)
    )
    if was == will:
        return False
    answered = (flow.answers, flow.answers_port)
    return answered == was if will is None else answered != will
