# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole host as other eyes see it: ip, nft, /proc and /run, in the host's namespace and in every one that has a name.

What is left out, and why:

- counters, handles and timers, which run by themselves;
- what the kernel follows a carrier with up to a second later: operstate, NO-CARRIER, the state of a bridge's port, the carrier of a
  bridge. Whether a device is up and has a carrier stays, and so do the tentative flag and "linkdown" (a comparison waits for them);
- the numbers by which namespaces call each other (nsid): the kernel gives one at the first question and has no request to take it back;
- that /run/netns is a mount: the first namespace makes it one, with ip as with us, and that stays. Two on top of each other show.

Two pictures of one host have to be the same to the last index. ``alike`` takes out what the order of events on a host decides
(indexes, inodes, random MAC addresses): such pictures of two hosts can be compared.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import functools
import json
import os
import re
import stat
import subprocess
import typing as t

Picture = dict[str, t.Any]

NETNS, ETC, STATE = "/run/netns", "/etc/netns", "/run/linuxnet-netns"
_NS_SHOWS = "address show\nroute show table all\nrule show\nnetns list-id\n"
_CLONE_NEWNET = 0x40000000
_NEVER = 4294967295

# Numbers that count or run, wherever they stand in a device, its bridge or its port.
_RUNNING = re.compile(
    r"^(carrier_.*|operstate|.*_timer|promiscuity|allmulti|topology_change.*|designated_cost|message_age.*|.*_ack|config_pending)$"
)
_ENDING = re.compile(r"\.\d+$")
_NO_READING = re.compile(r"^(net/ipv6/conf/[^/]+/stable_secret|net/ipv4/tcp_fastopen_key)$")

_libc = ctypes.CDLL(None, use_errno=True)


class NotANetwork(OSError):
    """A namespace of another sort is mounted under a name."""


# -- taking


