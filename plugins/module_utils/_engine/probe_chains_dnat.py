# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Where rules lead a packet that is for somebody else than it says: published ports. Pure."""

from __future__ import annotations

import typing as t

from .probe_chains import Entry, Packet, Rules

_DEPTH_MAX = 16  # of the kernel for jumps
_ENDS = ("accept", "return", "drop", "reject", "goto")

# An address and a port, if that is another one too.
Target = tuple[str, t.Optional[int]]


class LeadingRules(Rules):
    """A ruleset that is asked for the targets of its rules. What is not known of a packet speaks against nothing."""

    def target(self, packet: Packet, hook: str) -> Target | None:
        """Where the packet is led at a hook."""
        families = ("inet", "ip6" if packet.version == 6 else "ip")
        for base in self._bases:
            if base["hook"] == hook and base.get("type") == "nat" and base["family"] in families:
                found = self._searched(base, base["name"], packet, 0)
                if found:
                    return found
        return None

    def mapped(self, rule: Entry, chosen: Entry, packet: Packet) -> t.Any:
        """What a map may have for this packet."""
        key, data = chosen["key"], chosen["data"]
        named = self._sets.get((rule["family"], rule["table"], data[1:]), {}).get("elem", []) if isinstance(data, str) else data["set"]
        values = [self._value(part, packet) for part in parts(key)]
        for element in named:
            pairs = zip(values, parts(element[0]))
            if all(value is None or self._contains(rule, member, value) is not False for value, member in pairs):
                return element[1]
        return None

    def _searched(self, place: Entry, chain: str, packet: Packet, depth: int) -> Target | None:
        for rule in self._rules.get((place["family"], place["table"], chain), ()) if depth <= _DEPTH_MAX else ():
            found, ends = self._asked(rule, packet, depth)
            if found or ends:
                return found
        return None

    def _asked(self, rule: Entry, packet: Packet, depth: int) -> tuple[Target | None, bool]:
        """Where a rule leads the packet, and whether none after it is asked."""
        sure = True
        for statement in rule.get("expr", ()):
            name, content = statement_of(statement)
            if name == "match":
                matches = self._matches(rule, content, packet)
                if matches is False:
                    return None, False
                sure = sure and matches is True
            elif name in ("jump", "goto"):
                found = self._searched(rule, content["target"], packet, depth + 1)
                return found, bool(found) or (sure and name == "goto")
            elif name == "dnat":
                return self._aim(rule, content, packet), False
            elif name in _ENDS:
                return None, sure
            elif name == "xt":
                sure = False
        return None, False

    def _aim(self, rule: Entry, content: Entry, packet: Packet) -> Target | None:
        address, port = content.get("addr"), content.get("port")
        if isinstance(address, dict) and "map" in address:
            address = self.mapped(rule, address["map"], packet)
        if isinstance(address, dict) and "concat" in address:
            address, port = address["concat"]
        return (address, port if isinstance(port, int) else None) if isinstance(address, str) else None


def statement_of(statement: t.Any) -> tuple[str, dict[str, t.Any]]:
    """A statement's name and what it says, of some nothing."""
    name, content = next(iter(statement.items())) if isinstance(statement, dict) else (str(statement), None)
    return name, content if isinstance(content, dict) else {}


def parts(value: t.Any) -> t.Sequence[t.Any]:
    """What a concatenation is made of; anything else is one part."""
    return t.cast("t.Sequence[t.Any]", value["concat"]) if isinstance(value, dict) and "concat" in value else (value,)
