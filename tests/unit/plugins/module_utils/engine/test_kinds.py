# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kinds of link: against the bytes that iproute2 sends, and on the real kernel where it has the kind."""

from __future__ import annotations

import builtins
import json
import os
import socket
import struct
import subprocess
import sys
import types
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import bridge, kinds
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError, KernelError, MissingLibrary

Sandbox = t.Callable[[t.Callable[[], t.Any]], None]

RTM_NEWLINK, RTM_GETLINK = 16, 18
CREATE, ACK = 0x600, 5
UNSUPPORTED = 95

# What `ip link add ... type KIND OPTIONS` of iproute2 6.1 puts into IFLA_INFO_DATA on a little-endian machine; the device is number 3.
# kind, options, parent, what iproute2 sends
IPROUTE2: list[tuple[str, dict[str, t.Any], int, str]] = [
    # protocol 802.1ad id 5 gvrp on reorder_hdr off
    ("vlan", {"protocol": "802.1ad", "id": 5, "gvrp": True, "reorder_hdr": False}, 0,
     "0600050088a8000006000100050000000c0002000200000003000000"),
    ("vrf", {"table": 1005}, 0, "08000100ed030000"),
    # id 77 remote 192.0.2.9 dstport 6081 ttl 64 tos 8 udpcsum
    ("geneve", {"id": 77, "remote": "192.0.2.9", "port": 6081, "ttl": 64, "tos": 8, "udp_csum": True}, 0,
     "080001004d00000008000200c000020908000b0000000000050003004000000005000400080000000600050017c100000500080001000000"),
    # id 77 remote 2001:db8::9 noudp6zerocsumtx
    ("geneve", {"id": 77, "remote": "2001:db8::9", "udp6_zero_csum_tx": False}, 0,
     "080001004d0000001400070020010db800000000000000000000000908000b0000000000050003000000000005000400000000000500090000000000"),
    # local 192.0.2.1 remote 192.0.2.2 key 7 ttl 64 ocsum dev v0
    ("gre", {"local": "192.0.2.1", "remote": "192.0.2.2", "ikey": 7, "okey": 7, "ttl": 64, "ocsum": True, "pmtudisc": True}, 3,
     ("08000400000000070800050000000007060002002000000006000300a000000008000600c000020108000700c000020205000a0001000000050009000000"
     "000008000100030000000500080040000000080014000000000006000e000000000006000f000000000006001000000000000600110000000000")),
    # remote 192.0.2.2 ikey 1 okey 0.0.0.2 iseq ignore-df nopmtudisc
    ("gretap", {"remote": "192.0.2.2", "ikey": 1, "okey": 2, "iseq": True, "ignore_df": True, "pmtudisc": False}, 0,
     ("080004000000000108000500000000020600020030000000060003002000000008000700c000020205000a00000000000500130001000000050009000000"
     "0000050008000000000008001400000000000600"
      "0e000000000006000f000000000006001000000000000600110000000000")),
    # local 192.0.2.1 remote 192.0.2.2 ttl 64 fwmark 5
    ("ipip", {"local": "192.0.2.1", "remote": "192.0.2.2", "ttl": 64, "fwmark": 5, "pmtudisc": True}, 0,
     ("050009000000000008000200c000020108000300c000020205000a00010000000500050000000000050004004000000008000100000000000800140005000000"
     "06000f0000000000060010000000000006001100000000000600120000000000")),
    # remote 192.0.2.2 tos 8
    ("sit", {"remote": "192.0.2.2", "tos": 8, "pmtudisc": True}, 0,
     ("050009000000000008000300c000020205000a00010000000500050008000000050004000000000008000100000000000800140000000000"
     "06000f00000000000600100000000000060011000000000006001200000000000600080000000000")),
    # mode 802.3ad miimon 100 updelay 200 xmit_hash_policy layer3+4 lacp_rate fast min_links 1 num_grat_arp 3
    ("bond", {"mode": "802.3ad", "miimon": 100, "updelay": 200, "xmit_hash_policy": "layer3+4", "lacp_rate": "fast", "min_links": 1,
              "num_grat_arp": 3}, 0,
     "0500010004000000080003006400000008000400c800000005000e0001000000050015000100000008001200010000000500100003000000"),
    ("ipvlan", {"mode": "l3s", "flag": "private"}, 0, "06000100020000000600020001000000"),
    ("macvlan", {"mode": "bridge"}, 0, "0800010004000000"),
    ("macvtap", {"mode": "passthru"}, 0, "0800010008000000"),
    # id 42 dstport 4789 local 192.0.2.1 remote 192.0.2.2 dev v0 nolearning gbp df set noudpcsum
    ("vxlan", {"id": 42, "port": 4789, "local": "192.0.2.1", "remote": "192.0.2.2", "learning": False, "gbp": True, "df": "set",
               "udp_csum": False}, 3,
     ("08000300030000000400170005001d00010000000500120000000000080001002a00000008000400c000020108000200c0000202050007000000000006000f"
     "0012b50000")),
]  # fmt: skip
# The same kinds with an option of every type, each at a value that is not the default.
ROUND_TRIPS: list[tuple[str, dict[str, t.Any]]] = [
    ("vlan", {"id": 4094, "protocol": "802.1q", "reorder_hdr": True, "gvrp": True, "mvrp": True, "loose_binding": True,
              "bridge_binding": True}),
    ("vxlan", {"id": 2**24 - 1, "local": "2001:db8::1", "group": "ff05::1", "ttl": 9, "tos": 1, "df": "inherit", "ageing": 60,
               "max_address": 9, "proxy": True, "rsc": True, "l2miss": True, "l3miss": True, "udp_csum": True,
               "udp6_zero_csum_tx": True, "udp6_zero_csum_rx": True, "gbp": False, "learning": True, "port": 8472}),
    ("geneve", {"id": 1, "remote": "2001:db8::9", "udp6_zero_csum_rx": True, "port": 1}),
    ("bond", {"mode": "balance-rr", "miimon": 0, "updelay": 0, "downdelay": 0, "xmit_hash_policy": "vlan+srcmac", "lacp_rate": "slow",
              "ad_select": "count", "ad_actor_sys_prio": 9, "ad_user_port_key": 1023, "min_links": 2, "fail_over_mac": "follow",
              "primary_reselect": "failure", "resend_igmp": 255, "num_grat_arp": 0, "all_slaves_active": True, "lp_interval": 5,
              "packets_per_slave": 65535, "tlb_dynamic_lb": False}),
]  # fmt: skip


