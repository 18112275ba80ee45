# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What an end of a veth pair and every other interface have in common."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  name:
    description: Name of the interface, 1 to 15 bytes without V(/), V(:) and white space.
    type: str
    required: true
  mtu:
    description: Its MTU.
    type: int
  mac_address:
    description: Its MAC address.
    type: str
  master:
    description:
      - The bridge, bond or VRF in O(netns) that it is a port of.
      - An empty string takes it out of the one that it is in.
    type: str
  alias:
    description: A description, up to 255 bytes, as C(ip link) shows it.
    type: str
  txqueuelen:
    description: Length of its transmit queue in packets.
    type: int
"""

    # Whether to make it again is decided once for both ends of a pair.
    FORCE = r"""
options:
  force:
    description:
      - Whether an interface that this collection did not make may be deleted and made again.
      - That happens only where the kernel cannot change in place what differs. Without it such an interface is refused.
    type: bool
    default: false
"""
