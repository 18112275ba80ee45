# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bridges and their ports: what the codec writes is read back by the kernel, iproute2 and pyroute2."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import bridge
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError

Sandbox = t.Callable[[t.Callable[[], t.Any]], None]

RTM_NEWLINK, RTM_GETLINK = 16, 18
CREATE, ACK = 0x600, 5

EVERY_BRIDGE_OPTION: dict[str, t.Any] = {
    "forward_delay": 400, "hello_time": 100, "max_age": 1000, "ageing_time": 12346, "stp": True, "priority": 4096, "group_fwd_mask": 8,
    "mcast_router": 2, "mcast_snooping": False, "mcast_query_use_ifaddr": True, "mcast_querier": True, "mcast_hash_max": 512,
    "mcast_last_member_count": 5, "mcast_startup_query_count": 6, "mcast_last_member_interval": 302, "mcast_membership_interval": 20002,
    "mcast_querier_interval": 20004, "mcast_query_interval": 10006, "mcast_query_response_interval": 1008,
    "mcast_startup_query_interval": 3010, "nf_call_iptables": True, "nf_call_ip6tables": True, "nf_call_arptables": True,
    "mcast_stats_enabled": True, "mcast_igmp_version": 3, "mcast_mld_version": 2, "no_linklocal_learn": True, "fdb_max_learned": 77,
}  # fmt: skip
# Kernels may be built without VLANs on bridges; then they say nothing of these.
VLAN_OPTIONS: dict[str, t.Any] = {
    "vlan_filtering": True, "vlan_protocol": "802.1ad", "vlan_default_pvid": 7, "vlan_stats_enabled": True, "vlan_stats_per_port": True,
    "mcast_vlan_snooping": True,
}  # fmt: skip
EVERY_PORT_OPTION: dict[str, t.Any] = {
    "priority": 12, "cost": 77, "hairpin": True, "guard": True, "root_block": True, "fast_leave": True, "learning": True, "flood": False,
    "proxy_arp": True, "proxy_arp_wifi": True, "mcast_router": 2, "mcast_flood": False, "mcast_to_unicast": True, "vlan_tunnel": True,
    "bcast_flood": False, "group_fwd_mask": 8, "neigh_suppress": True, "isolated": True, "locked": True, "mab": True,
    "neigh_vlan_suppress": True,
}  # fmt: skip
# Where iproute2's JSON has another name than its command line.
SHOWN = {
    "stp": "stp_state", "mcast_last_member_count": "mcast_last_member_cnt", "mcast_startup_query_count": "mcast_startup_query_cnt",
    "fast_leave": "fastleave", "mcast_router": "multicast_router",
}  # fmt: skip


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
            raise OSError(error, f"message of type {kind}")
    return answer[32:]


def linkinfo(*parts: tuple[int, bytes]) -> bytes:
    return bridge.attribute(18, b"".join(bridge.attribute(number, data) for number, data in parts))


def info_of(name: str) -> dict[int, bytes]:
    answer = request(RTM_GETLINK, 1, socket.if_nametoindex(name), b"")
    return dict(bridge.attributes(dict(bridge.attributes(answer))[18]))