# -- a kernel to talk to, and other eyes


def request(kind: int, flags: int, index: int, attrs: bytes) -> bytes:
    """Send one message about a link and give the answer's body; the kernel's no is an OSError."""
    body = struct.pack("=BxHiII", 0, 0, index, 0, 0) + attrs
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as channel:
        channel.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)
        answer = channel.recv(1 << 16)
    if struct.unpack_from("=H", answer, 4)[0] == 2:
        error = -struct.unpack_from("=i", answer, 16)[0]
        if error:
            raise OSError(error, os.strerror(error))
    return answer[32:]


def linkinfo(kind: str, data: bytes) -> bytes:
    return bridge.attribute(18, bridge.attribute(1, kind.encode()) + (bridge.attribute(2, data) if data else b""))


def create(name: str, kind: str, options: t.Mapping[str, t.Any], parent: str = "") -> None:
    index = socket.if_nametoindex(parent) if parent else 0
    link = bridge.attribute(5, struct.pack("=I", index)) if parent and not kinds.KINDS[kind].parent_attr else b""
    data = kinds.encode(kind, options, index)
    request(RTM_NEWLINK, CREATE | ACK, 0, bridge.attribute(3, name.encode() + b"\0") + link + linkinfo(kind, data))


def change(name: str, kind: str, options: t.Mapping[str, t.Any], parent: str = "") -> None:
    data = kinds.encode(kind, options, socket.if_nametoindex(parent) if parent else 0)
    request(RTM_NEWLINK, ACK, socket.if_nametoindex(name), linkinfo(kind, data))


