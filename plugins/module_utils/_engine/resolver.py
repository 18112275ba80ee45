# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The resolv.conf of a namespace, /etc/netns/NAME/resolv.conf, as ``ip netns exec`` looks for it."""

from __future__ import annotations

import os
import stat

from .errors import StateError
from .syscalls import reporting
from .values import namespace_name

ETC_NETNS = "/etc/netns"

FILE = "resolv.conf"


def directory_of(name: str) -> str:
    return f"{ETC_NETNS}/{namespace_name(name, 'netns')}"


def read_resolver(name: str) -> str | None:
    """The text of the namespace's resolv.conf, None where there is none."""
    path = f"{directory_of(name)}/{FILE}"
    with reporting(f"read {path}"):
        try:
            # O_NONBLOCK: a fifo must not stop us.
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError):
            return None
    if not stat.S_ISREG(os.fstat(fd).st_mode):  # Python opens no directory
        os.close(fd)
        raise StateError(f"{path} is not a plain file: remove it by hand")
    with reporting(f"read {path}"), open(fd, encoding="utf-8", errors="replace") as file:
        return file.read()
