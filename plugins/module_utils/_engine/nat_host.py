# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What the decisions about NAT need to know of the machine."""

from __future__ import annotations

import os
import typing as t

from . import ip_messages, ip_numbers, namespaces, nat_host_ports, nat_remembered, nftables, route_messages, rtnetlink
from .errors import StateError
from .host import Host
from .resources_addresses import Address
from .resources_nat import Publish, Table
from .state import MAIN
from .values import HOST


class View:
    """Answers from one run's host."""

    def __init__(self, host: Host, may_lack_nft: bool = False, coming: t.Sequence[Address] = ()) -> None:
        self._host = host
        self._may_lack_nft = may_lack_nft
        self._coming = coming
        self._remembered = nat_remembered.load()

    def there(self, netns: str) -> bool:
        """A namespace that the same run makes is not there yet: it has no tables and no routes, and forwards nothing."""
        return netns == HOST or netns.startswith("/") or bool((entry := namespaces.find(netns)) and not entry.stale)

    def default_device(self, netns: str, family: str) -> str | None:
        """The device of the default route with the lowest metric."""
        if not self.there(netns):
            return None
        body = route_messages.route_query(ip_numbers.FAMILIES[family], MAIN)
        dumped = self._host.socket(netns).dump(rtnetlink.RTM_GETROUTE, body)
        routes = [route_messages.decode_route(data, netns, lambda index: self._host.device_name(netns, index)) for data in dumped]
        found = [route for route in routes if route.name == "default" and route.type == "unicast"]
        for route in sorted(found, key=lambda route: route.metric or 0):
            for dev in route.devices:
                return dev
        return None

    def sysctl(self, netns: str, path: str) -> str | None:
        if self.there(netns):
            return self._host.sysctl(netns, path)
        # what the kernel has here it will have there
        return "0" if self._host.sysctl(HOST, path) is not None else None

    def tables(self, netns: str) -> list[tuple[str, str]]:
        """Those that somebody has flushed count too: what they say of the host before them still holds."""
        if not self.there(netns):
            return []
        flushed = [("inet", name) for place, name in self._remembered if place == netns]
        return [*dict.fromkeys([*nftables.tables(netns), *flushed])]

    def live_table(self, netns: str, family: str, table: str) -> Table | None:
        found = nftables.live(netns, family, table) if self.there(netns) else None
        said = self._remembered.get((netns, table)) if family == "inet" else None
        return found or (Table(netns, family, table, ruleset=said) if said else None)

    def canonical(self, text: str) -> str:
        try:
            return nftables.canonical(text)
        except StateError:
            if not self._may_lack_nft:
                raise
            return text

    def addresses(self, netns: str) -> set[tuple[str, str]]:
        """Device and address, of each address that is there or comes in this run."""
        found = {(address.dev, address.address) for address in self._coming if address.netns == netns}
        if self.there(netns):
            for data in self._host.socket(netns).dump(rtnetlink.RTM_GETADDR, ip_messages.address_query(0)):
                address = ip_messages.decode_address(data, netns, lambda index: self._host.device_name(netns, index))
                found.add((address.dev, address.address))
        return found

    def reads_drop_ins(self, netns: str) -> bool:
        """Whether the first process, which has systemd-sysctl run, is in the namespace: in a container it is the container's own."""
        try:
            return netns == HOST and os.path.samefile("/proc/1/ns/net", "/proc/self/ns/net")
        except OSError:
            return False

    def takers(self, netns: str, wanted: t.Sequence[Publish]) -> t.Iterator[tuple[Publish, str]]:
        """Which of these ports somebody has who is none of our networks, and who that is."""
        return nat_host_ports.takers(self._host, netns, wanted) if wanted and self.there(netns) else iter(())
