# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""A NATed network in plain records: one nftables table, and the sysctls that switch forwarding on or give it back.

The kernel asks the device that a packet comes in by whether it forwards, never the one it leaves by. To let a network
out and its answers in, its interface and its uplink are switched on; by this the host would begin to forward other
traffic from these devices too. The guard in the table drops what could not pass before (see ``nat_text``).

What we switched on is remembered in the table itself, in sets of device names, so that a second run, which finds
forwarding on, wants the same table, and so that the last network to go can give the old values back:
``uses4/6`` the devices whose forwarding this network needs, ``opened4/6`` those of them that were off before any network
of ours came, ``accept_ra6`` those whose accept_ra was raised, ``localnet4`` those that let 127.0.0.1 through for us. No
device can be called ``all`` (the kernel refuses it for the sake of conf/all): in ``opened6`` it stands for IPv6
forwarding of the whole host, and in ``opened4`` it says that the host's own switch was on already when a device of its
own was off; without it, that switch being on now means that somebody has opened the host since then (Docker, libvirt),
and nothing is left of ours to guard or to give back.

Order for who applies this: tables before sysctls when a network comes, old values (``if_there``) before tables, so that
there is no moment without the guard; and sysctls in the order given, since accept_ra=2 must precede IPv6 forwarding.
"""

from __future__ import annotations

import dataclasses
import typing as t

from . import nat_publish
from .errors import InputError, StateError
from .nat_text import ALL, Side, render, valid_network
from .nftables import elements, quote
from .record import Resource
from .resources import Sysctl
from .resources_nat import Nat, Publish, SysctlFile, Table
from .values import place
from .values_ip import family_of

FAMILY = "inet"
_PREFIX = "linuxnet_"
_DIGITS = ("4", "6")

# Of one table: set name -> devices.
_Sets = t.Mapping[str, frozenset[str]]
_NOTHING: frozenset[str] = frozenset()


class Host(t.Protocol):
    """What has to be known of the machine; a namespace is meant by its reference."""

    def default_device(self, netns: str, family: str) -> str | None:
        """The device of the default route of ``ipv4`` or ``ipv6``."""

    def sysctl(self, netns: str, path: str) -> str | None:
        """A value below /proc/sys; None where there is no such file."""

    def tables(self, netns: str) -> list[tuple[str, str]]:
        """Family and name of each nftables table."""

    def live_table(self, netns: str, family: str, table: str) -> Table | None:
        """One table as it is."""

    def canonical(self, text: str) -> str:
        """What the kernel makes of a table's text."""

    def addresses(self, netns: str) -> t.Collection[tuple[str, str]]:
        """Device and address, of each address that is there or comes in this run."""

    def reads_drop_ins(self, netns: str) -> bool:
        """Whether the sysctls of this namespace are those that the host's own programs set by files."""

    def takers(self, netns: str, wanted: t.Sequence[Publish]) -> t.Iterator[tuple[Publish, str]]:
        """Which of these ports somebody has who is none of our networks, and who that is."""


@dataclasses.dataclass(frozen=True)
class _Place:
    """A namespace of the router, with the sets that our tables in it have now, and what they publish."""

    host: Host
    netns: str
    sets: t.Mapping[str, _Sets]
    published: t.Mapping[str, tuple[Publish, ...]]

    def read(self, path: str) -> str | None:
        return self.host.sysctl(self.netns, path)

    def everywhere_on(self, digit: str) -> bool:
        """Whether the host's own switch for forwarding is on."""
        return self.read(f"net/ipv{digit}/conf/{ALL}/forwarding") == "1"

    def per_device(self, digit: str) -> bool:
        """Whether forwarding can be had for single devices: IPv6 has it from Linux 6.17."""
        return digit == "4" or self.read(f"net/ipv6/conf/{ALL}/force_forwarding") is not None

    def is_on(self, digit: str, device: str) -> bool:
        """Whether what comes in by ``device`` is forwarded; one that is not there yet is born with the default."""
        if digit == "6" and self.everywhere_on("6"):
            return True
        path = _switch(digit, device)
        value = self.read(path)
        return (self.read(_switch(digit, "default")) if value is None else value) == "1"

    def remembered(self, digit: str) -> frozenset[str]:
        """What tables of ours say was off before, as far as it is still ours to say."""
        everywhere = self.everywhere_on(digit)
        opened = (sets.get(f"opened{digit}", _NOTHING) for sets in self.sets.values())
        return _union(found for found in opened if not everywhere or ALL in found)


