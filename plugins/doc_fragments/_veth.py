# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of a veth pair; those of the other end are those of the end itself."""

from __future__ import annotations

from ansible_collections.linuxnet.netns.plugins.doc_fragments._interface import ModuleDocFragment as Interface
from ansible_collections.linuxnet.netns.plugins.doc_fragments._nested import options, suboptions
from ansible_collections.linuxnet.netns.plugins.doc_fragments._netns import ModuleDocFragment as Netns

_VETH = r"""
options:
  up:
    description: Whether this end is up. The carrier is there when both ends are.
    type: bool
    default: true
  num_tx_queues:
    description: Number of its transmit queues. It is settled when the pair is made.
    type: int
  num_rx_queues:
    description: Number of its receive queues. It is settled when the pair is made.
    type: int
"""

_PEER = r"""
  peer:
    description:
      - The other end, by the same options. Needed unless O(state=absent).
    type: dict
    suboptions:
"""

END = options(Interface.DOCUMENTATION, _VETH)


class ModuleDocFragment:
    # Annotated, since the yamllint of ansible-test takes every plain assignment here for a literal.
    DOCUMENTATION: str = (
        "options:\n" + END + options(Interface.FORCE) + _PEER.lstrip("\n") + suboptions("peer", options(Netns.DOCUMENTATION) + END, 6)
    )
