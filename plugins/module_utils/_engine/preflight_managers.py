# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""NetworkManager, systemd-networkd and udev: whether they run here and would touch our devices."""

from __future__ import annotations

import fnmatch

from .preflight_files import MANAGERS, Section, Tree
from .preflight_host import names, text
from .preflight_wish import Finding, Wish

_KEEP_OFF = "set drop_ins to have them told to leave these devices alone"


def touching(wish: Wish, uplink: str, tree: Tree) -> list[Finding]:
    """Only a manager in the same namespace counts: another one does not see our devices."""
    found: list[Finding] = []
    devices = wish.devices()
    if devices and tree.running(MANAGERS["networkmanager"]):
        found += _network_manager(wish, uplink, devices, tree)
    if devices and tree.running(MANAGERS["networkd"]):
        found += _networkd(wish, uplink, devices, tree)
    if devices and tree.running(MANAGERS["udev"]):
        found += _udev(devices, tree)
    return found


def _network_manager(wish: Wish, uplink: str, devices: dict[str, str], tree: Tree) -> list[Finding]:
    unmanaged, no_profile = tree.network_manager()
    found = []
    # a bridge that somebody else made it leaves alone; an Ethernet device without a profile gets one, with DHCP
    touched = [] if no_profile else [name for name, kind in devices.items() if kind == "veth" and not _listed(unmanaged, name, kind)]
    if touched and not tree.covered:
        why = "it makes a profile with DHCP for each of them, and may take them out of the bridge"
        found.append(Finding("networkmanager", "warning", f"NetworkManager runs and will manage {names(touched)}", why, _KEEP_OFF))
    if wish.bridge_uplink and uplink and not _listed(unmanaged, uplink, "ethernet"):
        why = "it may give the interface its addresses and routes again beside the bridge, or take it out of the bridge"
        remedy = (
            "keep it off this interface from boot on (unmanaged-devices), or make the bridge by NetworkManager and name that bridge here"
        )
        found.append(Finding("networkmanager_uplink", "warning", f"NetworkManager manages the uplink {uplink}", why, remedy))
    return found


def _listed(specs: list[str], name: str, kind: str) -> bool:
    """NetworkManager's list of devices: any that fits, and no exception that does."""
    plain = [spec for spec in specs if not spec.startswith("except:")]
    exceptions = [spec[len("except:") :] for spec in specs if spec.startswith("except:")]
    return any(_fits(spec, name, kind) for spec in plain) and not any(_fits(spec, name, kind) for spec in exceptions)


def _fits(spec: str, name: str, kind: str) -> bool:
    key, _colon, value = spec.rpartition(":") if ":" in spec else ("interface-name", "", spec)
    if key == "interface-name":
        return name == value[1:] if value.startswith("=") else fnmatch.fnmatchcase(name, value.lstrip("~"))
    return key in ("type", "driver") and fnmatch.fnmatchcase(kind, value)


def _networkd(wish: Wish, uplink: str, devices: dict[str, str], tree: Tree) -> list[Finding]:
    found = []
    touched = {name: file for name, kind in devices.items() if (file := _network_file(tree, _properties(name, kind)))}
    if touched and not tree.covered:
        what = f"systemd-networkd runs, and {names(sorted(set(touched.values())))} applies to {names(list(touched))}"
        why = "it gives them addresses, and removes on its next start those that it did not give"
        found.append(Finding("networkd", "warning", what, why, _KEEP_OFF))
    if wish.bridge_uplink and uplink:
        own = {**_properties(uplink, ""), "macaddress": text(tree.path(f"sys/class/net/{uplink}/address"))}
        file = _network_file(tree, own)
        if file:
            what = f"systemd-networkd manages the uplink {uplink} by {file}"
            why = "on its next start it gives the interface its addresses and routes again, beside the bridge"
            remedy = "take the addresses out of that file, or make the bridge by systemd-networkd and name it as bridge here"
            found.append(Finding("networkd_uplink", "warning", what, why, remedy))
    return found


def _network_file(tree: Tree, device: dict[str, str]) -> str:
    """The file that applies, which is the first that matches; empty where there is none, or it says hands off."""
    for path, sections in tree.systemd("network"):
        if _matches(sections.get("Match", []), device):
            unmanaged = [value for key, value in sections.get("Link", []) if key == "Unmanaged"]
            return "" if unmanaged and unmanaged[-1].lower() in ("1", "yes", "true", "on") else path
    return ""


def _udev(devices: dict[str, str], tree: Tree) -> list[Finding]:
    touched = []
    for name, kind in devices.items():
        for _path, sections in tree.systemd("link"):
            if _matches(sections.get("Match", []), _properties(name, kind)):
                policies = [value for key, value in sections.get("Link", []) if key == "MACAddressPolicy"]
                touched += [name] if policies and policies[-1] == "persistent" else []
                break
    if not touched or tree.covered:
        return []
    what = f"udev gives {names(touched)} another MAC address a moment after birth (MACAddressPolicy=persistent)"
    why = "whoever has learned the first address sends to nobody until it asks again, and the address differs from what was read"
    return [Finding("udev_mac_policy", "note", what, why, "give MAC addresses of your own, or set drop_ins")]


def _properties(name: str, kind: str) -> dict[str, str]:
    """What [Match] can ask about a device that is not there yet."""
    return {
        "name": name,
        "originalname": name,
        "kind": kind,
        "driver": kind,
        "type": "bridge" if kind == "bridge" else "ether",
    }


def _matches(wanted: Section, device: dict[str, str]) -> bool:
    """Every line must fit; what cannot be known of the device (its path, the host's name) is taken for not fitting."""
    for key, value in wanted:
        have = device.get(key.lower(), "")
        if not have:
            return False
        patterns = value.split()
        inverse = bool(patterns) and patterns[0].startswith("!")
        if inverse:
            patterns[0] = patterns[0][1:]
        fits = any(fnmatch.fnmatchcase(have.lower() if key == "MACAddress" else have, pattern) for pattern in patterns)
        if fits == inverse:
            return False
    return True
