# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The managed objects before and after a run as YAML, for who asked for a diff."""

from __future__ import annotations

import functools
import typing as t

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./() ")
_NUMBERS = frozenset("0123456789abcdefABCDEFxXoO._-")  # and dates
_WORDS = ("null", "true", "false", "yes", "no", "on", "off", "")


def diff(changes: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, str]:
    """What the changes were about, ``before`` and ``after`` them."""
    before: dict[str, dict[str, t.Any]] = {}
    after: dict[str, dict[str, t.Any]] = {}
    made = set()  # here: before the run they were not there, or were others
    for entry in changes:
        label = _label(entry)
        # of a rule the new one is made before the old one goes
        old = label not in made or (entry["action"] == "delete" and entry["before"] != after.get(label))
        for name, value in (entry["before"] or {}).items() if old else ():
            before.setdefault(label, {}).setdefault(name, value)
        if entry["action"] == "create":
            made.add(label)
            after[label] = dict(entry["after"])
        elif entry["action"] == "delete" and (label not in made or not old):
            after.pop(label, None)
        elif entry["action"] != "delete":
            after.setdefault(label, {}).update(entry["after"])
    return {"before": yaml(before), "after": yaml(after)}


def _label(entry: t.Mapping[str, t.Any]) -> str:
    return f"{entry['kind']} {entry['name']}" + (f" ({entry['netns']})" if entry["netns"] else "")


def yaml(value: t.Any, indent: str = "") -> str:
    """Dicts, lists and scalars as YAML; a target has no YAML library of its own."""
    if isinstance(value, dict) and value:
        return "".join(f"{indent}{_scalar(str(name))}:{_below(inner, indent)}" for name, inner in value.items())
    if isinstance(value, (list, tuple)) and value:
        return "".join(f"{indent}-{_below(inner, indent)}" for inner in value)
    return "" if not indent and value in ({}, [], ()) else f"{indent}{_scalar(value)}\n"


def _below(value: t.Any, indent: str) -> str:
    if isinstance(value, (dict, list, tuple)) and value:
        return "\n" + yaml(value, indent + "  ")
    if isinstance(value, str) and "\n" in value:
        return " |\n" + "".join(f"{indent}  {line}\n" for line in value.splitlines())
    return f" {_scalar(value)}\n"


def _scalar(value: t.Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list, tuple)):
        return "{}" if isinstance(value, dict) else "[]"
    return str(value)


# the names of options and most of their values come again and again
@functools.lru_cache(maxsize=4096)
def _text(text: str) -> str:
    if text.lower() in _WORDS or not set(text) <= _PLAIN or text[0] in "-. " or text[0].isdigit() and set(text) <= _NUMBERS:
        return "'" + text.replace("'", "''") + "'"
    return text