def info_data(name: str) -> bytes:
    answer = request(RTM_GETLINK, 1, socket.if_nametoindex(name), b"")
    return dict(bridge.attributes(dict(bridge.attributes(answer))[18])).get(2, b"")


def found(name: str, kind: str) -> dict[str, t.Any]:
    return kinds.decode(kind, info_data(name))


def ip(*command: str) -> t.Any:
    shown = subprocess.run(("ip", "-details", "-json", *command), check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(shown) if shown.strip() else None


def shown(name: str) -> t.Any:
    return ip("link", "show", "dev", name)[0]["linkinfo"]["info_data"]


def two_devices() -> None:
    ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
    ip("link", "set", "v0", "up")
    ip("link", "set", "v1", "up")


# -- bytes


@pytest.mark.skipif(sys.byteorder != "little", reason="the bytes were taken on a little-endian machine")
@pytest.mark.parametrize(("kind", "options", "parent", "sent"), IPROUTE2, ids=lambda value: value if isinstance(value, str) else "")
def test_bytes_that_iproute2_sends(kind: str, options: dict[str, t.Any], parent: int, sent: str) -> None:
    theirs = dict(bridge.attributes(bytes.fromhex(sent)))
    ours = dict(bridge.attributes(kinds.encode(kind, options, parent)))
    assert ours == {number: theirs.get(number) for number in ours}
    # What only iproute2 sends is nothing: zero, or the zero device.
    assert all(not any(value) for number, value in theirs.items() if number not in ours)
    assert len(ours) >= len([name for name in options if kinds.KINDS[kind].options[name].type != "bit"])


@pytest.mark.parametrize(("kind", "options", "parent", "sent"), IPROUTE2, ids=lambda value: value if isinstance(value, str) else "")
def test_bytes_of_iproute2_are_understood(kind: str, options: dict[str, t.Any], parent: int, sent: str) -> None:
    told = kinds.decode(kind, bytes.fromhex(sent))
    assert {name: told.get(name) for name in options} == options
    assert kinds.decode_parent(kind, bytes.fromhex(sent)) == parent


@pytest.mark.parametrize(("kind", "options"), [*((kind, options) for kind, options, _parent, _sent in IPROUTE2), *ROUND_TRIPS])
def test_round_trip(kind: str, options: dict[str, t.Any]) -> None:
    assert kinds.validate(kind, options, "link x") == options
    told = kinds.decode(kind, kinds.encode(kind, options))
    assert {name: told.get(name) for name in options} == options
    # What is told beside is the rest of a word of flags that was sent.
    assert all(told[name] is False for name in set(told) - set(options))


def test_every_option_of_these_kinds_makes_the_round_trip() -> None:
    tried: dict[str, set[str]] = {}
    for kind, options in [*((kind, options) for kind, options, _parent, _sent in IPROUTE2), *ROUND_TRIPS]:
        tried.setdefault(kind, set()).update(options)
    for kind in ("vlan", "vrf", "macvlan", "macvtap", "ipvlan", "vxlan", "geneve", "bond"):
        assert tried[kind] == set(kinds.KINDS[kind].options), kind


def test_kinds_without_attributes_need_no_pyroute2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "require_pyroute2", lambda what: pytest.fail(f"pyroute2 asked for by {what}"))
    kinds._message_class.cache_clear()
    for kind in ("dummy", "ifb", "wireguard", "tap", "tun", "vxlan", "gre"):
        assert kinds.encode(kind, {}) == b""
        assert kinds.decode(kind, b"") == {}
    assert kinds.decode("bridge", kinds.encode("bridge", {"stp": True})) == {"stp": True}
    assert not [kind for kind in ("bridge", "dummy", "ifb", "wireguard", "tap", "tun") if kinds.KINDS[kind].needs_pyroute2]
    assert kinds.KINDS["vlan"].needs_pyroute2


# -- on the kernel


