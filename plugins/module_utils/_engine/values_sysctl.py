# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""One spelling for sysctls. Pure; refuses what cannot be meant."""

from __future__ import annotations

import re
import typing as t

from .errors import InputError

_SYSCTL_PER_DEVICE = re.compile(r"net\.(ipv4|ipv6|mpls)\.(conf|neigh)\.(.+)\.([^.]+)")


def sysctl_path(name: str, option: str = "name") -> str:
    """The path below /proc/sys: ``net.ipv4.conf.eth0.100.forwarding`` -> ``net/ipv4/conf/eth0.100/forwarding``.

    As sysctl(8): where a slash comes first, slashes separate; otherwise dots do, and a slash stands for a dot in a name.
    """
    dot, slash = name.find("."), name.find("/")
    if slash != -1 and (dot == -1 or slash < dot):
        path = name
    else:
        per_device = _SYSCTL_PER_DEVICE.fullmatch(name)
        if per_device:
            family, table, device, key = per_device.groups()
            path = f"net/{family}/{table}/{device.replace('/', '.')}/{key}"
        else:
            path = name.translate(str.maketrans("./", "/."))
    parts = path.split("/")
    if parts[0] != "net" or len(parts) < 2:
        raise InputError(
            f"{option}: {name!r} is not a network sysctl: use one such as net.ipv4.ip_forward, since only net.* belongs to a namespace"
        )
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        what = "it has an empty part, dots alone or a zero byte"
        raise InputError(f"{option}: {name!r} is not a sysctl name: {what}: write it as in net.ipv4.ip_forward")
    return path


def sysctl_value(value: t.Any, option: str = "value") -> str:
    """What /proc/sys shows: words separated by one blank; booleans as 1 and 0."""
    if isinstance(value, bool):
        return str(int(value))
    if not isinstance(value, (str, int)) or not str(value).strip() or "\0" in str(value):
        raise InputError(f"{option}: {value!r} is not a sysctl's value: write a number or a text, such as 1 or '1024 65000'")
    return " ".join(str(value).split())
