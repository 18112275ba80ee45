# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import pathlib
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import codec, foreign, foreign_host, foreign_iptables, nftables
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.changes import Change
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import StateError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.foreign import Network, Way
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_foreign import ForeignAccept
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_nat import Nat, Publish
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.values import HOST

from .conftest import run

Sandbox = t.Callable[[t.Callable[[], None]], None]

# As the programs themselves have made them.
RULESETS = pathlib.Path(__file__).parents[4] / "integration" / "targets" / "netns_nat_shared" / "files"
V4 = Way(4, ("10.50.0.0/24",), "br-lab", "up0", bridge=True, shown=True)
V6 = Way(6, ("fd50::/64",), "br-lab", "up0", bridge=True, shown=True)
NETWORK = Network(HOST, "lab", "br-lab", (V4, V6))
FROM_LAB = {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "br-lab"}}
COMMENT = '-m comment --comment "linuxnet.netns: network lab" -j ACCEPT'


def made(name: str) -> str:
    return (RULESETS / name).read_text(encoding="utf-8")


def table(policy: str = "drop", rules: t.Sequence[t.Any] = (), family: str = "inet", name: str = "filter") -> list[dict[str, t.Any]]:
    """A ruleset of one forward chain, as nft lists it."""
    chain = {"family": family, "table": name, "name": "forward", "type": "filter", "hook": "forward", "prio": 0, "policy": policy}
    place = {"family": family, "table": name, "chain": "forward"}
    told = [{"rule": {**place, "handle": number, **rule}} for number, rule in enumerate(rules, 2)]
    return [{"table": {"family": family, "name": name}}, {"chain": chain}, *told]


@dataclasses.dataclass
class Look:
    nft: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    saved: dict[str, str] = dataclasses.field(default_factory=dict)
    had: list[ForeignAccept] = dataclasses.field(default_factory=list)
    zoned: str | None = None

    def placed(self, network: str, interface: str | None) -> list[ForeignAccept]:
        return [found for found in self.had if found.network == network]

    def canonical(self, family: str, rules: t.Sequence[str], note: str) -> tuple[str, ...]:
        return tuple(rules)

    def zone(self, interface: str) -> str | None:
        return self.zoned


# --- the old language


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (":FORWARD ACCEPT [0:0]\n", ""),
        (":FORWARD DROP [0:0]\n", "policy"),
        (":FORWARD DROP [0:0]\n-A FORWARD -i br-lab -o br-lab -j ACCEPT\n", ""),
        (":FORWARD DROP [0:0]\n-A FORWARD -i br-+ -j ACCEPT\n", ""),
        (":FORWARD DROP [0:0]\n-A FORWARD ! -i eth0 -j ACCEPT\n", ""),
        (":FORWARD DROP [0:0]\n-A FORWARD -m physdev --physdev-is-bridged -m comment --comment 'frames, all' -j ACCEPT\n", ""),
        (":FORWARD DROP [0:0]\n-A FORWARD -i docker0 -j ACCEPT\n", "policy"),
        (":FORWARD DROP [0:0]\n-A FORWARD -m set --match-set x src -j ACCEPT\n", "policy"),
        (":FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n", "policy"),
        (":FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\n", ""),
        (":FORWARD ACCEPT [0:0]\n-A FORWARD -j REJECT --reject-with icmp-port-unreachable\n", "rule '-A FORWARD -j REJECT"),
        (":FORWARD ACCEPT [0:0]\n-A FORWARD -p udp -j DROP\n", ""),
        (":FORWARD ACCEPT [0:0]\n-A FORWARD -s 10.0.0.0/8 -j DROP\n", "rule '-A FORWARD -s 10.0.0.0/8 -j DROP'"),
        (":FORWARD ACCEPT [0:0]\n-A FORWARD -d 192.0.2.1/32 -j DROP\n", ""),
        (":FORWARD DROP [0:0]\n:mine - [0:0]\n-A FORWARD -j LOG --log-prefix x\n-A FORWARD -j mine\n-A mine -i br-lab -j ACCEPT\n", ""),
        (":FORWARD DROP [0:0]\n:mine - [0:0]\n-A FORWARD -g mine\n-A FORWARD -j ACCEPT\n-A mine -j RETURN\n", "policy"),
    ],
)
def test_what_iptables_drops_between_neighbours(rules: str, expected: str) -> None:
    look = Look(saved={"iptables-legacy": f"*filter\n{rules}COMMIT\n"})
    found = foreign.drops(look, [dataclasses.replace(V4, uplink="")])
    assert [*found] == ([("ip", "filter (iptables-legacy)", "FORWARD")] if expected else [])
    for _what, drop in found.values():
        assert f"by its {expected}" in str(drop)


