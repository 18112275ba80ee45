# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rulesets as the real nft lists them, and whom they drop."""

from __future__ import annotations

import dataclasses
import subprocess
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import nat_text, nftables
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.probe_chains import Packet, Rules
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_nat import Nat
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.values import HOST


def run(*command: str) -> None:
    subprocess.run(command, check=True)


Sandbox = t.Callable[[t.Callable[[], t.Any]], None]

PACKET = Packet(4, "10.1.0.10", "10.2.0.10", "tcp", dport=80, iif="in0", oif="out0", iif_kind="veth", oif_kind="veth")
PACKET6 = Packet(6, "fd01::10", "fd02::10", "icmpv6", kind="echo-request", iif="in0", oif="out0")
ANSWER = PACKET.reply()

# Rules of a chain at the forward hook, a packet, and whether it is dropped: yes, no, or most likely.
YES, NO, LIKELY = "yes", "no", "likely"
CASES: list[tuple[str, Packet, str]] = [
    ("", PACKET, NO),
    ("policy drop", PACKET, YES),
    ("policy drop; tcp dport 80 accept", PACKET, NO),
    ("policy drop; tcp dport 443 accept", PACKET, YES),
    ("policy drop; tcp dport { 22, 80-90 } accept", PACKET, NO),
    ("policy drop; tcp dport != 80 accept", PACKET, YES),
    ("policy drop; udp dport 80 accept", PACKET, YES),
    ("policy drop; meta l4proto { tcp, udp } th dport 80 accept", PACKET, NO),
    ("policy drop; ct state established,related accept", PACKET, YES),
    ("policy drop; ct state established,related accept", ANSWER, NO),
    ("policy drop; ct state { established, related } accept", ANSWER, NO),
    ("policy drop; ct state vmap { established : accept, invalid : drop }", ANSWER, NO),
    ("ct state invalid drop", PACKET, NO),
    ("ip saddr 10.1.0.0/16 drop", PACKET, YES),
    ("ip saddr != 10.1.0.0/16 drop", PACKET, NO),
    ("ip saddr { 10.9.0.0/16, 10.1.0.1-10.1.0.20 } drop", PACKET, YES),
    ("ip daddr 10.2.0.11 drop", PACKET, NO),
    ("ip daddr @there drop", PACKET, YES),
    ("ip daddr != @there drop", PACKET, NO),
    ("ip6 daddr fd02::/64 drop", PACKET, NO),
    ("ip6 daddr fd02::/64 drop", PACKET6, YES),
    ("meta nfproto ipv6 drop", PACKET, NO),
    ("meta nfproto ipv6 drop", PACKET6, YES),
    ("icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; icmpv6 type echo-request drop", PACKET6, YES),
    ("ip protocol tcp drop", PACKET, YES),
    ("ip protocol icmp drop", PACKET, NO),
    ('iifname "in0" oifname "out0" drop', PACKET, YES),
    ('iifname "in*" drop', PACKET, YES),
    ('iifname { "in1", "in2" } drop', PACKET, NO),
    ('oifname != "out0" drop', PACKET, NO),
    ("iifname @names drop", PACKET, YES),
    ('meta iifkind "bridge" drop', PACKET, NO),
    ("counter log drop", PACKET, YES),
    ("reject", PACKET, YES),
    ("jump deeper; accept", PACKET, YES),
    ("goto aside; drop", PACKET, NO),
    ("policy drop; goto aside; accept", PACKET, YES),
    ("return; drop", PACKET, NO),
    ("policy drop; return", PACKET, YES),
    ('iifname vmap { "in0" : jump deeper, "in1" : accept }', PACKET, YES),
    ("meta mark set 0x10; meta mark and 0x10 == 0x10 drop", PACKET, YES),
    ("meta mark 0x10 drop", PACKET, NO),
    ("limit rate over 1/minute drop", PACKET, LIKELY),
    ("tcp flags syn drop", PACKET, LIKELY),
    ("tcp flags syn accept; drop", PACKET, YES),
    ("tcp flags syn jump deeper", PACKET, LIKELY),
    ("ct mark 5 accept", PACKET, NO),
    ("ip saddr . ip daddr { 10.1.0.10 . 10.2.0.10 } drop", PACKET, LIKELY),
]
TABLE = """
table inet fw {{
  set there {{ type ipv4_addr; flags interval; elements = {{ 10.2.0.0/24, 10.9.9.9 }}
  }}
  set names {{ type ifname; elements = {{ "in0", "x" }}
  }}
  chain deeper {{
    ip saddr 10.1.0.10 counter drop comment "deep"
  }}
  chain aside {{
    ip saddr 10.9.0.1 drop
  }}
  chain forward {{
    type filter hook forward priority 0; {}
  }}
}}
"""


def told(rules: Rules, packet: Packet, hooks: tuple[str, ...] = ("forward",)) -> str:
    drop = rules.drops(dataclasses.replace(packet), hooks)
    return NO if drop is None else YES if drop.certain else LIKELY


