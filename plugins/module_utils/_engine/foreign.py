# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Other people's firewalls: which of their forward chains would drop a network's packets, and where it may be let through. Pure.

An accept in our table does not overrule a drop in another. Docker and ufw have a chain for their user's rules, which they
do not touch: there go accepts of ours, after the user's own. firewalld goes by the zone of an interface. Everybody else
is asked by ``foreign_drop`` first.

What others have is judged as if nothing of ours were in it, so that a second run comes to the same; of firewalld this
cannot be told, so what is in our zone stays there.

ufw's chain is changed where it is live, in none of its files: what ufw remembers would outlive the network, and what is
rolled back would have to be written back. A reload of ufw takes our accepts away; as after each change of somebody's
rules they are there again with the next run.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from . import foreign_iptables
from .errors import StateError
from .probe_chains import Drop, Entry, Packet, Rules
from .resources_foreign import FIREWALLD, ForeignAccept
from .resources_nat import Publish
from .values import HOST, place

NOTE = "linuxnet.netns: network "
_OUR_TABLES = "linuxnet_"
# The chains that their makers leave to the user.
_USER_CHAINS = ("DOCKER-USER", "ufw-user-forward", "ufw6-user-forward")
ZONE = "trusted"  # every firewalld has it, and no other one lets out what comes in by its interfaces
FIREWALLD_TABLE = ("inet", "firewalld")

_Base = tuple[str, str, str]  # family, table, chain


@dataclasses.dataclass(frozen=True)
class Way:
    """How a network's packets of one IP version go; without an uplink only between neighbours.

    ``bridge``: its interface is one; ``shown``: and IP's chains see its frames. ``publish``: which ports of the host lead into it,
    with ``hairpin`` for its own members too.
    """

    version: int
    subnets: tuple[str, ...]
    interface: str
    uplink: str
    bridge: bool = False
    shown: bool = False
    publish: tuple[Publish, ...] = ()
    hairpin: bool = False

    @property
    def doors(self) -> tuple[str, ...]:
        """The devices from which a published port leads to the interface; what is shown is let through anyway."""
        own = (self.interface,) if self.hairpin and not self.shown else ()
        return (self.uplink, *own) if self.publish and self.uplink else ()

    def flows(self) -> t.Iterator[tuple[str, list[Packet], tuple[str, ...]]]:
        """What goes where, as packets of several members, with the families of the chains that see them."""
        families = ("inet", "ip" if self.version == 4 else "ip6")
        kind = "bridge" if self.bridge else ""
        inside = Packet(self.version, "", "", "tcp", iif=self.interface, iif_kind=kind)
        for subnet in self.subnets or ("",):
            pairs = _neighbours(subnet)
            if self.uplink:
                out = [dataclasses.replace(inside, source=source, oif=self.uplink) for source, _to in pairs]
                back = [dataclasses.replace(each.reply(), iif=self.uplink, oif=self.interface, iif_kind="", oif_kind=kind) for each in out]
                yield f"from {self.interface} to {self.uplink}", out, families
                yield f"from {self.uplink} back to {self.interface}", back, families
            what = f"from port to port of {self.interface}"
            near = [dataclasses.replace(inside, source=source, to=to, oif=self.interface, oif_kind=kind) for source, to in pairs]
            if self.shown:
                yield what, near, families
                yield what, [each.reply() for each in near], families
            if self.bridge:
                yield what, [dataclasses.replace(each, iif="", oif="") for each in near], ("bridge",)
        for what, packet in self._arriving(kind):
            yield what, [packet], families

    def _arriving(self, kind: str) -> t.Iterator[tuple[str, Packet]]:
        """Who asks for a published port from anywhere, as the forward hook sees it: with the inside address already."""
        for door in self.doors:
            for each in self.publish:
                for port in sorted({each.to_first, each.to_first + each.last - each.first}):
                    packet = Packet(self.version, "", each.to_address, each.protocol, dport=port, status="dnat", iif=door)
                    what = f"from {door} to published {each.describe()}"
                    yield (
                        what,
                        dataclasses.replace(packet, iif_kind=kind if door == self.interface else "", oif=self.interface, oif_kind=kind),
                    )