def test_who_has_no_subnet_is_not_known_by_address() -> None:
    look = Look(saved={"iptables-legacy": "*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -s 10.0.0.0/8 -j DROP\nCOMMIT\n"})
    assert foreign.drops(look, [dataclasses.replace(V4, uplink="", subnets=())]) == {}


def test_rules_of_ours_are_found_by_their_comment() -> None:
    text = foreign_iptables.inserted(made("docker.ipv4"), "DOCKER-USER", [f"-i a {COMMENT}", f"-i b {COMMENT.replace('lab', 'lab2')}"])
    assert foreign_iptables.marked(text, {"linuxnet.netns: network lab"}) == {"DOCKER-USER": (f"-i a {COMMENT}",)}
    assert foreign_iptables.without(text, foreign.NOTE).split() == made("docker.ipv4").split()


# --- who provides for it


def test_docker_has_a_chain_for_its_user() -> None:
    (found,) = foreign.accepts(NETWORK, Look(saved={"iptables-nft": made("docker.ipv4")}))
    assert (found.program, found.table, found.chain) == ("iptables-nft", "ip filter", "DOCKER-USER")
    assert found.rules == (
        f"-s 10.50.0.0/24 -i br-lab -o up0 {COMMENT}",
        f"-d 10.50.0.0/24 -i up0 -o br-lab -m conntrack --ctstate RELATED,ESTABLISHED {COMMENT}",
        f"-i br-lab -o br-lab {COMMENT}",
    )
    after = foreign_iptables.inserted(made("docker.ipv4"), "DOCKER-USER", found.rules)
    assert foreign.drops(Look(saved={"iptables-nft": after}), NETWORK.ways, bare=False) == {}
    # and before Docker's own return, after what the user has there
    lines = [line for line in after.splitlines() if line.startswith("-A DOCKER-USER")]
    assert lines[-1] == "-A DOCKER-USER -j RETURN" and len(lines) == 4
    assert foreign_iptables.position(made("docker.ipv4"), "DOCKER-USER") == 1
    # a second look comes to the same
    assert foreign.accepts(NETWORK, Look(saved={"iptables-nft": after})) == [found]


def test_ufw_has_two() -> None:
    saved = {"iptables-nft": made("ufw.ipv4"), "ip6tables-nft": made("ufw.ipv6")}
    found = foreign.accepts(NETWORK, Look(saved=saved))
    assert [(each.table, each.chain) for each in found] == [("ip filter", "ufw-user-forward"), ("ip6 filter", "ufw6-user-forward")]
    assert found[1].rules[0] == f"-s fd50::/64 -i br-lab -o up0 {COMMENT}"


def test_a_network_that_is_let_through_needs_nothing() -> None:
    saved = made("docker.ipv4").replace(":FORWARD DROP", ":FORWARD ACCEPT")
    assert foreign.accepts(NETWORK, Look(saved={"iptables-nft": saved}, nft=table("accept"))) == []


def test_what_the_user_drops_stays_dropped() -> None:
    saved = made("docker.ipv4").replace("-A DOCKER-USER -j RETURN", "-A DOCKER-USER -i br-lab -j DROP\n-A DOCKER-USER -j RETURN")
    with pytest.raises(StateError, match="in chain DOCKER-USER of table ip filter by its rule '-A DOCKER-USER -i br-lab -j DROP'"):
        foreign.accepts(NETWORK, Look(saved={"iptables-nft": saved}))
    (found,) = foreign.accepts(dataclasses.replace(NETWORK, foreign_drop="accept"), Look(saved={"iptables-nft": saved}))
    assert found.chain == "FORWARD"


