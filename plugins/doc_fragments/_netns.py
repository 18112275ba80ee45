# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Where an object lives."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  netns:
    description:
      - "Where the object lives: a name as in C(ip netns), or an absolute path to a network namespace."
      - A path such as V(/proc/4711/ns/net) addresses the namespace of a container by one of its processes.
      - Left out, the object is on the host, that is in the namespace that the module itself runs in.
    type: str
"""
