# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The records of topologies as files: one a topology."""

from __future__ import annotations

import json
import typing as t

from . import codec, store, store_files
from .errors import StateError
from .ownership import Owners
from .record import Resource

VERSION = 1
_PREFIX = "topology."


def load(name: str) -> Owners:
    """What all topologies of this host have, for a run about the one called ``name``."""
    files = [file for file in store_files.names() if file.startswith(_PREFIX)]
    return Owners(name, {file[len(_PREFIX) :]: _read(file) for file in files})


def _read(file: str) -> tuple[Resource, ...]:
    text = store_files.read(file)
    try:
        content = json.loads(text or "")
        if content["version"] != VERSION:
            raise ValueError(f"it has format {content['version']}, this version knows {VERSION}")
        objects = tuple(codec.from_plain(content["objects"]))
        if not all(isinstance(each, Resource) for each in objects):
            raise ValueError("it lists what is no object")
        return objects
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise StateError(
            f"the record of topology {file[len(_PREFIX) :]!r}, {store.path(file)}, cannot be read ({exc}): "
            "remove the file, and by hand what that topology had"
        ) from exc


def files(owners: Owners, records: t.Mapping[str, tuple[Resource, ...]]) -> dict[str, tuple[str | None, str | None]]:
    """The files that change with these records: what each says now, and what it is to say."""
    changed = {}
    for name, objects in records.items():
        if objects == owners.records.get(name, ()):
            continue
        file = _PREFIX + name
        old, new = store_files.read(file), _text(name, objects)
        if old != new:
            changed[file] = (old, new)
    return changed


def files_now(owners: Owners) -> dict[str, tuple[str | None, None]]:
    """The files that a run may change, and what each says now."""
    return {file: (store_files.read(file), None) for file in sorted(_PREFIX + name for name in owners.concerned())}


def _text(name: str, objects: tuple[Resource, ...]) -> str | None:
    if not objects:
        return None
    content = {"version": VERSION, "topology": name, "objects": codec.to_plain(objects)}
    return json.dumps(content, separators=(",", ":")) + "\n"