def ip(*command: str) -> t.Any:
    shown = subprocess.run(("ip", "-details", "-json", *command), check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(shown) if shown.strip() else None


def compare(wanted: t.Mapping[str, t.Any], shown: t.Mapping[str, t.Any]) -> list[str]:
    """The options that iproute2 saw as they were asked for; another value fails."""
    seen = []
    for name, value in wanted.items():
        told = next((shown[key] for key in (SHOWN.get(name), name, name.replace("interval", "intvl")) if key in shown), None)
        if told is not None:
            assert (int(told, 0) if isinstance(told, str) else told) == value, name
            seen.append(name)
    return seen


# -- on the kernel


def test_a_bridge_is_born_with_its_options(sandboxed: Sandbox) -> None:
    def inside() -> None:
        data = bridge.encode_bridge(EVERY_BRIDGE_OPTION)
        request(RTM_NEWLINK, CREATE | ACK, 0, bridge.attribute(3, b"br0\0") + linkinfo((1, b"bridge"), (2, data)))
        shown = ip("link", "show", "dev", "br0")[0]["linkinfo"]["info_data"]
        seen = compare(EVERY_BRIDGE_OPTION, shown)
        assert set(EVERY_BRIDGE_OPTION) - set(seen) <= {"fdb_max_learned"}  # iproute2 before 6.7 does not know it
        found = bridge.decode_bridge(info_of("br0")[2])
        assert {name: found.get(name) for name in EVERY_BRIDGE_OPTION} == EVERY_BRIDGE_OPTION

    sandboxed(inside)


def test_a_bridge_changes_in_place(sandboxed: Sandbox) -> None:
    def inside() -> None:
        ip("link", "add", "br0", "type", "bridge")
        index = socket.if_nametoindex("br0")
        before = bridge.decode_bridge(info_of("br0")[2])
        for name, value in EVERY_BRIDGE_OPTION.items():
            request(RTM_NEWLINK, ACK, index, linkinfo((1, b"bridge"), (2, bridge.encode_bridge({name: value}))))
            after = bridge.decode_bridge(info_of("br0")[2])
            assert after == {**before, name: value}
            before = after

    sandboxed(inside)


def test_a_port_is_set(sandboxed: Sandbox) -> None:
    def inside() -> None:
        ip("link", "add", "br0", "type", "bridge")
        ip("link", "add", "p0", "type", "veth", "peer", "name", "p1")
        ip("link", "set", "p0", "master", "br0")
        data = bridge.encode_port(EVERY_PORT_OPTION)
        request(RTM_NEWLINK, ACK, socket.if_nametoindex("p0"), linkinfo((4, b"bridge"), (5, data)))
        shown = ip("link", "show", "dev", "p0")[0]["linkinfo"]["info_slave_data"]
        seen = compare(EVERY_PORT_OPTION, shown)
        assert set(EVERY_PORT_OPTION) - set(seen) <= {"mab", "neigh_vlan_suppress"}  # iproute2 before 6.3 does not know them
        found = bridge.decode_port(info_of("p0")[5])
        assert {name: found.get(name) for name in EVERY_PORT_OPTION} == EVERY_PORT_OPTION
        off = {name: False for name, value in EVERY_PORT_OPTION.items() if value is True}
        request(RTM_NEWLINK, ACK, socket.if_nametoindex("p0"), linkinfo((4, b"bridge"), (5, bridge.encode_port(off))))
        assert bridge.decode_port(info_of("p0")[5]) == {**found, **off}

    sandboxed(inside)


def test_what_a_fresh_bridge_and_port_tell_is_valid_input(sandboxed: Sandbox) -> None:
    def inside() -> None:
        ip("link", "add", "br0", "type", "bridge")
        ip("link", "add", "p0", "type", "veth", "peer", "name", "p1")
        ip("link", "set", "p0", "master", "br0")
        told = bridge.decode_bridge(info_of("br0")[2])
        assert {"stp", "forward_delay", "no_linklocal_learn", "mcast_startup_query_interval"} <= set(told)
        assert bridge.validate_bridge(told, "link br0") == told
        port = bridge.decode_port(info_of("p0")[5])
        assert {"cost", "isolated", "learning"} <= set(port)
        assert bridge.validate_port(port, "link p0") == port

    sandboxed(inside)


# -- bytes


def test_every_option_is_exercised() -> None:
    assert set(EVERY_BRIDGE_OPTION) | set(VLAN_OPTIONS) == set(bridge.BRIDGE)
    assert set(EVERY_PORT_OPTION) == set(bridge.PORT)


def test_bytes_that_iproute2_sends() -> None:
    # ip link add type bridge stp_state 1 vlan_protocol 802.1ad group_fwd_mask 8 no_linklocal_learn 1 mcast_querier_interval 100
    sent = "08000500010000000600080088a8000006000900080000000c00200064000000000000000c002e000100000001000000"
    options = {"stp": True, "vlan_protocol": "802.1ad", "group_fwd_mask": 8, "no_linklocal_learn": True, "mcast_querier_interval": 100}
    assert dict(bridge.attributes(bridge.encode_bridge(options))) == dict(bridge.attributes(bytes.fromhex(sent)))


def test_vlan_options_by_number() -> None:
    data = bridge.encode_bridge(VLAN_OPTIONS)
    assert dict(bridge.attributes(data)) == {
        7: b"\1", 8: b"\x88\xa8", 39: struct.pack("=H", 7), 41: b"\1", 45: b"\1", 46: struct.pack("=II", 2, 2),
    }  # fmt: skip
    assert bridge.decode_bridge(data) == VLAN_OPTIONS


def test_a_bit_that_is_off_is_still_in_the_mask() -> None:
    data = bridge.encode_bridge({"no_linklocal_learn": False})
    assert dict(bridge.attributes(data)) == {46: struct.pack("=II", 0, 1)}


def test_nothing_is_nothing() -> None:
    assert bridge.encode_bridge({}) == bridge.encode_port({}) == b""
    assert bridge.decode_bridge(b"") == bridge.decode_port(b"") == {}
    assert bridge.encode_bridge({"stp": None}) == b""


def test_attributes_of_a_cut_buffer_end_quietly() -> None:
    whole = bridge.attribute(1, b"abc") + bridge.attribute(2, b"defg")
    assert list(bridge.attributes(whole)) == [(1, b"abc"), (2, b"defg")]
    assert list(bridge.attributes(whole[:10])) == [(1, b"abc")]
    assert list(bridge.attributes(b"\0" * 8)) == []


# -- VLANs of ports


def test_port_vlans_as_pyroute2_reads_them() -> None:
    ifinfmsg = pytest.importorskip("pyroute2.netlink.rtnl.ifinfmsg").ifinfmsg
    body = bridge.encode_port_vlans(5, {10: 6, 20: 0})
    message = ifinfmsg(struct.pack("=IHHII", 16 + len(body), 19, 0, 0, 0) + body)
    message.decode()
    assert (message["family"], message["index"]) == (7, 5)
    entries = [(entry["vid"], entry["flags"]) for entry in (value for _name, value in message.get_attr("IFLA_AF_SPEC")["attrs"])]
    assert entries == [(10, 6), (20, 0)]


def test_port_vlans_are_read_back() -> None:
    body = bridge.encode_port_vlans(5, {10: 6, 20: 0, 30: 8, 33: 16})
    found = bridge.decode_port_vlans(dict(bridge.attributes(body[16:]))[26])
    assert found == {10: 6, 20: 0, 30: 0, 31: 0, 32: 0, 33: 0}
    assert bridge.port_vlans(found) == {"pvid": 10, "vlans": (20, 30, 31, 32, 33)}
    assert bridge.port_vlans({5: 0}) == {"vlans": (5,)}


@pytest.mark.parametrize(
    ("port", "wanted"),
    [
        ({}, {1: 6, 5: 0}),
        ({"pvid": 10}, {5: 0, 10: 6}),
        ({"vlans": (20,)}, {1: 6, 20: 0}),
        ({"pvid": 10, "vlans": ()}, {10: 6}),
        ({"pvid": 5}, {5: 6}),
        ({"vlans": (1,)}, {1: 0}),
    ],
)
def test_wanted_port_vlans(port: dict[str, t.Any], wanted: dict[int, int]) -> None:
    assert bridge.wanted_port_vlans(port, {1: 6, 5: 0}) == wanted


# -- input


def test_values_are_spelled_one_way() -> None:
    given = {"stp": "yes", "hello_time": "201", "vlan_protocol": "802.1AD", "priority": 0, "ageing_time": None}
    assert bridge.validate_bridge(given, "link br0") == {"stp": True, "hello_time": 200, "vlan_protocol": "802.1ad", "priority": 0}
    port = {"isolated": True, "cost": "5", "pvid": "10", "vlans": ["20-22", 30, 10], "learning": None}
    assert bridge.validate_port(port, "link p0") == {"isolated": True, "cost": 5, "pvid": 10, "vlans": (20, 21, 22, 30)}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"hello_time": 99}, "link br0: bridge.hello_time: 99 is out of range: use a number from 100 to 1000"),
        ({"stp": "maybe"}, "link br0: bridge.stp: 'maybe' is neither true nor false: write one of them"),
        ({"vlan_protocol": "ipx"}, "link br0: bridge.vlan_protocol: 'ipx' is unknown: use one of 802.1q, 802.1ad"),
        ({"priority": True}, "bridge.priority: True is out of range"),
        ({"group_fwd_mask": 4}, "bits 0 to 2"),
        ({"stp": True, "forward_delay": 0}, "at least 200"),
        ({"mcast_hash_max": 48}, "48 is not a power of two: use one such as 4096"),
        ({"colour": "red"}, "bridge has no option 'colour': use one of forward_delay"),
    ],
)
def test_a_bridge_is_refused(options: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        bridge.validate_bridge(options, "link br0")
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"cost": 0}, "link p0: port.cost: 0 is out of range: use a number from 1 to 65535"),
        ({"pvid": 4095}, "link p0: port.pvid: 4095 is out of range: use a number from 1 to 4094"),
        ({"vlans": ["9-5"]}, "'9-5' is empty"),
        ({"vlans": ["x"]}, "port.vlans: 'x' is out of range"),
        ({"group_fwd_mask": 2}, "pause frames"),
        ({"colour": "red"}, "port has no option 'colour'"),
    ],
)
def test_a_port_is_refused(options: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        bridge.validate_port(options, "link p0")
    assert sentence in str(caught.value)
