# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a picture shows, and that no name can spoil it. That graphviz draws it, the target playbook_diagram shows."""

from __future__ import annotations

import pathlib
import re
import typing as t
import xml.etree.ElementTree as ET

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.linuxnet.netns.plugins.filter.topology_dot import topology_dot
from ansible_collections.linuxnet.netns.plugins.filter.topology_mermaid import topology_mermaid
from ansible_collections.linuxnet.netns.plugins.plugin_utils import _picture

ROOT = pathlib.Path(__file__).parents[4]
Topology = dict[str, list[dict[str, t.Any]]]


def lines(topology: Topology) -> list[str]:
    """What lies between the boxes, in words."""
    return [f"{_end(line.tail, line.tail_port)} {line.form} {_end(line.head, line.head_port)}" for line in _picture.picture(topology).lines]


def _end(box: _picture.Box, port: str | None) -> str:
    return f"{box.place}/{box.name}" + (f":{port}" if port else "")


def boxes(topology: Topology) -> dict[str, list[str]]:
    return {place: [box.name for box in inside] for place, inside in _picture.picture(topology).places.items()}


def cable(netns: str, bridge: str = "br0", name: str = "eth0") -> dict[str, t.Any]:
    return {"name": name, "netns": netns, "peer": {"name": f"{netns}-{name}", "master": bridge}}


def star(*names: str) -> Topology:
    return {
        "namespaces": [{"name": [*names]}],
        "links": [{"name": "br0", "kind": "bridge"}],
        "veths": [cable(name) for name in names],
        "addresses": [{"netns": name, "dev": "eth0", "address": ["192.0.2.1/24", "2001:db8::1/64"]} for name in names],
    }


def test_a_port_that_is_nothing_else_is_the_bridges() -> None:
    topology = star("a", "b")
    assert boxes(topology) == {"": ["br0"], "a": ["eth0"], "b": ["eth0"]}
    assert lines(topology) == ["a/eth0 cable /br0:a-eth0", "b/eth0 cable /br0:b-eth0"]
    (bridge,) = _picture.picture(topology).places[""]
    assert (bridge.left, bridge.right, bridge.kind) == (["a-eth0", "b-eth0"], [], "bridge")


def test_a_port_with_an_address_has_a_box() -> None:
    topology = star("a")
    topology["addresses"].append({"dev": "a-eth0", "address": ["192.0.2.9/32"]})
    assert boxes(topology) == {"": ["br0", "a-eth0"], "a": ["eth0"]}
    assert lines(topology) == ["/br0 port /a-eth0", "a/eth0 cable /a-eth0"]


def test_ways_out() -> None:
    topology = {
        **star("a"),
        "nat": [{"name": "lab", "subnets": ["192.0.2.0/24"], "interface": "br0"}],
        "routes": [{"dest": "default", "gateway": "198.51.100.1", "dev": "enp1s0"}],
    }
    assert lines(topology)[1:] == ["/br0 way /NAT lab", "/NAT lab way /enp1s0", "/enp1s0 out /outside"]
    del topology["routes"]
    assert lines(topology)[1:] == ["/br0 way /NAT lab", "/NAT lab way /outside"]
    # an uplink whose other end is in the picture leads there
    topology["nat"][0]["uplink"] = "up"
    topology["veths"].append({"name": "up", "peer": {"name": "eth9", "netns": "isp"}})
    assert lines(topology)[1:] == ["/up cable isp/eth9", "/br0 way /NAT lab", "/NAT lab way /up"]


def test_ports_that_lead_in_stand_beside_the_way_out() -> None:
    ports = [
        {"host_port": "8080", "to_address": "192.0.2.1", "to_port": "80"},
        {"host_port": "8080", "to_address": "2001:db8::1", "to_port": "80"},
        {"host_port": "53", "to_address": "192.0.2.77", "protocol": "udp", "host_address": "127.0.0.1"},
        {"host_port": "8000-8010", "to_address": "2001:db8::77", "host_address": "2001:db8:1::1"},
    ]
    nat = {"name": "lab", "subnets": ["192.0.2.0/24"], "interface": "br0", "uplink": "enp1s0", "publish": ports}
    topology = {**star("a"), "nat": [nat]}
    wanted = [
        "tcp 8080 → a:80",
        "udp 127.0.0.1:53 → 192.0.2.77:53",
        "tcp [2001:db8:1::1]:8000-8010 → [2001:db8::77]:8000-8010",
    ]
    drawn = {f"{line.tail.name} {line.head.name}": [*line.texts] for line in _picture.picture(topology).lines}
    assert drawn == {"eth0 br0": [], "br0 NAT lab": [], "NAT lab enp1s0": wanted, "enp1s0 outside": []}
    assert "label=<&#160;tcp 8080 → a:80&#160;<br/>&#160;udp " in topology_dot(topology)
    assert re.search(r'n\d -\.->\|"tcp 8080 #8594; a:80<br/>udp 127', topology_mermaid(topology))
    nat["publish"] = [{"host_port": str(port), "to_address": "192.0.2.1"} for port in range(1, 61)]
    (texts,) = [line.texts for line in _picture.picture(topology).lines if line.texts]
    assert [*texts] == [*(f"tcp {port} → a:{port}" for port in range(1, 6)), "and 55 ports more"]


