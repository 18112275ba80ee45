# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boot a systemd that is not the machine's: systemd-nspawn, with its own cgroup and nobody to register with.

Tests of the collection that need whole hosts start them by this too.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import time

import kernel

# What systemd-nspawn ends with when its system wants to be started again; with --keep-unit it leaves that to its caller.
REBOOT = 133
_CGROUPS = "/sys/fs/cgroup"
_OPTIONS = (
    *("--quiet", "--register=no", "--keep-unit", "--resolv-conf=off", "--timezone=off"),
    # What a firewall, a service with BPF filters and dockerd need beyond nspawn's own defaults; overlayfs cannot stand on an
    # overlay, so Docker's folder is a tmpfs.
    *("--capability=all", "--system-call-filter=@keyring", "--system-call-filter=bpf", "--tmpfs=/var/lib/docker:mode=711"),
)
# Version 2 of the cgroups inside, whatever the machine has; and the sysctls of a network that is the host's own can be written to, also
# where nspawn did not make it.
_VARIABLES = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1", "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"}


def cgroup(name: str) -> str:
    """Of a host; another network namespace of the machine (a sandbox) may have a host of this name too."""
    return f"linuxnet-{name}-{os.stat('/proc/self/ns/net').st_ino}"


def enter(own_cgroup: str) -> None:
    """Prepare this process, which is alone in its mount and PID namespaces and has /proc and /sys of its own network.

    nspawn would otherwise share what it makes below the caller's cgroup with its neighbours. So the process sees version 2 of the
    cgroups at the usual place, whatever the machine does, and itself at their root. With a /sys that it cannot write to, nspawn does
    not wait for udev to know an interface that it is given. And its second start fails if /run/systemd is on a disk.
    """
    kernel.mount(None, "/sys", None, kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY)
    kernel.mount("none", _CGROUPS, "cgroup2")
    place = pathlib.Path(_CGROUPS, own_cgroup)
    place.mkdir(exist_ok=True)
    (place / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
    kernel.unshare(kernel.CLONE_NEWCGROUP)
    kernel.unmount(_CGROUPS)
    kernel.mount("none", _CGROUPS, "cgroup2")
    os.makedirs("/run/systemd", exist_ok=True)
    kernel.mount("tmpfs", "/run/systemd", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755")


def command(root: str, name: str, *options: str) -> list[str]:
    return ["systemd-nspawn", *_OPTIONS, f"--directory={root}", f"--machine={name}", *options, "--boot"]


def environment() -> dict[str, str]:
    return {**os.environ, **_VARIABLES}


def leave(own_cgroup: str) -> None:
    """Remove the cgroup of a host that has ended."""
    script = f"mount -t cgroup2 none {_CGROUPS}; cd {_CGROUPS}; test ! -e $1 || find $1 -depth -type d -exec rmdir {{}} +"
    for _attempt in range(50):  # its last processes may still be dying
        done = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", own_cgroup], capture_output=True, check=False)
        if done.returncode == 0:
            return
        time.sleep(0.1)
