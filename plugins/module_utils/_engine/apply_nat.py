# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What is to be done for a change of what a NATed network takes: its table, its drop-in, its accepts in others' rulesets."""

from __future__ import annotations

import typing as t

from . import conntrack, files, foreign_host, ip_messages, nat_flows, nftables, rtnetlink
from .apply import Handlers, Step
from .changes import Change
from .host import Host
from .resources_foreign import ForeignAccept
from .resources_nat import SysctlFile, Table


def _put_file(change: Change, host: Host) -> t.Iterator[Step]:
    path, wish = t.cast(SysctlFile, change.resource).path, t.cast("SysctlFile | None", change.after)
    yield lambda: files.put(path, wish.text if wish else None)


def _set_table(change: Change, host: Host) -> t.Iterator[Step]:
    table = t.cast(Table, change.after)
    yield lambda: nftables.replace(table.netns, table)
    yield lambda: _forget_flows(change, host)


def _delete_table(change: Change, host: Host) -> t.Iterator[Step]:
    table = t.cast(Table, change.before)
    yield lambda: nftables.remove(table.netns, table.family, table.table)
    yield lambda: _forget_flows(change, host)


def _forget_flows(change: Change, host: Host) -> None:
    """Connections to ports that lead elsewhere now."""
    before, after = t.cast("Table | None", change.before), t.cast("Table | None", change.after)
    if not nat_flows.concerned(before, after):
        return
    netns = change.resource.where
    found = host.socket(netns).dump(rtnetlink.RTM_GETADDR, ip_messages.address_query(0))
    local = {ip_messages.decode_address(data, netns, lambda _index: "").address for data in found}
    with host.inside(netns):
        conntrack.forget(nat_flows.stale(before, after, conntrack.flows(), local))


def _set_accept(change: Change, host: Host) -> t.Iterator[Step]:
    wish = t.cast(ForeignAccept, change.after)
    yield lambda: foreign_host.put(wish)


def _delete_accept(change: Change, host: Host) -> t.Iterator[Step]:
    found = t.cast(ForeignAccept, change.before)
    yield lambda: foreign_host.take_away(found)


HANDLERS: Handlers = {
    (Table.KIND, "create"): _set_table,
    (Table.KIND, "update"): _set_table,
    (Table.KIND, "delete"): _delete_table,
    **{(SysctlFile.KIND, action): _put_file for action in ("create", "update", "delete")},
    (ForeignAccept.KIND, "create"): _set_accept,
    (ForeignAccept.KIND, "update"): _set_accept,
    (ForeignAccept.KIND, "delete"): _delete_accept,
}
