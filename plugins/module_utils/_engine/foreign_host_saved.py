# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What others have made by iptables, as it writes it down itself: nft sees nothing of the old kind, and half of the new."""

from __future__ import annotations

import typing as t

from . import nftables, programs
from .foreign_iptables import PROGRAMS, Entry, entries, place

_NAMES = {"iptables-legacy": "ip_tables_names", "ip6tables-legacy": "ip6_tables_names"}
_CHAINS = {"filter": "FORWARD", "nat": "PREROUTING"}  # which every such table has; rules that nft has put there may be beyond iptables


def tables(netns: str, nft: t.Iterable[t.Mapping[str, t.Any]], table: str = "filter") -> dict[str, str]:
    """By program, what it saves of its filter or nat table; ``nft`` is the whole ruleset.

    Asked only of what is there already: to ask would make it.
    """
    chain, found = _CHAINS[table], {}
    chains = (entry["chain"] for entry in nft if "chain" in entry)
    known = {(base["family"], base["table"]) for base in chains if base["name"] == chain and base.get("hook") == chain.lower()}
    with nftables.inside(netns):
        for program in PROGRAMS:
            asked = table in _loaded(_NAMES[program]) if program in _NAMES else place(program, table) in known
            save = nftables.find(f"{program}-save") if asked else None
            text = programs.run([save, "-t", table]).output if save else ""
            if f":{chain} " in text:
                found[program] = text
    return found


def _loaded(names: str) -> list[str]:
    """The tables of the old kind that the kernel has, in the namespace of the calling thread."""
    try:
        with open(f"/proc/thread-self/net/{names}", encoding="ascii") as file:
            return file.read().split()
    except OSError:
        return []


def told(netns: str, nft: t.Sequence[Entry], table: str) -> list[Entry]:
    """The ruleset, with this table of iptables in its own words: nft says of its targets and of most matches only that they are there."""
    saved = tables(netns, nft, table)
    better = {place(program, table) for program in saved}
    rest = [entry for entry in nft for content in entry.values() if (content["family"], content.get("table")) not in better]
    return rest + [entry for program, text in saved.items() for entry in entries(text, program, table)]
