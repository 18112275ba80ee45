# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Devices as they are: those that wishes name, the other ends of veth pairs, and those that are away from home."""

from __future__ import annotations

import dataclasses
import itertools
import typing as t

from . import link_messages
from .host import Host
from .record import Resource, pairs
from .resources import Link, Veth
from .state import Observed


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
        for dev in getattr(resource, "devices", ()):  # of an address, of a route, of a NATed network
            add(resource.where, dev)
    return names


def _need_library(resources: t.Iterable[Resource]) -> None:
    """What cannot be written or read without pyroute2 is refused before anything is done."""
    for link in resources:
        if isinstance(link, Link) and link.link_kind not in (None, "bridge") and (link.info or link.parent):
            from . import kinds

            kind = kinds.KINDS[link.link_kind]
            if kind.needs_pyroute2 and (link.info or kind.parent_attr):
                kinds.require_pyroute2(f"links of kind {link.link_kind}")


def look(host: Host, state: Observed, resources: t.Sequence[Resource]) -> None:
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
        from . import bridge, host_ports

        found = bridge.decode_port(device.raw_port)
        if not {"pvid", "vlans"}.isdisjoint(dict(wish.port)):
            found.update(bridge.port_vlans(host_ports.port_vlans(host, device.netns, device.index)))
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
