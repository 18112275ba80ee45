# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A switch for all devices beside others for single ones: each has in the end what is asked for it."""

from __future__ import annotations

import os
import subprocess
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import making, options, transaction
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import KernelError

Sandbox = t.Callable[[t.Callable[[], t.Any]], None]

CASES: dict[str, dict[str, int]] = {
    "forwarding but on one": {"net.ipv4.ip_forward": 1, "net.ipv4.conf.br0.forwarding": 0},
    "by its other name": {"net.ipv4.conf.br0.forwarding": 0, "net.ipv4.conf.all.forwarding": 1},
    "not for new devices": {"net.ipv4.ip_forward": 1, "net.ipv4.conf.default.forwarding": 0, "net.ipv4.conf.br1.forwarding": 0},
    "with redirects": {"net.ipv4.ip_forward": 1, "net.ipv4.conf.all.accept_redirects": 1},
    "IPv6 forwarding but on one": {"net.ipv6.conf.br0.forwarding": 0, "net.ipv6.conf.all.forwarding": 1},
    "a device that is to be made": {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1, "net.ipv4.conf.br7.forwarding": 0,
                                    "net.ipv6.conf.br7.forwarding": 0},
    "no IPv6 but on one": {"net.ipv6.conf.all.disable_ipv6": 1, "net.ipv6.conf.br0.disable_ipv6": 0},
    "a default that is copied": {"net.ipv4.conf.default.rp_filter": 2, "net.ipv4.conf.br0.rp_filter": 0},
}  # fmt: skip


def now(names: t.Iterable[str]) -> dict[str, int]:
    found = {}
    for name in names:
        path = "/proc/sys/" + name.replace(".", "/")
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                found[name] = int(file.read())
    return found


@pytest.mark.parametrize("case", CASES)
def test_what_is_asked_for_one_device_outlasts_what_is_asked_for_all(
    sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    asked = CASES[case]
    lists: dict[str, list[dict[str, t.Any]]] = {
        "links": [{"name": "br7", "kind": "bridge"}] if any("br7" in name for name in asked) else [],
        "sysctls": [{"sysctls": asked}],
    }

    def execute(check_mode: bool = False) -> t.Any:
        return transaction.execute(options.read(lists, "present", True), check_mode=check_mode)

    def inside() -> None:
        standing = "ip link add br0 type bridge; ip link add br1 type bridge; sysctl -q net.ipv4.conf.default.rp_filter=0"
        subprocess.run(["sh", "-ec", standing], check=True)
        before = now(asked)
        with monkeypatch.context() as patched:
            patched.setattr(making, "verified", refuse)
            with pytest.raises(KernelError) as caught:
                execute()
        assert caught.value.rolled_back
        assert now(asked) == before
        announced = execute(check_mode=True)
        done = execute()
        assert done.changes == announced.changes
        assert now(asked) == asked
        assert execute().changes == []

    sandboxed(inside)


def refuse(*_arguments: object) -> t.NoReturn:
    raise KernelError("made to fail")
