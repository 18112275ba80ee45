# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: upstream_nameservers
short_description: The real DNS servers in resolv.conf files
version_added: 0.1.0
author:
  - linuxnet.netns contributors (@linuxnet)
description:
  - Returns the DNS servers of the first text that names real ones.
  - A loopback address such as V(127.0.0.53) is a stub on the host. In another namespace nobody answers there, so it is left out,
    and so is a link-local address, which is good on one interface of the host only.
options:
  _input:
    description: The contents of C(resolv.conf) files, the one to prefer first.
    type: list
    elements: str
    required: true
seealso:
  - plugin: linuxnet.netns.nat_network_topology
    plugin_type: filter
"""

EXAMPLES = r"""
---
- name: Show the server behind the stub of systemd-resolved
  ansible.builtin.debug:
    msg: "{{ [stub, real] | linuxnet.netns.upstream_nameservers }}"
    # => ['192.0.2.53']
  vars:
    stub: nameserver 127.0.0.53
    real: nameserver 192.0.2.53
"""

RETURN = r"""
---
_value:
  description: Addresses of DNS servers; empty if no text names a real one.
  type: list
  elements: str
  sample: [192.0.2.53]
"""

import collections.abc as c
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.netns.plugins.plugin_utils import _networks


def upstream_nameservers(texts: t.Any) -> list[str]:
    if isinstance(texts, str) or not isinstance(texts, c.Iterable):
        raise AnsibleFilterError("upstream_nameservers takes a list of texts, the contents of resolv.conf files")
    return _networks.upstream_nameservers(str(text) for text in texts)


class FilterModule:
    """Ansible's door to the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"upstream_nameservers": upstream_nameservers}
