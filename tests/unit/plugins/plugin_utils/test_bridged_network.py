# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import options
from ansible_collections.linuxnet.netns.plugins.plugin_utils import _bridged_network
from ansible_collections.linuxnet.netns.plugins.plugin_utils._networks import NetworkError


def host(dev: str) -> dict[str, t.Any]:
    return {
        "links": [{"name": "enp1s0", "mtu": 9000}],
        "veths": [],
        "routes": [
            {"dest": ["0.0.0.0/0"], "gateway": "192.0.2.1", "dev": dev},
            {"dest": ["::/0"], "gateway": "fe80::1", "dev": dev},
        ],
    }


def build(namespaces: t.Any, **given: t.Any) -> dict[str, t.Any]:
    defaults = {
        "name": "lan",
        "bridge": None,
        "uplink": "enp1s0",
        "move_host_addresses": True,
        "nameservers": None,
        "upstream": ["192.0.2.53"],
        "host": host("enp1s0"),
        "verify": [],
    }
    return _bridged_network.topology(namespaces, **{**defaults, **given})


PHONE = {"name": "phone", "addresses": ["192.0.2.10/24", "2001:db8::10/64"]}


def test_the_engine_understands_it() -> None:
    topology = build([PHONE, {"name": "door", "mac_address": "02:00:5e:10:00:01"}])
    assert topology.pop("verify") == []
    wanted = options.read(topology, "present", topology=True)
    assert {resource.KIND for resource in wanted.present} >= {"namespace", "link", "take_over", "veth", "address", "route"}


def gateways(topology: dict[str, t.Any]) -> list[str]:
    return [route["gateway"] for route in topology["routes"]]


@pytest.mark.parametrize("dev", ["enp1s0", "br-lan"])
def test_the_gateway_is_the_hosts_own_before_and_after_the_move(dev: str) -> None:
    assert gateways(build([PHONE], host=host(dev))) == ["192.0.2.1", "fe80::1"]


def test_no_gateway_that_is_not_near() -> None:
    assert gateways(build([PHONE], host=host("enp2s0"))) == []
    assert gateways(build([{"name": "a", "addresses": ["198.51.100.1/24"]}])) == []
    assert gateways(build([{"name": "a"}])) == []
    assert gateways(build([{**PHONE, "gateway": []}])) == []
    assert gateways(build([{**PHONE, "gateway": "192.0.2.9"}])) == ["192.0.2.9"]


def test_mtu_is_that_of_the_uplink() -> None:
    (pair,) = build([PHONE])["veths"]
    assert (pair["mtu"], pair["peer"]["mtu"]) == (9000, 9000)


def test_addresses_of_router_advertisements_are_left_alone() -> None:
    assert [item.get("exclusive") for item in build([PHONE])["addresses"]] == [True, None]


def test_without_the_move_the_uplink_is_a_plain_port() -> None:
    assert build([], move_host_addresses=False)["links"] == [
        {"name": "br-lan", "kind": "bridge"},
        {"name": "enp1s0", "master": "br-lan", "up": True},
    ]


def test_a_check_without_a_namespace_is_made_from_each() -> None:
    made = build([PHONE, "door"], verify=[{"ping": "192.0.2.1"}, {"netns": "/proc/self/ns/net", "ping": "192.0.2.1"}])["verify"]
    assert [check["netns"] for check in made] == ["phone", "door", "/proc/self/ns/net"]


def test_the_uplink_is_needed() -> None:
    with pytest.raises(NetworkError, match="^bridged_network_uplink: it is missing: name the physical interface"):
        build([PHONE], uplink="")


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            {"name": "a", "sysctls": {}},
            "bridged_network_namespaces[0]: 'sysctls' is not known: use name, addresses, gateway, mac_address, nameservers",
        ),
        (
            {"name": "a", "gateway": "192.0.2.1/24"},
            "bridged_network_namespaces: a: gateway: '192.0.2.1/24' is not an IP address without a prefix length",
        ),
        (
            {"name": "a", "gateway": ["192.0.2.1", "192.0.2.2"]},
            "bridged_network_namespaces: a: gateway: give one for each of IPv4 and IPv6 at most",
        ),
        (
            {"name": "a", "addresses": "there"},
            "bridged_network_namespaces: a: 'there' is not an address with a prefix length, such as 192.0.2.10/24 or 2001:db8::10/64",
        ),
    ],
)
def test_refused_in_one_sentence(item: dict[str, t.Any], message: str) -> None:
    with pytest.raises(NetworkError) as caught:
        build([item])
    assert str(caught.value) == message
