# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run on a host: TCP connections out of namespace `red`, and from there to its neighbour `blue` on the same bridge.

Prints JSON: by way, the address that the other end reports, or null where no connection came about.
"""

from __future__ import annotations

import json
import subprocess
import sys

WAYS = {"out4": "203.0.113.10", "out6": "2001:db8:203::10", "near4": "10.50.0.11", "near6": "fd50::11"}
CONNECT = "import socket,sys; print(socket.create_connection((sys.argv[1], 7777), 4).recv(99).decode().strip())"
SERVE = """
import socket
server = socket.create_server(("::", 7777), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready", flush=True)
while True:
    connection, peer = server.accept()
    connection.sendall(peer[0].replace("::ffff:", "").encode() + b"\\n")
    connection.close()
"""


def inside(netns: str, *words: str) -> subprocess.Popen[str]:
    command = ["ip", "netns", "exec", netns, sys.executable, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def main() -> None:
    server = inside("blue", "-c", SERVE)
    try:
        server.stdout.readline()
        asked = {way: inside("red", "-c", CONNECT, address) for way, address in WAYS.items()}
        print(json.dumps({way: client.communicate()[0].strip() or None for way, client in asked.items()}))
    finally:
        server.kill()


if __name__ == "__main__":
    main()
