# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine knows nothing of Ansible, and its imports point one way."""

from __future__ import annotations

import ast
import pathlib

import pytest

ENGINE = pathlib.Path(__file__).parents[3] / "plugins" / "module_utils" / "_engine"
PACKAGE = "ansible_collections.linuxnet.netns.plugins.module_utils._engine"

# From the one that uses all to those that all may use. A file may import from its own line and from those below.
# A room of the architecture stands with the files that it was split into; one whose name begins with a room's name
# and "_", as plan_order, stands with that room.
LAYERS = (
    ("command_line", "watch", "replay"),
    ("transaction", "making", "recovery", "journal", "registry", "saved", "running", "waiting", "apply", "report", "info", "snapshot"),
    ("ownership", "homes", "remembered", "codec", "plan", "changes", "compare", "takeover")
    + ("options", "link_options", "namespace_options", "sysctl_options")
    + ("ip_options", "address_options", "route_options", "rule_options")
    + ("observe", "state", "host", "nat_host", "preflight", "probe", "probe_chains", "probe_options", "probe_wire")
    + ("foreign", "foreign_host", "foreign_firewalld"),
    ("rtnetlink", "ip_numbers", "ip_messages", "route_messages", "rule_messages", "link_messages", "link_requests")
    + ("kinds", "kind_options", "bridge")
    + ("namespaces", "syscalls", "processes", "resolver")
    + ("nftables", "nat", "conntrack", "files", "programs")
    + ("store", "stopping"),
    ("resources",),
    ("record",),
    ("values", "errors"),
)
PURE = (
    "ownership",
    "homes",
    "codec",
    "plan",
    "changes",
    "compare",
    "takeover",
    "state",
    "report",
    "kind_options",
    "resources",
    "record",
) + (
    "probe_chains",
    "probe_options",
    "probe_wire",
    "foreign",
)
# What a pure room has no business with: the kernel, other processes, the clock.
IMPURE_MODULES = {"ctypes", "fcntl", "os", "pyroute2", "select", "signal", "socket", "subprocess", "time"}
IMPURE_ROOMS = {room for layer in LAYERS[:4] for room in layer} - {*PURE}

FILES = sorted(path for path in ENGINE.rglob("*.py") if path.name != "__init__.py")


def room_of(name: str) -> str:
    """The room that a file of the engine belongs to."""
    bare = name.lstrip("_")
    rooms = [room for layer in LAYERS for room in layer if bare == room or bare.startswith(room + "_")]
    return max(rooms, key=len, default=bare)


def layer_of(name: str) -> int:
    room = room_of(name)
    numbers = [number for number, layer in enumerate(LAYERS) if room in layer]
    if not numbers:
        raise LookupError(f"{name}.py has no place yet: say in LAYERS which room it belongs to")
    return numbers[0]


class Imports(ast.NodeVisitor):
    """Each import as ("engine", file) or ("outside", module); those for annotations only apart from those that are run."""

    def __init__(self) -> None:
        self.run: list[tuple[str, str]] = []
        self.annotations: list[tuple[str, str]] = []
        self._target = self.run

    def visit_If(self, node: ast.If) -> None:
        before = self._target
        if ast.unparse(node.test).endswith("TYPE_CHECKING"):
            self._target = self.annotations
        for child in node.body:
            self.visit(child)
        self._target = before
        for child in node.orelse:
            self.visit(child)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            inside = alias.name.startswith(PACKAGE + ".")
            self._target.append(("engine", alias.name[len(PACKAGE) + 1 :]) if inside else ("outside", alias.name))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._target += _from_import(node)


def _from_import(node: ast.ImportFrom) -> list[tuple[str, str]]:
    module = node.module or ""
    if node.level > 1:
        return [("outside", "." * node.level + module)]
    if node.level == 1:
        return [("engine", module)] if module else [("engine", alias.name) for alias in node.names]
    if module == PACKAGE:
        return [("engine", alias.name) for alias in node.names]
    if module.startswith(PACKAGE + "."):
        return [("engine", module[len(PACKAGE) + 1 :])]
    return [("outside", module)]


def violations(path: pathlib.Path) -> list[str]:
    imports = Imports()
    imports.visit(ast.parse(path.read_text(encoding="utf-8")))
    found = []
    for place, name in imports.run + imports.annotations:
        if place == "outside" and name.startswith(("ansible", "..")):
            found.append(f"{path.name} imports {name}: the engine can be used without Ansible")
        if place == "engine" and layer_of(name.split(".")[0]) < layer_of(path.stem):
            found.append(f"{path.name} imports {name}: imports point from transaction to resources, not back")
    if room_of(path.stem) in PURE:
        found += [f"{path.name} imports {name}: this room is pure" for place, name in imports.run if _impure(place, name)]
    return found


def _impure(place: str, name: str) -> bool:
    if place == "engine":
        return room_of(name.split(".")[0]) in IMPURE_ROOMS
    return name.split(".")[0] in IMPURE_MODULES and name != "os.path"


def test_there_is_an_engine() -> None:
    assert {"resources"} <= {room_of(path.stem) for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_imports(path: pathlib.Path) -> None:
    assert violations(path) == []


@pytest.mark.parametrize(
    ("name", "source", "complaint"),
    [
        ("observe", "from ansible.module_utils.basic import AnsibleModule", "without Ansible"),
        ("observe", "def f():\n    import ansible", "without Ansible"),
        ("observe", "from .._module import run", "without Ansible"),
        ("observe", "from ansible_collections.linuxnet.netns.plugins.module_utils import _module", "without Ansible"),
        ("rtnetlink", "from .observe import read", "not back"),
        ("rtnetlink", "from . import transaction", "not back"),
        ("resources", f"from {PACKAGE}.plan import Change", "not back"),
        ("errors", "from .resources import Link", "not back"),
        ("plan", "import socket", "pure"),
        ("plan_order", "from .rtnetlink import Socket", "pure"),
        ("resources", "import os", "pure"),
        ("plan", "def f():\n    from . import kinds", "pure"),
    ],
)
def test_a_violation_is_found(tmp_path: pathlib.Path, name: str, source: str, complaint: str) -> None:
    path = tmp_path / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    assert any(complaint in sentence for sentence in violations(path))


def test_a_file_without_a_place_is_named(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "plan.py"
    path.write_text("from . import attic", encoding="utf-8")
    with pytest.raises(LookupError, match="attic"):
        violations(path)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("transaction", "from .plan import Change\nfrom .rtnetlink import Socket\nimport fcntl"),
        ("plan", "from .resources import Link\nfrom . import resources\nimport ipaddress"),
        ("plan", "import typing as t\nif t.TYPE_CHECKING:\n    from .observe import Observed"),
        ("rtnetlink", "import socket\nfrom .rtnetlink_codec import pack\nfrom .errors import KernelError"),
    ],
)
def test_what_is_allowed_is_not_found(tmp_path: pathlib.Path, name: str, source: str) -> None:
    path = tmp_path / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    assert violations(path) == []
