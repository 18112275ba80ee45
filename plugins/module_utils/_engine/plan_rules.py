# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Policy routing rules: wishes and observations -> changes."""

from __future__ import annotations

import typing as t

from .changes import Change, Phase, Planners, Removers
from .compare import differences
from .resources_routes import Rule

if t.TYPE_CHECKING:
    from .state import Observed


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


def _no_rule(wish: Rule, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    for found in [] if wish.netns in doomed else _rules_like(wish, state):
        if not differences(found, wish):
            yield Change.delete(found, (Phase.NO_RULE, 0), state.because)


PRESENT: Planners = {Rule.KIND: _rule}
ABSENT: Removers = {Rule.KIND: _no_rule}
