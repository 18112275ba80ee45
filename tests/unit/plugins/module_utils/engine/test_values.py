# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One spelling for every value."""

from __future__ import annotations

import ipaddress
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import values, values_ip, values_sysctl
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError


@pytest.mark.parametrize("name", ["a", "eth0", "eth0.100", "123456789012345", "br-lab", "wlan@home", "äöüäöüä", "...", "lo", "allall"])
def test_interface_names(name: str) -> None:
    assert values.interface_name(name, "name") == name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "'' is not an interface name: it has 0 bytes, allowed are 1 to 15"),
        ("1234567890123456", "'1234567890123456' is not an interface name: it has 16 bytes, allowed are 1 to 15"),
        ("äöüäöüäö", "'äöüäöüäö' is not an interface name: it has 16 bytes, allowed are 1 to 15"),
        *(
            (name, f"{name!r} is not an interface name: remove dots alone, slashes, colons, percent signs and white space")
            for name in (".", "..", "a/b", "eth0:1", "a b", "a\tb", "a\n", "veth%d", "a\0b")
        ),
        ("all", "'all' is not an interface name: the kernel keeps it for sysctls that mean every device"),
        ("default", "'default' is not an interface name: the kernel keeps it for sysctls that mean every device"),
    ],
)
def test_no_interface_names(name: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        values.interface_name(name, "peer.name")
    assert str(caught.value) == f"peer.name: {said}"


@pytest.mark.parametrize(
    ("given", "reference"),
    [
        (None, ""),
        ("blue", "blue"),
        ("with blank", "with blank"),
        ("/run/netns/blue", "blue"),
        ("/var/run/netns/blue", "blue"),
        ("//run//netns/../netns/blue", "blue"),
        ("/proc/4711/ns/net", "/proc/4711/ns/net"),
        ("/proc/self/ns/net", ""),
        ("/proc/thread-self/ns/net", ""),
        ("/run/docker/netns/abc", "/run/docker/netns/abc"),
    ],
)
def test_references(given: str | None, reference: str) -> None:
    assert values.netns_reference(given) == reference


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "'' is not a namespace name: use a plain file name such as 'blue'"),
        (".", "'.' is not a namespace name: use a plain file name such as 'blue'"),
        ("..", "'..' is not a namespace name: use a plain file name such as 'blue'"),
        ("../etc", "'../etc' is not a namespace name: it contains a slash: use a plain file name such as 'blue'"),
        ("a" * 256, f"the namespace name '{'a' * 20}...' has 256 bytes, allowed are 1 to 255"),
    ],
)
def test_no_references(name: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        values.netns_reference(name)
    assert str(caught.value) == f"netns: {said}"


def test_places_in_words() -> None:
    assert (values.place(""), values.place("blue"), values.place("/proc/1/ns/net")) == (
        "on the host",
        "in namespace 'blue'",
        "in namespace '/proc/1/ns/net'",
    )


@pytest.mark.parametrize("given", ["02:00:5e:10:00:01", "02-00-5E-10-00-01", "02:00:5E:10:00:01"])
def test_mac_addresses(given: str) -> None:
    assert values.mac_address(given, "mac_address") == "02:00:5e:10:00:01"


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("192.0.2.1/24", "192.0.2.1/24"),
        ("2001:DB8:0::1/64", "2001:db8::1/64"),
        ("10.0.0.1/255.255.0.0", "10.0.0.1/16"),
        ("::1/128", "::1/128"),
    ],
)
def test_ip_interfaces(given: str, canonical: str) -> None:
    address, prefixlen = values_ip.ip_interface(given, "address")
    assert f"{address}/{prefixlen}" == canonical


_PREFIX_LENGTHS = st.one_of(st.integers(-1, 200).map(str), st.sampled_from(["", "024", "+8", "٣", "8 ", "255.255.0.0", "0.0.0.255", "1/2"]))


@given(st.sampled_from(["192.0.2.1", "2001:db8::1", "::1", "192.0.2.256", "blue", ""]), _PREFIX_LENGTHS)
def test_ip_interfaces_are_what_the_library_takes_for_one(host: str, length: str) -> None:
    text = f"{host}/{length}"
    try:
        meant = ipaddress.ip_interface(text)
    except ValueError:
        with pytest.raises(InputError):
            values_ip.ip_interface(text, "address")
    else:
        assert values_ip.ip_interface(text, "address") == (meant.ip, meant.network.prefixlen)


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.1", "10.0.0.1/32"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::/0", "::/0"),
    ],
)
def test_ip_prefixes(given: str, canonical: str) -> None:
    assert values_ip.ip_prefix(given, "dest") == canonical


