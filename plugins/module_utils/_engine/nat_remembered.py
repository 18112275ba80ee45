# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What our tables say of the host as it was before them, for when somebody flushes them: one file until the next boot.

Forwarding stays on when a table is gone. Without this the next run would take it for the host's own choice: it would make
the table without the guard, and the last network to go would leave forwarding on.
"""

from __future__ import annotations

import json
import typing as t

from . import store, store_files
from .errors import StateError
from .resources_nat import Table

VERSION = 1
_FILE = "nat"

# A namespace and a table in it; what is remembered are its sets, as nft's JSON has them.
_Tables = dict[tuple[str, str], str]
# As the journal has them: the old text and the new one.
Files = dict[str, tuple[t.Optional[str], t.Optional[str]]]


def load() -> _Tables:
    """The tables that runs have made since the host was started."""
    text = store_files.read(_FILE)
    if text is None:
        return {}
    try:
        content = json.loads(text)
        if content["version"] != VERSION:
            raise ValueError(f"it has format {content['version']}, this version knows {VERSION}")
        return {(netns, name): json.dumps({"nftables": sets}, sort_keys=True) for netns, name, sets in content["tables"]}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise StateError(
            f"the record of NATed networks, {store.path(_FILE)}, cannot be read ({exc}): "
            "remove the file, and see to it that only those forward who are to"
        ) from exc


def files(present: t.Iterable[Table], absent: t.Iterable[Table]) -> Files:
    """What the file says now, and what it is to say when these are there and those are gone."""
    tables = {place: json.loads(text)["nftables"] for place, text in load().items()}
    for table in absent:
        tables.pop((table.netns, table.table), None)
    for table in present:
        entries = json.loads(table.ruleset or '{"nftables": []}')["nftables"]
        tables[(table.netns, table.table)] = [entry for entry in entries if "set" in entry]
    content = {"version": VERSION, "tables": [[*place, sets] for place, sets in sorted(tables.items())]}
    old, new = store_files.read(_FILE), json.dumps(content, sort_keys=True, separators=(",", ":")) + "\n" if tables else None
    return {} if old == new else {_FILE: (old, new)}
