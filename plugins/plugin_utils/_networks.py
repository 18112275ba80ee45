# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What the two networks of the roles have in common: names, what the host has, DNS servers. Pure."""

from __future__ import annotations

import collections.abc as c
import hashlib
import ipaddress
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.linuxnet.netns.plugins.module_utils._argspec_probe import CHECKS
from ansible_collections.linuxnet.netns.plugins.module_utils._engine import probe_options
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError

Item = dict[str, t.Any]
Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Interface = t.Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]

# The name of every namespace's own interface.
INSIDE = "eth0"
_NAME_MAX = 15


class NetworkError(ValueError):
    """One sentence for whoever wrote the variables."""


def items(given: t.Any, known: c.Collection[str], variable: str) -> list[Item]:
    """Namespaces as dicts; a plain name is a dict with nothing but the name."""
    found: dict[str, Item] = {}
    for position, entry in enumerate(given or ()):
        where = f"{variable}[{position}]"
        item = dict(entry) if isinstance(entry, c.Mapping) else {"name": entry}
        name = item.get("name")
        if not isinstance(name, str) or not name:
            raise NetworkError(f"{where}: a namespace needs a name, and {name!r} is none")
        strange = sorted(set(item) - set(known))
        if strange:
            raise NetworkError(f"{where}: {strange[0]!r} is not known: use {', '.join(known)}")
        if name in found:
            raise NetworkError(f"{where}: namespace {name!r} is listed twice: remove one of them")
        found[name] = {option: value for option, value in item.items() if value is not None}
    return list(found.values())


def listed(value: t.Any) -> list[t.Any]:
    """One or several, as a list."""
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def interface(address: t.Any, where: str) -> Interface:
    """An address with its prefix length."""
    text = str(address)
    try:
        found = ipaddress.ip_interface(text)
    except ValueError:
        raise NetworkError(f"{where}: {text!r} is not an address with a prefix length, such as 192.0.2.10/24 or 2001:db8::10/64") from None
    if "/" not in text:
        raise NetworkError(f"{where}: {text!r} needs its prefix length, such as {text}/{24 if found.version == 4 else 64}")
    return found


def bridge_name(network: str, given: str | None, variable: str) -> str:
    """The bridge's name; the default is made of the network's."""
    name = given or f"br-{network}"
    if len(name.encode()) > _NAME_MAX:
        raise NetworkError(f"{variable}: {name!r} is longer than the {_NAME_MAX} bytes that an interface name can have: set {variable}")
    return name


def outside_end(namespace: str) -> str:
    """The name of the host's end of a namespace's veth pair: it says which namespace, as far as 15 bytes allow."""
    name = f"{namespace}-{INSIDE}"
    if len(name.encode()) <= _NAME_MAX and not any(char.isspace() or char in "/:%" for char in name):
        return name
    return "veth" + hashlib.sha256(namespace.encode()).hexdigest()[:11]


def own_mac(bridge: str, host: c.Mapping[str, t.Any]) -> Item:
    """A bridge's own MAC address, as the option of its link.

    Without one it has the lowest of its ports', which changes as ports come and go: the others would send to the old one
    for as long as they remember it, up to a minute. A bridge that is there keeps what it was given, or goes on without.
    """
    there = [link for link in host.get("links") or () if link["name"] == bridge and not link.get("netns")]
    if there:
        return {"mac_address": there[0]["mac_address"]} if there[0].get("mac_address") else {}
    # 02: locally administered, and nobody's group
    return {"mac_address": "02:" + hashlib.sha256(bridge.encode()).digest()[:5].hex(":")}


def pair(namespace: str, bridge: str, mtu: int | None, mac_address: str | None = None) -> Item:
    """A namespace's cable to the bridge."""
    size = {} if mtu is None else {"mtu": mtu}
    mac = {"mac_address": mac_address} if mac_address else {}
    peer = {"name": outside_end(namespace), "master": bridge, "up": True, **size}
    return {"name": INSIDE, "netns": namespace, "up": True, **size, **mac, "peer": peer}


