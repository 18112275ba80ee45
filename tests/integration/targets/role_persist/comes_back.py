# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The installed engine by plain Python: what somebody or a reboot takes away comes back, and a TCP connection out works again."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import typing as t

SAVED = pathlib.Path("/var/lib/linuxnet-netns")
ENGINE = SAVED / "engine.pyz"
NAMESPACES = ("tback-a", "tback-b")
ASK = "import socket, sys; print(socket.create_connection((sys.argv[1], 7777), 2).makefile().read().strip())"
# No Ansible, and nothing but the standard library.
PYTHON = (shutil.which("python3", path="/usr/bin:/bin") or sys.executable, "-I", "-S")
SECONDS = 15


def sh(text: str) -> str:
    return subprocess.run(["sh", "-ec", text], check=True, stdout=subprocess.PIPE, text=True).stdout


def source(netns: str, server: str) -> str:
    """Which address the server outside sees; empty where there is no way."""
    command = ["ip", "netns", "exec", netns, *PYTHON, "-c", ASK, os.environ[server]]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()


def out() -> bool:
    """Whether both namespaces reach the outside, in both families."""
    servers = {"LINUXNET_OUTSIDE_SERVER": "198.51.100.2", "LINUXNET_OUTSIDE_SERVER6": "2001:db8:100::2"}
    return all(source(netns, server) == expected for netns in NAMESPACES for server, expected in servers.items())


def out_again(after: str) -> None:
    began = time.monotonic()
    while not out():
        assert time.monotonic() - began < SECONDS, f"after {after}: no way out within {SECONDS} seconds"
    print(f"after {after}: out again in {time.monotonic() - began:.1f} s")


def addresses() -> list[t.Any]:
    shown = [json.loads(sh(f"ip -json -netns {netns} address show dev eth0")) for netns in NAMESPACES]
    return [sorted(each["local"] for each in entry[0]["addr_info"] if each["scope"] == "global") for entry in shown]


def forwarding() -> dict[str, str]:
    """Who forwards; and what the guard of the network's table keeps closed."""
    return {str(path): path.read_text().strip() for path in pathlib.Path("/proc/sys/net").glob("ipv[46]/conf/*/*forwarding")}


def table() -> str:
    return sh("nft list table inet linuxnet_tback")


@contextlib.contextmanager
def watching() -> t.Iterator[subprocess.Popen[bytes]]:
    watch = subprocess.Popen([*PYTHON, str(ENGINE), "watch"])
    try:
        time.sleep(2)
        assert watch.poll() is None
        yield watch
    finally:
        watch.terminate()
        watch.wait()


def forget_everything() -> None:
    """What a reboot takes away; the uplink with what makes it work is somebody else's and stays."""
    sh("for name in $(ls /run/netns); do umount /run/netns/$name; done; umount /run/netns /run/linuxnet-netns || true")
    sh("rm -rf /run/netns/* /run/linuxnet-netns/*; ip link delete br-tback; nft flush ruleset")
    for path in pathlib.Path("/proc/sys/net").glob("ipv[46]/conf/*/*forwarding"):
        with contextlib.suppress(PermissionError):
            path.write_text("0")
    deadline = time.monotonic() + 5
    while "tback" in sh("ip link") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "tback" not in sh("ip link; ip netns list")


def main() -> None:
    assert out(), "the network is there"
    modes = [oct(path.stat().st_mode & 0o7777) for path in (SAVED, SAVED / "nat_network.tback.json", ENGINE)]
    assert modes == ["0o700", "0o600", "0o600"], modes
    had, forwards, rules = addresses(), forwarding(), table()

    sh("nft flush ruleset")
    assert not out(), "without its rules the network has no way out"
    with watching():
        out_again("a start of the watch")
        for command in ("nft flush ruleset", "nft delete table inet linuxnet_tback", "nft flush chain inet linuxnet_tback translate"):
            sh(command)
            out_again(command)
    assert forwarding() == forwards
    assert table() == rules, f"what was closed stays closed: {table()}"

    forget_everything()
    began = time.monotonic()
    subprocess.run([*PYTHON, str(ENGINE), "replay"], check=True)
    print(f"all is back in {time.monotonic() - began:.1f} s")
    assert out()
    assert (addresses(), forwarding(), table()) == (had, forwards, rules)


if __name__ == "__main__":
    main()
