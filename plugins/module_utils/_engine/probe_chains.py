# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Which chain would drop a packet: nft's JSON is followed as the kernel follows the rules. Pure.

Every match says yes, no or nothing (``None``), where it asks for what is not known of the packet. A rule that is not
certain does not decide; should nothing else drop the packet, the first uncertain drop is named.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

Entry = t.Mapping[str, t.Any]
Known = t.Optional[bool]

_VERDICTS = ("accept", "drop", "reject", "jump", "goto", "return", "queue")
_DEPTH_MAX = 16  # of the kernel for jumps
_WIDTH = {"ip": 4, "ip6": 6}
# What may stand in a rule and decides nothing.
_IDLE = {"counter", "log", "masquerade", "snat", "dnat", "redirect", "notrack", "ct helper", "flow", "tproxy", "set", "map", "fwd", "dup"}
_PROTOCOL_NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58, "ipv6-icmp": 58}

# What comes of a rule that another version of nft tells in another form: it decides nothing here.
_STRANGE = (AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError)


@dataclasses.dataclass
class Packet:
    """What is known of a packet; an empty name or ``None`` is not known, except for devices: there it is none."""

    version: int
    source: str
    to: str
    protocol: str  # icmp, icmpv6, tcp, udp, sctp
    sport: int | None = None
    dport: int | None = None
    kind: str = ""  # of ICMP: echo-request ...
    state: str = "new"
    status: str | None = None  # dnat
    iif: str = ""
    oif: str = ""
    iif_kind: str = ""
    oif_kind: str = ""
    mark: int | None = 0

    def reply(self) -> Packet:
        """The answer to it."""
        kind = {"echo-request": "echo-reply", "nd-neighbor-solicit": "nd-neighbor-advert"}.get(self.kind, self.kind)
        return dataclasses.replace(
            self, source=self.to, to=self.source, sport=self.dport, dport=self.sport, kind=kind, state="established", mark=0
        )


class Drop(t.NamedTuple):
    """Where a packet ends."""

    family: str
    table: str
    chain: str
    rule: str  # empty: the policy of the chain
    certain: bool

    def __str__(self) -> str:
        what = f"rule {self.rule}" if self.rule else "policy"
        return f"{'' if self.certain else 'most likely '}dropped in chain {self.chain} of table {self.family} {self.table} by its {what}"


class _Verdict(t.NamedTuple):
    name: str  # of _VERDICTS, empty: the end of the chain was reached
    drop: Drop | None = None


_END = _Verdict("")