def test_ignore_means_nothing_at_all() -> None:
    look = Look(saved={"iptables-nft": made("docker.ipv4")}, nft=table())
    assert foreign.accepts(dataclasses.replace(NETWORK, foreign_drop="ignore"), look) == []


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("", ["interface br-lab"]),
        ("internal", "put br-lab into another zone than internal, or set foreign_drop: accept"),
        (None, "accept them there, or set foreign_drop: accept"),
    ],
)
def test_firewalld_is_asked_for_its_zone(zone: str | None, expected: list[str] | str) -> None:
    look = Look(nft=table(name="firewalld"), zoned=zone)
    if isinstance(expected, str):
        with pytest.raises(StateError, match=expected):
            foreign.accepts(NETWORK, look)
        return
    (found,) = foreign.accepts(NETWORK, look)
    assert (found.program, found.chain, [*found.rules]) == ("firewalld", "trusted", expected)
    # where it has been done nothing is dropped any more, and it stays
    assert foreign.accepts(NETWORK, Look(nft=table("accept", name="firewalld"), zoned="trusted", had=[found])) == [found]


def test_firewalld_looks_after_the_host_only() -> None:
    with pytest.raises(StateError, match="table inet firewalld"):
        foreign.accepts(dataclasses.replace(NETWORK, netns="router"), Look(nft=table(name="firewalld"), zoned=""))


# --- a chain of unknown origin


def test_a_chain_of_somebody_is_named() -> None:
    rule = {"expr": [FROM_LAB, {"drop": None}], "comment": "no labs"}
    with pytest.raises(StateError) as told:
        foreign.accepts(NETWORK, Look(nft=table("accept", [rule])))
    assert str(told.value) == (
        "nat lab: foreign_drop: packets from br-lab to up0 would be dropped in chain forward of table inet filter by its rule "
        'handle 2 "no labs" on the host: accept them there, or set foreign_drop: accept to have this network accepted at the top of '
        "chain forward of table inet filter, or foreign_drop: ignore to leave it so"
    )


def test_it_is_accepted_where_that_was_asked_for_and_stays() -> None:
    (found,) = foreign.accepts(dataclasses.replace(NETWORK, foreign_drop="accept"), Look(nft=table()))
    assert (found.program, found.table, found.chain) == ("nft", "inet filter", "forward")
    note = 'accept comment "linuxnet.netns: network lab"'
    assert found.rules == (
        f'iifname "br-lab" oifname "up0" ip saddr 10.50.0.0/24 {note}',
        f'iifname "up0" oifname "br-lab" ip daddr 10.50.0.0/24 ct state established,related {note}',
        f'iifname "br-lab" oifname "br-lab" {note}',
        f'iifname "br-lab" oifname "up0" ip6 saddr fd50::/64 {note}',
        f'iifname "up0" oifname "br-lab" ip6 daddr fd50::/64 ct state established,related {note}',
    )
    assert foreign.accepts(NETWORK, Look(nft=table(), had=[found])) == [found]


def test_only_answers_are_dropped() -> None:
    """Who accepts what goes out and forgot what comes back."""
    rule = {"expr": [FROM_LAB, {"accept": None}]}
    with pytest.raises(StateError, match="packets from up0 back to br-lab would be dropped"):
        foreign.accepts(NETWORK, Look(nft=table(rules=[rule])))


def test_frames_are_seen_by_chains_of_the_bridge_family() -> None:
    (found,) = foreign.accepts(dataclasses.replace(NETWORK, foreign_drop="accept"), Look(nft=table(family="bridge")))
    assert found.rules == ('meta ibrname "br-lab" accept comment "linuxnet.netns: network lab"',)
    ways = tuple(dataclasses.replace(way, bridge=False, shown=False) for way in NETWORK.ways)
    assert foreign.accepts(dataclasses.replace(NETWORK, ways=ways), Look(nft=table(family="bridge"))) == []