def test_vxlan_is_born_and_seen(sandboxed: Sandbox) -> None:
    def inside() -> None:
        two_devices()
        options = {
            "id": 42, "local": "192.0.2.1", "remote": "192.0.2.2", "port": 4789, "ttl": 5, "tos": 4, "df": "inherit", "learning": False,
            "ageing": 60, "max_address": 7, "proxy": True, "rsc": True, "l2miss": True, "l3miss": True, "udp_csum": False, "gbp": True,
            "udp6_zero_csum_tx": True, "udp6_zero_csum_rx": True,
        }  # fmt: skip
        create("vx0", "vxlan", options, "v0")
        assert found("vx0", "vxlan") == options
        assert kinds.decode_parent("vxlan", info_data("vx0")) == socket.if_nametoindex("v0")
        told = shown("vx0")
        assert [told[name] for name in ("id", "local", "remote", "link", "port", "ttl", "df", "learning", "ageing", "udp_csum")] == [
            42, "192.0.2.1", "192.0.2.2", "v0", 4789, 5, "inherit", False, 60, False,
        ]  # fmt: skip
        create("vx1", "vxlan", {"id": 5, "group": "ff05::7", "local": "2001:db8::1"}, "v0")
        assert (shown("vx1")["group6"], shown("vx1")["local6"]) == ("ff05::7", "2001:db8::1")
        assert found("vx1", "vxlan")["group"] == "ff05::7"
        assert "remote" not in found("vx1", "vxlan")

    sandboxed(inside)


def test_what_the_kernel_changes_of_a_vxlan(sandboxed: Sandbox) -> None:
    """``immutable`` says what the kernel does: refused with EOPNOTSUPP, or changed and nothing else with it."""
    others = {
        "id": 43, "port": 4790, "max_address": 5, "proxy": True, "rsc": True, "l2miss": True, "l3miss": True, "udp_csum": False,
        "udp6_zero_csum_tx": True, "udp6_zero_csum_rx": True, "gbp": True, "local": "192.0.2.9", "remote": "192.0.2.10", "ttl": 9, "tos": 8,
        "df": "set", "learning": False, "ageing": 60,
    }  # fmt: skip

    def inside() -> None:
        two_devices()
        create("vx0", "vxlan", {"id": 42, "local": "192.0.2.1", "remote": "192.0.2.2", "port": 4789}, "v0")
        assert {*others, "group"} == set(kinds.KINDS["vxlan"].options)
        for name, value in others.items():
            before = found("vx0", "vxlan")
            assert before[name] != value
            if kinds.in_place("vxlan", name, before[name], value):
                change("vx0", "vxlan", {name: value})
                assert found("vx0", "vxlan") == {**before, name: value}
            else:
                with pytest.raises(OSError) as caught:
                    change("vx0", "vxlan", {name: value})
                assert caught.value.errno == UNSUPPORTED, name
                assert found("vx0", "vxlan") == before
        change("vx0", "vxlan", {}, "v1")
        assert shown("vx0")["link"] == "v1"
        assert not kinds.in_place("vxlan", "remote", "192.0.2.10", "2001:db8::2")
        with pytest.raises(OSError):
            change("vx0", "vxlan", {"remote": "2001:db8::2"})

    sandboxed(inside)


@pytest.mark.parametrize("kind", ["macvlan", "macvtap"])
def test_macvlan_modes(sandboxed: Sandbox, kind: str) -> None:
    def inside() -> None:
        two_devices()
        modes = ["private", "vepa", "bridge", "source", "passthru"]
        assert set(modes) == set(kinds.KINDS[kind].options["mode"].choices)
        for mode in modes:
            create("m0", kind, {"mode": mode}, "v0")
            assert found("m0", kind) == {"mode": mode} == {"mode": shown("m0")["mode"]}
            for other in modes:
                if kinds.in_place(kind, "mode", mode, other):
                    change("m0", kind, {"mode": other})
                    assert found("m0", kind) == {"mode": other}
                    change("m0", kind, {"mode": mode})
                elif other != mode:
                    with pytest.raises(OSError):
                        change("m0", kind, {"mode": other})
            ip("link", "del", "m0")

    sandboxed(inside)


