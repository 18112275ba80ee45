# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role molecule_hosts with a real systemd: hosts that are reached over SSH, start services and reboot, and of which nothing is left."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import typing as t

import outside
import plays
import pytest
import systemd_host

PLACE = pathlib.Path("/run/molecule_hosts/molecule")
HOSTS = ("web", "db")
ASK = "import socket; print(socket.create_connection(('203.0.113.10', 7777), 3).recv(99).decode().strip())"
ENVIRONMENT = {"ANSIBLE_PIPELINING": "true", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_PYTHON_INTERPRETER": "auto_silent"}
UNIT = "[Service]\nExecStart=/usr/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"


def command(*words: str, check: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, **ENVIRONMENT})
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def play(playbook: pathlib.Path, *options: str, check: bool = True) -> str:
    return command("ansible-playbook", "-i", "localhost,", "-c", "local", str(playbook), *options, check=check)


def on(hosts: str, script: str) -> dict[str, list[str]]:
    """What a script says on hosts, over SSH as the role's inventory has it."""
    said = command("ansible", "-i", str(PLACE / "molecule_hosts.yml"), hosts, "-m", "ansible.builtin.shell", "-a", script)
    answers = re.findall(r"^(\w+) \| CHANGED \| rc=0 >>\n(.*?)\n(?=\w+ \| |\Z)", said, re.MULTILINE | re.DOTALL)
    return {name: lines.split("\n") for name, lines in answers}


def machine() -> list[str]:
    """What hosts could leave behind."""
    cgroups = "unshare --mount sh -c 'mount -t cgroup2 none /mnt && cd /mnt && find . -name linuxnet-molecule\\*'"
    network = "ip -json link; ip -json route; ip netns list; nft list ruleset"
    files = "ls -A /run/molecule_hosts /etc/netns /var/lib/linuxnet-netns 2> /dev/null; wc -l < /proc/self/mountinfo"
    return command("sh", "-c", f"{network}; {cgroups}; {files}; ps -e -o comm= | grep -c -e nspawn -e sshd", check=False).split("\n")


def first_process(name: str) -> int:
    return int(json.loads((PLACE / "started.json").read_text(encoding="utf-8"))[name][0])


@pytest.fixture(name="asked")
def fixture_asked(tree: pathlib.Path, tmp_path: pathlib.Path) -> t.Iterator[t.Callable[..., str]]:
    """Run the role for HOSTS with a systemd each; the machine it is run on has a way out, and afterwards all that it had before."""
    with outside.build(systemd_host.UPLINK):
        before = machine()
        variables = {"molecule_hosts_hosts": dict.fromkeys(HOSTS), "molecule_hosts_root": str(tree)}

        def asked(*options: str, check: bool = True, **more: t.Any) -> str:
            playbook = plays.roles(tmp_path, ("molecule_hosts", {**variables, **more}))
            playbook.write_text(playbook.read_text(encoding="utf-8").replace('"target"', '"localhost"'), encoding="utf-8")
            return play(playbook, *options, check=check)

        try:
            yield asked
        finally:
            asked(molecule_hosts_state="absent")
        assert machine() == before


def changed(said: str) -> int:
    return int(re.findall(r"^localhost +: .*changed=(\d+)", said, re.MULTILINE)[-1])


def test_hosts_with_systemd_come_and_go(asked: t.Callable[..., str], tree: pathlib.Path, tmp_path: pathlib.Path) -> None:
    stamp = tmp_path / "stamp"
    stamp.touch()
    assert changed(asked("--check")) == 3
    assert not PLACE.exists()
    assert [changed(asked()), changed(asked())] == [3, 0]

    said = on("all", f"cat /proc/1/comm; hostname; systemctl is-system-running --wait; getent hosts web; python3 -c {json.dumps(ASK)}")
    for name in HOSTS:
        # others look from outside: NAT has put the machine's address in the place of the host's
        assert said[name][:3] == ["systemd", name, "running"]
        assert said[name][3].split()[1] == "web"
        assert said[name][4] == "198.51.100.2"
    # a network of its own to do with as a role likes, and no other's files
    own = "sysctl -w net.ipv4.ip_forward=1; ip netns add red; nft add table ip mine; touch /etc/mine; ls /sys/class/net"
    assert on("web", own)["web"][1:] == ["eth0", "lo"]
    others = "cat /proc/sys/net/ipv4/ip_forward; ip netns list; nft list tables; test -e /etc/mine || echo none"
    assert on("db", others)["db"] == ["0", "none"]
    assert command("find", str(tree), "-xdev", "-newer", str(stamp)) == ""


