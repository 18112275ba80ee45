# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command on a throw-away "host": own network, mounts, processes and host name; nothing of the machine changes.

    python3 tools/sandbox.py exec -- ip netns add red
    python3 tools/sandbox.py --outside exec -- curl http://www.example.test/

Inside, one is root, lo is up, there is no other interface, and /run/netns, /etc/netns, /run/linuxnet-netns, /var/lib/linuxnet-netns
and /run/sysctl.d are empty. /etc and /var/lib are copy-on-write views, /run is new: no daemon of the machine can be reached. HOME, /tmp,
/usr and the rest of /var are the machine's own. With --outside there is also an uplink to a small simulated Internet (see outside.py).
Everything ends with the command, also when this program is killed. Without root a user namespace is used, if the kernel lets us.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import fcntl
import os
import select
import signal
import socket
import stat
import struct
import sys
import time

import outside

USAGE = "sandbox.py [--outside] [--keep-going] exec -- COMMAND [ARGUMENT ...]"
# As in other runners: 125 says that the sandbox failed, so that 1 stays the command's own.
FAILED, NOT_EXECUTABLE, NOT_FOUND = 125, 126, 127
GRACE_SECONDS = 10

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x4000000, 0x10000000, 0x20000000, 0x40000000
NAMESPACES = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWNET
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE, MS_SHARED = 4096, 16384, 1 << 18, 1 << 20
PR_SET_PDEATHSIG = 1
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

EMPTY_DIRECTORIES = ("/run/netns", "/etc/netns", "/run/linuxnet-netns", "/run/sysctl.d")
# What may hold a user's own files or programs. Sockets of daemons (D-Bus, systemd, resolved, nscd) stay away on purpose: through
# them a command would change the machine, or resolve names past the simulated outside.
KEPT_IN_RUN = ("user", "media", "host", "wrappers")
FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")

_libc = ctypes.CDLL(None, use_errno=True)


class SandboxError(Exception):
    """One sentence for the user."""


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def unshare(flags: int) -> None:
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str | None, target: str, fstype: str | None = None, flags: int = 0, data: str | None = None) -> None:
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, fstype, data)]
    _check(_libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]), target)


def mount_tmpfs(target: str) -> None:
    mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")


def in_user_namespace() -> bool:
    with open("/proc/self/uid_map", encoding="ascii") as file:
        return file.read().split() != ["0", "0", "4294967295"]


def enter_namespaces() -> None:
    """Leave the machine's namespaces: as root directly, otherwise as the root of a user namespace."""
    if os.geteuid() == 0:
        try:
            unshare(NAMESPACES)
            return
        except OSError as exc:
            if exc.errno != errno.EPERM:
                raise SandboxError(f"the kernel refuses a new namespace ({exc.strerror}).") from exc
    user, group = os.geteuid(), os.getegid()
    try:
        unshare(NAMESPACES | CLONE_NEWUSER)
        # The kernel takes a gid map from an ordinary user only after setgroups() has been given up.
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    except OSError as exc:
        raise SandboxError(no_user_namespaces(exc)) from exc


def no_user_namespaces(exc: OSError) -> str:
    if os.geteuid() == 0:
        return f"root may not make namespaces here ({exc.strerror}), as in a container: use the machine itself or a virtual one."
    return f"this kernel does not let an ordinary user make a user namespace ({exc.strerror}): run it as root, for example 'sudo make lab'."


# --- the file system of the sandbox ---------------------------------------------------------------------------------------------


def keep_entry(source: str, target: str, read_only: bool = False) -> None:
    """Show one entry of a covered directory at its old place."""
    mode = os.lstat(source).st_mode
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink(source), target)
        return
    if stat.S_ISDIR(mode):
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    mount(source, target, None, MS_BIND | MS_REC)
    if read_only:
        mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)


def new_run(old: str) -> None:
    """An empty /run, with links (on some systems they lead to all programs) and what users keep there."""
    mount_tmpfs("/run")
    for name in sorted(os.listdir(old)):
        if name in KEPT_IN_RUN or os.path.islink(f"{old}/{name}"):
            keep_entry(f"{old}/{name}", f"/run/{name}")
    os.mkdir("/run/lock")
    os.chmod("/run/lock", 0o1777)


