# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""One spelling for every value: names, addresses, prefixes, tables. Pure; refuses what cannot be meant."""

from __future__ import annotations

import functools
import ipaddress
import os.path
import re
import typing as t

from .errors import InputError

if t.TYPE_CHECKING:
    IPAddress = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

# The namespace that the module itself runs in. Not None: keys must sort.
HOST = ""

NETNS_DIR = "/run/netns"

_IFNAME_MAX = 15  # IFNAMSIZ less the closing zero
_NAME_MAX = 255
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_SYSCTL_PER_DEVICE = re.compile(r"net\.(ipv4|ipv6|mpls)\.(conf|neigh)\.(.+)\.([^.]+)")

# The first line of a resolv.conf of ours.
RESOLVER_MARK = "# Managed by linuxnet.netns"

# Who set an address, a route or a rule, for those that this collection sets: a number that iproute2 and the daemons leave free.
OUR_PROTOCOL = 110

ROUTE_TABLES = {"default": 253, "main": 254, "local": 255}
ROUTE_PROTOCOLS = {
    "unspec": 0,
    "redirect": 1,
    "kernel": 2,
    "boot": 3,
    "static": 4,
    "ra": 9,
    "dhcp": 16,
    "zebra": 11,
    "bird": 12,
    "babel": 42,
    "bgp": 186,
    "isis": 187,
    "ospf": 188,
    "rip": 189,
    "eigrp": 192,
}
SCOPES = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}


def place(netns: str) -> str:
    """How a message names a namespace reference."""
    return f"in namespace {netns!r}" if netns else "on the host"


def no_namespace(netns: str, kind: str) -> str:
    """What a message says of something in the directory of namespaces that is none; ``kind`` is what it is, in words."""
    advice = {
        "a stale plain file": "linuxnet.netns.netns with state present repairs it",
        "a symbolic link": "use the path that it points to as 'netns', or remove it with linuxnet.netns.netns and state absent",
    }.get(kind, f"remove {NETNS_DIR}/{netns} by hand")
    return f"namespace {netns!r} is {kind} in {NETNS_DIR}, not a namespace: {advice}"


def _size(value: str, option: str) -> int:
    """The bytes that a text takes."""
    try:
        return len(value.encode())
    except UnicodeEncodeError:  # Ansible hands on bytes that are no UTF-8 as half characters
        raise InputError(f"{option}: {value!r} is not UTF-8: write it in that encoding") from None


def interface_name(value: str, option: str) -> str:
    """A name the kernel takes for a device: 1 to 15 bytes, no slash, colon or white space."""
    size = _size(value, option)
    if not 1 <= size <= _IFNAME_MAX:
        raise InputError(f"{option}: {value!r} is not an interface name: it has {size} bytes, allowed are 1 to {_IFNAME_MAX}")
    if value in (".", "..") or re.search(r"[/:%\s\0]", value):
        # the kernel takes a percent sign for a template: veth%d becomes veth0
        raise InputError(f"{option}: {value!r} is not an interface name: remove dots alone, slashes, colons, percent signs and white space")
    if value in ("all", "default"):
        raise InputError(f"{option}: {value!r} is not an interface name: the kernel keeps it for sysctls that mean every device")
    return value


def namespace_name(value: str, option: str) -> str:
    """A name that can stand in /run/netns."""
    if value in ("", ".", ".."):
        raise InputError(f"{option}: {value!r} is not a namespace name: use a plain file name such as 'blue'")
    if "/" in value or "\0" in value:
        what = "a slash" if "/" in value else "a zero byte"
        raise InputError(f"{option}: {value!r} is not a namespace name: it contains {what}: use a plain file name such as 'blue'")
    size = _size(value, option)
    if size > _NAME_MAX:
        raise InputError(f"{option}: the namespace name {value[:20] + '...'!r} has {size} bytes, allowed are 1 to {_NAME_MAX}")
    return value


def topology_name(value: str, option: str = "name") -> str:
    """A name that can be part of a file's name."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value):
        raise InputError(f"{option}: {value!r} cannot name a topology: use 1 to 64 letters, digits, dots, dashes and underscores")
    return value


def netns_reference(value: str | None, option: str = "netns") -> str:
    """Where an object lives: a name, an absolute path, or nothing for the host."""
    if value is None:
        return HOST
    if not value.startswith("/"):
        return namespace_name(value, option)
    if "\0" in value:
        raise InputError(f"{option}: {value!r} is not a path: remove the zero byte")
    path = os.path.normpath("/" + value.lstrip("/"))  # normpath leaves two slashes at the beginning alone
    if path.startswith("/var/run/"):  # a link to /run on every system with systemd
        path = path[4:]
    if path in ("/proc/self/ns/net", "/proc/thread-self/ns/net"):
        return HOST
    if os.path.dirname(path) == NETNS_DIR:
        return os.path.basename(path)
    return path


def mac_address(value: str, option: str) -> str:
    """An Ethernet address, lower case, that a device may bear (not multicast, not all zero)."""
    mac = value.lower().replace("-", ":")
    if not _MAC.fullmatch(mac):
        raise InputError(f"{option}: {value!r} is not a MAC address: write six pairs of hexadecimal digits, such as 02:00:5e:10:00:01")
    if int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00":
        raise InputError(
            f"{option}: {value!r} cannot be a device's MAC address: it is {'a multicast' if int(mac[:2], 16) & 1 else 'the zero'} "
            "address; use one such as 02:00:5e:10:00:01"
        )
    return mac


def number(value: t.Any, option: str, low: int, high: int) -> int:
    """An integer within the kernel's limits for it."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{option}: {value!r} is out of range: use a number from {low} to {high}")
    return value


