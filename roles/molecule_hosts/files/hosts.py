# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts to reach over SSH: each a sshd in mount, UTS, IPC and PID namespaces of its own, in a network namespace that is there already.

Or, with "root", a tree of files, each the systemd of this tree.

    echo '{"folder": "/run/molecule_hosts/demo", "hosts": [{"name": "web", "netns": "demo-web", "addresses": ["192.0.2.10"]}]}' |
        python hosts.py

Started is what is listed and does not run, ended is what runs and is not listed; with "check" nothing is, and with "only_end" nothing
is started. Prints {"started": [...], "ended": [...]}, or ends with 1 and one sentence. A host sees the machine's files, or those of the
tree, as they are; what it writes it alone sees, and that is kept in memory.
"""

from __future__ import annotations

import contextlib
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

import kernel
import nspawn

# What every host has of its own, whatever is mounted there on the machine.
OWN = ("/proc", "/sys", "/dev", "/run")
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
START_FILES = (".bash_login", ".bash_profile", ".bashrc", ".profile")
TIMEOUT = 30.0
# What the sshd of one more tree may take to answer, beside the others that start with it.
TIMEOUT_TREE = 5.0

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
SSHD_SERVICE = f"""\
[Service]
ExecStartPre=
ExecStart=
ExecStart=/usr/sbin/sshd -D -e -f {PLACE}/sshd_config
"""


class HostsError(Exception):
    """One sentence for the user."""


class Host(t.NamedTuple):
    name: str
    netns: str
    addresses: list[str]


class Fleet(t.NamedTuple):
    """All that a host is given; `folder` holds the keys, the logs and the record of what was started, `root` is a tree with a systemd."""

    folder: pathlib.Path
    hosts: list[Host]
    root: str | None = None

    @property
    def record(self) -> pathlib.Path:
        return self.folder / "started.json"


class Running(t.NamedTuple):
    """A host's first process, and the tree that it was started from."""

    pid: int
    born: str | None
    root: str | None


# ---- a host, from inside ---------------------------------------------------------------------------------------------


def _mounts() -> t.Iterator[str]:
    """What of the machine's files lies in mounts of their own: /home, /var/log and the like, none that is deeper (containers, images)."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        target = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), line.split()[4])
        if target != "/" and target.count("/") <= 2 and not any(target == own or target.startswith(f"{own}/") for own in OWN):
            yield target


def _file_system(staging: str) -> str:
    """The host's view of the machine's files below the folder `staging`; returns its root."""
    kernel.mount_private()
    mounts = list(dict.fromkeys(_mounts()))
    kernel.mount("tmpfs", staging, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=700")
    root = f"{staging}/root"
    os.mkdir(root)
    kernel.overlay("/", root, pathlib.Path(staging, "changes"))
    for number, target in enumerate(mounts):
        if os.path.isfile(target):
            # as the files that containers have in /etc
            shutil.copy2(target, root + target)
            continue
        # Over what is no file system of files, and over two overlays, the kernel refuses another: then what is below it is seen.
        with contextlib.suppress(OSError):
            kernel.overlay(target, root + target, pathlib.Path(staging, f"changes-{number}"))
    kernel.mount("proc", f"{root}/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    kernel.mount("sysfs", f"{root}/sys", "sysfs", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    kernel.mount("/dev", f"{root}/dev", None, kernel.MS_BIND | kernel.MS_REC)
    kernel.mount("tmpfs", f"{root}/run", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755")
    for folder in ("lock", "sshd"):
        os.mkdir(f"{root}/run/{folder}", 0o755)
    return root


def _personalise(root: pathlib.Path, host: Host, fleet: Fleet, place: pathlib.Path) -> None:
    """The files by which one host differs from the next, and from where its files are from; `place` will be PLACE."""
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
    place.mkdir(mode=0o755)
    _write(place / "sshd_config", SSHD_CONFIG)
    _write(place / "authorized_keys", (fleet.folder / "key.pub").read_text(encoding="utf-8"))
    (place / "host_key").touch(mode=0o600)
    _write(place / "host_key", (fleet.folder / "host_key").read_text(encoding="utf-8"))


def _write(path: pathlib.Path, text: str) -> None:
    # /etc/resolv.conf is a link into /run on many machines
    if path.is_symlink():
        path.unlink()
    path.write_text(text, encoding="utf-8")


def _become_sshd(host: Host, fleet: Fleet) -> None:
    """The first process of a host that has the machine's files, up to its sshd."""
    sshd = _sshd()
    root = _file_system(str(fleet.folder / host.name))
    _personalise(pathlib.Path(root), host, fleet, pathlib.Path(root + PLACE))
    socket.sethostname(host.name)
    # As the switch from an initial file system does it. Who enters the mount namespace later sees this root too.
    os.chdir(root)
    kernel.mount(root, "/", None, kernel.MS_MOVE)
    os.chroot(".")
    # Python ignores it, and what sshd starts would inherit that
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(sshd, [sshd, "-D", "-e", "-f", f"{PLACE}/sshd_config"])


