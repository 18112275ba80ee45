# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks from options: what is meant, and a sentence for what cannot be."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import probe_options
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.probe_options import Check, Place


def one(**item: t.Any) -> Check:
    (check,) = probe_options.read([item])
    return check


def test_what_is_left_out() -> None:
    check = one(ping="192.0.2.1")
    assert (check.netns, check.timeout, check.retries, check.expect_source) == ("", 5.0, 3, None)
    assert one(ping="192.0.2.1", timeout=None, retries=None, expect_source=None, tcp=None) == check
    assert one(ping="192.0.2.1", netns="/run/netns/blue", timeout=2, retries=0).netns == "blue"


@pytest.mark.parametrize(
    ("kind", "value", "to"),
    [
        ("ping", "192.0.2.1", Place("192.0.2.1")),
        ("ping", "2001:DB8:0::1", Place("2001:db8::1")),
        ("ping", "fe80::1%eth0", Place("fe80::1", "eth0")),
        ("ping", "www.example.com.", Place("www.example.com")),
        ("ping", "localhost", Place("localhost")),
        ("tcp", "192.0.2.1:443", Place("192.0.2.1", "", 443)),
        ("tcp", "[2001:db8::1]:443", Place("2001:db8::1", "", 443)),
        ("tcp", "[fe80::1%eth0]:443", Place("fe80::1", "eth0", 443)),
        ("tcp", "a_b.example:1", Place("a_b.example", "", 1)),
        ("udp_dns", "www.example.com", None),
        ("udp_dns", {"name": "www.example.com", "server": "192.0.2.53"}, Place("192.0.2.53", "", 53)),
        ("http", "http://192.0.2.1/", Place("192.0.2.1", "", 80)),
        ("http", "HTTP://[2001:db8::1]:8080", Place("2001:db8::1", "", 8080)),
        ("http", "https://www.example.com", Place("www.example.com", "", 443)),
        ("mtu", {"to": "192.0.2.1", "size": 1500}, Place("192.0.2.1")),
    ],
)
def test_whom_to_talk_to(kind: str, value: t.Any, to: Place | None) -> None:
    check = one(**{kind: value})
    assert (check.kind, check.to) == (kind, to)


def test_what_is_asked_for() -> None:
    check = one(http="http://www.example.com:8080?a=%20b#part", netns="blue")
    assert (check.path, check.header, check.secure) == ("/?a=%20b", "www.example.com:8080", False)
    assert check.describe() == "http http://www.example.com:8080?a=%20b#part in namespace 'blue'"
    assert one(udp_dns={"name": "a.example", "server": "192.0.2.53"}).describe() == "udp_dns a.example at 192.0.2.53 on the host"
    assert one(mtu={"to": "192.0.2.1", "size": 1500}).describe() == "mtu 1500 to 192.0.2.1 on the host"


