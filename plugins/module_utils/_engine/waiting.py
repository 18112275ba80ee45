# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What is finished only some time after it was asked for: duplicate address detection, and names of devices that go."""

from __future__ import annotations

import struct
import time
import typing as t

from . import link_messages, rtnetlink, stopping
from .changes import Change
from .errors import NetnsError, StateError
from .host import Host
from .observe import observe
from .options import Wanted
from .resources import Link, Namespace
from .resources_addresses import Address
from .values import HOST

_DAD_TIMEOUT = 10.0
_GONE_TIMEOUT = 10.0
_POLL = 0.02


def waits_for_dad(wanted: Wanted) -> list[Address]:
    """The addresses that are to be nobody else's."""
    return [resource for resource in wanted.present if isinstance(resource, Address) and resource.wait_for_dad]


def wait_for_dad(host: Host, wanted: Wanted) -> None:
    """Until no listed address is tentative; only a device that runs does duplicate address detection."""
    waiting = waits_for_dad(wanted)
    if not waiting:
        return
    only = Wanted(present=tuple(waiting))
    deadline = time.monotonic() + _DAD_TIMEOUT
    while True:
        stopping.check()
        state = observe(host, only)
        found = [address for address in (state.found.get(wish.key) for wish in waiting) if isinstance(address, Address)]
        twice = next((address for address in found if address.dadfailed), None)
        if twice:
            raise StateError(f"{twice.describe()} is in use by a neighbour: duplicate address detection failed, choose another address")
        open_ = [address for address in found if address.tentative and state.devices[(address.netns, address.dev)].running]
        if not open_:
            return
        if time.monotonic() > deadline:
            raise StateError(
                f"{open_[0].describe()} is still tentative after {_DAD_TIMEOUT:.0f} seconds: set wait_for_dad: false not to wait"
            )
        time.sleep(_POLL * 2)


def _veths_to(host: Host, netns: str, number: int) -> t.Iterator[tuple[str, int]]:
    """The veth ends of a namespace whose peers are in the one that it calls by this number: name, and the peer's index there."""
    for data in host.socket(netns).dump(rtnetlink.RTM_GETLINK, link_messages.query()):
        found = rtnetlink.attributes(data, link_messages.HEADER_SIZE)
        info = rtnetlink.attributes(found.get(link_messages.IFLA_LINKINFO, b""))
        # of a device that stands on one of another namespace the index is told in the same way
        if found.get(link_messages.IFLA_LINK_NETNSID) == struct.pack("=i", number) and link_messages.kind_of(info) == "veth":
            peer = rtnetlink.to_u32(found[link_messages.IFLA_LINK])
            yield rtnetlink.to_text(found[link_messages.IFLA_IFNAME]), peer


class Leaving:
    """The devices that go with a namespace: the kernel takes them away later, and their names are free only then."""

    def __init__(self, host: Host, changes: t.Sequence[Change]) -> None:
        self._host = host
        self._indexes: dict[int, str] = {}
        self._home = {change.before.key for change in changes if change.action == "move" and change.before}
        for change in changes:
            namespace = change.before
            if (
                change.action == "delete"
                and isinstance(namespace, Namespace)
                and not namespace.stale
                and not (namespace.pids and namespace.processes == "keep")
            ):
                self._note_peers(namespace.netns)

    def _note_peers(self, netns: str) -> None:
        number = self._host.nsid(netns, HOST)
        for name, peer_index in _veths_to(self._host, netns, number) if number is not None else ():
            if (Link.KIND, netns, name) not in self._home:
                self._indexes[peer_index] = netns

    def wait(self) -> list[str]:
        """Until the names are free; what a namespace that somebody else holds keeps is told as a warning, and so is who cannot look."""
        try:
            return self._waited()
        except NetnsError as exc:  # the run is over, and good
            return [f"whether the devices of removed namespaces are gone could not be seen: {exc}"]

    def _waited(self) -> list[str]:
        deadline = time.monotonic() + _GONE_TIMEOUT
        left = dict(self._indexes)
        while left:
            left = {index: netns for index, netns in left.items() if self._host.exists(HOST, index)}
            if left and time.monotonic() > deadline:
                names = ", ".join(sorted(set(left.values())))
                return [f"namespace {names}: the name is gone, but an open file or another mount still holds it, so its devices stay"]
            if left:
                time.sleep(_POLL)
        return []
