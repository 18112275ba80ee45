# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What the zipped engine begins with: it says how programs are run where there is no Ansible."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t


def main() -> int:
    """The exit status."""
    from _engine import command_line, programs  # beside this file in the zip

    def start(words: t.Sequence[str], text: str, environment: t.Mapping[str, str]) -> programs.Ended:
        done = subprocess.run(list(words), input=text, capture_output=True, text=True, check=False, env={**os.environ, **environment})
        return programs.Ended(done.returncode, done.stdout, done.stderr)

    programs.use(start)
    return command_line.main()


if __name__ == "__main__":
    sys.exit(main())
