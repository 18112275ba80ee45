# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answer on TCP and UDP ports, in IPv4 and IPv6, with a name and the address that asks: serve.py NAME PORT ...

Prints the number of the process that goes on in the background, once it listens.
"""

from __future__ import annotations

import os
import selectors
import socket
import sys

name, ports = sys.argv[1], [int(port) for port in sys.argv[2:]]
selector = selectors.DefaultSelector()
for port in ports:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        server = socket.socket(socket.AF_INET6, kind)
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if kind == socket.SOCK_STREAM:  # connections that ended a moment ago do not matter
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("::", port))
        if kind == socket.SOCK_STREAM:
            server.listen(16)
        selector.register(server, selectors.EVENT_READ)

child = os.fork()
if child:
    print(child, flush=True)
    os._exit(0)
os.setsid()
for number in range(3):
    os.dup2(os.open(os.devnull, os.O_RDWR), number)
while True:
    for key, _events in selector.select():
        asked = key.fileobj
        if asked.type == socket.SOCK_DGRAM:
            _data, peer = asked.recvfrom(64)
            asked.sendto(f"{name} {peer[0].replace('::ffff:', '')}".encode(), peer)
        else:
            connection, peer = asked.accept()
            with connection:
                connection.sendall(f"{name} {peer[0].replace('::ffff:', '')}".encode())
