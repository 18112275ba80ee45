# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The topologies that are to come back by themselves: their lists as a file each, which outlives the boot.

The run that builds a network writes it, under the lock and as the last thing it does: who replays meanwhile never builds
what was there before, and a network that failed its checks is not the one that the next boot builds.
"""

from __future__ import annotations

import contextlib
import json
import os
import typing as t

from . import namespaces, store, store_files
from .errors import InputError, StateError

VERSION = 1
_PREFIX = "saved."

Lists = t.Mapping[str, t.Sequence[t.Mapping[str, t.Any]]]
# As the journal has them: the old text and the new one.
Files = dict[str, tuple[t.Optional[str], t.Optional[str]]]


def text(name: str, lists: Lists) -> str:
    """What is written of a topology; options that were not given are left out. Raises InputError where it could not be replayed."""
    if _in_a_namespace():
        raise InputError(
            "persist: this task runs inside a namespace, and what is saved is built on the host: "
            "run it there, and name the namespace in the lists"
        )
    content = {"version": VERSION, "topology": name, **{kind: _given(items) for kind, items in lists.items() if items}}
    return json.dumps(content, indent=1) + "\n"


def _given(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {name: _given(inner) for name, inner in value.items() if inner is not None}
    return [_given(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def _in_a_namespace() -> bool:
    """Whether the host of this run is one of the host's own namespaces: so in a task with become linuxnet.netns.netns."""
    here = os.stat("/proc/thread-self/ns/net")
    with contextlib.suppress(OSError):  # in a container not everybody may ask
        if os.path.samestat(here, os.stat("/proc/1/ns/net")):
            return False  # whatever its name is
    return here.st_ino in {entry.inode for entry in namespaces.entries()}


def names() -> list[str]:
    """The topologies that are saved."""
    return [_name(file) for file in store_files.saved()]


def _name(file: str) -> str:
    return file[len(_PREFIX) :]


def load(name: str) -> Lists:
    """The lists of one of them. Raises StateError."""
    file = _PREFIX + name
    found = store_files.read(file)
    if found is None:
        raise StateError(f"topology {name!r} is not saved: there is no {store.path(file)}")
    try:
        content = json.loads(found)
        if content.pop("version") != VERSION:
            raise ValueError(f"this version of linuxnet.netns knows format {VERSION}")
        if content.pop("topology") != name or not all(isinstance(items, list) for items in content.values()):
            raise ValueError("it is not what was written")
        return t.cast("Lists", content)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise StateError(f"{store.path(file)} cannot be read ({exc}): remove it, and run the task again that builds {name!r}") from exc


def files(name: str, wish: str | None) -> Files:
    """What changes so that ``wish`` is saved, and nothing is with an empty one; None: it stays as it is.

    A run inside a namespace has topologies of its own, and none of them is saved.
    """
    if wish is None:
        return {}
    old, new = store_files.read(_PREFIX + name), wish or None
    return {_PREFIX + name: (old, new)} if old != new and not _in_a_namespace() else {}


def names_after(changed: Files) -> list[str]:
    """The topologies that are saved when these files are as they are to be."""
    return sorted({*names()} - {_name(file) for file in changed} | {_name(file) for file, (_old, new) in changed.items() if new})


def told(changed: Files) -> list[dict[str, t.Any]]:
    """As a result shows it: where the file is, since its text is the task's own."""
    entries = []
    for file, (old, new) in changed.items():
        action = "create" if old is None else "delete" if new is None else "update"
        reason = {"create": "to be replayed at boot", "delete": "not to be replayed any more", "update": "the lists differ"}[action]
        entry: dict[str, t.Any] = {"action": action, "kind": "saved_topology", "netns": None, "name": _name(file)}
        before, after = ({"path": store.path(file), "bytes": len(text.encode())} if text else None for text in (old, new))
        entries.append({**entry, "before": before, "after": after, "reason": reason})
    return entries