class Rules:
    """The ruleset of one namespace."""

    def __init__(self, entries: t.Sequence[Entry]) -> None:
        self._bases: list[Entry] = []
        self._rules: dict[tuple[str, str, str], list[Entry]] = {}
        self._sets: dict[tuple[str, str, str], Entry] = {}
        for entry in entries:
            kind, content = next(iter(entry.items()))
            if kind == "chain" and "hook" in content:
                self._bases.append(content)
            elif kind == "rule":
                self._rules.setdefault((content["family"], content["table"], content["chain"]), []).append(content)
            elif kind in ("set", "map"):
                self._sets[(content["family"], content["table"], content["name"])] = content

    def drops(self, packet: Packet, hooks: t.Sequence[str], families: t.Collection[str] = ("inet", "ip", "netdev")) -> Drop | None:
        """The place where the packet is dropped on its way through these hooks, on which it may be given a mark."""
        own = "ip6" if packet.version == 6 else "ip"
        meant = {own if family == "ip" else family for family in families}
        suspect = None
        for hook in hooks:
            for _base, drop in self.each_drop(packet, hook, meant):
                if drop.certain:
                    return drop
                suspect = suspect or drop
        return suspect

    def each_drop(self, packet: Packet, hook: str, families: t.Collection[str]) -> t.Iterator[tuple[Entry, Drop]]:
        """The chains of a hook that drop the packet should those before them let it pass, each with the place."""
        bases = [base for base in self._bases if base["hook"] == hook and base["family"] in families and self._concerns(base, packet)]
        for base in sorted(bases, key=lambda base: base.get("prio", 0)):
            drop = self._base(base, packet)
            if drop:
                yield base, drop

    def translates(self) -> bool:
        """Whether some rule gives packets another source address."""
        statements = (statement for rules in self._rules.values() for rule in rules for statement in rule.get("expr", ()))
        return any(name in statement for statement in statements for name in ("masquerade", "snat"))

    @staticmethod
    def _concerns(base: Entry, packet: Packet) -> bool:
        devices = base.get("dev")
        if devices is not None and packet.iif not in ([devices] if isinstance(devices, str) else devices):
            return False
        return not (base.get("type") == "nat" and packet.state != "new")

    def _base(self, base: Entry, packet: Packet) -> Drop | None:
        suspects: list[Drop] = []
        verdict = self._chain(base["family"], base["table"], base["name"], packet, suspects, 0)
        if verdict.drop:
            return verdict.drop
        if verdict.name in ("", "return") and base.get("policy") == "drop":
            return Drop(base["family"], base["table"], base["name"], "", True)
        return suspects[0] if suspects else None

    def _chain(self, family: str, table: str, chain: str, packet: Packet, suspects: list[Drop], depth: int) -> _Verdict:
        if depth > _DEPTH_MAX:
            return _END
        for rule in self._rules.get((family, table, chain), ()):
            try:
                verdict = self._rule(rule, packet, suspects, depth)
            except _STRANGE:
                continue
            if verdict.name == "return":
                return _END
            if verdict.name:
                return verdict
        return _END

    def _rule(self, rule: Entry, packet: Packet, suspects: list[Drop], depth: int) -> _Verdict:
        """The verdict of one rule; empty where it does not decide."""
        sure = True
        for statement in rule.get("expr", ()):
            name, content = _parts(statement)
            if name == "match":
                matches = self._matches(rule, content, packet)
                if matches is False:
                    return _END
                sure = sure and matches is True
            elif name == "mangle":
                if sure and content.get("key") == {"meta": {"key": "mark"}}:
                    packet.mark = self._number(content.get("value"), packet)
            elif name == "vmap":
                chosen = self._chosen(rule, content, packet)
                sure = sure and chosen is not None
                if chosen:
                    return self._verdict(rule, chosen, packet, suspects, depth, sure)
            elif name in _VERDICTS:
                return self._verdict(rule, {name: content}, packet, suspects, depth, sure)
            elif name not in _IDLE:
                sure = False  # limit, quota, xt of iptables: it may match or not
        return _END

    def _verdict(self, rule: Entry, verdict: Entry, packet: Packet, suspects: list[Drop], depth: int, sure: bool) -> _Verdict:
        name, content = next(iter(verdict.items()))
        family, table = rule["family"], rule["table"]
        if name in ("drop", "reject"):
            comment = f' "{rule["comment"]}"' if rule.get("comment") else ""
            told = f"'{rule['text']}'" if "text" in rule else f"handle {rule.get('handle', '?')}{comment}"
            drop = Drop(family, table, rule["chain"], told, sure)
            if sure:
                return _Verdict(name, drop)
            suspects.append(drop)
            return _END
        if name in ("jump", "goto"):
            target = (content or {}).get("target", "")
            found = self._chain(family, table, target, packet if sure else dataclasses.replace(packet), suspects, depth + 1)
            if not sure:
                if found.drop:
                    suspects.append(found.drop._replace(certain=False))
                return _END
            return found if found.name or name == "jump" else _Verdict("return")
        return _Verdict(name) if sure else _END

    def _chosen(self, rule: Entry, content: Entry, packet: Packet) -> Entry | None:
        """The verdict of a verdict map for this packet; ``None``: not known, empty: none."""
        value = self._value(content.get("key"), packet)
        data = content.get("data")
        if isinstance(data, str) and data.startswith("@"):
            data = self._sets.get((rule["family"], rule["table"], data[1:]), {}).get("elem", [])
        elif isinstance(data, dict):
            data = data.get("set", [])
        if value is None:
            return None
        for element in data or ():
            if not (isinstance(element, list) and len(element) == 2 and isinstance(element[1], dict)):
                continue
            if self._contains(rule, element[0], value) is True:
                return t.cast(Entry, element[1])
        return {}

    # --- matches

    def _matches(self, rule: Entry, content: Entry, packet: Packet) -> Known:
        left, right, operator = content.get("left"), content.get("right"), content.get("op", "==")
        if _foreign(left, packet):
            return False
        value = self._value(left, packet)
        if value is None:
            return None
        if operator in ("<", ">", "<=", ">="):
            return _compared(operator, value, self._number(right, packet) if not isinstance(right, (int, str)) else right)
        found = self._contains(rule, right, value)
        return (not found if operator == "!=" else found) if found is not None else None

    def _contains(self, rule: Entry, right: t.Any, value: t.Any) -> Known:
        """Whether a value, or one of several, is what stands on the right: itself, a prefix, a range, or one of several."""
        if isinstance(value, tuple):
            each: list[Known] = [None if part is None else self._contains(rule, right, part) for part in value]
            return True if True in each else None if None in each else False
        if isinstance(right, str) and right.startswith("@"):
            members: t.Any = self._sets.get((rule["family"], rule["table"], right[1:]), {}).get("elem", [])
            return self._any(rule, members, value)
        if isinstance(right, list):
            return self._any(rule, right, value)
        if isinstance(right, dict):
            kind, content = next(iter(right.items()))
            if kind == "set":
                return self._any(rule, content, value)
            if kind == "elem":
                return self._contains(rule, content.get("val"), value)
            if kind == "prefix":
                return _in_prefix(value, content)
            if kind == "range":
                low, high = _compared(">=", value, content[0]), _compared("<=", value, content[1])
                return None if low is None or high is None else low and high
            return None
        return _equal(value, right)

    def _any(self, rule: Entry, members: t.Any, value: t.Any) -> Known:
        found: list[Known] = [self._contains(rule, member, value) for member in (members if isinstance(members, list) else [members])]
        return True if True in found else None if None in found else False

    # --- values

    def _value(self, expression: t.Any, packet: Packet) -> t.Any:
        """What an expression is for this packet; ``None``: not known."""
        if isinstance(expression, int):
            return expression
        if not isinstance(expression, dict) or not expression:
            return None
        kind, content = next(iter(expression.items()))
        if kind in ("&", "|", "^", "<<", ">>"):
            return self._number(expression, packet)
        if kind == "meta":
            return _meta(content.get("key"), packet)
        if kind == "payload":
            return _payload(content.get("protocol"), content.get("field"), packet)
        if kind == "ct":
            known = {"state": packet.state, "status": packet.status, "ctstate": (packet.state, packet.status)}
            return known.get(content.get("key"))
        return None

    def _number(self, expression: t.Any, packet: Packet) -> int | None:
        if isinstance(expression, int):
            return expression
        if isinstance(expression, dict) and expression:
            kind, content = next(iter(expression.items()))
            if kind in ("&", "|", "^") and isinstance(content, list) and len(content) == 2:
                left, right = (self._number(part, packet) for part in content)
                if left is None or right is None:
                    return None
                return left & right if kind == "&" else left | right if kind == "|" else left ^ right
            value = self._value(expression, packet) if kind in ("meta", "payload") else None
            return value if isinstance(value, int) else None
        return None


