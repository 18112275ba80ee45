# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""firewalld over D-Bus: which zone an interface is in while it runs. Its files are not touched.

A tenth of the time that firewall-cmd takes, and it never starts the service.
"""

from __future__ import annotations

import json

from . import nftables, programs
from .errors import KernelError
from .foreign import ZONE

_NAME = "org.fedoraproject.FirewallD1"
_PATH = "/org/fedoraproject/FirewallD1"
_LIVE = (_PATH, f"{_NAME}.zone")
_FILES = (f"{_PATH}/config", f"{_NAME}.config")


def zone_of(interface: str) -> str | None:
    """The zone that an interface was put into, empty: into none; None where no firewalld runs."""
    return _asked(_LIVE, interface)


def ours(interface: str) -> str | None:
    """The zone that an interface is in by us: for as long as firewalld runs. Who else puts one there has it in the files too."""
    return ZONE if _asked(_LIVE, interface) == ZONE and _asked(_FILES, interface) == "" else None


def bind(interface: str) -> None:
    """Put an interface, which need not be there yet, into our zone."""
    _told("addInterface", interface)


def unbind(interface: str) -> None:
    """Take it out again; a firewalld that has been started anew, or runs no longer, has forgotten it."""
    if _asked(_LIVE, interface) == ZONE:
        _told("removeInterface", interface)


def _asked(where: tuple[str, str], interface: str) -> str | None:
    ended = _call(where, "getZoneOfInterface", "s", interface)
    return str(json.loads(ended.output)["data"][0]) if ended.status == 0 else None


def _told(method: str, interface: str) -> None:
    ended = _call(_LIVE, method, "ss", ZONE, interface)
    if ended.status != 0:
        raise KernelError(f"firewalld does not let {interface} into or out of zone {ZONE}: {' '.join(ended.errors.split())}")


def _call(where: tuple[str, str], method: str, *arguments: str) -> programs.Ended:
    program = nftables.find("busctl")
    if program is None:
        return programs.Ended(1, "", "there is no busctl here")
    words = [program, "--system", "--json=short", "--auto-start=no", "call", _NAME, *where, method, *arguments]
    return programs.run(words)
