# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: engine
short_description: The engine of this collection as one file that runs without Ansible
version_added: 0.1.0
author:
  - linuxnet.netns contributors (@linuxnet)
description:
  - Returns the path of a file on the controller, to be copied to a target. It is made from this collection's own files and is gone when
    Ansible ends; the same version of the collection always makes the same file.
  - On the target it needs Python 3.9 or newer, and what the modules need. Role P(linuxnet.netns.persist#role) installs it as a service.
  - C(python3 engine.pyz replay) builds what O(linuxnet.netns.netns_topology#module:persist) has saved, or only the topologies that are
    named after it. C(python3 engine.pyz watch) does so and stays, to do it again whenever somebody changes the host's nftables rules.
options:
  _terms:
    description: Nothing.
seealso:
  - module: linuxnet.netns.netns_topology
"""

EXAMPLES = r"""
---
- name: Install the engine, to be started by hand
  ansible.builtin.copy:
    src: "{{ lookup('linuxnet.netns.engine') }}"
    dest: /usr/local/sbin/netns-engine
    owner: root
    group: root
    mode: "0755"
"""

RETURN = r"""
---
_raw:
  description: The path, in a list.
  type: list
  elements: path
"""

import hashlib
import os
import tempfile
import typing as t

from ansible import constants
from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.linuxnet.netns.plugins.plugin_utils import _engine_zip


class LookupModule(LookupBase):
    """Ansible's door to the zipped engine."""

    def run(self, terms: t.Sequence[t.Any], variables: t.Any = None, **kwargs: t.Any) -> list[str]:
        if terms or kwargs:
            raise AnsibleLookupError("lookup linuxnet.netns.engine takes neither terms nor options: remove them")
        content = _engine_zip.build()
        folder = constants.DEFAULT_LOCAL_TMP
        path = os.path.join(folder, f"linuxnet-netns-engine-{hashlib.sha256(content).hexdigest()[:16]}.pyz")
        if not os.path.exists(path):
            # several hosts ask at the same time: each sees nothing, or all of it
            handle, new = tempfile.mkstemp(dir=folder)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(new, path)
        return [path]