def test_what_stands_on_another_device() -> None:
    topology = {
        "links": [
            {"name": "vx42", "kind": "vxlan", "vxlan": {"id": 42, "remote": "198.51.100.1"}, "parent": "enp1s0", "master": "br0"},
            {
                "name": "mv0",
                "netns": "a",
                "kind": "macvlan",
                "macvlan": {"mode": "bridge"},
                "parent": "enp1s0",
                "parent_netns": "/proc/self/ns/net",
            },
            {"name": "br1", "kind": "bridge", "take_over": "enp2s0"},
            {"name": "enp3s0", "netns": "a"},
        ],
    }
    assert lines(topology) == [
        "/vx42 parent /enp1s0",
        "/br0 port /vx42",
        "a/mv0 parent /enp1s0",
        "/br1 port /enp2s0",
        "/enp1s0 out /outside",
        "/enp2s0 out /outside",
        "a/enp3s0 out /outside",
    ]
    assert [box.kind for box in _picture.picture(topology).boxes] == [
        *("vxlan 42 198.51.100.1", "", "", "bridge", ""),
        *("macvlan bridge", ""),
        "",
    ]


def test_what_netns_info_returns() -> None:
    told = {
        "namespaces": [{"name": ["blue"], "loopback": True}],
        "links": [],
        "veths": [{"name": "eth0", "netns": "blue", "up": True, "peer": {"name": "blue-eth0", "master": "br-lab", "up": True}}],
        "addresses": [
            {"netns": "blue", "dev": "eth0", "address": ["192.0.2.10/24"]},
            {"netns": "blue", "dev": "lo", "address": ["192.0.2.5/32"]},
        ],
        "routes": [{"netns": "blue", "dest": ["0.0.0.0/0"], "gateway": "192.0.2.1", "dev": "eth0", "protocol": "static"}],
        "rules": [{"netns": "blue", "family": "ipv4", "priority": 1000, "from": "192.0.2.0/24", "table": "100"}],
        "nat": [{"name": "lab", "subnets": ["10.77.0.0/24"], "interface": "br-lab", "uplink": "eth0", "masquerade": True}],
    }  # fmt: skip
    assert boxes(told) == {"": ["br-lab", "NAT lab", "eth0"], "blue": ["eth0", "lo"]}


def test_an_empty_namespace_is_there_and_an_empty_host_is_not() -> None:
    assert boxes({"namespaces": [{"name": "blue"}]}) == {"blue": []}
    assert boxes({}) == {}


@pytest.mark.parametrize("number", [8, 9, 60])
def test_a_crowd_is_on_both_sides_in_columns(number: int) -> None:
    names = [f"ns{at}" for at in range(number)]
    made = _picture.picture(star(*names))
    (bridge,) = made.places[""]
    assert len(bridge.left) + len(bridge.right) == number
    if number == 8:
        assert (bridge.right, bridge.crowd, made.crowds) == ([], 0, [])
        return
    assert 0 <= len(bridge.left) - len(bridge.right) <= 1
    assert bridge.left + bridge.right == [f"{name}-eth0" for name in names]
    assert {line.length for line in made.lines} == ({1} if number == 9 else {1, 2, 3})
    (crowd,) = made.crowds
    assert (crowd.places, crowd.ways, len(crowd.lines)) == (names, [("eth0", bridge)], number)