def _union(sets: t.Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)


def _switch(digit: str, device: str) -> str:
    if digit == "6" and device != ALL:
        return f"net/ipv6/conf/{device}/force_forwarding"
    return f"net/ipv{digit}/conf/{device}/forwarding"


def table_name(network: str) -> str:
    """The table of a network; the characters of a network's name all can stand in nft's names, so this is one to one."""
    return _PREFIX + valid_network(network)


def _look_at(host: Host, netns: str) -> _Place:
    sets, published = {}, {}
    for family, name in host.tables(netns):
        table = host.live_table(netns, family, name) if family == FAMILY and name.startswith(_PREFIX) else None
        if table is not None and table.ruleset is not None:
            sets[name] = elements(table.ruleset)
            published[name] = nat_publish.published(table.ruleset)
    return _Place(host, netns, sets, published)


# -- one network that is wanted


def uplink_of(nat: Nat, digit: str, host: Host) -> str:
    """The device to the outside; of an IPv6 default route, or else where IPv4 leaves."""
    if nat.uplink not in (None, "auto"):
        if nat.uplink == nat.interface:
            raise InputError(f"nat {nat.network}: uplink: {nat.uplink} is the interface too: name the device that leads outside")
        return str(nat.uplink)
    found = host.default_device(nat.netns, f"ipv{digit}")
    if found is None and digit == "6":
        found = host.default_device(nat.netns, "ipv4")
    if found is None:
        where_to = place(nat.netns)
        raise StateError(f"nat {nat.network}: uplink: auto finds no default route {where_to}: name the uplink or add a default route")
    if found == nat.interface:
        raise StateError(f"nat {nat.network}: uplink: auto finds {found}, which is the interface too: name the device that leads outside")
    return found


def _side(nat: Nat, digit: str, where: _Place) -> Side | None:
    """The network's part in IPv4 or IPv6; None where it has no subnet of that kind."""
    subnets = tuple(subnet for subnet in nat.subnets if family_of(subnet) == f"ipv{digit}")
    if not subnets:
        return None
    if where.read(f"net/ipv{digit}/conf/{ALL}/forwarding") is None:
        raise StateError(f"nat {nat.network}: subnets: {subnets[0]} cannot be used: this host has no IPv{digit}")
    interface, uplink = str(nat.interface), uplink_of(nat, digit, where.host)
    for option, device in (("interface", interface), ("uplink", uplink)):
        quote(device, f"nat {nat.network}: {option}")
    per_device = where.per_device(digit)
    uses = frozenset((interface, uplink) if per_device else (ALL,))
    opened = frozenset(device for device in uses if not where.is_on(digit, device)) | where.remembered(digit) & uses
    if opened and digit == "4" and where.everywhere_on("4"):
        opened |= {ALL}
    raised = _NOTHING if per_device else _raised(uplink, where)
    # What br_netfilter lets the forward chains see is not routed: the guard for the whole host must spare it.
    bridged = not per_device and where.read("net/bridge/bridge-nf-call-ip6tables") == "1"
    publish = tuple(each for each in nat.publish if each.digit == digit)
    localnet = _localnet(interface, where) if any(map(nat_publish.by_localhost, publish)) else _NOTHING
    return Side(digit, subnets, interface, uplink, uses, opened, raised, bridged, localnet, publish, _snat_to(nat, digit, uplink, where))


