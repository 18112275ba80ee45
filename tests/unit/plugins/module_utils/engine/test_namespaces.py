# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The life cycle of /run/netns on the real kernel, looked at with iproute2, findmnt and /proc as well."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import (
    namespaces,
    namespaces_making,
    processes,
    processes_ending,
    resolver,
    resolver_writing,
    syscalls,
    values,
)
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError, KernelError, StateError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.values import HOST

Sandbox = t.Callable[[t.Callable[[], t.Any]], None]

RUN = "/run/netns"


# -- other eyes


def sh(*command: str, check: bool = True) -> str:
    """What a command says, on both channels; it must succeed unless told otherwise."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout}")
    return done.stdout


def ip_names() -> list[str]:
    """The names that iproute2 lists."""
    return sorted(line.split()[0] for line in sh("ip", "netns", "list").splitlines() if line.strip() and not line.startswith("Error"))


def mounts(path: str) -> list[str]:
    """The lines of mountinfo for one mount point."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return [line for line in file if line.split()[4] == path]


def own_inode() -> int:
    return os.stat("/proc/thread-self/ns/net").st_ino


def inode_behind(reference: str) -> int:
    fd = namespaces.open_reference(reference)
    try:
        return namespaces.inode_of(fd)
    finally:
        os.close(fd)


def inode_inside(name: str) -> int:
    """The namespace that iproute2 enters by that name."""
    return int(sh("ip", "netns", "exec", name, "stat", "-Lc", "%i", "/proc/self/ns/net"))