def _parts(statement: t.Any) -> tuple[str, t.Any]:
    """A statement's name and what it says; of some nft tells the name only."""
    return next(iter(statement.items())) if isinstance(statement, dict) and statement else (str(statement), None)


def _foreign(left: t.Any, packet: Packet) -> bool:
    """Whether a match is about another protocol: the rule cannot be meant for this packet."""
    payload = left.get("payload") if isinstance(left, dict) else None
    protocol = payload.get("protocol") if isinstance(payload, dict) else None
    if protocol in _WIDTH:
        return _WIDTH[protocol] != packet.version
    return protocol in ("tcp", "udp", "icmp", "icmpv6", "sctp", "dccp", "esp", "ah", "arp") and protocol != packet.protocol


def _meta(key: str | None, packet: Packet) -> t.Any:
    values: dict[str | None, t.Any] = {
        "iifname": packet.iif,
        "oifname": packet.oif,
        "iif": packet.iif,
        "oif": packet.oif,
        "iifkind": packet.iif_kind,
        "oifkind": packet.oif_kind,
        "nfproto": f"ipv{packet.version}",
        "protocol": "ip6" if packet.version == 6 else "ip",
        "l4proto": packet.protocol,
        "mark": packet.mark,
    }
    return values.get(key)


def _payload(protocol: str | None, field: str | None, packet: Packet) -> t.Any:
    if field == "saddr" and protocol in _WIDTH:
        return packet.source or None
    if field == "daddr" and protocol in _WIDTH:
        return packet.to or None
    if field in ("protocol", "nexthdr"):
        return packet.protocol
    if field == "version":
        return packet.version
    if field in ("sport", "dport") and packet.protocol in ("tcp", "udp", "sctp"):
        return getattr(packet, field)
    return packet.kind or None if field == "type" and protocol in ("icmp", "icmpv6") else None


def _address(value: t.Any) -> t.Any:
    try:
        return ipaddress.ip_address(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _equal(value: t.Any, right: t.Any) -> Known:
    if isinstance(right, str) and isinstance(value, str):
        if right.endswith("*"):
            return value.startswith(right[:-1])
        if value in _PROTOCOL_NUMBERS and right in _PROTOCOL_NUMBERS:
            return _PROTOCOL_NUMBERS[value] == _PROTOCOL_NUMBERS[right]
        return bool(_address(value) == _address(right))
    if isinstance(right, int) and value in _PROTOCOL_NUMBERS:
        return _PROTOCOL_NUMBERS[value] == right
    if isinstance(right, (int, str)) and isinstance(value, type(right)):
        return bool(value == right)
    return None


def _in_prefix(value: t.Any, content: Entry) -> Known:
    try:
        network = ipaddress.ip_network(f"{content['addr']}/{content['len']}", strict=False)
        return ipaddress.ip_address(value) in network
    except (KeyError, TypeError, ValueError):
        return None


def _compared(operator: str, value: t.Any, right: t.Any) -> Known:
    value, right = _address(value), _address(right)
    if isinstance(value, str) or type(value) is not type(right):
        return None
    return bool({"<": value < right, ">": value > right, "<=": value <= right, ">=": value >= right}[operator])
