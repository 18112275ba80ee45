# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""A module whose lists may have thousands of items.

Ansible checks and copies each item in many passes: 0.6 s for a thousand namespaces with all that is in them. An item that
has nothing but known options with values of their very types would come out as it went in, less what it leaves open. Such
lists are completed here; all others are Ansible's to convert, or to refuse.
"""

from __future__ import annotations

import gc
import typing as t

from ansible.module_utils.basic import AnsibleModule

Item = dict[str, t.Any]

_MANY = 16
# What is understood of an option and of a list of items; with anything else Ansible's own way is gone.
_OF_AN_OPTION = frozenset({"type", "elements", "required", "default", "choices", "options"})
_OF_A_LIST = frozenset({"type", "elements", "options"})
# By the class itself: a bool is an int to isinstance, and Ansible's marked texts are texts.
_TYPES = {"str": str, "bool": bool, "int": int, "dict": dict}


class _Unusual(Exception):
    """Something that Ansible has to look at."""


class LongListsModule(AnsibleModule):
    """AnsibleModule; only faster where its lists are long."""

    def __init__(self, argument_spec: dict[str, t.Any], **more: t.Any) -> None:
        self._spec = argument_spec
        self._completed: dict[str, list[Item]] = {}
        # a thousand namespaces as text, as arguments and as records: nothing to collect before the end, and much to look through
        gc.disable()
        super().__init__(argument_spec=argument_spec, **more)
        self.params.update(self._completed)

    def _load_params(self) -> None:
        super()._load_params()
        for name, spec in self._spec.items():
            items = self.params.get(name)
            if isinstance(items, list) and len(items) >= _MANY and {*spec} == _OF_A_LIST:
                form = _Form(spec["options"])
                try:
                    self._completed[name] = [form.completed(item) for item in items]
                    self.params[name] = []
                except _Unusual:
                    continue


class _Form:
    """What is understood of an item: its options, and what it has where it leaves one open."""

    def __init__(self, spec: t.Mapping[str, t.Any]) -> None:
        self.spec = spec
        self.required = {name for name, option in spec.items() if option.get("required")}
        self.defaults = {name: option.get("default") for name, option in spec.items()}
        self.inner = {name: _Form(option["options"]) for name, option in spec.items() if "options" in option}

    def completed(self, item: t.Any) -> Item:
        """The item with what it leaves open as Ansible would add it."""
        if item.__class__ is not dict or not self.spec.keys() >= item.keys() or not self.required <= item.keys():
            raise _Unusual
        return {**self.defaults, **{name: self._value(name, value) for name, value in item.items()}}

    def _value(self, name: str, value: t.Any) -> t.Any:
        option = self.spec[name]
        if not option.keys() <= _OF_AN_OPTION:
            raise _Unusual
        if value is None:
            if option.get("required") or option.get("default") is not None:
                raise _Unusual
            return None
        kind = option.get("type", "str")
        if kind == "list":
            # a text is a list with commas
            found = value.split(",") if value.__class__ is str else value
            if found.__class__ is not list or "options" in option or "choices" in option:
                raise _Unusual
            return [_plain(inner, option.get("elements", "str"), None) for inner in found]
        if name in self.inner:
            return self.inner[name].completed(value)
        return _plain(value, kind, option.get("choices"))


def _plain(value: t.Any, kind: str, choices: t.Collection[t.Any] | None) -> t.Any:
    if value.__class__ is not _TYPES.get(kind) or (choices is not None and value not in choices):
        raise _Unusual
    return value
