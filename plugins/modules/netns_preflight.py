#!/usr/bin/python
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: netns_preflight
short_description: Find what will hurt a network before it is built
version_added: 0.1.0
description:
  - Looks at the host for what makes a network of namespaces fail, often without a word.
  - It changes nothing, sends nothing and loads no kernel module, unless O(drop_ins) asks for files to be written.
  - Both roles run it before they change anything.
  - "Errors, with which the task fails: a subnet that is in use (V(subnet_in_use), V(subnet_routed)); an uplink that cannot be
    bridged (V(uplink_wireless), V(uplink_is_bridge), V(uplink_not_ethernet)); what the kernel has not (V(kind_missing),
    V(namespaces_missing), V(nftables_missing), V(conntrack_missing), V(ipv6_disabled)), and the program nft (V(nft_missing));
    behind NAT packets that somebody's firewall drops, where O(foreign_drop) does not say what to do about it (V(foreign_drop)); on a
    bridged network frames that a firewall drops (V(bridge_netfilter))."
  - "Warnings: a subnet that is part of a larger one that is routed elsewhere (V(subnet_routed)); packets that a firewall drops and will go
    on to drop with O(foreign_drop=ignore) (V(foreign_drop)); frames between the ports of a bridge without uplink and NAT that a firewall
    drops (V(bridge_netfilter)); a strict reverse path filter on an interface that is not the way back (V(rp_filter)); a cloud
    or hypervisor that knows one MAC address for each machine (V(uplink_cloud)); NetworkManager or systemd-networkd that will touch the
    devices or the uplink (V(networkmanager), V(networkd), V(networkmanager_uplink), V(networkd_uplink))."
  - "A note, which is returned and not shown: udev changes MAC addresses (V(udev_mac_policy)). That is the default of systemd."
extends_documentation_fragment:
  - linuxnet.netns._attributes
  - linuxnet.netns._attributes.actiongroup_netns
  - linuxnet.netns._requirements
attributes:
  check_mode:
    description: Can run in C(check_mode); the findings are the same, but that a missing program nft is a warning.
  diff_mode:
    description: Returns the files of O(drop_ins) before and after when in C(diff) mode.
