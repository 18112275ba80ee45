# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of a sysctl."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  name:
    description:
      - Name of the value, such as V(net.ipv4.ip_forward); only C(net.*) belongs to a namespace.
      - An interface whose name has dots is written as it is, V(net.ipv4.conf.eth0.100.forwarding).
    type: str
  value:
    description: What it is to be.
    type: raw
  sysctls:
    description: Several at once, each name with its value, instead of O(name) and O(value).
    type: dict
"""
