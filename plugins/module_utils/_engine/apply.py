# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""How each change is done: as netlink requests, or as a call where there is no netlink for it. One function a kind and action."""

from __future__ import annotations

import typing as t

from . import link_messages, namespaces_making
from .changes import Change
from .host import Host
from .resources import Namespace, Sysctl
from .rtnetlink import Request
from .values import HOST

# What is to be done for a change: a request, or a call that is to be made before the next step is asked for.
Call = t.Callable[[], None]
Step = t.Union[Request, Call]
Handlers = dict[tuple[str, str], t.Callable[[Change, Host], t.Iterator[Step]]]


def _resolver(netns: str, text: str | None) -> None:
    from . import resolver_writing

    if text is None:
        resolver_writing.remove_resolver(netns)
    else:
        resolver_writing.write_resolver(netns, text)


def _create_namespace(change: Change, host: Host) -> t.Iterator[Step]:
    wish = t.cast(Namespace, change.after)

    def make() -> None:
        host.forget(wish.netns)
        kept = host.kept(wish.netns)
        if kept is not None:
            namespaces_making.bind(wish.netns, kept)
        elif wish.pid is not None:
            namespaces_making.attach(wish.netns, wish.pid)
        else:
            namespaces_making.create(wish.netns, lambda: host.open_here(wish.netns))

    yield make
    yield from _configure(wish.netns, wish.attributes(), host)


def _update_namespace(change: Change, host: Host) -> t.Iterator[Step]:
    netns = t.cast(Namespace, change.after).netns
    yield from _configure(netns, {name: new for name, (_old, new) in change.differs.items()}, host)


def _configure(netns: str, wanted: t.Mapping[str, t.Any], host: Host) -> t.Iterator[Step]:
    if "resolver" in wanted:
        yield lambda: _resolver(netns, wanted["resolver"])
    if wanted.get("loopback") is not None:
        yield Request(0, netns, link_messages.switch("lo", wanted["loopback"]))
    if wanted.get("nsid") is not None and host.nsid(HOST, netns) != wanted["nsid"]:
        yield Request(1, HOST, host.nsid_request(HOST, netns, wanted["nsid"]))


def _delete_namespace(change: Change, host: Host) -> t.Iterator[Step]:
    found = t.cast(Namespace, change.before)

    def remove() -> None:
        if found.processes == "kill" and found.pids:
            from . import processes_ending

            processes_ending.end_processes(found.inode, found.kill_timeout)
        if not found.stale:
            host.keep(found.netns)
        host.forget(found.netns)
        # the name last: as long as it is there, whoever comes after a killed run sees that there is something left to do
        try:
            _resolver(found.netns, None)
            namespaces_making.remove(found.netns)
        except BaseException:
            _resolver(found.netns, found.resolver)
            raise

    yield remove


def _set_sysctl(change: Change, host: Host) -> t.Iterator[Step]:
    wish = t.cast(Sysctl, change.after)
    if wish.if_there and host.sysctl(wish.netns, wish.path) is None:
        return
    if wish.value is not None:  # None: it came with a device and goes with it
        yield lambda: host.write_sysctl(wish.netns, wish.path, t.cast(str, wish.value))


HANDLERS: Handlers = {
    (Namespace.KIND, "create"): _create_namespace,
    (Namespace.KIND, "update"): _update_namespace,
    (Namespace.KIND, "delete"): _delete_namespace,
    (Sysctl.KIND, "update"): _set_sysctl,
}
