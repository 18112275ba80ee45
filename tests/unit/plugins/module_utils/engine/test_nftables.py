# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables in and out of the real kernel; what is there is looked at with ``nft`` itself."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import nftables
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError, KernelError, StateError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_nat import Table
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.values import HOST

Sandbox = t.Callable[[t.Callable[[], t.Any]], None]

TEXT = """table inet ours {
  set names {
    type ifname
    elements = { "eth0", "br-lab", "veth9" }
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname @names ip saddr { 10.1.0.0/16, 10.3.0.0/16 } counter drop comment "one"
    iifname "eth1" accept comment "two"
  }
}
"""


def nft(*arguments: str, text: str | None = None) -> str:
    done = subprocess.run(["nft", *arguments], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def table(text: str = TEXT, netns: str = HOST) -> Table:
    return Table(netns, "inet", "ours", text=text)


def test_quote_refuses_what_nft_would_read_otherwise() -> None:
    assert nftables.quote("br-lab.10", "interface") == '"br-lab.10"'
    for name in ("eth*", 'a"b', "a\\b"):
        with pytest.raises(InputError, match="^uplink: .* cannot be named in an nftables rule because of"):
            nftables.quote(name, "uplink")


def test_orders_that_mean_nothing() -> None:
    """Elements as another kernel or nft may give them: nested, and in any order."""

    def listing(elements: list[t.Any], matched: list[str], rules: list[str], sets_first: bool) -> str:
        named = {"set": {"family": "inet", "table": "ours", "name": "s", "handle": 4, "elem": elements}}
        chain = {"chain": {"family": "inet", "table": "ours", "name": "c", "handle": 1}}
        match = {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": {"set": matched}}}
        found = [{"rule": {"table": "ours", "chain": "c", "handle": 9, "expr": [match], "comment": rule}} for rule in rules]
        middle = [named, chain] if sets_first else [chain, named]
        return json.dumps({"nftables": [{"metainfo": {"version": "9"}}, {"table": {"family": "inet", "name": "ours"}}, *middle, *found]})

    one, two = {"prefix": {"addr": "10.1.0.0", "len": 16}}, {"prefix": {"len": 16, "addr": "10.3.0.0"}}
    spelled = nftables._canonical_json(listing([one, two], ["a", "b"], ["1", "2"], True))
    assert nftables._canonical_json(listing([two, one], ["b", "a"], ["1", "2"], False)) == spelled
    assert nftables._canonical_json(listing([one, two], ["a", "b"], ["2", "1"], True)) != spelled
    assert nftables._canonical_json(listing([one], ["a", "b"], ["1", "2"], True)) != spelled


def test_canonical_is_what_is_live(sandboxed: Sandbox) -> None:
    def check() -> None:
        nftables.replace(HOST, table())
        found = nftables.live(HOST, "inet", "ours")
        assert found is not None
        assert found.ruleset == nftables.canonical(TEXT)
        assert nftables.elements(str(found.ruleset)) == {"names": {"eth0", "br-lab", "veth9"}}

    sandboxed(check)


def test_canonical_touches_nothing_and_comes_back(sandboxed: Sandbox) -> None:
    def check() -> None:
        before = os.stat("/proc/thread-self/ns/net").st_ino
        nftables.canonical(TEXT)
        assert os.stat("/proc/thread-self/ns/net").st_ino == before
        with pytest.raises(KernelError):
            nftables.canonical("table inet ours {")
        assert os.stat("/proc/thread-self/ns/net").st_ino == before
        assert nft("list", "ruleset") == ""

    sandboxed(check)


def test_canonical_reports_nfts_first_line(sandboxed: Sandbox) -> None:
    def check() -> None:
        with pytest.raises(KernelError) as caught:
            nftables.canonical("table inet ours {\n  chain c {\n    oifname up0 masqerade\n  }\n}\n")
        assert "Error: syntax error, unexpected" in str(caught.value)
        assert "\n" not in str(caught.value)

    sandboxed(check)


def test_only_meaning_is_compared(sandboxed: Sandbox) -> None:
    def check() -> None:
        shuffled = TEXT.replace('"eth0", "br-lab", "veth9"', '"veth9", "eth0", "br-lab"')
        shuffled = shuffled.replace("10.1.0.0/16, 10.3.0.0/16", "10.3.0.0/16, 10.1.0.0/16")
        counted = TEXT.replace("counter", "counter packets 7 bytes 700")
        assert shuffled != TEXT
        assert counted != TEXT
        assert nftables.canonical(shuffled) == nftables.canonical(counted) == nftables.canonical(TEXT)
        lines = TEXT.splitlines()
        swapped = "\n".join([*lines[:7], lines[8], lines[7], *lines[9:]]) + "\n"
        for other in (swapped, TEXT.replace("drop", "accept"), TEXT.replace('"eth0", ', ""), TEXT.replace("priority 0", "priority 1")):
            assert other != TEXT
            assert nftables.canonical(other) != nftables.canonical(TEXT)

    sandboxed(check)


def test_a_table_that_goes_while_it_is_looked_at(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def inside() -> None:
        nft("-f", "-", text=TEXT)
        answers = iter([[("inet", "ours")]])

        def tables(netns: str) -> list[tuple[str, str]]:
            # what was true of the first look is not of the second
            first = next(answers, None)
            if first:
                nft("flush", "ruleset")
            return first or []

        monkeypatch.setattr(nftables, "tables", tables)
        assert nftables.live(HOST, "inet", "ours") is None

    sandboxed(inside)


def test_live_text_can_be_given_back(sandboxed: Sandbox) -> None:
    def check() -> None:
        nftables.replace(HOST, table())
        found = nftables.live(HOST, "inet", "ours")
        assert found is not None
        nftables.remove(HOST, "inet", "ours")
        assert nftables.live(HOST, "inet", "ours") is None
        nftables.replace(HOST, found)
        assert nftables.live(HOST, "inet", "ours") == found

    sandboxed(check)


def test_replace_leaves_nothing_of_the_old_and_all_of_the_others(sandboxed: Sandbox) -> None:
    def check() -> None:
        nft("-f", "-", text="table ip theirs { chain c { type filter hook input priority 0; accept; }; }")
        theirs = nft("-a", "list", "table", "ip", "theirs")
        nftables.replace(HOST, table())
        nft("add", "rule", "inet", "ours", "forward", "oifname", "lo", "drop")
        nftables.replace(HOST, table())
        assert "lo" not in nft("list", "table", "inet", "ours")
        assert nft("list", "table", "inet", "ours").count('comment "one"') == 1
        assert sorted(nftables.tables(HOST)) == [("inet", "ours"), ("ip", "theirs")]
        nftables.remove(HOST, "inet", "ours")
        nftables.remove(HOST, "inet", "ours")
        assert nft("list", "tables").split() == ["table", "ip", "theirs"]
        assert nft("-a", "list", "table", "ip", "theirs") == theirs

    sandboxed(check)


def test_replace_is_all_or_nothing(sandboxed: Sandbox) -> None:
    def check() -> None:
        nftables.replace(HOST, table())
        before = nft("-a", "list", "ruleset")
        with pytest.raises(KernelError, match="^nft cannot set the table inet ours on the host: .*Error: "):
            nftables.replace(HOST, table(TEXT.replace('iifname "eth1"', "jump nowhere; iifname")))
        assert nft("-a", "list", "ruleset") == before

    sandboxed(check)


def test_a_named_namespace(sandboxed: Sandbox) -> None:
    def check() -> None:
        subprocess.run(["ip", "netns", "add", "blue"], check=True)
        nftables.replace("blue", table(netns="blue"))
        assert nft("list", "ruleset") == ""
        assert nftables.tables(HOST) == []
        assert nftables.tables("blue") == [("inet", "ours")]
        inside = subprocess.run(["ip", "netns", "exec", "blue", "nft", "list", "tables"], capture_output=True, text=True, check=True)
        assert inside.stdout.split() == ["table", "inet", "ours"]
        with pytest.raises(StateError, match="^namespace 'green' does not exist"):
            nftables.tables("green")

    sandboxed(check)


def test_without_nft(monkeypatch: pytest.MonkeyPatch, sandboxed: Sandbox) -> None:
    monkeypatch.setattr(nftables, "_SBIN", "/nonexistent")

    def check() -> None:
        os.environ["PATH"] = "/nonexistent"  # of the sandbox's process only
        assert nftables.tables(HOST) == []
        assert nftables.live(HOST, "inet", "ours") is None
        for action in (lambda: nftables.canonical(TEXT), lambda: nftables.replace(HOST, table())):
            with pytest.raises(StateError, match="^netns_nat needs the program nft, .* linuxnet.netns.requirements$"):
                action()

    sandboxed(check)
