# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Whole nftables tables: text goes in, one transaction per table, nft's own JSON comes out and is compared.

The wanted text is rendered by the same nft in a scratch namespace, so that both sides of a comparison have gone through
the same normalisation; this is its syntax check as well. JSON is read only: nft 1.0.6 cannot read all that it lists.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import typing as t

from . import namespaces, programs, rtnetlink, syscalls
from .errors import InputError, KernelError, StateError
from .programs import Ended
from .resources_nat import Table
from .values import HOST, place

_SBIN = "/usr/sbin:/sbin"  # not in everybody's PATH

# What the kernel counts or numbers, and nobody asked for.
_VOLATILE = {"handle", "expires", "used"}
_COUNTS = {"packets": 0, "bytes": 0}

# Lists whose order means nothing: the kernel gives the elements of a set in the order of its own storage.
_UNORDERED = {"elem", "set"}

_NETLINK_NETFILTER, _GET_TABLES, _TABLE_NAME = 12, 0x0A01, 1
_FAMILIES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}

_KINDS = ("table", "chain", "rule")  # between table and chain: sets, maps and all other named objects


def quote(name: str, option: str) -> str:
    """An interface's name as a string in nft's language, which has no escape for a quote and reads a star as a wildcard."""
    bad = sorted({character for character in name if character in '"\\*'})
    if bad:
        raise InputError(f"{option}: {name!r} cannot be named in an nftables rule because of {' and '.join(bad)}: rename the device")
    return f'"{name}"'


# -- running nft


def find(program: str = "nft") -> str | None:
    """Where a program of the host is."""
    return shutil.which(program, path=f"{_SBIN}:{os.environ.get('PATH', '')}")


def installed() -> bool:
    """Whether the host has the program."""
    return find() is not None


def _program() -> str:
    found = find()
    if found is None:
        raise StateError(
            "netns_nat needs the program nft, which is not on this host: "
            "install the package nftables or use the role linuxnet.netns.requirements"
        )
    return found


def _run(*arguments: str, text: str = "") -> Ended:
    """nft in the namespace of the calling thread, which its child processes inherit."""
    return programs.run([_program(), *arguments], text)


def _complaint(run: Ended) -> str:
    """nft's own first line on what is wrong."""
    lines = [line.strip() for line in run.errors.splitlines() if line.strip()]
    return next((line for line in lines if "Error:" in line), lines[0] if lines else f"exit status {run.status}")


def _output(what: str, *arguments: str, text: str = "") -> str:
    run = _run(*arguments, text=text)
    if run.status != 0:
        raise KernelError(f"nft cannot {what}: {_complaint(run)}")
    return run.output


@contextlib.contextmanager
def inside(netns: str) -> t.Iterator[None]:
    """The calling thread is in a namespace, and so are the programs that it runs."""
    fd = namespaces.open_reference(netns)
    try:
        with namespaces.entered(fd):
            yield
    finally:
        os.close(fd)


@contextlib.contextmanager
def scratch() -> t.Iterator[None]:
    """The calling thread is in a new, empty namespace, which is gone afterwards."""
    with inside(HOST):
        syscalls.unshare()
        yield


# -- one spelling


def _clean(value: t.Any) -> t.Any:
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if not isinstance(value, dict):
        return value
    cleaned = {}
    for name, inner in value.items():
        if name in _VOLATILE:
            continue
        inner = _clean(inner)
        if name in _UNORDERED and isinstance(inner, list):
            inner = sorted(inner, key=_spelling)
        elif name == "counter" and isinstance(inner, dict):
            inner = {**inner, **_COUNTS}
        cleaned[name] = inner
    return cleaned


def _spelling(value: t.Any) -> str:
    return json.dumps(value, sort_keys=True)


def _place_in_list(entry: t.Mapping[str, t.Any]) -> tuple[int, str]:
    """Named objects by name; rules by chain only, since within a chain their order is their meaning."""
    kind, content = next(iter(entry.items()))
    rank = _KINDS.index(kind) * 2 if kind in _KINDS else 1
    return rank, content["chain"] if kind == "rule" else f"{kind} {content.get('name')}"


def _canonical_json(listing: str) -> str:
    entries = [_clean(entry) for entry in json.loads(listing)["nftables"] if "metainfo" not in entry]
    return _spelling({"nftables": sorted(entries, key=_place_in_list)})


def canonical(text: str) -> str:
    """What the kernel makes of ``text``, in one spelling; nothing of the host is touched."""
    with scratch():
        _output("read the rules meant for this network", "-f", "-", text=text)
        return _canonical_json(_output("list the rules it has just read", "-j", "list", "ruleset"))


def elements(ruleset: str) -> dict[str, frozenset[str]]:
    """The plain elements of each named set in a canonical ruleset."""
    found = (entry["set"] for entry in json.loads(ruleset)["nftables"] if "set" in entry)
    return {content["name"]: frozenset(item for item in content.get("elem", ()) if isinstance(item, str)) for content in found}


