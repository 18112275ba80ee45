# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``sandboxed``: run code on the real kernel without touching the machine."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import traceback
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import programs

_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000
_TIME_LIMIT = 120
_SKIPPED = 77


def run(*command: str, check: bool = True) -> str:
    """What a command says, on both channels; it must succeed unless told otherwise."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout}")
    return done.stdout


def _start(words: t.Sequence[str], text: str, environment: t.Mapping[str, str]) -> programs.Ended:
    done = subprocess.run(list(words), input=text, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    return programs.Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture(autouse=True)
def _programs() -> None:
    """Who starts the engine says how programs are run: here it is the test, whoever it was before."""
    programs.use(_start)


def _isolate() -> None:
    """Own network and mount namespaces; /run and /var/lib are empty and /etc/netns can be made without the machine noticing."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS | _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    run("mount", "--make-rprivate", "/")
    for directory in ("/run", "/var/lib"):
        run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", directory)
    # /etc as a tmpfs full of links to the real one: a directory can be added to it.
    os.mkdir("/run/etc")
    run("mount", "--bind", "/etc", "/run/etc")
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/etc")
    for name in os.listdir("/run/etc"):
        if name == "resolv.conf":
            shutil.copy("/run/etc/resolv.conf", "/etc/resolv.conf")  # a mount point for ip netns exec
        elif name != "netns":
            os.symlink(f"/run/etc/{name}", f"/etc/{name}")


def _child(function: t.Callable[[], t.Any], report: int) -> t.NoReturn:
    """Never returns into the test run that it was forked from."""
    status = 1
    try:
        os.setsid()
        signal.alarm(_TIME_LIMIT)
        _isolate()
        function()
        status = 0
    except pytest.skip.Exception as reason:
        status = _SKIPPED
        os.write(report, str(reason).encode())
    except BaseException:
        os.write(report, traceback.format_exc()[-60000:].encode())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _run_sandboxed(function: t.Callable[[], t.Any]) -> None:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _child(function, writer)
    os.close(writer)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    # What a test left behind is of the child's process group, whose number is not free before the child is reaped.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    _ended, status = os.waitpid(pid, 0)
    # At the end, and without waiting: a process in another group may hold the other end open. The report fits into the pipe.
    os.set_blocking(reader, False)
    try:
        text = os.read(reader, 65536).decode(errors="replace")
    except BlockingIOError:
        text = ""
    os.close(reader)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == _SKIPPED:
        pytest.skip(text)
    if status:
        reason = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit status {os.WEXITSTATUS(status)}"
        pytest.fail(f"in the sandbox ({reason}):\n{text}", pytrace=False)


@pytest.fixture
def sandboxed() -> t.Callable[[t.Callable[[], t.Any]], None]:
    """Runs a function in a forked child with network and mount namespaces of its own and an empty /run/netns."""
    if os.geteuid() != 0:
        pytest.skip("needs root: it makes network and mount namespaces")
    probe = subprocess.run(["unshare", "--net", "--mount", "true"], stderr=subprocess.PIPE, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"this machine lets nobody make namespaces: {probe.stderr.strip()}")
    return _run_sandboxed
