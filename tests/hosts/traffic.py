# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run on a host, `serve`: a server in namespace `blue`; prints the number of its process.

`ask` WAY=ADDRESS/PORT ...: TCP connections from where it is run, all at once. Prints JSON: by way, the address that the other end reports,
or null where no connection came about. The connections out of `red` are asked for as `ip netns exec red`.
"""

from __future__ import annotations

import json
import subprocess
import sys

CONNECT = "import socket,sys; print(socket.create_connection(sys.argv[1:], 4).recv(99).decode().strip())"
SERVE = """
import socket
server = socket.create_server(("::", 7777), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready", flush=True)
while True:
    connection, peer = server.accept()
    connection.sendall(peer[0].replace("::ffff:", "").encode() + b"\\n")
    connection.close()
"""


def started(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def serve() -> None:
    server = started("ip", "netns", "exec", "blue", sys.executable, "-c", SERVE)
    server.stdout.readline()
    print(server.pid)


def ask(*wishes: str) -> None:
    ways = dict(wish.split("=") for wish in wishes)
    asked = {way: started(sys.executable, "-c", CONNECT, *target.split("/")) for way, target in ways.items()}
    print(json.dumps({way: client.communicate()[0].strip() or None for way, client in asked.items()}))


if __name__ == "__main__":
    {"serve": serve, "ask": ask}[sys.argv[1]](*sys.argv[2:])
