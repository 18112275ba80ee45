# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network behind NAT beside other people's firewalls, each as the service that it is."""

from __future__ import annotations

import json
import pathlib
import re

import pytest
import systemd_host
from lab import NOTHING, THROUGH, Lab

DOCKER, UFW, FIREWALLD = (
    "systemctl start docker",
    "ufw --force enable",
    "systemctl start firewalld; until firewall-cmd -q --state; do sleep 0.1; done",
)
FORWARDING = "sysctl -qw net.ipv4.ip_forward=1"
IN_DOCKER = "lab in chain DOCKER-USER of table ip filter"
IN_UFW = ["lab in chain ufw-user-forward of table ip filter", "lab in chain ufw6-user-forward of table ip6 filter"]
# How it is started, what goes through without anything of ours in it, and where something of ours comes.
FIREWALLS = {
    "docker": (DOCKER, {**THROUGH, "out4": None, "near4": None, "own4": None, "in4": None}, [IN_DOCKER]),
    # it found a router and left it one
    "docker-on-a-router": (f"{FORWARDING}; {DOCKER}", THROUGH, []),
    "ufw": (UFW, NOTHING, IN_UFW),
    "ufw-that-rejects": (f"sed -i s/FORWARD_POLICY=.*/FORWARD_POLICY=REJECT/ /etc/default/ufw; {UFW}", NOTHING, IN_UFW),
    "docker-and-ufw": (f"{DOCKER}; {UFW}", NOTHING, [IN_DOCKER, IN_UFW[1]]),
    "ufw-and-docker": (f"{UFW}; {DOCKER}", NOTHING, [IN_DOCKER, IN_UFW[1]]),
    # it lets in what somebody has translated
    "firewalld": (FIREWALLD, {**THROUGH, **dict.fromkeys(("out4", "out6", "near4", "near6"))}, ["lab in zone trusted of firewalld"]),
}
TABLE = """
table inet filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    tcp dport 25 drop
  }
}
"""
IN_TABLE = "lab in chain forward of table inet filter"


@pytest.fixture
def network(host: systemd_host.Host) -> Lab:
    return Lab(host)


def rules(host: systemd_host.Host) -> str:
    """Everybody's rules, less what is counted; firewalld makes chains for a zone when it first needs them, and keeps them."""
    told = host.shell("nft -s list ruleset; for ip in ip ip6; do ${ip}tables-legacy-save; done")
    told = re.sub(r"\[\d+:\d+\]|^#.*$|counter packets \d+ bytes \d+", "", told, flags=re.MULTILINE)
    return "\n".join(line for line in re.sub(r"\tchain \w+_trusted\w* \{[^}]*\}\n\n?", "", told).splitlines() if line.strip())


# The rules that stand for these programs where there is no systemd, each with what lists them here.
SHORT_FORM = pathlib.Path(__file__).parents[1] / "integration" / "targets" / "netns_nat_shared" / "files"
SAVED = {
    "docker.ipv4": (DOCKER, "iptables-save -t filter"),
    "ufw.ipv4": (UFW, "iptables-save -t filter"),
    "ufw.ipv6": (UFW, "ip6tables-save -t filter"),
}


def lines(told: str) -> list[str]:
    """Chains and rules, without what is counted."""
    return sorted(re.sub(r"\[\d+:\d+\]", "", line).strip() for line in told.splitlines() if line[:1] in (":", "-"))


def chains(told: str) -> dict[str, list[str]]:
    """By name, the rules of a table as nft lists it."""
    found = re.findall(r"^\tchain (\S+) \{\n(.*?)^\t\}$", told, re.MULTILINE | re.DOTALL)
    return {name: [line.strip() for line in body.splitlines()] for name, body in found}


def test_the_short_form_has_the_rules_of_the_real_ones(host: systemd_host.Host) -> None:
    release = host.shell("cat /etc/debian_version").partition(".")[0]
    for name, (start, save) in SAVED.items():
        host.shell(start)
        told = lines(host.shell(save))
        host.shell("ufw --force disable; systemctl stop docker.service docker.socket; nft flush ruleset")
        if release == "12":  # as which they were saved
            assert told == lines((SHORT_FORM / name).read_text(encoding="utf-8")), name
    host.shell(FIREWALLD)
    has = chains(host.shell("nft -s list table inet firewalld"))
    wanted = chains((SHORT_FORM / f"firewalld-{release}.nft").read_text(encoding="utf-8"))
    assert {name: has.get(name) for name in wanted} == wanted
    assert wanted


@pytest.mark.parametrize("name", FIREWALLS)
def test_the_firewall_was_first(host: systemd_host.Host, network: Lab, name: str) -> None:
    start, without, places = FIREWALLS[name]
    host.shell(start)
    before = rules(host)
    assert network.run(foreign_drop="ignore").accepts() == []
    assert network.traffic() == without
    planned = network.run(check_mode=True)
    told = network.run()
    assert told.accepts() == [f"create {place}" for place in places], told
    assert planned.changes == told.changes
    assert network.traffic() == THROUGH
    assert network.run().changes == []
    gone = network.run(state="absent")
    assert gone.accepts() == [f"delete {place}" for place in places], gone
    assert rules(host) == before


