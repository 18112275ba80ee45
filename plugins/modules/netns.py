#!/usr/bin/python
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: netns
short_description: Manage network namespaces
version_added: 0.1.0
description:
  - Creates and removes network namespaces under C(/run/netns), where C(ip netns) sees them too.
  - Gives the namespace of a running process a name, such as that of a container.
  - Repairs a plain file in C(/run/netns) that is left over and stands for no namespace.
extends_documentation_fragment:
  - linuxnet.netns._attributes
  - linuxnet.netns._attributes.actiongroup_netns
  - linuxnet.netns._namespace
  - linuxnet.netns._requirements
options:
  state:
    description:
      - V(present) makes sure that the namespace exists and is as asked for.
      - V(absent) removes the name, and with the last process in it the namespace and everything that lives there.
      - A physical interface that M(linuxnet.netns.netns_link) or M(linuxnet.netns.netns_topology) moved there is first given back,
        with the addresses and routes that it had. With O(processes=keep), it stays with the processes if there are any.
    type: str
    choices: [absent, present]
    default: present
seealso:
  - module: linuxnet.netns.netns_topology
  - module: linuxnet.netns.veth
notes:
  - A namespace does not outlive the next boot of the system.
"""

EXAMPLES = r"""
---
- name: Make a namespace
  linuxnet.netns.netns:
    name: blue

- name: Make several namespaces with DNS servers of their own
  linuxnet.netns.netns:
    name: [blue, red]
    nameservers: [192.0.2.53, "2001:db8::53"]
    search: [example.com]

- name: Give the namespace of a container the name web
  linuxnet.netns.netns:
    name: web
    pid: 4711

- name: Remove a namespace, and end what still runs in it
  linuxnet.netns.netns:
    name: blue
    state: absent
    processes: kill
    kill_timeout: 5
"""

RETURN = r"""
---
changes:
  description:
    - What was done, in the order of execution; in check mode what a real run would do.
    - Empty if everything was as asked for.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: What was done, V(create), V(update), V(delete) or V(move).
      type: str
      sample: create
    kind:
      description:
        - "Kind of the object: V(namespace), V(link), V(veth), V(address), V(route), V(rule), V(sysctl), V(nft_table) or
          V(foreign_accept)."
      type: str
      sample: namespace
    netns:
      description: The namespace it is in, as a name or a path; null for the host.
      type: str
      sample: null
    name:
      description: Name of the object in its namespace.
      type: str
      sample: blue
    before:
      description: Its attributes before, of an update only those that differed; null if it was not there.
      type: dict
      sample: null
    after:
      description: Its attributes after, of an update only those that differed; null if it is gone.
      type: dict
      sample: {loopback: true}
    reason:
      description: Why, in a few words.
      type: str
      sample: not there
rolled_back:
  description: Whether what had been done was undone, so that the host is as it was before.
  returned: on failure, if RV(changes) is not empty
  type: bool
  sample: true
netns:
  description: The namespace, the first one if O(name) lists several.
  returned: success and O(state=present)
  type: dict
  contains: &namespace
    name:
      description: Its name.
      type: str
      sample: blue
    path:
      description: Its path, which C(nsenter --net=PATH) takes.
      type: str
      sample: /run/netns/blue
    inode:
      description: The number by which the kernel knows it, as in C(lsns); null in check mode if it is not there yet.
      type: int
      sample: 4026532281
    nsid:
      description: The number by which the host's namespace knows it; null if it has none.
      type: int
      sample: 7
    pids:
      description: The processes that run in it.
      type: list
      elements: int
      sample: [4711, 4718]
    created:
      description: Whether this run made it, or would make it in check mode.
      type: bool
      sample: true
namespaces:
  description: All namespaces in the order of O(name).
  returned: success and O(state=present)
  type: list
  elements: dict
  contains: *namespace
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.linuxnet.netns.plugins.module_utils._argspec import NAMESPACE, STATE
from ansible_collections.linuxnet.netns.plugins.module_utils._module import item, run

if t.TYPE_CHECKING:
    from ansible_collections.linuxnet.netns.plugins.module_utils._engine.transaction import Report


def namespaces(module: AnsibleModule, report: Report) -> dict[str, t.Any]:
    """What is known of the namespaces after the run; in check mode one that would be made has no number yet."""
    if module.params["state"] == "absent":
        return {}
    told = []
    for name in module.params["name"]:
        key = ("namespace", name)
        found = report.found.get(key)
        known = found is not None and not found.stale
        told.append(
            {
                "name": name,
                "path": f"/run/netns/{name}",
                "inode": found.inode if known else None,
                "nsid": found.nsid if known else None,
                "pids": list(found.pids) if known else [],
                "created": key in report.created,
            }
        )
    return {"netns": told[0], "namespaces": told}


def main() -> None:
    module = AnsibleModule(argument_spec={**NAMESPACE, "state": STATE}, supports_check_mode=True)
    run(module, {"namespaces": [item(module, NAMESPACE)]}, lambda report: namespaces(module, report))


if __name__ == "__main__":
    main()
