# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import options
from ansible_collections.linuxnet.netns.plugins.plugin_utils import _nat_network
from ansible_collections.linuxnet.netns.plugins.plugin_utils._networks import NetworkError

SUBNETS = ("10.77.0.0/24", "fd77::/64")
HOST = {
    "addresses": [{"dev": "enp1s0", "address": ["192.0.2.5/24"]}],
    "links": [{"name": "enp1s0", "mtu": 1400, "up": True}],
    "veths": [],
    "routes": [{"dest": ["0.0.0.0/0"], "gateway": "192.0.2.1", "dev": "enp1s0", "protocol": "static"}],
}


def build(namespaces: t.Any, **given: t.Any) -> dict[str, t.Any]:
    defaults = {
        "name": "lab",
        "subnets": SUBNETS,
        "bridge": None,
        "uplink": "auto",
        "mtu": None,
        "nameservers": None,
        "upstream": ["192.0.2.53", "2001:db8::53"],
        "host": HOST,
        "found": [],
        "verify": [],
    }
    return _nat_network.topology(namespaces, **{**defaults, **given})


def addresses(topology: dict[str, t.Any]) -> dict[str, list[str]]:
    return {item["netns"]: item["address"] for item in topology["addresses"] if "netns" in item}


def found(given: dict[str, list[str]]) -> list[dict[str, t.Any]]:
    return [{"netns": netns, "dev": "eth0", "address": [address]} for netns, listed in given.items() for address in listed]


def test_the_engine_understands_it() -> None:
    topology = build(["web", {"name": "db", "sysctls": {"net.ipv4.ip_forward": 1}}])
    assert topology.pop("verify") == []
    wanted = options.read(topology, "present", topology=True)
    assert {resource.KIND for resource in wanted.present} >= {"namespace", "link", "veth", "address", "route", "sysctl", "nat"}


def test_published_ports_lead_to_the_addresses_of_their_namespace() -> None:
    ports = [
        8443,
        {"host_port": 80, "to_port": 8080, "protocol": None},
        {"host_port": "53", "host_address": "192.0.2.5", "protocol": "udp"},
    ]
    web = {"name": "web", "addresses": ["10.77.0.9/24", "fd77::9/64"], "publish": ports}
    (nat,) = build([web, "db"], isolation="strict")["nat"]
    assert nat["isolation"] == "strict"
    assert nat["publish"] == [
        {"host_port": 8443, "to_address": "10.77.0.9"},
        {"host_port": 8443, "to_address": "fd77::9"},
        {"host_port": 80, "to_port": 8080, "to_address": "10.77.0.9"},
        {"host_port": 80, "to_port": 8080, "to_address": "fd77::9"},
        {"host_port": "53", "host_address": "192.0.2.5", "protocol": "udp", "to_address": "10.77.0.9"},
    ]


@pytest.mark.parametrize(
    ("publish", "sentence"),
    [
        ([{"port": 80}], "publish[0]: 'port' is not known: use protocol, host_address, host_port, to_port"),
        ([80, {"to_port": 80}], "publish[1]: a published port needs host_port: give it"),
        ([{"host_port": 80, "host_address": "fd77::1"}], "publish[0]: host_address fd77::1 is of IPv6, and the network has no such subnet"),
        ([{"host_port": 80, "host_address": "x"}], "publish[0]: host_address: 'x/0' is not an address"),
    ],
)
def test_ports_that_cannot_be_published(publish: list[t.Any], sentence: str) -> None:
    with pytest.raises(NetworkError) as caught:
        build([{"name": "web", "publish": publish}], subnets=["10.77.0.0/24"])
    assert str(caught.value).startswith(f"nat_network_namespaces: web: {sentence}")


def test_a_new_bridge_has_a_mac_address_of_its_own() -> None:
    """It would have that of a port, and another one when that port goes."""
    (bridge,) = build(["web"])["links"]
    assert bridge["mac_address"].startswith("02:")
    assert build(["db"])["links"] == [bridge], "it is always the same"
    assert build(["web"], name="other")["links"][0]["mac_address"] != bridge["mac_address"]
    for mac in ({}, {"mac_address": "02:00:5e:10:00:01"}):
        there = {**HOST, "links": [*HOST["links"], {"name": bridge["name"], "kind": "bridge", **mac}]}
        kept = build(["web"], host=there)["links"][0].get("mac_address")
        assert kept == mac.get("mac_address"), "who had it before keeps his neighbours"


def test_addresses_are_in_the_subnets_and_differ() -> None:
    given = addresses(build([f"n{number}" for number in range(200)]))
    everything = [ipaddress.ip_interface(address) for listed in given.values() for address in listed]
    assert len(set(everything)) == 400
    for address in everything:
        assert str(address.network) in SUBNETS
        assert address.ip not in (address.network[0], address.network[1])
        assert address.version == 6 or address.ip != address.network.broadcast_address


