# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Addresses: wishes and observations -> changes."""

from __future__ import annotations

import dataclasses
import typing as t

from .changes import Change, Phase, Planners, Removers
from .compare import completed, differences
from .resources_addresses import Address, OnlyAddresses

if t.TYPE_CHECKING:
    from .state import Observed


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
        yield Change.create(_completed(wish, found), (Phase.ADDRESS, 1), reason)
    elif differs:
        # the kernel sets back what a change does not name
        yield Change.update(found, _completed(wish, found), differs, (Phase.ADDRESS, 0))


def _completed(wish: Address, found: Address) -> Address:
    less = () if wish.valid_lft is None else ("preferred_lft",)  # it cannot be longer
    return dataclasses.replace(completed(wish, found, less), protocol=found.protocol)  # who made it made it


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


def _no_address(wish: Address, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    found = state.found.get(wish.key)
    if found and wish.netns not in doomed:
        yield Change.delete(found, (Phase.NO_ADDRESS, 0), state.because)


def _nothing(wish: OnlyAddresses, state: Observed, doomed: set[str]) -> t.Iterator[Change]:
    """It is gone with its addresses."""
    return iter(())


PRESENT: Planners = {Address.KIND: _address, OnlyAddresses.KIND: _only_addresses}
ABSENT: Removers = {Address.KIND: _no_address, OnlyAddresses.KIND: _nothing}
