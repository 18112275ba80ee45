# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts to reach over SSH: each a sshd in mount, UTS, IPC and PID namespaces of its own, in a network namespace that is there already.

    echo '{"folder": "/run/molecule_hosts/demo", "hosts": [{"name": "web", "netns": "demo-web", "addresses": ["192.0.2.10"]}]}' |
        python hosts.py

Started is what is listed and does not run, ended is what runs and is not listed; with "check" nothing is, and with "only_end" nothing
is started. Prints {"started": [...], "ended": [...]}, or ends with 1 and one sentence. A host sees the machine's files as they are;
what it writes it alone sees, and that is kept in memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import typing as t

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x4000000, 0x8000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 2, 4, 8, 4096, 8192, 16384, 1 << 18
# What every host has of its own, whatever is mounted there on the machine.
OWN = ("/proc", "/sys", "/dev", "/run")
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
START_FILES = (".bash_login", ".bash_profile", ".bashrc", ".profile")
TIMEOUT = 30.0

# In the host's /run, so that a role under test can do as it likes with what is in /etc/ssh and in root's home.
PLACE = "/run/molecule_hosts"
SSHD_CONFIG = f"""\
HostKey {PLACE}/host_key
AuthorizedKeysFile {PLACE}/authorized_keys
PidFile none
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 100:30:200
UsePAM no
UseDNS no
PrintMotd no
Subsystem sftp internal-sftp
"""

_libc = ctypes.CDLL(None, use_errno=True)


class HostsError(Exception):
    """One sentence for the user."""


class Host(t.NamedTuple):
    name: str
    netns: str
    addresses: list[str]


class Fleet(t.NamedTuple):
    """All that a host is given; `folder` holds the keys, the logs and the record of what was started."""

    folder: pathlib.Path
    hosts: list[Host]

    @property
    def record(self) -> pathlib.Path:
        return self.folder / "started.json"


# ---- a host, from inside ---------------------------------------------------------------------------------------------


def _call(name: str, *arguments: t.Any, what: str) -> None:
    encoded = [os.fsencode(argument) if isinstance(argument, str) else argument for argument in arguments]
    if getattr(_libc, name)(*encoded) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"{name} {what}")


def _mount(source: str | None, target: str, fstype: str | None = None, flags: int = 0, data: str | None = None) -> None:
    _call("mount", source, target, fstype, ctypes.c_ulong(flags), data, what=target)


def _overlay(lower: str, target: str, changes: pathlib.Path) -> None:
    """`lower` seen at `target`, with what is written kept in `changes`."""
    upper, work = changes / "upper", changes / "work"
    for folder in (upper, work):
        folder.mkdir(parents=True)
    shutil.copystat(lower, upper)
    state = os.stat(lower)
    os.chown(upper, state.st_uid, state.st_gid)
    _mount("overlay", target, "overlay", 0, f"lowerdir={lower},upperdir={upper},workdir={work}")


