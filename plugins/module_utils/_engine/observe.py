# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The kernel's state as the same records that wishes are made of; only of what is asked about.

What a wish leaves open until the host is looked at (NAT: which uplink, which device was closed before) is decided by
``settle``; ``observe`` then reads, a reader a kind.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import typing as t

from . import ip_messages, link_messages, namespaces, rtnetlink
from .host import Host
from .options import Wanted
from .record import Resource, pairs
from .resources import Address, Link, Namespace, Nat, OnlyAddresses, Route, Rule, Sysctl, TakeOver, Veth
from .resources_foreign import ForeignAccept
from .resources_nat import SysctlFile, Table
from .state import MAIN, Observed
from .values import HOST, family_of

# From this many devices of one namespace on, one dump of all addresses is cheaper than one for each device, unless
# most of what there is is somebody else's. Of the devices themselves a dump is never cheaper than to ask for each.
_DUMP_FROM = 64


def settle(host: Host, wanted: Wanted, may_lack_nft: bool = False) -> Wanted:
    """Replace what only the host can decide by plain records.

    ``may_lack_nft``: a role in check mode has not installed it yet.
    """
    if not any(isinstance(resource, Nat) for resource in (*wanted.present, *wanted.absent)):
        return wanted
    from . import foreign_host, nat, nat_host

    present, absent = ([resource for resource in side if not isinstance(resource, Nat)] for side in (wanted.present, wanted.absent))
    coming, going = ([resource for resource in side if isinstance(resource, Nat)] for side in (wanted.present, wanted.absent))
    view = nat_host.View(host, may_lack_nft, [resource for resource in present if isinstance(resource, Address)])
    made = {resource.netns for resource in present if isinstance(resource, Namespace)}
    for router in coming:
        if router.netns not in made and not view.there(router.netns):
            Observed(places={router.netns: "missing"}).need_place(router.netns, router)
    kept, removed = nat.resolve(coming, going, view)
    accepts, obsolete = foreign_host.resolve(coming, going, host, view, present)
    present += [*kept, *accepts]
    absent += [*removed, *obsolete]
    # the wishes themselves stay, to be judged by what they name
    merged = {resource.key: resource for resource in (*coming, *present)}
    return dataclasses.replace(wanted, present=tuple(merged.values()), absent=tuple(absent))


def observe(host: Host, wanted: Wanted) -> Observed:
    """Read what the records are about. Opening never creates, and what is not there is simply not found."""
    state = Observed(because=wanted.because)
    everything = [*wanted.present, *wanted.absent]
    state.expect(wanted.present)
    _places(state, everything)
    _namespaces(host, state, wanted)
    state.doomed = _doomed(state, wanted)
    _links(host, state, everything)
    _homes(host, state, wanted)
    for kind, reader in _READERS.items():
        asked = [resource for resource in everything if isinstance(resource, kind)]
        by_place: dict[str, list[t.Any]] = {}
        for resource in asked:
            by_place.setdefault(resource.where, []).append(resource)
        for netns, resources in by_place.items():
            if state.there(netns) and netns not in state.doomed:
                reader(host, state, netns, resources)
    state.expect(wanted.present)
    state.named = frozenset(resource.key for resource in everything)
    return state


# --- places and namespaces


def references(resource: Resource) -> set[str]:
    """The namespaces that it has to do with."""
    found = {resource.where} | ({resource.netns} if isinstance(resource, Namespace) else set())
    for link in resource.ends if isinstance(resource, Veth) else (resource,) if isinstance(resource, Link) else ():
        found |= {link.netns, link.from_netns}
        if link.parent_netns is not None:
            found.add(link.parent_netns)
    return found


def _places(state: Observed, resources: t.Sequence[Resource]) -> None:
    for netns in {reference for resource in resources for reference in references(resource)}:
        state.places[netns] = _place(netns)


def _place(netns: str) -> str:
    if netns == HOST:
        return "there"
    if netns.startswith("/"):
        return "there" if os.path.exists(netns) else "missing"
    entry = namespaces.find(netns)
    return "missing" if entry is None else "there" if not entry.stale else namespaces.what(netns) or "missing"