def _localnet(interface: str, where: _Place) -> frozenset[str]:
    """The interface, if it would not let 127.0.0.1 through without us."""
    before = _union(sets.get("localnet4", _NOTHING) for sets in where.sets.values())
    switches = [f"net/ipv4/conf/{device}/route_localnet" for device in (interface, "default", ALL)]
    mine, born, everywhere = (where.read(path) for path in switches)
    closed = everywhere != "1" and (born if mine is None else mine) != "1"
    return frozenset((interface,)) if closed or interface in before else _NOTHING


def _snat_to(nat: Nat, digit: str, uplink: str, where: _Place) -> str | None:
    """The address to hide behind; answers to one that nobody has would not come back."""
    address = next((each for each in nat.snat_to if family_of(each) == f"ipv{digit}"), None)
    if address is not None and not {(uplink, address), ("lo", address)} & {*where.host.addresses(nat.netns)}:
        raise StateError(
            f"nat {nat.network}: snat_to: {address} is no address of {uplink}, so answers would get lost: give it to {uplink} first"
        )
    return address


def _raised(uplink: str, where: _Place) -> frozenset[str]:
    """The uplink, if it would lose its default route: a device that forwards takes router advertisements only with accept_ra=2."""
    conf = f"net/ipv6/conf/{uplink}"
    listens = where.read(f"{conf}/accept_ra") == "1" and where.read(f"{conf}/forwarding") == "0"
    before = _union(sets.get("accept_ra6", _NOTHING) for sets in where.sets.values())
    return frozenset((uplink,)) if listens or uplink in before else _NOTHING


def _switched_on(side: Side, where: _Place) -> list[Sysctl]:
    found = [Sysctl(where.netns, f"net/ipv6/conf/{device}/accept_ra", "2") for device in sorted(side.accept_ra)]
    found += [Sysctl(where.netns, f"net/ipv4/conf/{device}/route_localnet", "1") for device in sorted(side.localnet)]
    if side.digit == "6" and ALL not in side.uses and where.everywhere_on("6"):
        return found  # nothing is gained, and it would be left behind
    return found + [Sysctl(where.netns, _switch(side.digit, device), "1") for device in sorted(side.uses)]


def _drop_in(network: str) -> str:
    """The last of all: a later file counts, and /etc/sysctl.d/99-sysctl.conf is a usual name."""
    return f"/run/sysctl.d/zz-linuxnet-netns-{valid_network(network)}.conf"


def _kept_on(nat: Nat, sides: t.Sequence[Side], where: _Place) -> list[Resource]:
    """The file that keeps others from switching off what was switched on for the network."""
    paths = {_switch(side.digit, device) for side in sides for device in side.opened - ({ALL} if side.digit == "4" else set())}
    lines = [f"-{record.path} = {record.value}" for side in sides for record in _switched_on(side, where) if _is_ours(record, paths)]
    if not lines or not where.host.reads_drop_ins(where.netns):
        return []
    text = f"# Written by linuxnet.netns for network {nat.network}, goes with it.\n" + "".join(f"{line}\n" for line in lines)
    return [SysctlFile(_drop_in(nat.network), text)]


def _no_drop_in(nat: Nat, host: Host) -> list[Resource]:
    return [SysctlFile(_drop_in(nat.network))] if host.reads_drop_ins(nat.netns) else []


def _is_ours(record: Sysctl, opened: t.Collection[str]) -> bool:
    return record.path in opened or not record.path.endswith("forwarding")


# -- all together


def _refuse_taken(nat: Nat, where: _Place, others: t.Mapping[str, t.Sequence[Publish]]) -> None:
    """Raise StateError where a port that is about to be published is somebody else's."""
    for publish in nat.publish:
        for table, theirs in others.items():
            if table != table_name(nat.network) and any(publish.meets(each) for each in theirs):
                raise _taken(nat, publish, f"network {table[len(_PREFIX) :]!r} publishes it")
    # what began to listen there since then gets nothing, and is no reason to stop
    had = {*where.published.get(table_name(nat.network), ())}
    for publish, who in where.host.takers(nat.netns, [each for each in nat.publish if each not in had]):
        raise _taken(nat, publish, who)


