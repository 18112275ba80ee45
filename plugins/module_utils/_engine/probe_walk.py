# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The way of a packet through the namespaces of this host, hop by hop as the kernel would take it, until something is wrong."""

from __future__ import annotations

import dataclasses
import typing as t

from .errors import KernelError
from .probe_causes import Cause, closed, down, filtered, martian, unfit_address, unfit_source, unrouted
from .probe_chains import Drop, Packet
from .probe_facts import Facts, Owner, is_link_local
from .resources import Link
from .resources_routes import Route
from .values import place

_HOPS_MAX = 16


class Translated(t.NamedTuple):
    """Where an address of the packet was replaced, its source or whom it was for, and what it was before."""

    netns: str
    source: str


class Walk:
    """One direction of a talk. After ``run`` it says how far the packet came: ``arrived`` or ``left``."""

    def __init__(self, facts: Facts, packet: Packet, zone: str = "", there: Walk | None = None) -> None:
        """``there``: the way of what this packet answers."""
        self._facts = facts
        self._zone = zone
        self._back = packet.state != "new"
        self.packet = packet
        self.translations: list[Translated] = list(there.translations) if there else []
        self.led: list[Translated] = list(there.led) if there else []  # by rules that publish a port
        self.suspect: Cause | None = None
        self.arrived: str | None = None  # the namespace
        self.left: tuple[str, str, str] | None = None  # namespace, device, next hop

    def run(self, netns: str, iif: str = "") -> Cause | None:
        """Follow the packet; what is wrong first."""
        at: tuple[str, str] | None = (netns, iif)
        for _hop in range(_HOPS_MAX):
            if at is None:
                break
            found = self._through(*at)
            if isinstance(found, Cause):
                return found
            at = found
        return None

    def _through(self, netns: str, iif: str) -> Cause | tuple[str, str] | None:
        """One namespace: what is wrong in it, or where the packet comes in next."""
        self.packet = dataclasses.replace(self.packet, iif=iif, oif="", iif_kind=self._kind(netns, iif), oif_kind="", mark=0, status=None)
        if not iif:
            self._lead(netns, "output")
        else:
            cause = self._dropped(netns, "ingress", "prerouting")
            if cause:
                return cause
            self._lead(netns, "prerouting")
            if self._is_here(netns):
                self.arrived = netns
                return self._unfiltered(netns, iif) or self._dropped(netns, "input")
        route = self._routed(netns, iif)
        if isinstance(route, Cause):
            return route
        if route.type == "local":
            return self._looped(netns)
        link = self._facts.link(netns, self._device(route))
        if link is None:
            return None
        self.packet = dataclasses.replace(self.packet, oif=link.ifname, oif_kind=link.link_kind or "")
        cause = down(self._facts, link)
        if not cause and not iif and not self._back:
            cause = unfit_source(self._facts, netns, self.packet.to, route)
            self.packet = dataclasses.replace(self.packet, source=route.src or "")
        cause = cause or self._dropped(netns, *(("forward", "postrouting") if iif else ("output", "postrouting")))
        if cause:
            return cause
        if iif and not self._back:
            self._translate(netns, route)
        if self._back and self.led and self._facts.same(self.led[-1].netns, netns):
            self.packet = dataclasses.replace(self.packet, source=self.led.pop().source)
        return self._onward(netns, link, route.ways[0].gateway or self.packet.to)

    def _kind(self, netns: str, dev: str) -> str:
        link = self._facts.link(netns, dev) if dev else None
        return (link.link_kind if link else "") or ""

    @staticmethod
    def _device(route: Route) -> str | None:
        return route.devices[0] if route.devices else None

    def _is_here(self, netns: str) -> bool:
        """Whether the packet is for this namespace; an answer to what was translated here goes on to whom it is for."""
        if not any(address.address == self.packet.to for address in self._facts.addresses(netns)):
            return False
        if self._back and self.translations and self._facts.same(self.translations[-1].netns, netns):
            self.packet = dataclasses.replace(self.packet, to=self.translations.pop().source)
            return self._is_here(netns)
        return True

    def _lead(self, netns: str, hook: str) -> None:
        """A port of the host that leads elsewhere; of rules about packets that are for others some could be meant for none of ours."""
        own = not self._back and any(address.address == self.packet.to for address in self._facts.addresses(netns))
        target = self._facts.rules(netns).target(self.packet, hook) if own else None
        if target:
            self.led.append(Translated(netns, self.packet.to))
            self.packet = dataclasses.replace(self.packet, to=target[0], dport=target[1] or self.packet.dport, status="dnat")

    def _translate(self, netns: str, route: Route) -> None:
        if self._facts.rules(netns).translates():
            direct = self._facts.route(netns, self.packet.to)
            source = direct.src if isinstance(direct, Route) else None
            if source and source != self.packet.source:
                self.translations.append(Translated(netns, self.packet.source))
                self.packet = dataclasses.replace(self.packet, source=source)

    def _routed(self, netns: str, iif: str) -> Route | Cause:
        packet = self.packet
        if iif:
            cause = closed(self._facts, netns, packet.version, iif) or self._unfiltered(netns, iif)
            if cause:
                return cause
        route = self._facts.route(netns, packet.to, packet.source if iif else "", iif, "" if iif else self._zone)
        if iif and isinstance(route, KernelError):  # of a packet that comes in it may be the source that is refused
            plain = self._facts.route(netns, packet.to)
            if isinstance(plain, Route) and plain.type == "unicast":
                return martian(netns, iif, packet.source)
            route = plain
        if isinstance(route, KernelError) or route.type not in ("unicast", "local"):
            return unrouted(self._facts, netns, packet.to, route, self._back)
        return route

    def _unfiltered(self, netns: str, iif: str, to: str = "") -> Cause | None:
        """What the kernel says of the source of a packet that comes in here."""
        if self.packet.version == 4 and self.packet.source:
            found = self._facts.route(netns, to or self.packet.to, self.packet.source, iif)
            if isinstance(found, KernelError):
                return filtered(self._facts, netns, iif, self.packet.source, found)
        return None

    def _looped(self, netns: str) -> Cause | None:
        """To an address of the namespace's own: by way of lo, whatever device bears it."""
        self.arrived = netns
        lo = self._facts.link(netns, "lo")
        if lo and not lo.up:
            return down(self._facts, lo)
        owner = next((address for address in self._facts.addresses(netns) if address.address == self.packet.to), None)
        self.packet = dataclasses.replace(self.packet, iif="lo", oif="lo", source=self.packet.source or self.packet.to)
        return (unfit_address(owner) if owner else None) or self._dropped(netns, "output", "postrouting", "prerouting", "input")

    # --- chains

    def _dropped(self, netns: str, *hooks: str) -> Cause | None:
        """Drops that are not certain are remembered only."""
        return self._judged(netns, self._facts.rules(netns).drops(self.packet, hooks))

    def _judged(self, netns: str, drop: Drop | None) -> Cause | None:
        if drop is None:
            return None
        what = f"answers from {self.packet.source}" if self._back else f"packets to {self.packet.to}"
        cause = Cause("dropped", f"{what} are {drop} {place(netns)}", "accept them there", drop.certain)
        if drop.certain:
            return cause
        self.suspect = self.suspect or cause
        return None

    def _bridged(self, link: Link, owner: Owner, packet: Packet) -> Cause | None:
        """Chains of the bridge that lies between a veth end and the next hop; also those for IP, where bridges call them."""
        peer = self._facts.peer(link)
        if peer is None or not peer.master or (owner.link.netns, owner.link.ifname) == (peer.netns, peer.master):
            return None
        rules, hooks = self._facts.rules(peer.netns), ("prerouting", "forward", "postrouting")
        drop = rules.drops(dataclasses.replace(packet, iif=peer.ifname, oif=""), hooks, ("bridge",))
        calls = f"net/bridge/bridge-nf-call-ip{'6' if packet.version == 6 else ''}tables"
        if not drop and self._facts.sysctl(peer.netns, calls):
            master = {"iif": peer.master, "oif": peer.master, "iif_kind": "bridge", "oif_kind": "bridge"}
            drop = rules.drops(dataclasses.replace(packet, **t.cast(t.Any, master)), hooks, ("inet", "ip"))
        return self._judged(peer.netns, drop)

    # --- from one namespace to the next

    def _onward(self, netns: str, link: Link, hop: str) -> Cause | tuple[str, str] | None:
        neighbour = self._facts.neighbour(netns, link.ifname, hop)
        owner = self._owner(link, hop, neighbour.mac if neighbour and not neighbour.silent else "")
        if neighbour and neighbour.silent:
            return self._silent(link, hop, owner)
        if owner is None:
            self.left = (netns, link.ifname, hop)
            return None
        return self._bridged(link, owner, self.packet) or (owner.link.netns, owner.link.ifname)

    def _owner(self, link: Link, hop: str, mac: str) -> Owner | None:
        """Who has the next hop's address: of several the one at the other end of the cable, else none can be told."""
        owners = [owner for owner in self._facts.owners(hop, mac) if not self._facts.same(owner.link.netns, link.netns)]
        if len(owners) > 1:
            peer = self._facts.peer(link)
            owners = [owner for owner in owners if peer and self._facts.same(owner.link.netns, peer.netns)]
        return owners[0] if len(owners) == 1 else None

    def _silent(self, link: Link, hop: str, owner: Owner | None) -> Cause:
        """A neighbour that was asked for and did not answer."""
        text = f"neighbour {hop} on {link.ifname} {place(link.netns)} does not answer"
        if owner:
            cause = down(self._facts, owner.link) or unfit_address(owner.address)
            cause = cause or self._unbridged(link, owner.link) or self._unbridged(owner.link, link)
            # ARP asks with the source address of the packet, and is answered only if a packet from there could come in
            cause = cause or self._unfiltered(owner.link.netns, owner.link.ifname, hop)
            return cause or self._deaf(link, owner) or self._apart(text, owner)
        cause = self._unbridged(link, None)
        if cause:
            return cause
        return Cause("neighbour", text, f"correct the address, or bring whoever has it to the same link as {link.ifname}")

    def _apart(self, text: str, owner: Owner) -> Cause:
        has = f"{owner.link.ifname} {place(owner.link.netns)}"
        return Cause("neighbour", f"{text}, although {has} has that address", "look at bridges, VLANs and port isolation between the two")

    def _unbridged(self, link: Link, other: Link | None) -> Cause | None:
        """A cable from ``link`` whose other end leads nowhere, ``other`` being where it should lead to."""
        peer = self._facts.peer(link)
        if peer is None or (other and self._facts.same(other.netns, peer.netns) and other.ifname in (peer.ifname, peer.master)):
            return None
        master = self._facts.link(peer.netns, peer.master) if peer.master else None
        if master:
            return down(self._facts, master)
        if any(address.dev == peer.ifname for address in self._facts.addresses(peer.netns) if not is_link_local(address.address)):
            return None
        name = f"{peer.ifname} {place(peer.netns)}, the other end of {link.ifname} {place(link.netns)},"
        return Cause("neighbour", f"{name} is in no bridge and has no address, so that nobody can answer on it", "set its master")

    def _deaf(self, link: Link, owner: Owner) -> Cause | None:
        """IPv6 neighbours ask each other by ICMPv6, which a chain may drop as anything else."""
        if self.packet.version != 6:
            return None
        ask = Packet(6, self.packet.source, owner.address.address, "icmpv6", kind="nd-neighbor-solicit", state="untracked")
        between = self._bridged(link, owner, ask)
        if between:
            return between
        ask.iif = owner.link.ifname
        drop = self._facts.rules(owner.link.netns).drops(ask, ("ingress", "prerouting", "input"))
        return self._judged(owner.link.netns, drop)
