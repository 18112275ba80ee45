# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask HTTP servers who we are to them, and whether the neighbour, the last argument, is there: one line for each. All are asked at once."""

from __future__ import annotations

import concurrent.futures
import json
import socket
import sys
import urllib.request

SECONDS = 1


def ask(server: str) -> str:
    try:
        # over a proxy nothing would be proved
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{server}/", timeout=SECONDS) as answer:
            return str(json.load(answer)["peer"])
    except OSError:
        return "no answer"


def look_for(neighbour: str) -> str:
    try:
        socket.create_connection((neighbour, 9), timeout=SECONDS).close()
    except ConnectionRefusedError:
        return "there"  # nobody listens, and somebody says so
    except OSError:
        pass
    return "no answer"


*servers, last = sys.argv[1:]
with concurrent.futures.ThreadPoolExecutor() as pool:
    seen = pool.submit(look_for, last)
    for answer in pool.map(ask, servers):
        print(answer)
    print(seen.result())
