# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import values
from ansible_collections.linuxnet.netns.plugins.plugin_utils import _networks


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["nameserver 127.0.0.53\n", "nameserver 192.0.2.53\nnameserver 2001:db8::53\n"], ["192.0.2.53", "2001:db8::53"]),
        (["nameserver 192.0.2.1\nnameserver 127.0.0.1\n", "nameserver 192.0.2.53\n"], ["192.0.2.1"]),
        (["# nameserver 192.0.2.9\n;nameserver 192.0.2.8\nsearch example.com\n"], []),
        (["nameserver ::1\nnameserver fe80::1%eth0\nnameserver 0.0.0.0\nnameserver nonsense\nnameserver\n"], []),
        (["nameserver 192.0.2.1\nnameserver 192.0.2.1\n"], ["192.0.2.1"]),
        ([], []),
    ],
)
def test_upstream_nameservers(texts: list[str], expected: list[str]) -> None:
    assert _networks.upstream_nameservers(texts) == expected


@pytest.mark.parametrize(
    "namespace", ["web", "a-namespace-with-a-long-name", "ten-letter", "ten-letters", "with space", "a:b", "ü" * 6, "%d"]
)
def test_the_outside_end_has_a_name_that_the_kernel_takes(namespace: str) -> None:
    assert values.interface_name(_networks.outside_end(namespace), "name")


def test_outside_ends_tell_which_namespace_and_differ() -> None:
    assert _networks.outside_end("web") == "web-eth0"
    assert _networks.outside_end("a-namespace-with-a-long-name") != _networks.outside_end("a-namespace-with-a-long-name2")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([{"pong": "192.0.2.1"}], "v: these are not checks as netns_probe has them: v.pong. Supported parameters include: "),
        (["there"], "v: these are not checks as netns_probe has them: dictionary requested"),
        ({"ping": "192.0.2.1"}, "v: these are not checks as netns_probe has them: argument 'v' is of type dict"),
        ([{"ping": "a b"}], "v[0].ping: 'a b' is neither an IP address nor a host name"),
    ],
)
def test_checks_are_judged_by_the_name_of_the_variable(given: object, message: str) -> None:
    with pytest.raises(_networks.NetworkError) as caught:
        _networks.checks(given, ["a"], "v")
    assert str(caught.value).startswith(message)


def test_a_bridge_name_is_never_longer_than_the_kernel_takes() -> None:
    assert _networks.bridge_name("lab", None, "v") == "br-lab"
    assert _networks.bridge_name("a-long-name-indeed", "br0", "v") == "br0"
    with pytest.raises(_networks.NetworkError) as caught:
        _networks.bridge_name("a-long-name-indeed", None, "nat_network_bridge")
    assert str(caught.value) == (
        "nat_network_bridge: 'br-a-long-name-indeed' is longer than the 15 bytes that an interface name can have: set nat_network_bridge"
    )
