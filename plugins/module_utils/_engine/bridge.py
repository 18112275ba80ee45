# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Bridges and their ports: attributes as the kernel has them, with nothing but Python.

Names and units are those of ``ip link ... type bridge`` and ``bridge link set``: times are in hundredths of a second. A kernel
that ticks 250 times a second holds even numbers of them only, so that odd ones are taken as the next smaller, both ways.
"""

from __future__ import annotations

import socket
import struct
import typing as t

from .errors import InputError
from .kind_options import Kind, Option, checked
from .values import number

_NLA = struct.Struct("=HH")
_TYPE = 0x3FFF  # less the flags "nested" and "network byte order"
_MULTI_BOOLOPT = 46
_DAY = 24 * 60 * 60 * 100

AF_BRIDGE = int(getattr(socket, "AF_BRIDGE", 7))
RTEXT_FILTER_BRVLAN = 2  # in IFLA_EXT_MASK of a dump of AF_BRIDGE: with every port's VLANs
_AF_SPEC = 26
_VLAN_INFO = 2
_PVID, _UNTAGGED, _RANGE_BEGIN, _RANGE_END = 2, 4, 8, 16
_LAST_VLAN = 4094


def _bool(at: int, form: str = "B") -> Option:
    return Option("bool", number=at, high=1, format=form)


def _int(at: int, form: str, low: int, high: int) -> Option:
    return Option("int", number=at, low=low, high=high, format=form)


def _time(at: int, low: int, high: int, form: str = "=I") -> Option:
    return Option("int", number=at, low=low, high=high, format=form, step=2)


def _boolopt(bit: int) -> Option:
    return Option("bit", number=bit)


BRIDGE: dict[str, Option] = {
    "forward_delay": _time(1, 0, 3000),  # with STP the kernel wants at least 200
    "hello_time": _time(2, 100, 1000),
    "max_age": _time(3, 600, 4000),
    "ageing_time": _time(4, 0, 10**8),
    "stp": _bool(5, "=I"),
    "priority": _int(6, "=H", 0, 65535),
    "vlan_filtering": _bool(7),
    "vlan_protocol": Option("choice", number=8, format=">H", choices={"802.1q": 0x8100, "802.1ad": 0x88A8}),
    "group_fwd_mask": _int(9, "=H", 0, 65535),
    "mcast_router": _int(22, "B", 0, 2),
    "mcast_snooping": _bool(23),
    "mcast_query_use_ifaddr": _bool(24),
    "mcast_querier": _bool(25),
    "mcast_hash_max": _int(27, "=I", 1, 2**31),
    "mcast_last_member_count": _int(28, "=I", 0, 2**32 - 1),
    "mcast_startup_query_count": _int(29, "=I", 0, 2**32 - 1),
    "mcast_last_member_interval": _time(30, 0, _DAY, "=Q"),
    "mcast_membership_interval": _time(31, 0, _DAY, "=Q"),
    "mcast_querier_interval": _time(32, 0, _DAY, "=Q"),
    # Outside of one second to one day the kernel takes the nearest of these and says so in its log only.
    "mcast_query_interval": _time(33, 100, _DAY, "=Q"),
    "mcast_query_response_interval": _time(34, 0, _DAY, "=Q"),
    "mcast_startup_query_interval": _time(35, 100, _DAY, "=Q"),
    "nf_call_iptables": _bool(36),
    "nf_call_ip6tables": _bool(37),
    "nf_call_arptables": _bool(38),
    "vlan_default_pvid": _int(39, "=H", 0, _LAST_VLAN),
    "vlan_stats_enabled": _bool(41),
    "mcast_stats_enabled": _bool(42),
    "mcast_igmp_version": _int(43, "B", 2, 3),
    "mcast_mld_version": _int(44, "B", 1, 2),
    "vlan_stats_per_port": _bool(45),
    "no_linklocal_learn": _boolopt(1),
    "mcast_vlan_snooping": _boolopt(2),
    "fdb_max_learned": _int(49, "=I", 0, 2**32 - 1),
}

PORT: dict[str, Option] = {
    "priority": _int(2, "=H", 0, 63),
    "cost": _int(3, "=I", 1, 65535),
    "hairpin": _bool(4),
    "guard": _bool(5),
    "root_block": _bool(6),
    "fast_leave": _bool(7),
    "learning": _bool(8),
    "flood": _bool(9),
    "proxy_arp": _bool(10),
    "proxy_arp_wifi": _bool(12),
    "mcast_router": _int(25, "B", 0, 2),
    "mcast_flood": _bool(27),
    "mcast_to_unicast": _bool(28),
    "vlan_tunnel": _bool(29),
    "bcast_flood": _bool(30),
    "group_fwd_mask": _int(31, "=H", 0, 65535),
    "neigh_suppress": _bool(32),
    "isolated": _bool(33),
    "locked": _bool(39),
    "mab": _bool(40),  # EINVAL unless the port is locked and learns
    "neigh_vlan_suppress": _bool(43),
}

BRIDGE_KIND = Kind("bridge", BRIDGE)


def attributes(data: bytes) -> t.Iterator[tuple[int, bytes]]:
    """The attributes in a buffer: number and payload; what is cut short ends it."""
    at = 0
    while at + 4 <= len(data):
        length, kind = _NLA.unpack_from(data, at)
        if length < 4:
            return
        yield kind & _TYPE, bytes(data[at + 4 : at + length])
        at += length + 3 & ~3


def attribute(kind: int, payload: bytes) -> bytes:
    """One attribute, padded."""
    return _NLA.pack(len(payload) + 4, kind) + payload + b"\0" * (-len(payload) % 4)


def encode_table(table: t.Mapping[str, Option], options: t.Mapping[str, t.Any]) -> bytes:
    """Normalised options as attributes, in the order of their numbers: the kernel reads them in an order of its own anyway."""
    found = b""
    for name, option in table.items():
        if option.type != "bit" and options.get(name) is not None:
            value = option.choices.get(options[name], options[name])
            found += attribute(option.number, struct.pack(option.format, value))
    return found


def decode_table(table: t.Mapping[str, Option], data: bytes) -> dict[str, t.Any]:
    """Options by name; what the kernel did not tell is left out."""
    told = dict(attributes(data))
    found: dict[str, t.Any] = {}
    for name, option in table.items():
        if option.type != "bit" and option.number in told:
            (raw,) = struct.unpack_from(option.format, told[option.number])
            found[name] = _spelled(option, raw)
    return found


def _spelled(option: Option, raw: int) -> t.Any:
    if option.type == "bool":
        return bool(raw)
    if option.type == "choice":
        return next((name for name, value in option.choices.items() if value == raw), raw)
    return raw // option.step * option.step


def encode_bridge(options: t.Mapping[str, t.Any]) -> bytes:
    """The contents of IFLA_INFO_DATA of a bridge."""
    flags = mask = 0
    for name, option in BRIDGE.items():
        if option.type == "bit" and options.get(name) is not None:
            flags |= (1 << option.number - 1) * bool(options[name])
            mask |= 1 << option.number - 1
    boolopt = attribute(_MULTI_BOOLOPT, struct.pack("=II", flags, mask)) if mask else b""
    return encode_table(BRIDGE, options) + boolopt


def decode_bridge(data: bytes) -> dict[str, t.Any]:
    """Options of a bridge out of its IFLA_INFO_DATA."""
    found = decode_table(BRIDGE, data)
    boolopt = dict(attributes(data)).get(_MULTI_BOOLOPT)
    if boolopt:
        flags, mask = struct.unpack_from("=II", boolopt)
        bits = {name: 1 << option.number - 1 for name, option in BRIDGE.items() if option.type == "bit"}
        found.update({name: bool(flags & bit) for name, bit in bits.items() if mask & bit})
    return found


def encode_port(options: t.Mapping[str, t.Any]) -> bytes:
    """The contents of IFLA_INFO_SLAVE_DATA, for a link that is in its bridge already: at its birth the kernel ignores them."""
    return encode_table(PORT, options)


def decode_port(data: bytes) -> dict[str, t.Any]:
    """Options of a bridge's port out of its IFLA_INFO_SLAVE_DATA."""
    return decode_table(PORT, data)


