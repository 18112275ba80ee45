# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What a diagnosis asks the kernel: which way a packet would take, who has an address, who answers on a link."""

from __future__ import annotations

import contextlib
import ipaddress
import struct
import typing as t

from . import foreign_host_saved, ip_messages, ip_numbers, namespaces, nftables, route_messages, rtnetlink
from .errors import KernelError, NetnsError
from .host import Host
from .probe_chains_dnat import LeadingRules
from .resources import Link
from .resources_addresses import Address
from .resources_routes import Route
from .state import MAIN
from .values import HOST

_RTM_GETNEIGH = 30
_NDMSG = struct.Struct("=BxxxiHBB")
_NDA_DST, _NDA_LLADDR, _NDA_IFINDEX = 1, 2, 8
_NUD_INCOMPLETE, _NUD_FAILED, _NUD_NOARP = 0x01, 0x20, 0x40
_RTA_DST, _RTA_SRC, _RTA_IIF, _RTA_OIF = 1, 2, 3, 4
_RTM = struct.Struct("=BBBBBBBBI")


class Neighbour(t.NamedTuple):
    """An address on a link; ``silent``: it was asked for and nobody answered."""

    mac: str
    silent: bool


class Owner(t.NamedTuple):
    """A device that has an address."""

    link: Link
    address: Address


