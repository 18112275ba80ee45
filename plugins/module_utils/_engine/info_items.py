# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""A topology that is told: only what can be asked for again goes in, and what cannot is named."""

from __future__ import annotations

import typing as t

from . import options
from .errors import InputError
from .record import Key, Resource

Item = dict[str, t.Any]

# How an option that cannot be left empty names the host.
HERE = "/proc/self/ns/net"


def said(**item: t.Any) -> Item:
    """An item without what says nothing."""
    return {name: value for name, value in item.items() if value not in (None, "", (), [], {})}


class Told:
    """The lists of a topology while they grow."""

    def __init__(self, parts: t.Iterable[str]) -> None:
        self.topology: dict[str, list[Item]] = {part: [] for part in parts}
        self.warnings: list[str] = []
        self._seen: dict[Key, str] = {}

    def add(self, part: str, item: Item) -> None:
        """Put an item in, unless it could not be given to a topology beside those that are in already."""
        try:
            records = options.read({part: [item]}).present
        except InputError as exc:
            self.leave_out(f"{part}: {item}", str(exc))
            return
        for record in records:
            if record.key in self._seen:
                self.leave_out(record.describe(), f"options cannot tell it from another {record.KIND} there, which is told")
                return
        self._seen.update({record.key: record.name for record in records})
        self.topology[part].append(item)

    def leave_out(self, what: str | Resource, reason: str) -> None:
        """Note what is there and not told."""
        self.warnings.append(f"{what if isinstance(what, str) else what.describe()} is left out: {reason}")
