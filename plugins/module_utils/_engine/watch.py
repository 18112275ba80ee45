# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Saved topologies are built at boot, and again whenever somebody has changed the host's nftables rules.

`nft flush ruleset`, a reload of firewalld or ufw and a start of Docker take away what a NATed network needs; the kernel
tells all who listen of each of them, and in between this process sleeps. A replay that finds all in place changes
nothing, so nobody is told of anything and it ends there. Rules of iptables-legacy change without a word.

Each replay is a child process: a signal to end reaches it, which goes back to where it began, and its memory goes with it.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
import time
import typing as t

from . import replay

_NETLINK_NETFILTER, _SOL_NETLINK, _ADD_MEMBERSHIP, _GROUP_NFTABLES = 12, 270, 1, 7
_NFTABLES = 10 << 8
# A table, a chain or a rule that came or went. Elements of sets come and go all the time on a host that counts or bans.
_CONCERNS = {_NFTABLES | number for number in (0, 2, 3, 5, 6, 8)}

_LONG = 86400.0
QUIET = 0.3  # seconds without news before a replay: who reloads a firewall makes many changes
LONGEST = 3.0  # but somebody who never ends does not hold it up
RETRIES = (2.0, 5.0, 10.0, 30.0, 60.0)  # seconds until what failed is tried again; the last for ever
PATIENCE = 60.0  # seconds in which units that are ordered after this one wait for a network that cannot be built yet


class Listener:
    """Hears of changes to the nftables rules of this network namespace."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)
        except OSError:  # a kernel without netfilter: there are no rules that could change
            return
        self._socket.bind((0, 0))  # without an address of its own it hears nothing
        self._socket.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, _GROUP_NFTABLES)

    def news(self, timeout: float | None) -> bool:
        """Wait for something that concerns us. False: nothing did until the time was over."""
        if self._socket is None:
            time.sleep(_LONG if timeout is None else timeout)
            return False
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return False
            self._socket.settimeout(left)
            try:
                if any(kind in _CONCERNS for kind in _kinds(self._socket.recv(1 << 16))):
                    return True
            except socket.timeout:
                return False
            except OSError as exc:
                if exc.errno != errno.ENOBUFS:
                    raise
                return True  # there was more than the socket can hold: some of it will have concerned us

    def quiet(self) -> None:
        """Return when there has been no news for a while."""
        longest = time.monotonic() + LONGEST
        while self.news(QUIET) and time.monotonic() < longest:
            pass


def _kinds(data: bytes) -> t.Iterator[int]:
    """The types of the netlink messages in what was received; the last one may be cut off."""
    while len(data) >= 16:
        length, kind = struct.unpack_from("=IH", data)
        yield kind
        data = data[max(16, (length + 3) & ~3) :]


def watch() -> t.NoReturn:
    """Replay now, and whenever there is news; ends by a signal."""
    listener = Listener()  # before the first replay, so that nothing is missed
    engine = _identity()
    began, ready, failures = time.monotonic(), False, 0
    while True:
        failures = 0 if _replayed() else failures + 1
        if not ready and (not failures or time.monotonic() - began > PATIENCE):
            _notify("READY=1")
            ready = True
        if listener.news(RETRIES[min(failures, len(RETRIES)) - 1] if failures else None):
            listener.quiet()
        if _identity() != engine:  # a newer one was installed: it is asked to go on
            os.execv(sys.executable, [sys.executable, *sys.argv])


def _identity() -> tuple[int, int, int]:
    """Of the file that this program is."""
    found = os.stat(sys.argv[0])
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _replayed() -> bool:
    """Whether all could be built."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 1 if replay.replay(quiet=True) else 0
        except Exception as exc:  # a defect of ours ends this replay, not the watch
            sys.excepthook(type(exc), exc, exc.__traceback__)
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _notify(state: str) -> None:
    """Tell systemd, if it is it that started us."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)