def take() -> Picture:
    """The picture of the host that this process is on; the process stays in whatever namespace it looked at last."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    found: Picture = {
        "etc": _files(ETC),
        "names": _files(NETNS),
        "state": {path: entry for path, entry in _files(STATE).items() if path != "lock"},
        "mounts": _mounts(),
        "places": {},
    }
    for name, entry in found["names"].items():
        if entry[0] == "namespace":
            fd = os.open(f"{NETNS}/{name}", os.O_RDONLY | os.O_CLOEXEC)
            with contextlib.suppress(NotANetwork):
                found["places"][name] = _place(fd)
            os.close(fd)
    found["places"][""] = _place(home)
    os.close(home)
    return found


def _place(fd: int) -> Picture:
    if _libc.setns(fd, _CLONE_NEWNET) != 0:
        raise NotANetwork(ctypes.get_errno(), "setns")
    devices, routes, rules, numbers = _json("ip", "-json", "-d", "-batch", "-", text=_NS_SHOWS)
    links, addresses = {}, {}
    for device in devices:
        device = _without_running(device)
        addresses[device["ifname"]] = [_without_lifetimes(address) for address in device.pop("addr_info", [])]
        links[device["ifname"]] = device
    return {
        "links": links,
        "addresses": addresses,
        "routes": sorted(routes, key=_spelled),
        "rules": sorted([*rules, *_json("ip", "-6", "-json", "-d", "rule")[0]], key=_spelled),
        "nft": _without_handles(_json("nft", "-j", "list", "ruleset")[0]["nftables"]),
        "sysctls": _sysctls(),
        "numbers": {str(entry["nsid"]): entry.get("name", "") for entry in numbers},
    }


def _json(*words: str, text: str = "") -> list[t.Any]:
    """All documents that a program prints."""
    ran = subprocess.run(words, input=text, capture_output=True, text=True, check=False, close_fds=False)
    if ran.returncode:
        raise AssertionError(f"{' '.join(words)} ended with {ran.returncode}: {ran.stderr}")
    said, at, documents = ran.stdout, 0, []
    decoder = json.JSONDecoder(strict=False)
    while said[at:].strip():
        at += len(said[at:]) - len(said[at:].lstrip())
        document, at = decoder.raw_decode(said, at)
        documents.append(document)
    return documents


def _spelled(value: t.Any) -> str:
    return json.dumps(value, sort_keys=True)


def _without_running(value: t.Any) -> t.Any:
    if isinstance(value, list):
        return [_without_running(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {name: _without_running(inner) for name, inner in value.items() if not _RUNNING.match(name)}
    if "flags" in kept and "ifname" in kept:
        bridge = kept.get("linkinfo", {}).get("info_kind") == "bridge"
        kept["flags"] = sorted(set(kept["flags"]) - {"NO-CARRIER"} - ({"LOWER_UP"} if bridge else set()))
    if "info_slave_data" in kept:
        kept["info_slave_data"].pop("state", None)
    return kept


def _without_lifetimes(address: dict[str, t.Any]) -> dict[str, t.Any]:
    """A lifetime that ends runs; that it ends is told."""
    return {name: "runs" if name.endswith("life_time") and value != _NEVER else value for name, value in address.items()}


def _without_handles(value: t.Any) -> t.Any:
    if isinstance(value, list):
        return [_without_handles(item) for item in value if not (isinstance(item, dict) and "metainfo" in item)]
    if isinstance(value, dict):
        return {name: _without_handles(inner) for name, inner in value.items() if name not in ("handle", "packets", "bytes", "expires")}
    return value


def _files(top: str) -> dict[str, t.Any]:
    """Every entry below a directory: its kind, and what makes it what it is."""
    found: dict[str, t.Any] = {}
    for directory, names, files in os.walk(top):
        for name in (*names, *files):
            path = f"{directory}/{name}"
            try:
                found[os.path.relpath(path, top)] = _file(path)
            except FileNotFoundError:
                continue
    return found


def _file(path: str) -> tuple[t.Any, ...]:
    info = os.lstat(path)
    mode = oct(stat.S_IMODE(info.st_mode))
    if stat.S_ISLNK(info.st_mode):
        return ("link", os.readlink(path))
    if info.st_dev == _nsfs():
        return ("namespace", info.st_ino)
    if stat.S_ISREG(info.st_mode):
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return ("file", mode, file.read())
    return ("directory" if stat.S_ISDIR(info.st_mode) else "special", mode)


@functools.lru_cache(maxsize=1)
def _nsfs() -> int:
    return os.stat("/proc/self/ns/net").st_dev


def _mounts() -> list[str]:
    """What is mounted on the host's /run and /etc/netns, as often as it is; one mount on /run/netns itself is as good as none."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        lines = [line.split() for line in file]
    # what the host's own covers is not to be seen from any program
    own = {line[4]: line[0] for line in lines if line[4] in ("/run", ETC)}
    below = {*own.values()}
    found = []
    for number, parent, _device, _root, point in (line[:5] for line in lines):
        if parent in below:
            below.add(number)
            found.append(point)
    if NETNS in found:
        found.remove(NETNS)
    return sorted(found)


@functools.lru_cache(maxsize=1)
def _keys() -> tuple[list[str], dict[str, list[str]]]:
    """Names of settings that can be written: those of a namespace, and for each directory that has one per device those of a device."""
    plain: list[str] = []
    for family in ("ipv4", "ipv6"):
        for directory, _names, files in os.walk(f"/proc/sys/net/{family}"):
            if not directory.startswith((f"/proc/sys/net/{family}/conf", f"/proc/sys/net/{family}/neigh")):
                plain += [f"{directory[10:]}/{name}" for name in files if _writable(f"{directory}/{name}")]
    models = {"net/ipv4/conf": "all", "net/ipv6/conf": "all", "net/ipv4/neigh": "lo", "net/ipv6/neigh": "lo"}
    per_device = {
        directory: [
            name for name in sorted(os.listdir(f"/proc/sys/{directory}/{model}")) if _writable(f"/proc/sys/{directory}/{model}/{name}")
        ]
        for directory, model in models.items()
        if os.path.isdir(f"/proc/sys/{directory}/{model}")
    }
    return plain, per_device


def _writable(path: str) -> bool:
    return os.stat(path).st_mode & 0o600 == 0o600


def _sysctls() -> dict[str, str]:
    plain, per_device = _keys()
    paths = [*plain]
    for directory, names in per_device.items():
        paths += [f"{directory}/{device}/{name}" for device in sorted(os.listdir(f"/proc/sys/{directory}")) for name in names]
    found = {}
    for path in paths:
        if not _NO_READING.match(path):
            value = _read(path)
            if value is not None:
                found[path] = value
    return found


