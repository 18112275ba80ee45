# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What is going to be built, as far as a look ahead needs it, and what such a look finds. Pure."""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from . import values
from .errors import InputError

Subnet = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

LEVELS = ("error", "warning", "note")


class Finding(t.NamedTuple):
    """One thing that will hurt."""

    id: str
    level: str  # of LEVELS
    what: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}; {self.remedy}"


# Every finding there can be: the words by which one is ignored.
IDS = (
    "bridge_netfilter",
    "conntrack_missing",
    "foreign_drop",
    "ipv6_disabled",
    "kind_missing",
    "namespaces_missing",
    "networkd",
    "networkd_uplink",
    "networkmanager",
    "networkmanager_uplink",
    "nft_missing",
    "nftables_missing",
    "rp_filter",
    "subnet_in_use",
    "subnet_routed",
    "udev_mac_policy",
    "uplink_cloud",
    "uplink_is_bridge",
    "uplink_not_ethernet",
    "uplink_wireless",
)


@dataclasses.dataclass(frozen=True)
class Wish:
    """A network to be. ``links`` are the names of the devices made on the host, beside ``interface``, the bridge."""

    subnets: tuple[Subnet, ...] = ()
    interface: str = ""
    uplink: str = ""  # empty: the one of the default route
    bridge_uplink: bool = False
    nat: bool = False
    foreign_drop: str = "fail"
    kinds: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    ignore: frozenset[str] = frozenset()
    check_mode: bool = False

    def versions(self) -> list[int]:
        """The IP versions meant; a bridged network may have either."""
        return sorted({subnet.version for subnet in self.subnets}) or [4, 6]

    def devices(self) -> dict[str, str]:
        """The kind of each device on the host, by name."""
        own = {self.interface: "bridge"} if self.interface else {}
        return {**own, **{name: "veth" for name in self.links if name != self.interface}}


def read(params: t.Mapping[str, t.Any], check_mode: bool) -> Wish:
    """The options of the module. Raises InputError."""
    interface, uplink = params["interface"] or "", params["uplink"]
    if interface:
        values.interface_name(interface, "interface")
    if uplink != "auto":
        values.interface_name(uplink, "uplink")
    return Wish(
        subnets=tuple(_subnet(text) for text in params["subnets"] or ()),
        interface=interface,
        uplink="" if uplink == "auto" else uplink,
        bridge_uplink=params["bridge_uplink"],
        nat=params["nat"],
        foreign_drop=params["foreign_drop"],
        kinds=tuple(dict.fromkeys(params["kinds"] or ())),
        links=tuple(values.interface_name(name, "links") for name in params["links"] or ()),
        ignore=frozenset(params["ignore"] or ()),
        check_mode=check_mode,
    )


def _subnet(text: str) -> Subnet:
    try:
        return ipaddress.ip_network(text)
    except ValueError as exc:
        raise InputError(f"subnets: {text!r} is not a subnet: {exc}") from None
