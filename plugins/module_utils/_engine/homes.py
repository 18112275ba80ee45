# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Devices that were moved, physical ones above all: how each was at home. Pure.

The kernel moves a device down, bare, out of its bridge and with the sysctls of any new device. What it had at home is
kept until all of it is there again, so that a way back that was interrupted is gone on with.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from .record import Key, Value, record
from .resources import Link, Sysctl
from .resources_addresses import Address
from .resources_routes import Route
from .values import HOST, ROUTE_TABLES

_KERNEL_LINK_LOCAL = 3  # the protocol of addresses that kernels from 5.18 on make with the device
_ROUTER_ADVERTISEMENT = 9  # the protocol of routes that come again with the next one


@record
class Home(Value):
    """A device that is away: ``link`` and what hung on it are as at home, ``netns`` and ``ifname`` say where it is now."""

    link: Link
    netns: str = HOST
    ifname: str = ""
    inode: int = 0  # of the namespace that it is in; 0: not known
    index: int = 0  # in that namespace, should somebody rename it; 0: not known
    addresses: tuple[Address, ...] = ()  # in the kernel's order
    routes: tuple[Route, ...] = ()
    sysctls: tuple[Sysctl, ...] = ()  # those that a new device would not have
    returning: bool = False  # a run has begun to give it back

    @property
    def key(self) -> Key:
        return ("home", self.link.netns, self.link.ifname)


def remembered(link: Link, addresses: t.Sequence[Address], routes: t.Iterable[Route], sysctls: t.Iterable[Sysctl]) -> Home:
    """What is worth keeping of a device before it leaves: all that does not come again by itself."""
    # kernels before 5.18 do not tell whose a link-local address is
    told = link.addr_gen_mode == "none" or any(address.protocol == _KERNEL_LINK_LOCAL for address in addresses)
    return Home(
        link=link,
        addresses=tuple(address for address in addresses if not address.automatic or (told and address.protocol != _KERNEL_LINK_LOCAL)),
        routes=tuple(route for route in routes if not _comes_again(route, addresses)),
        sysctls=tuple(dataclasses.replace(sysctl, if_there=True) for sysctl in sysctls),
    )


def _comes_again(route: Route, addresses: t.Sequence[Address]) -> bool:
    if route.protocol == _ROUTER_ADVERTISEMENT:
        return True
    if not route.automatic or route.table == ROUTE_TABLES["local"] or route.type != "unicast":
        return route.automatic
    # who sets an address without its route may set that route as if the kernel had made it
    by_hand = (f"{address.peer or address.address}/{address.prefixlen}" for address in addresses if address.noprefixroute)
    dest = ipaddress.ip_network(route.dest)
    return all(ipaddress.ip_network(network, strict=False) != dest for network in by_hand)


def begun(homes: t.Sequence[Home], going: t.Sequence[Home]) -> tuple[Home, ...]:
    """With a note on those that are about to be given back."""
    return tuple(dataclasses.replace(home, returning=True) if home in going else home for home in homes)
