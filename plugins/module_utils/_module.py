# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The Ansible side of the engine: what a module needs before it starts, and what it tells when it ends."""

from __future__ import annotations

import os
import sys
import typing as t

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import options, programs, transaction
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import MissingLibrary, NetnsError

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ansible_collections.linuxnet.netns.plugins.module_utils._engine.transaction import Report

# Where a distribution's own packages are; the interpreter that Ansible chose may be another one.
_SYSTEM_PYTHONS = ("/usr/bin/python3", "/usr/libexec/platform-python")


def item(module: AnsibleModule, spec: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The module's own options as the one item of a list of ``netns_topology``."""
    return {name: module.params[name] for name in spec}


def require_root(module: AnsibleModule) -> None:
    """Root in a user namespace is root enough; whether the kernel agrees is told by each request."""
    if os.geteuid() != 0:
        module.fail_json(msg=f"linuxnet.netns.{module._name.rpartition('.')[2]} must run as root: add 'become: true' to the task")


def _respawn_with_pyroute2() -> None:
    """Start the module again under an interpreter that has pyroute2; returns where there is none, or this is one already."""
    from ansible.module_utils.common import respawn

    if respawn.has_respawned():
        return
    others = [python for python in _SYSTEM_PYTHONS if python != sys.executable]
    python = respawn.probe_interpreters_for_module(others, "pyroute2")
    if python:
        respawn.respawn_module(python)


def fail(module: AnsibleModule, error: NetnsError) -> None:
    """End the module with the sentence; ``rolled_back`` is told only where there was something to undo."""
    changes = getattr(error, "changes", [])
    if not changes:
        if isinstance(error, MissingLibrary):
            _respawn_with_pyroute2()
        module.fail_json(msg=str(error), changes=[])
    rolled_back = bool(getattr(error, "rolled_back", False))
    module.fail_json(msg=str(error), changed=not rolled_back, changes=changes, rolled_back=rolled_back)


def _runner(module: AnsibleModule) -> programs.Runner:
    """How the engine's programs are run: as Ansible runs them."""

    def start(words: t.Sequence[str], text: str, environment: t.Mapping[str, str]) -> programs.Ended:
        return programs.Ended(*module.run_command(list(words), data=text, environ_update=dict(environment)))

    return start


def run(
    module: AnsibleModule,
    lists: dict[str, list[dict[str, t.Any]]],
    result: t.Callable[[Report], dict[str, t.Any]] | None = None,
    topology: bool = False,
) -> None:
    """Bring the host to what the lists say and end the module.

    ``result`` adds the module's own return values; ``topology``: messages name the list and the item.
    """
    require_root(module)
    programs.use(_runner(module))
    try:
        wanted = options.read(lists, module.params.get("state", "present"), topology)
        report = transaction.execute(wanted, check_mode=module.check_mode)
    except NetnsError as error:
        fail(module, error)
        return
    for warning in report.warnings:
        module.warn(warning)
    told: dict[str, t.Any] = {"changed": report.changed, "changes": report.changes}
    if module._diff:
        told["diff"] = {"before": report.before, "after": report.after}
    if result is not None:
        told.update(result(report))
    module.exit_json(**told)
