# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Other people's firewalls as they are, and what is put into them and taken out."""

from __future__ import annotations

import typing as t

from . import foreign, foreign_firewalld, foreign_host_saved, foreign_iptables, nat, nat_told, nftables, programs
from .errors import InputError, KernelError
from .foreign import NOTE, Network, Way
from .foreign_iptables import FORWARD, PROGRAMS
from .host import Host
from .nat_host import View
from .probe_chains import Entry
from .record import Resource
from .resources import Link, Veth
from .resources_foreign import FIREWALLD, ForeignAccept
from .resources_nat import Nat, Table
from .values import HOST
from .values_ip import family_of

_BRIDGED = {4: "net/bridge/bridge-nf-call-iptables", 6: "net/bridge/bridge-nf-call-ip6tables"}
_WAIT = ("-w", "10")  # seconds, for the lock of iptables


class Look:
    """See ``foreign.Look``."""

    def __init__(self, netns: str) -> None:
        self._netns = netns
        self.nft: t.Sequence[Entry] = nftables.ruleset(netns)
        self.saved: t.Mapping[str, str] = foreign_host_saved.tables(netns, self.nft)

    def placed(self, network: str, interface: str | None) -> list[ForeignAccept]:
        note = f"{NOTE}{network}"
        found = []
        for program, text in self.saved.items():
            table = " ".join(PROGRAMS[program])
            for chain, rules in foreign_iptables.marked(text, {note}).items():
                found.append(ForeignAccept(self._netns, program, table, chain, network, rules))
        marked = [entry["rule"] for entry in self.nft if "rule" in entry and entry["rule"].get("comment") == note]
        chains = {(rule["family"], rule["table"], rule["chain"]) for rule in marked}
        for family, table, chain in sorted(chain for chain in chains if not chain[1].startswith(nat_told.PREFIX)):
            told = nftables.rule_texts(self._netns, family, table, chain, note)
            found.append(ForeignAccept(self._netns, "nft", f"{family} {table}", chain, network, told))
        zone = foreign_firewalld.ours(interface) if interface and self._has_firewalld() else None
        if zone:
            rule = (f"interface {interface}",)
            found.append(ForeignAccept(self._netns, FIREWALLD, " ".join(foreign.FIREWALLD_TABLE), zone, network, rule))
        return found

    def canonical(self, family: str, rules: t.Sequence[str], note: str) -> tuple[str, ...]:
        return nftables.canonical_rules(family, rules, note)

    def zone(self, interface: str) -> str | None:
        return foreign_firewalld.zone_of(interface) if self._has_firewalld() else None

    def _has_firewalld(self) -> bool:
        """It looks after the host's own namespace; asked for elsewhere it would be started."""
        tables = ((entry["table"]["family"], entry["table"]["name"]) for entry in self.nft if "table" in entry)
        return self._netns == HOST and foreign.FIREWALLD_TABLE in tables


# -- what a run wants


def resolve(present: t.Sequence[Nat], absent: t.Sequence[Nat], host: Host, view: View, coming: t.Iterable[Resource]) -> _Both:
    """What the networks of a run are to have with others, and what they have and are to have no longer."""
    links = {(link.netns, link.ifname): link for resource in coming for link in _links(resource)}
    looks = {netns: Look(netns) for netns in {nat.netns for nat in (*present, *absent)} if view.there(netns)}
    wanted: list[Resource] = []
    gone: list[Resource] = []
    for one in (*absent, *present):
        look = looks.get(one.netns)
        if look is None:
            continue
        network = _network(one, host, view, links) if one in present else None
        wishes = foreign.accepts(network, look) if network else []
        wanted += wishes
        listed = {wish.key for wish in wishes}
        interface = one.interface or _interface(one, view)
        gone += [found for found in look.placed(one.network, interface) if found.key not in listed]
    return wanted, gone


_Both = tuple[list[Resource], list[Resource]]


def _links(resource: Resource) -> tuple[Link, ...]:
    return resource.ends if isinstance(resource, Veth) else (resource,) if isinstance(resource, Link) else ()