def _become_systemd(host: Host, fleet: Fleet, tree: str, cgroup: str) -> None:
    """The first process of a host that has the files of a tree: it starts the systemd of these, again when that wants to reboot."""
    staging = fleet.folder / host.name
    kernel.mount_private()
    kernel.mount("tmpfs", str(staging), "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=700")
    root, place = staging / "root", staging / "place"
    root.mkdir()
    kernel.overlay(tree, str(root), staging / "changes")
    _personalise(root, host, fleet, place)
    _prepare_services(root)
    for name, kind in (("/proc", "proc"), ("/sys", "sysfs")):
        kernel.mount(kind, name, kind, kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    nspawn.enter(cgroup)
    again = f'while :; do "$@"; test $? = {nspawn.REBOOT} || exit; done'
    command = nspawn.command(str(root), host.name, f"--bind-ro={place}:{PLACE}")
    os.execve("/bin/sh", ["sh", "-c", again, "sh", *command], nspawn.environment())


def _cgroup(fleet: Fleet, name: str) -> str:
    return nspawn.cgroup(f"{fleet.folder.name}-{name}")


def _prepare_services(root: pathlib.Path) -> None:
    """Its sshd is the service that the tree has, with our configuration; eth0 is there already, whatever manages networks in it."""
    units, service = root / "etc/systemd/system", str(_ssh_service(root))
    for folder in (units / f"{service}.d", units / "multi-user.target.wants", root / "etc/systemd/network"):
        folder.mkdir(parents=True, exist_ok=True)
    _write(units / f"{service}.d" / "molecule_hosts.conf", SSHD_SERVICE)
    _link(units / "multi-user.target.wants" / service, f"/usr/lib/systemd/system/{service}")
    # what would listen in its place, or wait for a network that nobody in there sets up
    for name in ("ssh.socket", "sshd.socket", "systemd-networkd-wait-online.service"):
        _link(units / name, "/dev/null")
    _write(root / "etc/systemd/network/00-molecule_hosts.network", "[Match]\nName=eth0\n[Link]\nUnmanaged=yes\n")
    manager = root / "etc/NetworkManager/conf.d"
    if manager.is_dir():
        _write(manager / "molecule_hosts.conf", "[keyfile]\nunmanaged-devices=interface-name:eth0\n")
    # empty: each host gets a number of its own
    _write(root / "etc/machine-id", "")


def _link(path: pathlib.Path, target: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _fork_host(host: Host, fleet: Fleet) -> int:
    """Start it, and return the end of a pipe that tells its process id, and what went wrong, if anything did."""
    told, tell = os.pipe()
    # as it is called from outside, by which it is removed
    cgroup = _cgroup(fleet, host.name)
    if os.fork():
        os.close(tell)
        return told
    try:
        os.setsid()
        log = os.open(fleet.folder / f"{host.name}.log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        for number, descriptor in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
            os.dup2(descriptor, number)
        kernel.enter_network(f"/run/netns/{host.netns}")
        kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC | kernel.CLONE_NEWPID)
        child = os.fork()
        if child:
            os.write(tell, f"{child}\n".encode())
            os._exit(0)
        if fleet.root:
            _become_systemd(host, fleet, fleet.root, cgroup)
        else:
            _become_sshd(host, fleet)
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


def recorded(fleet: Fleet) -> dict[str, Running]:
    """The hosts of this folder that were started."""
    try:
        record = json.loads(fleet.record.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {name: Running(*noted) for name, noted in record.items()}


def running(fleet: Fleet) -> dict[str, Running]:
    """Those that have not ended since."""
    return {name: host for name, host in recorded(fleet).items() if _born(host.pid) == host.born}


def _remember(fleet: Fleet, alive: dict[str, Running]) -> None:
    new = fleet.record.with_suffix(".new")
    new.write_text(json.dumps(alive), encoding="utf-8")
    new.replace(fleet.record)


def _stale(fleet: Fleet, host: Host, found: Running) -> bool:
    """Whether it has other files than asked for, or runs in a namespace that has another's name by now, or none."""
    try:
        here = os.stat(f"/proc/{found.pid}/ns/net").st_ino == os.stat(f"/run/netns/{host.netns}").st_ino
    except OSError:
        return True
    return not here or found.root != fleet.root


def _sshd() -> str:
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', os.defpath)}:{SBIN}")
    if found is None:
        raise HostsError("there is no sshd on this machine: install openssh-server (it need not run)")
    # it starts itself again for each connection, and that only by its absolute path
    return os.path.realpath(found)


def _ssh_service(root: pathlib.Path) -> str | None:
    return next((name for name in ("ssh.service", "sshd.service") if (root / "usr/lib/systemd/system" / name).exists()), None)


def _require_tree(root: str) -> None:
    if shutil.which("systemd-nspawn") is None:
        raise HostsError("molecule_hosts_root: there is no systemd-nspawn on this machine: install systemd-container")
    if not pathlib.Path(root, "usr/lib/systemd/systemd").is_file():
        raise HostsError(f"molecule_hosts_root: {root} has no usr/lib/systemd/systemd: give the root of a system that has systemd")
    if _ssh_service(pathlib.Path(root)) is None:
        raise HostsError(f"molecule_hosts_root: {root} has no service of a sshd: install openssh-server in it")


def _require(fleet: Fleet) -> None:
    """All that hosts take, before anything is changed."""
    _require_root()
    if fleet.root:
        _require_tree(fleet.root)
    else:
        _sshd()


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


def _start(fleet: Fleet, hosts: list[Host]) -> dict[str, Running]:
    """All at once; those that started, also when another one did not."""
    for host in hosts:
        (fleet.folder / host.name).mkdir(exist_ok=True)
    pipes = [(host, _fork_host(host, fleet)) for host in hosts]
    started, problems = {}, []
    for host, told in pipes:
        with os.fdopen(told, encoding="utf-8", errors="replace") as pipe:
            pid, _newline, problem = pipe.read().partition("\n")
        if pid.isdigit() and not problem:
            started[host.name] = Running(int(pid), _born(int(pid)), fleet.root)
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


def _await(fleet: Fleet, hosts: list[Host], started: dict[str, Running]) -> None:
    deadline = time.monotonic() + TIMEOUT + (TIMEOUT_TREE * len(hosts) if fleet.root else 0)
    for host in hosts:
        pid, born, _root = started[host.name]
        while not _answers(host.addresses[0]):
            if time.monotonic() > deadline or born is None or _born(pid) != born:
                log = " ".join((fleet.folder / f"{host.name}.log").read_text(encoding="utf-8", errors="replace").split())[-300:]
                raise HostsError(f"{host.name} has no sshd that answers at {host.addresses[0]}: {log or 'it said nothing'}")
            time.sleep(0.01)


def _end(fleet: Fleet, alive: dict[str, Running], names: list[str]) -> None:
    """With the first process of a PID namespace the kernel ends every other one in it."""
    for name in names:
        os.kill(alive[name].pid, signal.SIGKILL)
    deadline = time.monotonic() + TIMEOUT
    for name in names:
        while _born(alive[name].pid) is not None:
            if time.monotonic() > deadline:
                raise HostsError(f"{name} does not end: process {alive[name].pid} is still there after {TIMEOUT:.0f} seconds")
            time.sleep(0.01)
        _tidy(fleet, name, alive[name])
    _remember(fleet, {name: host for name, host in alive.items() if name not in names})


def _tidy(fleet: Fleet, name: str, ended: Running) -> None:
    """Remove what a host has left."""
    (fleet.folder / f"{name}.log").unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        (fleet.folder / name).rmdir()
    if ended.root:
        nspawn.leave(_cgroup(fleet, name))


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
    if wanted:
        _require(fleet)
    ended = [name for name, found in alive.items() if name not in wanted or _stale(fleet, wanted[name], found)]
    missing = [] if only_end else [host for name, host in wanted.items() if name not in alive or name in ended]
    result = {"started": [host.name for host in missing], "ended": ended}
    if check:
        return result
    for name, found in recorded(fleet).items():
        if name not in alive:
            _tidy(fleet, name, found)
    if ended:
        _end(fleet, alive, ended)
    if not fleet.hosts:
        _clear(fleet)
    elif not only_end:
        _make_folder(fleet)
        _know_hosts(fleet)
        _await(fleet, missing, _start(fleet, missing))
    return result


def main() -> int:
    options = json.load(sys.stdin)
    fleet = Fleet(pathlib.Path(options["folder"]), [Host(**host) for host in options["hosts"]], options.get("root"))
    try:
        sys.stdout.write(json.dumps(converge(fleet, options.get("check", False), options.get("only_end", False))))
    except HostsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
