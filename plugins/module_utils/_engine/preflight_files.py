# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The files of NetworkManager, systemd-networkd and udev: read theirs, and the drop-ins by which they leave our devices alone."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import typing as t

from . import files, programs
from .errors import InputError, KernelError, StateError

# The names by which the kernel knows the processes: 15 bytes at most.
MANAGERS = {"networkmanager": "NetworkManager", "networkd": "systemd-network", "udev": "systemd-udevd"}

MARK = "# Managed by linuxnet.netns"
PLACES = {"persistent": "etc", "runtime": "run"}
_SYSTEMD = ("etc/systemd/network", "run/systemd/network", "usr/local/lib/systemd/network", "usr/lib/systemd/network", "lib/systemd/network")
_NETWORK_MANAGER = ("usr/lib/NetworkManager", "run/NetworkManager", "etc/NetworkManager")
_NAMEABLE = re.compile(r"[A-Za-z0-9_.@+-]+")  # means itself in all three languages

# Who is told, how it is told to read again, and what it reads.
_RELOAD = {
    "networkmanager": ("nmcli", "general", "reload", "conf"),
    "networkd": ("networkctl", "reload"),
    "udev": ("udevadm", "control", "--reload"),
}

Section = list[tuple[str, str]]


class DropIns(t.NamedTuple):
    """What is asked for: whose, where (of PLACES; empty: nowhere), about which devices."""

    network: str = ""
    where: str = ""
    devices: tuple[str, ...] = ()


class Change(t.NamedTuple):
    """A file that is or would be written or removed; ``None`` is: not there."""

    path: str
    before: str | None
    after: str | None

    def plain(self) -> dict[str, t.Any]:
        action = "create" if self.before is None else "delete" if self.after is None else "update"
        reasons = {"create": "to keep network managers off", "delete": "not asked for", "update": "differs"}
        told: dict[str, t.Any] = {"action": action, "kind": "file", "netns": None, "name": self.path}
        return {**told, "before": self.before, "after": self.after, "reason": reasons[action]}


class Tree:
    """The files as they will be read: without what is ours, which is about to be written or removed."""

    def __init__(self, root: str, drop_ins: DropIns) -> None:
        self._root = root
        self._own = {os.path.basename(path) for path in _paths(drop_ins.network).values()} if drop_ins.network else set()
        self.covered = bool(drop_ins.where)

    def path(self, name: str) -> str:
        return os.path.join(self._root, name)

    def running(self, process: str) -> bool:
        """Whether a process of this name is in our network namespace."""
        try:
            here = os.stat(self.path("proc/self/ns/net"))
            numbers = [name for name in os.listdir(self.path("proc")) if name.isdigit()]
        except OSError:
            return False
        for number in numbers:
            with contextlib.suppress(OSError):
                if files.read(self.path(f"proc/{number}/comm")) == f"{process}\n":
                    there = os.stat(self.path(f"proc/{number}/ns/net"))
                    if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
                        return True
        return False

    def systemd(self, suffix: str) -> list[tuple[str, dict[str, Section]]]:
        """The files of systemd's network directories that count, in the order in which they are tried."""
        chosen: dict[str, str] = {}
        for directory in _SYSTEMD:
            for name in self._listed(directory, f".{suffix}"):
                chosen.setdefault(name, f"{directory}/{name}")
        found = []
        for _name, path in sorted(chosen.items()):
            sections = _sections(files.read(self.path(path)) or "")
            if sections:  # an empty one, or a link to /dev/null, is switched off
                found.append((f"/{path}", sections))
        return found

    def network_manager(self) -> tuple[list[str], bool]:
        """The devices that it is told to leave alone, and whether it is told to make no profile for any."""
        unmanaged: list[str] = []
        no_profile: list[str] = []
        for path in self._network_manager_files():
            sections = _sections(files.read(self.path(path)) or "")
            for section, key, target in (("keyfile", "unmanaged-devices", unmanaged), ("main", "no-auto-default", no_profile)):
                for name, value in sections.get(section, []):
                    words = [word for word in re.split(r"[;,]", value) if word]
                    if name == key:
                        target[:] = words
                    elif name == f"{key}+":
                        target += words
        return unmanaged, "*" in no_profile

    def _network_manager_files(self) -> list[str]:
        chosen: dict[str, str] = {}
        for directory in _NETWORK_MANAGER:  # a later one replaces a file of the same name
            chosen.update({name: f"{directory}/conf.d/{name}" for name in self._listed(f"{directory}/conf.d", ".conf")})
        return ["etc/NetworkManager/NetworkManager.conf", *(path for _name, path in sorted(chosen.items()))]

    def _listed(self, directory: str, suffix: str) -> list[str]:
        try:
            return [name for name in os.listdir(self.path(directory)) if name.endswith(suffix) and name not in self._own]
        except OSError:
            return []


