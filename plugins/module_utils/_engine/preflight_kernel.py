# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Whether the kernel has what is needed.

What is a module that can be loaded is there; the module is not loaded for the question. Otherwise nothing can be loaded, and the
kernel itself is asked, in a scratch namespace that is gone at once.
"""

from __future__ import annotations

import errno
import os
import struct

from . import nftables, rtnetlink
from .errors import KernelError, NetnsError
from .preflight_host import names
from .preflight_wish import Finding, Wish
from .rtnetlink import NLM_F_CREATE, NLM_F_EXCL, RTM_NEWLINK, Message

_IFINFO = struct.Struct("=BxHiII")
_IFLA_IFNAME, _IFLA_LINKINFO, _INFO_KIND = 3, 18, 1
_NETLINK_NETFILTER, _GET_TABLES = 12, 0x0A01
_MODULE_OF = {"tap": "tun"}  # the kernel calls both tun
_NAT_MODULES = ("nf_tables", "nf_conntrack", "nft_chain_nat", "nft_masq", "nft_ct")
_NAT = "{ chain c { type nat hook postrouting priority 100; ct state new masquerade; }; }"


def features(wish: Wish, root: str) -> list[Finding]:
    """What is missing."""
    if not os.path.exists(os.path.join(root, "proc/self/ns/net")):
        return [_missing("namespaces_missing", "network namespaces", "CONFIG_NET_NS")]
    modules = _Modules(root)
    found = []
    lacking = [kind for kind in wish.kinds if not modules.has_kind(kind) and not _kernel_has(kind)]
    if lacking:
        found.append(
            _missing("kind_missing", f"the link kind {names(lacking)}", f"its module, such as {_MODULE_OF.get(lacking[0], lacking[0])}")
        )
    if wish.nat:
        found += _nat(wish, modules)
    if any(subnet.version == 6 for subnet in wish.subnets):
        found += _ipv6(root)
    return found


def _missing(name: str, what: str, remedy: str, why: str = "the network cannot be built") -> Finding:
    return Finding(
        name, "error", f"the kernel has not {what}", why, f"install a kernel that has {remedy}, or boot the one that is installed"
    )


class _Modules:
    """What depmod has written about the running kernel's modules; nothing where it has none."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._place = os.path.join(root, "lib/modules", os.uname().release)
        self._texts: dict[str, bytes] = {}

    def _text(self, name: str) -> bytes:
        if name not in self._texts:
            try:
                with open(os.path.join(self._place, name), "rb") as file:
                    self._texts[name] = file.read()
            except OSError:
                self._texts[name] = b""
        return self._texts[name]

    def has_kind(self, kind: str) -> bool:
        alias = f"rtnl-link-{_MODULE_OF.get(kind, kind)}".encode()
        return b"alias " + alias + b" " in self._text("modules.alias") or b".alias=" + alias + b"\0" in self._text(
            "modules.builtin.modinfo"
        )

    def has(self, module: str) -> bool:
        if os.path.exists(os.path.join(self._root, "sys/module", module)):
            return True
        wanted = f"/{module}.ko".encode()
        return wanted in self._text("modules.dep") or wanted in self._text("modules.builtin")


def _kernel_has(kind: str) -> bool:
    """Make one where nobody sees it. A kind that wants more than its name is refused with another number than one that is unknown."""
    info = rtnetlink.nest(_IFLA_LINKINFO, rtnetlink.text(_INFO_KIND, _MODULE_OF.get(kind, kind)))
    body = _IFINFO.pack(0, 0, 0, 0, 0) + rtnetlink.text(_IFLA_IFNAME, "preflight0") + info
    with nftables.scratch():
        socket = rtnetlink.Socket()
        try:
            failures = socket.batch([Message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body)])
        finally:
            socket.close()
    return not (failures and failures[0].errno == errno.EOPNOTSUPP and "type" in failures[0].text.lower())


def _nat(wish: Wish, modules: _Modules) -> list[Finding]:
    found = []
    if not nftables.installed():
        remedy = "install the package nftables or use the role linuxnet.netns.requirements"
        # a role in check mode has not installed it yet
        level = "warning" if wish.check_mode else "error"
        found.append(Finding("nft_missing", level, "the program nft is not on this host", "NAT needs it", remedy))
    if all(modules.has(module) for module in _NAT_MODULES):
        return found
    if not modules.has("nf_tables") and not _speaks_nftables():
        return [*found, _missing("nftables_missing", "nftables", "CONFIG_NF_TABLES (module nf_tables)")]
    if nftables.installed() and not _translates(wish.versions()):
        remedy = "CONFIG_NF_CONNTRACK, CONFIG_NFT_NAT and CONFIG_NFT_MASQ (modules nf_conntrack, nft_chain_nat, nft_masq)"
        found.append(_missing("conntrack_missing", "connection tracking with NAT for nftables", remedy))
    return found


def _speaks_nftables() -> bool:
    with nftables.scratch():
        try:
            socket = rtnetlink.Socket(_NETLINK_NETFILTER)
        except (KernelError, OSError):
            return False
        try:
            socket.dump(_GET_TABLES, b"\0\0\0\0")
        except KernelError:
            return False
        finally:
            socket.close()
    return True


def _translates(versions: list[int]) -> bool:
    families = {4: "ip", 6: "ip6"}
    try:
        nftables.canonical("".join(f"table {families[version]} preflight {_NAT}\n" for version in versions))
    except NetnsError:
        return False
    return True


def _ipv6(root: str) -> list[Finding]:
    why = "the namespaces cannot have the IPv6 addresses that were asked for"
    switch = os.path.join(root, "proc/sys/net/ipv6/conf/default/disable_ipv6")
    try:
        with open(switch, encoding="ascii") as file:
            off = file.read().strip() == "1"
    except OSError:
        remedy = "boot without ipv6.disable=1, or give IPv4 subnets only"
        return [Finding("ipv6_disabled", "error", "the kernel has no IPv6", why, remedy)]
    if not off:
        return []
    remedy = "set it to 0, or give IPv4 subnets only"
    return [Finding("ipv6_disabled", "error", "net.ipv6.conf.default.disable_ipv6 is 1, so a new bridge has no IPv6", why, remedy)]
