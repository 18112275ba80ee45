# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of a check from inside a namespace."""

from __future__ import annotations

from ansible_collections.linuxnet.netns.plugins.doc_fragments import _nested

_OPTIONS = r"""
options:
  netns:
    description:
      - "The namespace that is asked from: a name as in C(ip netns), or an absolute path to a network namespace."
      - Left out, it is the host, that is the namespace that the module itself runs in.
    type: str
  ping:
    description:
      - An address or a host name; one ICMP echo must be answered.
      - A check has exactly one of O(ping), O(tcp), O(udp_dns), O(http) and O(mtu).
      - Host names, here and in the other checks, are resolved by a DNS query from inside the namespace, to the name servers of its
        C(/etc/netns/NAME/resolv.conf), or of C(/etc/resolv.conf) where it has none; search domains and C(/etc/hosts) are not used.
    type: str
  tcp:
    description: Host and port, V(192.0.2.1:443) or V([2001:db8::1]:443); a connection must be accepted.
    type: str
  udp_dns:
    description:
      - A host name; a name server must know an address of it, IPv4 or IPv6.
      - "As a dictionary V({name: www.example.com, server: 192.0.2.53}) it asks that server, else the namespace's own."
    type: raw
  http:
    description: A URL with C(http) or C(https); it must be answered with a status from 200 to 399. Redirects are not followed.
    type: str
  mtu:
    description: A packet of this size must get through without being fragmented, and its answer come back.
    type: dict
    suboptions:
      to:
        description: An address or a host name.
        type: str
        required: true
      size:
        description: Size of the whole IP packet in bytes, so that V(1500) is the MTU of an Ethernet.
        type: int
        required: true
  expect_source:
    description:
      - The address that the packets must come from.
      - With O(http) and O(tcp) it is the server that must say so, an HTTP server somewhere in its answer, another one in the first line
        that it sends; this proves a translation on the way.
      - With the others it is the source address that the namespace uses.
    type: str
  timeout:
    description: Seconds that a try may take.
    type: float
    default: 5.0
  retries:
    description: How many times a check is tried again, a second after it failed.
    type: int
    default: 3
"""

_CHECKS = """
options:
  checks:
    description: The checks. All are made at once, and the task fails if one of them does.
    type: list
    elements: dict
    required: true
    suboptions:
"""

_VERIFY = """
options:
  verify:
    description:
      - Checks from inside the namespaces, made when everything is done; each by the options of an item of the list C(checks) of
        M(linuxnet.netns.netns_probe).
      - If one of them fails, O(on_failure) says what becomes of what was done. In check mode they are not made.
    type: list
    elements: dict
    suboptions:
"""


class ModuleDocFragment:
    # Annotated, since the yamllint of ansible-test takes every plain assignment here for a literal.
    DOCUMENTATION: str = _OPTIONS
    CHECKS: str = _CHECKS + _nested.suboptions("checks[]", _nested.options(_OPTIONS), 6)
    VERIFY: str = _VERIFY + _nested.suboptions("verify[]", _nested.options(_OPTIONS), 6)
