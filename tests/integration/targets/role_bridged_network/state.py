# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host has on its uplink, and all of its routes, as lines that can be compared."""

from __future__ import annotations

import json
import subprocess

UPLINK = "uplink0"


def told(*words: str) -> list[dict]:
    return json.loads(subprocess.run(["ip", "-json", *words], check=True, capture_output=True, text=True).stdout or "[]")


(link,) = told("address", "show", "dev", UPLINK)
print(link["address"], link.get("master"), "UP" in link["flags"])
for address in link["addr_info"]:
    print(sorted((name, value) for name, value in address.items() if name not in ("valid_life_time", "preferred_life_time")))
lines = []
for family in ("-4", "-6"):
    for route in told(family, "route", "show", "table", "all"):
        lines.append(str(sorted((name, str(value)) for name, value in route.items())))
print("\n".join(sorted(line for line in lines if "spare" not in line)))
print(sorted(device["ifname"] for device in told("link") if not device["ifname"].startswith("spare")))