def test_a_rule_about_some_members_is_none_about_the_network() -> None:
    def dropped(addresses: t.Any, way: Way = V4) -> bool:
        match = {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": addresses}
        return bool(foreign.drops(Look(nft=table("accept", [{"expr": [{"match": match}, {"drop": None}]}])), [way]))

    assert not dropped("10.50.0.2")
    assert not dropped("10.50.0.254")
    assert dropped({"prefix": {"addr": "10.50.0.0", "len": 16}})
    assert dropped("10.50.0.2", dataclasses.replace(V4, subnets=("10.50.0.2/32",)))


def test_tables_of_ours_are_not_others() -> None:
    assert foreign.drops(Look(nft=table(name="linuxnet_other")), NETWORK.ways) == {}
    rule = {"expr": [{"accept": None}], "comment": "linuxnet.netns: network other"}
    assert foreign.drops(Look(nft=table(rules=[rule])), NETWORK.ways, bare=False) == {}
    assert [*foreign.drops(Look(nft=table(rules=[rule])), NETWORK.ways)] == [("inet", "filter", "forward")]


# --- published ports

WEB = Publish("tcp", 8080, 8080, "10.50.0.10", 80)
OPEN = dataclasses.replace(V4, publish=(WEB,), hairpin=True)
ANSWERS = "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
ANSWERED = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}


