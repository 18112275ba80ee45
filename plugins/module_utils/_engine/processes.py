# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Who lives in a network namespace."""

from __future__ import annotations

import os
import typing as t


def nsfs() -> int:
    """The device of the namespaces' files: inode numbers are unique within it only."""
    return os.stat("/proc/self/ns/net").st_dev


def namespace_of(pid: int | str, device: int) -> int:
    """The namespace of a process, 0 where it has none any more (ended, or a zombie)."""
    try:
        found = os.stat(f"/proc/{pid}/ns/net")
    except OSError:
        return 0
    return found.st_ino if found.st_dev == device else 0


def processes(inodes: t.Collection[int]) -> dict[int, list[int]]:
    """The processes of each of these namespaces, by one pass over /proc."""
    found: dict[int, list[int]] = {inode: [] for inode in inodes}
    if not found:
        return found
    device = nsfs()
    for name in os.listdir("/proc"):
        if name.isdigit():
            inode = namespace_of(name, device)
            if inode in found:
                found[inode].append(int(name))
    for pids in found.values():
        pids.sort()
    return found
