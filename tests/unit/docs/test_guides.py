# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guides are all listed, and what they quote is in the code: messages, layers, findings, files."""

from __future__ import annotations

import ast
import errno
import itertools
import os
import pathlib
import re

import pytest
import yaml

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import preflight_wish

ROOT = pathlib.Path(__file__).parents[3]
SITE = ROOT / "docs" / "docsite"
GUIDES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((SITE / "rst").glob("*.rst"))}
TROUBLES = GUIDES["troubleshooting_guide"]

# What a quoted message has in place of something of the reader's host.
PLACEHOLDERS = (
    ("ADDRESS", "BRIDGE", "CHAIN", "CHANGE", "CLOUD", "DEVICE", "DEVICES", "FAMILY", "FEATURE", "GATEWAY", "ITEM", "KIND", "NAME")
    + ("NETWORK", "OBJECT", "OPTION", "PATH", "PIDS", "PLACES", "PROCESSES", "PROTOCOL", "PYTHON", "REASON", "RULE", "SIGNAL")
    + ("DIRECTORY", "SUBNET", "SUBNETS", "TABLE", "VALUE", "VERSION", "WAY", "WHERE")
)
PLACEHOLDER = re.compile(
    rf"\b(?:create OBJECT|{'|'.join(sorted(PLACEHOLDERS, key=len, reverse=True))})\b|\bN\b|(?<=IPv)N\b|[A-Z][\w ]+ \(E[A-Z]+\)"
)
LITERAL = re.compile(r"``(.+?)``")
FIRST_CELL = re.compile(r"^   \* - (``.*)$", re.MULTILINE)
FEWEST_MESSAGES = 60
GAP = "\0"
MOST_VARIANTS = 64


def title(text):
    return re.search(r"^(.+)\n=+$", text, re.MULTILINE).group(1)


def messages():
    """The quoted messages: what stands in the first cell of a row of a table."""
    return [message for cell in FIRST_CELL.findall(TROUBLES) for message in LITERAL.findall(cell)]


def assigned(node):
    """What plain assignments give a name, of those that give it something once only."""
    found: dict[str, list[ast.expr]] = {}
    for child in ast.walk(node):
        for target in child.targets if isinstance(child, ast.Assign) else ():
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            values = child.value.elts if isinstance(child.value, ast.Tuple) and len(names) > 1 else [child.value]
            for name, value in zip(names, values):
                if isinstance(name, ast.Name):
                    found.setdefault(name.id, []).append(value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def texts(node, names, depth=0):
    """Every text that a string can be, with GAP for what only a run knows."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float)):
        return [str(node.value)]
    if isinstance(node, ast.IfExp):
        return texts(node.body, names, depth) + texts(node.orelse, names, depth)
    if isinstance(node, ast.Name) and node.id in names and depth < 3:
        return texts(names[node.id], names, depth + 1)
    if isinstance(node, ast.FormattedValue):
        found = texts(node.value, names, depth)
        return [text.removesuffix(".0") for text in found] if node.format_spec else found
    if isinstance(node, ast.JoinedStr):
        parts = [texts(part, names, depth) for part in node.values]
        return ["".join(variant) for variant in itertools.islice(itertools.product(*parts), MOST_VARIANTS)]
    return [GAP]


def sentences():
    """All strings of the code."""
    files = [path for folder in ("become", "module_utils", "plugin_utils", "modules") for path in (ROOT / "plugins" / folder).rglob("*.py")]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    constants = {name: value for tree in trees for name, value in assigned(ast.Module(tree.body, [])).items() if name.isupper()}
    found = set()
    for tree in trees:
        for scope in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]:
            names = {**constants, **assigned(scope)}
            for node in ast.walk(scope):
                if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
                    found.update(texts(node, names))
    return found


# with what only a run knows of a script for the shell too
SENTENCES = re.sub(r"\$[a-z]+\b", GAP, "\n".join(sentence.replace("\n", " ") for sentence in sorted(sentences())))


def is_said(pieces):
    """Whether a sentence of the code has the pieces one after the other, and between them nothing but what only a run knows."""
    return re.search(rf"[{GAP} '/]*{GAP}[{GAP} '/]*".join(map(re.escape, pieces)), SENTENCES) is not None


def pieces_of(message):
    return [piece for piece in (part.strip(" '") for part in PLACEHOLDER.split(message)) if piece]


def test_the_guides_are_listed():
    sections = yaml.safe_load((SITE / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    listed = [name for section in sections for name in section["toctree"]]
    assert sorted(listed) == sorted(GUIDES)


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_is_named_in_readme(name):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    documentation = readme.partition("\n## Documentation\n")[2].partition("\n## ")[0]
    assert f'"{title(GUIDES[name])}"' in documentation
    assert f".. _ansible_collections.linuxnet.netns.docsite.{name}:" in GUIDES[name]


@pytest.mark.parametrize("message", messages())
def test_a_message_is_one_of_the_code(message):
    pieces = pieces_of(message)
    assert sum(map(len, pieces)) >= len("cannot"), "nothing is left of it to look for"
    assert is_said(pieces), f"no sentence of the code has {pieces}"


@pytest.mark.parametrize(("name", "number"), re.findall(r"``[^`]*: ([A-Z][\w ]+) \((E[A-Z]+)\)``", TROUBLES))
def test_a_reason_is_in_the_kernels_words(name, number):
    assert name == os.strerror(getattr(errno, number))


def test_a_wrong_message_would_be_found():
    assert len(messages()) >= FEWEST_MESSAGES
    for wrong in ("interface DEVICE WHERE is not up", "namespace 'NAME' is used by N processes", "interface WHERE down is"):
        assert not is_said(pieces_of(wrong))


def test_every_finding_and_every_layer_has_a_row():
    meanings = "\n".join(re.findall(r"^     - (``.*)$", TROUBLES, re.MULTILINE))
    told = set(LITERAL.findall(meanings))
    probe = (ROOT / "plugins" / "modules" / "netns_probe.py").read_text(encoding="utf-8")
    layers = set(re.findall(r"V\(([a-z_]+)\)", probe.partition("    layer:\n")[2].partition("      type: str")[0]))
    assert len(layers) > 10
    assert layers | set(preflight_wish.IDS) <= told


def test_the_files_of_the_house_are_there():
    guide = GUIDES["how_it_works_guide"]
    named = set(re.findall(r"``([a-z_*]+\.py)``", guide))
    assert len(named) > 30
    util = ROOT / "plugins" / "module_utils"
    assert [name for name in sorted(named) if not [*util.glob(name), *(util / "_engine").glob(name)]] == []