def _network(one: Nat, host: Host, view: View, coming: t.Mapping[tuple[str, str], Link]) -> Network | None:
    """None where a device is neither there nor to come: that is what there will be to say."""

    def link(device: str) -> Link | None:
        return coming.get((one.netns, device)) or host.link(one.netns, device)

    interface = str(one.interface)
    found = link(interface)
    bridge = found is not None and found.link_kind == "bridge"
    ways = []
    for version, switch in _BRIDGED.items():
        subnets = tuple(subnet for subnet in one.subnets if family_of(subnet) == f"ipv{version}")
        if subnets:
            uplink = nat.uplink_of(one, str(version), view)
            # what the host alone can ask for is not forwarded
            publish = tuple(each for each in one.publish if each.digit == str(version) and not (each.host_address or "").startswith("127."))
            shown = bridge and view.sysctl(one.netns, switch) == "1"
            ways.append(Way(version, subnets, interface, uplink, bridge, shown, publish, one.hairpin is not False))
    for device in (interface, *(way.uplink for way in ways)):
        if device.endswith("+"):
            raise InputError(
                f"nat {one.network}: {device!r} cannot be named in a rule of iptables because of the + at its end: rename the device"
            )
    if any(link(device) is None for device in (interface, *(way.uplink for way in ways))):
        return None
    return Network(one.netns, one.network, interface, tuple(ways), one.foreign_drop or "fail")


def _interface(one: Nat, view: View) -> str | None:
    """Of a network that is to go: what its table says."""
    table: Table | None = view.live_table(one.netns, nat.FAMILY, nat.table_name(one.network))
    told = nat_told.told(table) if table else None
    return told.interface if told else None


def found(netns: str, resources: t.Iterable[ForeignAccept]) -> list[ForeignAccept]:
    """What is there of these and of their networks'."""
    look = Look(netns)
    interfaces: dict[str, str | None] = {}
    for resource in resources:
        interfaces.setdefault(resource.network, None)
        if resource.program == FIREWALLD:
            interfaces[resource.network] = _device(resource)
    return [one for network, interface in interfaces.items() for one in look.placed(network, interface)]


# -- changing


def put(wish: ForeignAccept) -> None:
    """Have these rules, and no others of this network, in their place."""
    if wish.program == FIREWALLD:
        foreign_firewalld.bind(_device(wish))
    else:
        _set(wish, wish.rules)


def take_away(found: ForeignAccept) -> None:
    """Have none there; with its chain they may have gone already."""
    if found.program == FIREWALLD:
        foreign_firewalld.unbind(_device(found))
    else:
        _set(found, ())


def _device(wish: ForeignAccept) -> str:
    return wish.rules[0].split()[1]


def _set(wish: ForeignAccept, rules: t.Sequence[str]) -> None:
    note = f"{NOTE}{wish.network}"
    if wish.program == "nft":
        family, table = wish.table.split()
        nftables.replace_marked(wish.netns, (family, table, wish.chain), note, rules)
        return
    with nftables.inside(wish.netns):
        saved = _run(wish, [f"{wish.program}-save", "-t", "filter"])
        old = foreign_iptables.marked(saved, {note}).get(wish.chain, ())
        first = 1 if wish.chain == FORWARD else foreign_iptables.position(saved, wish.chain) - len(old)
        lines = [f"-D {wish.chain} {rule}" for rule in old]
        lines += [f"-I {wish.chain} {number} {rule}" for number, rule in enumerate(rules, first)]
        if lines:
            _run(wish, [f"{wish.program}-restore", "--noflush", *_WAIT], "\n".join(["*filter", *lines, "COMMIT", ""]))


def _run(wish: ForeignAccept, words: list[str], text: str = "") -> str:
    program = nftables.find(words[0])
    if program is None:
        raise KernelError(f"there is no {words[0]} here")
    ended = programs.run([program, *words[1:]], text)
    if ended.status != 0:
        raise KernelError(f"{words[0]} cannot set {wish.describe()}: {' '.join(ended.errors.split())}")
    return ended.output
