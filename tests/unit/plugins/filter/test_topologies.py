# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.linuxnet.netns.plugins.filter import (
    bridged_network_topology,
    nat_network_topology,
    topology_dot,
    topology_mermaid,
    upstream_nameservers,
)


@pytest.mark.parametrize("module", [bridged_network_topology, nat_network_topology, topology_dot, topology_mermaid, upstream_nameservers])
def test_the_filter_has_the_name_of_its_file(module) -> None:
    (name,) = module.FilterModule().filters()
    assert module.__name__.endswith(f".{name}")
    assert yaml.safe_load(module.DOCUMENTATION)["name"] == name


def test_a_refusal_is_a_filter_error() -> None:
    nat = nat_network_topology.FilterModule().filters()["nat_network_topology"]
    bridged = bridged_network_topology.FilterModule().filters()["bridged_network_topology"]
    with pytest.raises(AnsibleFilterError, match="nat_network_namespaces"):
        nat([{}], name="x", subnets=["192.0.2.0/24"])
    with pytest.raises(AnsibleFilterError, match="bridged_network_namespaces"):
        bridged([{}], name="x", uplink="eth0")
    with pytest.raises(AnsibleFilterError, match="takes a list of texts"):
        upstream_nameservers.upstream_nameservers("nameserver 192.0.2.1")