# -- tun and tap


@pytest.mark.parametrize("kind", ["tap", "tun"])
def test_tuntap(sandboxed: Sandbox, kind: str) -> None:
    def inside() -> None:
        kinds.create_tuntap("t0", kind, {})
        assert found("t0", kind) == {"pi": False, "vnet_hdr": False, "multi_queue": False}
        assert kinds.observed_kind("tun", info_data("t0")) == kind == shown("t0")["type"]
        assert shown("t0")["persist"] is True
        options = {"user": 12345, "group": 23456, "pi": True, "vnet_hdr": True, "multi_queue": True}
        kinds.create_tuntap("t1", kind, options)
        assert found("t1", kind) == options
        told = shown("t1")
        assert [told["pi"], told["vnet_hdr"], told["multi_queue"], str(told["user"]), str(told["group"])] == [True] * 3 + ["12345", "23456"]
        with pytest.raises(KernelError, match=f"{kind} device t0: cannot be made: .*the name is taken") as caught:
            kinds.create_tuntap("t0", kind, {})
        assert caught.value.errno == 16
        assert len(ip("link", "show")) == 3

    sandboxed(inside)


def test_tuntap_without_the_driver(sandboxed: Sandbox) -> None:
    def inside() -> None:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/dev"], check=True)
        with pytest.raises(KernelError, match="cannot open /dev/net/tun: .*: load the kernel module tun"):
            kinds.create_tuntap("t0", "tap", {})

    sandboxed(inside)


def test_accounts_are_found_by_name() -> None:
    assert kinds.validate("tap", {"user": "root", "group": "root", "pi": "no"}, "link t0") == {"user": 0, "group": 0, "pi": False}
    with pytest.raises(
        InputError, match=r"link t0: tap\.user: there is no user 'nobody-of-that-name' on this host: correct it, or create the user first"
    ):
        kinds.validate("tap", {"user": "nobody-of-that-name"}, "link t0")


# -- input


