# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""One spelling for every value: names, references, numbers; addresses are in ``values_ip``. Pure; refuses what cannot be meant."""

from __future__ import annotations

import os.path
import re
import typing as t

from .errors import InputError

# The namespace that the module itself runs in. Not None: keys must sort.
HOST = ""

NETNS_DIR = "/run/netns"

_IFNAME_MAX = 15  # IFNAMSIZ less the closing zero
_NAME_MAX = 255
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")

# The first line of a resolv.conf of ours.
RESOLVER_MARK = "# Managed by linuxnet.netns"

# Who set an address, a route or a rule, for those that this collection sets: a number that iproute2 and the daemons leave free.
OUR_PROTOCOL = 110

ROUTE_TABLES = {"default": 253, "main": 254, "local": 255}


def place(netns: str) -> str:
    """How a message names a namespace reference."""
    return f"in namespace {netns!r}" if netns else "on the host"


def no_namespace(netns: str, kind: str) -> str:
    """What a message says of something in the directory of namespaces that is none; ``kind`` is what it is, in words."""
    advice = {
        "a stale plain file": "linuxnet.netns.netns with state present repairs it",
        "a symbolic link": "use the path that it points to as 'netns', or remove it with linuxnet.netns.netns and state absent",
    }.get(kind, f"remove {NETNS_DIR}/{netns} by hand")
    return f"namespace {netns!r} is {kind} in {NETNS_DIR}, not a namespace: {advice}"


def _size(value: str, option: str) -> int:
    """The bytes that a text takes."""
    try:
        return len(value.encode())
    except UnicodeEncodeError:  # Ansible hands on bytes that are no UTF-8 as half characters
        raise InputError(f"{option}: {value!r} is not UTF-8: write it in that encoding") from None


def interface_name(value: str, option: str) -> str:
    """A name the kernel takes for a device: 1 to 15 bytes, no slash, colon or white space."""
    size = _size(value, option)
    if not 1 <= size <= _IFNAME_MAX:
        raise InputError(f"{option}: {value!r} is not an interface name: it has {size} bytes, allowed are 1 to {_IFNAME_MAX}")
    if value in (".", "..") or re.search(r"[/:%\s\0]", value):
        # the kernel takes a percent sign for a template: veth%d becomes veth0
        raise InputError(f"{option}: {value!r} is not an interface name: remove dots alone, slashes, colons, percent signs and white space")
    if value in ("all", "default"):
        raise InputError(f"{option}: {value!r} is not an interface name: the kernel keeps it for sysctls that mean every device")
    return value


def namespace_name(value: str, option: str) -> str:
    """A name that can stand in /run/netns."""
    if value in ("", ".", ".."):
        raise InputError(f"{option}: {value!r} is not a namespace name: use a plain file name such as 'blue'")
    if "/" in value or "\0" in value:
        what = "a slash" if "/" in value else "a zero byte"
        raise InputError(f"{option}: {value!r} is not a namespace name: it contains {what}: use a plain file name such as 'blue'")
    size = _size(value, option)
    if size > _NAME_MAX:
        raise InputError(f"{option}: the namespace name {value[:20] + '...'!r} has {size} bytes, allowed are 1 to {_NAME_MAX}")
    return value


def topology_name(value: str, option: str = "name") -> str:
    """A name that can be part of a file's name."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value):
        raise InputError(f"{option}: {value!r} cannot name a topology: use 1 to 64 letters, digits, dots, dashes and underscores")
    return value


def netns_reference(value: str | None, option: str = "netns") -> str:
    """Where an object lives: a name, an absolute path, or nothing for the host."""
    if value is None:
        return HOST
    if not value.startswith("/"):
        return namespace_name(value, option)
    if "\0" in value:
        raise InputError(f"{option}: {value!r} is not a path: remove the zero byte")
    path = os.path.normpath("/" + value.lstrip("/"))  # normpath leaves two slashes at the beginning alone
    if path.startswith("/var/run/"):  # a link to /run on every system with systemd
        path = path[4:]
    if path in ("/proc/self/ns/net", "/proc/thread-self/ns/net"):
        return HOST
    if os.path.dirname(path) == NETNS_DIR:
        return os.path.basename(path)
    return path


def mac_address(value: str, option: str) -> str:
    """An Ethernet address, lower case, that a device may bear (not multicast, not all zero)."""
    mac = value.lower().replace("-", ":")
    if not _MAC.fullmatch(mac):
        raise InputError(f"{option}: {value!r} is not a MAC address: write six pairs of hexadecimal digits, such as 02:00:5e:10:00:01")
    if int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00":
        raise InputError(
            f"{option}: {value!r} cannot be a device's MAC address: it is {'a multicast' if int(mac[:2], 16) & 1 else 'the zero'} "
            "address; use one such as 02:00:5e:10:00:01"
        )
    return mac


def number(value: t.Any, option: str, low: int, high: int) -> int:
    """An integer within the kernel's limits for it."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{option}: {value!r} is out of range: use a number from {low} to {high}")
    return value