options:
  subnets:
    description: The subnets that the network is to have, IPv4 or IPv6.
    type: list
    elements: str
  interface:
    description: The bridge on the host. What is on it already does not count as in use.
    type: str
  links:
    description: Names of the other devices that are made on the host, the outer ends of veth pairs above all.
    type: list
    elements: str
  uplink:
    description: The interface to the outside; V(auto) is the one of the default route.
    type: str
    default: auto
  bridge_uplink:
    description: Whether O(uplink) is to become a port of O(interface).
    type: bool
    default: false
  nat:
    description: Whether there is to be NAT, so that nftables and connection tracking are needed.
    type: bool
    default: false
  foreign_drop:
    description:
      - What O(linuxnet.netns.netns_nat#module:foreign_drop) is to be, where O(nat=true).
      - Docker, ufw and firewalld are no finding, as the network gets through them by itself.
    type: str
    choices: [accept, fail, ignore]
    default: fail
  kinds:
    description:
      - The kinds of links that are needed, as O(linuxnet.netns.netns_link#module:kind), and V(veth).
      - What is in a kernel module counts as there if the module is installed. It is not loaded for that.
    type: list
    elements: str
    default: [bridge, veth]
  ignore:
    description: Findings that do not count; they are not even returned.
    type: list
    elements: str
    choices:
      - bridge_netfilter
      - conntrack_missing
      - foreign_drop
      - ipv6_disabled
      - kind_missing
      - namespaces_missing
      - networkd
      - networkd_uplink
      - networkmanager
      - networkmanager_uplink
      - nft_missing
      - nftables_missing
      - rp_filter
      - subnet_in_use
      - subnet_routed
      - udev_mac_policy
      - uplink_cloud
      - uplink_is_bridge
      - uplink_not_ethernet
      - uplink_wireless
    default: []
  fail_on:
    description: The least level with which the task fails; V(never) only tells.
    type: str
    choices: [error, never, warning]
    default: error
  name:
    description: Whose drop-ins they are, up to 64 letters, digits, dots, dashes and underscores. The files are named after it.
    type: str
  drop_ins:
    description:
      - Whether to write files by which NetworkManager, systemd-networkd and udev's MACAddressPolicy leave O(interface) and O(links) alone.
        Needs O(name).
      - V(runtime) writes them below C(/run), where they are gone after a reboot; V(persistent) below C(/etc).
      - V(none) removes those that were written for O(name) before.
      - Of these three only those that the host has get a file; those that run are told to read it. The uplink is never among the devices,
        since NetworkManager would take its addresses away.
    type: str
    choices: [none, persistent, runtime]
    default: none
  state:
    description: V(absent) removes the drop-ins of O(name) and looks for nothing.
    type: str
    choices: [absent, present]
    default: present
seealso:
  - module: linuxnet.netns.netns_probe
    description: Finds the cause when the network is there and does not work.
"""

EXAMPLES = r"""
---
- name: Can this host have a NATed network?
  linuxnet.netns.netns_preflight:
    subnets: [10.77.0.0/24, "fd77::/64"]
    interface: br-lab
    nat: true

- name: Can its uplink be bridged? Only tell
  linuxnet.netns.netns_preflight:
    interface: br-lan
    uplink: eth0
    bridge_uplink: true
    fail_on: never
  register: looked

- name: Show what was found
  ansible.builtin.debug:
    var: looked.findings

- name: Keep network managers off what will be made, until the next reboot
  linuxnet.netns.netns_preflight:
    name: lab
    interface: br-lab
    links: [web-eth0, db-eth0]
    drop_ins: runtime

- name: Take these files away again
  linuxnet.netns.netns_preflight:
    name: lab
    state: absent
"""

RETURN = r"""
---
findings:
  description: What was found, errors first.
  returned: O(state=present), also on failure
  type: list
  elements: dict
  contains:
    id:
      description: Which finding it is, one of the choices of O(ignore).
      type: str
      sample: rp_filter
    level:
      description: V(error), V(warning) or V(note).
      type: str
      sample: warning
    what:
      description: What was found.
      type: str
      sample: rp_filter is strict on eth1, and the host's way to the Internet is not eth1
    why:
      description: Why it hurts.
      type: str
      sample: "the kernel drops without a word what comes in there from the Internet, for the host at 192.0.2.9 and for namespaces"
    remedy:
      description: What to do.
      type: str
      sample: set net.ipv4.conf.eth1.rp_filter to 2 (loose), or make a rule and a table of routes for eth1
  sample:
    - id: subnet_in_use
      level: error
      what: subnet 10.77.0.0/24 overlaps with 10.77.0.9/16 on eth0
      why: answers would leave the host by the wrong one of the two interfaces
      remedy: choose another subnet
changes:
  description: The files that were written or removed, or would be in check mode, as in the other modules.
  returned: always
  type: list
  elements: dict
  sample:
    - action: create
      kind: file
      netns:
      name: /run/systemd/network/00-linuxnet-netns-lab.network
      before:
      after: "# Managed by linuxnet.netns\n[Match]\nName=br-lab web-eth0\n\n[Link]\nUnmanaged=yes\n"
      reason: to keep network managers off
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

# first, since it is about the imports that follow
from ansible_collections.linuxnet.netns.plugins.module_utils import _compile_once  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.linuxnet.netns.plugins.module_utils._argspec_preflight import PREFLIGHT
from ansible_collections.linuxnet.netns.plugins.module_utils._engine import preflight, preflight_files, preflight_wish, values
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError, NetnsError
from ansible_collections.linuxnet.netns.plugins.module_utils._module import fail, prepare

_FATAL: dict[str, tuple[str, ...]] = {"error": ("error",), "warning": ("error", "warning"), "never": ()}


def main() -> None:
    module = AnsibleModule(argument_spec=PREFLIGHT, required_if=[("state", "absent", ["name"])], supports_check_mode=True)
    prepare(module)
    try:
        _run(module)
    except NetnsError as error:
        fail(module, error)


def _run(module: AnsibleModule) -> None:
    params = module.params
    wish = preflight_wish.read(params, module.check_mode)
    present = params["state"] == "present"
    drop_ins = _drop_ins(params, tuple(wish.devices()) if present else ())
    changes = preflight_files.plan(drop_ins)
    told: dict[str, t.Any] = {}
    if present:
        findings = preflight.look(wish, drop_ins)
        told["findings"] = preflight.plain(findings)
        fatal = [finding for finding in findings if finding.level in _FATAL[params["fail_on"]]]
        for finding in findings:
            if finding.level != "note" and finding not in fatal:
                module.warn(f"{finding}.")
        if fatal:
            module.fail_json(msg=". ".join(map(str, fatal)), changes=[], **told)
    if changes and not module.check_mode:
        for warning in preflight_files.carry_out(changes):
            module.warn(warning)
    if module._diff:
        told["diff"] = [
            {"before_header": path, "after_header": path, "before": old or "", "after": new or ""} for path, old, new in changes
        ]
    module.exit_json(changed=bool(changes), changes=[change.plain() for change in changes], **told)


def _drop_ins(params: t.Mapping[str, t.Any], devices: tuple[str, ...]) -> preflight_files.DropIns:
    where = params["drop_ins"] if params["state"] == "present" and params["drop_ins"] != "none" else ""
    if not params["name"]:
        if where:
            raise InputError("name: it is missing: the drop-ins are named after it, so that they can be removed again")
        return preflight_files.DropIns()
    if where and not devices:
        raise InputError("drop_ins: there is no device to be left alone: give interface or links")
    return preflight_files.DropIns(values.topology_name(params["name"]), where, devices)


if __name__ == "__main__":
    main()