def _namespaces(host: Host, state: Observed, wanted: Wanted) -> None:
    from . import processes, resolver

    asked = [resource for resource in (*wanted.present, *wanted.absent) if isinstance(resource, Namespace)]
    inodes = {}
    for resource in asked:
        if resource.resolver is not None and resource in wanted.present:
            resolver.need_directory(resource.netns)
        if resource.pid is not None and resource.pid not in state.pid_inodes:
            fd = namespaces.pid_namespace(resource.pid)
            state.pid_inodes[resource.pid] = namespaces.inode_of(fd)
            os.close(fd)
        if state.places[resource.netns] == "missing":
            state.resolvers[resource.netns] = resolver.read_resolver(resource.netns)
            continue
        stale = state.places[resource.netns] != "there"
        found = Namespace(netns=resource.netns, stale=stale, resolver=resolver.read_resolver(resource.netns))
        if not found.stale:
            inode = namespaces.inode_of(host.fd(resource.netns))
            inodes[inode] = resource.key
            found = dataclasses.replace(found, loopback=host.is_up(resource.netns, "lo"), nsid=host.nsid(HOST, resource.netns), inode=inode)
        state.found[found.key] = found
    if inodes:
        for inode, pids in processes.processes(list(inodes)).items():
            namespace = t.cast(Namespace, state.found[inodes[inode]])
            state.found[namespace.key] = dataclasses.replace(namespace, pids=tuple(pids))


def _doomed(state: Observed, wanted: Wanted) -> frozenset[str]:
    """The namespaces that nothing keeps from going."""
    going = [(wish, state.like(wish)) for wish in wanted.absent if isinstance(wish, Namespace) and wish.processes != "keep"]
    return frozenset(wish.netns for wish, found in going if found and not found.stale and not (found.pids and wish.processes == "fail"))


# --- devices


def _device_names(resources: t.Iterable[Resource], doomed: t.Collection[str]) -> dict[str, set[str]]:
    """Every device that a wish names, by namespace; of the doomed ones only those that have to go home before."""
    names: dict[str, set[str]] = {}

    def add(netns: str, name: str | None) -> None:
        if name and (netns not in doomed or physical):
            names.setdefault(netns, set()).add(name)

    for resource in resources:
        physical = isinstance(resource, Link) and not resource.link_kind
        for link in resource.ends if isinstance(resource, Veth) else (resource,) if isinstance(resource, Link) else ():
            add(link.netns, link.ifname)
            add(link.netns, link.master)
            add(link.netns if link.parent_netns is None else link.parent_netns, link.parent)
            if not link.link_kind:
                add(link.from_netns, link.ifname)
        if isinstance(resource, (Address, OnlyAddresses)):
            add(resource.netns, resource.dev)
        if isinstance(resource, TakeOver):
            add(resource.netns, resource.bridge)
            add(resource.netns, resource.port)
        if isinstance(resource, Nat):
            for dev in resource.devices:
                add(resource.netns, dev)
        if isinstance(resource, Route):
            for dev in resource.devices:
                add(resource.netns, dev)
    return names


def _need_library(resources: t.Iterable[Resource]) -> None:
    """What cannot be written or read without pyroute2 is refused before anything is done."""
    for link in resources:
        if isinstance(link, Link) and link.link_kind not in (None, "bridge") and (link.info or link.parent):
            from . import kinds

            kind = kinds.KINDS[link.link_kind]
            if kind.needs_pyroute2 and (link.info or kind.parent_attr):
                kinds.require_pyroute2(f"links of kind {link.link_kind}")


def _links(host: Host, state: Observed, resources: t.Sequence[Resource]) -> None:
    _need_library(resources)
    for netns, names in _device_names(resources, state.doomed).items():
        if not state.there(netns):
            continue
        for link in filter(None, (host.link(netns, name) for name in sorted(names))):
            state.devices[(netns, link.ifname)] = link  # which was asked for by an alternative name, maybe
    for resource in resources:
        for wish in resource.ends if isinstance(resource, Veth) else (resource,) if isinstance(resource, Link) else ():
            device = state.devices.get((wish.netns, wish.ifname))
            if device:
                state.found[device.key] = _as_asked(host, device, wish)
        if isinstance(resource, (Link, Veth)):  # a link may have to take a veth end's place
            _pair(host, state, resource if isinstance(resource, Veth) else Veth(end=resource))


