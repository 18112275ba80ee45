# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of a network behind NAT."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  name:
    description: The identity of the network; its nftables table is named after it.
    type: str
    required: true
  subnets:
    description: The IPv4 and IPv6 prefixes of the network. Needed unless O(state=absent).
    type: list
    elements: str
  interface:
    description: The inside interface, mostly a bridge, in O(netns). Needed unless O(state=absent).
    type: str
  uplink:
    description: The interface that traffic leaves by; V(auto) is the one of the default route.
    type: str
    default: auto
  masquerade:
    description:
      - Whether the inside addresses are hidden behind the address of O(uplink).
      - Without it the network is routed only, and the routers outside must know the way back.
    type: bool
    default: true
"""