def validate_bridge(options: t.Mapping[str, t.Any], where: str) -> dict[str, t.Any]:
    """Normalised options of a bridge."""
    found = checked(BRIDGE, options, "bridge", where)
    if found.get("group_fwd_mask", 0) & 7:
        raise InputError(f"{where}: bridge.group_fwd_mask: bits 0 to 2 (STP, pause frames, LACP) cannot be forwarded: clear them")
    if found.get("stp") and found.get("forward_delay", 200) < 200:
        raise InputError(f"{where}: bridge.forward_delay: with stp it is at least 200 hundredths of a second: raise it, or set stp: false")
    if found.get("mcast_hash_max", 1) & found.get("mcast_hash_max", 1) - 1:
        raise InputError(f"{where}: bridge.mcast_hash_max: {found['mcast_hash_max']} is not a power of two: use one such as 4096")
    return found


def validate_port(options: t.Mapping[str, t.Any], where: str) -> dict[str, t.Any]:
    """Normalised options of a bridge's port, ``pvid`` and ``vlans`` among them."""
    own = {name: value for name, value in options.items() if name not in ("pvid", "vlans") and value is not None}
    for name in own:
        if name not in PORT:
            raise InputError(f"{where}: port has no option {name!r}: use one of {', '.join(PORT)}, pvid, vlans")
    found = checked(PORT, own, "port", where)
    if found.get("group_fwd_mask", 0) & 2:
        raise InputError(f"{where}: port.group_fwd_mask: bit 1 (pause frames) cannot be forwarded: clear it")
    if options.get("pvid") is not None:
        found["pvid"] = _vlan(options["pvid"], f"{where}: port.pvid")
    if options.get("vlans") is not None:
        listed = options["vlans"] if isinstance(options["vlans"], (list, tuple)) else [options["vlans"]]
        vlans = {vlan for item in listed for vlan in _vlan_range(item, f"{where}: port.vlans")}
        found["vlans"] = tuple(sorted(vlans - {found.get("pvid")}))
    return found


