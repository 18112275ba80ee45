# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Throw-away hosts with a real systemd, behind the simulated Internet of tools/outside.py. To be used in the sandbox.

    host = systemd_host.up(tree, "h1")          # a root tree of root_trees.py; it is not written to
    host.run("systemctl", "start", "docker")    # CompletedProcess; a failure raises, with check=False it does not
    host.put(pathlib.Path("some/file"), "/etc/some/file")
    host.play(playbook)                         # ansible-playbook on it, as host "target" over SSH
    host.reboot()
    host.stop()

A host is systemd-nspawn, started by what starts the hosts of role molecule_hosts, on an overlay over the tree, whose upper layer is
in memory. Its uplink is ``uplink0`` with the addresses
that outside.py gives, set by systemd-networkd of the host. Everything ends with the sandbox.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import time

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_MAKER = _ROOT / "roles" / "molecule_hosts" / "files"
sys.path += [str(_ROOT / "tools"), str(_MAKER)]

import kernel
import nspawn
import outside

UPLINK = "uplink0"
START_SECONDS = 60
outside.START_SECONDS = START_SECONDS  # as many on a machine that is busy with other hosts
_SCRATCH = pathlib.Path("/run/linuxnet-hosts")  # a tmpfs of the sandbox
_NETWORK = f"""[Match]
Name={UPLINK}
[Network]
LinkLocalAddressing=ipv6
IPv6AcceptRA=no
Gateway={outside.GATEWAY}
Gateway={outside.GATEWAY6}
[Address]
Address={outside.ADDRESS}/24
[Address]
Address={outside.ADDRESS6}/64
DuplicateAddressDetection=none
"""
# In namespaces that unshare has made.
_START = f"""
import os, sys
sys.path.append({str(_MAKER)!r})
import nspawn
nspawn.enter(sys.argv[1])
os.execvpe(sys.argv[2], sys.argv[2:], nspawn.environment())
"""
_SSH = ("-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR")


class HostError(Exception):
    """One sentence, and what the command said."""