def view(directory: str, staging: str, new: str, files: dict[str, str]) -> None:
    """`directory` as a view in which everything can be written, with an empty folder `new`; `staging` is a directory on a tmpfs."""
    try:
        overlay(directory, f"{staging}/{directory.replace('/', '-')}", new, files)
    except OSError:
        rebuild(directory, new, files)


def overlay(directory: str, staging: str, new: str, files: dict[str, str]) -> None:
    """A copy-on-write view."""
    upper, work = f"{staging}/upper", f"{staging}/work"
    for path in (staging, upper, work, f"{upper}/{new}"):
        os.mkdir(path, 0o755)
    write_files(upper, files)
    options = f"lowerdir={directory},upperdir={upper},workdir={work}"
    # trusted.* attributes belong to the machine's root alone.
    attributes, more = ("user", ",userxattr") if in_user_namespace() else ("trusted", "")
    os.setxattr(f"{upper}/{new}", f"{attributes}.overlay.opaque", b"y")
    mount("overlay", directory, "overlay", MS_NOSUID | MS_NODEV, options + more)


def rebuild(directory: str, new: str, files: dict[str, str]) -> None:
    """A tmpfs with every entry bound back: for a kernel without overlayfs, or where files of /etc are mounts (containers)."""
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        mount_tmpfs(directory)
        old = f"/proc/self/fd/{descriptor}"
        for name in sorted(os.listdir(old)):
            if name not in files and name != new:
                keep_entry(f"{old}/{name}", f"{directory}/{name}", read_only=not in_user_namespace())
    finally:
        os.close(descriptor)
    os.mkdir(f"{directory}/{new}", 0o755)
    write_files(directory, files)


def write_files(directory: str, files: dict[str, str]) -> None:
    for name, text in files.items():
        with open(f"{directory}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(f"{directory}/{name}", 0o644)


def new_mounts(files: dict[str, str], keep_going: bool) -> None:
    """Everything that CMD sees differently; `files` are files of /etc by name."""
    here = os.getcwd()
    # Private first: the machine must not see a single mount of ours.
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    try:
        mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    except OSError as exc:
        complain(f"/sys cannot be mounted anew ({exc.strerror}) and shows the machine's interfaces", keep_going)
    old_run = os.open("/run", os.O_PATH | os.O_DIRECTORY)
    # The staging area lies under the final /run, out of sight; only the descriptor leads to it.
    mount_tmpfs("/run")
    staging = os.open("/run", os.O_PATH | os.O_DIRECTORY)
    view("/etc", f"/proc/self/fd/{staging}", "netns", files)
    view("/var/lib", f"/proc/self/fd/{staging}", "linuxnet-netns", {})
    new_run(f"/proc/self/fd/{old_run}")
    os.close(old_run)
    os.close(staging)
    for path in EMPTY_DIRECTORIES:
        os.makedirs(path, exist_ok=True)
        mount_tmpfs(path)
    # Shared among the sandbox's own mount namespaces, as on a host run by systemd.
    mount(None, "/", None, MS_REC | MS_SHARED)
    os.chdir(here)


def complain(problem: str, keep_going: bool) -> None:
    if not keep_going:
        raise SandboxError(f"{problem}; --keep-going goes on without it.")
    print(f"sandbox: {problem}.", file=sys.stderr, flush=True)


def clean_network() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(sock, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))
    # A new network namespace inherits IPv4's settings from the machine: a machine that forwards would make every test of
    # forwarding pass.
    with open("/proc/sys/net/ipv4/ip_forward", "r+", encoding="ascii") as file:
        if file.read().strip() != "0":
            file.seek(0)
            file.write("0")


# --- processes ------------------------------------------------------------------------------------------------------------------


def watched_signals() -> set[signal.Signals]:
    """What we wait for; a signal that our caller has us ignore (nohup) stays ignored."""
    return {signal.SIGCHLD} | {number for number in FORWARDED if signal.getsignal(number) is not signal.SIG_IGN}


