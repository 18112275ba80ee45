# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: topology_dot
short_description: A picture of a topology for graphviz
version_added: 0.1.0
author:
  - linuxnet.netns contributors (@linuxnet)
description:
  - Returns a graph in the language DOT, of which the program dot of graphviz makes an SVG or a PNG. The playbook
    C(linuxnet.netns.diagram) does so.
  - A bridge shows its ports. Cables are lines, what stands on another device (macvlan, vlan, vxlan) has a dashed line to it.
  - An end of a veth pair that is a port of a bridge and has no address is a line of its bridge.
positional: _input
extends_documentation_fragment:
  - linuxnet.netns._picture
seealso:
  - plugin: linuxnet.netns.topology_mermaid
    plugin_type: filter
"""

EXAMPLES = r"""
---
- name: Look at all namespaces
  linuxnet.netns.netns_info:
  register: found

- name: Draw them
  ansible.builtin.copy:
    content: "{{ found.topology | linuxnet.netns.topology_dot }}"
    dest: /tmp/namespaces.dot
    mode: "0644"
"""

RETURN = r"""
---
_value:
  description: The graph, over several lines. The same topology gives the same graph.
  type: str
  sample: "graph topology {...}"
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.netns.plugins.plugin_utils._picture import PictureError, picture
from ansible_collections.linuxnet.netns.plugins.plugin_utils._picture_dot import dot


def topology_dot(topology: t.Any, host: str = "host") -> str:
    try:
        return dot(picture(topology), str(host))
    except PictureError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    """Ansible's door to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"topology_dot": topology_dot}
