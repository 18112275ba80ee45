# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks that come back by themselves: after a reboot, and after others have done what they do to a host's rules."""

from __future__ import annotations

import json
import pathlib
import time
import typing as t

import outside
import plays
import pytest
import systemd_host

ASK = f"import socket; print(socket.create_connection(('{outside.SERVER}', {outside.TCP_PORT}), 2).recv(99).decode().strip())"
SECONDS = 20
NETWORK = {"nat_network_name": "lab", "nat_network_namespaces": ["web", "db"], "nat_network_persist": True}


def out(host: systemd_host.Host, netns: str = "web") -> str:
    """The address by which a namespace is seen outside; empty where it has no way."""
    return host.run("ip", "netns", "exec", netns, "python3", "-c", ASK, check=False).stdout.strip()


def out_again(host: systemd_host.Host, after: str) -> None:
    began = time.monotonic()
    while out(host) != outside.ADDRESS:
        if time.monotonic() - began > SECONDS:
            log = host.shell("journalctl --no-pager -u linuxnet-netns; nft list ruleset; iptables-save; ip route", check=False)
            pytest.fail(f"after {after}: no way out within {SECONDS} seconds\n{log[-6000:]}")
        time.sleep(0.1)
    print(f"after {after}: out again in {time.monotonic() - began:.1f} s")


def addresses(host: systemd_host.Host) -> list[t.Any]:
    told = [json.loads(host.shell(f"ip -json -netns {netns} address show dev eth0")) for netns in ("web", "db")]
    return [[each["local"] for each in entry[0]["addr_info"] if each["scope"] == "global"] for entry in told]


def three_steps(host: systemd_host.Host, playbook: pathlib.Path, expected: int) -> None:
    """Check mode says what a run then does, and the second run has nothing to do."""
    for options, wanted in ((["--check"], expected), ([], expected), ([], 0)):
        done = host.play(playbook, *options)
        assert plays.changed(done.stdout) == wanted, done.stdout


def test_a_network_comes_back_after_a_reboot(host: systemd_host.Host, tmp_path: pathlib.Path) -> None:
    # the topology, the engine, the unit and its start
    three_steps(host, plays.roles(tmp_path, ("nat_network", NETWORK)), 4)
    assert host.shell("systemctl is-enabled linuxnet-netns; systemctl is-active linuxnet-netns") == "enabled\nactive\n"
    had = addresses(host)
    host.reboot()
    # nobody waited for anything but for the host to be up
    assert [out(host, netns) for netns in ("web", "db")] == [outside.ADDRESS] * 2
    assert addresses(host) == had
    assert host.shell("systemctl is-system-running") == "running\n"
    assert plays.changed(host.play(plays.roles(tmp_path, ("nat_network", NETWORK))).stdout) == 0
    # the topology, the service's stop, and what is removed
    three_steps(host, plays.roles(tmp_path, ("nat_network", {**NETWORK, "nat_network_persist": False})), 3)
    assert host.shell("ls -d /var/lib/linuxnet-netns /etc/systemd/system/linuxnet* || systemctl is-active linuxnet-netns", check=False) == (
        "inactive\n"
    )
    assert out(host) == outside.ADDRESS
    host.reboot()
    assert host.shell("ip netns list; ip link show type bridge; nft list ruleset") == ""


def test_the_last_network_takes_the_service_with_it(host: systemd_host.Host, tmp_path: pathlib.Path) -> None:
    second = {
        "nat_network_name": "two",
        "nat_network_namespaces": ["mail"],
        "nat_network_subnets": ["10.78.0.0/24"],
        "nat_network_persist": True,
    }
    host.play(plays.roles(tmp_path, ("nat_network", NETWORK), ("nat_network", second)))
    three_steps(host, plays.roles(tmp_path, ("nat_network", {"nat_network_name": "lab", "nat_network_state": "absent"})), 1)
    host.shell("nft flush ruleset")
    began = time.monotonic()
    while out(host, "mail") != outside.ADDRESS:
        assert time.monotonic() - began < SECONDS
    three_steps(host, plays.roles(tmp_path, ("nat_network", {"nat_network_name": "two", "nat_network_state": "absent"})), 3)
    assert host.shell("ip netns list; nft list ruleset; ls -d /var/lib/linuxnet-netns", check=False) == ""


