# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What can be wrong at one place of a packet's way, in words: a cause each, and what to do about it."""

from __future__ import annotations

import errno
import ipaddress
import typing as t

from .errors import KernelError
from .probe_facts import Facts, covers, is_link_local
from .resources import Link
from .resources_addresses import Address
from .resources_routes import Route
from .values import place

_UNUSABLE = {"blackhole", "unreachable", "prohibit", "throw"}
_REFUSING = {errno.EINVAL: "blackhole", errno.EHOSTUNREACH: "unreachable", errno.EACCES: "prohibit"}


class Cause(t.NamedTuple):
    """The layer at fault, what is wrong there, and what to do; not ``certain``: nothing better was found."""

    layer: str
    text: str
    remedy: str
    certain: bool = True


def down(facts: Facts, link: Link) -> Cause | None:
    """A device that passes nothing on: it is down itself, or the other side of it."""
    name = f"interface {link.ifname} {place(link.netns)}"
    if not link.up:
        return Cause("interface_down", f"{name} is down", "set it up (up: true)")
    if link.running:
        return None
    peer = facts.peer(link)
    if peer and not peer.up:
        return Cause(
            "interface_down", f"{name} has no carrier, since its other end {peer.ifname} {place(peer.netns)} is down", "set that up"
        )
    other = "one of its ports" if link.link_kind == "bridge" else "its other end"
    return Cause("interface_down", f"{name} is up but has no carrier", f"set {other} up, or plug it in")


def unfit_address(address: Address) -> Cause | None:
    """An IPv6 address that nobody may use: not yet, or not at all."""
    name = f"address {address.address} on {address.dev} {place(address.netns)}"
    if address.dadfailed:
        text = f"{name} is a duplicate: duplicate address detection found it at a neighbour (dadfailed)"
        return Cause("duplicate_address", text, "choose another address, or remove it from the neighbour")
    if address.tentative:
        text = f"{name} is still tentative: duplicate address detection has not ended"
        return Cause("tentative_address", text, "wait for it (wait_for_dad), or leave it out (nodad)")
    return None


def unfit_source(facts: Facts, netns: str, to: str, route: Route) -> Cause | None:
    """A route is there, but no address to send from."""
    version = 6 if ":" in to else 4
    own = [address for address in facts.addresses(netns) if address.dev == route.dev and (":" in address.address) == (version == 6)]
    narrow = bool(route.src) and version == 6 and is_link_local(route.src or "") and not is_link_local(to)
    # where a device has no address that can be used, the kernel takes ::1 of lo
    if route.src not in (None, "0.0.0.0", "::", "::1") and not narrow:
        return None
    for address in sorted(own, key=lambda address: not address.dadfailed):
        cause = unfit_address(address)
        if cause and is_link_local(address.address) == is_link_local(to):
            return cause
    if narrow and not route.gateway:
        return None  # on the same link this works
    return Cause(
        "no_address", f"interface {route.dev} {place(netns)} has no IPv{version} address to send from", f"give it an IPv{version} address"
    )


def unrouted(facts: Facts, netns: str, to: str, refusal: Route | KernelError, back: bool) -> Cause:
    """Why the kernel finds no way."""
    kind = refusal.type if isinstance(refusal, Route) else _REFUSING.get(refusal.errno)
    destination = f"{'back ' if back else ''}to {to}"
    if kind in _UNUSABLE and not (kind == "unreachable" and isinstance(refusal, KernelError) and not _has_default(facts, netns, to)):
        text = f"the route {destination} {place(netns)} is of type {kind}"
        return Cause("no_route", text, "remove that route, or add one that leads there")
    links = [link for link in facts.links(netns) if link.ifname != "lo"]
    if ipaddress.ip_address(to).is_loopback:
        links = [link for link in facts.links(netns) if link.ifname == "lo"]
    elif not links:
        return Cause(
            "interface_down", f"there is no interface besides lo {place(netns)}", "give it one, for example the end of a veth pair"
        )
    family = [address for address in facts.addresses(netns) if (":" in address.address) == (":" in to) and address.scope != 254]
    near = {address.dev for address in family if covers(address, to)}
    for link in sorted(links, key=lambda link: link.ifname not in near):
        cause = down(facts, link)
        if cause and (link.ifname in near or all(not other.running for other in links)):
            return cause
    usable = [address for address in family if not (":" in to and is_link_local(address.address) and not is_link_local(to))]
    for address in sorted(usable, key=lambda address: not covers(address, to)):
        cause = unfit_address(address)
        if cause and all(unfit_address(other) for other in usable):
            return cause
    version = 6 if ":" in to else 4
    if not usable:
        return Cause(
            "no_address", f"there is no IPv{version} address {place(netns)}", f"give one of its interfaces an IPv{version} address"
        )
    idle = next((link.ifname for link in links if not link.up), None)
    hint = f", or set {idle} up, which is down" if idle else ""
    return Cause("no_route", f"there is no route {destination} {place(netns)}", f"add a route, for example a default route{hint}")


def _has_default(facts: Facts, netns: str, to: str) -> bool:
    """Whether an 'unreachable' is a route that somebody made, and not the lack of one."""
    return any(
        route.type == "unreachable" and ipaddress.ip_address(to) in ipaddress.ip_network(route.dest) for route in facts.routes(netns, to)
    )


def closed(facts: Facts, netns: str, version: int, iif: str) -> Cause | None:
    """Forwarding that is off where the packet comes in."""
    if version == 4:
        path, remedy = f"net/ipv4/conf/{iif}/forwarding", f"set the sysctl net.ipv4.conf.{iif.replace('.', '/')}.forwarding to 1"
        is_open = facts.sysctl(netns, path)
    else:
        remedy = "set the sysctl net.ipv6.conf.all.forwarding to 1"
        is_open = facts.sysctl(netns, "net/ipv6/conf/all/forwarding") or facts.sysctl(netns, f"net/ipv6/conf/{iif}/force_forwarding")
    if is_open:
        return None
    return Cause("forwarding_off", f"IPv{version} forwarding is off on interface {iif} {place(netns)}", f"{remedy} there")


def filtered(facts: Facts, netns: str, iif: str, source: str, refusal: KernelError) -> Cause | None:
    """The reverse path filter, where the kernel says that it would drop a packet from this source."""
    mode = max(facts.sysctl(netns, f"net/ipv4/conf/{name}/rp_filter") for name in ("all", iif))
    back = facts.route(netns, source)
    astray = iif not in back.devices if isinstance(back, Route) else True
    # from Linux 6.14 on the kernel says EINVAL, as of everything else that it drops there
    if refusal.errno != errno.EXDEV and not (refusal.errno == errno.EINVAL and mode and astray):
        return None
    way = f"the route back to it leaves by {' and '.join(back.devices)}" if isinstance(back, Route) else "there is no route back to it"
    kind = "loose" if mode == 2 else "strict"
    text = f"the {kind} reverse path filter on interface {iif} {place(netns)} drops packets from {source}, since {way}"
    loose = f", or set the sysctl net.ipv4.conf.{iif.replace('.', '/')}.rp_filter to 2 (loose)"
    return Cause("reverse_path_filter", text, f"add a route to {source} by {iif}" + ("" if mode == 2 else loose))


def martian(netns: str, iif: str, source: str) -> Cause:
    """The kernel finds a way and refuses the packet all the same."""
    text = f"the kernel takes packets from {source} that come in on {iif} {place(netns)} for forged (martian source)"
    return Cause("reverse_path_filter", text, f"see whether {source} is an address of that namespace itself, or of its loopback")
