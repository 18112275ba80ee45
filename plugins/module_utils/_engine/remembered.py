# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The file of the devices that are away from home: one for all, since a device is one topology's today and a task's tomorrow."""

from __future__ import annotations

import json
import typing as t

from . import codec, homes, plan_homes, store, store_files
from .errors import StateError
from .homes import Home

if t.TYPE_CHECKING:
    from .changes import Change
    from .options import Wanted
    from .state import Observed

VERSION = 1

# As the journal has them: the old text and the new one.
Files = dict[str, tuple[t.Optional[str], t.Optional[str]]]
_FILE = "devices"


def load() -> tuple[Home, ...]:
    """The devices that runs have moved, and how they were before."""
    text = store_files.read(_FILE)
    if text is None:
        return ()
    try:
        content = json.loads(text)
        if content["version"] != VERSION:
            raise ValueError(f"it has format {content['version']}, this version knows {VERSION}")
        found = codec.from_plain(content["devices"])
        if not all(isinstance(home, Home) for home in found):
            raise ValueError("it lists something that is no device")
        return t.cast("tuple[Home, ...]", found)
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise StateError(
            f"the record of devices that are away from home, {store.path(_FILE)}, cannot be read ({exc}): "
            "remove the file, and give the devices back by hand"
        ) from exc


class Keeper:
    """What the file is to say in the course of one run; each answer is its name with the text that is there and the one to be."""

    def __init__(self, wanted: Wanted, found: Observed) -> None:
        self._found = found
        self._ended = plan_homes.ended(wanted, found) if found.homes else []
        self._concerned = bool(self._ended or found.away or found.leaving)

    def begin(self) -> Files:
        """As soon as anything is done: whoever is killed on a device's way back leaves it marked."""
        return _file(homes.begun(self._found.homes, self._ended)) if self._ended else {}

    def after(self, changes: t.Sequence[Change], now: Observed, whole: bool = True) -> Files:
        """When these changes are made. Not ``whole``: they are not all, and what goes home may be on its way."""
        if not self._concerned:
            return {}
        before, ended = (self._found.homes, self._ended) if whole else (homes.begun(self._found.homes, self._ended), [])
        return _file(plan_homes.after(before, ended, changes, self._found, now))

    def undone(self) -> Files:
        """When all is as it was."""
        return _file(self._found.homes) if self._ended else {}


def _file(kept: t.Sequence[Home]) -> Files:
    text = json.dumps({"version": VERSION, "devices": codec.to_plain(kept)}, separators=(",", ":")) + "\n" if kept else None
    old = store_files.read(_FILE)
    return {} if old == text else {_FILE: (old, text)}
