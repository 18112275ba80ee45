# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian packages for peers.py, unpacked into a folder and not installed: `python peers_packages.py FOLDER`.

Run before the sandbox, which has no way out. A package that cannot be had is told and left out; peers.py counts it.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

CNI, NETAVARK, MININET = "cni", "netavark", "mininet"
_IPTABLES = ("iptables", "libip4tc2", "libip6tc2", "libxtables12", "libnftnl11", "libmnl0", "libnetfilter-conntrack3", "libnfnetlink0")
PACKAGES = {
    CNI: ("containernetworking-plugins",),
    NETAVARK: ("netavark", *_IPTABLES),
    MININET: ("mininet", "bridge-utils", "net-tools"),
}


def fetch(name: str, folder: pathlib.Path) -> None:
    """Complete or not at all: what is there already is not fetched again."""
    place = folder / name
    if place.is_dir():
        return
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=folder) as scratch:
        root = pathlib.Path(scratch, "root")
        root.mkdir()
        _run(["apt-get", "-q", "download", *PACKAGES[name]], scratch)
        for archive in sorted(pathlib.Path(scratch).glob("*.deb")):
            _run(["dpkg-deb", "-x", str(archive), str(root)], scratch)
        if name == NETAVARK:
            _link_iptables(root)
        os.rename(root, place)


def _link_iptables(root: pathlib.Path) -> None:
    """What the alternatives of an installed package do."""
    (root / "bin").mkdir(exist_ok=True)
    for tool in ("iptables", "ip6tables"):
        (root / "bin" / tool).symlink_to(f"../usr/sbin/{tool}-nft")


def _run(command: list[str], folder: str) -> None:
    if not shutil.which(command[0]):
        raise OSError(f"there is no {command[0]} here")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command[:3])}: {' '.join(done.stderr.split())[-200:]}")


def main(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in PACKAGES:
        try:
            fetch(name, folder)
        except OSError as error:
            print(f"peers_packages.py: no package for {name}: {error}", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("peers_packages.py: name one folder, for example build/peers")
    main(pathlib.Path(sys.argv[1]).resolve())
