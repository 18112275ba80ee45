# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture of a host taken apart, so that one can ask of some of its things whether they are as they were."""

from __future__ import annotations

import json
import typing as t

from picture import Picture

Name = tuple[str, str, str]  # namespace ("" is the host), sort, name
Pieces = dict[Name, t.Any]

# What differs on two hosts on which the same was built, in another order or with other MAC addresses.
_OF_ONE_HOST = ("address", "permaddr", "bridge_id", "root_id", "root_port")
_OF_PORTS = ("gro_", "gso_", "tso_")  # a bridge has them of its ports, and keeps them when those have gone
_OF_ONE_PORT = ("id", "no", "designated_port", "designated_bridge", "designated_root")


def pieces(seen: Picture) -> Pieces:
    """Each thing of a picture under its own name."""
    found: Pieces = {("", sort, path): entry for sort in ("etc", "names") for path, entry in seen[sort].items()}
    for netns, place in seen["places"].items():
        for device, link in place["links"].items():
            found[(netns, "link", device)] = link
        for device, addresses in place["addresses"].items():
            for address in addresses:
                found[
                    (netns, "address", f"{address.get('local')}/{address.get('prefixlen')} {address.get('address', '')} dev {device}")
                ] = address
        for sort in ("routes", "rules", "nft"):
            for item in place[sort]:
                found[(netns, sort, json.dumps(item, sort_keys=True))] = item
        for path, value in place["sysctls"].items():
            found[(netns, "sysctl", path)] = value
    return found


def touched(before: Pieces, after: Pieces) -> list[str]:
    """What was there before and is not so any more, a line each; what came new is fine."""
    return [f"{name}: was {before[name]}, is {after.get(name, 'gone')}" for name in sorted(before) if before[name] != after.get(name)]


def comparable(found: Pieces) -> Pieces:
    """Without what the kernel does in its own time (IPv6 link-local addresses, its routes), and without random MAC addresses."""
    return {name: _calm(value) for name, value in found.items() if not automatic(name, value)}


def automatic(name: Name, value: t.Any) -> bool:
    """Whether the kernel makes it by itself, with a device or an address."""
    _netns, sort, text = name
    if sort == "address":
        return text.startswith("fe80:")
    if sort == "routes":
        return value.get("protocol") == "kernel" and (":" in value["dst"] or value.get("table") == "local")
    return False


def _calm(value: t.Any) -> t.Any:
    if isinstance(value, list):
        return [_calm(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {name: _calm(inner) for name, inner in value.items() if name not in _OF_ONE_HOST and not name.startswith(_OF_PORTS)}
    kept.pop("tentative", None)
    if kept.get("qdisc") in ("noop", "noqueue"):  # that of a device that has never been up, and of one that has
        del kept["qdisc"]
    if "info_slave_data" in kept:
        kept["info_slave_data"] = {name: inner for name, inner in kept["info_slave_data"].items() if name not in _OF_ONE_PORT}
    if "flags" in kept:
        kept["flags"] = sorted(set(kept["flags"]) - {"LOWER_UP", "M-DOWN", "linkdown", "dead"})
    return kept
