# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What is to be done for a change of a device or of a veth pair."""

from __future__ import annotations

import typing as t

from . import link_messages, link_requests
from .apply import Handlers, Step
from .changes import Change
from .errors import StateError
from .host import Host
from .resources import Link, Veth


def _create_link(change: Change, host: Host) -> t.Iterator[Step]:
    link = t.cast(Link, change.after)
    if link.link_kind == "veth":
        raise StateError(f"{link.describe()} cannot be put back: its other end was in a namespace that has no name")
    if link.link_kind not in ("tun", "tap"):
        yield from link_requests.create(link, host)
        return

    def make() -> None:
        from . import kinds

        with host.inside(link.netns):
            kinds.create_tuntap(link.ifname, link.link_kind or "", dict(link.info) or link_messages.decode_info(link), link.index)

    # rtnetlink does not make these
    yield make
    yield from link_requests.settle(link, host, bare=True)


def _update_link(change: Change, host: Host) -> t.Iterator[Step]:
    wanted = {name: new for name, (_old, new) in change.differs.items()}
    yield from link_requests.update(t.cast(Link, change.before), t.cast(Link, change.after), wanted, host)


def _delete_link(change: Change, host: Host) -> t.Iterator[Step]:
    link = t.cast(Link, change.before)
    host.forget_names(link.netns)  # more may go with it
    yield link_requests.delete(link.netns, link.ifname)


def _move_link(change: Change, host: Host) -> t.Iterator[Step]:
    source, target = t.cast(Link, change.before), t.cast(Link, change.after)
    for link in (source, target):
        host.forget_names(link.netns)
    index = host.index(source.netns, source.ifname) if source.ifname != target.ifname else 0
    yield link_requests.move(target.ifname, source.netns, target.netns, host, index)


def _create_veth(change: Change, host: Host) -> t.Iterator[Step]:
    yield from link_requests.create_veth(t.cast(Veth, change.after), host)


def _delete_veth(change: Change, host: Host) -> t.Iterator[Step]:
    pair = t.cast(Veth, change.before)
    for end in pair.ends:
        host.forget_names(end.netns)
    yield link_requests.delete(pair.end.netns, pair.end.ifname)


HANDLERS: Handlers = {
    (Link.KIND, "create"): _create_link,
    (Link.KIND, "update"): _update_link,
    (Link.KIND, "delete"): _delete_link,
    (Link.KIND, "move"): _move_link,
    (Veth.KIND, "create"): _create_veth,
    (Veth.KIND, "delete"): _delete_veth,
}
