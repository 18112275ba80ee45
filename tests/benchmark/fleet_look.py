# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inside a host of the fleet: is the star there, or is all of it gone?

    nsenter --target PID --net --mount python fleet_look.py 3

Ends with one sentence if it is not as it should be; 0 stands for nothing left.
"""

from __future__ import annotations

import sys
import time

import star
from harness import BenchmarkError


def _look(size: int) -> None:
    if size:
        star.check(size)
        return
    deadline = time.monotonic() + 30
    # The kernel removes devices after their namespaces.
    while not star.gone() and time.monotonic() < deadline:
        time.sleep(0.005)
    star.check_gone()


if __name__ == "__main__":
    try:
        _look(int(sys.argv[1]))
    except BenchmarkError as error:
        sys.exit(str(error))