def _neighbours(subnet: str) -> list[tuple[str, str]]:
    """Pairs of addresses from both ends, as a rule about one address is none about the network; of no subnet none is known."""
    if not subnet:
        return [("", "")]
    network: t.Any = ipaddress.ip_network(subnet)
    last = network.num_addresses - 1
    low, high = ((min(at, last) for at in (2, 3)), (max(last - at, 0) for at in (1, 2)))
    return [(str(network[source]), str(network[to])) for source, to in (low, high)]


class Look(t.Protocol):
    """What others have in one namespace."""

    nft: t.Sequence[Entry]  # the whole ruleset
    saved: t.Mapping[str, str]  # by program, the filter table as it writes it

    def placed(self, network: str, interface: str | None) -> list[ForeignAccept]:
        """What a network has there already."""

    def canonical(self, family: str, rules: t.Sequence[str], note: str) -> tuple[str, ...]:
        """Rules with this comment as nft lists them."""

    def zone(self, interface: str) -> str | None:
        """The zone that firewalld has an interface in, empty: in none; None: no firewalld is there to be asked."""


def drops(look: Look, ways: t.Sequence[Way], bare: bool = True) -> dict[_Base, tuple[str, Drop]]:
    """What would be dropped in which forward chain; with ``bare`` as if nothing of ours were in there."""
    told = {foreign_iptables.PROGRAMS[program] for program in look.saved}
    entries = [entry for entry in look.nft if _concerns(next(iter(entry.values())), told, bare)]
    for program, saved in look.saved.items():
        entries += foreign_iptables.entries(foreign_iptables.without(saved, NOTE) if bare else saved, program)
    return _dropped(entries, ways)


def _concerns(content: Entry, told: t.Container[t.Any], bare: bool) -> bool:
    """Whether it is others', and has not been told better by its own program."""
    table = content.get("table", content.get("name", ""))
    if str(table).startswith(_OUR_TABLES) or (content["family"], table) in told:
        return False
    return not (bare and str(content.get("comment", "")).startswith(NOTE))


def _dropped(entries: t.Sequence[Entry], ways: t.Sequence[Way]) -> dict[_Base, tuple[str, Drop]]:
    rules = Rules(entries)
    found: dict[_Base, tuple[str, Drop]] = {}
    for way in ways:
        for what, packets, families in way.flows():
            first, *others = (dict(_certain(rules, packet, families)) for packet in packets)
            for base, drop in first.items():
                if all(base in other for other in others):
                    found.setdefault(base, (what, drop))
    return found


def _certain(rules: Rules, packet: Packet, families: t.Collection[str]) -> t.Iterator[tuple[_Base, Drop]]:
    for base, drop in rules.each_drop(packet, "forward", families):
        if drop.certain:
            yield (base["family"], base["table"], base["name"]), drop


# -- one network


@dataclasses.dataclass(frozen=True)
class Network:
    """A network that is to get through; ``foreign_drop`` is ``fail``, ``accept`` or ``ignore``."""

    netns: str
    name: str
    interface: str
    ways: tuple[Way, ...]
    foreign_drop: str = "fail"


def accepts(network: Network, look: Look) -> list[ForeignAccept]:
    """What it takes. Raises StateError where that is not ours to do."""
    if network.foreign_drop == "ignore":
        return []
    placed = {found.key: found for found in look.placed(network.name, network.interface)}
    wanted = [found for found in placed.values() if found.program == FIREWALLD]
    for base, (what, drop) in drops(look, network.ways).items():
        own = own_place(network, look, base)
        top = ForeignAccept(network.netns, _program(look, base), f"{base[0]} {base[1]}", base[2], network.name)
        if own is None and network.foreign_drop != "accept" and top.key not in placed:
            raise StateError(_refusal(network, what, drop, base, look))
        wanted.append(own or dataclasses.replace(top, rules=_rules(network, look, top.program, base[0])))
    return wanted


