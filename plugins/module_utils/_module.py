# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The Ansible side of the engine: what a module needs before it starts, and what it tells when it ends."""

from __future__ import annotations

import os
import sys
import typing as t

# first, since it is about the imports that follow
from ansible_collections.linuxnet.netns.plugins.module_utils import _compile_once  # noqa: F401  # pylint: disable=unused-import
from ansible_collections.linuxnet.netns.plugins.module_utils._engine import options, programs, transaction
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import MissingLibrary, NetnsError, ProbeError

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from ansible_collections.linuxnet.netns.plugins.module_utils._engine.saved import Lists
    from ansible_collections.linuxnet.netns.plugins.module_utils._engine.transaction import Report

# Where a distribution's own packages are; the interpreter that Ansible chose may be another one.
_SYSTEM_PYTHONS = ("/usr/bin/python3", "/usr/libexec/platform-python")


# From -vvv on Ansible shows what a module was called with.
_SHOWS_ARGUMENTS = 3


def item(module: AnsibleModule, spec: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The module's own options as the one item of a list of ``netns_topology``."""
    return {name: module.params[name] for name in spec}


def terms(params: t.Mapping[str, t.Any], lists: Lists) -> transaction.Terms:
    """How a topology's run is made. Raises InputError."""
    from ansible_collections.linuxnet.netns.plugins.module_utils._engine import saved, values

    checks: tuple[t.Any, ...] = ()
    if params["verify"]:
        from ansible_collections.linuxnet.netns.plugins.module_utils._engine import probe_options

        checks = probe_options.read(params["verify"], "verify")
    name = values.topology_name(params["name"])
    keeps = params["persist"] and params["state"] == "present"
    return transaction.Terms(name, params["purge"], checks, params["on_failure"], saved.text(name, lists) if keeps else "")


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
    told: dict[str, t.Any] = {"changes": list(error.changes), **_recovered(error.recovered)}
    if isinstance(error, ProbeError):
        told["results"] = list(error.results)
    if not error.changes:
        if isinstance(error, MissingLibrary):
            _respawn_with_pyroute2()
        module.fail_json(msg=str(error), **told)
    module.fail_json(msg=str(error), changed=not error.rolled_back, rolled_back=error.rolled_back, **told)


def _recovered(changes: t.Sequence[dict[str, t.Any]]) -> dict[str, t.Any]:
    """Told only where a killed run had left something."""
    return {"recovered": list(changes)} if changes else {}


def _runner(module: AnsibleModule) -> programs.Runner:
    """How the engine's programs are run: as Ansible runs them."""

    def start(words: t.Sequence[str], text: str, environment: t.Mapping[str, str]) -> programs.Ended:
        return programs.Ended(*module.run_command(list(words), data=text, environ_update=dict(environment)))

    return start


def prepare(module: AnsibleModule) -> None:
    """What comes before the engine is asked for anything."""
    require_root(module)
    programs.use(_runner(module))


def run(
    module: AnsibleModule,
    lists: dict[str, list[dict[str, t.Any]]],
    result: t.Callable[[Report], dict[str, t.Any]] | None = None,
    agreed: t.Callable[[], transaction.Terms] | None = None,
) -> None:
    """Bring the host to what the lists say and end the module.

    ``result`` adds the module's own return values; ``agreed`` are the terms of a topology, whose messages name the list and the item.
    """
    prepare(module)
    try:
        how = agreed() if agreed else None
        wanted = options.read(lists, module.params.get("state", "present"), topology=agreed is not None)
        report = transaction.execute(wanted, check_mode=module.check_mode, terms=how)
    except NetnsError as error:
        fail(module, error)
        return
    for warning in report.warnings:
        module.warn(warning)
    changed = report.changed or bool(report.recovered)
    told: dict[str, t.Any] = {"changed": changed, "changes": report.changes, **_recovered(report.recovered)}
    if report.results:
        told["results"] = report.results
    if module._diff:
        told["diff"] = report.diff()
    if result is not None:
        told.update(result(report))
    if agreed is not None and module._verbosity < _SHOWS_ARGUMENTS:
        # Ansible would send a thousand namespaces back to where they came from
        told["invocation"] = {"module_args": {name: value for name, value in module.params.items() if name not in lists}}
    module.exit_json(**told)