@pytest.mark.parametrize(
    ("policy", "rules", "expected"),
    [
        ("DROP", "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "policy"),
        ("DROP", "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT", ""),
        ("DROP", f"{ANSWERS}-A FORWARD -o br-lab -p tcp -m tcp --dport 80 -j ACCEPT", ""),
        ("DROP", f"{ANSWERS}-A FORWARD -o br-lab -p tcp -m tcp --dport 81 -j ACCEPT", "policy"),
        ("DROP", f"{ANSWERS}-A FORWARD -o br-lab -p tcp -m multiport --dports 22,79:81 -j ACCEPT", ""),
        ("DROP", f"{ANSWERS}-A FORWARD -o br-lab -p tcp -m multiport ! --dports 22,79:81 -j ACCEPT", "policy"),
        ("ACCEPT", "-A FORWARD -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -i up0 -j DROP", ""),
        ("ACCEPT", "-A FORWARD -m conntrack --ctstate NEW -i up0 -j DROP", "rule '-A FORWARD -m conntrack --ctstate NEW -i up0 -j DROP'"),
        ("ACCEPT", "-A FORWARD -m conntrack --ctstate DNAT -o br-lab -j DROP", "rule '-A FORWARD -m conntrack --ctstate DNAT -o br-lab"),
        ("ACCEPT", "-A FORWARD -d 10.50.0.11/32 -i up0 -j DROP", ""),
    ],
)
def test_what_comes_in_to_a_published_port(policy: str, rules: str, expected: str) -> None:
    saved = f"*filter\n:FORWARD {policy} [0:0]\n-A FORWARD -i br-lab -j ACCEPT\n{rules}\nCOMMIT\n"
    look = Look(saved={"iptables-legacy": saved})
    found = foreign.drops(look, [OPEN])
    assert [*found] == ([("ip", "filter (iptables-legacy)", "FORWARD")] if expected else [])
    for what, drop in found.values():
        assert what == "from up0 to published tcp port 8080"
        assert f"by its {expected}" in str(drop)
    # without a published port nobody would miss it
    assert foreign.drops(look, [V4]) == {}


def test_a_chain_that_drops_only_what_comes_in_is_named() -> None:
    rules = [{"expr": [FROM_LAB, {"accept": None}]}, {"expr": [ANSWERED, {"accept": None}]}]
    look = Look(nft=table(rules=rules))
    assert foreign.accepts(dataclasses.replace(NETWORK, ways=(V4,)), look) == []
    network = dataclasses.replace(NETWORK, ways=(OPEN,))
    with pytest.raises(StateError, match="packets from up0 to published tcp port 8080 would be dropped in chain forward"):
        foreign.accepts(network, look)
    (found,) = foreign.accepts(dataclasses.replace(network, foreign_drop="accept"), look)
    note = 'accept comment "linuxnet.netns: network lab"'
    assert found.rules == (
        f'iifname "br-lab" oifname "up0" ip saddr 10.50.0.0/24 {note}',
        f'iifname "up0" oifname "br-lab" ip daddr 10.50.0.0/24 ct state established,related {note}',
        f'iifname "up0" oifname "br-lab" ip daddr 10.50.0.0/24 ct status dnat {note}',
        f'iifname "br-lab" oifname "br-lab" {note}',
    )
    # a chain that lets in what is translated needs nothing, as firewalld's
    dnat = {"match": {"op": "in", "left": {"ct": {"key": "status"}}, "right": "dnat"}}
    assert foreign.accepts(network, Look(nft=table(rules=[*rules, {"expr": [dnat, {"accept": None}]}]))) == []


@pytest.mark.parametrize(("shown", "hairpin", "own"), [(True, True, 0), (False, True, 1), (False, False, 0)])
def test_docker_lets_in_what_is_published(shown: bool, hairpin: bool, own: int) -> None:
    way = dataclasses.replace(OPEN, shown=shown, hairpin=hairpin)
    network = dataclasses.replace(NETWORK, ways=(way,))
    (found,) = foreign.accepts(network, Look(saved={"iptables-nft": made("docker.ipv4")}))
    assert found.rules[1] == f"-d 10.50.0.0/24 -i up0 -o br-lab -m conntrack --ctstate RELATED,ESTABLISHED,DNAT {COMMENT}"
    # from the network to itself, which is routed on its way through the host
    back = f"-d 10.50.0.0/24 -i br-lab -o br-lab -m conntrack --ctstate RELATED,ESTABLISHED,DNAT {COMMENT}"
    assert found.rules.count(back) == own
    after = foreign_iptables.inserted(made("docker.ipv4"), "DOCKER-USER", found.rules)
    assert foreign.drops(Look(saved={"iptables-nft": after}), network.ways, bare=False) == {}


# --- its record


def test_a_journal_can_carry_it() -> None:
    record = ForeignAccept("", "iptables-nft", "ip filter", "DOCKER-USER", "lab", ("-i a -j ACCEPT",))
    change = Change.create(record, (12, 1), "others would drop it")
    assert codec.from_plain(json.loads(json.dumps(codec.to_plain(change)))) == change
    assert record.essence() == record
    assert record.describe() == "foreign_accept lab in chain DOCKER-USER of table ip filter on the host"


# --- on the kernel


def test_rules_come_and_go_by_their_comment(sandboxed: Sandbox) -> None:
    def body() -> None:
        run("nft", "table ip t { chain f { type filter hook forward priority 0; policy drop; }; }")
        run("nft", "add rule ip t f tcp dport 25 drop")
        before = run("nft", "-s", "list", "ruleset")
        note = "linuxnet.netns: network lab"
        what = ('ip saddr 192.0.2.0/24 iifname "a"', 'oifname "a" ct state related,established')
        rules = nftables.canonical_rules("ip", [f'{each} accept comment "{note}"' for each in what], note)
        wish = ForeignAccept(HOST, "nft", "ip t", "f", "lab", rules)
        for _again in range(2):
            foreign_host.put(wish)
            assert foreign_host.found(HOST, [wish]) == [wish]
            lines = [line.strip() for line in run("nft", "list", "chain", "ip", "t", "f").splitlines()[3:-2]]
            assert lines == [*rules, "tcp dport 25 drop"]
        foreign_host.take_away(wish)
        assert run("nft", "-s", "list", "ruleset") == before
        # with its chain it has gone already
        run("nft", "flush", "ruleset")
        foreign_host.take_away(wish)
        assert foreign_host.found(HOST, [wish]) == []

    sandboxed(body)


def test_a_device_that_iptables_would_read_otherwise_is_refused(sandboxed: Sandbox) -> None:
    def body() -> None:
        from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError
        from ansible_collections.linuxnet.netns.plugins.module_utils._engine.host import Host
        from ansible_collections.linuxnet.netns.plugins.module_utils._engine.nat_host import View

        nat = Nat(HOST, "lab", ("192.0.2.0/24",), "br+", "lo")
        with Host() as host, pytest.raises(InputError, match=r"'br\+' cannot be named in a rule of iptables"):
            foreign_host.resolve([nat], [], host, View(host), [])
        # a device that is not there is told of by whoever looks for it
        run("nft", "table ip t { chain f { type filter hook forward priority 0; policy drop; }; }")
        with Host() as host:
            assert foreign_host.resolve([dataclasses.replace(nat, interface="nodevice")], [], host, View(host), []) == ([], [])

    sandboxed(body)
