# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at what ansible-inventory wrote for the target."""

from __future__ import annotations

import json
import pathlib
import sys

WORK = pathlib.Path(sys.argv[1])
ENTER = {"ansible_become": True, "ansible_become_method": "linuxnet.netns.netns"}


def load(name):
    said = json.loads((WORK / f"{name}.json").read_text(encoding="utf-8"))
    for variables in said["_meta"]["hostvars"].values():
        variables.pop("ansible_local", None)  # ansible-core may give every host this one
    return said


def same(found, wanted):
    if found != wanted:
        sys.exit(f"FATAL: found\n{json.dumps(found, indent=1, sort_keys=True)}\nwanted\n{json.dumps(wanted, indent=1, sort_keys=True)}")


def of_host(name):
    return f"{{{{ hostvars[netns_host].{name} }}}}"


def unsafe(text):
    """As ansible-inventory writes what is never to be taken for a template."""
    return {"__ansible_unsafe": text}


def hosts(inventory, group):
    return sorted(inventory[group]["hosts"])


def warnings(name):
    """Of the plugin: what ansible-test has set is none of its business."""
    lines = (WORK / f"{name}.err").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("[WARNING]") and "default collection" not in line]


def static():
    said = load("static")
    variables = said["_meta"]["hostvars"]
    r2 = {
        **ENTER,
        "ansible_host": "192.0.2.2",
        "ansible_port": 2222,
        # a template is evaluated for r2
        "ansible_user": of_host("ansible_user"),
        "ansible_ssh_executable": of_host("ansible_ssh_executable"),
        "ansible_netns_sudo_pass": of_host("ansible_become_password"),
        "netns_host": unsafe("r2"),
    }
    topologies = [unsafe("lab"), unsafe("nat_network.shop")]
    same(variables["r2_red"], {**r2, "ansible_netns_name": unsafe("red"), "netns_topologies": topologies, "from": unsafe("r2/red")})
    same(variables["r2_{{ 1 + 1 }}"]["ansible_netns_name"], unsafe("{{ 1 + 1 }}"))
    same(variables["r1_blue"]["ansible_host"], unsafe("r1"))
    same(variables["r1_blue"]["ansible_connection"], "local")
    same(variables["localhost_blue"]["ansible_connection"], unsafe("local"))
    # the inventory's own, whatever a namespace is called
    same(variables["r1_taken"], {"ansible_host": "192.0.2.9"})
    same(len(warnings("static")), 1)
    same("namespace 'taken' of host 'r1' is left out" in warnings("static")[0], True)
    same(hosts(said, "netns"), ["localhost_blue", "r1_blue", "r2_green", "r2_red", "r2_{{ 1 + 1 }}"])
    same(hosts(said, "netns_host_r2"), ["r2_green", "r2_red", "r2_{{ 1 + 1 }}"])
    same(hosts(said, "netns_topology_lab"), ["r2_green", "r2_red"])
    same(hosts(said, "netns_topology_nat_network_shop"), ["r2_red"])
    same(hosts(said, "of_two"), ["r2_red"])
    same(hosts(said, "name_blue"), ["localhost_blue", "r1_blue"])
    same(hosts(said, "routers"), ["r1", "r2"])


def live():
    said = load("live")
    # what the host told, and what is listed
    same(hosts(said, "netns"), ["r1_blue", "r1_elsewhere", "r1_red", "r1_{{ 1+1 }}"])
    same(hosts(said, "netns_topology_nat_network_lab"), ["r1_red"])
    same(hosts(said, "by_hand"), ["r1_blue", "r1_elsewhere", "r1_{{ 1+1 }}"])
    same(said["_meta"]["hostvars"]["r1_{{ 1+1 }}"]["ansible_netns_name"], unsafe("{{ 1+1 }}"))
    same(said["_meta"]["hostvars"]["r1_red"]["netns_topologies"], [unsafe("nat_network.lab")])
    same(len(warnings("live")), 1)
    same("the namespaces of host 'r2' are left out" in warnings("live")[0] and "nobody is there" in warnings("live")[0], True)
    same(hosts(load("cached"), "netns"), hosts(said, "netns"))
    same(hosts(load("flushed"), "netns"), sorted([*hosts(said, "netns"), "r1_new"]))


static()
live()
print("the inventory is as it should be")
