# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What the options of addresses, routes and rules have in common."""

from __future__ import annotations

import os
import typing as t

from . import values, values_ip
from .errors import InputError

Item = t.Mapping[str, t.Any]

_RT_TABLES = ("/etc/iproute2/rt_tables", "/usr/share/iproute2/rt_tables", "/etc/iproute2/rt_tables.d", "/usr/share/iproute2/rt_tables.d")
U32 = 2**32 - 1


def listed(item: Item, option: str) -> list[str]:
    """An option that takes one or several; none at all is rather a variable gone wrong than a wish."""
    given = item[option] if isinstance(item[option], list) else [item[option]]
    if not given:
        raise InputError(f"{option}: the list is empty: give at least one")
    return given


def _tables() -> dict[str, int]:
    """Names from rt_tables; where a file is not there it says nothing."""
    found: dict[str, int] = {}
    for path in _RT_TABLES:
        files = [os.path.join(path, name) for name in sorted(os.listdir(path)) if name.endswith(".conf")] if os.path.isdir(path) else [path]
        for file in filter(os.path.isfile, files):
            with open(file, encoding="utf-8", errors="replace") as lines:
                for words in (line.split("#")[0].split() for line in lines):
                    if len(words) == 2 and words[0].isdecimal():
                        found.setdefault(words[1], int(words[0]))
    return found


def table(item: Item, default: int) -> int:
    value = item.get("table")
    if value is None:
        return default
    known = str(value).isdecimal() or str(value) in values.ROUTE_TABLES
    return values_ip.table_number(value, {} if known else _tables())