def _vlan(value: t.Any, what: str) -> int:
    return number(int(value) if isinstance(value, str) and value.isdecimal() else value, what, 1, _LAST_VLAN)


def _vlan_range(item: t.Any, what: str) -> range:
    """One VLAN, or ``10-20``."""
    first, dash, last = str(item).partition("-")
    if not dash:
        return range(_vlan(item, what), _vlan(item, what) + 1)
    low, high = _vlan(first, what), _vlan(last, what)
    if low > high:
        raise InputError(f"{what}: {item!r} is empty: write the smaller number first")
    return range(low, high + 1)


def encode_port_vlans(index: int, vlans: t.Mapping[int, int]) -> bytes:
    """The body of an RTM_SETLINK that adds VLANs (number -> flags) to a port, or of an RTM_DELLINK that takes them away."""
    entries = b"".join(attribute(_VLAN_INFO, struct.pack("=HH", flags, vlan)) for vlan, flags in sorted(vlans.items()))
    return struct.pack("=BxHiII", AF_BRIDGE, 0, index, 0, 0) + attribute(_AF_SPEC, entries)


def wanted_port_vlans(port: t.Mapping[str, t.Any], found: t.Mapping[int, int]) -> dict[int, int]:
    """The VLANs (number -> flags) that a port is to have: ``pvid`` is its untagged one, ``vlans`` are all its tagged ones."""
    wanted = dict(found)
    if port.get("vlans") is not None:
        wanted = {vlan: flags for vlan, flags in wanted.items() if flags}
        wanted.update(dict.fromkeys(port["vlans"], 0))
    if port.get("pvid") is not None:
        wanted = {vlan: flags for vlan, flags in wanted.items() if not flags}
        wanted[port["pvid"]] = _PVID | _UNTAGGED
    return wanted


def decode_port_vlans(af_spec: bytes) -> dict[int, int]:
    """VLANs (number -> flags) of a port out of its IFLA_AF_SPEC in a dump of AF_BRIDGE."""
    found: dict[int, int] = {}
    begin = 0
    for kind, payload in attributes(af_spec):
        if kind != _VLAN_INFO:
            continue
        flags, vlan = struct.unpack_from("=HH", payload)
        if flags & _RANGE_BEGIN:
            begin = vlan
            continue
        first = begin if flags & _RANGE_END else vlan
        found.update(dict.fromkeys(range(first, vlan + 1), flags & (_PVID | _UNTAGGED)))
    return found


def port_vlans(found: t.Mapping[int, int]) -> dict[str, t.Any]:
    """``pvid`` and ``vlans`` as a playbook has them."""
    pvid = next((vlan for vlan, flags in found.items() if flags & _PVID), None)
    tagged = {"vlans": tuple(sorted(vlan for vlan, flags in found.items() if not flags))}
    return tagged if pvid is None else {"pvid": pvid, **tagged}


def found_port_vlans(port: t.Mapping[str, t.Any]) -> dict[int, int]:
    """The inverse of ``port_vlans``."""
    found = dict.fromkeys(port.get("vlans") or (), 0)
    if port.get("pvid"):
        found[port["pvid"]] = _PVID | _UNTAGGED
    return found


def for_birth(options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Options of a bridge that was read, as a new one takes them: those about VLANs only where it filters VLANs."""
    return {name: value for name, value in options.items() if options.get("vlan_filtering") or not name.startswith("vlan")}
