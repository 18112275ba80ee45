# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Policy routing rules as rtnetlink messages: records to requests and answers to records."""

from __future__ import annotations

import struct
import typing as t

from .ip_numbers import FAMILIES, FAMILY_NAMES, RT_TABLE_COMPAT, pack_ip, unpack_ip
from .record import pairs
from .resources_routes import Rule
from .rtnetlink import (
    NLM_F_CREATE,
    NLM_F_EXCL,
    RTM_DELRULE,
    RTM_NEWRULE,
    Message,
    attribute,
    attributes,
    text,
    to_text,
    to_u32,
    u8,
    u32,
)
from .values import OUR_PROTOCOL

_FRA = struct.Struct("=BBBBBBBBI")
_FRA_DST, _FRA_SRC, _FRA_IIFNAME, _FRA_PRIORITY, _FRA_FWMARK, _FRA_SUPPRESS_PREFIXLEN, _FRA_TABLE, _FRA_FWMASK = 1, 2, 3, 6, 10, 14, 15, 16
_FRA_OIFNAME, _FRA_UID_RANGE, _FRA_PROTOCOL, _FRA_IP_PROTO, _FRA_SPORT_RANGE, _FRA_DPORT_RANGE = 17, 20, 21, 22, 23, 24
_FIB_RULE_INVERT = 2
RULE_TYPES = {"unicast": 1, "blackhole": 6, "unreachable": 7, "prohibit": 8}
_RULE_TYPE_NAMES = {number: name for name, number in RULE_TYPES.items()}
_UNSET = 2**32 - 1


def rule_query(family: int) -> bytes:
    """The body of an RTM_GETRULE dump of one family."""
    return _FRA.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)


def _range(number: int, layout: str, value: str) -> bytes:
    first, _dash, last = value.partition("-")
    return attribute(number, struct.pack(layout, int(first), int(last or first)))


_SELECTORS: dict[str, t.Callable[[t.Any], bytes]] = {
    "to": lambda value: attribute(_FRA_DST, pack_ip(value.split("/")[0])),
    "from": lambda value: attribute(_FRA_SRC, pack_ip(value.split("/")[0])),
    "iif": lambda value: text(_FRA_IIFNAME, value),
    "oif": lambda value: text(_FRA_OIFNAME, value),
    "fwmark": lambda value: u32(_FRA_FWMARK, value),
    "fwmask": lambda value: u32(_FRA_FWMASK, value),
    "ipproto": lambda value: u8(_FRA_IP_PROTO, value),
    "sport": lambda value: _range(_FRA_SPORT_RANGE, "=HH", value),
    "dport": lambda value: _range(_FRA_DPORT_RANGE, "=HH", value),
    "uidrange": lambda value: _range(_FRA_UID_RANGE, "=II", value),
}


def _rule_message(kind: int, flags: int, rule: Rule) -> Message:
    chosen = dict(rule.selectors)
    lengths = [int(chosen[name].split("/")[1]) if name in chosen else 0 for name in ("to", "from")]
    parts = [encode(chosen[name]) for name, encode in _SELECTORS.items() if name in chosen]
    if rule.priority is not None:
        parts.append(u32(_FRA_PRIORITY, rule.priority))
    if rule.table:
        parts.append(u32(_FRA_TABLE, rule.table))
    if rule.suppress_prefixlength is not None and rule.suppress_prefixlength >= 0:
        parts.append(u32(_FRA_SUPPRESS_PREFIXLEN, rule.suppress_prefixlength))
    if kind == RTM_NEWRULE:
        parts.append(u8(_FRA_PROTOCOL, OUR_PROTOCOL if rule.protocol is None else rule.protocol))
    invert = _FIB_RULE_INVERT if chosen.get("not") else 0
    what = rule.type or "unicast"
    action = RULE_TYPES[what] if what in RULE_TYPES else int(what)  # goto and nop are no types of ours
    table = min(rule.table or 0, RT_TABLE_COMPAT)
    header = _FRA.pack(FAMILIES[rule.family], *lengths, chosen.get("tos", 0), table, 0, 0, action, invert)
    return Message(kind, flags, header + b"".join(parts))


def create_rule(rule: Rule) -> Message:
    return _rule_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule)


def delete_rule(rule: Rule) -> Message:
    return _rule_message(RTM_DELRULE, 0, rule)


def decode_rule(data: bytes, netns: str) -> Rule:
    family, to_length, from_length, tos, table, _r1, _r2, action, flags = _FRA.unpack_from(data)
    found = attributes(data, _FRA.size)
    chosen: dict[str, t.Any] = {"tos": tos or None, "not": True if flags & _FIB_RULE_INVERT else None}
    for name, number, length in (("to", _FRA_DST, to_length), ("from", _FRA_SRC, from_length)):
        chosen[name] = f"{unpack_ip(found[number])}/{length}" if number in found else None
    for name, number in (("iif", _FRA_IIFNAME), ("oif", _FRA_OIFNAME)):
        chosen[name] = to_text(found[number]) if number in found else None
    mark = to_u32(found[_FRA_FWMARK]) if _FRA_FWMARK in found else 0
    mask = to_u32(found[_FRA_FWMASK]) if _FRA_FWMASK in found else 0
    chosen.update({"fwmark": mark, "fwmask": mask} if mark or mask else {})
    chosen["ipproto"] = found[_FRA_IP_PROTO][0] if _FRA_IP_PROTO in found else None
    ranges = (("sport", _FRA_SPORT_RANGE, "=HH"), ("dport", _FRA_DPORT_RANGE, "=HH"), ("uidrange", _FRA_UID_RANGE, "=II"))
    for name, number, layout in ranges:
        if number in found:
            first, last = struct.unpack(layout, found[number])
            chosen[name] = str(first) if first == last else f"{first}-{last}"
    suppress = to_u32(found[_FRA_SUPPRESS_PREFIXLEN]) if _FRA_SUPPRESS_PREFIXLEN in found else _UNSET
    return Rule(
        netns=netns,
        family=FAMILY_NAMES[family],
        priority=to_u32(found[_FRA_PRIORITY]) if _FRA_PRIORITY in found else 0,
        selectors=pairs(chosen),
        table=to_u32(found[_FRA_TABLE]) if _FRA_TABLE in found else table,
        type=_RULE_TYPE_NAMES.get(action, str(action)),
        suppress_prefixlength=-1 if suppress == _UNSET else suppress,
        protocol=found[_FRA_PROTOCOL][0] if _FRA_PROTOCOL in found else 0,
    )


# Beside those that options say: padding, and how the kernel came by it.
_RULE_OPTIONS = frozenset({*range(1, 4), _FRA_PRIORITY, _FRA_FWMARK, _FRA_SUPPRESS_PREFIXLEN, _FRA_TABLE, _FRA_FWMASK, *range(17, 19)})
_RULE_OPTIONS |= {_FRA_UID_RANGE, _FRA_PROTOCOL, _FRA_IP_PROTO, _FRA_SPORT_RANGE, _FRA_DPORT_RANGE}
_RULE_WORDS = {4: "goto", 11: "realms", 12: "tunnel id", 13: "suppress_ifgroup", 19: "l3mdev", 25: "dscp", 26: "flow label"}


def beyond_rule(data: bytes) -> str:
    """What it selects by or does and no option says; empty: nothing. All zeros and all ones are how the kernel says none and any."""
    found = attributes(data, _FRA.size)
    more = [number for number, value in found.items() if number not in _RULE_OPTIONS and any(value) and value.strip(b"\xff")]
    return ", ".join(_RULE_WORDS.get(number, f"attribute {number}") for number in more)
