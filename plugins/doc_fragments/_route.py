# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of a route."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  dest:
    description:
      - Where the route leads to, a prefix such as V(198.51.100.0/24) or V(default); or several.
    type: list
    elements: str
    required: true
  family:
    description:
      - Address family of V(default) in O(dest).
      - Needed only where no address in O(gateway), O(nexthops) or O(src) tells it.
    type: str
    choices: [ipv4, ipv6]
  gateway:
    description:
      - Address of the next router, which must be reachable on a subnet of an interface (see O(onlink)).
      - It may be of the other family, such as an IPv6 gateway for an IPv4 route.
    type: str
  dev:
    description: The interface that the route leaves by. Left out, the kernel finds it by O(gateway).
    type: str
  table:
    description: The routing table, by number or by its name in C(rt_tables). Left out, it is V(main), and V(local) for O(type=local).
    type: str
  metric:
    description:
      - The lowest metric wins where several routes lead to O(dest).
      - It is part of what makes a route this one; another metric is another route.
      - Left out, it is 0 for IPv4 and 1024 for IPv6, as the kernel has it.
    type: int
  type:
    description:
      - What becomes of a packet. Left out, it is V(unicast).
      - V(blackhole), V(prohibit), V(throw) and V(unreachable) take no O(gateway) and no O(nexthops).
    type: str
    choices: [blackhole, local, prohibit, throw, unicast, unreachable]
  scope:
    description: How far O(dest) is (IPv4), V(global), V(site), V(link), V(host), or a number. Left out, it is what suits the route.
    type: str
  src:
    description: The address of this system that packets get which have none yet.
    type: str
  mtu:
    description: MTU of the path.
    type: int
  advmss:
    description: The segment size that TCP announces on this path.
    type: int
  onlink:
    description: Whether O(gateway) is taken to be reachable on O(dev), although no subnet there says so. It needs both.
    type: bool
  protocol:
    description: Who set the route, a name such as V(static) or a number. Left out, a new route is V(static).
    type: str
  nexthops:
    description: Several ways at once (multipath), instead of O(gateway) and O(dev).
    type: list
    elements: dict
    suboptions:
      gateway:
        description: Address of the next router.
        type: str
      dev:
        description: The interface of this way.
        type: str
      weight:
        description: Share of this way, from 1 to 256.
        type: int
        default: 1
      onlink:
        description: Whether O(nexthops[].gateway) is taken to be reachable on O(nexthops[].dev).
        type: bool
        default: false
"""