def _read(path: str) -> str | None:
    try:
        fd = os.open(f"/proc/sys/{path}", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return os.read(fd, 4096).decode("ascii", "replace").strip()
    except OSError:  # has no value yet
        return None
    finally:
        os.close(fd)


# -- comparing


def unsettled(seen: Picture) -> bool:
    """Whether something is still on its way: an address that is tentative, or a device that has a carrier and no link-local address yet."""
    for place in seen["places"].values():
        for name, addresses in place["addresses"].items():
            if any(address.get("tentative") for address in addresses):
                return True
            link = place["links"][name]
            if _makes_link_local(link, place["sysctls"]) and not any(address["scope"] == "link" for address in addresses):
                return True
    return False


def _makes_link_local(link: dict[str, t.Any], sysctls: dict[str, str]) -> bool:
    here = f"net/ipv6/conf/{link['ifname']}"
    return (
        {"UP", "LOWER_UP"} <= set(link["flags"])
        and "LOOPBACK" not in link["flags"]
        and "master" not in link
        and link.get("inet6_addr_gen_mode", "none") != "none"
        and sysctls.get(f"{here}/disable_ipv6") == "0"
        and int(link.get("mtu", 0)) >= 1280
    )


def alike(seen: Picture) -> Picture:
    """Without what the order of events decides: indexes become names, inodes and the text of state files go, MAC addresses stay."""
    found = copy.deepcopy(seen)
    found["names"] = {name: entry[:1] if entry[0] == "namespace" else entry for name, entry in found["names"].items()}
    # the end of a name is the inode of the host's namespace
    found["state"] = {_ENDING.sub("", name): entry[:2] for name, entry in found["state"].items()}
    for netns, place in seen["places"].items():
        numbers = place["numbers"]
        # for two seconds a link-local address is tentative, and the route to it comes after that
        for address in (one for several in found["places"][netns]["addresses"].values() for one in several):
            address.pop("tentative", None)
        found["places"][netns]["routes"] = [route for route in found["places"][netns]["routes"] if not _of_link_local(route)]
        for link in found["places"][netns]["links"].values():
            link.pop("ifindex", None)
            other = link.pop("link_netnsid", None)
            if "link_index" in link:
                there = numbers.get(str(other)) or ""  # the host has no name
                link["link"] = _device_name(seen, netns if other is None else there, link.pop("link_index"))
                link["link_place"] = netns if other is None else there
        del found["places"][netns]["numbers"]
    return found


def _of_link_local(route: dict[str, t.Any]) -> bool:
    return route["dst"].startswith("fe80::") and route["type"] in ("local", "anycast")


def _device_name(seen: Picture, netns: str, index: int) -> str:
    links = seen["places"].get(netns, {"links": {}})["links"]
    return next((name for name, link in links.items() if link["ifindex"] == index), f"no device {index}")


def difference(expected: t.Any, found: t.Any, path: str = "") -> list[str]:
    """One line for each thing that is not as expected: where, what was expected, what was found."""
    if expected == found:
        return []
    if isinstance(expected, dict) and isinstance(found, dict):
        lines = []
        for name in sorted({*expected, *found}):
            if name == "numbers":
                continue
            lines += difference(expected.get(name, "absent"), found.get(name, "absent"), f"{path}/{name or 'host'}")
        return lines
    if isinstance(expected, list) and isinstance(found, list):
        return _difference_of_lists(expected, found, path)
    return [f"{path}: expected {_short(expected)}, found {_short(found)}"]


def _difference_of_lists(expected: list[t.Any], found: list[t.Any], path: str) -> list[str]:
    before, after = [_spelled(item) for item in expected], [_spelled(item) for item in found]
    lines = [f"{path}: missing {item}" for item in _surplus(before, after)]
    lines += [f"{path}: left over {item}" for item in _surplus(after, before)]
    return lines or ([f"{path}: other order: expected {before}, found {after}"] if before != after else [])


def _surplus(some: list[str], others: list[str]) -> list[str]:
    left, surplus = [*others], []
    for item in some:
        if item in left:
            left.remove(item)
        else:
            surplus.append(item)
    return surplus


def _short(value: t.Any) -> str:
    said = _spelled(value)
    return said if len(said) <= 300 else f"{said[:300]}..."