def test_families() -> None:
    assert (values_ip.family_of("10.0.0.0/8"), values_ip.family_of("::")) == ("ipv4", "ipv6")


@pytest.mark.parametrize("function", [values_ip.ip_interface, values_ip.ip_address, values_ip.ip_prefix])
@pytest.mark.parametrize("given", ["fe80::1%eth0", "fe80::1%eth0/64"])
def test_a_zone_is_said_with_dev(function: t.Callable[[str, str], object], given: str) -> None:
    with pytest.raises(InputError) as caught:
        function(given, "gateway")
    assert str(caught.value) == f"gateway: {given!r} has a zone: remove %eth0 and name the device with dev"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
        ("net/ipv4/ip_forward", "net/ipv4/ip_forward"),
        ("net.ipv4.conf.eth0.forwarding", "net/ipv4/conf/eth0/forwarding"),
        ("net.ipv4.conf.eth0.100.forwarding", "net/ipv4/conf/eth0.100/forwarding"),
        ("net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding"),
        ("net/ipv4/conf/eth0.100/forwarding", "net/ipv4/conf/eth0.100/forwarding"),
        ("net.ipv6.neigh.a.b.c.mcast_solicit", "net/ipv6/neigh/a.b.c/mcast_solicit"),
        ("net.mpls.conf.lo.input", "net/mpls/conf/lo/input"),
        ("net.core.somaxconn", "net/core/somaxconn"),
    ],
)
def test_sysctl_paths(name: str, path: str) -> None:
    assert values_sysctl.sysctl_path(name) == path


@pytest.mark.parametrize("name", ["kernel.hostname", "net", "vm.swappiness", "/net/ipv4"])
def test_sysctls_of_the_host_are_refused(name: str) -> None:
    with pytest.raises(
        InputError, match=r"^name: .* is not a network sysctl: use one such as .*, since only net\.\* belongs to a namespace$"
    ):
        values_sysctl.sysctl_path(name)


@pytest.mark.parametrize("name", ["net/../kernel/hostname", "net..ipv4", "net.ipv4.", "net/ipv4/./x", "net/ipv4//x"])
def test_sysctls_that_lead_elsewhere_are_refused(name: str) -> None:
    sentence = "it has an empty part, dots alone or a zero byte: write it as in net.ipv4.ip_forward"
    with pytest.raises(InputError, match=f"^name: .* is not a sysctl name: {sentence}$"):
        values_sysctl.sysctl_path(name)


@pytest.mark.parametrize(
    ("value", "text"), [(True, "1"), (False, "0"), (1, "1"), (-1, "-1"), ("1024\t 65000\n", "1024 65000"), ("cubic", "cubic")]
)
def test_sysctl_values(value: object, text: str) -> None:
    assert values_sysctl.sysctl_value(value) == text


@pytest.mark.parametrize("value", ["", "  ", None, [1024, 65000], {"a": 1}, 1.5])
def test_what_no_sysctl_has(value: object) -> None:
    with pytest.raises(InputError) as caught:
        values_sysctl.sysctl_value(value, "sysctls.net.x")
    assert str(caught.value) == f"sysctls.net.x: {value!r} is not a sysctl's value: write a number or a text, such as 1 or '1024 65000'"


@pytest.mark.parametrize(
    ("value", "number"), [("main", 254), ("local", 255), ("default", 253), ("7", 7), (4294967295, 4294967295), ("mine", 42)]
)
def test_tables(value: object, number: int) -> None:
    assert values_ip.table_number(value, {"mine": 42}) == number


@pytest.mark.parametrize("value", [0, "0", -1, 4294967296, "other", "", "²", "1.5"])
def test_no_tables(value: object) -> None:
    with pytest.raises(InputError) as caught:
        values_ip.table_number(value, {"mine": 42})
    assert str(caught.value) == f"table: {value!r} is neither a number from 1 to 4294967295 nor a name in rt_tables"


def test_numbers_and_names() -> None:
    assert [values_ip.named_number(given, values_ip.SCOPES, "scope") for given in ("global", "link", "7", 255)] == [0, 253, 7, 255]
    assert values.number(5, "mtu", 5, 5) == 5
    for value in (True, "5", 4, 6, None):
        with pytest.raises(InputError) as caught:
            values.number(value, "mtu", 5, 5)
        assert str(caught.value) == f"mtu: {value!r} is out of range: use a number from 5 to 5"
