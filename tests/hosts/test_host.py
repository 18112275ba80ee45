# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts themselves: they are what the other tests take them for."""

from __future__ import annotations

import pathlib

import pytest
import root_trees
import systemd_host

ASK = "import socket; print(socket.create_connection(('203.0.113.10', 7777), 3).recv(99).decode().strip())"


def test_a_host_is_a_system_of_its_own(host: systemd_host.Host) -> None:
    assert host.shell("systemctl is-system-running") == "running\n"
    assert host.shell("cat /proc/1/comm; hostname") == "systemd\nh1\n"
    assert host.run("python3", "-c", ASK).stdout == "198.51.100.2\n"
    # nobody's rules, nobody's services
    assert host.shell("nft list ruleset") == ""
    for service in root_trees.SERVICES:
        assert host.run("systemctl", "is-active", service, check=False).stdout == "inactive\n", service


def test_a_reboot_is_one(host: systemd_host.Host) -> None:
    boot = "cat /run/systemd/was-here /etc/stays; nft list tables; ip netns list"
    host.write("/etc/stays", "stays\n")
    host.shell("touch /run/systemd/was-here; nft add table ip one; ip netns add red")
    assert host.shell(boot) == "stays\ntable ip one\nred\n"
    host.reboot()
    assert host.shell(boot, check=False) == "stays\n"
    assert host.run("python3", "-c", ASK).stdout == "198.51.100.2\n"


def test_two_hosts_know_nothing_of_each_other(host: systemd_host.Host, tree: pathlib.Path) -> None:
    with systemd_host.up(tree, "h2") as other:
        other.write("/etc/mine", "two")
        other.shell("ip link add br-two type bridge")
        assert host.shell("ls /etc/mine || ip link show br-two || hostname") == "h1\n"
        assert other.run("python3", "-c", ASK).stdout == "198.51.100.2\n"


def test_ansible_reaches_it(host: systemd_host.Host, tmp_path: pathlib.Path) -> None:
    playbook = tmp_path / "play.yml"
    playbook.write_text(
        "- hosts: target\n  gather_facts: false\n  tasks:\n    - linuxnet.netns.netns: {name: red}\n"
        "    - linuxnet.netns.netns: {name: red}\n      register: again\n      failed_when: again is changed\n",
        encoding="utf-8",
    )
    host.play(playbook)
    assert host.shell("ip netns list") == "red\n"


def test_a_failure_says_what_the_command_said(host: systemd_host.Host) -> None:
    with pytest.raises(systemd_host.HostError, match=r"h1: ls /nowhere ended with 2:\n.*No such file"):
        host.run("ls", "/nowhere")


def test_a_tree_is_made_anew_for_other_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    before = root_trees.cached("12")
    assert before != root_trees.cached("13")
    monkeypatch.setattr(root_trees, "PACKAGES", (*root_trees.PACKAGES, "one-more"))
    assert root_trees.cached("12") != before


def test_nobody_but_root_gets_a_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(root_trees.NoTreeError, match="only root"):
        root_trees.get("12")