def _sections(content: str) -> dict[str, Section]:
    """An INI file as systemd and NetworkManager have it: a key may stand several times."""
    found: dict[str, Section] = {}
    current: Section = []
    for line in (line.strip() for line in content.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            current = found.setdefault(line[1:-1], [])
        elif line and line[0] not in "#;" and "=" in line:
            key, _equals, value = line.partition("=")
            current.append((key.strip(), value.strip()))
    return found


# -- drop-ins


def _paths(network: str) -> dict[str, str]:
    """Below /etc or /run. The first file that matches a device counts for systemd, and the last one for NetworkManager."""
    return {
        "networkmanager": f"NetworkManager/conf.d/95-linuxnet-netns-{network}.conf",
        "networkd": f"systemd/network/00-linuxnet-netns-{network}.network",
        "udev": f"systemd/network/00-linuxnet-netns-{network}.link",
    }


def _texts(devices: t.Sequence[str]) -> dict[str, str]:
    for name in devices:
        if not _NAMEABLE.fullmatch(name):
            raise InputError(f"links: {name!r} cannot be named in a drop-in: use letters, digits and _.@+- in its name, or no drop-ins")
    listed = ";".join(f"interface-name:={name}" for name in devices)
    return {
        "networkmanager": f"{MARK}\n[keyfile]\nunmanaged-devices+={listed}\n",
        "networkd": f"{MARK}\n[Match]\nName={' '.join(devices)}\n\n[Link]\nUnmanaged=yes\n",
        "udev": f"{MARK}\n[Match]\nOriginalName={' '.join(devices)}\n\n[Link]\nNamePolicy=keep\nMACAddressPolicy=none\n",
    }


def plan(drop_ins: DropIns, root: str = "/") -> list[Change]:
    """What has to be written and removed, so that exactly these are there. Raises StateError where something else is in the way."""
    if not drop_ins.network:
        return []
    texts = _texts(drop_ins.devices) if drop_ins.where and drop_ins.devices else {}
    changes = []
    for place, directory in PLACES.items():
        for manager, name in _paths(drop_ins.network).items():
            path = f"/{directory}/{name}"
            there = files.read(os.path.join(root, path[1:]))
            if there is not None and not there.startswith(MARK):
                raise StateError(f"{path} is in the way: this collection did not write it: move it away")
            wanted = texts.get(manager) if place == drop_ins.where and _present(manager, root) else None
            if there != wanted:
                changes.append(Change(path, there, wanted))
    return changes


def _present(manager: str, root: str) -> bool:
    """Whether the host has it, running or not."""
    return any(os.path.isdir(os.path.join(root, path)) for path in (_NETWORK_MANAGER if manager == "networkmanager" else _SYSTEMD))


def carry_out(changes: t.Sequence[Change], root: str = "/") -> list[str]:
    """Write and remove; those who run are told to read again. Returns what went wrong with the latter."""
    for change in changes:
        path = os.path.join(root, change.path[1:])
        try:
            if change.after is None:
                os.unlink(path)
            else:
                files.write(path, change.after)
        except OSError as exc:
            raise KernelError(f"cannot write {change.path}: {exc.strerror}", exc.errno or 0) from exc
    return _reload(changes, root)


def _reload(changes: t.Sequence[Change], root: str) -> list[str]:
    tree, warnings = Tree(root, DropIns()), []
    ends = {".conf": "networkmanager", ".network": "networkd", ".link": "udev"}
    touched = {ends[os.path.splitext(change.path)[1]] for change in changes}
    for manager in sorted(touched):
        if tree.running(MANAGERS[manager]):
            words = _RELOAD[manager]
            program = shutil.which(words[0], path=f"{os.environ.get('PATH', '')}:/usr/bin:/bin:/usr/sbin:/sbin")
            if program is None or programs.run([program, *words[1:]]).status:
                warnings.append(f"'{' '.join(words)}' failed, so the drop-ins count from the next start of {MANAGERS[manager]} on")
    return warnings
