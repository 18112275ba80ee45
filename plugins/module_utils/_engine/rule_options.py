# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of policy routing rules -> records."""

from __future__ import annotations

import typing as t

from . import values, values_ip
from .errors import InputError
from .ip_options import U32, table
from .record import Resource, pairs
from .resources_routes import Rule

Item = t.Mapping[str, t.Any]


_SELECTORS = ("from", "to", "iif", "oif", "fwmark", "fwmask", "tos", "ipproto", "sport", "dport", "uidrange", "not")
_IP_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "icmpv6": 58, "sctp": 132}
_EVERYTHING = ("all", "any", "default")


def rules(item: Item, present: bool) -> list[Resource]:
    chosen: dict[str, t.Any] = {name: item.get(name) for name in _SELECTORS}
    families = set()
    for name in ("from", "to"):
        if chosen[name] in _EVERYTHING:
            chosen[name] = None
        if chosen[name]:
            prefix = values_ip.ip_prefix(chosen[name], name)
            families.add(values_ip.family_of(prefix))
            chosen[name] = None if prefix.endswith("/0") else prefix  # the kernel does not tell it from no prefix
    if len(families) > 1:
        raise InputError(f"to: {item['to']} is not of the same family as from, {item['from']}: give each family a rule of its own")
    family = item.get("family") or next(iter(families), "ipv4")
    if families - {family}:
        option = "to" if item.get("from") in (None, "", *_EVERYTHING) else "from"
        raise InputError(f"family: {family} does not fit the prefix in {option}: remove it")
    for name in ("iif", "oif"):
        if chosen[name]:
            values.interface_name(chosen[name], name)
    _rule_numbers(chosen)
    priority, kind = item.get("priority"), item.get("type")
    suppress = item.get("suppress_prefixlength")
    if kind not in (None, "unicast") and item.get("table") is not None:
        raise InputError(f"table: a rule of type {kind} looks up nothing: remove table or type")
    return [
        Rule(
            netns=values.netns_reference(item.get("netns")),
            family=family,
            priority=values.number(priority, "priority", 0, U32) if priority is not None else None,
            selectors=pairs({name: value for name, value in chosen.items() if value is not False}),
            table=table(item, values.ROUTE_TABLES["main"])
            if kind in (None, "unicast") and (present or item.get("table") is not None)
            else None,
            type=kind or ("unicast" if present else None),
            suppress_prefixlength=values.number(suppress, "suppress_prefixlength", -1, 128) if suppress is not None else None,
        )
    ]


def _rule_numbers(chosen: dict[str, t.Any]) -> None:
    for name in ("fwmark", "fwmask"):
        if chosen[name] is not None:
            chosen[name] = _flexible_number(chosen[name], name, U32)
    if chosen["fwmark"] is not None and chosen["fwmask"] is None:
        chosen["fwmask"] = U32
    if chosen["fwmask"] is not None and chosen["fwmark"] is None:
        raise InputError(f"fwmask: {chosen['fwmask']:#x} masks nothing without a mark: give fwmark too")
    if chosen["fwmask"] == 0:
        raise InputError("fwmask: 0 leaves nothing of the fwmark: remove both, or set a bit of it")
    if chosen["tos"] is not None:
        chosen["tos"] = _flexible_number(chosen["tos"], "tos", 255) or None
        if (chosen["tos"] or 0) & 3:
            raise InputError(f"tos: {chosen['tos']:#04x} has one of the last two bits set, which belong to ECN: clear them")
    if chosen["ipproto"] is not None:
        chosen["ipproto"] = values_ip.named_number(chosen["ipproto"], _IP_PROTOCOLS, "ipproto") or None
    # the kernel takes neither 0 nor 65535 for a port
    for name, low, high in (("sport", 1, 65534), ("dport", 1, 65534), ("uidrange", 0, U32 - 1)):
        if chosen[name] is not None:
            chosen[name] = _range(chosen[name], name, low, high)


def _flexible_number(value: t.Any, option: str, high: int) -> int:
    try:
        found = int(str(value), 0)
    except ValueError:
        mask = ", the mask goes into fwmask" if option == "fwmark" and "/" in str(value) else ""
        raise InputError(f"{option}: {value!r} is not a number: write it decimal or as 0x...{mask}") from None
    return values.number(found, option, 0, high)


def _range(value: t.Any, option: str, low: int, high: int) -> str:
    first, dash, last = str(value).partition("-")
    last = last if dash else first
    if not (first.isdecimal() and last.isdecimal() and low <= int(first) <= int(last) <= high):
        raise InputError(f"{option}: {value!r} is neither a number nor a range such as 1000-1999, within {low} to {high}")
    return str(int(first)) if int(first) == int(last) else f"{int(first)}-{int(last)}"