def checks(given: t.Any, namespaces: c.Sequence[str], variable: str, mtu: int | None = None) -> list[Item]:
    """The checks of a network for netns_topology's ``verify``; one without a namespace is made from each of them.

    A packet without a size is as large as the network's MTU allows.
    """
    given = [_full_sized(check, mtu) for check in given] if isinstance(given, (list, tuple)) else given
    # judged here, since the module would name an item by its place in the longer list
    judged = ArgumentSpecValidator({variable: CHECKS}).validate({variable: given})
    if judged.error_messages:
        raise NetworkError(f"{variable}: these are not checks as netns_probe has them: {judged.error_messages[0]}")
    found = [
        {option: value for option, value in check.items() if value is not None} for check in judged.validated_parameters[variable] or ()
    ]
    try:
        probe_options.read(found, variable)
    except InputError as exc:
        raise NetworkError(str(exc)) from None
    return [{"netns": netns, **check} for check in found for netns in ([""] if "netns" in check else namespaces)]


def _full_sized(check: t.Any, mtu: int | None) -> t.Any:
    wish = check.get("mtu") if isinstance(check, c.Mapping) else None
    if mtu is None or not isinstance(wish, c.Mapping) or wish.get("size") is not None:
        return check
    return {**check, "mtu": {**wish, "size": mtu}}


def default_routes(host: c.Mapping[str, t.Any]) -> list[c.Mapping[str, t.Any]]:
    """The host's default routes, the one in use first."""
    found = [
        route
        for route in host.get("routes") or ()
        if set(route["dest"]) & {"0.0.0.0/0", "::/0"} and not route.get("table") and not route.get("type")
    ]
    return sorted(found, key=_metric)


def _metric(route: c.Mapping[str, t.Any]) -> int:
    """What netns_info leaves out is the kernel's default."""
    if route.get("metric") is not None:
        return int(route["metric"])
    return 1024 if "::/0" in route["dest"] else 0


def default_device(host: c.Mapping[str, t.Any]) -> str | None:
    """Where the host's traffic to the Internet leaves; IPv4 has the first say."""
    for dest in ("0.0.0.0/0", "::/0"):
        for route in default_routes(host):
            ways = route.get("nexthops") or [route]
            device = next((way["dev"] for way in ways if way.get("dev")), None)
            if dest in route["dest"] and device:
                return str(device)
    return None


def mtu_of(host: c.Mapping[str, t.Any], device: str | None) -> int | None:
    """The MTU of a device of the host, which is where an item says no namespace."""
    ends = [*(host.get("links") or ()), *(host.get("veths") or ())]
    ends += [end["peer"] for end in ends if end.get("peer")]
    return next((int(end["mtu"]) for end in ends if not end.get("netns") and end["name"] == device), None)


def upstream_nameservers(texts: c.Iterable[str]) -> list[str]:
    """The DNS servers of the first resolv.conf that names real ones.

    A loopback address is a stub on the host: in another namespace nobody answers there. A link-local address is good
    on one interface of the host only.
    """
    for text in texts:
        found = []
        for words in (line.split() for line in text.splitlines()):
            if len(words) < 2 or words[0] != "nameserver":
                continue
            try:
                address = ipaddress.ip_address(words[1])
            except ValueError:
                continue
            if not (address.is_loopback or address.is_link_local or address.is_unspecified):
                found.append(str(address))
        if found:
            return list(dict.fromkeys(found))
    return []


def usable_nameservers(servers: c.Iterable[str], versions: c.Collection[int], variable: str) -> list[str]:
    """Those that can be reached from a namespace with addresses of these IP versions."""
    found = []
    for server in servers:
        try:
            address = ipaddress.ip_address(str(server))
        except ValueError:
            raise NetworkError(f"{variable}: {server!r} is not an IP address") from None
        if address.version in versions:
            found.append(str(address))
    return found
