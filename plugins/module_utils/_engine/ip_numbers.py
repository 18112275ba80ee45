# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What rtnetlink's messages of addresses, routes and rules have in common: families, addresses as bytes, tables."""

from __future__ import annotations

import functools
import ipaddress
import socket
import typing as t

FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
FAMILY_NAMES = {number: name for name, number in FAMILIES.items()}
RT_TABLE_COMPAT = 252  # what the one byte of a header says for numbers above 255
IndexOf = t.Callable[[str], int]
NameOf = t.Callable[[int], str]


def pack_ip(value: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in value else socket.AF_INET, value)


# a thousand namespaces have the same few gateways and prefixes
@functools.lru_cache(maxsize=4096)
def unpack_ip(data: bytes) -> str:
    if len(data) == 16 and not any(data[:10]):
        # the C library writes the end of an address with an embedded IPv4 one in dots; options spell as Python's ipaddress does
        return str(ipaddress.IPv6Address(data))
    return socket.inet_ntop(socket.AF_INET6 if len(data) == 16 else socket.AF_INET, data)


def family_number(value: str) -> int:
    return socket.AF_INET6 if ":" in value else socket.AF_INET
