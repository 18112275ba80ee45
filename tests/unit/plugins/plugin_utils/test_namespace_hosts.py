# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import typing as t

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, is_trusted_as_template, trust_as_template
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError
from ansible_collections.linuxnet.netns.plugins.plugin_utils import _asking, _namespace_hosts


def is_template(value: t.Any) -> bool:
    return Templar(DataLoader()).is_template(value)


def test_names_and_dicts() -> None:
    entries = [
        "blue",
        {"name": "red", "topology": "lab"},
        {"name": "green", "topology": ["lab", "shop"]},
        {"name": "grey", "topology": None},
    ]
    assert _namespace_hosts.listed({"r1": entries, "r2": []}) == {
        "r1": {"blue": [], "red": ["lab"], "green": ["lab", "shop"], "grey": []},
        "r2": {},
    }


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ("blue", "namespaces: r1: 'blue' is not a list: list the namespaces of this host"),
        (None, "namespaces: r1: None is not a list: list the namespaces of this host"),
        ([7], "namespaces: r1[0]: 7 is not a namespace: give its name, or a dict of 'name' and 'topology'"),
        (
            [{"topology": "lab"}],
            "namespaces: r1[0]: {'topology': 'lab'} is not a namespace: give its name, or a dict of 'name' and 'topology'",
        ),
        ([{"name": "blue", "colour": 1}], "namespaces: r1[0]: 'colour' is not known: use 'name' and 'topology'"),
        (["a/b"], "namespaces: r1[0]: 'a/b' is not a namespace name: it contains a slash: use a plain file name such as 'blue'"),
        (["blue", {"name": "blue"}], "namespaces: r1[1]: namespace 'blue' is listed twice: remove one of them"),
        (
            [{"name": "blue", "topology": "a b"}],
            "namespaces: r1[0]: topology: 'a b' cannot name a topology: use 1 to 64 letters, digits, dots, dashes and underscores",
        ),
    ],
)
def test_what_is_no_namespace_is_refused(entries: t.Any, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        _namespace_hosts.listed({"r1": entries})
    assert str(refused.value) == sentence


def test_an_answer() -> None:
    facts = {"blue": {"stale": False, "owner": ["lab"]}, "old": {"stale": True, "owner": []}, "red": {"stale": False}}
    assert _namespace_hosts.told({"namespaces": facts}) == {"blue": ["lab"], "red": []}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"failed": True, "msg": "no python"}, "no python"),
        ({}, "it returned no namespaces"),
        ({"namespaces": ["blue"]}, "it returned no namespaces"),
        ({"namespaces": {"blue": "red"}}, "it returned no namespaces"),
        (
            {"namespaces": {"../blue": {}}},
            "netns_info: '../blue' is not a namespace name: it contains a slash: use a plain file name such as 'blue'",
        ),
    ],
)
def test_a_host_may_answer_anything(answer: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        _namespace_hosts.told(answer)
    assert str(refused.value) == sentence


def test_what_is_listed_and_told_is_one() -> None:
    one, other = {"r1": {"blue": ["lab"]}, "r2": {}}, {"r1": {"blue": ["shop"], "red": []}, "r3": {"blue": []}}
    assert _namespace_hosts.merged(one, other) == {"r1": {"blue": ["lab", "shop"], "red": []}, "r2": {}, "r3": {"blue": []}}


def test_the_way_is_that_of_the_host() -> None:
    variables = {
        "inventory_hostname": "r1",
        "ansible_port": 2222,
        "ansible_ssh_common_args": "-o X=Y",
        "ansible_become": True,
        "ansible_become_user": "admin",
        "ansible_become_method": "ansible.builtin.sudo",
        "ansible_become_password": "one",
        "ansible_sudo_pass": "two",
        "ansible_become_flags": "-n",
        "ansible_netns_name": "not this one",
        "mine": "stays",
    }
    assert _namespace_hosts.way_to("r1", variables, is_template) == {
        "ansible_host": "r1",
        "ansible_port": 2222,
        "ansible_ssh_common_args": "-o X=Y",
        "ansible_netns_sudo_pass": "two",
        "ansible_netns_sudo_flags": "-n",
    }
    # what another program needs is of no use to sudo
    of_doas = _namespace_hosts.way_to("r1", {**variables, "ansible_become_method": "doas"}, is_template)
    assert not [name for name in of_doas if name.startswith("ansible_netns_sudo")]


@given(host=st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_template_is_evaluated_for_the_host(host: str) -> None:
    variables = {"ansible_host": trust_as_template("{{ inventory_hostname }}.example.com"), "ansible_user": "{{ not_trusted }}"}
    way = _namespace_hosts.way_to(host, variables, is_template)
    assert is_trusted_as_template(way["ansible_host"])
    # somebody else's text stays text
    assert way["ansible_user"] == "{{ not_trusted }}"
    assert not is_trusted_as_template(way["ansible_user"])
    variables = {"netns_host": host, "hostvars": {host: {"ansible_host": "as evaluated there"}}}
    assert Templar(DataLoader(), variables).template(way["ansible_host"]) == "as evaluated there"


def test_the_play_reaches_hosts_as_the_command_does() -> None:
    arguments = {"remote_user": "admin", "extra_vars": ("a=1", "@file"), "vault_ids": [], "forks": 5, "become": True}
    assert _asking._passed_on(arguments) == ["--user", "admin", "--forks", "5", "--extra-vars", "a=1", "--extra-vars", "@file"]


def test_a_play_that_does_not_run_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(command: list[str], **_how: t.Any) -> t.Any:
        return subprocess.CompletedProcess(command, 4, stdout="", stderr="first\nERROR! the file no_such_file was not found\n")

    monkeypatch.setattr(subprocess, "run", fails)
    with pytest.raises(_asking.AskError, match="^the hosts could not be asked: ansible-playbook ended with exit code 4: .*no_such_file"):
        _asking.ask(["r1"], [], {})
