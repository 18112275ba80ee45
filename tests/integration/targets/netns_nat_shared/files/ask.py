# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask HTTP servers who we are to them, and whether the neighbour, the last argument, is there: one line for each."""

from __future__ import annotations

import json
import socket
import sys
import urllib.request

SECONDS = 1

*servers, neighbour = sys.argv[1:]

for server in servers:
    try:
        # over a proxy nothing would be proved
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{server}/", timeout=SECONDS) as answer:
            print(json.load(answer)["peer"])
    except OSError:
        print("no answer")

try:
    socket.create_connection((neighbour, 9), timeout=SECONDS).close()
except ConnectionRefusedError:
    print("there")  # nobody listens, and somebody says so
except OSError:
    print("no answer")