def _as_asked(host: Host, device: Link, wish: Link) -> Link:
    """The device with what only some wishes need: the attributes of its kind, and a parent in another namespace."""
    info = pairs(link_messages.decode_info(device)) if wish.info and device.link_kind == wish.link_kind else ()
    port: t.Any = ()
    if wish.port and device.raw_port:
        from . import bridge

        found = bridge.decode_port(device.raw_port)
        if not {"pvid", "vlans"}.isdisjoint(dict(wish.port)):
            found.update(bridge.port_vlans(host.port_vlans(device.netns, device.index)))
        port = pairs(found)
    parent, parent_netns = device.parent, wish.parent_netns
    if wish.parent and device.raw_info and device.link_kind == wish.link_kind:
        device = _with_inner_parent(device)
        parent = host.device_name(wish.netns, device.parent_index) if device.parent_nsid is None and device.parent_index else parent
    if wish.parent and wish.parent_netns is not None and wish.parent_netns != wish.netns:
        elsewhere = device.parent_nsid is not None and device.parent_nsid == host.nsid(wish.netns, wish.parent_netns)
        parent = host.device_name(wish.parent_netns, device.parent_index) if elsewhere else None
    if (info, port, parent, parent_netns) == (device.info, device.port, device.parent, device.parent_netns):
        return device
    return dataclasses.replace(device, info=info, port=port, parent=parent, parent_netns=parent_netns)


def _with_inner_parent(device: Link) -> Link:
    """Some kinds (vxlan) have the parent's index among their own attributes, and IFLA_LINK says nothing."""
    from . import kinds

    inner = kinds.decode_parent(device.link_kind or "", device.raw_info)
    return dataclasses.replace(device, parent_index=inner) if inner else device


def _pair(host: Host, state: Observed, wish: Veth) -> None:
    """Note on each end what its peer is, asked for or not: a pair that has to go may have to be put back."""
    for end in wish.ends:
        known = t.cast(t.Optional[Link], state.found.get(end.key))
        where = _peer_place(host, state, wish, known) if known and known.link_kind == "veth" else None
        if known is None or where is None:
            continue
        if where in state.doomed:  # whatever its name is there
            state.found[end.key] = dataclasses.replace(known, peer=(where, ""))
            continue
        name = host.device_name(where, known.parent_index)
        peer = (state.devices.get((where, name)) or host.link(where, name)) if name else None
        if peer is None or peer.link_kind != "veth" or peer.parent_index != known.index:
            continue
        state.devices.setdefault((where, name), peer)
        state.found.setdefault(peer.key, peer)
        state.found[end.key] = dataclasses.replace(known, peer=(where, name))


def _peer_place(host: Host, state: Observed, wish: Veth, end: Link) -> str | None:
    """The reference of the namespace that the other end is in: one that this run knows, or else one that has a name."""
    if end.parent_nsid is None:
        return end.netns
    # lazily: the first one is right for every pair that is as it should be
    places = itertools.chain((other.netns for other in wish.ends if other.netns != end.netns), state.places)
    known = next((place for place in places if state.there(place) and host.nsid(end.netns, place) == end.parent_nsid), None)
    return host.named(end.netns, end.parent_nsid) if known is None else known


def _homes(host: Host, state: Observed, wanted: Wanted) -> None:
    """Devices that move: only a wish without a kind is about one, and only a namespace that goes may have one in it."""
    movable = (isinstance(resource, Link) and not resource.link_kind for resource in (*wanted.present, *wanted.absent))
    if not any(movable) and not any(isinstance(resource, Namespace) for resource in wanted.absent):
        return
    from . import observe_homes

    for netns in observe_homes.references(state):
        state.places.setdefault(netns, _place(netns))
    observe_homes.look(host, state, wanted)


# --- addresses, routes, rules


def _addresses(host: Host, state: Observed, netns: str, resources: t.Sequence[Address | OnlyAddresses | TakeOver]) -> None:
    asked = {
        dev for resource in resources for dev in ((resource.bridge, resource.port) if isinstance(resource, TakeOver) else (resource.dev,))
    }
    devices = {dev for dev in asked if (netns, dev) in state.devices}
    indexes = [state.devices[(netns, dev)].index for dev in devices] if len(devices) < _DUMP_FROM else [0]
    for index in indexes:
        for data in host.socket(netns).dump(rtnetlink.RTM_GETADDR, ip_messages.address_query(index)):
            address = ip_messages.decode_address(data, netns, lambda number: host.device_name(netns, number))
            if address.dev in devices:
                state.found[address.key] = address


