# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Addresses as rtnetlink messages: records to requests and answers to records."""

from __future__ import annotations

import socket
import struct

from .ip_numbers import IndexOf, NameOf, family_number, pack_ip, unpack_ip
from .resources_addresses import Address
from .rtnetlink import (
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    RTM_DELADDR,
    RTM_NEWADDR,
    Message,
    attribute,
    attributes,
    text,
    to_text,
    to_u32,
    u8,
    u32,
)
from .values import OUR_PROTOCOL

FOREVER = 2**32 - 1

_IFA = struct.Struct("=BBBBI")
_IFA_ADDRESS, _IFA_LOCAL, _IFA_LABEL, _IFA_BROADCAST, _IFA_CACHEINFO, _IFA_FLAGS, _IFA_RT_PRIORITY, _IFA_PROTO = 1, 2, 3, 4, 6, 8, 9, 11
_IFA_F_TENTATIVE, _IFA_F_DEPRECATED, _IFA_F_DADFAILED = 0x40, 0x20, 0x08
_ADDRESS_FLAGS = {"nodad": 0x02, "home": 0x10, "mngtmpaddr": 0x100, "noprefixroute": 0x200}
_IPV6_ONLY_FLAGS = ("nodad", "home", "mngtmpaddr")


def address_query(index: int, family: int = 0) -> bytes:
    """The body of an RTM_GETADDR dump for one device (0: for all)."""
    return _IFA.pack(family, 0, 0, 0, index)


def set_address(address: Address, index_of: IndexOf, replace: bool = False) -> Message:
    """Add an address, or change the lifetimes, metric and flags of the one that is there."""
    flags = sum(bit for name, bit in _ADDRESS_FLAGS.items() if getattr(address, name))
    parts = [attribute(_IFA_LOCAL, pack_ip(address.address)), attribute(_IFA_ADDRESS, pack_ip(address.peer or address.address))]
    if address.broadcast:
        parts.append(attribute(_IFA_BROADCAST, pack_ip(address.broadcast)))
    if address.label:
        parts.append(text(_IFA_LABEL, address.label))
    if flags:
        parts.append(u32(_IFA_FLAGS, flags))
    if address.metric:
        parts.append(u32(_IFA_RT_PRIORITY, address.metric))
    if address.valid_lft is not None or address.preferred_lft is not None:
        valid = FOREVER if address.valid_lft is None else address.valid_lft
        preferred = valid if address.preferred_lft is None else address.preferred_lft
        parts.append(attribute(_IFA_CACHEINFO, struct.pack("=IIII", preferred, valid, 0, 0)))
    protocol = OUR_PROTOCOL if address.protocol is None else address.protocol
    if protocol:  # kernels before 5.18 do not look at it
        parts.append(u8(_IFA_PROTO, protocol))
    header = _IFA.pack(family_number(address.address), address.prefixlen, flags & 0xFF, address.scope or 0, index_of(address.dev))
    return Message(RTM_NEWADDR, NLM_F_REPLACE if replace else NLM_F_CREATE | NLM_F_EXCL, header + b"".join(parts))


def delete_address(address: Address, index_of: IndexOf) -> Message:
    header = _IFA.pack(family_number(address.address), address.prefixlen, 0, 0, index_of(address.dev))
    parts = attribute(_IFA_LOCAL, pack_ip(address.address)) + attribute(_IFA_ADDRESS, pack_ip(address.peer or address.address))
    return Message(RTM_DELADDR, 0, header + parts)


def decode_address(data: bytes, netns: str, name_of: NameOf) -> Address:
    family, prefixlen, flags, scope, index = _IFA.unpack_from(data)
    found = attributes(data, _IFA.size)
    flags = to_u32(found[_IFA_FLAGS]) if _IFA_FLAGS in found else flags
    far = unpack_ip(found[_IFA_ADDRESS])
    near = unpack_ip(found[_IFA_LOCAL]) if _IFA_LOCAL in found else far  # IPv6 has IFA_LOCAL only where there is a peer
    preferred, valid = struct.unpack_from("=II", found.get(_IFA_CACHEINFO, b"\xff" * 8))
    if flags & _IFA_F_DEPRECATED:
        preferred = 0  # of an IPv4 address that is valid for ever the kernel tells 'for ever' here as well
    told = {name: bool(flags & bit) for name, bit in _ADDRESS_FLAGS.items() if family == socket.AF_INET6 or name not in _IPV6_ONLY_FLAGS}
    return Address(
        netns=netns,
        dev=name_of(index),
        address=near,
        prefixlen=prefixlen,
        peer=far if far != near else None,
        broadcast=unpack_ip(found[_IFA_BROADCAST]) if _IFA_BROADCAST in found else None,
        label=to_text(found[_IFA_LABEL]) if _IFA_LABEL in found else None,
        scope=scope,
        metric=to_u32(found[_IFA_RT_PRIORITY]) if _IFA_RT_PRIORITY in found else 0,
        preferred_lft=preferred,
        valid_lft=valid,
        tentative=bool(flags & _IFA_F_TENTATIVE),
        dadfailed=bool(flags & _IFA_F_DADFAILED),
        protocol=found[_IFA_PROTO][0] if _IFA_PROTO in found else 0,
        **told,
    )
