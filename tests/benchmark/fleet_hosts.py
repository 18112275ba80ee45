# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts to reach over SSH: each a sshd in network, mount and PID namespaces of its own, on one bridge in the sandbox."""

from __future__ import annotations

import os
import pathlib
import socket
import subprocess
import sys
import time
import typing as t

import fleet_sshd
from harness import BenchmarkError

BRIDGE = "fleet"
# Beside the star's own network, which stands inside every host.
_CONTROLLER, _PREFIX = "198.19.0.1", 16
LARGEST = 250
_TIMEOUT = 30.0

# The user sshd that the program insists on, and a root without a start file: what is in it would be in each command's time.
_PASSWD = "root:x:0:0:root:{home}:/bin/sh\nsshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n"
_SSHD_CONFIG = """\
ListenAddress {address}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/../user_key.pub
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
# the temporary folder's parents may be anybody's
StrictModes no
UsePAM no
UseDNS no
PrintMotd no
Subsystem sftp internal-sftp
"""
# Waits for its interface, which can be moved only once there is a namespace to move it to.
_HOST = """\
mount -t sysfs sysfs /sys
mkdir -p /run/sshd
for place in /run/netns /run/linuxnet-netns /etc/netns; do
    mkdir -p "$place"
    mount -t tmpfs -o mode=755 tmpfs "$place"
done
mount --bind "$1/passwd" /etc/passwd
echo ready
read -r _
ip link set lo up
ip address add "$2" dev eth0
ip link set eth0 up
exec "$3" -D -e -f "$1/sshd_config"
"""


class Host:
    def __init__(self, number: int, folder: pathlib.Path, users: str) -> None:
        self.name, self.port = f"host-{number}", f"{BRIDGE}-{number}"
        self._users = users
        self.address = f"198.19.1.{number + 1}"
        self.folder = folder / self.name
        self.process: subprocess.Popen[str] | None = None

    def prepare(self) -> None:
        home = self.folder / "home"
        home.mkdir(parents=True)
        _call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / "host_key"))
        self.write("passwd", _PASSWD.format(home=home) + self._users)
        self.write("sshd_config", _SSHD_CONFIG.format(address=self.address, folder=self.folder))

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def start(self, sshd: pathlib.Path) -> None:
        unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]
        command = [*unshare, "sh", "-ec", _HOST, "host", str(self.folder), f"{self.address}/{_PREFIX}", str(sshd)]
        with (self.folder / "log").open("w") as log:
            pipe = subprocess.PIPE
            environment = fleet_sshd.environment(sshd)
            self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True, env=environment)

    def await_namespaces(self) -> int:
        assert self.process and self.process.stdout
        if self.process.stdout.readline() != "ready\n":
            raise self.failure("did not start")
        return self.process.pid

    def go_on(self) -> None:
        assert self.process and self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.close()

    def await_sshd(self) -> None:
        assert self.process
        deadline = time.monotonic() + _TIMEOUT
        while True:
            try:
                socket.create_connection((self.address, 22), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise self.failure("has no sshd that answers") from None
            time.sleep(0.02)

    def enter(self) -> list[str]:
        """The words before a command that is to run in it."""
        assert self.process
        pid = self.process.pid
        # unshare's child is the host's first process, not unshare itself
        return ["nsenter", "--target", str(pid), "--net", "--mount", f"--pid=/proc/{pid}/ns/pid_for_children"]

    def look(self, size: int) -> subprocess.Popen[str]:
        """Start a look at the star in it."""
        script = str(pathlib.Path(__file__).with_name("fleet_look.py"))
        return subprocess.Popen([*self.enter(), sys.executable, script, str(size)], stderr=subprocess.PIPE, text=True)

    def failure(self, what: str) -> BenchmarkError:
        log = " ".join((self.folder / "log").read_text(errors="replace").split())[-500:]
        return BenchmarkError(f"{self.name} {what}: {log or 'it said nothing'}")


class Fleet:
    """A context: the hosts run inside it, and are gone after it. `users` are lines of /etc/passwd for others than root."""

    def __init__(self, size: int, folder: pathlib.Path, sshd: pathlib.Path, users: str = "") -> None:
        self.folder, self._sshd = folder, sshd
        self.hosts = [Host(number, folder, users) for number in range(size)]

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
        _call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / "user_key"))
        lines = [f"link add {BRIDGE} type bridge", f"address add {_CONTROLLER}/{_PREFIX} dev {BRIDGE}", f"link set {BRIDGE} up"]
        for host in self.hosts:
            host.prepare()
            host.start(self._sshd)
        for host in self.hosts:
            lines.append(f"link add {host.port} type veth peer name eth0 netns {host.await_namespaces()}")
            lines.append(f"link set {host.port} master {BRIDGE} up")
        _call("ip", "-batch", "-", text="\n".join(lines) + "\n")
        for host in self.hosts:
            host.go_on()
        for host in self.hosts:
            host.await_sshd()
        keys = [f"{host.address} {(host.folder / 'host_key.pub').read_text()}" for host in self.hosts]
        (self.folder / "known_hosts").write_text("".join(keys), encoding="utf-8")

    def ssh_options(self) -> list[str]:
        """Nobody's own configuration, and only the hosts' true keys."""
        files = [f"UserKnownHostsFile={self.folder}/known_hosts", "GlobalKnownHostsFile=/dev/null", f"IdentityFile={self.folder}/user_key"]
        rules = ["StrictHostKeyChecking=yes", "IdentitiesOnly=yes", "ControlMaster=auto", "ControlPersist=600s"]
        return ["-C", "-F", "none", *(part for option in (*files, *rules) for part in ("-o", option))]

    def check(self, size: int) -> None:
        """In each host: the star of that many namespaces, or nothing at all for 0."""
        for host in self.hosts:
            look = host.look(size)
            _output, errors = look.communicate()
            if look.returncode != 0:
                raise BenchmarkError(f"{host.name}: {errors.strip()[-500:]}")

    def _stop(self) -> None:
        for path in (self.folder / "cp").glob("*"):
            subprocess.run(["ssh", "-F", "none", "-o", f"ControlPath={path}", "-O", "exit", "any"], capture_output=True, check=False)
        started = [host.process for host in self.hosts if host.process]
        for process in started:
            # unshare ignores SIGTERM; with it the kernel kills the first process of the host, and so all of them.
            process.kill()
        for process in started:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe and not pipe.closed:
                    pipe.close()
        deadline = time.monotonic() + _TIMEOUT
        # An interface goes with its host's last process: until then that could write into the folder.
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
