# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A table that somebody flushed: what it said of the host before it is not lost."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import nat_remembered, options, store, store_files, transaction
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import StateError

Sandbox = t.Callable[[t.Callable[[], t.Any]], None]
needs_nft = pytest.mark.skipif(shutil.which("nft", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None, reason="needs nft")


def sh(text: str) -> str:
    return subprocess.run(["sh", "-ec", text], check=True, capture_output=True, text=True).stdout


def network(name: str, state: str = "present", check: bool = False) -> t.Any:
    item = {"name": name, "subnets": [f"192.0.2.{len(name)}/32"], "interface": "in0", "uplink": "up0"}
    return transaction.execute(options.read({"nat": [item]}, state, True), check_mode=check)


def forwarding() -> list[str]:
    return [pathlib.Path(f"/proc/sys/net/ipv4/conf/{device}/forwarding").read_text().strip() for device in ("in0", "up0", "all")]


def rules(table: str) -> list[t.Any]:
    found = json.loads(sh(f"nft -j list table inet {table}"))["nftables"]
    return [{name: inner for name, inner in entry["rule"].items() if name != "handle"} for entry in found if "rule" in entry]


@needs_nft
def test_what_was_closed_before_a_flush_is_closed_after_it(sandboxed: Sandbox) -> None:
    def inside() -> None:
        sh("ip link add in0 type bridge; ip link add up0 type bridge; sysctl -qw net.ipv4.ip_forward=0")
        network("a")
        before = rules("linuxnet_a")
        assert [rule["chain"] for rule in before].count("guard") > 2
        sh("nft flush ruleset")
        assert network("a", check=True).changes == network("a").changes
        assert rules("linuxnet_a") == before
        network("bb")
        sh("nft flush ruleset")
        network("a", "absent")
        assert forwarding() == ["1", "1", "0"], "the other one needs it, flushed or not"
        network("bb", "absent")
        assert forwarding() == ["0", "0", "0"]
        assert not [name for name in store_files.names() if name != "lock"]

    sandboxed(inside)


@pytest.mark.parametrize("text", ["", "[]", '{"version": 2}', '{"version": 1, "tables": [1]}'])
def test_a_record_that_cannot_be_read_is_named(sandboxed: Sandbox, text: str) -> None:
    def inside() -> None:
        with store.locked():
            store_files.write("nat", text)
        with pytest.raises(StateError, match="^the record of NATed networks, /run/linuxnet-netns/nat.*cannot be read"):
            nat_remembered.load()

    sandboxed(inside)
