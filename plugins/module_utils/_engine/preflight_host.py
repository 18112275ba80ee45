# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Subnets that are taken, uplinks that cannot be used, routes on which the answers are dropped."""

from __future__ import annotations

import ipaddress
import os.path
import typing as t

from .errors import KernelError
from .preflight_wish import Finding, Subnet, Wish
from .probe_facts import Facts
from .values import HOST

_ETHERNET = "1"  # ARPHRD_ETHER
_STRICT = 1
# An address that only a default route leads to. Nothing is sent to it: the kernel is asked what it would do.
_FAR_AWAY = "203.0.113.1"

# What the makers of virtual machines write into the DMI tables, where their switches pass on no MAC address but the machine's.
_CLOUDS = (
    ("Amazon", "Amazon EC2"),
    ("Google", "Google Cloud"),
    ("Microsoft", "Azure or Hyper-V"),
    ("VMware", "VMware"),
    ("DigitalOcean", "DigitalOcean"),
    ("Hetzner", "Hetzner Cloud"),
    ("OpenStack", "OpenStack"),
    ("Alibaba", "Alibaba Cloud"),
    ("Oracle", "Oracle Cloud"),
    ("Linode", "Linode"),
    ("Akamai", "Linode"),
    ("Scaleway", "Scaleway"),
    ("Vultr", "Vultr"),
    ("UpCloud", "UpCloud"),
    ("Exoscale", "Exoscale"),
)


def subnets(wish: Wish, facts: Facts) -> list[Finding]:
    """Wanted subnets that the host uses already, or reaches elsewhere."""
    found: list[Finding] = []
    for subnet in wish.subnets:
        taken = _in_use(wish, facts, subnet)
        found += [taken] if taken else _routed(wish, facts, subnet)
    return found


def _in_use(wish: Wish, facts: Facts, subnet: Subnet) -> Finding | None:
    for address in facts.addresses(HOST):
        if address.dev == wish.interface:
            continue
        theirs = ipaddress.ip_interface(f"{address.address}/{address.prefixlen}").network
        if theirs.version == subnet.version and subnet.overlaps(theirs):
            return Finding(
                "subnet_in_use",
                "error",
                f"subnet {subnet} overlaps with {address.address}/{address.prefixlen} on {address.dev}",
                "answers would leave the host by the wrong one of the two interfaces",
                "choose another subnet",
            )
    return None


def _routed(wish: Wish, facts: Facts, subnet: Subnet) -> list[Finding]:
    """Routes of the main table. The kernel's own follow the addresses, which were looked at."""
    found = []
    for route in facts.routes(HOST, str(subnet.network_address)):
        if route.automatic or wish.interface in route.devices:
            continue
        theirs = ipaddress.ip_network(route.dest)
        if theirs.prefixlen == 0 or theirs.version != subnet.version or not subnet.overlaps(theirs):
            continue
        way = f"by {route.devices[0]}" if route.devices else f"as {route.type}"
        if theirs.prefixlen >= subnet.prefixlen:
            why = "packets for namespaces with these addresses would go there"
            found.append(
                Finding(
                    "subnet_routed", "error", f"the host has a route to {theirs} {way}, in subnet {subnet}", why, "choose another subnet"
                )
            )
        elif route.type == "unicast":
            why = f"machines there whose addresses are in {subnet} cannot be reached any more, neither by the host nor by the namespaces"
            what = f"subnet {subnet} is part of {theirs}, to which the host has a route {way}"
            found.append(Finding("subnet_routed", "warning", what, why, "choose a subnet that is used nowhere there"))
    return found


# -- the uplink


def uplink(wish: Wish, facts: Facts, name: str, root: str) -> list[Finding]:
    """Why the uplink cannot be a port of a bridge. One that is not there is told by whoever wants to use it."""
    link = facts.link(HOST, name) if name and wish.bridge_uplink else None
    if link is None:
        return []
    place = os.path.join(root, "sys/class/net", name)
    other = "take a NAT network (role nat_network), or another interface"
    if os.path.exists(f"{place}/wireless") or os.path.exists(f"{place}/phy80211"):
        why = "an access point accepts frames from the MAC address of the machine only, so nobody would answer the namespaces"
        return [Finding("uplink_wireless", "error", f"uplink {name} is wireless and cannot be bridged", why, other)]
    if link.link_kind == "bridge" and name != wish.interface:
        why = "the kernel puts no bridge into a bridge"
        return [
            Finding("uplink_is_bridge", "error", f"uplink {name} is a bridge itself", why, "name the physical interface that is its port")
        ]
    if text(f"{place}/type") not in (_ETHERNET, ""):
        why = "a bridge takes interfaces with Ethernet addresses only"
        return [Finding("uplink_not_ethernet", "error", f"uplink {name} is not an Ethernet interface", why, other)]
    cloud = _cloud(root) if os.path.exists(f"{place}/device") else None
    if cloud is None:
        return []
    why = "its network usually drops frames with MAC addresses that it has not given out, so the namespaces may stay without an answer"
    remedy = f"{other}, or allow further MAC addresses for this machine there (forged transmits, port security, source check)"
    return [Finding("uplink_cloud", "warning", f"this machine runs at {cloud}", why, remedy)]


def text(path: str) -> str:
    """A short file's contents; empty where there is none, or it has no value at the moment."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def _cloud(root: str) -> str | None:
    told = [text(os.path.join(root, "sys/class/dmi/id", name)) for name in ("sys_vendor", "product_name", "chassis_asset_tag")]
    return next((cloud for word, cloud in _CLOUDS if any(word.lower() in line.lower() for line in told)), None)


# -- reverse path filter


def reverse_path(wish: Wish, facts: Facts, name: str) -> list[Finding]:
    """Interfaces to the outside on which the kernel drops what comes from there, because its own way back is another one."""
    ways = [device for route in facts.routes(HOST, "0.0.0.0") if route.dest == "0.0.0.0/0" for device in route.devices]
    found = []
    for device in dict.fromkeys([name, *ways] if wish.nat or wish.bridge_uplink else []):
        address = next((has.address for has in facts.addresses(HOST) if has.dev == device and ":" not in has.address), None)
        link = facts.link(HOST, device)
        if address is None or link is None or not link.running or not _strict(facts, device):
            continue
        if isinstance(facts.route(HOST, address, source=_FAR_AWAY, iif=device), KernelError):
            found.append(
                Finding(
                    "rp_filter",
                    "warning",
                    f"rp_filter is strict on {device}, and the host's way to the Internet is not {device}",
                    f"the kernel drops without a word what comes in there from the Internet, for the host at {address} and for namespaces",
                    f"set net.ipv4.conf.{device}.rp_filter to 2 (loose), or make a rule and a table of routes for {device}",
                )
            )
    return found


def _strict(facts: Facts, device: str) -> bool:
    """The kernel takes the greater of the two."""
    return max(facts.sysctl(HOST, f"net/ipv4/conf/{which}/rp_filter") for which in ("all", device)) == _STRICT


def names(items: t.Sequence[str], most: int = 3) -> str:
    """Several names in a sentence."""
    shown = ", ".join(items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"
