# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written down more than once says the same: options, their documentation, the engine's tables, the action group."""

from __future__ import annotations

import ast
import importlib
import pathlib

import pytest
import yaml

from ansible_collections.linuxnet.netns.plugins.doc_fragments import _nested, _probe
from ansible_collections.linuxnet.netns.plugins.module_utils import (
    _argspec,
    _argspec_ip,
    _argspec_link,
    _argspec_nat,
    _argspec_probe,
    _argspec_topology,
    _argspec_veth,
)
from ansible_collections.linuxnet.netns.plugins.module_utils._engine import bridge, kinds, options, probe_options

ROOT = pathlib.Path(__file__).parents[4]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if path.stem != "__init__")

# List of a topology -> the module for that thing and its options, state left out.
LISTS = {
    "namespaces": ("netns", _argspec.NAMESPACE),
    "links": ("netns_link", _argspec_link.LINK),
    "veths": ("veth", _argspec_veth.VETH),
    "addresses": ("netns_addr", _argspec_ip.ADDRESS),
    "routes": ("netns_route", _argspec_ip.ROUTE),
    "rules": ("netns_rule", _argspec_ip.RULE),
    "sysctls": ("netns_sysctl", _argspec.SYSCTL),
    "nat": ("netns_nat", _argspec_nat.NAT),
}
STATELESS = {"netns_info", "netns_probe", "netns_sysctl"}
TYPES = {
    "bit": "bool",
    "bool": "bool",
    "choice": "str",
    "flag": "bool",
    "group": "str",
    "int": "int",
    "ip": "str",
    "ip4": "str",
    "key": "str",
    "table": "str",
    "user": "str",
}


def documentation(module: str) -> dict:
    """The DOCUMENTATION of a module, its fragments merged in."""
    tree = ast.parse((ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8"))
    text = next(
        node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "DOCUMENTATION"
    )
    found = yaml.safe_load(text)
    merged = dict(found.get("options") or {})
    for reference in found["extends_documentation_fragment"]:
        _namespace, _collection, name, *section = reference.split(".")
        fragment = importlib.import_module(f"ansible_collections.linuxnet.netns.plugins.doc_fragments.{name}").ModuleDocFragment
        merged.update(yaml.safe_load(getattr(fragment, (section or ["DOCUMENTATION"])[0].upper())).get("options") or {})
    return merged


def comparable(spec: dict, suboptions: str) -> dict:
    """What an argument spec and its documentation both say."""
    return {
        name: {
            "type": option["type"],
            "elements": option.get("elements"),
            "required": option.get("required", False),
            "default": option.get("default"),
            "choices": option.get("choices"),
            "options": comparable(option[suboptions], suboptions) if option.get(suboptions) else None,
        }
        for name, option in spec.items()
    }


def test_the_lists_of_a_topology_are_those_of_the_engine():
    assert list(_argspec_topology.LISTS) == list(LISTS)
    assert set(options.LISTS) == set(LISTS)


@pytest.mark.parametrize("name", LISTS)
def test_an_item_takes_the_options_of_the_module(name):
    module, spec = LISTS[name]
    assert _argspec_topology.LISTS[name]["options"] == spec
    documented = documentation(module)
    assert ("state" in documented) == (module not in STATELESS)
    documented.pop("state", None)
    assert comparable(spec, "options") == comparable(documented, "suboptions")


@pytest.mark.parametrize("name", LISTS)
def test_a_topology_documents_what_the_module_does(name):
    documented = documentation("netns_topology")[name]["suboptions"]
    module = documentation(LISTS[name][0])
    module.pop("state", None)
    assert comparable(documented, "suboptions") == comparable(module, "suboptions")


def test_a_check_takes_what_is_documented():
    """Of the list of a probe, and of that by which a topology is verified."""
    expected = comparable(_argspec_probe.CHECK, "options")
    assert comparable(documentation("netns_probe")["checks"]["suboptions"], "suboptions") == expected
    verify = yaml.safe_load(_probe.ModuleDocFragment.VERIFY)["options"]["verify"]
    assert comparable(verify["suboptions"], "suboptions") == expected
    assert set(_argspec_probe.CHECK) >= set(probe_options.KINDS)
    assert _argspec_probe.CHECK["timeout"]["default"] == probe_options.TIMEOUT
    assert _argspec_probe.CHECK["retries"]["default"] == probe_options.RETRIES


@pytest.mark.parametrize("module", MODULES)
def test_choices_are_sorted(module):
    def walk(documented):
        for name, option in documented.items():
            if "choices" in option:
                assert option["choices"] == sorted(option["choices"]), name
            walk(option.get("suboptions") or {})

    walk(documentation(module))


def test_kinds_are_those_of_the_engine():
    assert _argspec_link.LINK["kind"]["choices"] == sorted(kinds.KINDS)


@pytest.mark.parametrize("kind", sorted(kinds.KINDS))
def test_a_kind_takes_the_options_that_the_engine_knows(kind):
    table = kinds.KINDS[kind].options
    if not table:
        assert kind not in _argspec_link.LINK
        return
    assert_same_options(_argspec_link.LINK[kind]["options"], table)


def test_a_port_takes_the_options_that_the_engine_knows():
    spec = dict(_argspec_link.LINK["port"]["options"])
    assert spec.pop("pvid")["type"] == "int"
    assert spec.pop("vlans")["type"] == "list"
    assert_same_options(spec, bridge.PORT)


def assert_same_options(spec, table):
    assert set(spec) == set(table)
    for name, option in table.items():
        # a short option has the type of those that it stands for
        meant = table[option.sets[0]] if option.sets else option
        expected = {
            "type": TYPES[meant.type],
            "choices": sorted(meant.choices) if meant.choices else None,
            "required": option.required,
        }
        assert {field: spec[name].get(field, False if field == "required" else None) for field in expected} == expected, name


@pytest.mark.parametrize("module", MODULES)
def test_every_default_is_what_is_documented(module):
    """Nothing else than state stands in a module itself: the rest is compared above."""
    documented = documentation(module)
    if module not in STATELESS:
        assert comparable({"state": documented["state"]}, "suboptions") == comparable({"state": _argspec.STATE}, "options")


def test_the_action_group_lists_exactly_the_modules():
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert sorted(runtime["action_groups"]["netns"]) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_that_it_is_in_the_action_group(module):
    text = (ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8")
    assert "  - linuxnet.netns._attributes.actiongroup_netns\n" in text


def test_references_point_to_the_item_and_state_to_the_task():
    text = "  up:\n    description: Is O(up) or O(kind=bridge), unless O(state=absent).\n"
    expected = "      up:\n        description: Is O(links[].up) or O(links[].kind=bridge), unless O(state=absent).\n"
    assert _nested.suboptions("links[]", text, 6) == expected