def _taken(nat: Nat, publish: Publish, who: str) -> StateError:
    advice = "free it, or choose another host_port or host_address"
    return StateError(f"nat {nat.network}: publish: {publish.describe()} is taken {place(nat.netns)}: {who}: {advice}")


def _given_back(where: _Place, after: t.Mapping[str, _Sets]) -> list[Sysctl]:
    """The old values of what no network needs any more."""
    found = []
    for digit in _DIGITS:
        needed = _union(sets.get(f"{kind}{digit}", _NOTHING) for sets in after.values() for kind in ("uses", "opened"))
        marks = {ALL} if digit == "4" else set()
        found += [(_switch(digit, device), "0") for device in sorted(where.remembered(digit) - needed - marks)]
    for title, path, old in (("accept_ra6", "net/ipv6/conf/{}/accept_ra", "1"), ("localnet4", "net/ipv4/conf/{}/route_localnet", "0")):
        had, has = (_union(sets.get(title, _NOTHING) for sets in tables.values()) for tables in (where.sets, after))
        found += [(path.format(device), old) for device in sorted(had - has)]
    return [Sysctl(where.netns, path, value, if_there=True) for path, value in found if where.read(path) is not None]


def resolve(present: t.Sequence[Nat], absent: t.Sequence[Nat], host: Host) -> tuple[list[Resource], list[Resource]]:
    """The records of all networks of a run, to be there and to be gone.

    They are resolved together, since networks share uplinks: the last one out gives the old values back, and of two that
    go in the same run neither would be the last.
    """
    places = {netns: _look_at(host, netns) for netns in {nat.netns for nat in (*present, *absent)}}
    after = {netns: dict(where.sets) for netns, where in places.items()}
    published = {netns: dict(where.published) for netns, where in places.items()}
    for nat in (*absent, *present):
        published[nat.netns][table_name(nat.network)] = nat.publish
    gone: list[Resource] = []
    for nat in absent:
        name = table_name(nat.network)
        after[nat.netns].pop(name, None)
        gone += [*_no_drop_in(nat, host), Table(nat.netns, FAMILY, name)]
    tables, files = list[Resource](), list[Resource]()
    sysctls: list[Sysctl] = []
    for nat in present:
        if not nat.subnets or not nat.interface:
            raise InputError(f"nat {nat.network}: subnets and interface: both are needed, the device and what is behind it")
        where, name = places[nat.netns], table_name(nat.network)
        sides = [side for side in (_side(nat, digit, where) for digit in _DIGITS) if side is not None]
        if nat.publish:
            _refuse_taken(nat, where, published[nat.netns])
        text = render(FAMILY, name, nat, sides)
        tables.append(Table(nat.netns, FAMILY, name, text=text, ruleset=host.canonical(text)))
        after[nat.netns][name] = {title: devices for side in sides for title, devices in side.sets().items()}
        sysctls += [record for side in sides for record in _switched_on(side, where)]
        kept_on = _kept_on(nat, sides, where)
        files += kept_on
        gone += [] if kept_on else _no_drop_in(nat, host)
    for netns, where in sorted(places.items()):
        sysctls += _given_back(where, after[netns])
    return [*tables, *files, *dict.fromkeys(sysctls)], gone


def resolve_present(nat: Nat, host: Host) -> list[Resource]:
    """``resolve`` for one network that is to be there."""
    return resolve([nat], [], host)[0]


def resolve_absent(nat: Nat, host: Host) -> tuple[list[Resource], list[Resource]]:
    """``resolve`` for one network that is to be gone: the values to give back, and the table."""
    return resolve([], [nat], host)
