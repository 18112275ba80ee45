# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The kinds of link: their own attributes to and from the kernel, by pyroute2's message classes where there are any to speak of.

pyroute2 is imported when the first attribute is encoded or decoded, never before: its import is dearer than most runs.
Its sockets are not used.
"""

from __future__ import annotations

import errno
import fcntl
import functools
import ipaddress
import os
import platform
import re
import struct
import sys
import typing as t

from . import bridge, kind_options
from .errors import InputError, KernelError, MissingLibrary
from .kind_options import Kind, Option, in_place

__all__ = [
    "KINDS", "MODULE", "create_tuntap", "decode", "decode_parent", "encode", "in_place", "observed_kind", "require_pyroute2", "validate",
]  # fmt: skip

KINDS: dict[str, Kind] = {**kind_options.KINDS, "bridge": bridge.BRIDGE_KIND}

# What to load where the kernel answers EOPNOTSUPP for a kind.
MODULE = {
    **{kind: kind for kind in KINDS},
    "veth": "veth", "vlan": "8021q", "bond": "bonding", "gre": "ip_gre", "gretap": "ip_gre", "tap": "tun",
}  # fmt: skip

MINIMUM = (0, 7, 2)

_GRE_KEY = 0x2000  # in the flags: the key is there
_ANY = ("0.0.0.0", "::")


def validate(kind: str, options: t.Mapping[str, t.Any], where: str, present: bool = True) -> dict[str, t.Any]:
    """Normalised options of a kind; ``where`` is how a message names the link. A link that is to go needs none of them."""
    if kind not in KINDS:
        raise InputError(f"{where}: there is no kind {kind!r}: use one of {', '.join(sorted(KINDS))}")
    if kind == "bridge":
        return bridge.validate_bridge(options, where)
    found = kind_options.checked(KINDS[kind].options, options, kind, where, present)
    if kind == "vxlan":
        _check_vxlan(found, where)
    if kind == "bond":
        _check_bond(found, where)
    return found


def _check_vxlan(options: t.Mapping[str, t.Any], where: str) -> None:
    if "remote" in options and "group" in options:
        what = "the first is one peer, the second a multicast group"
        raise InputError(f"{where}: vxlan.remote and vxlan.group exclude each other: {what}; remove one of them")
    for name, multicast in (("remote", False), ("local", False), ("group", True)):
        if name in options and ipaddress.ip_address(options[name]).is_multicast != multicast:
            cure = {"remote": "use group for it", "local": "use an address of this host", "group": "use remote for a single peer"}[name]
            raise InputError(f"{where}: vxlan.{name}: {options[name]} is {'not ' if multicast else ''}a multicast address: {cure}")
    families = {":" in options[name] for name in ("local", "remote", "group") if name in options}
    if len(families) > 1:
        other = "group" if "group" in options else "remote"
        raise InputError(f"{where}: vxlan.local and vxlan.{other} are of different IP versions: use two of IPv4 or two of IPv6")


def _check_bond(options: t.Mapping[str, t.Any], where: str) -> None:
    for name in ("updelay", "downdelay"):  # the kernel would round it down
        if options.get(name, 0) % (options.get("miimon") or 1):
            raise InputError(f"{where}: bond.{name}: {options[name]} is not a multiple of miimon, which is {options['miimon']}: correct it")


def encode(kind: str, options: t.Mapping[str, t.Any], parent: int = 0) -> bytes:
    """The contents of IFLA_INFO_DATA; ``parent`` is the parent's index, used where the kind has it among its own attributes."""
    if kind == "bridge":
        return bridge.encode_bridge(options)
    found = KINDS[kind]
    if kind in ("tap", "tun") or not (options or parent and found.parent_attr):
        return b""
    attrs: dict[str, t.Any] = {found.parent_attr: parent} if parent and found.parent_attr else {}
    for name, option in found.options.items():
        if options.get(name) is not None:
            _add(attrs, option, options[name])
    message = _message_class(kind)()
    message["attrs"] = [[name, value] for name, value in attrs.items()]
    message.encode()
    return bytes(message.data[4:])


def _add(attrs: dict[str, t.Any], option: Option, value: t.Any) -> None:
    """Put one option among the attributes as pyroute2 takes them."""
    if option.type == "bit":
        _add_bit(attrs, option.attr, option.number, value)
    elif option.type == "key":
        attrs[option.attr] = value
        _add_bit(attrs, option.attr.replace("KEY", "FLAGS"), _GRE_KEY, True)
    elif option.type == "flag":
        if value:
            attrs[option.attr] = True
    elif option.type == "ip" and ":" in value:
        attrs[f"{option.attr}6"] = value
    else:
        attrs[option.attr] = option.choices.get(value, value) if option.choices else int(value) if isinstance(value, bool) else value


def _add_bit(attrs: dict[str, t.Any], attr: str, bit: int, value: bool) -> None:
    if attr == "IFLA_VLAN_FLAGS":
        word = attrs.setdefault(attr, {"flags": 0, "mask": 0})
        word["flags"] |= bit * value
        word["mask"] |= bit
    else:
        attrs[attr] = attrs.get(attr, 0) | bit * value


def decode(kind: str, info_data: bytes) -> dict[str, t.Any]:
    """Options of a kind out of IFLA_INFO_DATA; what the kernel did not tell is left out."""
    found = KINDS[kind]
    if kind == "bridge":
        return bridge.decode_bridge(info_data)
    if kind in ("tap", "tun"):
        return bridge.decode_table(found.options, info_data)
    if not found.options or not info_data:
        return {}
    attrs = _decoded(kind, info_data)
    values = {name: _value(attrs, option) for name, option in found.options.items() if option.type != "short"}
    if kind == "vxlan":
        multicast = ipaddress.ip_address(values["remote"] or "::").is_multicast
        values["remote" if multicast else "group"] = None
    return {name: value for name, value in values.items() if value is not None}


