# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""How each change is done: as netlink requests, or as a call where there is no netlink for it. One function a kind and action."""

from __future__ import annotations

import typing as t

from . import ip_messages, link_messages, namespaces, rtnetlink
from .changes import Change
from .errors import KernelError, StateError
from .host import Host
from .link_messages import Request
from .resources import Address, Link, Namespace, Route, Rule, Sysctl, Veth
from .resources_foreign import ForeignAccept
from .resources_nat import SysctlFile, Table
from .rtnetlink import Message
from .values import HOST

Call = t.Callable[[], None]
Step = t.Union[Request, Call]


def steps(change: Change, host: Host) -> t.Iterator[Step]:
    """What to do for a change. A generator: a call that it yields is to be made before it is asked for more."""
    return _HANDLERS[(type(change.resource), change.action)](change, host)


def _loopback(netns: str, up: bool) -> Request:
    lo = Link(netns=netns, ifname="lo")
    return link_messages.update(lo, lo, {"up": up}, _NoNames())[0]


class _NoNames:
    """For messages that name no other device."""

    def index(self, netns: str, name: str) -> int:
        raise KeyError(name)

    def fd(self, netns: str) -> int:
        raise KeyError(netns)


def _resolver(netns: str, text: str | None) -> None:
    from . import resolver

    if text is None:
        resolver.remove_resolver(netns)
    else:
        resolver.write_resolver(netns, text)


def _create_namespace(change: Change, host: Host) -> t.Iterator[Step]:
    wish = t.cast(Namespace, change.after)

    def make() -> None:
        host.forget(wish.netns)
        kept = host.kept(wish.netns)
        if kept is not None:
            namespaces.bind(wish.netns, kept)
        elif wish.pid is not None:
            namespaces.attach(wish.netns, wish.pid)
        else:
            namespaces.create(wish.netns)

    yield make
    yield from _configure(wish.netns, wish.attributes(), host)


def _update_namespace(change: Change, host: Host) -> t.Iterator[Step]:
    netns = t.cast(Namespace, change.after).netns
    yield from _configure(netns, {name: new for name, (_old, new) in change.differs.items()}, host)


def _configure(netns: str, wanted: t.Mapping[str, t.Any], host: Host) -> t.Iterator[Step]:
    if "resolver" in wanted:
        yield lambda: _resolver(netns, wanted["resolver"])
    if wanted.get("loopback") is not None:
        yield _loopback(netns, wanted["loopback"])
    if wanted.get("nsid") is not None and host.nsid(HOST, netns) != wanted["nsid"]:
        yield Request(1, HOST, host.nsid_request(HOST, netns, wanted["nsid"]))


def _delete_namespace(change: Change, host: Host) -> t.Iterator[Step]:
    found = t.cast(Namespace, change.before)

    def remove() -> None:
        if found.processes == "kill" and found.pids:
            from . import processes

            processes.end_processes(found.inode, found.kill_timeout)
        if not found.stale:
            host.keep(found.netns)
        host.forget(found.netns)
        # the name last: as long as it is there, whoever comes after a killed run sees that there is something left to do
        try:
            _resolver(found.netns, None)
            namespaces.remove(found.netns)
        except BaseException:
            _resolver(found.netns, found.resolver)
            raise

    yield remove


def _create_link(change: Change, host: Host) -> t.Iterator[Step]:
    link = t.cast(Link, change.after)
    if link.link_kind == "veth":
        raise StateError(f"{link.describe()} cannot be put back: its other end was in a namespace that has no name")
    if link.link_kind not in ("tun", "tap"):
        yield from link_messages.create(link, host)
        return

    def make() -> None:
        from . import kinds

        with host.inside(link.netns):
            kinds.create_tuntap(link.ifname, link.link_kind or "", dict(link.info) or link_messages.decode_info(link), link.index)

    # rtnetlink does not make these
    yield make
    yield from link_messages.settle(link, host, bare=True)


def _update_link(change: Change, host: Host) -> t.Iterator[Step]:
    wanted = {name: new for name, (_old, new) in change.differs.items()}
    yield from link_messages.update(t.cast(Link, change.before), t.cast(Link, change.after), wanted, host)


def _delete_link(change: Change, host: Host) -> t.Iterator[Step]:
    link = t.cast(Link, change.before)
    host.forget_names(link.netns)  # more may go with it
    yield link_messages.delete(link.netns, link.ifname)


def _move_link(change: Change, host: Host) -> t.Iterator[Step]:
    source, target = t.cast(Link, change.before), t.cast(Link, change.after)
    for link in (source, target):
        host.forget_names(link.netns)
    index = host.index(source.netns, source.ifname) if source.ifname != target.ifname else 0
    yield link_messages.move(target.ifname, source.netns, target.netns, host, index)


