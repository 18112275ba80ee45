# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run on a host, beside a copy of the engine: one run as netns_topology makes it. JSON in, JSON out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t

from _engine import options, programs, transaction
from _engine.errors import NetnsError


def runner(words: t.Sequence[str], text: str, environment: t.Mapping[str, str]) -> programs.Ended:
    ran = subprocess.run(words, input=text, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    return programs.Ended(ran.returncode, ran.stdout, ran.stderr)


def main() -> None:
    asked = json.load(sys.stdin)
    programs.use(runner)
    try:
        wanted = options.read(asked["lists"], asked["state"], True)
        terms = transaction.Terms(owner=asked["name"])
        report = transaction.execute(wanted, check_mode=asked["check_mode"], terms=terms)
    except NetnsError as error:
        told = {"changes": [*error.changes], "msg": str(error), "rolled_back": getattr(error, "rolled_back", None)}
    else:
        told = {"changes": [*report.changes], "msg": None, "diff": report.diff()}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
