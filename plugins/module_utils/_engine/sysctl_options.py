# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of sysctls -> records."""

from __future__ import annotations

import typing as t

from . import values, values_sysctl
from .errors import InputError
from .record import Resource
from .resources import Sysctl

Item = t.Mapping[str, t.Any]


def sysctls(item: Item, present: bool) -> list[Resource]:
    netns = values.netns_reference(item.get("netns"))
    given = [(name, value, "sysctls", f"sysctls.{name}") for name, value in (item.get("sysctls") or {}).items()]
    if item.get("name") is not None:
        if item.get("value") is None:
            raise InputError(f"value: sysctl {item['name']} needs one: give a number or a text")
        given.append((item["name"], item["value"], "name", "value"))
    if not given:
        raise InputError("name: give a name with its value, or a dict of them as sysctls")
    return [
        Sysctl(netns=netns, path=values_sysctl.sysctl_path(name, option), value=values_sysctl.sysctl_value(value, value_option))
        for name, value, option, value_option in given
    ]
