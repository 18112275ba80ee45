# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What a NATed network has in other people's firewalls."""

from __future__ import annotations

import typing as t

from .record import Resource, record

FIREWALLD = "firewalld"


@record
class ForeignAccept(Resource):
    """What lets a network pass where others would drop it. ``rules`` are in the words of ``program``, as that lists them.

    Of firewalld ``chain`` is the zone that the network's interface is put into.
    """

    KIND: t.ClassVar[str] = "foreign_accept"
    KEY: t.ClassVar[tuple[str, ...]] = ("netns", "program", "table", "chain", "network")
    TRACE: t.ClassVar[tuple[str, ...]] = ("rules",)

    netns: str
    program: str  # nft, iptables-nft and its likes, firewalld
    table: str  # with its family
    chain: str
    network: str
    rules: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        place = f"zone {self.chain} of firewalld" if self.program == FIREWALLD else f"chain {self.chain} of table {self.table}"
        return f"{self.network} in {place}"
