# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What every module of the collection says about itself."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
author:
  - linuxnet.netns contributors (@linuxnet)
attributes:
  check_mode:
    support: full
    description: Can run in C(check_mode) and reports the very changes that a real run would make, without making them.
  diff_mode:
    support: full
    description: Returns the managed objects before and after as YAML when in C(diff) mode.
  idempotent:
    support: full
    description: A second run in a row with the same options changes nothing and says so.
  platform:
    support: full
    platforms: linux
    description: Target OS/families that can be operated against.
"""

    # For the module that only looks.
    INFO_MODULE = r"""
author:
  - linuxnet.netns contributors (@linuxnet)
attributes:
  check_mode:
    support: full
    description: Can run in C(check_mode); it changes nothing in either mode.
  diff_mode:
    support: N/A
    description: Returns the managed objects before and after as YAML when in C(diff) mode.
    details:
      - It changes nothing.
  idempotent:
    support: full
    description: A second run in a row with the same options changes nothing and says so.
  platform:
    support: full
    platforms: linux
    description: Target OS/families that can be operated against.
"""

    ACTIONGROUP_NETNS = r"""
attributes:
  action_group:
    description: Use C(group/linuxnet.netns.netns) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - linuxnet.netns.netns
"""
