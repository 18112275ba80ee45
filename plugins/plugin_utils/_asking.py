# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Run netns_info on hosts while the inventory that they are in is still being read.

By ansible-playbook in a process of its own, with the inventory sources that were read so far: hosts are reached as a play
reaches them (connection, become, forks, interpreter, host_vars, vault), and nothing of it takes Ansible's inner interfaces.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import typing as t

from ansible import constants as C

Answers = dict[str, dict[str, t.Any]]

# What the command line says of how hosts are reached, and with what the inventory is read: the play needs it too.
_OPTIONS = {
    "remote_user": "--user",
    "connection": "--connection",
    "private_key_file": "--private-key",
    "ssh_common_args": "--ssh-common-args",
    "forks": "--forks",
    "extra_vars": "--extra-vars",
    "vault_ids": "--vault-id",
    "vault_password_files": "--vault-password-file",
}
# Nobody is there to be asked, or to look at the play. A callback of the user's would report a run that the user did not begin,
# and an empty list of callbacks is none that ansible-core takes.
_ENVIRONMENT = {
    "ANSIBLE_ASK_PASS": "false",
    "ANSIBLE_ASK_VAULT_PASS": "false",
    "ANSIBLE_BECOME_ASK_PASS": "false",
    "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.default",
    "ANSIBLE_FORCE_COLOR": "false",
    "ANSIBLE_NOCOLOR": "true",
    "ANSIBLE_STDOUT_CALLBACK": "default",
}
_COLLECTIONS = pathlib.Path(__file__).parents[5]
_LAST_LINES = 5


class AskError(Exception):
    """Nothing was asked: one sentence says why."""


def ask(hosts: t.Sequence[str], sources: t.Sequence[str], arguments: t.Mapping[str, t.Any]) -> Answers:
    """What netns_info returned on each host; of one that could not be asked, a result with ``msg`` that is ``failed`` or ``unreachable``.

    ``sources``: of the inventory; ``arguments``: of the command that reads it.
    """
    with tempfile.TemporaryDirectory(prefix="linuxnet-netns-", dir=C.DEFAULT_LOCAL_TMP) as folder:
        play, answers = pathlib.Path(folder, "play.json"), pathlib.Path(folder, "answers.json")
        play.write_text(json.dumps(_plays(hosts, str(answers))), encoding="utf-8")
        # without a source it would be the configured one; an empty one leaves the implicit localhost
        inventory = [word for source in sources or [os.devnull] for word in ("--inventory", source)]
        command = [sys.executable, "-m", "ansible.cli.playbook", *inventory, *_passed_on(arguments), str(play)]
        done = subprocess.run(command, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if not answers.exists():
            said = " ".join((done.stderr + done.stdout).strip().splitlines()[-_LAST_LINES:])
            raise AskError(f"the hosts could not be asked: ansible-playbook ended with exit code {done.returncode}: {said}")
        return t.cast(Answers, json.loads(answers.read_text(encoding="utf-8")))


def _plays(hosts: t.Sequence[str], answers: str) -> list[dict[str, t.Any]]:
    asking = {
        "name": "Ask for the namespaces of a host",
        "linuxnet.netns.netns_info": {"gather": []},
        "register": "__netns_answer",
        "ignore_errors": True,
        "ignore_unreachable": True,
    }
    writing = {
        "name": "Write down what the hosts said",
        "ansible.builtin.copy": {
            "content": "{{ dict(__netns_hosts | zip(__netns_hosts | map('extract', hostvars, '__netns_answer'))) | to_json }}",
            "dest": answers,
            "mode": "0600",
        },
    }
    # whatever the inventory says of localhost
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}
    return [
        {"name": "Ask", "hosts": [*hosts], "gather_facts": False, "become": True, "tasks": [asking]},
        {"name": "Write", "hosts": "localhost", "gather_facts": False, "vars": {**here, "__netns_hosts": [*hosts]}, "tasks": [writing]},
    ]


def _passed_on(arguments: t.Mapping[str, t.Any]) -> list[str]:
    words: list[str] = []
    for name, option in _OPTIONS.items():
        given = arguments.get(name)
        for value in given if isinstance(given, (list, tuple)) else [given]:
            words += [option, str(value)] if value else []
    return words


def _environment() -> dict[str, str]:
    # this very collection, wherever it was found
    places = [str(_COLLECTIONS), *C.COLLECTIONS_PATHS]
    return {**os.environ, **_ENVIRONMENT, "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(dict.fromkeys(places))}