@pytest.mark.parametrize("name", [name for name in FIREWALLS if name not in ("ufw-that-rejects", "ufw-and-docker")])
def test_the_network_was_first(host: systemd_host.Host, network: Lab, name: str) -> None:
    start, without, places = FIREWALLS[name]
    assert network.run().accepts() == []
    assert network.traffic() == THROUGH
    host.shell(start)
    assert network.traffic() == without
    told = network.run()
    assert told.accepts() == [f"create {place}" for place in places], told
    assert network.traffic() == THROUGH
    assert network.run().changes == []
    network.run(state="absent")
    assert "br-lab" not in rules(host)


@pytest.mark.parametrize("again", ["ufw reload", "systemctl restart docker", "firewall-cmd --reload", "nft flush ruleset"])
def test_what_was_taken_away_comes_back(host: systemd_host.Host, network: Lab, again: str) -> None:
    host.shell(FIREWALLD if "firewall-cmd" in again else f"{DOCKER}; {UFW}")
    network.run()
    host.shell(again)
    network.run()
    assert network.traffic() == THROUGH
    assert network.run().changes == []


def test_a_chain_of_somebody_is_asked_for_first(host: systemd_host.Host, network: Lab) -> None:
    host.write("/etc/nftables.conf", f"flush ruleset\n{TABLE}")
    host.run("systemctl", "start", "nftables")
    before = rules(host)
    told = network.run()
    assert told.msg == (
        "nat lab: foreign_drop: packets from br-lab to uplink0 would be dropped in chain forward of table inet filter by its policy "
        "on the host: "
        "accept them there, or set foreign_drop: accept to have this network accepted at the top of chain forward of table inet filter, "
        "or foreign_drop: ignore to leave it so"
    )
    assert told.changes == []
    assert rules(host) == before
    assert network.run("ignore").accepts() == []
    assert network.traffic() == NOTHING
    assert network.run("accept").accepts() == [f"create {IN_TABLE}"]
    assert network.traffic() == THROUGH
    # what was agreed to stays, also where it is not said again
    assert network.run("accept").changes == network.run("fail").changes == []
    host.run("systemctl", "restart", "nftables")
    assert network.run("accept").accepts() == [f"create {IN_TABLE}"]
    assert network.traffic() == THROUGH
    assert network.run("ignore").accepts() == [f"delete {IN_TABLE}"]
    network.run("accept")
    assert network.run(state="absent").accepts() == [f"delete {IN_TABLE}"]
    assert rules(host) == before


def test_frames_of_a_bridge_have_chains_too(host: systemd_host.Host, network: Lab) -> None:
    host.shell("nft add table bridge b; nft add chain bridge b f '{ type filter hook forward priority 0; policy drop; }'")
    assert "from port to port of br-lab would be dropped in chain f of table bridge b" in str(network.run().msg)
    if host.run("nft", "add rule bridge b f meta ibrname br-lab counter", check=False).returncode != 0:
        pytest.skip("this kernel does not tell nft the name of a frame's bridge (nft_meta_bridge)")
    assert network.run("accept").accepts() == ["create lab in chain f of table bridge b"]
    assert network.traffic() == THROUGH


def test_rules_of_the_old_kind(host: systemd_host.Host, network: Lab) -> None:
    host.shell("iptables-legacy -P FORWARD DROP; ip6tables-legacy -A FORWARD -i lo -j ACCEPT; ip6tables-legacy -A FORWARD -j REJECT")
    before = rules(host)
    assert "chain FORWARD of table ip filter (iptables-legacy) by its policy" in str(network.run().msg)
    assert network.run("ignore").accepts() == []
    assert network.traffic() == NOTHING
    told = network.run("accept")
    places = [f"lab in chain FORWARD of table {table}" for table in ("ip filter (iptables-legacy)", "ip6 filter (ip6tables-legacy)")]
    assert told.accepts() == [f"create {place}" for place in places], told
    assert network.traffic() == THROUGH
    assert network.run("accept").changes == []
    network.run(state="absent")
    assert rules(host) == before


def test_a_drop_of_the_user_is_not_overruled(host: systemd_host.Host, network: Lab) -> None:
    host.shell(f"{DOCKER}; iptables -I DOCKER-USER -i br-lab -d 203.0.113.0/24 -j DROP")
    # one that concerns some of the traffic stays before ours
    assert network.run().accepts() == [f"create {IN_DOCKER}"]
    assert network.traffic() == {**THROUGH, "out4": None, "in4": None}
    network.run(state="absent")
    host.shell("iptables -I DOCKER-USER -i br-lab -j DROP")
    told = network.run()
    assert "dropped in chain DOCKER-USER of table ip filter by its rule '-A DOCKER-USER -i br-lab -j DROP'" in str(told.msg)
    assert told.changes == []