def _routes(host: Host, state: Observed, netns: str, resources: t.Sequence[Route]) -> None:
    wanted: dict[int, set[int]] = {}
    through = any(resource.gateway or resource.nexthops for resource in resources)
    for resource in resources:
        for table in (resource.table, MAIN) if through else (resource.table,):
            wanted.setdefault(table, set()).add(int(ip_messages.FAMILIES[family_of(resource.dest)]))
    dests = {resource.dest for resource in resources}
    for table, families in sorted(wanted.items()):
        # the kernel goes through all families by itself where none is named
        family = families.pop() if len(families) == 1 else 0
        for data in host.socket(netns).dump(rtnetlink.RTM_GETROUTE, ip_messages.route_query(family, table)):
            if data[0] not in ip_messages.FAMILY_NAMES:
                continue
            route = ip_messages.decode_route(data, netns, lambda number: host.device_name(netns, number))
            if route.dest in dests:
                state.found.setdefault(route.key, route)  # the first of several is the one in use
            if table == MAIN and not route.gateway and not route.nexthops and route.type == "unicast":
                state.reach(netns, route.dest)
    gateways = {way.gateway for resource in resources for way in resource.ways if way.gateway}
    if not all(state.reaches(netns, gateway, MAIN) for gateway in gateways):
        _on_link(host, state, netns)


def _all_routes(host: Host, state: Observed, netns: str, resources: t.Sequence[TakeOver]) -> None:
    """Every route by way of a device that is taken over or takes over."""
    devices = {dev for resource in resources for dev in (resource.bridge, resource.port)}
    seen = set()
    for family in ip_messages.FAMILIES.values():
        for data in host.socket(netns).dump(rtnetlink.RTM_GETROUTE, ip_messages.route_query(family, 0)):
            route = ip_messages.decode_route(data, netns, lambda number: host.device_name(netns, number))
            if route.key in seen:
                state.contested.add(route.key)
            seen.add(route.key)
            for dev in devices.intersection(route.devices):
                state.routes.setdefault((netns, dev), []).append(route)


def _on_link(host: Host, state: Observed, netns: str) -> None:
    """The subnets of all addresses: a device that is down has no routes yet."""
    for data in host.socket(netns).dump(rtnetlink.RTM_GETADDR, ip_messages.address_query(0)):
        address = ip_messages.decode_address(data, netns, lambda _number: "")
        state.reach(netns, f"{address.peer or address.address}/{address.prefixlen}")


def _rules(host: Host, state: Observed, netns: str, resources: t.Sequence[Rule]) -> None:
    for family in {resource.family for resource in resources}:
        for data in host.socket(netns).dump(rtnetlink.RTM_GETRULE, ip_messages.rule_query(ip_messages.FAMILIES[family])):
            rule = ip_messages.decode_rule(data, netns)
            state.found.setdefault(rule.key, rule)


def _sysctls(host: Host, state: Observed, netns: str, resources: t.Sequence[Sysctl]) -> None:
    for resource in resources:
        value = host.sysctl(netns, resource.path)
        if value is not None:
            state.found[resource.key] = Sysctl(netns=netns, path=resource.path, value=value)


def _tables(host: Host, state: Observed, netns: str, resources: t.Sequence[Table]) -> None:
    from . import nftables

    for resource in resources:
        table = nftables.live(netns, resource.family, resource.table)
        if table is not None:
            state.found[table.key] = table


def _files(host: Host, state: Observed, netns: str, resources: t.Sequence[SysctlFile]) -> None:
    from . import files

    for resource in resources:
        text = files.read(resource.path)
        if text is not None:
            state.found[resource.key] = SysctlFile(path=resource.path, text=text)


def _foreign_accepts(host: Host, state: Observed, netns: str, resources: t.Sequence[ForeignAccept]) -> None:
    from . import foreign_host

    state.found.update((found.key, found) for found in foreign_host.found(netns, resources))


_READERS: dict[t.Any, t.Callable[[Host, Observed, str, t.Any], None]] = {
    (Address, OnlyAddresses, TakeOver): _addresses,
    TakeOver: _all_routes,
    Route: _routes,
    Rule: _rules,
    Sysctl: _sysctls,
    Table: _tables,
    SysctlFile: _files,
    ForeignAccept: _foreign_accepts,
}