def test_the_place_in_the_list_does_not_matter() -> None:
    names = [f"n{number}" for number in range(100)]
    assert addresses(build(names)) == addresses(build(names[::-1]))


def test_an_address_stays_when_others_come_and_go() -> None:
    names = [f"n{number}" for number in range(100)]
    first = addresses(build(names))
    second = addresses(build([*(f"new{number}" for number in range(100)), *names[50:]], found=found(first)))
    assert {name: second[name] for name in names[50:]} == {name: first[name] for name in names[50:]}
    # the first fifty still exist, listed or not: nobody gets their addresses
    taken = {address for name in names[:50] for address in first[name]}
    assert taken.isdisjoint(address for name, listed in second.items() for address in listed)


def test_a_full_subnet_is_used_to_the_last_address_and_then_refused() -> None:
    given = addresses(build([f"n{number}" for number in range(5)], subnets=["10.77.0.0/29"]))
    assert sorted(address for listed in given.values() for address in listed) == [f"10.77.0.{number}/29" for number in range(2, 7)]
    with pytest.raises(
        NetworkError, match="^nat_network_subnets: 10.77.0.0/29 is full, there is no address left for namespace n5: use a larger one$"
    ):
        build([f"n{number}" for number in range(6)], subnets=["10.77.0.0/29"])


def test_the_addresses_of_those_who_leave_are_drawn_last_and_not_refused() -> None:
    there = found({"a": ["10.77.0.2/30"]})
    assert addresses(build(["b"], subnets=["10.77.0.0/30"], found=there)) == {"b": ["10.77.0.2/30"]}
    first = addresses(build([f"n{number}" for number in range(3)], subnets=["10.77.0.0/29"]))
    second = addresses(build(["n0", "new"], subnets=["10.77.0.0/29"], found=found(first)))
    assert second["n0"] == first["n0"]
    assert second["new"] not in first.values()


def test_a_check_without_a_namespace_is_made_from_each() -> None:
    topology = build(["web", "db"], verify=[{"ping": "203.0.113.10"}, {"netns": "other", "tcp": "203.0.113.10:80", "retries": "0"}])
    shown = [(check["netns"], check.get("ping"), check["retries"]) for check in topology["verify"]]
    assert shown == [("web", "203.0.113.10", 3), ("db", "203.0.113.10", 3), ("other", None, 0)]


def test_what_is_asked_for_comes_before_what_is_there() -> None:
    there = found({"a": ["10.77.0.9/24"], "b": ["10.77.0.5/24", "fd77::5/64"]})
    given = addresses(build([{"name": "a", "addresses": ["10.77.0.7/24"]}, "b"], found=there))
    assert given == {"a": ["10.77.0.7/24", given["a"][1]], "b": ["10.77.0.5/24", "fd77::5/64"]}
    # who has it and asks for another one gives it away
    swapped = [{"name": "a", "addresses": ["10.77.0.5/24"]}, {"name": "b", "addresses": ["10.77.0.9/24"]}]
    assert [listed[0] for listed in addresses(build(swapped, found=there)).values()] == ["10.77.0.5/24", "10.77.0.9/24"]
    # and so does who goes
    assert addresses(build(swapped[:1], found=there))["a"][0] == "10.77.0.5/24"


def test_nobody_loses_the_address_that_he_has_to_another() -> None:
    there = found({"b": ["10.77.0.5/24"]})
    expected = "^nat_network_namespaces: a: 10.77.0.5/24 is what namespace b has: give a another address, or b one by its own addresses$"
    with pytest.raises(NetworkError, match=expected):
        build([{"name": "a", "addresses": ["10.77.0.5/24"]}, "b"], found=there)


def test_a_packet_without_a_size_is_as_large_as_the_network_takes() -> None:
    verify = [{"mtu": {"to": "203.0.113.10"}}, {"mtu": {"to": "203.0.113.10", "size": 1280}}]
    assert [check["mtu"]["size"] for check in build(["a"], verify=verify)["verify"]] == [1400, 1280]
    with pytest.raises(NetworkError, match="size"):
        build(["a"], host={}, verify=verify)


def test_what_to_do_about_other_firewalls_is_handed_on() -> None:
    assert "foreign_drop" not in build(["a"])["nat"][0]
    assert build(["a"], foreign_drop="accept")["nat"][0]["foreign_drop"] == "accept"


