# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules packed as Ansible packs them: one file that holds the module, all it imports and its arguments.

`ansible.executor.module_common.modify_module` makes the very file that Ansible copies to a target and starts there with
the target's Python; its arguments are in it. Only the copying is left out.

Packing is a process of its own (`python packed.py ORDERS FOLDER`): the process that measures must stay small, because
the kernel counts its memory into that of what it starts.
"""

from __future__ import annotations

import json
import pathlib
import random
import string
import subprocess
import sys
import tempfile
import typing as t

EMPTY = "empty"
_EMPTY_MODULE = """\
#!/usr/bin/python
from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule


def main():
    AnsibleModule(argument_spec={"name": {"type": "list"}}, supports_check_mode=True).exit_json(changed=False)


if __name__ == "__main__":
    main()
"""


def pack(orders: t.Mapping[str, tuple[str, dict[str, t.Any]]], folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """Orders are (module, arguments) by label. An order for the module EMPTY: one without a util, as big as the others' biggest."""
    folder.mkdir(parents=True, exist_ok=True)
    listing = folder / "orders.json"
    listing.write_text(json.dumps(orders), encoding="utf-8")
    subprocess.run([sys.executable, __file__, str(listing), str(folder)], check=True)
    return {label: folder / f"{label}.py" for label in orders}


def _packed(name: str, path: str, arguments: t.Mapping[str, t.Any]) -> bytes:
    from ansible.executor.module_common import modify_module
    from ansible.parsing.dataloader import DataLoader
    from ansible.release import __version__
    from ansible.template import Templar

    own = {"module_name": name, "version": __version__, "check_mode": False, "diff": False, "no_log": False, "verbosity": 0}
    own.update(keep_remote_files=False, remote_tmp=tempfile.gettempdir(), tmpdir=None)
    built = modify_module(
        module_name=name,
        module_path=path,
        module_args={**arguments, **{f"_ansible_{key}": value for key, value in own.items()}},
        templar=Templar(DataLoader()),
        task_vars={"ansible_python_interpreter": sys.executable},
        module_compression="ZIP_DEFLATED",
    )
    return built.b_module_data if hasattr(built, "b_module_data") else built[0]


def _packed_empty(size: int, folder: pathlib.Path) -> bytes:
    source = folder / "empty_source.py"
    source.write_text(_EMPTY_MODULE, encoding="utf-8")
    bare = len(_packed(EMPTY, str(source), {}))
    # text at random: what compresses well would not fill the file
    letters = random.Random(0).choices(string.ascii_letters + string.digits + "+-", k=max(0, size - bare))
    lines = ["# " + "".join(letters[start : start + 100]) for start in range(0, len(letters), 100)]
    source.write_text(_EMPTY_MODULE + "\n".join(lines) + "\n", encoding="utf-8")
    # by another name: Ansible packs what it has packed under a name only once
    return _packed(f"{EMPTY}_padded", str(source), {})


def _main(listing: str, folder: pathlib.Path) -> None:
    from ansible.plugins.loader import init_plugin_loader, module_loader

    init_plugin_loader()
    orders = json.loads(pathlib.Path(listing).read_text(encoding="utf-8"))
    biggest = 0
    for label, (name, arguments) in orders.items():
        if name == EMPTY:
            continue
        path = module_loader.find_plugin_with_context(name).plugin_resolved_path
        if not path:
            raise SystemExit(f"module {name} is not found: set ANSIBLE_COLLECTIONS_PATH to where the collection is")
        data = _packed(name, path, arguments)
        biggest = max(biggest, len(data))
        (folder / f"{label}.py").write_bytes(data)
    for label, (name, _arguments) in orders.items():
        if name == EMPTY:
            (folder / f"{label}.py").write_bytes(_packed_empty(biggest, folder))


if __name__ == "__main__":
    _main(sys.argv[1], pathlib.Path(sys.argv[2]))
