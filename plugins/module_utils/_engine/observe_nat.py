# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What a NATed network takes, as it is; and what its wish leaves open until the host is looked at."""

from __future__ import annotations

import dataclasses
import typing as t

from . import files, foreign_host, nat, nat_host, nftables
from .host import Host
from .options import Wanted
from .resources import Namespace
from .resources_addresses import Address
from .resources_foreign import ForeignAccept
from .resources_nat import Nat, SysctlFile, Table
from .state import Observed


def settle(host: Host, wanted: Wanted, may_lack_nft: bool) -> Wanted:
    """The wishes for NAT, and beside them the plain records that they come to on this host."""
    present, absent = ([resource for resource in side if not isinstance(resource, Nat)] for side in (wanted.present, wanted.absent))
    coming, going = ([resource for resource in side if isinstance(resource, Nat)] for side in (wanted.present, wanted.absent))
    view = nat_host.View(host, may_lack_nft, [resource for resource in present if isinstance(resource, Address)])
    made = {resource.netns for resource in present if isinstance(resource, Namespace)}
    for router in coming:
        if router.netns not in made and not view.there(router.netns):
            Observed(places={router.netns: "missing"}).need_place(router.netns, router)
    kept, removed = nat.resolve(coming, going, view)
    accepts, obsolete = foreign_host.resolve(coming, going, host, view, present)
    present += [*kept, *accepts]
    absent += [*removed, *obsolete]
    # the wishes themselves stay, to be judged by what they name
    merged = {resource.key: resource for resource in (*coming, *present)}
    return dataclasses.replace(wanted, present=tuple(merged.values()), absent=tuple(absent))


def _tables(host: Host, state: Observed, netns: str, resources: t.Sequence[Table]) -> None:
    for resource in resources:
        table = nftables.live(netns, resource.family, resource.table)
        if table is not None:
            state.found[table.key] = table


def _files(host: Host, state: Observed, netns: str, resources: t.Sequence[SysctlFile]) -> None:
    for resource in resources:
        text = files.read(resource.path)
        if text is not None:
            state.found[resource.key] = SysctlFile(path=resource.path, text=text)


def _foreign_accepts(host: Host, state: Observed, netns: str, resources: t.Sequence[ForeignAccept]) -> None:
    state.found.update((found.key, found) for found in foreign_host.found(netns, resources))


READERS: tuple[tuple[t.Collection[str], t.Callable[[Host, Observed, str, t.Any], None]], ...] = (
    ((Table.KIND,), _tables),
    ((SysctlFile.KIND,), _files),
    ((ForeignAccept.KIND,), _foreign_accepts),
)
