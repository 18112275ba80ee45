# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The project of this folder by ansible-runner, and what the collection asks of an execution environment, by ansible-builder.

    python tools/sandbox.py --outside exec -- python tests/runner/run.py

Ends with one sentence if something is not as it should be.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import typing as t

import ansible_runner

HERE = pathlib.Path(__file__).resolve().parent
BUILD = "Present | Build the network"


def insist(fact: t.Any, sentence: str) -> None:
    if not fact:
        sys.exit(f"FAILED: {sentence}")


def run(folder: pathlib.Path, **extravars: t.Any) -> t.Any:
    return ansible_runner.run(private_data_dir=str(folder), playbook="site.yml", extravars=extravars)


def results(done: t.Any, task: str) -> list[dict[str, t.Any]]:
    """What the tasks of this name returned."""
    found = [event.get("event_data", {}) for event in done.events]
    return [data["res"] for data in found if data.get("task") == task and "res" in data]


def namespaces() -> list[str]:
    listing = subprocess.run(["ip", "-json", "netns", "list"], check=True, capture_output=True, text=True).stdout
    return sorted(item["name"] for item in json.loads(listing or "[]"))


def check_runs(folder: pathlib.Path) -> None:
    done = run(folder)
    insist(done.status == "successful" and done.rc == 0, f"the project ended as {done.status}: {done.stdout.read()[-2000:]}")
    (built,) = results(done, BUILD)
    insist(built["changed"] and built["changes"], "the first run did not tell what it changed")
    insist(namespaces() == ["db", "web"], f"there are other namespaces than asked for: {namespaces()}")
    insist(done.stats["changed"] == {"router": 1}, f"the statistics tell of other changes: {done.stats['changed']}")
    told = results(done, "A line about each host")
    insist("nat_network.shop stands" in str(told), f"the summary does not tell of the network: {told}")
    done = run(folder)
    insist(done.rc == 0 and not results(done, BUILD)[0]["changed"], "the second run changed something")
    done = run(folder, nat_network_verify=[{"tcp": "203.0.113.10:4444", "retries": 0}], nat_network_namespaces=["new"])
    insist(done.status == "failed" and results(done, BUILD)[0]["rolled_back"], "a check that fails did not fail the run")
    insist(namespaces() == ["db", "web"], f"it was not rolled back: {namespaces()}")
    done = run(folder, nat_network_state="absent")
    insist(done.rc == 0 and namespaces() == [], f"something is left: {namespaces()}")


def check_execution_environment(folder: pathlib.Path) -> None:
    command = ["ansible-builder", "introspect", os.environ["ANSIBLE_COLLECTIONS_PATH"].split(":")[0]]
    pip, bindep = folder / "pip.txt", folder / "bindep.txt"
    subprocess.run([*command, "--write-pip", str(pip), "--write-bindep", str(bindep)], check=True)
    for path in (pip, bindep):
        wanted = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()] if path.exists() else []
        insist(not wanted, f"an execution environment would be given what no controller needs: {wanted}")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="linuxnet-runner-") as name:
        folder = pathlib.Path(name)
        for part in ("env", "inventory", "project"):
            shutil.copytree(HERE / part, folder / part)
        check_runs(folder)
        check_execution_environment(folder)
    print("runner: all of it holds")


if __name__ == "__main__":
    main()
