# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks for hosts: roles with variables, and what the documentation shows."""

from __future__ import annotations

import json
import pathlib
import re
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[2]


def roles(folder: pathlib.Path, *wanted: tuple[str, dict[str, t.Any]]) -> pathlib.Path:
    """A playbook of one play with these roles of the collection."""
    listed = [{"role": f"linuxnet.netns.{name}", "vars": variables} for name, variables in wanted]
    return written(folder, [{"name": "On the host", "hosts": "target", "gather_facts": False, "roles": listed}])


def written(folder: pathlib.Path, plays: t.Any) -> pathlib.Path:
    path = folder / f"play{len(list(folder.iterdir()))}.yml"
    path.write_text(json.dumps(plays), encoding="utf-8")  # JSON is YAML
    return path


def shown(folder: pathlib.Path, readme: str) -> list[pathlib.Path]:
    """The YAML blocks of a role's README, each a playbook for the host."""
    found = []
    for block in re.findall(r"^```yaml\n(.*?)^```$", (ROOT / readme).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        found.append(folder / f"block{len(found)}.yml")
        found[-1].write_text(re.sub(r"^  hosts: .*$", "  hosts: target", block, flags=re.MULTILINE), encoding="utf-8")
    return found


def changed(recap: str) -> int:
    """How many tasks of a run have changed something."""
    return int(re.findall(r"^target +: .*changed=(\d+)", recap, re.MULTILINE)[-1])
