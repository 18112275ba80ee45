# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens on whole hosts: systemd, and the firewalls of others as the services that they are.

    nox -s hosts-12                                          # on Debian 12, all of it
    nox -s hosts-13 -- tests/hosts/test_host.py -k reboot    # on Debian 13, some of it

The same by hand, where ansible-core and pytest are:

    tree=$(python3 tests/hosts/root_trees.py 12)
    python3 tools/sandbox.py exec -- python3 -m pytest tests/hosts --tree "$tree"
"""

from __future__ import annotations

import os
import pathlib
import sys
import typing as t

import pytest

_HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(_HERE))  # systemd_host, root_trees
# where Ansible finds the collection: the tree that it stands in, .../ansible_collections/linuxnet/netns
_COLLECTIONS = [str(above.parent) for above in pathlib.Path(os.path.abspath(__file__)).parents if above.name == "ansible_collections"]
os.environ.setdefault("ANSIBLE_COLLECTIONS_PATH", os.pathsep.join(_COLLECTIONS))

import systemd_host


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tree", default="skipped: no --tree was given", help="what root_trees.py has printed: a path, or why there is none")


@pytest.fixture(scope="session")
def tree(pytestconfig: pytest.Config) -> pathlib.Path:
    """The root tree of the hosts."""
    told = str(pytestconfig.getoption("--tree"))
    if told.startswith("skipped: "):
        pytest.skip(told[len("skipped: ") :])
    return pathlib.Path(told)


@pytest.fixture
def host(tree: pathlib.Path) -> t.Iterator[systemd_host.Host]:
    """A host for one test."""
    with systemd_host.up(tree, "h1") as one:
        yield one