class Facts:
    """What the failures of one run have in common is read once; routes and neighbours are asked for each time.

    Use as a context manager: it closes what it opened, since an open file would keep a namespace alive that somebody removes.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._before = set(host.places())
        self._inodes: dict[str, int] = {}
        self._links: dict[str, list[Link]] = {}
        self._addresses: dict[str, list[Address]] = {}
        self._rules: dict[str, LeadingRules] = {}

    def __enter__(self) -> Facts:
        return self

    def __exit__(self, *_exc: object) -> None:
        for netns in set(self._host.places()) - self._before:
            self._host.forget(netns)

    def places(self) -> list[str]:
        """Every namespace that can be looked into, once each, those in use first."""
        names = [*self._host.places(), HOST, *(entry.name for entry in namespaces.entries() if not entry.stale)]
        for netns in dict.fromkeys(names):
            if netns not in self._inodes:
                with contextlib.suppress(NetnsError):
                    inode = namespaces.inode_of(self._host.fd(netns))
                    if inode not in self._inodes.values():
                        self._inodes[netns] = inode
        return [*self._inodes]

    def links(self, netns: str) -> list[Link]:
        if netns not in self._links:
            self._host.forget_names(netns)
            self._links[netns] = self._host.links(netns)
        return self._links[netns]

    def link(self, netns: str, name: str | None) -> Link | None:
        return next((link for link in self.links(netns) if link.ifname == name), None)

    def addresses(self, netns: str) -> list[Address]:
        if netns not in self._addresses:
            dumped = self._host.socket(netns).dump(rtnetlink.RTM_GETADDR, ip_messages.address_query(0))
            names = {link.index: link.ifname for link in self.links(netns)}
            self._addresses[netns] = [ip_messages.decode_address(data, netns, lambda index: names.get(index, "")) for data in dumped]
        return self._addresses[netns]

    def sysctl(self, netns: str, path: str) -> int:
        """A numeric one; 0 where the kernel has none of that name."""
        with contextlib.suppress(NetnsError, ValueError):
            return int(self._host.sysctl(netns, path) or 0)
        return 0

    def rules(self, netns: str) -> LeadingRules:
        """The ruleset, that of iptables too; none where nft is not there or may not read it."""
        if netns not in self._rules:
            entries: list[dict[str, t.Any]] = []
            with contextlib.suppress(NetnsError):
                entries = nftables.ruleset(netns)
                for table in ("filter", "nat"):
                    entries = foreign_host_saved.told(netns, entries, table)
            self._rules[netns] = LeadingRules(entries)
        return self._rules[netns]

    def route(self, netns: str, to: str, source: str = "", iif: str = "", oif: str = "") -> Route | KernelError:
        """The kernel's own decision; with ``iif`` that for a packet which comes in there, its check of the source included."""
        family, bits = (ip_numbers.FAMILIES["ipv6"], 128) if ":" in to else (ip_numbers.FAMILIES["ipv4"], 32)
        parts = [rtnetlink.attribute(_RTA_DST, ip_numbers.pack_ip(to))]
        if source:
            parts.append(rtnetlink.attribute(_RTA_SRC, ip_numbers.pack_ip(source)))
        for number, name in ((_RTA_IIF, iif), (_RTA_OIF, oif)):
            link = self.link(netns, name) if name else None
            if link:
                parts.append(rtnetlink.u32(number, link.index))
        body = _RTM.pack(family, bits, bits if source else 0, 0, 0, 0, 0, 0, 0) + b"".join(parts)
        try:
            data = self._host.socket(netns).get(rtnetlink.RTM_GETROUTE, body)
        except KernelError as exc:
            return exc
        if data is None:
            return KernelError("no such device", 0)
        return route_messages.decode_route(data, netns, lambda index: self._host.device_name(netns, index))

    def routes(self, netns: str, to: str) -> list[Route]:
        """All routes of the main table in the family of an address."""
        family = ip_numbers.FAMILIES["ipv6" if ":" in to else "ipv4"]
        dumped = self._host.socket(netns).dump(rtnetlink.RTM_GETROUTE, route_messages.route_query(family, MAIN))
        return [route_messages.decode_route(data, netns, lambda index: self._host.device_name(netns, index)) for data in dumped]

    def neighbour(self, netns: str, dev: str, address: str) -> Neighbour | None:
        link = self.link(netns, dev)
        if link is None:
            return None
        body = _NDMSG.pack(ip_numbers.FAMILIES["ipv6" if ":" in address else "ipv4"], 0, 0, 0, 0) + rtnetlink.u32(_NDA_IFINDEX, link.index)
        for data in self._host.socket(netns).dump(_RTM_GETNEIGH, body):
            _family, _index, state, _flags, _type = _NDMSG.unpack_from(data)
            found = rtnetlink.attributes(data, _NDMSG.size)
            if ip_numbers.unpack_ip(found.get(_NDA_DST, b"\0" * 4)) == address:
                return Neighbour(found.get(_NDA_LLADDR, b"").hex(":"), bool(state & (_NUD_INCOMPLETE | _NUD_FAILED)))
        return None

    def owners(self, address: str, mac: str = "") -> list[Owner]:
        """The devices that answer to an address: those that have it, or that of the MAC address which answered."""
        found = []
        for netns in self.places():
            for has in self.addresses(netns):
                bearer = self.link(netns, has.dev) if has.address == address else None
                if bearer and (not mac or bearer.mac_address == mac):
                    found.append(Owner(bearer, has))
                elif bearer:  # a host answers by each of its devices for all of its addresses
                    others = [link for link in self.links(netns) if link.mac_address == mac and not link.master]
                    found += [Owner(link, has) for link in others]
        return found

    def peer(self, link: Link) -> Link | None:
        """The other end of a veth pair, where it is in a namespace that can be looked into."""
        if link.link_kind != "veth":
            return None
        for netns in [link.netns] if link.parent_nsid is None else self.places():
            if link.parent_nsid is None or self._host.nsid(link.netns, netns) == link.parent_nsid:
                return next((other for other in self.links(netns) if other.index == link.parent_index), None)
        return None

    def same(self, one: str, other: str) -> bool:
        """Whether two references mean one namespace."""
        return namespaces.inode_of(self._host.fd(one)) == namespaces.inode_of(self._host.fd(other))


def covers(address: Address, to: str) -> bool:
    """Whether ``to`` is in the subnet of an address."""
    subnet = ipaddress.ip_interface(f"{address.peer or address.address}/{address.prefixlen}").network
    return ipaddress.ip_address(to) in subnet


def is_link_local(address: str) -> bool:
    return ipaddress.ip_address(address).is_link_local