def test_every_rule_is_followed(sandboxed: Sandbox) -> None:
    def scenario() -> None:
        wrong = []
        for text, packet, expected in CASES:
            lines = text if text.startswith("policy") else f"policy accept; {text}"
            nftables.replace(HOST, nftables.Table(netns=HOST, family="inet", table="fw", text=TABLE.format(lines.replace("; ", "\n"))))
            found = told(Rules(nftables.ruleset(HOST)), packet)
            if found != expected:
                wrong.append((text, expected, found))
        assert wrong == []

    sandboxed(scenario)


def test_who_drops_is_named(sandboxed: Sandbox) -> None:
    def scenario() -> None:
        text = TABLE.format("policy accept\njump deeper")
        nftables.replace(HOST, nftables.Table(netns=HOST, family="inet", table="fw", text=text))
        found = str(Rules(nftables.ruleset(HOST)).drops(PACKET, ("forward",)))
        assert found.startswith("dropped in chain deeper of table inet fw by its rule handle ") and found.endswith(' "deep"')

    sandboxed(scenario)


def test_chains_in_the_order_of_their_priority(sandboxed: Sandbox) -> None:
    def scenario() -> None:
        for name, priority, family in (("late", 10, "ip"), ("early", -10, "inet"), ("other", -20, "ip6")):
            run("nft", f"table {family} {name} {{ chain c {{ type filter hook forward priority {priority}; policy drop; }}; }}")
        rules = Rules(nftables.ruleset(HOST))
        assert "table inet early" in str(rules.drops(PACKET, ("forward",)))
        assert "table ip6 other" in str(rules.drops(PACKET6, ("forward",)))
        assert rules.drops(PACKET, ("input", "output", "prerouting")) is None

    sandboxed(scenario)


def test_a_device_of_its_own(sandboxed: Sandbox) -> None:
    def scenario() -> None:
        run("ip", "link", "add", "in0", "type", "veth", "peer", "name", "in1")
        run("nft", "table netdev early { chain c { type filter hook ingress device in0 priority 0; ip saddr 10.1.0.10 drop; }; }")
        rules = Rules(nftables.ruleset(HOST))
        assert told(rules, PACKET, ("ingress",)) == YES
        assert told(rules, ANSWER, ("ingress",)) == NO

    sandboxed(scenario)


def test_our_own_network_lets_its_own_through(sandboxed: Sandbox) -> None:
    """The table of ``netns_nat`` marks, guards and unmarks: the marks have to be followed."""

    def scenario() -> None:
        side = nat_text.Side("4", ("10.1.0.0/16",), "in0", "out0", frozenset({"in0", "out0"}), frozenset({"in0", "out0"}))
        text = nat_text.render("inet", "ours", Nat(HOST, "lab"), [side])
        nftables.replace(HOST, nftables.Table(netns=HOST, family="inet", table="ours", text=text))
        rules = Rules(nftables.ruleset(HOST))
        assert rules.translates()
        assert told(rules, PACKET, ("forward", "postrouting")) == NO
        foreign = Packet(4, "10.3.0.10", "10.2.0.10", "tcp", dport=80, iif="in0", oif="out0")
        assert "chain guard of table inet ours" in str(rules.drops(foreign, ("forward",)))
        inward = Packet(4, "10.2.0.10", "10.1.0.10", "tcp", dport=80, iif="out0", oif="in0")
        assert told(rules, inward) == YES

    sandboxed(scenario)


leaves = st.one_of(st.none(), st.booleans(), st.integers(-5, 70000), st.sampled_from(["@there", "in0", "10.1.0.10", "tcp", "*", "set"]))
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "match",
                    "left",
                    "right",
                    "op",
                    "payload",
                    "meta",
                    "ct",
                    "key",
                    "field",
                    "protocol",
                    "set",
                    "prefix",
                    "range",
                    "vmap",
                    "data",
                ]
                + ["jump", "target", "drop", "accept", "mangle", "value", "&", "elem", "addr", "len", "val", "xt"]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=12,
)


@given(
    expressions=st.lists(
        st.dictionaries(st.sampled_from(["match", "vmap", "mangle", "jump", "drop", "limit"]), trees, max_size=1), max_size=5
    )
)
def test_what_is_not_understood_does_no_harm(expressions: list[dict[str, t.Any]]) -> None:
    """A newer nft may tell things that are not known here; a diagnosis goes on without them."""
    base = {"family": "inet", "table": "x", "name": "c", "hook": "forward", "type": "filter", "prio": 0, "policy": "accept"}
    rules = Rules([{"chain": base}, {"rule": {"family": "inet", "table": "x", "chain": "c", "expr": expressions}}])
    assert told(rules, PACKET) in (YES, NO, LIKELY)


@pytest.mark.parametrize(
    "entries", [[], [{"table": {"family": "inet", "name": "x"}}], [{"chain": {"family": "ip", "table": "x", "name": "c"}}]]
)
def test_nothing_drops_nothing(entries: list[dict[str, t.Any]]) -> None:
    assert told(Rules(entries), PACKET, ("prerouting", "forward", "postrouting")) == NO