def test_a_zone_of_the_user_is_not_changed(host: systemd_host.Host, network: Lab) -> None:
    host.shell(f"{FIREWALLD}; firewall-cmd --zone=internal --add-interface=br-lab")
    told = network.run()
    assert "put br-lab into another zone than internal" in str(told.msg)
    assert told.changes == []
    host.shell("firewall-cmd -q --permanent --zone=trusted --add-interface=br-lab; firewall-cmd -q --reload")
    assert network.run().accepts() == []
    assert network.traffic() == THROUGH
    network.run(state="absent")
    assert host.shell("firewall-cmd --get-zone-of-interface=br-lab") == "trusted\n"


def test_a_run_that_fails_takes_its_accepts_back(host: systemd_host.Host, network: Lab) -> None:
    host.shell(f"{DOCKER}; {UFW}")
    before = rules(host)
    told = network.run(broken=True)
    assert told.accepts() == [f"create {IN_DOCKER}", f"create {IN_UFW[1]}"]
    assert told.rolled_back is True, told.msg
    assert rules(host) == before


def test_a_chain_that_drops_only_what_comes_in(host: systemd_host.Host, network: Lab) -> None:
    chain = "type filter hook forward priority 0; policy drop; ct state established,related accept; iifname br-lab accept;"
    host.shell(f"nft 'table inet mine {{ chain forward {{ {chain} }}; }}'")
    before = rules(host)
    assert "packets from uplink0 to published tcp port 8080 would be dropped in chain forward of table inet mine" in str(network.run().msg)
    assert network.run("ignore").accepts() == []
    assert network.traffic() == {**THROUGH, "in4": None, "in6": None}
    assert network.run("accept").accepts() == ["create lab in chain forward of table inet mine"]
    assert network.traffic() == THROUGH
    network.run(state="absent")
    assert rules(host) == before


# In the place of the program that makes the change: it ends the one who has called it.
KILLER = """#!/bin/sh
if [ -e /run/before ]; then rm /run/before; kill -KILL $PPID; exit; fi
/usr/sbin/xtables-nft-multi iptables-nft-restore "$@"
if [ -e /run/after ]; then rm /run/after; kill -KILL $PPID; fi
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_is_killed_at_a_change_of_others_rules(host: systemd_host.Host, network: Lab, when: str) -> None:
    host.shell(f"{DOCKER}; {UFW}; rm /usr/sbin/iptables-nft-restore")
    host.write("/usr/sbin/iptables-nft-restore", KILLER, 0o755)
    before = rules(host)
    for state in ("present", "absent"):
        host.shell(f"touch /run/{when}")
        with pytest.raises(systemd_host.HostError, match="engine_run.py ended with -9"):
            network.run()
        host.shell(f"test ! -e /run/{when}")
        # the next run, whatever it wants, knows of it
        assert network.run(state=state).msg is None
        if state == "present":
            assert network.traffic() == THROUGH
            assert network.run().changes == []
            network.run(state="absent")
        assert rules(host) == before
        assert host.shell("ip netns list") == ""


def test_what_is_told_of_a_host_can_be_given_back(host: systemd_host.Host, network: Lab, tmp_path: pathlib.Path) -> None:
    host.shell(f"{DOCKER}; {UFW}")
    host.write("/etc/nftables.conf", TABLE)
    host.shell("nft -f /etc/nftables.conf")
    assert len(network.run("accept").accepts()) == 3
    before = rules(host)
    told = {"linuxnet.netns.netns_info": {"netns": ["/proc/self/ns/net", "red", "blue"]}, "register": "told"}
    wish = {"linuxnet.netns.netns_topology": "{{ told.topology | combine({'name': 'again'}) }}", "check_mode": True, "register": "again"}
    checked = {"ansible.builtin.assert": {"that": ["told.topology.nat | length == 1", "again is not changed", "again.changes == []"]}}
    play = {"hosts": "target", "gather_facts": False, "tasks": [told, wish, checked]}
    (tmp_path / "play.json").write_text(json.dumps([play]), encoding="utf-8")
    host.play(tmp_path / "play.json")
    assert rules(host) == before


def test_the_whole_way_by_the_role(host: systemd_host.Host, network: Lab, tmp_path: pathlib.Path) -> None:
    """On the host with the most of it: the role, a second run that changes nothing, and the removal."""
    host.shell(f"{DOCKER}; {UFW}")
    before = rules(host)
    role = {"role": "linuxnet.netns.nat_network", "nat_network_name": "web", "nat_network_namespaces": ["red", "blue"]}
    for state, changed in (("present", True), ("present", False), ("absent", True)):
        play = {"hosts": "target", "gather_facts": False, "roles": [{**role, "nat_network_state": state}]}
        (tmp_path / "play.json").write_text(json.dumps([play]), encoding="utf-8")
        told = host.play(tmp_path / "play.json")
        assert (re.search(r"changed=[1-9]", told.stdout) is not None) == changed, told.stdout
        if state == "present":
            assert network.traffic(("out4", "out6")) == {way: THROUGH[way] for way in ("out4", "out6")}
    assert rules(host) == before