def _refuse_zone(value: str, option: str) -> None:
    """Python knows zones, the kernel's messages have the device beside the address."""
    if "%" in value:
        zone = value[value.index("%") :].partition("/")[0]
        raise InputError(f"{option}: {value!r} has a zone: remove {zone} and name the device with dev")


def ip_interface(value: str, option: str) -> tuple[IPAddress, int]:
    """An address and its prefix length; a bare address is refused, since /32 is rarely what was meant."""
    _refuse_zone(value, option)
    host, slash, length = value.partition("/")
    try:
        found = ipaddress.ip_address(host)
        if length.isascii() and length.isdecimal() and int(length) <= found.max_prefixlen:
            return found, int(length)
        # a netmask, nothing, or nonsense; asked for each address it would take three times as long as all the rest
        prefixlen = ipaddress.ip_interface(value).network.prefixlen
    except ValueError:
        raise InputError(
            f"{option}: {value!r} is not an IP address with a prefix length, such as 192.0.2.10/24 or 2001:db8::10/64"
        ) from None
    if not slash:
        bits = found.max_prefixlen
        subnet = 24 if bits == 32 else 64
        raise InputError(
            f"{option}: {value!r} has no prefix length: write {value}/{subnet} for the subnet or {value}/{bits} for the single host"
        )
    return found, prefixlen


# A thousand namespaces behind one bridge have the same few gateways.
@functools.lru_cache(maxsize=4096)
def ip_address(value: str, option: str) -> str:
    """One address without a prefix length, in canonical spelling."""
    _refuse_zone(value, option)
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise InputError(f"{option}: {value!r} is not an IP address (without prefix length), such as 192.0.2.1 or 2001:db8::1") from None


@functools.lru_cache(maxsize=4096)
def ip_prefix(value: str, option: str) -> str:
    """A network in canonical spelling; host bits are refused with the network that was probably meant."""
    _refuse_zone(value, option)
    try:
        meant = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise InputError(f"{option}: {value!r} is not a network, such as 192.0.2.0/24 or 2001:db8::/64") from None
    if "/" in value and ipaddress.ip_interface(value).ip != meant.network_address:
        raise InputError(f"{option}: {value!r} has bits set behind its prefix length: did you mean {meant}?")
    return str(meant)


def family_of(value: str) -> str:
    """``ipv4`` or ``ipv6`` of an address or prefix in canonical spelling."""
    return "ipv6" if ":" in value else "ipv4"


def sysctl_path(name: str, option: str = "name") -> str:
    """The path below /proc/sys: ``net.ipv4.conf.eth0.100.forwarding`` -> ``net/ipv4/conf/eth0.100/forwarding``.

    As sysctl(8): where a slash comes first, slashes separate; otherwise dots do, and a slash stands for a dot in a name.
    """
    dot, slash = name.find("."), name.find("/")
    if slash != -1 and (dot == -1 or slash < dot):
        path = name
    else:
        per_device = _SYSCTL_PER_DEVICE.fullmatch(name)
        if per_device:
            family, table, device, key = per_device.groups()
            path = f"net/{family}/{table}/{device.replace('/', '.')}/{key}"
        else:
            path = name.translate(str.maketrans("./", "/."))
    parts = path.split("/")
    if parts[0] != "net" or len(parts) < 2:
        raise InputError(
            f"{option}: {name!r} is not a network sysctl: use one such as net.ipv4.ip_forward, since only net.* belongs to a namespace"
        )
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        what = "it has an empty part, dots alone or a zero byte"
        raise InputError(f"{option}: {name!r} is not a sysctl name: {what}: write it as in net.ipv4.ip_forward")
    return path


def sysctl_value(value: t.Any, option: str = "value") -> str:
    """What /proc/sys shows: words separated by one blank; booleans as 1 and 0."""
    if isinstance(value, bool):
        return str(int(value))
    if not isinstance(value, (str, int)) or not str(value).strip() or "\0" in str(value):
        raise InputError(f"{option}: {value!r} is not a sysctl's value: write a number or a text, such as 1 or '1024 65000'")
    return " ".join(str(value).split())


def table_number(value: t.Any, names: t.Mapping[str, int], option: str = "table") -> int:
    """A routing table's number, from a number or a name of rt_tables."""
    text = str(value)
    if text.isdecimal() and 0 < int(text) < 2**32:
        return int(text)
    try:
        return {**ROUTE_TABLES, **names}[text]
    except KeyError:
        raise InputError(f"{option}: {value!r} is neither a number from 1 to 4294967295 nor a name in rt_tables") from None


def named_number(value: t.Any, names: t.Mapping[str, int], option: str) -> int:
    """A number from 0 to 255, or one of the field's names for it."""
    text = str(value)
    if text in names:
        return names[text]
    if text.isdecimal() and int(text) <= 255:
        return int(text)
    raise InputError(f"{option}: {value!r} is neither a number from 0 to 255 nor one of {', '.join(sorted(names))}")