def _create_veth(change: Change, host: Host) -> t.Iterator[Step]:
    yield from link_messages.create_veth(t.cast(Veth, change.after), host)


def _delete_veth(change: Change, host: Host) -> t.Iterator[Step]:
    pair = t.cast(Veth, change.before)
    for end in pair.ends:
        host.forget_names(end.netns)
    yield link_messages.delete(pair.end.netns, pair.end.ifname)


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


def _rule(make: t.Callable[[Rule], Message], side: str) -> t.Callable[[Change, Host], t.Iterator[Step]]:
    def handler(change: Change, host: Host) -> t.Iterator[Step]:
        rule: Rule = getattr(change, side)
        yield Request(0, rule.netns, make(rule))

    return handler


def _set_sysctl(change: Change, host: Host) -> t.Iterator[Step]:
    wish = t.cast(Sysctl, change.after)
    if wish.if_there and host.sysctl(wish.netns, wish.path) is None:
        return
    if wish.value is not None:  # None: it came with a device and goes with it
        yield lambda: host.write_sysctl(wish.netns, wish.path, t.cast(str, wish.value))


def _put_file(change: Change, host: Host) -> t.Iterator[Step]:
    from . import files

    path, wish = t.cast(SysctlFile, change.resource).path, t.cast("SysctlFile | None", change.after)
    yield lambda: files.put(path, wish.text if wish else None)


def _set_table(change: Change, host: Host) -> t.Iterator[Step]:
    from . import nftables

    table = t.cast(Table, change.after)
    yield lambda: nftables.replace(table.netns, table)
    yield lambda: _forget_flows(change, host)


def _delete_table(change: Change, host: Host) -> t.Iterator[Step]:
    from . import nftables

    table = t.cast(Table, change.before)
    yield lambda: nftables.remove(table.netns, table.family, table.table)
    yield lambda: _forget_flows(change, host)


def _forget_flows(change: Change, host: Host) -> None:
    """Connections to ports that lead elsewhere now."""
    from . import conntrack, nat_flows

    before, after = t.cast("Table | None", change.before), t.cast("Table | None", change.after)
    if not nat_flows.concerned(before, after):
        return
    netns = change.resource.where
    found = host.socket(netns).dump(rtnetlink.RTM_GETADDR, ip_messages.address_query(0))
    local = {ip_messages.decode_address(data, netns, lambda _index: "").address for data in found}
    with host.inside(netns):
        conntrack.forget(nat_flows.stale(before, after, conntrack.flows(), local))


def _set_accept(change: Change, host: Host) -> t.Iterator[Step]:
    from . import foreign_host

    wish = t.cast(ForeignAccept, change.after)
    yield lambda: foreign_host.put(wish)


def _delete_accept(change: Change, host: Host) -> t.Iterator[Step]:
    from . import foreign_host

    found = t.cast(ForeignAccept, change.before)
    yield lambda: foreign_host.take_away(found)


_HANDLERS: dict[tuple[type, str], t.Callable[[Change, Host], t.Iterator[Step]]] = {
    (Namespace, "create"): _create_namespace,
    (Namespace, "update"): _update_namespace,
    (Namespace, "delete"): _delete_namespace,
    (Link, "create"): _create_link,
    (Link, "update"): _update_link,
    (Link, "delete"): _delete_link,
    (Link, "move"): _move_link,
    (Veth, "create"): _create_veth,
    (Veth, "delete"): _delete_veth,
    (Address, "create"): _by_index(ip_messages.set_address, "after"),
    (Address, "update"): _by_index(ip_messages.set_address, "after", replace=True),
    (Address, "delete"): _delete_address,
    (Route, "create"): _by_index(ip_messages.set_route, "after"),
    (Route, "update"): _by_index(ip_messages.set_route, "after", replace=True),
    (Route, "delete"): _by_index(ip_messages.delete_route, "before"),
    (Rule, "create"): _rule(ip_messages.create_rule, "after"),
    (Rule, "delete"): _rule(ip_messages.delete_rule, "before"),
    (Sysctl, "update"): _set_sysctl,
    (Table, "create"): _set_table,
    (Table, "update"): _set_table,
    (Table, "delete"): _delete_table,
    **{(SysctlFile, action): _put_file for action in ("create", "update", "delete")},
    (ForeignAccept, "create"): _set_accept,
    (ForeignAccept, "update"): _set_accept,
    (ForeignAccept, "delete"): _delete_accept,
}
