# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What the decisions about NAT need to know of the machine."""

from __future__ import annotations

from . import ip_messages, nftables, rtnetlink
from .host import Host
from .resources import Table
from .state import MAIN


class View:
    """Answers from one run's host."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def default_device(self, netns: str, family: str) -> str | None:
        """The device of the default route with the lowest metric."""
        body = ip_messages.route_query(ip_messages.FAMILIES[family], MAIN)
        dumped = self._host.socket(netns).dump(rtnetlink.RTM_GETROUTE, body)
        routes = [ip_messages.decode_route(data, netns, lambda index: self._host.device_name(netns, index)) for data in dumped]
        found = [route for route in routes if route.name == "default" and route.type == "unicast"]
        for route in sorted(found, key=lambda route: route.metric or 0):
            for dev in route.devices:
                return dev
        return None

    def sysctl(self, netns: str, path: str) -> str | None:
        return self._host.sysctl(netns, path)

    def tables(self, netns: str) -> list[tuple[str, str]]:
        return nftables.tables(netns)

    def live_table(self, netns: str, family: str, table: str) -> Table | None:
        return nftables.live(netns, family, table)

    def canonical(self, text: str) -> str:
        return nftables.canonical(text)
