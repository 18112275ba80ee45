# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The namespaces of one run: open files and netlink sockets, each opened once, used from the one thread there is.

No work runs "inside" a namespace: a socket belongs to the namespace in which it was made, so the thread goes in,
makes it and comes back. Only what has no socket (/proc/sys, tun devices, nft) is done inside, by ``inside``.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import resource
import struct
import typing as t

from . import link_messages, namespaces, rtnetlink
from .errors import StateError
from .resources import Link, Sysctl
from .values import place

_NETNSA_NSID, _NETNSA_FD = 1, 3
_RTGENMSG = b"\0\0\0\0"


class Host:
    """Where a run works. Use as a context manager: it closes what it opened."""

    def __init__(self) -> None:
        self._fds: dict[str, int] = {}
        self._kept: dict[str, int] = {}
        self._sockets: dict[str, rtnetlink.Socket] = {}
        self._indexes: dict[str, dict[str, int]] = {}
        self._names: dict[str, dict[int, str]] = {}
        self._numbered: dict[str, dict[int, str]] = {}
        self._nsids: dict[tuple[str, str], int] = {}
        self._collects = False

    def __enter__(self) -> Host:
        # two files a namespace: the usual soft limit of 1024 ends at 500 of them
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        # records hang on no circles: the collector would only read all of them again and again, a quarter of a run without a change
        self._collects = gc.isenabled()
        gc.disable()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._collects:
            gc.enable()
        self.release()

    def release(self) -> None:
        """Close everything: what was kept to be put back, and what would keep a removed namespace alive."""
        for netns in [*self._fds]:
            self.forget(netns)
        while self._kept:
            os.close(self._kept.popitem()[1])

    def fd(self, netns: str) -> int:
        """An open file of the namespace; never creates one. StateError where there is none."""
        if netns not in self._fds:
            self._fds[netns] = namespaces.open_reference(netns)
        return self._fds[netns]

    def keep(self, netns: str) -> None:
        """Hold a namespace that loses its name, so that all that is in it can be put back."""
        self._kept[netns] = os.dup(self.fd(netns))

    def kept(self, netns: str) -> int | None:
        """The held namespace that had this name."""
        return self._kept.get(netns)

    def places(self) -> list[str]:
        """The references in use."""
        return [*self._fds]

    def forget_names(self, netns: str) -> None:
        """Names and indexes of devices are not to be trusted any more."""
        self._indexes.pop(netns, None)
        self._names.pop(netns, None)
        self._numbered.pop(netns, None)

    def exists(self, netns: str, index: int) -> bool:
        """Whether there is a device with this index."""
        return self.socket(netns).get(rtnetlink.RTM_GETLINK, link_messages.query(index=index)) is not None

    def forget(self, netns: str) -> None:
        """Close what is open of a namespace: an open file keeps it alive."""
        if netns in self._sockets:
            self._sockets.pop(netns).close()
        if netns in self._fds:
            os.close(self._fds.pop(netns))
        self.forget_names(netns)
        # whatever gets this name is another namespace; and for who removes a thousand of them, all at once is cheaper
        self._nsids.clear()

    def _know(self, netns: str, name: str, index: int) -> None:
        self._indexes.setdefault(netns, {})[name] = index
        self._names.setdefault(netns, {})[index] = name

    @contextlib.contextmanager
    def inside(self, netns: str) -> t.Iterator[None]:
        """Run the block with the thread in the namespace."""
        with namespaces.entered(self.fd(netns)):
            yield

    def socket(self, netns: str) -> rtnetlink.Socket:
        if netns not in self._sockets:
            with self.inside(netns):
                self._sockets[netns] = rtnetlink.Socket()
        return self._sockets[netns]

    def index(self, netns: str, name: str) -> int:
        """The index of a device that must be there."""
        known = self._indexes.get(netns, {}).get(name)
        if known is None:
            known = self.socket(netns).index(name)
            if known is None:
                raise StateError(f"device {name} {place(netns)} is gone: something else removed it during the run, try again")
            self._know(netns, name, known)
        return known

    def device_name(self, netns: str, index: int) -> str:
        """The name of a device by its index; empty where there is none."""
        known = self._names.get(netns, {}).get(index)
        if known is not None:
            return known
        data = self.socket(netns).get(rtnetlink.RTM_GETLINK, link_messages.query(index=index))
        if data is None:
            return ""
        found = rtnetlink.attributes(data, link_messages.HEADER_SIZE)
        name = rtnetlink.to_text(found[link_messages.IFLA_IFNAME])
        self._know(netns, name, index)
        return name

    def link(self, netns: str, name: str) -> Link | None:
        """One device, asked for by name."""
        data = self.socket(netns).get(rtnetlink.RTM_GETLINK, link_messages.query(name))
        return None if data is None else self._decode(data, netns)

    def is_up(self, netns: str, name: str) -> bool:
        """Whether there is such a device, and up."""
        return bool((self.socket(netns).flags(name) or 0) & link_messages.IFF_UP)

    def links(self, netns: str) -> list[Link]:
        """All devices of a namespace."""
        found = self.socket(netns).dump(rtnetlink.RTM_GETLINK, link_messages.query())
        names = {}
        for data in found:
            index = struct.unpack_from("=i", data, 4)[0]
            names[index] = rtnetlink.to_text(rtnetlink.attributes(data, link_messages.HEADER_SIZE)[link_messages.IFLA_IFNAME])
            self._know(netns, names[index], index)
        return [link_messages.decode(data, netns, lambda index: names.get(index, "")) for data in found]

    def _decode(self, data: bytes, netns: str) -> Link:
        link = link_messages.decode(data, netns, lambda index: self.device_name(netns, index))
        self._know(netns, link.ifname, link.index)
        return link

    def nsid(self, netns: str, other: str) -> int | None:
        """How ``netns`` calls the namespace ``other``; ``None`` where it has no number for it, which it may get at any time."""
        known = self._nsids.get((netns, other))
        if known is None:
            known = self._nsid_of(netns, self.fd(other))
            if known is not None:
                self._nsids[(netns, other)] = known
        return known

    def _nsid_of(self, netns: str, fd: int) -> int | None:
        data = self.socket(netns).get(rtnetlink.RTM_GETNSID, _RTGENMSG + rtnetlink.u32(_NETNSA_FD, fd))
        number = struct.unpack("=i", rtnetlink.attributes(data or b"", 4).get(_NETNSA_NSID, b"\xff" * 4))[0]
        return None if number < 0 else number

    def named(self, netns: str, number: int) -> str | None:
        """The entry of /run/netns that ``netns`` calls by this number. The kernel does not tell: each has to be asked about."""
        if netns not in self._numbered:
            self._numbered[netns] = {}
            for entry in namespaces.entries():
                self._note_number(netns, entry)
        return self._numbered[netns].get(number)

    def _note_number(self, netns: str, entry: namespaces.Entry) -> None:
        if entry.stale:
            return
        try:
            fd = namespaces.open_reference(entry.name)
        except StateError:  # gone meanwhile
            return
        try:
            number = self._nsid_of(netns, fd)
        finally:
            os.close(fd)  # an open file would keep it alive
        if number is not None:
            self._numbered[netns].setdefault(number, entry.name)

    def nsid_request(self, netns: str, other: str, number: int) -> rtnetlink.Message:
        """Give ``other`` a number in ``netns``; the kernel takes it once and for all."""
        body = _RTGENMSG + rtnetlink.u32(_NETNSA_NSID, number) + rtnetlink.u32(_NETNSA_FD, self.fd(other))
        return rtnetlink.Message(rtnetlink.RTM_NEWNSID, 0, body)

    def sysctl(self, netns: str, path: str) -> str | None:
        """A value below /proc/sys; ``None`` where the kernel has no such name."""
        with self.inside(netns):
            try:
                with open(f"/proc/sys/{path}", encoding="ascii", errors="replace") as file:
                    return " ".join(file.read().split())
            except (FileNotFoundError, NotADirectoryError):
                return None
            except OSError as exc:
                what = Sysctl(netns, path).describe()
                if exc.errno == errno.EISDIR:
                    raise StateError(f"{what} is a directory of settings: give the name of a setting in it") from exc
                raise StateError(f"{what} cannot be read: {exc.strerror}") from exc

    def write_sysctl(self, netns: str, path: str, value: str) -> None:
        with self.inside(netns):
            # no O_TRUNC: /proc/sys takes the value by the write alone
            fd = os.open(f"/proc/sys/{path}", os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(fd, value.encode())
            finally:
                os.close(fd)
