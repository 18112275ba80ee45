# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The root tree of a Debian with systemd and everybody's firewalls: `python tests/hosts/root_trees.py 12` prints its path.

Made by mmdebstrap from where this machine's apt gets its own packages, once: a tree stands in the cache until the list of packages
changes. Outside of the sandbox, which has no way to the packages. No service of those that a test starts itself starts with the
system.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

RELEASES = {"12": "bookworm", "13": "trixie"}
PACKAGES = (
    *("systemd", "systemd-sysv", "systemd-resolved", "dbus", "udev", "kmod", "procps", "python3", "ca-certificates", "openssh-server"),
    *("iproute2", "iputils-ping", "nftables", "iptables", "conntrack", "radvd", "busybox-static"),
    *("docker.io", "firewalld", "ufw"),
)
# What waits until a test starts or enables it.
SERVICES = ("docker.service", "docker.socket", "containerd.service", "firewalld.service", "ufw.service", "nftables.service")
OTHERS = ("radvd.service", "systemd-resolved.service", "ssh.service", "apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer")
_TOOLS = {"mmdebstrap": "mmdebstrap", "systemd-nspawn": "systemd-container", "ssh": "openssh-client"}


class NoTreeError(Exception):
    """One sentence on why there is no tree: the reason with which tests are skipped."""


def cached(release: str) -> pathlib.Path:
    """Where the tree of a release is or will be; all checkouts of a user share it."""
    base = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    wish = " ".join((*PACKAGES, *SERVICES, *OTHERS))
    return base / "linuxnet.netns" / "root-trees" / f"debian-{release}-{hashlib.sha256(wish.encode()).hexdigest()[:8]}"


def get(release: str) -> pathlib.Path:
    """The tree, made if it is not there; NoTreeError where it cannot be had."""
    if os.geteuid() != 0:
        raise NoTreeError("only root can start hosts with systemd")
    _need_tools()
    tree = cached(release)
    tree.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{tree}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.is_dir():
            _make(release, tree)
    return tree


def _need_tools() -> None:
    """As the bootstrap does: what is missing is installed, where there is Debian's way to do so."""
    missing = sorted({package for program, package in _TOOLS.items() if not shutil.which(program)})
    if missing:
        if not shutil.which("apt-get"):
            raise NoTreeError(f"there is no {' and no '.join(missing)} here")
        _run("apt-get", "-qq", "update")
        _run("apt-get", "-qq", "install", "-y", "--no-install-recommends", *missing)


def _mirror() -> str:
    """The archive that apt is set up with here: any of Debian's has all its releases."""
    told = _run("apt-get", "indextargets", "--format", "$(SITE) $(CODENAME)", "Created-By: Packages", "Origin: Debian", "Component: main")
    sites = [line.split()[0] for line in told.splitlines() if "-" not in line.split()[-1]]
    if not sites:
        raise NoTreeError("apt here knows no archive of Debian")
    return sites[0]


def _make(release: str, tree: pathlib.Path) -> None:
    """Complete or not at all."""
    with tempfile.TemporaryDirectory(prefix=f"{tree.name}-", dir=tree.parent) as scratch:
        place = pathlib.Path(scratch, "root")
        # services are enabled by their packages, and none of them may start with the system
        hooks = [f"--customize-hook=chroot $1 systemctl disable {name} || true" for name in (*SERVICES, *OTHERS)]
        hooks.append("--customize-hook=rm -f $1/etc/resolv.conf && : >$1/etc/resolv.conf && : >$1/etc/machine-id")
        _run("mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", *hooks, RELEASES[release], str(place), _mirror())
        place.rename(tree)


def _run(*command: str) -> str:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoTreeError(f"{' '.join(command[:2])} failed: {' '.join(done.stderr.split())[-300:]}")
    return done.stdout


if __name__ == "__main__":
    try:
        print(get(sys.argv[1]))
    except NoTreeError as error:
        # on standard output too: it is what the tests are skipped with
        print(f"skipped: {error}")