BAD: list[tuple[dict[str, t.Any], str]] = [
    ({}, "ping: none is given: a check has exactly one of http, mtu, ping, tcp, udp_dns"),
    ({"ping": "192.0.2.1", "tcp": "192.0.2.1:1"}, "tcp: ping and tcp are given"),
    ({"ping": ""}, "ping: '' cannot be asked for"),
    ({"ping": "0.0.0.0"}, "it is the unspecified address"),
    ({"ping": "ff02::1"}, "it is a multicast address"),
    ({"ping": "fe80::1"}, "'fe80::1' is link-local: say by which device, as fe80::1%eth0"),
    ({"ping": "192.0.2.1%eth0"}, "remove %eth0"),
    ({"ping": "fe80::1%"}, "is not an interface name"),
    ({"ping": "192.0.2.300"}, "neither an IP address nor a host name"),
    ({"ping": "192.0.2.1/24"}, "neither an IP address nor a host name"),
    ({"ping": "-x.example"}, "neither an IP address nor a host name"),
    ({"ping": "a..example"}, "neither an IP address nor a host name"),
    ({"ping": "a." * 130 + "b"}, "neither an IP address nor a host name"),
    ({"ping": "b\u00fccher.example"}, "neither an IP address nor a host name"),
    ({"tcp": "192.0.2.1"}, "has no port that can be told apart"),
    ({"tcp": "2001:db8::1:443"}, "write host:port, an IPv6 address as [2001:db8::1]:443"),
    ({"tcp": "[2001:db8::1]"}, "has no port that can be told apart"),
    ({"tcp": "192.0.2.1:0"}, "tcp: 0 is out of range"),
    ({"tcp": "192.0.2.1:65536"}, "tcp: 65536 is out of range"),
    ({"tcp": "192.0.2.1:http"}, "'http' is not a port"),
    ({"udp_dns": {"server": "192.0.2.53"}}, "udp_dns.name: None cannot be asked for"),
    ({"udp_dns": {"name": "a.example", "server": "ns.example"}}, "a name server is asked by its address"),
    ({"udp_dns": {"name": "a.example", "port": 53}}, "it has no option 'port'"),
    ({"udp_dns": ["a.example"]}, "udp_dns.name"),
    ({"http": "192.0.2.1"}, "is not an HTTP URL"),
    ({"http": "ftp://192.0.2.1/"}, "is not an HTTP URL"),
    ({"http": "http:///"}, "is not an HTTP URL"),
    ({"http": "http://192.0.2.1:99999/"}, "is not a URL"),
    ({"http": "http://[2001:db8::1/"}, "is not a URL"),
    ({"http": "http://192.0.2.1:0/"}, "has port 0"),
    ({"http": "http://me:secret@192.0.2.1/"}, "has a user or a password"),
    ({"http": "http://192.0.2.1/a\r\nX: y"}, "has characters that a URL cannot have"),
    ({"http": "http://192.0.2.1/\u00fc"}, "has characters that a URL cannot have"),
    ({"mtu": {"to": "192.0.2.1"}}, "is incomplete"),
    ({"mtu": "192.0.2.1"}, "is incomplete"),
    ({"mtu": {"to": "192.0.2.1", "size": 67}}, "mtu.size: 67 is out of range: use a number from 68 to 65535"),
    ({"mtu": {"to": "2001:db8::1", "size": 1279}}, "use a number from 1280"),
    ({"ping": "192.0.2.1", "timeout": 0}, "timeout: 0 is out of range"),
    ({"ping": "192.0.2.1", "timeout": float("nan")}, "timeout: nan is out of range"),
    ({"ping": "192.0.2.1", "timeout": True}, "timeout: True is out of range"),
    ({"ping": "192.0.2.1", "retries": -1}, "retries: -1 is out of range"),
    ({"ping": "192.0.2.1", "expect_source": "192.0.2.0/24"}, "expect_source: '192.0.2.0/24' is not an IP address"),
    ({"ping": "192.0.2.1", "netns": "a/b"}, "netns: 'a/b' is not a namespace name"),
]


@pytest.mark.parametrize(("item", "sentence"), BAD, ids=[sentence for _item, sentence in BAD])
def test_what_cannot_be_meant(item: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        probe_options.read([{"ping": "192.0.2.1"}, item], "checks")
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("checks[1].")
    assert "\n" not in str(caught.value) and "secret" not in str(caught.value)


values = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.text("0123456789abcdef:.[]%/-@ht p", max_size=40),
    st.integers(),
    st.dictionaries(st.sampled_from(["to", "size", "name", "server"]), st.one_of(st.none(), st.integers(), st.text(max_size=20))),
)


@given(kind=st.sampled_from(probe_options.KINDS), value=values, source=values, timeout=st.one_of(values, st.floats()), retries=values)
def test_any_value(kind: str, value: t.Any, source: t.Any, timeout: t.Any, retries: t.Any) -> None:
    with contextlib.suppress(InputError):
        (check,) = probe_options.read([{kind: value, "expect_source": source if isinstance(source, str) else None, "timeout": timeout}])
        assert check.kind == kind
    with contextlib.suppress(InputError):
        probe_options.read([{kind: f"http://{value}", "retries": retries}])