def test_a_crowd_has_the_same_cables() -> None:
    names = [f"ns{at}" for at in range(20)]
    topology = star(*names)
    topology["veths"] += [cable(name, "br1", "mgmt") for name in names[:9]]
    made = _picture.picture(topology)
    assert [(len(crowd.places), [(name, bridge.name) for name, bridge in crowd.ways]) for crowd in made.crowds] == [
        (9, [("eth0", "br0"), ("mgmt", "br1")]),
        (11, [("eth0", "br0")]),
    ]
    text = topology_mermaid(topology)
    # each cable once, and nothing is lost
    assert len(re.findall(r"^  c\d ---", text, re.MULTILINE)) == 3
    assert len(re.findall(r"^  n\d+ ---", text, re.MULTILINE)) == 0
    assert len(re.findall(r"^  subgraph p\d+", text, re.MULTILINE)) == 21


def test_the_host_may_be_one_of_a_crowd() -> None:
    ends = [{"netns": f"ns{at}", "name": "eth0"} for at in range(9)] + [{"name": "to-router"}]
    topology = {"veths": [{**end, "peer": {"name": f"port{at}", "netns": "router", "master": "br0"}} for at, end in enumerate(ends)]}
    made = _picture.picture(topology)
    assert [crowd.places for crowd in made.crowds] == [[f"ns{at}" for at in range(9)]]
    topology["veths"][-1]["name"] = "eth0"
    assert _picture.picture(topology).crowds[0].places == [*(f"ns{at}" for at in range(9)), ""]
    assert re.findall(r'subgraph p\d+\["(\w+)"\]', topology_mermaid(topology, "gateway")) == [
        "router",
        *(f"ns{at}" for at in range(9)),
        "gateway",
    ]


@pytest.mark.parametrize("draw", [topology_dot, topology_mermaid])
@pytest.mark.parametrize(
    ("topology", "sentence"),
    [
        ("lab", "topology: 'lab' is none: give a dict of the lists that netns_topology takes"),
        (None, "topology: None is none: give a dict of the lists that netns_topology takes"),
        ({"veth": []}, "topology: netns_topology does not take it: veth. Supported parameters include: "),
        ({"veths": [{"netns": "a"}]}, "topology: netns_topology does not take it: missing required arguments: name found in veths"),
        ({"namespaces": [{"name": "a/b"}]}, "topology: netns: 'a/b' is not a namespace name: it contains a slash: use a plain file name"),
    ],
)
def test_what_is_no_topology_is_refused(draw: t.Callable[[t.Any], str], topology: t.Any, sentence: str) -> None:
    with pytest.raises(AnsibleFilterError) as refused:
        draw(topology)
    assert str(refused.value).startswith(sentence)


# A name of a namespace must be one, of a device anything.
names = st.text(min_size=1, max_size=20, alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="/\0")).filter(
    lambda name: name not in (".", "..")
)
texts = st.text(min_size=1, max_size=12, alphabet=st.characters(codec="utf-8"))


@given(netns=names, device=texts, port=texts, bridge=texts, address=texts, host=texts)
def test_any_name_is_a_label_of_a_graph(netns: str, device: str, port: str, bridge: str, address: str, host: str) -> None:
    topology = {
        "veths": [{"name": device, "netns": netns, "peer": {"name": port, "master": bridge}}],
        "addresses": [{"netns": netns, "dev": device, "address": [address]}],
    }
    graph = topology_dot(topology, host)
    # one statement a line, of a fixed form but for the labels; each label is well-formed, and its text is the name
    found = [
        text for label in re.findall(r"label=<(.*)>(?:\]|; |, )", graph) for text in ET.fromstring(f"<label>{label}</label>").itertext()
    ]
    assert {_picture.visible(name) for name in (netns, device, port, bridge, address, host)} <= {*found}
    assert graph.count("\n") == len(graph.splitlines())
    chart = topology_mermaid(topology, host)
    assert set(re.sub(r"#\d+;", "", chart)) <= {char for char in chart if char.isalnum()} | set(' \n:;#,"[]()|-=.~_/<>')
    labels = [re.sub(r"#(\d+);", lambda code: chr(int(code[1])), label) for label in re.findall(r'"([^"]*)"', chart)]
    assert {_picture.visible(netns), _picture.visible(host)} <= {*labels}


def test_colours_have_six_digits() -> None:
    # graphviz takes those of three for black
    for text in (topology_dot(star("a")), topology_mermaid(star("a"))):
        assert set(map(len, re.findall(r"(?<![&\w])#([0-9a-f]+)\b(?!;)", text))) == {6}


def test_the_picture_in_the_readme_is_that_of_its_topology() -> None:
    topology = yaml.safe_load((ROOT / "docs" / "diagram.yml").read_text(encoding="utf-8"))
    (block,) = re.findall(r"^```mermaid\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert block == topology_mermaid(topology)
