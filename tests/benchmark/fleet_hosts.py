# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts to reach over SSH, on one bridge in the sandbox: those of role molecule_hosts, in a network without a way out."""

from __future__ import annotations

import os
import pathlib
import socket
import subprocess
import sys
import time
import typing as t

from harness import BenchmarkError

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "roles" / "molecule_hosts" / "files"))

import hosts

BRIDGE = "fleet"
# Beside the star's own network, which stands inside every host.
_CONTROLLER, _PREFIX = "198.19.0.1", 16
LARGEST = 250


class Fleet:
    """A context: the hosts run inside it, and are gone after it."""

    def __init__(self, size: int, folder: pathlib.Path) -> None:
        numbers = range(size)
        self.folder = folder
        self.hosts = [hosts.Host(f"host-{number}", f"{BRIDGE}-{number}", [f"198.19.1.{number + 1}"]) for number in numbers]
        self._fleet = hosts.Fleet(folder / "hosts", self.hosts)

    def __enter__(self) -> Fleet:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop()

    def _start(self) -> None:
        lines = [f"link add {BRIDGE} type bridge", f"address add {_CONTROLLER}/{_PREFIX} dev {BRIDGE}"]
        for host in self.hosts:
            _call("ip", "netns", "add", host.netns)
            lines.append(f"link add {host.netns} type veth peer name eth0 netns {host.netns}")
            lines.append(f"link set {host.netns} master {BRIDGE} up")
        _call("ip", "-batch", "-", text="\n".join([*lines, f"link set {BRIDGE} up"]) + "\n")
        for host in self.hosts:
            inside = [f"address add {host.addresses[0]}/{_PREFIX} dev eth0", "link set lo up", "link set eth0 up"]
            _call("ip", "-netns", host.netns, "-batch", "-", text="\n".join(inside) + "\n")
        try:
            hosts.converge(self._fleet)
        except hosts.HostsError as error:
            raise BenchmarkError(str(error)) from None

    def ssh_options(self) -> list[str]:
        """Nobody's own configuration, and only the hosts' true keys."""
        place = self._fleet.folder
        files = [f"UserKnownHostsFile={place}/known_hosts", "GlobalKnownHostsFile=/dev/null", f"IdentityFile={place}/key"]
        rules = ["StrictHostKeyChecking=yes", "IdentitiesOnly=yes", "ControlMaster=auto", "ControlPersist=600s"]
        return ["-C", "-F", "none", *(part for option in (*files, *rules) for part in ("-o", option))]

    @property
    def control_path(self) -> pathlib.Path:
        return self._fleet.folder / "cp"

    def enter(self) -> list[list[str]]:
        """The words before a command that is to run in a host, for each of them."""
        found = hosts.running(self._fleet)
        return [["nsenter", "--target", str(found[host.name].pid), "--net", "--mount", "--pid"] for host in self.hosts]

    def check(self, size: int) -> None:
        """In each host: the star of that many namespaces, or nothing at all for 0."""
        script = str(pathlib.Path(__file__).with_name("fleet_look.py"))
        for words in self.enter():
            _call(*words, sys.executable, script, str(size))

    def _stop(self) -> None:
        hosts.converge(self._fleet._replace(hosts=[]))
        for host in self.hosts:
            subprocess.run(["ip", "netns", "delete", host.netns], capture_output=True, check=False)
        deadline = time.monotonic() + 30
        # An interface goes some time after its namespace.
        while any(name.startswith(f"{BRIDGE}-") for _index, name in socket.if_nameindex()) and time.monotonic() < deadline:
            time.sleep(0.01)
        subprocess.run(["ip", "link", "delete", BRIDGE], capture_output=True, check=False)


def require_root() -> None:
    """The sandbox of an ordinary user has one user and no groups, and sshd wants to change both."""
    if os.geteuid() != 0 or pathlib.Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]:
        raise BenchmarkError("sshd runs only for the real root: use sudo")


def _call(*command: str, text: str | None = None) -> str:
    done: t.Any = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchmarkError(f"{' '.join(command[:3])}: {done.stderr.strip()[-500:]}")
    return str(done.stdout)
