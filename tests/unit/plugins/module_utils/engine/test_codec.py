# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records through JSON and back are the same records."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import codec
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.changes import Change
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources import Link, Namespace, Veth
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_addresses import Address
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources_routes import Nexthop, Route, Rule

NAMES = st.text(min_size=1, max_size=15)
LINKS = st.builds(
    Link,
    netns=NAMES,
    ifname=NAMES,
    mtu=st.none() | st.integers(68, 9000),
    up=st.none() | st.booleans(),
    info=st.just(()) | st.tuples(st.tuples(NAMES, st.integers() | NAMES | st.just((1, "a")))),
    altnames=st.lists(NAMES, max_size=2).map(tuple),
    peer=st.none() | st.tuples(NAMES, NAMES),
    raw_info=st.binary(max_size=20),
)
ROUTES = st.builds(
    Route,
    netns=NAMES,
    dest=NAMES,
    table=st.integers(0, 2**32),
    metric=st.none() | st.integers(0, 9),
    nexthops=st.lists(st.builds(Nexthop, gateway=st.none() | NAMES, weight=st.integers(1, 9)), max_size=2).map(tuple),
)
RECORDS = st.one_of(
    LINKS,
    ROUTES,
    st.builds(Veth, end=LINKS, peer=st.none() | LINKS),
    st.builds(Namespace, netns=NAMES, pids=st.lists(st.integers(1, 9)).map(tuple), resolver=st.none() | st.text()),
    st.builds(Address, netns=NAMES, dev=NAMES, address=NAMES, prefixlen=st.integers(0, 128), nodad=st.none() | st.booleans()),
    st.builds(Rule, netns=NAMES, family=NAMES, priority=st.none(), selectors=st.just((("not", True), ("tos", 8)))),
)
CHANGES = st.one_of(
    st.builds(Change.create, RECORDS, st.tuples(st.integers(), st.integers()), NAMES),
    st.builds(
        lambda before, after, old, new: Change.update(before, after, {"mtu": (old, new)}, (1, 2)),
        LINKS,
        LINKS,
        st.integers(),
        st.none() | st.binary(max_size=3),
    ),
)


@given(st.lists(RECORDS | CHANGES).map(tuple))
def test_there_and_back(values):
    assert codec.from_plain(json.loads(json.dumps(codec.to_plain(values)))) == values


def test_what_is_by_default_is_left_out():
    assert codec.to_plain(Link(netns="", ifname="eth0", mtu=None, up=False)) == {"": "Link", "netns": "", "ifname": "eth0", "up": False}


@pytest.mark.parametrize("plain", [{"": "Eval", "x": 1}, {"": "Link", "nonsense": 1}, {"": "Link"}, {"hex": "zz"}])
def test_what_is_not_ours_is_no_record(plain):
    with pytest.raises((ValueError, TypeError)):
        codec.from_plain(plain)