def _mounts() -> t.Iterator[str]:
    """What of the machine's files lies in mounts of their own: /home, /var/log and the like, none that is deeper (containers, images)."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        target = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), line.split()[4])
        if target != "/" and target.count("/") <= 2 and not any(target == own or target.startswith(f"{own}/") for own in OWN):
            yield target


def _file_system(staging: str) -> str:
    """The host's view of the machine's files below the folder `staging`; returns its root."""
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    mounts = list(dict.fromkeys(_mounts()))
    _mount("tmpfs", staging, "tmpfs", MS_NOSUID | MS_NODEV, "mode=700")
    root = f"{staging}/root"
    os.mkdir(root)
    _overlay("/", root, pathlib.Path(staging, "changes"))
    for number, target in enumerate(mounts):
        if os.path.isfile(target):
            # as the files that containers have in /etc
            shutil.copy2(target, root + target)
            continue
        # Over what is no file system of files, and over two overlays, the kernel refuses another: then what is below it is seen.
        with contextlib.suppress(OSError):
            _overlay(target, root + target, pathlib.Path(staging, f"changes-{number}"))
    _mount("proc", f"{root}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    _mount("sysfs", f"{root}/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    _mount("/dev", f"{root}/dev", None, MS_BIND | MS_REC)
    _mount("tmpfs", f"{root}/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    return root


def _personalise(root: pathlib.Path, host: Host, fleet: Fleet) -> None:
    """The files by which one host differs from the next, and from the machine."""
    etc = root / "etc"
    nameservers = pathlib.Path("/etc/netns", host.netns, "resolv.conf")
    names = [f"{address} {other.name}\n" for other in fleet.hosts for address in other.addresses]
    _write(etc / "hostname", f"{host.name}\n")
    _write(etc / "hosts", "".join(["127.0.0.1 localhost\n", "::1 localhost\n", *names]))
    _write(etc / "resolv.conf", nameservers.read_text(encoding="utf-8") if nameservers.exists() else "")
    shutil.rmtree(etc / "netns", ignore_errors=True)
    # It asks for this user when it starts; and without PAM a root whose password is locked may not log in by key either.
    passwd, shadow = etc / "passwd", etc / "shadow"
    users = passwd.read_text(encoding="utf-8")
    if not re.search(r"^sshd:", users, re.MULTILINE):
        _write(passwd, users + "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n")
    if shadow.exists():
        _write(shadow, re.sub(r"^root:[^:]*:", "root:*:", shadow.read_text(encoding="utf-8"), flags=re.MULTILINE))
    home = next((line.split(":")[5] for line in users.splitlines() if line.startswith("root:")), "/root")
    for name in START_FILES:
        # what is in it would be in each command's time
        if (root / home.lstrip("/") / name).exists():
            _write(root / home.lstrip("/") / name, "")
    for folder in ("lock", "sshd", "molecule_hosts"):
        (root / "run" / folder).mkdir(mode=0o755)
    place = root / PLACE.lstrip("/")
    _write(place / "sshd_config", SSHD_CONFIG)
    _write(place / "authorized_keys", (fleet.folder / "key.pub").read_text(encoding="utf-8"))
    (place / "host_key").touch(mode=0o600)
    _write(place / "host_key", (fleet.folder / "host_key").read_text(encoding="utf-8"))


def _write(path: pathlib.Path, text: str) -> None:
    # /etc/resolv.conf is a link into /run on many machines
    if path.is_symlink():
        path.unlink()
    path.write_text(text, encoding="utf-8")


def _become_host(host: Host, fleet: Fleet, sshd: str) -> None:
    """The first process of a host, up to its sshd."""
    root = _file_system(str(fleet.folder / host.name))
    _personalise(pathlib.Path(root), host, fleet)
    socket.sethostname(host.name)
    # As the switch from an initial file system does it. Who enters the mount namespace later sees this root too.
    os.chdir(root)
    _mount(root, "/", None, MS_MOVE)
    os.chroot(".")
    # Python ignores it, and what sshd starts would inherit that
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(sshd, [sshd, "-D", "-e", "-f", f"{PLACE}/sshd_config"])


def _fork_host(host: Host, fleet: Fleet, sshd: str) -> int:
    """Start it, and return the end of a pipe that tells its process id, and what went wrong, if anything did."""
    told, tell = os.pipe()
    if os.fork():
        os.close(tell)
        return told
    try:
        os.setsid()
        log = os.open(fleet.folder / f"{host.name}.log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        for number, descriptor in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
            os.dup2(descriptor, number)
        netns = os.open(f"/run/netns/{host.netns}", os.O_RDONLY | os.O_CLOEXEC)
        _call("setns", netns, CLONE_NEWNET, what=host.netns)
        _call("unshare", CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID, what="a host's namespaces")
        child = os.fork()
        if child:
            os.write(tell, f"{child}\n".encode())
            os._exit(0)
        _become_host(host, fleet, sshd)
    except BaseException as exc:
        os.write(tell, f"{getattr(exc, 'strerror', None) or exc} ({getattr(exc, 'filename', None) or type(exc).__name__})".encode())
    finally:
        os._exit(1)


# ---- all of them, from outside ---------------------------------------------------------------------------------------


def _born(pid: int) -> str | None:
    """When a process was started, in ticks since boot: with it a process id is never another's."""
    try:
        # the name before it may hold anything, spaces and brackets as well
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    except OSError:
        return None


