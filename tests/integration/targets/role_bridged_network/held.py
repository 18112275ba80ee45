# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command while a TCP connection is open and packets go to and fro every 10 ms; both must survive it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time

SERVER = os.environ["LINUXNET_OUTSIDE_SERVER"]
SERVER6 = os.environ["LINUXNET_OUTSIDE_SERVER6"]
INTERVAL = 0.01
# On a busy machine a packet is late without anybody's fault. A default route that is missed takes seconds.
LONGEST_SILENCE = 1.9  # one lost question for a neighbour, which the kernel repeats after a second, is no outage


class Beat(threading.Thread):
    """Sends a packet every 10 ms to a server that answers each; remembers the longest time between two answers."""

    def __init__(self, server: str) -> None:
        super().__init__(daemon=True)
        self.server, self.silence, self.answers, self.over = server, 0.0, 0, False

    def run(self) -> None:
        with socket.socket(socket.AF_INET6 if ":" in self.server else socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(INTERVAL)
            last = time.monotonic()
            while not self.over:
                began = time.monotonic()
                try:
                    # not connected: such a socket would keep an old source address
                    sock.sendto(b"?", (self.server, 9999))
                    sock.recv(100)
                except OSError:
                    continue
                self.answers += 1
                self.silence = max(self.silence, time.monotonic() - last)
                last = time.monotonic()
                time.sleep(max(0.0, INTERVAL - (time.monotonic() - began)))


def ask(connection: socket.socket) -> tuple[str, int]:
    connection.sendall(f"GET / HTTP/1.1\r\nHost: {SERVER}\r\n\r\n".encode())
    said = connection.recv(4096).decode().partition("\r\n\r\n")[2]
    while not said.strip():
        said = connection.recv(4096).decode()
    answer = json.loads(said)
    return answer["peer"], answer["port"]


def main() -> int:
    beats = [Beat(SERVER), Beat(SERVER6)]
    for beat in beats:
        beat.start()
    with socket.create_connection((SERVER, 80), timeout=10) as connection:
        before = ask(connection)
        print(time.strftime("%T"), "connected from", before, flush=True)
        subprocess.run(sys.argv[1:], check=True)
        after = ask(connection)
    for beat in beats:
        beat.over = True
        beat.join()
        print(f"{beat.server}: {beat.answers} answers, longest silence {beat.silence * 1000:.0f} ms", flush=True)
    fine = before == after and all(beat.answers > 50 and beat.silence < LONGEST_SILENCE for beat in beats)
    print("the connection lives" if fine else f"FATAL: {before} became {after}, or packets were lost")
    return 0 if fine else 1


sys.exit(main())
