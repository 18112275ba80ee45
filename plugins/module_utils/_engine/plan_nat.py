# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What a NATed network takes: wishes and observations -> changes."""

from __future__ import annotations

import typing as t

from .changes import Change, Phase, Planners, Removers
from .compare import differences
from .resources_foreign import ForeignAccept
from .resources_nat import Nat, SysctlFile, Table

if t.TYPE_CHECKING:
    from .state import Observed


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


def _no_table(wish: Table | ForeignAccept, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    found = state.found.get(wish.key)
    if found and wish.netns not in doomed:
        yield Change.delete(found, (Phase.NO_FIREWALL, 0), state.because)


def _no_file(wish: SysctlFile, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    found = state.found.get(wish.key)
    if found:
        yield Change.delete(found, (Phase.NO_FIREWALL, 0), state.because)


PRESENT: Planners = {Nat.KIND: _nat, Table.KIND: _table, SysctlFile.KIND: _file, ForeignAccept.KIND: _foreign_accept}
ABSENT: Removers = {Table.KIND: _no_table, SysctlFile.KIND: _no_file, ForeignAccept.KIND: _no_table}
