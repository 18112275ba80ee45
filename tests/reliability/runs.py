# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules as processes of their own, as Ansible starts them, on a throw-away host; and what every answer of theirs has to be like."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import pathlib
import subprocess
import sys
import typing as t

from ansible.module_utils import basic
from host import Host

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import transaction

MODULES = "ansible_collections.linuxnet.netns.plugins.modules"
importlib.import_module("ansible_collections.linuxnet.netns.plugins.module_utils._module")  # once, not in each child
# The folder that has ansible_collections in it.
ROOT = pathlib.Path(transaction.__file__).parents[6]
TIME_LIMIT = 90

# Words of Python's that no user is to read.
INNER_LIFE = ("Traceback", "Errno", "Error(", "object at 0x", "<class", "NoneType", "Exception")

Arguments = dict[str, t.Any]
Result = dict[str, t.Any]


class Run:
    """A module that runs on a host."""

    def __init__(
        self, host: Host, module: str, arguments: Arguments, check_mode: bool = False, umask: int = 0o022, under: t.Sequence[str] = ()
    ) -> None:
        self._said = f"{module} {json.dumps(arguments)}"
        self._text = json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, "_ansible_check_mode": check_mode}})
        self._process = host.popen(
            [*under, sys.executable, "-B", "-m", f"{MODULES}.{module}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            umask=umask,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])},
        )

    def begin(self) -> None:
        """Give it its arguments, for which it waits once Python has started."""
        assert self._process.stdin is not None
        self._process.stdin.write(self._text)
        self._process.stdin.close()
        self._process.stdin = None

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def ended(self) -> int | None:
        """How it ended, None while it runs."""
        return self._process.poll()

    def sees(self, folder: str, beginning: str) -> bool:
        """Whether there is such a file in the folder on its host; one that has ended sees nothing."""
        try:
            return any(name.startswith(beginning) for name in os.listdir(f"/proc/{self._process.pid}/root{folder}"))
        except OSError:
            return False

    def wait(self) -> tuple[int, str]:
        """How it ended, and what it said: for one that may have died on the way."""
        output = self._process.communicate(timeout=TIME_LIMIT)[0]
        return self._process.returncode, output

    def result(self) -> Result:
        """What it returns; whatever happens, a module ends with one line of JSON and never with a traceback."""
        try:
            output, errors = self._process.communicate(timeout=TIME_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise AssertionError(f"{self._said} has not ended after {TIME_LIMIT} seconds") from None
        assert not errors, f"{self._said}: {errors}"
        return _judged(self._said, self._process.returncode, output)


def _judged(said: str, code: int, output: str) -> Result:
    """What a module printed: one line of JSON, and in it no word of Python's."""
    lines = output.strip().splitlines()
    assert len(lines) == 1, f"{said} ended with {code}: {output!r}"
    result = dict(json.loads(lines[0]))
    assert bool(result.get("failed")) == bool(code), f"{said} ended with {code}: {result}"
    if result.get("failed"):
        sentence(result["msg"])
    for warning in result.get("warnings", []):
        # newer versions of ansible-core have an event around it
        sentence(warning["event"]["msg"] if isinstance(warning, dict) else warning)
    return result


def module(host: Host, which: str, check_mode: bool = False, umask: int = 0o022, **arguments: t.Any) -> Result:
    """What a module returns, be it good or bad."""
    run = Run(host, which, arguments, check_mode, umask)
    run.begin()
    return run.result()


def good(host: Host, which: str, check_mode: bool = False, umask: int = 0o022, **arguments: t.Any) -> Result:
    """What a module returns that has to succeed."""
    result = module(host, which, check_mode, umask, **arguments)
    assert not result.get("failed"), f"{which} {json.dumps(arguments)}: {result['msg']}"
    return result


def at_once(host: Host, wanted: t.Sequence[tuple[str, Arguments]]) -> list[Result]:
    """The results of modules that all run at the same time."""
    runs = [Run(host, name, arguments) for name, arguments in wanted]
    for run in runs:
        run.begin()
    return [run.result() for run in runs]


def sentence(text: str) -> str:
    """The text, which is one sentence for a user."""
    assert text, "an empty message"
    assert text.strip() == text, repr(text)
    assert "\n" not in text, repr(text)
    assert "\0" not in text, repr(text)
    found = [word for word in INNER_LIFE if word in text]
    assert not found, text
    return text


def _inside(which: str, text: bytes) -> tuple[int, str]:
    # the system's log belongs to the machine, not to the host
    basic.AnsibleModule.log = lambda *_args, **_options: None
    basic._ANSIBLE_ARGS = text
    if hasattr(basic, "_ANSIBLE_PROFILE"):
        basic._ANSIBLE_PROFILE = "legacy"
    output, code = io.StringIO(), 0
    with contextlib.redirect_stdout(output):
        try:
            importlib.import_module(f"{MODULES}.{which}").main()
        except SystemExit as end:
            code = int(end.code or 0)
    return code, output.getvalue()


def inside(host: Host, which: str, umask: int = 0o022, check_mode: bool = False, **arguments: t.Any) -> Result:
    """As ``module``, in a child of this process: ten times as fast. An exception of the module's is an exception here."""
    text = json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, "_ansible_check_mode": check_mode, "_ansible_module_name": which}})

    def run() -> tuple[int, str]:
        os.umask(umask)
        return _inside(which, text.encode())

    code, output = host.call(run, timeout=TIME_LIMIT)
    return _judged(f"{which} {json.dumps(arguments)}", code, output)