# -- what is there


def tables(netns: str) -> list[tuple[str, str]]:
    """Family and name of each table in a namespace, everybody's. A host without nft has none: it took nft to make one."""
    if find() is None:
        return []
    with inside(netns):
        listing = _output(f"list the tables {place(netns)}", "-j", "list", "tables")
    found = (entry["table"] for entry in json.loads(listing)["nftables"] if "table" in entry)
    return [(content["family"], content["name"]) for content in found]


def named(netns: str) -> list[tuple[str, str]]:
    """As ``tables``, asked of the kernel: a hundredth of the time, and where there is no nft too."""
    with inside(netns):
        try:
            channel = rtnetlink.Socket(_NETLINK_NETFILTER)
        except OSError:  # a kernel without netfilter
            return []
    try:
        found = channel.dump(_GET_TABLES, b"\0\0\0\0")
    except KernelError:  # or without nftables
        return []
    finally:
        channel.close()
    return [(_FAMILIES.get(data[0], ""), rtnetlink.to_text(rtnetlink.attributes(data, 4)[_TABLE_NAME])) for data in found]


def live(netns: str, family: str, table: str) -> Table | None:
    """One table as it is, or None; its ``text`` can be given to ``replace`` again."""
    # asked by a list, since that a table is missing is told by nft in words only
    if (family, table) not in tables(netns):
        return None
    what = f"list the table {family} {table} {place(netns)}"
    try:
        with inside(netns):
            listing = _output(what, "-j", "list", "table", family, table)
            text = _output(what, "list", "table", family, table)
    except KernelError:
        if (family, table) in tables(netns):
            raise
        return None  # flushed by somebody in between
    return Table(netns=netns, family=family, table=table, text=text, ruleset=_canonical_json(listing))


def ruleset(netns: str) -> list[dict[str, t.Any]]:
    """Everything in a namespace as nft lists it, in its order. A host without nft has nothing."""
    if find() is None:
        return []
    with inside(netns):
        listing = _output(f"list the rules {place(netns)}", "-j", "list", "ruleset")
    return [entry for entry in json.loads(listing)["nftables"] if "metainfo" not in entry]


# -- single rules in tables of others, known by their comment


def rule_texts(netns: str, family: str, table: str, chain: str, note: str) -> tuple[str, ...]:
    """The rules of a chain with this comment, as nft lists them."""
    with inside(netns):
        return _texts(family, table, chain, note)


def _texts(family: str, table: str, chain: str, note: str) -> tuple[str, ...]:
    listing = _output(f"list the chain {chain} of table {family} {table}", "list", "chain", family, table, chain)
    return tuple(line.strip() for line in listing.splitlines() if line.rstrip().endswith(f'comment "{note}"'))


def canonical_rules(family: str, rules: t.Sequence[str], note: str) -> tuple[str, ...]:
    """Rules with this comment as nft will list them."""
    place = f"{family} scratch forward"
    lines = [f"add table {family} scratch", f"add chain {place}", *(f"add rule {place} {rule}" for rule in rules)]
    with scratch():
        _output("read the rules meant for this network", "-f", "-", text="\n".join([*lines, ""]))
        return _texts(family, "scratch", "forward", note)


def replace_marked(netns: str, place: tuple[str, str, str], note: str, rules: t.Sequence[str]) -> None:
    """In one transaction: these rules are the first of a chain, and no others there have the comment."""
    where = " ".join(place)
    there = [entry["rule"] for entry in ruleset(netns) if "rule" in entry]
    marked = [rule for rule in there if (rule["family"], rule["table"], rule["chain"]) == place and rule.get("comment") == note]
    lines = [f"delete rule {where} handle {rule['handle']}" for rule in marked]
    lines += [f"insert rule {where} {rule}" for rule in reversed(rules)]
    if lines:
        with inside(netns):
            _output(f"set rules in chain {where}", "-f", "-", text="\n".join([*lines, ""]))


# -- changing


def _emptied(family: str, table: str) -> str:
    """A table that is certainly gone: ``destroy`` exists from nft 1.0.7 only, and ``delete`` alone fails where nothing is."""
    return f"add table {family} {table}\ndelete table {family} {table}\n"


def replace(netns: str, table: Table) -> None:
    """Put ``table`` in the place of what has its name, in one transaction: no packet meets a state in between."""
    with inside(netns):
        _output(f"set the table {table.name} {place(netns)}", "-f", "-", text=_emptied(table.family, table.table) + table.text)


def remove(netns: str, family: str, table: str) -> None:
    """Take a table away, with all in it; none is fine."""
    with inside(netns):
        _output(f"remove the table {family} {table} {place(netns)}", "-f", "-", text=_emptied(family, table))