def test_services_start_and_the_host_reboots(asked: t.Callable[..., str], tmp_path: pathlib.Path) -> None:
    asked()
    tasks = [
        {"ansible.builtin.copy": {"content": UNIT, "dest": "/etc/systemd/system/mine.service", "mode": "0644"}},
        {"ansible.builtin.service": {"name": "mine", "state": "started", "enabled": True}},
        # a role that manages sshd does not lock itself out
        {"ansible.builtin.service": {"name": "ssh", "state": "restarted"}},
        {"ansible.builtin.file": {"path": "/run/was-here", "state": "touch", "mode": "0600"}},
        {"ansible.builtin.reboot": {"reboot_timeout": 120}},
        {"ansible.builtin.command": "systemctl is-active mine", "changed_when": False},
        {"ansible.builtin.stat": {"path": "/run/was-here"}, "register": "found", "failed_when": "found.stat.exists"},
    ]
    playbook = plays.written(tmp_path, [{"hosts": "web", "gather_facts": True, "tasks": tasks}])
    process = first_process("web")
    command("ansible-playbook", "-i", str(PLACE / "molecule_hosts.yml"), str(playbook))
    assert first_process("web") == process
    assert changed(asked()) == 0

    # what has ended is started again, and only that; a host that is not listed any more ends
    others = first_process("db")
    command("ansible", "-i", str(PLACE / "molecule_hosts.yml"), "web", "-m", "ansible.builtin.raw", "-a", "systemctl poweroff", check=False)
    command("timeout", "60", "tail", "--follow", f"--pid={process}", "/dev/null")
    assert changed(asked()) == 1
    assert first_process("db") == others
    assert on("web", "test -e /etc/systemd/system/mine.service || echo new")["web"] == ["new"]
    asked(molecule_hosts_hosts={"db": None})
    assert (first_process("db"), (PLACE / "web").exists()) == (others, False)


def test_other_files_are_another_host(asked: t.Callable[..., str], tree: pathlib.Path) -> None:
    asked(molecule_hosts_hosts={"web": None})
    process = first_process("web")
    # with a slash at its end it is the same
    assert changed(asked(molecule_hosts_hosts={"web": None}, molecule_hosts_root=f"{tree}/")) == 0
    assert first_process("web") == process


def test_what_is_missing_is_said_before_anything_is_made(asked: t.Callable[..., str], tree: pathlib.Path, tmp_path: pathlib.Path) -> None:
    said = " ".join(asked(molecule_hosts_root="/nowhere", check=False).split())
    assert "molecule_hosts_root: /nowhere has no usr/lib/systemd/systemd: give the root of a system that has systemd" in said
    bare = tmp_path / "bare" / "usr" / "lib" / "systemd"
    bare.mkdir(parents=True)
    (bare / "systemd").touch()
    said = " ".join(asked(molecule_hosts_root=str(tmp_path / "bare"), check=False).split())
    assert f"molecule_hosts_root: {tmp_path}/bare has no service of a sshd: install openssh-server in it" in said
    assert command("ip", "netns", "list") == ""

    wanted = {"folder": str(PLACE), "root": str(tree), "hosts": [{"name": "web", "netns": "web", "addresses": ["192.0.2.1"]}]}
    program = [sys.executable, "-B", str(plays.ROOT / "roles/molecule_hosts/files/hosts.py")]
    done = subprocess.run(program, input=json.dumps(wanted), capture_output=True, text=True, check=False, env={"PATH": "/nowhere"})
    said = "molecule_hosts_root: there is no systemd-nspawn on this machine: install systemd-container\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


@pytest.mark.parametrize("shown", ["roles/molecule_hosts/README.md", "docs/docsite/rst/testing_roles_guide.rst"])
def test_the_examples_do_what_they_say(asked: t.Callable[..., str], tree: pathlib.Path, tmp_path: pathlib.Path, shown: str) -> None:
    """The ones with molecule_hosts_root; their tree is somewhere else."""
    text = (plays.ROOT / shown).read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^```yaml\n|^\.\. code-block:: yaml\n\n)((?:^(?!```)(?: .*|- .*|)\n)+)", text, re.MULTILINE)
    (block,) = [block for block in blocks if "molecule_hosts_root:" in block]
    playbook = tmp_path / "shown.yml"
    playbook.write_text(re.sub(r"molecule_hosts_root: .*", f"molecule_hosts_root: {tree}", block), encoding="utf-8")
    play(playbook)
    assert {lines[0] for lines in on("test_resources", "cat /proc/1/comm").values()} == {"systemd"}
