# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What will hurt a network that is going to be built, found before anything is changed."""

from __future__ import annotations

import typing as t

from . import nat_host, preflight_files, preflight_firewall, preflight_host, preflight_kernel, preflight_managers
from .host import Host
from .preflight_files import DropIns
from .preflight_wish import LEVELS, Finding, Wish
from .probe_facts import Facts
from .values import HOST


def look(wish: Wish, drop_ins: DropIns, root: str = "/") -> list[Finding]:
    """Everything that is not ignored, the worst first. ``root`` is where /etc, /proc, /run, /sys and /usr are looked for."""
    found: list[Finding] = []
    with Host() as host, Facts(host) as facts:
        uplink = wish.uplink or _default_device(host)
        found += preflight_host.subnets(wish, facts)
        found += preflight_host.uplink(wish, facts, uplink, root)
        found += preflight_host.reverse_path(wish, facts, uplink)
        found += preflight_firewall.forward_chains(wish, facts, uplink)
        found += preflight_kernel.features(wish, root)
        found += preflight_managers.touching(wish, uplink, preflight_files.Tree(root, drop_ins))
    told = [finding for finding in found if finding.id not in wish.ignore]
    return sorted(told, key=lambda finding: LEVELS.index(finding.level))


def _default_device(host: Host) -> str:
    view = nat_host.View(host)
    return view.default_device(HOST, "ipv4") or view.default_device(HOST, "ipv6") or ""


def plain(findings: t.Iterable[Finding]) -> list[dict[str, str]]:
    """Findings as a module returns them."""
    return [finding._asdict() for finding in findings]