def decode_parent(kind: str, info_data: bytes) -> int:
    """The index of the parent where the kind has it among its own attributes; 0: none."""
    attr = KINDS[kind].parent_attr
    return int(_decoded(kind, info_data).get(attr) or 0) if attr and info_data else 0


def observed_kind(kind: str, info_data: bytes) -> str:
    """The kernel calls tap devices tun as well and tells them apart by an attribute."""
    if kind == "tun" and dict(bridge.attributes(info_data)).get(3, b"")[:1] == b"\2":
        return "tap"
    return kind


def _decoded(kind: str, info_data: bytes) -> dict[str, t.Any]:
    message = _message_class(kind)(struct.pack("=HH", len(info_data) + 4, 2) + info_data)
    message.decode()
    return dict(message["attrs"])


def _value(attrs: t.Mapping[str, t.Any], option: Option) -> t.Any:
    """One option's value, or None where the kernel says nothing of it."""
    raw = attrs.get(option.attr)
    if option.type == "flag":
        return raw is not None
    if option.type == "key":
        return raw if attrs.get(option.attr.replace("KEY", "FLAGS"), 0) & _GRE_KEY else None
    if option.type == "ip":
        raw = raw or attrs.get(f"{option.attr}6")
    if raw is None or raw in _ANY and option.type in ("ip", "ip4"):
        return None
    if option.type == "bit":
        return bool((raw["flags"] if isinstance(raw, dict) else raw) & option.number)
    if option.type == "bool":
        return bool(raw)
    if option.type == "choice":  # some classes give the name themselves
        return next((name for name, at in option.choices.items() if raw in (name, at)), str(raw))
    return raw


@functools.cache
def _message_class(kind: str) -> t.Any:
    require_pyroute2(f"links of kind {kind}")
    from pyroute2.netlink import nla
    from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

    found = ifinfmsg.ifinfo.data_map[kind]
    if kind != "ipvlan":
        return found

    class ipvlan(nla):  # type: ignore[misc,no-any-unimported,unused-ignore]
        """With the flags, which no version of pyroute2 knows. Not a subclass: those share a compiled map."""

        nla_map = (*found.nla_map[:2], ("IFLA_IPVLAN_FLAGS", "uint16"))

    return ipvlan


def require_pyroute2(what: str = "this") -> None:
    """Make sure that pyroute2 is there and new enough, or say what to do; ``what`` is what needs it."""
    wanted = ".".join(str(part) for part in MINIMUM)
    python = sys.executable or "this Python"
    cure = "install python3-pyroute2, or use the role linuxnet.netns.requirements"
    try:
        import pyroute2
    except ImportError as problem:
        if getattr(problem, "name", None) != "pyroute2":
            raise MissingLibrary(f"pyroute2 >= {wanted} is needed for {what} and cannot be imported by {python}: {problem}") from problem
        raise MissingLibrary(f"pyroute2 >= {wanted} is needed for {what} and is not installed for {python}: {cure}") from None
    version = str(getattr(pyroute2, "__version__", "0"))
    if tuple(int(part) for part in re.findall(r"\d+", version)[:3]) < MINIMUM:
        place = os.path.dirname(getattr(pyroute2, "__file__", None) or "")
        raise MissingLibrary(f"pyroute2 >= {wanted} is needed for {what}, but {python} finds version {version} in {place}: {cure}")


# The direction bits of an ioctl's number differ on these.
_WRITE = 0x80000000 if platform.machine().startswith(("alpha", "mips", "parisc", "ppc", "sparc")) else 0x40000000
_TUNSETIFF, _TUNSETPERSIST, _TUNSETOWNER, _TUNSETGROUP, _TUNSETIFINDEX = (
    _WRITE | 4 << 16 | ord("T") << 8 | at for at in (202, 203, 204, 206, 218)
)
_NO_PI, _VNET_HDR, _MULTI_QUEUE, _EXCLUSIVE = 0x1000, 0x4000, 0x0100, 0x8000


def create_tuntap(name: str, kind: str, options: t.Mapping[str, t.Any], index: int = 0) -> None:
    """Make a device that outlives us, in the namespace of the calling thread; fails where the name is taken. ``index`` 0: any."""
    flags = (2 if kind == "tap" else 1) | _EXCLUSIVE
    flags |= 0 if options.get("pi") else _NO_PI
    flags |= (_VNET_HDR if options.get("vnet_hdr") else 0) | (_MULTI_QUEUE if options.get("multi_queue") else 0)
    try:
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    except OSError as problem:
        cure = ": load the kernel module tun" if problem.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO) else ""
        raise KernelError(f"{kind} device {name}: cannot open /dev/net/tun: {problem.strerror}{cure}", problem.errno or 0) from problem
    try:
        # Until it is persistent the device goes when we close, so that nothing is left of a half made one.
        if index:
            fcntl.ioctl(device, _TUNSETIFINDEX, struct.pack("=I", index))
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
        for option, request in (("user", _TUNSETOWNER), ("group", _TUNSETGROUP)):
            if options.get(option) is not None:
                fcntl.ioctl(device, request, options[option])
        fcntl.ioctl(device, _TUNSETPERSIST, 1)
    except OSError as problem:
        taken = ": the name is taken" if problem.errno == errno.EBUSY else ""
        raise KernelError(f"{kind} device {name}: cannot be made: {problem.strerror}{taken}", problem.errno or 0) from problem
    finally:
        os.close(device)
