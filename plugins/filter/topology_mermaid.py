# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: topology_mermaid
short_description: A picture of a topology for mermaid
version_added: 0.1.0
author:
  - linuxnet.netns contributors (@linuxnet)
description:
  - Returns a flowchart in the language of mermaid. GitHub, GitLab and others draw it where it stands in a fenced block
    of a Markdown file that begins with C(```mermaid).
  - Cables are lines that bear the name of a bridge's port, ports of other kinds are thick lines, and what stands on another device
    (macvlan, vlan, vxlan) has a dotted line to it.
  - More than eight namespaces with the same cables to the same bridges are put into one frame, and each of these cables is drawn
    once for all of them, with the name of the device that it goes to.
positional: _input
extends_documentation_fragment:
  - linuxnet.netns._picture
seealso:
  - plugin: linuxnet.netns.topology_dot
    plugin_type: filter
"""

EXAMPLES = r"""
---
- name: Draw what two namespaces behind NAT take
  ansible.builtin.debug:
    msg: "{{ shop | linuxnet.netns.topology_mermaid(host='gateway') }}"
  vars:
    shop: "{{ ['web', 'db'] | linuxnet.netns.nat_network_topology(name='shop', subnets=['192.0.2.0/24'], nameservers=[]) }}"
"""

RETURN = r"""
---
_value:
  description: The flowchart, over several lines. The same topology gives the same flowchart.
  type: str
  sample: "flowchart LR ..."
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.netns.plugins.plugin_utils._picture import PictureError, picture
from ansible_collections.linuxnet.netns.plugins.plugin_utils._picture_mermaid import mermaid


def topology_mermaid(topology: t.Any, host: str = "host") -> str:
    try:
        return mermaid(picture(topology), str(host))
    except PictureError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    """Ansible's door to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"topology_mermaid": topology_mermaid}
