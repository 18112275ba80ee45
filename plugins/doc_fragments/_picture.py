# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

from __future__ import annotations


class ModuleDocFragment:
    """What the filters that draw a topology take, and what all of them draw."""

    DOCUMENTATION = r"""
options:
  _input:
    description: A topology as M(linuxnet.netns.netns_topology) takes it, such as RV(linuxnet.netns.netns_info#module:topology).
    type: dict
    required: true
  host:
    description: What to call the frame of the host.
    type: str
    default: host
notes:
  - Namespaces are frames with their devices and addresses in them. What NAT lets out is a dotted line, beside which the ports stand
    that lead in, up to six of a network.
  - Routes, rules and sysctls are not drawn.
"""
