# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What serve.py answers, a line for each of PROTOCOL/ADDRESS/PORT; all are asked at once."""

from __future__ import annotations

import concurrent.futures
import socket
import sys

SECONDS = 0.7


def call(protocol: str, address: str, port: str) -> str:
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind) as client:
        client.settimeout(SECONDS)
        try:
            client.connect((address, int(port)))
            if protocol == "udp":
                client.send(b"?")
            return client.recv(64).decode()
        except OSError:
            return "no answer"


with concurrent.futures.ThreadPoolExecutor() as pool:
    for answer in pool.map(lambda wish: call(*wish.split("/")), sys.argv[1:]):
        print(answer)