def running(fleet: Fleet) -> dict[str, int]:
    """The hosts of this folder that run, with their first process."""
    try:
        record = json.loads(fleet.record.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {name: pid for name, (pid, born) in record.items() if _born(pid) == born}


def _remember(fleet: Fleet, alive: dict[str, int]) -> None:
    new = fleet.record.with_suffix(".new")
    new.write_text(json.dumps({name: (pid, _born(pid)) for name, pid in alive.items()}), encoding="utf-8")
    new.replace(fleet.record)


def _stale(host: Host, pid: int) -> bool:
    """Whether it runs in a namespace that has another's name by now, or none."""
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino != os.stat(f"/run/netns/{host.netns}").st_ino
    except OSError:
        return True


def _sshd() -> str:
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', os.defpath)}:{SBIN}")
    if found is None:
        raise HostsError("there is no sshd on this machine: install openssh-server (it need not run)")
    # it starts itself again for each connection, and that only by its absolute path
    return os.path.realpath(found)


def _require_root() -> None:
    # The root of an ordinary user's namespace has one user and no groups, and sshd wants to change both.
    if os.geteuid() != 0 or pathlib.Path("/proc/self/uid_map").read_text(encoding="ascii").split() != ["0", "0", "4294967295"]:
        raise HostsError("hosts need the real root, since sshd does: run this as root")


def _make_folder(fleet: Fleet) -> None:
    fleet.folder.parent.mkdir(mode=0o755, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        fleet.folder.mkdir(mode=0o700)
    state = fleet.folder.lstat()
    if fleet.folder.is_symlink() or not fleet.folder.is_dir() or state.st_uid != 0 or state.st_mode & 0o022:
        raise HostsError(f"{fleet.folder} is not a folder of root's alone: remove it")
    (fleet.folder / "cp").mkdir(mode=0o700, exist_ok=True)
    for name in ("key", "host_key"):
        if not (fleet.folder / f"{name}.pub").exists():
            _keygen(fleet.folder / name)


def _keygen(path: pathlib.Path) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "molecule_hosts", "-f", str(path)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise HostsError("there is no ssh-keygen on this machine: install openssh-client") from None
    if done.returncode:
        raise HostsError(f"ssh-keygen cannot make {path}: {' '.join(done.stderr.split())}")


def _know_hosts(fleet: Fleet) -> None:
    key = (fleet.folder / "host_key.pub").read_text(encoding="utf-8")
    lines = [f"{address} {key}" for host in fleet.hosts for address in host.addresses]
    (fleet.folder / "known_hosts").write_text("".join(lines), encoding="utf-8")


def _start(fleet: Fleet, hosts: list[Host], sshd: str) -> dict[str, int]:
    """All at once; those that started, also when another one did not."""
    for host in hosts:
        (fleet.folder / host.name).mkdir(exist_ok=True)
    pipes = [(host, _fork_host(host, fleet, sshd)) for host in hosts]
    started, problems = {}, []
    for host, told in pipes:
        with os.fdopen(told, encoding="utf-8", errors="replace") as pipe:
            pid, _newline, problem = pipe.read().partition("\n")
        if pid.isdigit() and not problem:
            started[host.name] = int(pid)
        else:
            problems.append(f"{host.name} cannot be started: {problem or pid or 'it said nothing'}")
    for _host in hosts:
        # the forks in between: the hosts themselves are not our children
        os.wait()
    _remember(fleet, {**running(fleet), **started})
    if problems:
        raise HostsError("; ".join(problems[:3]))
    return started


def _answers(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _await(fleet: Fleet, hosts: list[Host], started: dict[str, int]) -> None:
    deadline = time.monotonic() + TIMEOUT
    for host in hosts:
        born = _born(started[host.name])
        while not _answers(host.addresses[0]):
            if time.monotonic() > deadline or born is None or _born(started[host.name]) != born:
                log = " ".join((fleet.folder / f"{host.name}.log").read_text(encoding="utf-8", errors="replace").split())[-300:]
                raise HostsError(f"{host.name} has no sshd that answers at {host.addresses[0]}: {log or 'it said nothing'}")
            time.sleep(0.01)


def _end(fleet: Fleet, alive: dict[str, int], names: list[str]) -> None:
    """With the first process of a PID namespace the kernel ends every other one in it."""
    for name in names:
        os.kill(alive[name], signal.SIGKILL)
    deadline = time.monotonic() + TIMEOUT
    for name in names:
        while _born(alive[name]) is not None:
            if time.monotonic() > deadline:
                raise HostsError(f"{name} does not end: process {alive[name]} is still there after {TIMEOUT:.0f} seconds")
            time.sleep(0.01)
        (fleet.folder / f"{name}.log").unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            (fleet.folder / name).rmdir()
    _remember(fleet, {name: pid for name, pid in alive.items() if name not in names})


def _clear(fleet: Fleet) -> None:
    """End the connections that Ansible keeps open to the hosts, and remove the folder."""
    for path in (fleet.folder / "cp").glob("*"):
        subprocess.run(["ssh", "-F", "none", "-o", f"ControlPath={path}", "-O", "exit", "any"], capture_output=True, check=False)
    shutil.rmtree(fleet.folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        fleet.folder.parent.rmdir()


def converge(fleet: Fleet, check: bool = False, only_end: bool = False) -> dict[str, list[str]]:
    alive = running(fleet)
    wanted = {host.name: host for host in fleet.hosts}
    ended = [name for name, pid in alive.items() if name not in wanted or _stale(wanted[name], pid)]
    missing = [] if only_end else [host for name, host in wanted.items() if name not in alive or name in ended]
    result = {"started": [host.name for host in missing], "ended": ended}
    if check:
        return result
    if ended:
        _end(fleet, alive, ended)
    if not fleet.hosts:
        _clear(fleet)
    elif not only_end:
        _require_root()
        sshd = _sshd()
        _make_folder(fleet)
        _know_hosts(fleet)
        _await(fleet, missing, _start(fleet, missing, sshd))
    return result


def main() -> int:
    options = json.load(sys.stdin)
    fleet = Fleet(pathlib.Path(options["folder"]), [Host(**host) for host in options["hosts"]])
    try:
        sys.stdout.write(json.dumps(converge(fleet, options.get("check", False), options.get("only_end", False))))
    except HostsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
