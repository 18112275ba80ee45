# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""A table as iptables-save writes it, told in the form that nft lists rules in, for the same walk. Pure.

nft says of most matches of iptables only that they are there. What is not translated decides nothing, as there.
"""

from __future__ import annotations

import re
import shlex
import typing as t

Entry = dict[str, t.Any]

# Family and table of each program; rules of the old kernel modules are in no table of nft.
PROGRAMS = {
    "iptables-nft": ("ip", "filter"),
    "ip6tables-nft": ("ip6", "filter"),
    "iptables-legacy": ("ip", "filter (iptables-legacy)"),
    "ip6tables-legacy": ("ip6", "filter (ip6tables-legacy)"),
}
FORWARD = "FORWARD"

_VERDICTS = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "reject", "RETURN": "return", "QUEUE": "queue", "NFQUEUE": "queue"}
# Targets after which the next rule is asked.
_IDLE = ("AUDIT", "CLASSIFY", "CONNMARK", "CT", "LOG", "MARK", "NFLOG", "SET", "TCPMSS", "TRACE", "ULOG")
# Modules that match by their options only.
_PASSING = ("comment", "conntrack", "icmp", "icmp6", "multiport", "physdev", "sctp", "state", "tcp", "udp")
# An address, or in brackets one of IPv6, and a port; a choice of several is none.
_DESTINATION = re.compile(r"(?:\[(?P<six>[0-9a-f:]+)\]|(?P<host>[0-9.]+|[0-9a-f:]+))(?::(?P<port>\d+))?")
_PORTS = {"--sport": "sport", "--sports": "sport", "--dport": "dport", "--dports": "dport"}


def place(program: str, table: str = "filter") -> tuple[str, str]:
    """Family and name of a table of a program's."""
    family, name = PROGRAMS[program]
    return family, name.replace("filter", table, 1)


def entries(saved: str, program: str, kind: str = "filter") -> list[Entry]:
    """Chains and rules; of what a chain's policy lets pass and what not nft's words are used."""
    family, table = place(program, kind)
    where = {"family": family, "table": table}
    chains = {line[1:].split()[0]: line.split()[1] for line in saved.splitlines() if line.startswith(":")}
    found: list[Entry] = []
    for name, policy in chains.items():
        base = {"type": kind, "hook": name.lower(), "prio": 0, "policy": policy.lower()} if policy != "-" else {}
        found.append({"chain": {**where, "name": name, **base}})
    for line in saved.splitlines():
        if line.startswith("-A "):
            chain, words = line.split()[1], shlex.split(line)[2:]
            found.append({"rule": {**where, "chain": chain, "text": line, "expr": _expressions(words, family, chains)}})
    return found


def _expressions(words: t.Sequence[str], family: str, chains: t.Container[str]) -> list[t.Any]:
    found: list[t.Any] = []
    rest = iter(words)
    operator = "=="
    for word in rest:
        if word == "!":
            operator = "!="
            continue
        found += _expression(word, rest, operator, family, chains)
        operator = "=="
    return found


def _expression(word: str, rest: t.Iterator[str], operator: str, family: str, chains: t.Container[str]) -> list[t.Any]:
    if word in ("-i", "-o"):
        return [_match({"meta": {"key": "iifname" if word == "-i" else "oifname"}}, operator, _device(next(rest)))]
    if word in ("-s", "-d"):
        address, _slash, length = next(rest).partition("/")
        right = {"prefix": {"addr": address, "len": int(length)}} if length.isdigit() else address
        return [_match({"payload": {"protocol": family, "field": "saddr" if word == "-s" else "daddr"}}, operator, right)]
    if word == "-p":
        return [_match({"meta": {"key": "l4proto"}}, operator, next(rest))]
    if word in ("--ctstate", "--state"):
        # to iptables a translation is a state like others
        states = [state.lower() for state in next(rest).split(",")]
        return [_match({"ct": {"key": "ctstate" if {"dnat", "snat"} & {*states} else "state"}}, operator, states)]
    if word in _PORTS:
        return [_match({"payload": {"protocol": "th", "field": _PORTS[word]}}, operator, _ports(next(rest)))]
    if word == "--physdev-is-bridged" and operator == "==":
        # what br_netfilter shows of a frame that goes from port to port
        return [_match({"meta": {"key": key}}, operator, "bridge") for key in ("iifkind", "oifkind")]
    if word == "-m":
        return [] if next(rest) in _PASSING else ["xt"]
    if word == "--comment":
        next(rest)
        return []
    if word in ("-j", "-g"):
        return [_verdict(next(rest), word, [*rest], chains)]
    return ["xt"]


def _match(left: Entry, operator: str, right: t.Any) -> Entry:
    return {"match": {"op": operator, "left": left, "right": right}}


def _ports(text: str) -> t.Any:
    """One, several, ranges; iptables saves them as numbers."""
    found: list[t.Any] = []
    for part in text.split(","):
        first, _colon, last = part.partition(":")
        found.append({"range": [int(first), int(last)]} if last else int(first))
    return found[0] if len(found) == 1 else {"set": found}


def _device(name: str) -> str:
    """Both languages have a sign for any end of a name."""
    return f"{name[:-1]}*" if name.endswith("+") else name


def _verdict(target: str, word: str, rest: t.Sequence[str], chains: t.Container[str]) -> t.Any:
    """``rest``: the options of a target, which end the rule."""
    if target in chains:
        return {"goto" if word == "-g" else "jump": {"target": target}}
    if target == "DNAT" and rest[:1] == ["--to-destination"]:
        led = _DESTINATION.fullmatch(rest[1])
        return {"dnat": {"addr": led["six"] or led["host"], "port": int(led["port"]) if led["port"] else None}} if led else _named(target)
    return {_VERDICTS[target]: None} if target in _VERDICTS else {"log": None} if target in _IDLE else _named(target)


def _named(target: str) -> Entry:
    return {"xt": {"name": target}}


# -- rules of ours


def commented(line: str) -> str:
    """The comment of a rule; empty where it has none."""
    words = shlex.split(line) if "--comment" in line else []
    return words[words.index("--comment") + 1] if "--comment" in words else ""


def marked(saved: str, notes: t.Container[str]) -> dict[str, tuple[str, ...]]:
    """The rules with one of these comments, by chain, without the words that name it."""
    found: dict[str, tuple[str, ...]] = {}
    for line in saved.splitlines():
        if line.startswith("-A ") and commented(line) in notes:
            _append, chain, rule = line.split(None, 2)
            found[chain] = (*found.get(chain, ()), rule)
    return found


def without(saved: str, prefix: str) -> str:
    """As if no rule had a comment that begins so."""
    return "\n".join(line for line in saved.splitlines() if not (line.startswith("-A ") and commented(line).startswith(prefix)))


def position(saved: str, chain: str) -> int:
    """The number of the first rule that comes after ours in a chain for its users: theirs go first, the return at its end does not."""
    rules = [line for line in saved.splitlines() if line.startswith(f"-A {chain} ")]
    return len(rules) + (0 if rules[-1:] == [f"-A {chain} -j RETURN"] else 1)


def inserted(saved: str, chain: str, rules: t.Sequence[str]) -> str:
    """The text as it will be with these rules in their place; ``rules`` without the words that name the chain."""
    number = position(saved, chain)
    lines = saved.splitlines()
    own = [at for at, line in enumerate(lines) if line.startswith(f"-A {chain} ")]
    at = own[number - 1] if number <= len(own) else len(lines)
    return "\n".join([*lines[:at], *(f"-A {chain} {rule}" for rule in rules), *lines[at:]])