def test_values_are_spelled_one_way() -> None:
    assert kinds.validate("vlan", {"id": "5", "protocol": "802.1Q", "gvrp": "on", "mvrp": None}, "x") == {
        "id": 5, "protocol": "802.1q", "gvrp": True,
    }  # fmt: skip
    assert kinds.validate("vxlan", {"id": 1, "remote": "2001:DB8:0::2"}, "x")["remote"] == "2001:db8::2"
    assert kinds.validate("bond", {"mode": 4}, "x") == {"mode": "802.3ad"}
    assert kinds.validate("vrf", {"table": "main"}, "x") == {"table": 254}
    assert kinds.validate("gre", {"key": "0.0.1.0", "csum": True}, "x") == {"ikey": 256, "okey": 256, "icsum": True, "ocsum": True}
    assert kinds.validate("dummy", {}, "x") == {}
    assert kinds.validate("vlan", {}, "x", False) == {}
    assert kinds.validate("bridge", {"stp": "on"}, "x") == {"stp": True}


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        ("token-ring", {}, "link x: there is no kind 'token-ring': use one of bond, bridge, dummy"),
        ("dummy", {"id": 1}, "link x: dummy: a link of this kind has no options of its own: remove id"),
        ("vlan", {"id": 5, "prot": 1}, "link x: vlan has no option 'prot': use one of id, protocol, "),
        ("vlan", {"protocol": "802.1q"}, "link x: vlan.id is required for a link of kind vlan: give it"),
        ("vlan", {"id": 4095}, "link x: vlan.id: 4095 is out of range: use a number from 0 to 4094"),
        ("vxlan", {"id": 2**24}, "link x: vxlan.id: 16777216 is out of range: use a number from 0 to 16777215"),
        ("vxlan", {"id": 1, "port": 0}, "vxlan.port: 0 is out of range"),
        ("vxlan", {"id": 1, "remote": "192.0.2.1", "group": "239.0.0.1"}, "exclude each other"),
        ("vxlan", {"id": 1, "remote": "239.0.0.1"}, "vxlan.remote: 239.0.0.1 is a multicast address: use group for it"),
        ("vxlan", {"id": 1, "group": "192.0.2.1"}, "vxlan.group: 192.0.2.1 is not a multicast address: use remote for a single peer"),
        (
            "vxlan",
            {"id": 1, "local": "192.0.2.1", "remote": "::1"},
            "vxlan.local and vxlan.remote are of different IP versions: use two of IPv4 or two of IPv6",
        ),
        ("vxlan", {"id": 1, "remote": "0.0.0.0"}, "leave the option out"),
        ("vxlan", {"id": 1, "remote": "192.0.2.1/24"}, "is not an IP address"),
        ("geneve", {"id": 1}, "geneve.remote is required"),
        ("macvlan", {"mode": "router"}, "macvlan.mode: 'router' is unknown: use one of private, vepa, bridge, passthru, source"),
        ("vrf", {"table": 0}, "vrf.table"),
        ("gre", {"key": 1, "ikey": 2}, "gre.ikey and gre.key say the same thing: remove one of them"),
        ("gre", {"remote": "2001:db8::1"}, "IPv4 outside"),
        ("gre", {"key": 2**32}, "gre.key: 4294967296 is out of range"),
        ("bond", {"miimon": 100, "updelay": 250}, "bond.updelay: 250 is not a multiple of miimon, which is 100"),
        ("bridge", {"stp": 7}, "bridge.stp: 7 is neither true nor false: write one of them"),
    ],
)
def test_input_is_refused(kind: str, options: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        kinds.validate(kind, options, "link x")
    assert sentence in str(caught.value)


def test_in_place() -> None:
    assert kinds.in_place("bridge", "stp", False, True)
    assert not kinds.in_place("vlan", "id", 1, 2)
    assert kinds.in_place("vlan", "gvrp", False, True)
    assert kinds.in_place("gre", "remote", "192.0.2.1", "192.0.2.2")
    assert not kinds.in_place("gre", "remote", None, "192.0.2.2")
    assert kinds.in_place("vxlan", "remote", None, "192.0.2.2")
    assert not kinds.in_place("vxlan", "remote", None, "2001:db8::2")


def test_every_kind_has_a_module() -> None:
    assert set(kinds.KINDS) < set(kinds.MODULE)


# -- pyroute2 itself


def test_pyroute2_is_good_enough() -> None:
    kinds.require_pyroute2()


def test_pyroute2_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: t.Any) -> t.Any:
        if name.split(".")[0] == "pyroute2":
            raise ModuleNotFoundError(f"No module named {name!r}", name="pyroute2")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    kinds._message_class.cache_clear()
    with pytest.raises(MissingLibrary) as caught:
        kinds.encode("vxlan", {"id": 1})
    assert str(caught.value) == (
        f"pyroute2 >= 0.7.2 is needed for links of kind vxlan and is not installed for {sys.executable}:"
        " install python3-pyroute2, or use the role linuxnet.netns.requirements"
    )


@pytest.mark.parametrize("version", ["0.5.14", "0.7.1", "0.7", "0.6.13.post1"])
def test_pyroute2_is_too_old(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    old = types.ModuleType("pyroute2")
    old.__dict__.update(__version__=version, __file__="/somewhere/pyroute2/__init__.py")
    monkeypatch.setitem(sys.modules, "pyroute2", old)
    with pytest.raises(MissingLibrary) as caught:
        kinds.require_pyroute2("links of kind vlan")
    assert f"needed for links of kind vlan, but {sys.executable} finds version {version} in /somewhere/pyroute2:" in str(caught.value)


@pytest.mark.parametrize("version", ["0.7.2", "0.7.12", "0.9.1rc2", "1.0"])
def test_pyroute2_is_new_enough(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    new = types.ModuleType("pyroute2")
    new.__dict__.update(__version__=version)
    monkeypatch.setitem(sys.modules, "pyroute2", new)
    kinds.require_pyroute2()
