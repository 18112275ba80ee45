# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What a target must have."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
requirements:
  - Python 3.9 or newer on the target
  - root on the target (C(become)), or root in a user namespace of one's own
"""

    PYROUTE2 = r"""
options: {}
requirements:
  - pyroute2 0.7.2 or newer on the target, only for link kinds that have attributes of their own, C(veth) and C(bridge) excepted
"""

    NFT = r"""
options: {}
requirements:
  - nft (nftables) on the target
"""
