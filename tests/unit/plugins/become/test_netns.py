# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command that the become plugin makes: taken apart by a real shell, with programs in the place of ip, sudo and others that tell
what they were given. That the real ones do the rest, the target become_netns shows."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleError
from ansible.plugins import become
from ansible.plugins.loader import shell_loader

from ansible_collections.linuxnet.netns.plugins.become import netns

NAMES = ["blue", "-x", "with space", "quo'te", 'quo"te', "dol$HOME", "back`tick`", "back\\slash", "ünï", "semi;colon", "*", "new\nline"]
COMMAND = "echo 'a b' \"c\" $HOME; exit 3"

# Writes what it was called with into a log, and runs what comes after the words that are its own.
PROGRAM = """\
#!/bin/sh
printf '%s\\0' {name} "$@" >> {log}
printf '\\1' >> {log}
shift {own}
{run}
"""
# How many words of each are its own, as the plugin calls them.
OWN = {"ip": 3, "sudo": 3, "setpriv": 3, "id": 0, "getent": 0}
ANSWERS = {
    "id": 'case $1 in -u) echo "$TEST_UID";; -nu) echo worker;; *) echo 1502;; esac',
    "getent": "echo worker:x:1502:1502::/home/worker:/bin/sh",
}


def plugin(**options):
    """As Ansible loads it, with these options in the place of variables."""
    made = netns.BecomeModule()
    made._load_name = made.name
    constants.config.initialize_plugin_configuration_definitions("become", made.name, yaml.safe_load(netns.DOCUMENTATION)["options"])
    made.set_options(direct=options)
    return made


def built(made, command=COMMAND):
    shell = shell_loader.get("sh")
    shell.executable = "/bin/sh"
    return made.build_become_command(command, shell)


@pytest.fixture(name="run")
def fixture_run(tmp_path):
    """Run a command as /bin/sh of a login with this number; its output, its exit code and what was called."""

    def run(made, uid="0", own=None, there=True):
        log = tmp_path / "log"
        log.write_text("", encoding="utf-8")
        for name, count in {**OWN, **(own or {})}.items():
            answer = ANSWERS.get(name, 'exec "$@"')
            (tmp_path / name).write_text(PROGRAM.format(name=name, log=log, own=count, run=answer), encoding="utf-8")
            (tmp_path / name).chmod(0o755)
        command = built(made)
        if there:
            # the one thing that is not looked for by PATH
            command = command.replace("/run/netns/$netns", "/")
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": "/login", "TEST_UID": uid}
        done = subprocess.run(["/bin/sh", "-c", command], input="in", capture_output=True, text=True, env=environment, check=False)
        return done, [call.split("\0")[:-1] for call in log.read_text(encoding="utf-8").split("\1")[:-1]]

    return run


@pytest.mark.parametrize("name", NAMES)
def test_a_name_arrives_as_it_is(run, name):
    made = plugin(netns_name=name)
    done, calls = run(made)
    assert (done.returncode, done.stdout, done.stderr) == (3, f"{made.success}\na b c /login\n", "")
    assert [call[1:4] for call in calls if call[0] == "ip"] == [["netns", "exec", name]] * 2


def test_root_takes_no_sudo(run):
    _done, calls = run(plugin(netns_name="blue", become_pass="secret"))
    assert [call[0] for call in calls] == ["id", "ip", "ip"]


def test_another_login_takes_sudo(run):
    made = plugin(netns_name="blue")
    done, calls = run(made, uid="1500")
    assert done.stdout.startswith(made.success)
    assert calls[1][:4] == ["sudo", "-H", "-S", "-n"]
    assert [call[0] for call in calls] == ["id", "sudo", "ip", "ip"]


def test_with_a_password_sudo_is_let_ask(run):
    made = plugin(netns_name="blue", become_pass="secret", become_flags="-HSn --non-interactive --preserve-env=A -g 'a  b'")
    done, calls = run(made, uid="1500", own={"sudo": 6})
    assert done.stdout.startswith(made.success)
    assert calls[1][:7] == ["sudo", "-HS", "--preserve-env=A", "-g", "a  b", "-p", made.prompt]
    assert made.expect_prompt()
    assert made.check_password_prompt(made.prompt.encode())
    assert "secret" not in json.dumps(calls)


def test_no_password_no_prompt():
    made = plugin(netns_name="blue")
    built(made)
    assert not made.expect_prompt()


@pytest.mark.parametrize("flags", ["", "-n", "-H -n"])
def test_flags_may_be_few(run, flags):
    made = plugin(netns_name="blue", become_flags=flags, become_pass="secret", become_exe="sudo")
    _done, calls = run(made, uid="1500", own={"sudo": 2 + (flags == "-H -n")})
    assert calls[1][: 3 + (flags == "-H -n")] == ["sudo", *(["-H"] if flags == "-H -n" else []), "-p", made.prompt]


def test_another_user_inside(run):
    made = plugin(netns_name="blue", netns_user="worker")
    done, calls = run(made)
    assert done.stdout.splitlines()[1] == "a b c /home/worker"
    assert calls[-1][:4] == ["setpriv", "--reuid=worker", "--regid=1502", "--init-groups"]
    assert [call[0] for call in calls] == ["id", "ip", "id", "id", "getent", "ip", "setpriv"]


def test_a_missing_namespace_fails_the_task_with_its_sentence(run):
    made = plugin(netns_name='no"pe\\\n')
    done, calls = run(made, there=False)
    assert done.returncode == 1
    sign, result = done.stdout.splitlines()
    said = "this host has no network namespace 'no'pe/ ': make it, or correct ansible_netns_name"
    with pytest.raises(AnsibleError, match=f"^{re.escape(said)}$"):
        made.check_success(sign.encode())
    # as it comes, by and by, with a terminal's line end; and in a connection that asks as others do
    assert not any(made.check_success(sign[:length].encode()) for length in range(len(sign)))
    with pytest.raises(AnsibleError, match="no network namespace"):
        made.check_success(f"a lecture\r\n{sign}\r\n".encode())
    assert become.BecomeBase.check_success(made, sign.encode())
    assert json.loads(result) == {"failed": True, "msg": said}
    assert done.stderr == said + "\n"
    assert [call[0] for call in calls] == ["id"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/run/netns/blue", "zero\0byte", "n" * 256])
def test_a_path_is_refused(name):
    with pytest.raises(AnsibleError, match="^ansible_netns_name: "):
        built(plugin(netns_name=name))


def test_without_a_name():
    with pytest.raises(AnsibleError, match="^ansible_netns_name is not set: name the namespace to run in$"):
        plugin()


def test_what_others_print_is_no_failure():
    made = plugin(netns_name="blue")
    built(made)
    assert made.check_success(f"{made.success}\n".encode())
    assert not made.check_success(b"NETNS-FAILED of somebody BECOME-SUCCESS-another\n")


def test_nothing_to_run():
    assert built(plugin(netns_name="blue"), "") == ""


@pytest.mark.parametrize("user", ["root", "worker"])
def test_a_login_of_that_name_does_not_skip_becoming(user):
    """As ansible.plugins.action does it: != decides whether to become, `in` whose the files are."""
    found = plugin(netns_name="blue", netns_user=user).get_option("become_user")
    assert found != user
    assert found in [user]
    assert str(found) == user


def test_the_command_is_one_line():
    """A csh as login shell takes no line end between quotes."""
    assert "\n" not in built(plugin(netns_name="blue"))