def exit_code(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def execute(command: list[str], environment: dict[str, str]) -> None:
    """Become the command; returns never."""
    # Python itself ignores these two; a command must not inherit that.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())
    code = NOT_EXECUTABLE
    try:
        os.execvpe(command[0], command, environment)
    except FileNotFoundError:
        code = NOT_FOUND
        print(f"sandbox: there is no command {command[0]}.", file=sys.stderr, flush=True)
    except (OSError, ValueError) as exc:
        print(f"sandbox: {command[0]} cannot be run: {getattr(exc, 'strerror', None) or exc}.", file=sys.stderr, flush=True)
    os._exit(code)


def reap(child: int) -> int | None:
    """Collect the dead; the exit code of `child` when it is among them."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if pid == 0:
            return None
        if pid == child:
            return exit_code(status)


def run_command(command: list[str], environment: dict[str, str]) -> int:
    """Run the command below us, the sandbox's first process: when we end, the kernel kills every other one."""
    watched = watched_signals()
    child = os.fork()
    if child == 0:
        execute(command, environment)
    while True:
        code = reap(child)
        if code is not None:
            return code
        info = signal.sigwaitinfo(watched)
        # Sender 0 is a process outside: the program that the user sees. A key pressed at the terminal reaches the command anyway.
        if info.si_signo != signal.SIGCHLD and info.si_code <= 0 and info.si_pid == 0:
            os.kill(child, info.si_signo)


def first_process(options: argparse.Namespace, command: list[str], parent_alive: int) -> int:
    _check(_libc.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0), "prctl")
    # The parent may have died before that: then nobody holds the other end of its pipe.
    if select.select([parent_alive], [], [], 0)[0]:
        return FAILED
    environment = dict(os.environ, LINUXNET_SANDBOX="1")
    directories = environment.get("PATH", os.defpath).split(":")
    environment["PATH"] = os.environ["PATH"] = ":".join(directories + [path for path in SBIN if path not in directories])
    try:
        new_mounts({"resolv.conf": outside.resolv_conf()} if options.outside else {}, options.keep_going)
        clean_network()
    except OSError as exc:
        advice = "run it as root, for example 'sudo make lab'" if in_user_namespace() else "use a machine that lets root do that"
        raise SandboxError(f"{exc.filename or 'the network'} cannot be set up ({exc.strerror}): {advice}.") from exc
    if options.outside:
        # Kept until the end: its servers end when this reference does.
        world = outside.build()
        environment.update(world.environment())
    return run_command(command, environment)


def supervise(child: int) -> int:
    """Wait for the sandbox's first process and hand it the signals that are meant for the command."""
    watched = watched_signals()
    deadline = float("inf")
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return exit_code(status)
        left = deadline - time.monotonic()
        if left <= 0:
            os.kill(child, signal.SIGKILL)
            deadline = float("inf")
            continue
        info = signal.sigtimedwait(watched, min(left, 3600))
        if info is None or info.si_signo == signal.SIGCHLD or info.si_code > 0:
            continue
        os.kill(child, info.si_signo)
        if info.si_signo not in (signal.SIGUSR1, signal.SIGUSR2):
            deadline = time.monotonic() + GRACE_SECONDS


def run(options: argparse.Namespace, command: list[str]) -> int:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    enter_namespaces()
    read_end, write_end = os.pipe()
    # From here on both processes only wait for signals: the kernel would drop one that reaches a namespace's first process while
    # it has neither a handler nor the signal blocked.
    signal.pthread_sigmask(signal.SIG_BLOCK, watched_signals())
    child = os.fork()
    if child:
        os.close(read_end)
        return supervise(child)
    os.close(write_end)
    code = FAILED
    try:
        code = first_process(options, command, read_end)
    except (SandboxError, outside.OutsideError) as exc:
        print(f"sandbox: {exc}", file=sys.stderr, flush=True)
    except OSError as exc:
        print(f"sandbox: {exc}.", file=sys.stderr, flush=True)
    finally:
        # No clean-up of Python's own: the kernel ends every process and every mount with this one.
        os._exit(code)


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="sandbox.py", usage=USAGE, description=__doc__, formatter_class=raw)
    parser.add_argument("--outside", action="store_true", help="add an uplink to a simulated Internet with HTTP and DNS")
    parser.add_argument("--keep-going", action="store_true", help="only warn when /sys cannot be mounted anew")
    # Split by hand: what follows `exec` is the command's, whatever it looks like.
    position = arguments.index("exec") if "exec" in arguments else len(arguments)
    options = parser.parse_args(arguments[:position])
    command = arguments[position + 1 :]
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        parser.error("the command is missing: write it after 'exec --'.")
    return options, command


def main(arguments: list[str]) -> int:
    options, command = parse(arguments)
    if not sys.platform.startswith("linux"):
        print("sandbox: only Linux has the namespaces that the sandbox is made of.", file=sys.stderr)
        return FAILED
    try:
        return run(options, command)
    except SandboxError as exc:
        print(f"sandbox: {exc}", file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