def own_place(network: Network, look: Look, base: _Base) -> ForeignAccept | None:
    """Where the maker of a chain provides for it; None where nobody does, or where it would not help."""
    if base[:2] == FIREWALLD_TABLE:
        free = network.netns == HOST and look.zone(network.interface) == ""
        bound = ForeignAccept(network.netns, FIREWALLD, " ".join(FIREWALLD_TABLE), ZONE, network.name, (f"interface {network.interface}",))
        return bound if free else None
    program = _program(look, base)
    saved = foreign_iptables.without(look.saved.get(program, ""), NOTE)
    for chain in _USER_CHAINS:
        if f"\n:{chain} " in saved:
            rules = _iptables(network, base[0])
            after = foreign_iptables.entries(foreign_iptables.inserted(saved, chain, rules), program)
            if not _dropped(after, network.ways):
                return ForeignAccept(network.netns, program, f"{base[0]} {base[1]}", chain, network.name, rules)
    return None


def _program(look: Look, base: _Base) -> str:
    """Who is to be told about a table: nft must not touch those of iptables, which would not understand them any more."""
    return next((program for program in look.saved if foreign_iptables.PROGRAMS[program] == base[:2]), "nft")


def _refusal(network: Network, what: str, drop: Drop, base: _Base, look: Look) -> str:
    zone = look.zone(network.interface) if base[:2] == FIREWALLD_TABLE and network.netns == HOST else None
    means = f"put {network.interface} into another zone than {zone}" if zone else "accept them there"
    return (
        f"nat {network.name}: foreign_drop: packets {what} would be {drop} {place(network.netns)}: {means}, or set foreign_drop: accept "
        f"to have this network accepted at the top of chain {base[2]} of table {base[0]} {base[1]}, or foreign_drop: ignore to leave it so"
    )


# -- rules


def _rules(network: Network, look: Look, program: str, family: str) -> tuple[str, ...]:
    if program != "nft":
        return _iptables(network, family)
    return look.canonical(family, _nft(network, family), f"{NOTE}{network.name}")


def _meant(network: Network, family: str) -> list[Way]:
    versions = {"ip": (4,), "ip6": (6,)}.get(family, (4, 6))
    return [way for way in network.ways if way.version in versions]


def _iptables(network: Network, family: str) -> tuple[str, ...]:
    """In the order in which iptables itself lists a rule's parts, and a match its states."""
    comment = f'-m comment --comment "{NOTE}{network.name}"'
    rules = []
    for way in _meant(network, family):
        rules += [f"-s {subnet} -i {way.interface} -o {way.uplink} {comment} -j ACCEPT" for subnet in way.subnets]
        known = f"-m conntrack --ctstate RELATED,ESTABLISHED{',DNAT' if way.publish else ''} {comment} -j ACCEPT"
        for door in way.doors or (way.uplink,):
            rules += [f"-d {subnet} -i {door} -o {way.interface} {known}" for subnet in way.subnets]
        rules += [f"-i {way.interface} -o {way.interface} {comment} -j ACCEPT"] if way.shown else []
    return tuple(rules)


def _nft(network: Network, family: str) -> list[str]:
    note = f'accept comment "{NOTE}{network.name}"'
    if family == "bridge":
        return [f'meta ibrname "{network.interface}" {note}']
    rules = []
    for way in _meant(network, family):
        ip, inside = "ip" if way.version == 4 else "ip6", f'"{way.interface}"'
        rules += [f'iifname {inside} oifname "{way.uplink}" {ip} saddr {subnet} {note}' for subnet in way.subnets]
        known = ["state established,related", *(["status dnat"] if way.publish else [])]
        for door in way.doors or (way.uplink,):
            to = [f'iifname "{door}" oifname {inside} {ip} daddr {subnet}' for subnet in way.subnets]
            rules += [f"{each} ct {what} {note}" for each in to for what in known]
        rules += [f"iifname {inside} oifname {inside} {note}"] if way.shown else []
    return list(dict.fromkeys(rules))
