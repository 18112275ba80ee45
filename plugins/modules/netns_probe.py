#!/usr/bin/python
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: netns_probe
short_description: Check connectivity from inside namespaces
version_added: 0.1.0
description:
  - Pings, connects, asks name servers, gets URLs and measures packet sizes from inside a namespace, all checks at once.
  - If a check fails, the task fails and says at which layer, for example that forwarding is off on a certain interface, or which chain
    drops the packets.
  - No other program is needed in or for the namespace. Where C(nft) is there it is asked which chains there are.
extends_documentation_fragment:
  - linuxnet.netns._attributes.info_module
  - linuxnet.netns._attributes.actiongroup_netns
  - linuxnet.netns._requirements
  - linuxnet.netns._probe.checks
notes:
  - The cause of a failure is looked for in all namespaces that have a name, and on the host, by asking the kernel which way the packets
    take.
seealso:
  - module: linuxnet.netns.netns_topology
    description: Its option O(linuxnet.netns.netns_topology#module:verify) takes the same checks, and undoes everything if one fails.
"""

EXAMPLES = r"""
---
- name: Can the namespace reach its gateway, the Internet and its name server?
  linuxnet.netns.netns_probe:
    checks:
      - {netns: blue, ping: 192.0.2.1}
      - {netns: blue, ping: 203.0.113.10}
      - {netns: blue, udp_dns: www.example.test}

- name: Does a service answer, by both families?
  linuxnet.netns.netns_probe:
    checks:
      - {netns: blue, tcp: "203.0.113.10:80"}
      - {netns: blue, tcp: "[2001:db8:203::10]:80"}
      - {netns: blue, http: "http://www.example.test/"}

- name: Is the namespace hidden behind the host's address?
  linuxnet.netns.netns_probe:
    checks:
      - {netns: blue, http: "http://203.0.113.10/", expect_source: 198.51.100.2}

- name: Do full-sized packets get through?
  linuxnet.netns.netns_probe:
    checks:
      - {netns: blue, mtu: {to: 203.0.113.10, size: 1500}}

- name: Wait up to a minute for a service, and show how long the answer took
  linuxnet.netns.netns_probe:
    checks:
      - {netns: blue, tcp: "203.0.113.10:7777", timeout: 2, retries: 20}
  register: probed

- name: Show it
  ansible.builtin.debug:
    msg: "{{ probed.results[0].milliseconds }} ms"
"""

RETURN = r"""
---
results:
  description: What became of each check, in the order of O(checks).
  returned: when the checks were made, also on failure
  type: list
  elements: dict
  contains:
    netns:
      description: The namespace that was asked from, as a name or a path; null for the host.
      type: str
      sample: blue
    check:
      description: Which check it was, V(http), V(mtu), V(ping), V(tcp) or V(udp_dns).
      type: str
      sample: http
    target:
      description: What was asked for.
      type: str
      sample: http://203.0.113.10/
    ok:
      description: Whether it succeeded.
      type: bool
      sample: true
    milliseconds:
      description: How long the try that succeeded took; null if none did.
      type: float
      sample: 1.73
    source:
      description: The source address that the namespace used; null if the check failed.
      type: str
      sample: 192.0.2.10
    answer:
      description:
        - What came back; the status with O(checks[].http), addresses with O(checks[].udp_dns), and the first line with O(checks[].tcp)
          if O(checks[].expect_source) was given.
        - Null if there is nothing to tell.
      type: str
      sample: 200 OK
    layer:
      description:
        - Where the fault is; null if the check succeeded.
        - One of V(interface_down), V(no_address), V(tentative_address), V(duplicate_address), V(no_route), V(neighbour),
          V(forwarding_off), V(dropped), V(reverse_path_filter), V(dns_stub), V(dns), V(path_mtu), V(refused), V(http), V(tls),
          V(source_address) and, if it was not found, V(no_answer).
      type: str
      sample: null
    msg:
      description: What is wrong and what to do, in a sentence; null if the check succeeded.
      type: str
      sample: null
"""

from ansible.module_utils.basic import AnsibleModule

# first, since it is about the imports that follow
from ansible_collections.linuxnet.netns.plugins.module_utils import _compile_once  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.linuxnet.netns.plugins.module_utils._argspec_probe import CHECKS
from ansible_collections.linuxnet.netns.plugins.module_utils._engine import probe
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import NetnsError, ProbeError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.host import Host
from ansible_collections.linuxnet.netns.plugins.module_utils._module import prepare


def main() -> None:
    module = AnsibleModule(argument_spec={"checks": {**CHECKS, "required": True}}, supports_check_mode=True)
    prepare(module)
    try:
        checks = probe.read(module.params["checks"], "checks")
        with Host() as host:
            results = probe.run(host, checks)
    except ProbeError as error:
        module.fail_json(msg=str(error), results=error.results)
    except NetnsError as error:
        module.fail_json(msg=str(error))
    else:
        module.exit_json(changed=False, results=results)


if __name__ == "__main__":
    main()
