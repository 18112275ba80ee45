# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of an address."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  dev:
    description: The interface that has the address.
    type: str
    required: true
  address:
    description:
      - The address with its prefix length, or several, of IPv4 and IPv6 as they come.
      - An address without a prefix length is refused, because C(/32) or C(/128) is rarely what was meant.
    type: list
    elements: str
    required: true
  peer:
    description: The address of the other end of a point-to-point link; O(address) is one address then.
    type: str
  broadcast:
    description: The broadcast address (IPv4). Left out, none is set and an existing one is left alone.
    type: str
  label:
    description: A label (IPv4), which is the name of the interface or begins with it and a colon.
    type: str
  scope:
    description:
      - How far the address is valid, V(global), V(site), V(link), V(host), or a number.
      - The kernel decides the scope of an IPv6 address by itself.
    type: str
  metric:
    description: Metric of the route to the subnet that the kernel makes for the address.
    type: int
  preferred_lft:
    description: Seconds for which the address is used for new connections, or V(forever).
    type: str
  valid_lft:
    description: Seconds after which the kernel removes the address, or V(forever).
    type: str
  nodad:
    description: Whether IPv6 takes the address into use without looking for a duplicate of it.
    type: bool
  noprefixroute:
    description: Whether the kernel makes no route to the subnet for the address.
    type: bool
  home:
    description: Whether it is the home address of Mobile IPv6.
    type: bool
  mngtmpaddr:
    description: Whether the kernel makes temporary IPv6 addresses (privacy extensions) from this one, which needs a C(/64).
    type: bool
  exclusive:
    description:
      - Whether addresses of the same family and scope on O(dev) that are not listed are removed.
      - Link-local addresses that the kernel made are never removed.
    type: bool
    default: false
  wait_for_dad:
    description: Whether to return only when duplicate address detection has let every listed IPv6 address into use.
    type: bool
    default: true
"""