def plain_file(name: str, age: float = 60) -> str:
    os.makedirs(RUN, exist_ok=True)
    path = f"{RUN}/{name}"
    os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0))
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def fork(function: t.Callable[[], t.Any]) -> int:
    """Run a function in a child; its exit status is 0 if the function returned, 3 if it raised a StateError."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            function()
            status = 0
        except StateError:
            status = 3
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(status)
    return pid


def statuses(pids: t.Iterable[int]) -> list[int]:
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


@contextlib.contextmanager
def inside(name: str, *command: str) -> t.Iterator[subprocess.Popen[str]]:
    """A process that lives in a namespace, ended and reaped at the end; it has said one line."""
    process = subprocess.Popen(["ip", "netns", "exec", name, *command], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait()


SLEEPER = ("sh", "-c", "echo ready; exec sleep 600")
DEAF = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)",
)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


# -- what is there


def test_nothing_is_there_and_looking_makes_nothing(sandboxed: Sandbox) -> None:
    def body() -> None:
        assert namespaces.entries() == []
        assert namespaces.find("blue") is None
        with pytest.raises(StateError) as caught:
            namespaces.open_reference("blue")
        assert str(caught.value) == "namespace 'blue' does not exist: create it with linuxnet.netns.netns or correct 'netns'"
        namespaces_making.remove("blue")
        assert not os.path.lexists(RUN)

    sandboxed(body)


def test_opening_never_creates_beside_others(sandboxed: Sandbox) -> None:
    def body() -> None:
        namespaces_making.create("red-test")
        before = sh("findmnt", "--raw", "--noheadings", "-o", "TARGET")
        for name in ("red", "red-tes", "red-test2"):
            assert namespaces.find(name) is None
            with pytest.raises(StateError):
                namespaces.open_reference(name)
        assert os.listdir(RUN) == ["red-test"]
        assert sh("findmnt", "--raw", "--noheadings", "-o", "TARGET") == before

    sandboxed(body)


def test_entries_tell_namespaces_from_all_else(sandboxed: Sandbox) -> None:
    def body() -> None:
        sh("ip", "netns", "add", "zone")
        sh("ip", "netns", "add", "alpha")
        plain_file("file")
        os.mkdir(f"{RUN}/directory")
        os.mkfifo(f"{RUN}/fifo")
        os.symlink("/proc/self/ns/net", f"{RUN}/link")
        plain_file("uts")
        sh("mount", "--bind", "/proc/self/ns/uts", f"{RUN}/uts")
        found = namespaces.entries()
        assert [entry.name for entry in found] == ["alpha", "directory", "fifo", "file", "link", "uts", "zone"]
        assert [entry.name for entry in found if not entry.stale] == ["alpha", "zone"]
        for entry in found:
            assert entry.path == f"{RUN}/{entry.name}"
            assert entry.inode == (0 if entry.stale else inode_inside(entry.name))
            assert namespaces.find(entry.name) == entry

    sandboxed(body)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../etc", "a\0b"])
@pytest.mark.parametrize(
    "function",
    [namespaces.find, namespaces_making.create, namespaces_making.remove, resolver.read_resolver, resolver_writing.remove_resolver],
)
def test_a_name_cannot_leave_the_directory(function: t.Callable[[str], t.Any], name: str) -> None:
    with pytest.raises(InputError):
        function(name)


# -- opening


def test_references(sandboxed: Sandbox) -> None:
    def body() -> None:
        assert inode_behind(HOST) == own_inode()
        namespaces_making.create("blue")
        assert inode_behind("blue") == inode_behind(f"{RUN}/blue") == inode_inside("blue") != own_inode()
        with inside("blue", *SLEEPER) as process:
            assert inode_behind(f"/proc/{process.pid}/ns/net") == inode_inside("blue")
            fd = namespaces.pid_namespace(process.pid)
            assert namespaces.inode_of(fd) == inode_inside("blue")
            assert not os.get_inheritable(fd)
            os.close(fd)

    sandboxed(body)


def test_references_that_are_no_namespace(sandboxed: Sandbox) -> None:
    def refused(reference: str) -> str:
        before = open_files()
        with pytest.raises(StateError) as caught:
            namespaces.open_reference(reference)
        assert open_files() == before
        return str(caught.value)

    def body() -> None:
        plain_file("blue")
        assert refused("blue") == (
            "namespace 'blue' is a stale plain file in /run/netns, not a namespace: linuxnet.netns.netns with state present repairs it"
        )
        os.symlink("/proc/self/ns/net", f"{RUN}/link")
        assert refused("link") == (
            "namespace 'link' is a symbolic link in /run/netns, not a namespace: "
            "use the path that it points to as 'netns', or remove it with linuxnet.netns.netns and state absent"
        )
        plain_file("uts")
        sh("mount", "--bind", "/proc/self/ns/uts", f"{RUN}/uts")
        assert refused("uts") == (
            "namespace 'uts' is a mount of something else in /run/netns, not a namespace: remove /run/netns/uts by hand"
        )
        os.mkfifo(f"{RUN}/fifo")
        assert refused("fifo") == "namespace 'fifo' is a special file in /run/netns, not a namespace: remove /run/netns/fifo by hand"
        assert refused("/proc/self/ns/uts") == "'/proc/self/ns/uts' is not a network namespace: correct 'netns'"
        assert refused("/etc") == "'/etc' is not a network namespace: correct 'netns'"

    sandboxed(body)


def test_references_to_a_process_that_has_ended(sandboxed: Sandbox) -> None:
    def body() -> None:
        zombie = fork(lambda: None)
        os.waitid(os.P_PID, zombie, os.WEXITED | os.WNOWAIT)
        for _state in ("zombie", "reaped"):
            with pytest.raises(StateError) as caught:
                namespaces.pid_namespace(zombie)
            assert str(caught.value) == f"process {zombie} does not exist or has ended: correct 'pid'"
            with pytest.raises(StateError) as caught:
                namespaces.open_reference(f"/proc/{zombie}/ns/net")
            assert str(caught.value) == f"namespace path '/proc/{zombie}/ns/net' does not exist: its process has ended, or correct 'netns'"
            with contextlib.suppress(ChildProcessError):
                os.waitpid(zombie, 0)

    sandboxed(body)


# -- entering


def test_entered_comes_back(sandboxed: Sandbox) -> None:
    def body() -> None:
        home = own_inode()
        namespaces_making.create("blue")
        namespaces_making.create("red")
        blue, red = namespaces.open_reference("blue"), namespaces.open_reference("red")
        with namespaces.entered(blue):
            assert own_inode() == namespaces.inode_of(blue)
            assert [line.split(":")[1].strip() for line in sh("ip", "-o", "link").splitlines()] == ["lo"]
            with namespaces.entered(red):
                assert own_inode() == namespaces.inode_of(red)
                assert inode_behind(HOST) == home
                namespaces_making.create("green")
                assert own_inode() == namespaces.inode_of(red)
            assert own_inode() == namespaces.inode_of(blue)
            with contextlib.suppress(ValueError), namespaces.entered(red):
                raise ValueError
            assert own_inode() == namespaces.inode_of(blue)
        assert own_inode() == home
        before = open_files()
        for _turn in range(5):
            with pytest.raises(ZeroDivisionError), namespaces.entered(blue):
                raise ZeroDivisionError
            assert own_inode() == home
        with pytest.raises(KernelError) as caught, namespaces.entered(os.open("/dev/null", os.O_RDONLY)):
            raise AssertionError("entered /dev/null")
        assert str(caught.value) == "cannot enter a network namespace: Invalid argument (EINVAL)"
        assert own_inode() == home
        assert open_files() == before + 1  # /dev/null

    sandboxed(body)


def test_a_thread_makes_and_enters_for_itself(sandboxed: Sandbox) -> None:
    def body() -> None:
        home = own_inode()
        seen: dict[str, int] = {}

        def elsewhere() -> None:
            namespaces_making.create("blue")
            seen["after create"] = own_inode()
            fd = namespaces.open_reference("blue")
            with namespaces.entered(fd):
                seen["inside"] = own_inode()
                entered.set()
                looked.wait(30)
            seen["after"] = own_inode()

        entered, looked = threading.Event(), threading.Event()
        thread = threading.Thread(target=elsewhere)
        thread.start()
        assert entered.wait(30)
        assert own_inode() == home
        looked.set()
        thread.join()
        assert seen == {"after create": home, "inside": inode_inside("blue"), "after": home}
        assert inode_inside("blue") != home

    sandboxed(body)


# -- making


def test_iproute2_and_we_see_each_other(sandboxed: Sandbox) -> None:
    def body() -> None:
        home = own_inode()
        before = -1
        for name in ("one", "two", "three"):
            namespaces_making.create(name)
            assert own_inode() == home
            if before < 0:
                before = open_files()
        assert open_files() == before
        sh("ip", "netns", "add", "four")
        assert ip_names() == ["four", "one", "three", "two"]
        assert [(entry.name, entry.stale) for entry in namespaces.entries()] == [(name, False) for name in ip_names()]
        inodes = {inode_inside(name) for name in ip_names()}
        assert len(inodes | {home}) == 5
        assert {entry.inode for entry in namespaces.entries()} == inodes
        assert {name: len(mounts(f"{RUN}/{name}")) for name in ip_names()} == dict.fromkeys(ip_names(), 1)
        assert os.stat(RUN).st_mode & 0o7777 == 0o755
        sh("ip", "netns", "delete", "one")
        namespaces_making.remove("four")
        assert ip_names() == ["three", "two"] == sorted(os.listdir(RUN))
        assert mounts(f"{RUN}/one") == mounts(f"{RUN}/four") == []
        with pytest.raises(StateError) as caught:
            namespaces_making.create("two")
        assert str(caught.value) == "namespace 'two' exists already: choose another name or remove it first"
        assert sh("ip", "netns", "add", "two", check=False).strip().endswith("File exists")

    sandboxed(body)


def test_the_umask_does_not_hide_the_directory(sandboxed: Sandbox) -> None:
    def body() -> None:
        os.umask(0o077)
        namespaces_making.create("blue")
        assert os.stat(RUN).st_mode & 0o7777 == 0o755
        assert os.stat(f"{RUN}/blue").st_mode & 0o444 == 0o444

    sandboxed(body)


def test_one_mount_each_where_run_is_shared(sandboxed: Sandbox) -> None:
    def body() -> None:
        sh("mount", "--make-rshared", "/")
        for name in ("one", "two", "three"):
            namespaces_making.create(name)
        assert len(mounts(RUN)) == 1
        for name in ("one", "two", "three"):
            assert len(mounts(f"{RUN}/{name}")) == 1
            assert sh("findmnt", "--raw", "--noheadings", "-o", "FSTYPE", f"{RUN}/{name}").split() == ["nsfs"]
        groups = {field for line in mounts(RUN) + mounts("/run") for field in line.split() if field.startswith("shared:")}
        assert len(groups) == 2
        namespaces_making.remove("two")
        assert mounts(f"{RUN}/two") == []

    sandboxed(body)


@pytest.mark.parametrize("propagation", ["private", "shared"])
def test_names_bound_by_hand_before_the_first_creation(sandboxed: Sandbox, propagation: str) -> None:
    def body() -> None:
        sh("mount", f"--make-r{propagation}", "/run")
        for name in ("hand1", "hand2"):
            sh("unshare", "--net", "mount", "--bind", "/proc/self/ns/net", plain_file(name))
        inodes = {entry.name: entry.inode for entry in namespaces.entries()}
        namespaces_making.create("blue")
        assert {entry.name: entry.inode for entry in namespaces.entries()} == {**inodes, "blue": inode_inside("blue")}
        assert {name: inode_inside(name) for name in inodes} == inodes
        for name in ("hand1", "hand2", "blue"):
            assert len(mounts(f"{RUN}/{name}")) == 1
        namespaces_making.remove("hand1")
        sh("ip", "netns", "delete", "hand2")
        assert os.listdir(RUN) == ["blue"]

    sandboxed(body)


def test_a_name_mounted_twice_is_removed(sandboxed: Sandbox) -> None:
    def body() -> None:
        namespaces_making.create("blue")
        sh("mount", "--bind", f"{RUN}/blue", f"{RUN}/blue")
        assert len(mounts(f"{RUN}/blue")) == 2
        namespaces_making.remove("blue")
        assert mounts(f"{RUN}/blue") == []
        assert os.listdir(RUN) == []

    sandboxed(body)


def test_removal_reaches_other_mount_namespaces(sandboxed: Sandbox) -> None:
    def body() -> None:
        sh("mount", "--make-rshared", "/run")
        namespaces_making.create("blue")
        other = subprocess.Popen(["unshare", "--mount", "--propagation", "unchanged", *SLEEPER], stdout=subprocess.PIPE, text=True)
        try:
            assert other.stdout is not None
            other.stdout.readline()
            with open(f"/proc/{other.pid}/mountinfo", encoding="utf-8") as file:
                assert f" {RUN}/blue " in file.read()
            namespaces_making.remove("blue")
            namespaces_making.create("red")
            with open(f"/proc/{other.pid}/mountinfo", encoding="utf-8") as file:
                seen = file.read()
            assert f" {RUN}/blue " not in seen
            assert seen.count(f" {RUN}/red ") == 1
        finally:
            other.kill()
            other.wait()

    sandboxed(body)


def test_a_stale_file_is_repaired(sandboxed: Sandbox) -> None:
    def body() -> None:
        path = plain_file("blue")
        assert "invalid" in sh("ip", "netns", "list")
        assert sh("ip", "netns", "add", "blue", check=False).strip().endswith("File exists")
        started = time.monotonic()
        namespaces_making.create("blue")
        assert time.monotonic() - started < 1, "an old file is not waited for"
        assert namespaces.find("blue") == namespaces.Entry("blue", inode_inside("blue"), False, path)
        assert "invalid" not in sh("ip", "netns", "list")
        assert len(mounts(path)) == 1
        plain_file("red")
        namespaces_making.remove("red")
        assert ip_names() == ["blue"]

    sandboxed(body)


def test_killed_between_open_and_mount(sandboxed: Sandbox) -> None:
    def body() -> None:
        def killed() -> None:
            def die(*_arguments: t.Any) -> None:
                os.kill(os.getpid(), signal.SIGKILL)

            original = syscalls.mount
            # The directory is mounted, the namespace is not any more.
            syscalls.mount = lambda source, target, flags: original(source, target, flags) if target == RUN else die()
            namespaces_making.create("blue")

        pid = fork(killed)
        assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
        assert os.listdir(RUN) == ["blue"]
        assert namespaces.find("blue") == namespaces.Entry("blue", 0, True, f"{RUN}/blue")
        namespaces_making.create("blue")
        assert inode_inside("blue") == inode_behind("blue")

    sandboxed(body)


def test_a_file_that_becomes_a_namespace_is_left_alone(sandboxed: Sandbox) -> None:
    """iproute2 holds no lock between its open and its mount."""

    def body() -> None:
        path = plain_file("blue", age=0)

        def slow() -> None:
            time.sleep(0.3)
            sh("unshare", "--net", "mount", "--bind", "/proc/self/ns/net", path)

        pid = fork(slow)
        with pytest.raises(StateError) as caught:
            namespaces_making.create("blue")
        assert "exists already" in str(caught.value)
        assert statuses([pid]) == [0]
        assert not namespaces.entries()[0].stale
        assert len(mounts(path)) == 1

    sandboxed(body)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda path: os.symlink("/etc/hostname", path), "a symbolic link"),
        (os.mkdir, "a directory"),
        (os.mkfifo, "a special file"),
        (lambda path: (plain_file("blue"), sh("mount", "--bind", "/proc/self/ns/uts", path)), "a mount of something else"),
    ],
    ids=["link", "directory", "fifo", "uts"],
)
def test_what_is_in_the_way_is_named_and_kept(sandboxed: Sandbox, make: t.Callable[[str], t.Any], kind: str) -> None:
    def body() -> None:
        path = f"{RUN}/blue"
        os.mkdir(RUN)
        make(path)
        before = os.lstat(path)
        with pytest.raises(StateError) as caught:
            namespaces_making.create("blue")
        assert str(caught.value) == f"namespace 'blue' cannot be made: {path} is {kind}, not a namespace: remove it first"
        assert (os.lstat(path).st_ino, os.lstat(path).st_mode) == (before.st_ino, before.st_mode)
        if kind == "a directory":
            with pytest.raises(StateError):
                namespaces_making.remove("blue")
            assert os.path.isdir(path)
            return
        namespaces_making.remove("blue")
        assert not os.path.lexists(path)
        assert mounts(path) == []

    sandboxed(body)


def test_a_link_is_removed_and_never_followed(sandboxed: Sandbox) -> None:
    def body() -> None:
        namespaces_making.create("red")
        os.symlink("red", f"{RUN}/blue")
        inode = inode_inside("red")
        namespaces_making.remove("blue")
        assert os.listdir(RUN) == ["red"]
        assert inode_inside("red") == inode
        target = "/run/precious"
        with open(target, "w", encoding="utf-8") as file:
            file.write("keep")
        os.symlink(target, f"{RUN}/green")
        namespaces_making.remove("green")
        with open(target, encoding="utf-8") as file:
            assert file.read() == "keep"

    sandboxed(body)


# -- several at once


def together(functions: t.Sequence[t.Callable[[], t.Any]]) -> list[int]:
    """All functions in a process each, let go at one moment."""
    reader, writer = os.pipe()

    def waiting(function: t.Callable[[], t.Any]) -> None:
        os.close(writer)
        os.read(reader, 1)
        function()

    pids = [fork(lambda function=function: waiting(function)) for function in functions]  # type: ignore[misc]
    os.close(reader)
    time.sleep(0.1)
    os.close(writer)
    return statuses(pids)


def dawdle() -> None:
    """Every mount takes its time: what could interleave does."""
    original = syscalls.mount

    def slow(source: str, target: str, flags: int) -> None:
        try:
            original(source, target, flags)
        finally:
            time.sleep(0.03)

    syscalls.mount = slow


@pytest.mark.parametrize("propagation", ["private", "shared"])
def test_first_creations_at_once(sandboxed: Sandbox, propagation: str) -> None:
    def body() -> None:
        sh("mount", f"--make-r{propagation}", "/run")
        dawdle()
        names = [f"ns{number}" for number in range(8)]
        assert together([lambda name=name: namespaces_making.create(name) for name in names]) == [0] * 8
        assert len(mounts(RUN)) == 1
        assert {name: len(mounts(f"{RUN}/{name}")) for name in names} == dict.fromkeys(names, 1)
        assert ip_names() == names
        assert len({inode_inside(name) for name in names}) == 8

    sandboxed(body)


def test_first_creations_at_once_with_iproute2(sandboxed: Sandbox) -> None:
    def body() -> None:
        dawdle()
        ours, theirs = [f"a{number}" for number in range(4)], [f"b{number}" for number in range(4)]
        calls: list[t.Callable[[], t.Any]] = [lambda name=name: namespaces_making.create(name) for name in ours]
        calls += [lambda name=name: sh("ip", "netns", "add", name) for name in theirs]
        assert together(calls) == [0] * 8
        assert len(mounts(RUN)) == 1
        assert {name: len(mounts(f"{RUN}/{name}")) for name in ours + theirs} == dict.fromkeys(ours + theirs, 1)
        assert [entry.name for entry in namespaces.entries() if not entry.stale] == ours + theirs

    sandboxed(body)


def is_locked() -> bool:
    """As iproute2 would find the directory's lock."""
    fd = os.open(RUN, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def test_several_names_with_one_lock(sandboxed: Sandbox) -> None:
    def body() -> None:
        inodes: list[int] = []
        home = own_inode()
        with namespaces_making.several():
            for name in ("a", "b"):
                namespaces_making.create(name, lambda: inodes.append(own_inode()))
                assert (is_locked(), own_inode()) == (True, home)
            namespaces_making.remove("a")
            assert is_locked()
        assert (is_locked(), ip_names(), inodes[1]) == (False, ["b"], inode_inside("b"))
        with pytest.raises(ZeroDivisionError), namespaces_making.several():
            namespaces_making.create("c", lambda: 1 // 0)
        # neither the name nor the thread stays there
        assert (is_locked(), ip_names(), os.listdir(RUN), own_inode()) == (False, ["b"], ["b"], home)

    sandboxed(body)


@pytest.mark.parametrize("stale", [False, True])
def test_the_same_name_at_once_has_one_winner(sandboxed: Sandbox, stale: bool) -> None:
    def body() -> None:
        if stale:
            plain_file("blue")
        dawdle()
        assert sorted(together([lambda: namespaces_making.create("blue")] * 8)) == [0] + [3] * 7
        assert len(mounts(f"{RUN}/blue")) == 1
        assert not namespaces.entries()[0].stale

    sandboxed(body)


def test_the_lock_is_waited_for_with_a_limit(sandboxed: Sandbox) -> None:
    def body() -> None:
        os.mkdir(RUN)
        holder = subprocess.Popen(["flock", "--no-fork", RUN, *SLEEPER], stdout=subprocess.PIPE, text=True)
        try:
            assert holder.stdout is not None
            holder.stdout.readline()
            namespaces_making._LOCK_WAIT = 0.2
            with pytest.raises(StateError) as caught:
                namespaces_making.create("blue")
            assert str(caught.value) == "/run/netns has been locked by another program for 0 seconds: see lslocks"
            assert os.listdir(RUN) == []
        finally:
            holder.kill()
            holder.wait()

    sandboxed(body)


# -- undo


def test_nothing_is_left_when_the_mount_fails(sandboxed: Sandbox) -> None:
    def body() -> None:
        home = own_inode()
        namespaces_making.create("first")
        before = open_files()
        real = syscalls.mount
        syscalls.mount = lambda source, target, flags: real("/proc/thread-self/ns/none", target, flags)
        with pytest.raises(KernelError) as caught:
            namespaces_making.create("blue")
        assert str(caught.value) == "cannot bind /proc/thread-self/ns/none to /run/netns/blue: No such file or directory (ENOENT)"
        assert caught.value.errno == 2
        assert own_inode() == home
        assert os.listdir(RUN) == ["first"]
        assert open_files() == before
        syscalls.mount = real
        namespaces_making.create("blue")
        assert ip_names() == ["blue", "first"]

    sandboxed(body)


def test_nothing_is_left_when_interrupted_after_the_mount(sandboxed: Sandbox) -> None:
    def body() -> None:
        home = own_inode()
        namespaces_making.create("first")
        real = syscalls.mount

        def interrupted(source: str, target: str, flags: int) -> None:
            real(source, target, flags)
            assert mounts(f"{RUN}/blue")
            raise KeyboardInterrupt

        syscalls.mount = interrupted
        with pytest.raises(KeyboardInterrupt):
            namespaces_making.create("blue")
        assert own_inode() == home
        assert os.listdir(RUN) == ["first"]
        assert mounts(f"{RUN}/blue") == []

    sandboxed(body)


def test_nothing_is_left_when_the_kernel_makes_no_more(sandboxed: Sandbox) -> None:
    """A user namespace of its own has limits of its own: the kernel itself refuses."""

    def body() -> None:
        code = (
            "import os\n"
            "from ansible_collections.linuxnet.netns.plugins.module_utils._engine import namespaces_making, errors\n"
            "namespaces_making.create('first')\n"
            "open('/proc/sys/user/max_net_namespaces', 'w').write('0')\n"
            "try:\n    namespaces_making.create('blue')\n"
            "except errors.KernelError as error:\n    print(error)\n"
            "print(os.listdir('/run/netns'))\n"
        )
        tree = os.pathsep.join(path for path in sys.path if path)
        os.environ["PYTHONPATH"] = tree
        said = sh("unshare", "--user", "--map-root-user", "--net", "--mount", sys.executable, "-B", "-c", code, check=False)
        if "unshare:" in said:
            pytest.skip(f"no user namespaces: {said}")
        assert said.splitlines() == ["cannot make a new network namespace: No space left on device (ENOSPC)", "['first']"]

    sandboxed(body)


def test_without_the_privilege_nothing_changes(sandboxed: Sandbox) -> None:
    def body() -> None:
        home = own_inode()
        namespaces_making.create("blue")
        entry = namespaces.find("blue")

        def powerless() -> None:
            os.setresuid(65534, 65534, 65534)
            assert namespaces.entries() == [entry]
            fd = namespaces.open_reference("blue")
            with pytest.raises(KernelError) as caught, namespaces.entered(fd):
                raise AssertionError("entered")
            assert str(caught.value) == (
                "cannot enter a network namespace: Operation not permitted (EPERM); this needs root with CAP_SYS_ADMIN (become: true)"
            )
            assert own_inode() == home
            with pytest.raises(KernelError):
                namespaces_making.create("red")
            with pytest.raises(KernelError):
                namespaces_making.remove("blue")

        assert statuses([fork(powerless)]) == [0]
        assert ip_names() == ["blue"]

    sandboxed(body)


# -- naming what exists


def test_attach_names_the_namespace_of_a_process(sandboxed: Sandbox) -> None:
    def body() -> None:
        process = subprocess.Popen(["unshare", "--net", *SLEEPER], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            process.stdout.readline()
            before = open_files()
            namespaces_making.attach("blue", process.pid)
            assert inode_inside("blue") == os.stat(f"/proc/{process.pid}/ns/net").st_ino == inode_behind("blue")
            assert sh("ip", "netns", "identify", str(process.pid)).split() == ["blue"]
            with pytest.raises(StateError):
                namespaces_making.attach("blue", process.pid)
            assert len(mounts(f"{RUN}/blue")) == 1
            plain_file("red")
            namespaces_making.attach("red", process.pid)
            assert inode_inside("red") == inode_inside("blue")
            assert open_files() == before
        finally:
            process.kill()
            process.wait()
        with pytest.raises(StateError) as caught:
            namespaces_making.attach("green", process.pid)
        assert str(caught.value) == f"process {process.pid} does not exist or has ended: correct 'pid'"
        assert ip_names() == ["blue", "red"]

    sandboxed(body)


def test_bind_is_the_inverse_of_remove(sandboxed: Sandbox) -> None:
    def body() -> None:
        namespaces_making.create("blue")
        sh("ip", "-n", "blue", "link", "set", "lo", "up")
        sh("ip", "-n", "blue", "address", "add", "192.0.2.1/32", "dev", "lo")
        inode = inode_inside("blue")
        fd = namespaces.open_reference("blue")
        namespaces_making.remove("blue")
        assert ip_names() == []
        namespaces_making.bind("blue", fd)
        os.close(fd)
        assert inode_inside("blue") == inode
        assert "192.0.2.1/32" in sh("ip", "-n", "blue", "address")
        null = os.open("/proc/self/ns/uts", os.O_RDONLY)
        with pytest.raises(StateError) as caught:
            namespaces_making.bind("red", null)
        assert str(caught.value) == "namespace 'red' cannot be made: what was opened for it is not a network namespace"
        assert ip_names() == ["blue"]

    sandboxed(body)


# -- who lives there


def test_processes_are_listed(sandboxed: Sandbox) -> None:
    def body() -> None:
        for name in ("blue", "red", "empty"):
            namespaces_making.create(name)
        inodes = {name: inode_behind(name) for name in ("blue", "red", "empty")}
        with inside("blue", *SLEEPER) as one, inside("blue", *SLEEPER) as two, inside("red", *SLEEPER) as three:
            assert processes.processes(list(inodes.values())) == {
                inodes["blue"]: sorted([one.pid, two.pid]),
                inodes["red"]: [three.pid],
                inodes["empty"]: [],
            }
            assert sorted(int(pid) for pid in sh("ip", "netns", "pids", "blue").split()) == sorted([one.pid, two.pid])
            three.kill()  # a zombie from now on
            os.waitid(os.P_PID, three.pid, os.WEXITED | os.WNOWAIT)
            assert processes.processes([inodes["red"]]) == {inodes["red"]: []}
        assert processes.processes([]) == {}

    sandboxed(body)


@pytest.mark.parametrize("pidfd", [True, False], ids=["pidfd", "without"])
def test_processes_are_ended(sandboxed: Sandbox, pidfd: bool) -> None:
    def body() -> None:
        if not pidfd:
            if hasattr(os, "pidfd_open"):
                del os.pidfd_open
        elif not hasattr(os, "pidfd_open"):
            pytest.skip("this Python has no pidfd_open")
        namespaces_making.create("blue")
        namespaces_making.create("red")
        inode = inode_behind("blue")
        with inside("blue", *SLEEPER) as polite, inside("blue", *DEAF) as deaf, inside("red", *SLEEPER) as neighbour:
            assert inode_behind(HOST) == own_inode()
            before, started = open_files(), time.monotonic()
            assert processes_ending.end_processes(inode, 0.5) == sorted([polite.pid, deaf.pid])
            assert 0.5 <= time.monotonic() - started < 5
            assert open_files() == before
            assert (polite.wait(), deaf.wait()) == (-signal.SIGTERM, -signal.SIGKILL)
            assert neighbour.poll() is None
            assert processes_ending.end_processes(inode, 0.5) == []
            started = time.monotonic()
            assert processes_ending.end_processes(inode_behind("red"), 30) == [neighbour.pid]
            assert time.monotonic() - started < 10, "who obeys is not waited for"

    sandboxed(body)


def test_processes_that_appear_meanwhile_are_ended(sandboxed: Sandbox) -> None:
    heir = (
        "import os, signal, time\n"
        "def heir(*_):\n"
        "    if os.fork():\n"
        "        os._exit(0)\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
        "    time.sleep(600)\n"
        "signal.signal(signal.SIGTERM, heir)\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )

    def body() -> None:
        namespaces_making.create("blue")
        inode = inode_behind("blue")
        with inside("blue", sys.executable, "-c", heir) as process:
            ended = processes_ending.end_processes(inode, 5)
            assert process.pid in ended
            assert len(ended) == 2
            assert processes.processes([inode]) == {inode: []}

    sandboxed(body)


def test_nobody_ends_himself(sandboxed: Sandbox) -> None:
    def body() -> None:
        with pytest.raises(StateError) as caught:
            processes_ending.end_processes(own_inode(), 1)
        assert str(caught.value).startswith(f"the processes of this namespace cannot be ended: process {os.getpid()} (")
        namespaces_making.create("blue")
        fd = namespaces.open_reference("blue")
        elder = os.getpid()

        def within() -> None:
            """A child that lives elsewhere than its parent, who is in the namespace to be cleared."""

            def grandchild() -> None:
                syscalls.unshare()
                with pytest.raises(StateError) as caught:
                    processes_ending.end_processes(inode, 1)
                assert f"process {parent} (" in str(caught.value)

            syscalls.setns(fd)
            inode, parent = own_inode(), os.getpid()
            assert statuses([fork(grandchild)]) == [0]

        assert statuses([fork(within)]) == [0]
        assert os.getpid() == elder
        with namespaces.entered(fd):  # looking in is not living there
            assert processes_ending.end_processes(namespaces.inode_of(fd), 1) == []

    sandboxed(body)


def test_a_reused_number_is_not_hit(sandboxed: Sandbox) -> None:
    """Between the listing and the signal the number has gone to somebody who lives elsewhere."""

    def body() -> None:
        namespaces_making.create("blue")
        namespaces_making.create("red")
        inode = inode_behind("blue")
        with inside("red", *SLEEPER) as stranger:
            listed = [{inode: [stranger.pid]}]
            original = processes_ending.processes
            processes_ending.processes = lambda inodes: listed.pop() if listed else original(inodes)
            assert processes_ending.end_processes(inode, 1) == []
            assert listed == []
            time.sleep(0.1)
            assert stranger.poll() is None

    sandboxed(body)


# -- resolv.conf


def test_resolver_is_what_ip_netns_exec_uses(sandboxed: Sandbox) -> None:
    def body() -> None:
        text = f"{values.RESOLVER_MARK}\nnameserver 192.0.2.53\nsearch example.org\n"
        path = "/etc/netns/blue/resolv.conf"
        os.umask(0o077)
        namespaces_making.create("blue")
        assert resolver.read_resolver("blue") is None
        resolver_writing.remove_resolver("blue")
        assert not os.path.lexists("/etc/netns")
        resolver_writing.write_resolver("blue", text)
        assert resolver.read_resolver("blue") == text == sh("ip", "netns", "exec", "blue", "cat", "/etc/resolv.conf")
        assert [os.stat(place).st_mode & 0o7777 for place in ("/etc/netns", "/etc/netns/blue", path)] == [0o755, 0o755, 0o644]
        resolver_writing.write_resolver("blue", f"{values.RESOLVER_MARK}\n# empty\n")
        assert resolver.read_resolver("blue") == f"{values.RESOLVER_MARK}\n# empty\n"
        assert os.listdir("/etc/netns/blue") == ["resolv.conf"]
        resolver_writing.remove_resolver("blue")
        assert os.listdir("/etc/netns") == []

    sandboxed(body)


@pytest.fixture
def base(tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> t.Any:
    monkeypatch.setattr(resolver, "ETC_NETNS", str(tmp_path / "netns"))
    return tmp_path / "netns"


def test_resolver_keeps_other_files(base: t.Any) -> None:
    resolver_writing.write_resolver("blue", f"{values.RESOLVER_MARK}\nnameserver 192.0.2.53\n")
    (base / "blue" / "hosts").write_text("192.0.2.1 one\n")
    resolver_writing.remove_resolver("blue")
    assert [file.name for file in (base / "blue").iterdir()] == ["hosts"]
    resolver_writing.remove_resolver("blue")
    assert (base / "blue" / "hosts").read_text() == "192.0.2.1 one\n"


def test_resolver_of_somebody_else_stays(base: t.Any) -> None:
    (base / "blue").mkdir(parents=True)
    (base / "blue" / "resolv.conf").write_text("nameserver 192.0.2.53\n")
    resolver_writing.remove_resolver("blue")
    assert (base / "blue" / "resolv.conf").read_text() == "nameserver 192.0.2.53\n"


def test_resolver_follows_no_link(base: t.Any, tmp_path: t.Any) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    base.mkdir()
    (base / "blue").symlink_to(outside)
    with pytest.raises(StateError) as caught:
        resolver_writing.write_resolver("blue", "nameserver 192.0.2.53\n")
    need = "the DNS files of namespace 'blue' need a directory of their own there, remove it"
    assert str(caught.value) == f"{base}/blue is a symbolic link: {need}"
    (outside / "resolv.conf").write_text("kept")
    resolver_writing.remove_resolver("blue")
    assert (outside / "resolv.conf").read_text() == "kept"
    # A link in the place of the file is replaced, what it points to stays.
    (base / "red").mkdir()
    (base / "red" / "resolv.conf").symlink_to(outside / "resolv.conf")
    resolver_writing.write_resolver("red", "nameserver 192.0.2.53\n")
    assert (outside / "resolv.conf").read_text() == "kept"
    assert resolver.read_resolver("red") == "nameserver 192.0.2.53\n"


def test_resolver_is_whole_or_as_before(base: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    resolver_writing.write_resolver("blue", "old\n")

    def full(*_arguments: t.Any, **_named: t.Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(KernelError) as caught:
        resolver_writing.write_resolver("blue", "new\n")
    assert str(caught.value) == f"cannot write {base}/blue/resolv.conf: No space left on device (ENOSPC)"
    assert resolver.read_resolver("blue") == "old\n"
    assert [file.name for file in (base / "blue").iterdir()] == ["resolv.conf"]


def test_resolver_that_is_no_file(base: t.Any) -> None:
    (base / "blue").mkdir(parents=True)
    os.mkfifo(base / "blue" / "resolv.conf")
    with pytest.raises(StateError) as caught:
        resolver.read_resolver("blue")
    assert str(caught.value) == f"{base}/blue/resolv.conf is not a plain file: remove it by hand"
    (base / "red").write_text("a file where the directory belongs")
    assert resolver.read_resolver("red") is None
    with pytest.raises(StateError) as caught:
        resolver_writing.write_resolver("red", "nameserver 192.0.2.53\n")
    need = "the DNS files of namespace 'red' need a directory of their own there, remove it"
    assert str(caught.value) == f"{base}/red is not a directory: {need}"
