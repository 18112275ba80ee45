# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of a policy routing rule."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  priority:
    description:
      - Its place in the order of the rules, the lowest first; V(0), V(32766) and V(32767) are the kernel's own.
      - Left out, a rule with the same selectors counts whatever its place is, and the kernel chooses the place of a new one.
    type: int
  family:
    description: Address family. Left out, it is that of O(from) or O(to), and V(ipv4) where neither is given.
    type: str
    choices: [ipv4, ipv6]
  from:
    description: Match packets that come from this prefix or address.
    type: str
  to:
    description: Match packets that go to this prefix or address.
    type: str
  iif:
    description: Match packets that came in by this interface; V(lo) for those of this system itself.
    type: str
  oif:
    description: Match packets of sockets that are bound to this interface.
    type: str
  fwmark:
    description: Match packets with this mark, a number such as V(16) or V(0x10).
    type: str
  fwmask:
    description: The bits of the mark that O(fwmark) is compared with. Left out, all of them.
    type: str
  tos:
    description: Match this type of service, a number such as V(16) or V(0x10).
    type: str
  ipproto:
    description: Match this protocol, a name such as V(tcp) or a number.
    type: str
  sport:
    description: Match this source port, or a range such as V(8000-8100).
    type: str
  dport:
    description: Match this destination port, or a range such as V(8000-8100).
    type: str
  uidrange:
    description: Match packets of the sockets of these users, such as V(1000-1999).
    type: str
  table:
    description:
      - The routing table to look in, by number or by its name in C(rt_tables).
      - Left out with O(type=unicast) or without O(type), it is V(main).
    type: str
  type:
    description: What becomes of a packet that matches. Left out, it is V(unicast), which looks in O(table).
    type: str
    choices: [blackhole, prohibit, unicast, unreachable]
  not:
    description: Whether the rule is for all packets that do not match.
    type: bool
  suppress_prefixlength:
    description: Ignore what O(table) answers if the prefix is not longer than this; V(0) ignores its default route.
    type: int
"""
