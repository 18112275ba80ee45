# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sshd to run: the machine's own, or Debian's package unpacked into a folder and not installed.

Outside of the sandbox, which has no way to Debian's packages.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import tempfile

# libwrap0 is what the package needs beyond what a Debian has anyway.
_PACKAGES = ("openssh-server", "libwrap0")
_ADVICE = "install openssh-server, its service need not run"


class SshdError(Exception):
    """One sentence for the user."""


def installed() -> pathlib.Path | None:
    """sbin is not on everybody's PATH."""
    found = shutil.which("sshd", path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"]))
    return pathlib.Path(found) if found else None


def unpacked(folder: pathlib.Path) -> pathlib.Path:
    return folder.resolve() / "usr" / "sbin" / "sshd"


def environment(sshd: pathlib.Path) -> dict[str, str]:
    """For what is to find it on PATH; an unpacked sshd finds the libraries that were unpacked with it."""
    libraries = [str(path) for path in (*sshd.parents[2].glob("usr/lib/*-linux-*"), *sshd.parents[2].glob("lib/*-linux-*"))]
    own = {} if str(sshd.parents[2]) == "/" else {"LD_LIBRARY_PATH": os.pathsep.join(libraries)}
    return {"PATH": os.pathsep.join([str(sshd.parent), os.environ.get("PATH", os.defpath)]), **own}


def get(folder: pathlib.Path) -> pathlib.Path:
    """The machine's sshd, the one in the folder, or else a new one in the folder."""
    sshd = installed() or unpacked(folder)
    if sshd.exists():
        return sshd
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise SshdError(f"there is no sshd here: {_ADVICE}")
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sshd-", dir=folder.parent) as temporary:
        place = pathlib.Path(temporary)
        _run(place, "apt-get", "-q", "download", *_PACKAGES)
        for package in place.glob("*.deb"):
            _run(place, "dpkg-deb", "--extract", str(package), str(place / "root"))
        _check(unpacked(place / "root"))
        shutil.rmtree(folder, ignore_errors=True)
        (place / "root").rename(folder)
    return unpacked(folder)


def _check(sshd: pathlib.Path) -> None:
    missing = [line.split()[0] for line in _run(sshd.parent, "ldd", str(sshd)).splitlines() if "not found" in line]
    if missing:
        raise SshdError(f"the sshd of Debian's package lacks {', '.join(missing)} here: {_ADVICE}")
    # From OpenSSH 9.8 on sshd starts this one by its absolute path.
    if (sshd.parents[1] / "lib" / "openssh" / "sshd-session").exists():
        raise SshdError(f"this sshd does not run from where it was unpacked: {_ADVICE}")


def _run(place: pathlib.Path, *command: str) -> str:
    """In the folder of a sshd with what that needs."""
    sshd = place / "sshd"
    own = {**os.environ, **environment(sshd)} if sshd.exists() else None
    done = subprocess.run(command, cwd=place, env=own, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SshdError(f"{' '.join(command[:3])}: {' '.join(done.stderr.split())[-300:]}: {_ADVICE}")
    return done.stdout