def test_mtu_is_that_of_the_uplink_unless_chosen() -> None:
    for topology, mtu in ((build(["a"]), 1400), (build(["a"], mtu=9000), 9000), (build(["a"], uplink="enp1s0"), 1400)):
        (pair,) = topology["veths"]
        assert (pair["mtu"], pair["peer"]["mtu"], topology["links"][0]["mtu"]) == (mtu, mtu, mtu)
    (pair,) = build(["a"], host={})["veths"]
    assert "mtu" not in pair


def test_the_default_route_with_the_lowest_metric_decides() -> None:
    routes = [
        {"dest": ["0.0.0.0/0"], "dev": "slow0", "gateway": "192.0.2.1", "metric": 600},
        {"dest": ["0.0.0.0/0"], "dev": "enp1s0", "gateway": "192.0.2.1", "metric": 100},
        {"dest": ["0.0.0.0/0"], "dev": "other0", "gateway": "192.0.2.1", "table": "7"},
    ]
    links = [{"name": name, "mtu": mtu} for name, mtu in (("slow0", 1300), ("enp1s0", 1400), ("other0", 1200))]
    assert build(["a"], host={"routes": routes, "links": links})["links"][0]["mtu"] == 1400


def test_dns_servers_of_an_ip_version_that_the_network_lacks_are_left_out() -> None:
    assert build(["a"])["namespaces"] == [{"name": ["a"], "nameservers": ["192.0.2.53", "2001:db8::53"]}]
    assert build(["a"], subnets=["10.77.0.0/24"])["namespaces"] == [{"name": ["a"], "nameservers": ["192.0.2.53"]}]
    assert build(["a"], nameservers=[])["namespaces"] == [{"name": ["a"]}]
    assert build([{"name": "a", "nameservers": ["192.0.2.1"]}])["namespaces"] == [{"name": ["a"], "nameservers": ["192.0.2.1"]}]
    with pytest.raises(NetworkError, match="^nat_network_nameservers: the host names no DNS server that can be reached from a namespace"):
        build(["a"], upstream=[])


@pytest.mark.parametrize(
    ("namespaces", "given", "message"),
    [
        (
            [{"name": "a", "ports": []}],
            {},
            "nat_network_namespaces[0]: 'ports' is not known: use name, addresses, publish, nameservers, sysctls",
        ),
        (["a", "a"], {}, "nat_network_namespaces[1]: namespace 'a' is listed twice: remove one of them"),
        ([{}], {}, "nat_network_namespaces[0]: a namespace needs a name, and None is none"),
        ([7], {}, "nat_network_namespaces[0]: a namespace needs a name, and 7 is none"),
        (
            [{"name": "a", "addresses": ["10.77.0.5"]}],
            {},
            "nat_network_namespaces: a: '10.77.0.5' needs its prefix length, such as 10.77.0.5/24",
        ),
        (
            [{"name": "a", "addresses": ["10.77.0.5/16"]}],
            {},
            "nat_network_namespaces: a: 10.77.0.5/16 has another prefix length than 10.77.0.0/24: write 10.77.0.5/24",
        ),
        (
            [{"name": "a", "addresses": ["10.77.0.5/24"]}, {"name": "b", "addresses": ["10.77.0.5/24"]}],
            {},
            "nat_network_namespaces: b: 10.77.0.5/24 belongs to namespace a too: give one of them another address",
        ),
        (
            [{"name": "a", "addresses": ["10.77.0.5/24", "10.77.0.6/24"]}],
            {},
            "nat_network_namespaces: a: 10.77.0.6/24 is the second address of IPv4: give one of each at most",
        ),
        (["a"], {"subnets": []}, "nat_network_subnets: give at least one subnet"),
        (["a"], {"subnets": ["10.0.0.0/31"]}, "nat_network_subnets: 10.0.0.0/31 is too small for a gateway and a namespace"),
        (
            ["a"],
            {"subnets": ["10.0.0.0/24", "10.1.0.0/24"]},
            "nat_network_subnets: 10.1.0.0/24 is the second of IPv4: give one of each at most",
        ),
        (
            ["a"],
            {"subnets": ["192.0.0.0/16"]},
            "nat_network_subnets: 192.0.0.0/16 overlaps with 192.0.2.5/24 on enp1s0: choose another subnet",
        ),
        (["a"], {"nameservers": ["there"]}, "nat_network_nameservers: 'there' is not an IP address"),
        (
            ["a", "b"],
            {"verify": [{"ping": "203.0.113.10"}, {"netns": "a"}]},
            "nat_network_verify[1].ping: none is given: a check has exactly one of http, mtu, ping, tcp, udp_dns",
        ),
    ],
)
def test_refused_in_one_sentence(namespaces: t.Any, given: dict[str, t.Any], message: str) -> None:
    with pytest.raises(NetworkError) as caught:
        build(namespaces, **given)
    assert str(caught.value) == message
