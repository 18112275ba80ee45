# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What goes with what: the state once a device or an address is gone, or a device is down. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from .record import Resource, pairs
from .resources import Link, Sysctl, Veth
from .resources_addresses import Address
from .resources_routes import Route

if t.TYPE_CHECKING:
    from .state import Observed

# What a bridge that filters VLANs gives a new port.
NEW_PORT = pairs({"pvid": 1, "vlans": ()})


def hangs_on(found: Resource, lost: t.Collection[tuple[str, str | None]]) -> bool:
    """Whether an object goes when the devices go."""
    if isinstance(found, Link):
        return (found.netns, found.ifname) in lost
    if isinstance(found, Address):
        return (found.netns, found.dev) in lost
    if isinstance(found, Route):
        return any((found.netns, dev) in lost for dev in found.devices)
    return isinstance(found, Sysctl) and (found.netns, found.device) in lost


def without(state: Observed, gone: Resource) -> Observed:
    """The state once something is re-created: what hung on it went with it."""
    if isinstance(gone, Address):
        return _without_address(state, gone)
    ends = gone.ends if isinstance(gone, Veth) else (gone,) if isinstance(gone, Link) else ()
    lost = {(end.netns, end.ifname) for end in ends}
    if not lost:
        return state
    standing = {key: found for key, found in state.found.items() if not hangs_on(found, lost)}
    for key, found in standing.items():
        if isinstance(found, Link) and (found.netns, found.master) in lost:
            standing[key] = dataclasses.replace(found, master="", port=NEW_PORT)
    left = dataclasses.replace(state, found=standing)
    for child in state.found.values():
        place = child.where if not isinstance(child, Link) or child.parent_netns is None else child.parent_netns
        if isinstance(child, Link) and child.parent and (place, child.parent) in lost:
            left = without(left, child)
    return left


def _without_address(state: Observed, gone: Address) -> Observed:
    """With its last IPv4 address a device loses its IPv4 routes; those that leave from an address go with it at any rate."""
    if ":" in gone.address:
        return state
    here = {(gone.netns, gone.dev)}
    addresses = [found for found in state.found.values() if isinstance(found, Address) and hangs_on(found, here)]
    # new ones come before old ones go
    coming = {key for key in state.coming_addresses if key[1:3] == (gone.netns, gone.dev) and "." in key[3]}
    last = not ({found.key for found in addresses if "." in found.address} | coming) - {gone.key}

    def goes(found: Resource) -> bool:
        return isinstance(found, Route) and "." in found.dest and (found.src == gone.address or last and hangs_on(found, here))

    # the address itself comes again
    return dataclasses.replace(state, found={key: found for key, found in state.found.items() if not goes(found)})


def down(state: Observed, link: Link) -> Observed:
    """The state once a device is down: IPv6 addresses and all routes by way of it are gone."""
    here = {(link.netns, link.ifname)}

    def stays(found: Resource) -> bool:
        goes = isinstance(found, Route) or (isinstance(found, Address) and ":" in found.address)
        return not (goes and hangs_on(found, here))

    return dataclasses.replace(state, found={key: found for key, found in state.found.items() if stays(found)})
