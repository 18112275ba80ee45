# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What a run is about to do, written down before it does it, for the next run if this one is killed.

The first line has all changes and what they put at risk; a line is added before each phase begins. What a new
namespace contains is left out: it goes with the namespace. Removing the file is what makes a run count.
"""

from __future__ import annotations

import dataclasses
import json
import typing as t

from . import codec, store, store_files
from .changes import Change
from .errors import StateError
from .record import Resource
from .resources import Link, Namespace, Veth
from .snapshot import Snapshot

VERSION = 1
_UNDOING = "undoing"

# Of a state file: what it said before the run, and what it is to say afterwards; None where it is not there.
Files = t.Mapping[str, tuple[t.Optional[str], t.Optional[str]]]


@dataclasses.dataclass(frozen=True)
class Left:
    """What a killed run left behind: ``begun`` are the changes of which some may have been made."""

    begun: tuple[Change, ...]
    snapshot: Snapshot
    files: Files
    undoing: bool  # it was killed while it went back


class Journal:
    """The journal of one run; nothing is written for a run without changes."""

    def __init__(self, changes: t.Sequence[Change], snapshot: Snapshot, files: Files) -> None:
        self.files = files
        kept = _worth_keeping(changes)
        self._places = {id(change): place for place, change in enumerate(kept, start=1)}
        header = {
            "version": VERSION,
            "changes": [codec.to_plain(_shortened(change)) for change in kept],
            "snapshot": {field.name: codec.to_plain(getattr(snapshot, field.name)) for field in dataclasses.fields(snapshot)},
            "files": files,
        }
        store_files.write(store.JOURNAL, json.dumps(header, separators=(",", ":")) + "\n")

    def begin(self, changes: t.Iterable[Change]) -> None:
        """These changes come next."""
        places = [self._places[id(change)] for change in changes if id(change) in self._places]
        if places:
            store_files.append(store.JOURNAL, f"{max(places)}\n")

    def undo(self) -> None:
        """From here on it goes back."""
        store_files.append(store.JOURNAL, f'"{_UNDOING}"\n')


def close() -> None:
    """What was begun is done, or undone."""
    store_files.remove(store.JOURNAL)


def left() -> Left | None:
    """What the run before this one left, if it was killed."""
    text = store_files.read(store.JOURNAL)
    if text is None:
        return None
    # a line without its end was being written when the run was killed: nothing of what it tells had begun
    lines = text.split("\n")[:-1]
    try:
        marks = [json.loads(line) for line in lines]
        header = marks.pop(0)
        if header["version"] != VERSION:
            raise ValueError(f"it has format {header['version']}, this version knows {VERSION}")
        begun = max((mark for mark in marks if mark != _UNDOING), default=0)
        changes = codec.from_plain(header["changes"])[:begun]
        snapshot = Snapshot(**{name: codec.from_plain(part) for name, part in header["snapshot"].items()})
        files = {name: (old, new) for name, (old, new) in header["files"].items()}
        return Left(changes, snapshot, files, _UNDOING in marks)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as exc:
        raise StateError(
            f"the journal of a killed run, {store.path(store.JOURNAL)}, cannot be read ({exc}): "
            "look at what that run left on the host, then remove it"
        ) from exc


def _worth_keeping(changes: t.Sequence[Change]) -> list[Change]:
    coming = {change.resource.netns for change in changes if change.action == "create" and isinstance(change.resource, Namespace)}
    # a device that is moved into it goes home with all that it was given there
    moved = {change.resource.key for change in changes if change.action == "move"}
    return [change for change in changes if change.resource.key in moved or not _places(change.resource) <= coming]


def _places(resource: Resource) -> set[str]:
    """The namespaces that all have to go for the object to be gone with them."""
    return {end.netns for end in resource.ends} if isinstance(resource, Veth) else {resource.where}


def _shortened(change: Change) -> Change:
    """A device that was made is only to be removed again, which takes its name."""
    if change.action == "create" and isinstance(change.after, (Link, Veth)):
        return dataclasses.replace(change, after=change.after.essence())
    return change
