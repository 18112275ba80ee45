# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of namespaces -> records."""

from __future__ import annotations

import typing as t

from . import values
from .errors import InputError
from .record import Resource
from .resources import Namespace

Item = t.Mapping[str, t.Any]


def namespaces(item: Item, present: bool) -> list[Resource]:
    names = item["name"] if isinstance(item["name"], list) else [item["name"]]
    pid, nsid = item.get("pid"), item.get("nsid")
    if nsid is not None:
        values.number(nsid, "nsid", 0, 2**31 - 1)
        if len(names) > 1:
            raise InputError(f"nsid: {nsid} can belong to one namespace only, and name lists {len(names)}: use one task each")
    if pid is not None:
        values.number(pid, "pid", 1, 2**22)
        if len(names) > 1:
            raise InputError(f"pid: {pid} has one namespace only, and name lists {len(names)}: use one task each")
    values.number(10 if item.get("kill_timeout") is None else item["kill_timeout"], "kill_timeout", 0, 86400)
    return (
        [
            Namespace(
                netns=values.namespace_name(name, "name"),
                loopback=True if item.get("loopback", True) is not False else None,
                nsid=nsid,
                resolver=_resolver(item),
                pid=pid,
                processes=item.get("processes") or "fail",
                kill_timeout=10 if item.get("kill_timeout") is None else item["kill_timeout"],
            )
            for name in dict.fromkeys(names)
        ]
        if names
        else _refuse("name: the list is empty: give at least one namespace name")
    )


def _refuse(message: str) -> t.Any:
    raise InputError(message)


def _resolver(item: Item) -> str | None:
    servers, search, options = (item.get(name) or [] for name in ("nameservers", "search", "resolver_options"))
    if not (servers or search or options):
        return None
    for option, words in (("search", search), ("resolver_options", options)):
        for word in words:
            if not word or not word.isprintable() or " " in word:
                raise InputError(f"{option}: {word!r} is not one word: give each entry of the list as an item of its own")
    from . import values_ip  # of addresses only these are asked here

    lines = [values.RESOLVER_MARK]
    for server in servers:
        address, zone, device = server.partition("%")
        zone += values.interface_name(device, "nameservers") if zone else ""
        lines.append(f"nameserver {values_ip.ip_address(address, 'nameservers')}{zone}")
    lines += [f"search {' '.join(search)}"] if search else []
    lines += [f"options {' '.join(options)}"] if options else []
    return "\n".join(lines) + "\n"
