# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Long lists of options come out as AnsibleModule itself would have brought them out."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.linuxnet.netns.plugins.module_utils import _long_lists
from ansible_collections.linuxnet.netns.plugins.module_utils._argspec_topology import LISTS

MANY = _long_lists._MANY
USUAL = {
    "namespaces": {"name": "web,db", "pid": None},
    "links": {"name": "br0", "kind": "bridge"},
    "veths": {"name": "eth0", "netns": "web", "mtu": 1400, "up": False, "peer": {"name": "v0", "master": "br0"}},
    "addresses": {"dev": "eth0", "address": ["192.0.2.1/24", "2001:db8::1/64"], "exclusive": True},
    "routes": {"dest": ["default"], "gateway": "192.0.2.1", "nexthops": None},
    "rules": {"from": "192.0.2.0/24", "table": "100", "priority": 100},
    "nat": {"name": "lab", "interface": "br0", "subnets": ["192.0.2.0/24"]},
}


def ended(module, arguments, capsys):
    """The options as they come out, or the message with which the module ends."""
    with patch_module_args(arguments):
        try:
            return module(argument_spec={"name": {"type": "str"}, **LISTS}).params
        except SystemExit:
            return json.loads(capsys.readouterr().out)["msg"]


@pytest.mark.parametrize("name", USUAL)
def test_the_usual(capsys, name):
    arguments = {"name": "lab", name: [USUAL[name]] * (MANY + 1)}
    found = ended(_long_lists.LongListsModule, arguments, capsys)
    assert found == ended(AnsibleModule, arguments, capsys)
    assert len(found[name]) == MANY + 1


def test_it_is_not_read_by_ansible(monkeypatch, capsys):
    seen = []
    load = AnsibleModule._load_params

    def loaded(self):
        load(self)
        seen.append(self)

    monkeypatch.setattr(AnsibleModule, "_load_params", loaded)
    short, long = ({"routes": [USUAL["routes"]] * count} for count in (MANY - 1, MANY))
    for arguments, read_by_ansible in ((short, True), (long, False)):
        ended(_long_lists.LongListsModule, arguments, capsys)
        assert ("routes" not in seen[-1]._completed) == read_by_ansible


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("namespaces", {"name": "web", "loopback": "no"}),
        ("namespaces", {"name": ["web"], "nsid": "7"}),
        ("namespaces", {"name": [7]}),
        ("namespaces", {"name": None}),
        ("namespaces", {}),
        ("namespaces", {"name": "web", "loopback": None}),
        ("namespaces", {"name": "web", "processes": "eat"}),
        ("namespaces", {"name": "web", "nmae": "x"}),
        ("namespaces", "web"),
        ("veths", {"name": "eth0", "peer": "v0"}),
        ("veths", {"name": "eth0", "peer": {}}),
        ("veths", {"name": "eth0", "mtu": True, "peer": {"name": "v0"}}),
        ("addresses", {"dev": "eth0", "address": "192.0.2.1/24", "scope": 253}),
        ("routes", {"dest": "default", "nexthops": {"gateway": "192.0.2.1"}}),
        ("routes", {"dest": "default", "nexthops": [{"gateway": "192.0.2.1"}]}),
    ],
)
def test_the_odd_is_left_to_ansible(capsys, name, odd):
    arguments = {name: [USUAL[name]] * MANY + [odd]}
    assert ended(_long_lists.LongListsModule, arguments, capsys) == ended(AnsibleModule, arguments, capsys)
