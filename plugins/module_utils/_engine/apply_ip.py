# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What is to be done for a change of an address, a route or a rule."""

from __future__ import annotations

import typing as t

from . import ip_messages, route_messages
from .apply import Handlers, Step
from .changes import Change
from .errors import KernelError
from .host import Host
from .resources_addresses import Address
from .resources_routes import Route, Rule
from .rtnetlink import Message, Request


def _index_in(host: Host, netns: str) -> t.Callable[[str], int]:
    return lambda name: host.index(netns, name)


def _by_index(make: t.Callable[..., Message], side: str, **options: bool) -> t.Callable[[Change, Host], t.Iterator[Step]]:
    def handler(change: Change, host: Host) -> t.Iterator[Step]:
        resource: Address | Route = getattr(change, side)
        yield Request(0, resource.netns, make(resource, _index_in(host, resource.netns), **options))

    return handler


def _delete_address(change: Change, host: Host) -> t.Iterator[Step]:
    address = t.cast(Address, change.before)
    request = Request(0, address.netns, ip_messages.delete_address(address, _index_in(host, address.netns)))
    promote = f"net/ipv4/conf/{address.dev}/promote_secondaries"
    if ":" in address.address or host.sysctl(address.netns, promote) != "0":
        yield request
        return

    def remove() -> None:
        # with the first address of a subnet the kernel removes the others of it, unless it is told to keep them
        host.write_sysctl(address.netns, promote, "1")
        try:
            failures = host.socket(address.netns).batch([t.cast(Message, request.message)])
        finally:
            host.write_sysctl(address.netns, promote, "0")
        for failure in failures.values():
            raise KernelError(f"cannot {change.describe()}: {failure}", failure.errno)

    yield remove


def _create_rule(change: Change, host: Host) -> t.Iterator[Step]:
    from . import rule_messages

    rule = t.cast(Rule, change.after)
    yield Request(0, rule.netns, rule_messages.create_rule(rule))


def _delete_rule(change: Change, host: Host) -> t.Iterator[Step]:
    from . import rule_messages

    rule = t.cast(Rule, change.before)
    yield Request(0, rule.netns, rule_messages.delete_rule(rule))


HANDLERS: Handlers = {
    (Address.KIND, "create"): _by_index(ip_messages.set_address, "after"),
    (Address.KIND, "update"): _by_index(ip_messages.set_address, "after", replace=True),
    (Address.KIND, "delete"): _delete_address,
    (Route.KIND, "create"): _by_index(route_messages.set_route, "after"),
    (Route.KIND, "update"): _by_index(route_messages.set_route, "after", replace=True),
    (Route.KIND, "delete"): _by_index(route_messages.delete_route, "before"),
    (Rule.KIND, "create"): _create_rule,
    (Rule.KIND, "delete"): _delete_rule,
}