# How each of them starts. None lets the network out by itself: what does is ours, and it is put back with the rest.
STARTED = {
    "nftables": "printf 'flush ruleset\\ntable inet mine { }\\n' >/etc/nftables.conf; systemctl start nftables",
    "ufw": "ufw allow 22/tcp; ufw --force enable; systemctl start ufw",
    "firewalld": "systemctl start firewalld; until firewall-cmd -q --state; do sleep 0.1; done",
    "docker": "systemctl start docker",
}
# What takes away what the network needs, each from all of these programs at once.
FLUSHED = "nft flush ruleset"
DONE = {
    "nftables": ("systemctl restart nftables", "systemctl reload nftables", FLUSHED),
    "ufw": ("ufw reload", f"{FLUSHED}; ufw reload", f"ufw disable; {FLUSHED}; ufw --force enable"),
    "firewalld": ("firewall-cmd --reload", "firewall-cmd --complete-reload", f"{FLUSHED}; systemctl restart firewalld"),
    "docker": ("systemctl restart docker", f"{FLUSHED}; systemctl restart docker"),
}


@pytest.mark.parametrize("program", list(DONE))
def test_what_others_do_to_the_rules_is_made_good(host: systemd_host.Host, tmp_path: pathlib.Path, program: str) -> None:
    host.shell(STARTED[program])
    host.play(plays.roles(tmp_path, ("nat_network", NETWORK)))
    out_again(host, "the playbook")
    before = host.shell("nft list table inet linuxnet_lab")
    for command in DONE[program]:
        host.shell(command)
        out_again(host, command)
        now = host.shell("nft list table inet linuxnet_lab")
        assert [line for line in now.splitlines() if "counter" not in line] == [
            line for line in before.splitlines() if "counter" not in line
        ]
    # and then it is quiet: nobody's changes are answered for ever
    time.sleep(3)
    asleep = "cat /proc/$(systemctl show -P MainPID linuxnet-netns)/status | grep ctxt"
    assert host.shell(asleep) == (time.sleep(2) or host.shell(asleep))


def test_a_killed_watch_and_a_task_at_the_same_time(host: systemd_host.Host, tmp_path: pathlib.Path) -> None:
    playbook = plays.roles(tmp_path, ("nat_network", NETWORK))
    host.play(playbook)
    host.shell("systemctl kill --signal=KILL linuxnet-netns; nft flush ruleset")
    out_again(host, "kill -9 of the service")
    # somebody flushes without end while a playbook adds a namespace: it is there afterwards, and in what is saved
    host.shell("systemd-run -q --unit=flusher sh -c 'while true; do nft flush ruleset; sleep 0.7; done'")
    larger = plays.roles(tmp_path, ("nat_network", {**NETWORK, "nat_network_namespaces": ["web", "db", "new"]}))
    host.play(larger, check=False)  # a flush that hits its verification is a failure, and right
    host.shell("systemctl stop flusher")
    host.play(larger)
    out_again(host, "a time of flushes")
    assert out(host, "new") == outside.ADDRESS
    assert '"new"' in host.shell("cat /var/lib/linuxnet-netns/nat_network.lab.json")


def test_a_bridged_network_comes_back(host: systemd_host.Host, tmp_path: pathlib.Path) -> None:
    namespaces = [{"name": "door", "addresses": ["198.51.100.50/24"]}]
    network = {"bridged_network_name": "lan", "bridged_network_uplink": "uplink0", "bridged_network_namespaces": namespaces}
    playbook = plays.roles(tmp_path, ("bridged_network", {**network, "bridged_network_persist": True}))
    three_steps(host, playbook, 4)
    assert out(host, "door") == "198.51.100.50"
    host.reboot()
    assert out(host, "door") == "198.51.100.50"
    assert host.run("python3", "-c", ASK).stdout.strip() == outside.ADDRESS
    assert plays.changed(host.play(playbook).stdout) == 0
    three_steps(host, plays.roles(tmp_path, ("bridged_network", {"bridged_network_name": "lan", "bridged_network_state": "absent"})), 3)


def test_the_examples_do_what_they_say(host: systemd_host.Host, tmp_path: pathlib.Path) -> None:
    build, alone, remove = plays.shown(tmp_path, "roles/persist/README.md")
    host.play(build)
    host.reboot()
    assert out(host) == outside.ADDRESS
    assert "shop: is as saved" in host.shell("systemctl reload linuxnet-netns; journalctl --no-pager -u linuxnet-netns")
    assert plays.changed(host.play(alone).stdout) == 0
    host.play(remove)
    assert host.shell("test ! -e /var/lib/linuxnet-netns; ls /run/netns") == "web\n"