class Host:
    """A host that is up, until ``stop``."""

    def __init__(self, tree: pathlib.Path, name: str) -> None:
        self.name = name
        self._place = _SCRATCH / name
        self.root = self._place / "root"
        self._world: outside.Outside | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self.root.mkdir(parents=True)
        kernel.overlay(str(tree), str(self.root), self._place / "changes")
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._place / "key"))
        try:
            self._furnish()
            self._boot()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_ignored: object) -> None:
        self.stop()

    # --- what a test does with it

    def run(self, *command: str, text: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command on the host, outside of its services, with ``text`` as its input."""
        done = subprocess.run([*self._enter(), *command], input=text, capture_output=True, text=True, check=False, env=_environment())
        if check and done.returncode != 0:
            raise HostError(f"{self.name}: {' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def outside(self, *command: str) -> str:
        """What a command of the machine prints where the server on the Internet is."""
        if self._world is None:
            raise HostError(f"{self.name} is not up")
        words = ["nsenter", f"--net=/proc/{self._world.process.pid}/ns/net", *command]
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout

    def shell(self, script: str, check: bool = True) -> str:
        """What a shell script prints; it ends at the first command that fails."""
        return self.run("sh", "-ec", script, check=check).stdout

    def write(self, path: str, content: str, mode: int = 0o644) -> None:
        """A file of the host, which need not be up."""
        place = pathlib.Path(f"{self.root}/{path}")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, encoding="utf-8")
        place.chmod(mode)

    def put(self, source: pathlib.Path, path: str) -> None:
        """A file or a folder of the machine, copied to the host."""
        place = pathlib.Path(f"{self.root}/{path}")
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, dirs_exist_ok=True)
        else:
            shutil.copy(source, place)

    def play(self, playbook: pathlib.Path, *options: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """ansible-playbook on it, as the only host, ``target``; the collection is found as the caller finds it."""
        # no network between: what a test does to the firewall cannot cut it off
        # and no PAM: it asks DNS for a client whose name is "UNKNOWN", and waits for seconds where systemd-resolved asks the neighbours too
        proxy = " ".join([*self._enter(), "/usr/sbin/sshd", "-i", "-oUsePAM=no"])
        inventory = self._place / "inventory"
        common = f"{' '.join(_SSH)} -o ProxyCommand='{proxy}'"
        inventory.write_text(
            f"target ansible_host={self.name} ansible_user=root ansible_ssh_private_key_file={self._place}/key "
            f'ansible_ssh_common_args="{common}" ansible_python_interpreter=/usr/bin/python3\n',
            encoding="utf-8",
        )
        # a connection that is kept would lead to the host of that name that was
        kept = {"ANSIBLE_SSH_ARGS": "-o ControlMaster=no", "ANSIBLE_PIPELINING": "true", "ANSIBLE_NOCOLOR": "1"}
        command = ["ansible-playbook", "-i", str(inventory), str(playbook), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **kept})
        if check and done.returncode != 0:
            raise HostError(f"{self.name}: {playbook.name} failed:\n{done.stdout}{done.stderr}")
        return done

    def reboot(self) -> None:
        """As the host itself does it; its network is a new one then, as after the reboot of a machine."""
        self.run("systemctl", "reboot", check=False)
        self._end(patience=30)
        self._boot()

    def stop(self) -> None:
        """Without ceremony; nothing of it is left."""
        self._end(patience=0)
        _run("umount", "-l", str(self.root))
        shutil.rmtree(self._place)

    # --- how it comes and goes

    def _enter(self) -> list[str]:
        return ["nsenter", f"--target={self._leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]

    def _furnish(self) -> None:
        """What tells this host from its tree."""
        self.write("/etc/hostname", f"{self.name}\n")
        self.write("/etc/hosts", f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {self.name}\n")
        self.write("/etc/resolv.conf", outside.resolv_conf())
        self.write("/root/.ssh/authorized_keys", (self._place / "key.pub").read_text(encoding="ascii"), 0o600)
        self.write("/etc/systemd/network/10-uplink.network", _NETWORK)
        self.write("/etc/tmpfiles.d/sshd.conf", "d /run/sshd 0755\n")  # which else the service makes
        units = self.root / "etc/systemd/system"
        (units / "systemd-networkd-wait-online.service").symlink_to("/dev/null")
        (units / "multi-user.target.wants/systemd-networkd.service").symlink_to("/lib/systemd/system/systemd-networkd.service")

    def _boot(self) -> None:
        self._world = outside.build(UPLINK)
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, "-c", _START, self._cgroup]
        command += nspawn.command(str(self.root), self.name, f"--network-interface={UPLINK}")
        with open(self._place / "console", "wb") as console:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        self._wait()

    @property
    def _cgroup(self) -> str:
        return nspawn.cgroup(self.name)

    def _wait(self) -> None:
        """Until all services have been started, and the Internet can be reached."""
        deadline = time.monotonic() + START_SECONDS
        state = "nothing was started"
        while time.monotonic() < deadline and self._process and self._process.poll() is None:
            self._leader = self._leader or _first_process(self._process.pid)
            if self._leader:
                state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
                if state in ("running", "degraded") and self.run("ip", "route", "get", outside.SERVER, check=False).returncode == 0:
                    return
            time.sleep(0.05)
        console = (self._place / "console").read_text(encoding="utf-8", errors="replace")
        raise HostError(f"{self.name} did not start within {START_SECONDS} seconds ({state}):\n{console[-2000:]}")

    def _end(self, patience: float) -> None:
        process, self._process, self._leader = self._process, None, 0
        if process is not None:
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._world is not None:
            self._world.stop()
            self._world = None
        nspawn.leave(self._cgroup)


def up(tree: pathlib.Path, name: str) -> Host:
    """A new host, which has booted."""
    return Host(tree, name)


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise HostError(f"{' '.join(command)}: {' '.join(done.stderr.split())}")


def _first_process(above: int) -> int:
    """The process 1 of the host: it is below ``above`` and the first of the namespace within the one that ``above`` has made."""
    for entry in pathlib.Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in entry.read_text(encoding="ascii", errors="replace").splitlines())
        except OSError:
            continue
        numbers = fields.get("NSpid", "").split()
        if numbers[-1:] == ["1"] and len(numbers) == 3 and _is_below(int(numbers[0]), above):
            return int(numbers[0])
    return 0


def _is_below(pid: int, above: int) -> bool:
    while pid > 1:
        if pid == above:
            return True
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            pid = int(file.read().rpartition(")")[2].split()[1])
    return False
