# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What each kind of link can be told about itself: tables, and one spelling for every value. Pure."""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from .errors import InputError
from .values import number
from .values_ip import ip_address, table_number

_U32 = 2**32 - 1
_INT = 2**31 - 1
_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


@dataclasses.dataclass(frozen=True)
class Option:
    """One attribute of a kind. ``attr`` is its netlink name; an address of type ``ip`` has a twin ``attr`` + ``6`` for IPv6.

    Types: int, bool, choice (a name, on the wire its number), ip (either family), ip4, table, key (of a tunnel), user, group,
    flag (a bool without payload), bit (a bool that is bit ``number`` of ``attr``), short (stands for the options in ``sets``).
    """

    type: str
    attr: str = ""
    low: int = 0
    high: int = _U32
    choices: t.Mapping[str, int] = dataclasses.field(default_factory=dict)
    required: bool = False
    immutable: bool = False  # an existing device cannot be changed to another value: re-create it
    sets: tuple[str, ...] = ()
    number: int = 0  # of the attribute where we have a codec of our own; of the bit in type bit
    format: str = "B"  # struct's, where we have a codec of our own
    step: int = 1  # the kernel cannot hold what lies between


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of link."""

    name: str
    options: t.Mapping[str, Option] = dataclasses.field(default_factory=dict)
    needs_parent: bool | None = False  # None: may have one
    # Where the parent is an attribute of the kind and IFLA_LINK does nothing (and, for vxlan, is not reported either).
    parent_attr: str = ""
    has_mac: bool = True  # a MAC address of its own that can be set
    # Its driver starts from nothing on every change: what a change leaves out goes back to its default.
    whole: bool = False

    @property
    def needs_pyroute2(self) -> bool:
        """Whether its attributes are read and written by pyroute2."""
        return bool(self.options) and self.name not in ("bridge", "tap", "tun")


def _bool(attr: str, **more: t.Any) -> Option:
    return Option("bool", attr, high=1, **more)


def _byte(attr: str, **more: t.Any) -> Option:
    return Option("int", attr, high=255, **more)


def _choice(attr: str, names: str, **more: t.Any) -> Option:
    """A choice among names that count from 0."""
    return Option("choice", attr, choices={name: at for at, name in enumerate(names.split())}, **more)


def _tunnel(prefix: str) -> dict[str, Option]:
    return {
        "local": Option("ip4", f"{prefix}_LOCAL"),
        "remote": Option("ip4", f"{prefix}_REMOTE"),
        "ttl": _byte(f"{prefix}_TTL"),  # 0 is: as the inner packet's
        "tos": _byte(f"{prefix}_TOS"),  # 1 is: as the inner packet's
        "pmtudisc": _bool(f"{prefix}_PMTUDISC"),
        "fwmark": Option("int", f"{prefix}_FWMARK"),
    }


# What IP_GRE calls flags is the GRE header's own first word.
_GRE = {
    **_tunnel("IFLA_GRE"),
    "ignore_df": _bool("IFLA_GRE_IGNORE_DF"),
    "key": Option("short", sets=("ikey", "okey")),
    "ikey": Option("key", "IFLA_GRE_IKEY"),
    "okey": Option("key", "IFLA_GRE_OKEY"),
    "csum": Option("short", sets=("icsum", "ocsum")),
    "icsum": Option("bit", "IFLA_GRE_IFLAGS", number=0x8000),
    "ocsum": Option("bit", "IFLA_GRE_OFLAGS", number=0x8000),
    "seq": Option("short", sets=("iseq", "oseq")),
    "iseq": Option("bit", "IFLA_GRE_IFLAGS", number=0x1000),
    "oseq": Option("bit", "IFLA_GRE_OFLAGS", number=0x1000),
}

# macvlan_changelink refuses only to become or to leave passthru: see in_place().
_MACVLAN_MODES = {"private": 1, "vepa": 2, "bridge": 4, "passthru": 8, "source": 16}

# vlan_changelink looks at flags and quality of service maps only: another id or protocol it ignores without a word.
_VLAN = {
    "id": Option("int", "IFLA_VLAN_ID", high=4094, required=True, immutable=True),
    "protocol": Option("choice", "IFLA_VLAN_PROTOCOL", choices={"802.1q": 0x8100, "802.1ad": 0x88A8}, immutable=True),
    "reorder_hdr": Option("bit", "IFLA_VLAN_FLAGS", number=0x01),
    "gvrp": Option("bit", "IFLA_VLAN_FLAGS", number=0x02),
    "loose_binding": Option("bit", "IFLA_VLAN_FLAGS", number=0x04),
    "mvrp": Option("bit", "IFLA_VLAN_FLAGS", number=0x08),
    "bridge_binding": Option("bit", "IFLA_VLAN_FLAGS", number=0x10),
}

# Tried on Linux 6.18: what is immutable here is refused with EOPNOTSUPP, most of it even if the value stays the same.
_VXLAN = {
    "id": Option("int", "IFLA_VXLAN_ID", high=2**24 - 1, required=True, immutable=True),
    "local": Option("ip", "IFLA_VXLAN_LOCAL"),
    "remote": Option("ip", "IFLA_VXLAN_GROUP"),
    # Accepted on an existing device, but before 6.14 the new group was not joined until the link went down and up.
    "group": Option("ip", "IFLA_VXLAN_GROUP", immutable=True),
    "port": Option("int", "IFLA_VXLAN_PORT", low=1, high=65535, immutable=True),  # without: 8472, the kernel's default
    "ttl": _byte("IFLA_VXLAN_TTL"),  # 0 is: the kernel chooses
    "tos": _byte("IFLA_VXLAN_TOS"),
    "df": _choice("IFLA_VXLAN_DF", "unset set inherit"),
    "learning": _bool("IFLA_VXLAN_LEARNING"),
    "ageing": Option("int", "IFLA_VXLAN_AGEING"),  # seconds
    "max_address": Option("int", "IFLA_VXLAN_LIMIT", immutable=True),
    "proxy": _bool("IFLA_VXLAN_PROXY", immutable=True),
    "rsc": _bool("IFLA_VXLAN_RSC", immutable=True),
    "l2miss": _bool("IFLA_VXLAN_L2MISS", immutable=True),
    "l3miss": _bool("IFLA_VXLAN_L3MISS", immutable=True),
    "udp_csum": _bool("IFLA_VXLAN_UDP_CSUM", immutable=True),
    "udp6_zero_csum_tx": _bool("IFLA_VXLAN_UDP_ZERO_CSUM6_TX", immutable=True),
    "udp6_zero_csum_rx": _bool("IFLA_VXLAN_UDP_ZERO_CSUM6_RX", immutable=True),
    "gbp": Option("flag", "IFLA_VXLAN_GBP", immutable=True),
}

# geneve_nl2info(changelink) refuses id, port and checksums with EOPNOTSUPP.
_GENEVE = {
    "id": Option("int", "IFLA_GENEVE_ID", high=2**24 - 1, required=True, immutable=True),
    "remote": Option("ip", "IFLA_GENEVE_REMOTE", required=True),
    "port": Option("int", "IFLA_GENEVE_PORT", low=1, high=65535, immutable=True),  # without: 6081
    "ttl": _byte("IFLA_GENEVE_TTL"),
    "tos": _byte("IFLA_GENEVE_TOS"),
    "udp_csum": _bool("IFLA_GENEVE_UDP_CSUM", immutable=True),
    "udp6_zero_csum_tx": _bool("IFLA_GENEVE_UDP_ZERO_CSUM6_TX", immutable=True),
    "udp6_zero_csum_rx": _bool("IFLA_GENEVE_UDP_ZERO_CSUM6_RX", immutable=True),
}

_BOND = {
    # Only a bond that is down and has no ports takes another mode.
    "mode": _choice("IFLA_BOND_MODE", "balance-rr active-backup balance-xor broadcast 802.3ad balance-tlb balance-alb", immutable=True),
    "miimon": Option("int", "IFLA_BOND_MIIMON", high=_INT),
    "updelay": Option("int", "IFLA_BOND_UPDELAY", high=_INT),
    "downdelay": Option("int", "IFLA_BOND_DOWNDELAY", high=_INT),
    "xmit_hash_policy": _choice("IFLA_BOND_XMIT_HASH_POLICY", "layer2 layer3+4 layer2+3 encap2+3 encap3+4 vlan+srcmac"),
    "lacp_rate": _choice("IFLA_BOND_AD_LACP_RATE", "slow fast"),  # EBUSY while the bond is up
    "ad_select": _choice("IFLA_BOND_AD_SELECT", "stable bandwidth count"),  # likewise
    "ad_actor_sys_prio": Option("int", "IFLA_BOND_AD_ACTOR_SYS_PRIO", low=1, high=65535),
    "ad_user_port_key": Option("int", "IFLA_BOND_AD_USER_PORT_KEY", high=1023),
    "min_links": Option("int", "IFLA_BOND_MIN_LINKS", high=_INT),
    "fail_over_mac": _choice("IFLA_BOND_FAIL_OVER_MAC", "none active follow"),  # ENOTEMPTY while the bond has ports
    "primary_reselect": _choice("IFLA_BOND_PRIMARY_RESELECT", "always better failure"),
    "resend_igmp": _byte("IFLA_BOND_RESEND_IGMP"),
    "num_grat_arp": _byte("IFLA_BOND_NUM_PEER_NOTIF"),
    "all_slaves_active": _bool("IFLA_BOND_ALL_SLAVES_ACTIVE"),
    "lp_interval": Option("int", "IFLA_BOND_LP_INTERVAL", low=1, high=_INT),
    "packets_per_slave": Option("int", "IFLA_BOND_PACKETS_PER_SLAVE", high=65535),
    "tlb_dynamic_lb": _bool("IFLA_BOND_TLB_DYNAMIC_LB"),
}

# Not made by rtnetlink, and rtnetlink cannot change them.
_TUNTAP = {
    "user": Option("user", number=1, format="=I", immutable=True),
    "group": Option("group", number=2, format="=I", immutable=True),
    "pi": _bool("", number=4, immutable=True),
    "vnet_hdr": _bool("", number=5, immutable=True),
    "multi_queue": _bool("", number=7, immutable=True),
}

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("dummy"),
        Kind("ifb"),
        Kind("wireguard", has_mac=False),
        Kind("vlan", _VLAN, needs_parent=True),
        Kind("macvlan", {"mode": Option("choice", "IFLA_MACVLAN_MODE", choices=_MACVLAN_MODES)}, needs_parent=True),
        Kind("macvtap", {"mode": Option("choice", "IFLA_MACVTAP_MODE", choices=_MACVLAN_MODES)}, needs_parent=True),
        # Both belong to the parent: all its ipvlan links change with one.
        Kind(
            "ipvlan",
            {"mode": _choice("IFLA_IPVLAN_MODE", "l2 l3 l3s"), "flag": _choice("IFLA_IPVLAN_FLAGS", "bridge private vepa")},
            needs_parent=True,
            has_mac=False,
        ),
        # vrf has no changelink: EOPNOTSUPP.
        Kind("vrf", {"table": Option("table", "IFLA_VRF_TABLE", required=True, immutable=True)}),
        Kind("vxlan", _VXLAN, needs_parent=None, parent_attr="IFLA_VXLAN_LINK"),
        Kind("geneve", _GENEVE),
        Kind("bond", _BOND),
        Kind("gre", _GRE, needs_parent=None, parent_attr="IFLA_GRE_LINK", has_mac=False, whole=True),
        Kind("gretap", _GRE, needs_parent=None, parent_attr="IFLA_GRE_LINK", whole=True),
        Kind("ipip", _tunnel("IFLA_IPIP"), needs_parent=None, parent_attr="IFLA_IPIP_LINK", has_mac=False, whole=True),
        Kind("sit", _tunnel("IFLA_SIT"), needs_parent=None, parent_attr="IFLA_SIT_LINK", has_mac=False, whole=True),
        Kind("tap", _TUNTAP),
        Kind("tun", _TUNTAP, has_mac=False),
    )
}


def normalise(option: Option, value: t.Any, what: str) -> t.Any:
    """The one spelling of a value; ``what`` names the option in the sentence that refuses it."""
    if option.type in ("bool", "bit", "flag"):
        return _boolean(value, what)
    if option.type == "choice":
        return _chosen(option, value, what)
    if option.type in ("ip", "ip4"):
        return _address(option, str(value), what)
    if option.type == "key":
        return _key(value, what)
    if option.type == "table":
        return table_number(value, {}, what)
    if option.type in ("user", "group"):
        return _account(option.type, value, what)
    return number(_integer(value), what, option.low, option.high) // option.step * option.step


def checked(
    table: t.Mapping[str, Option], options: t.Mapping[str, t.Any], what: str, where: str, complete: bool = True
) -> dict[str, t.Any]:
    """Normalised options of one table; ``what`` is its name in a playbook, such as ``vxlan`` or ``port``."""
    if not table and options:
        raise InputError(f"{where}: {what}: a link of this kind has no options of its own: remove {', '.join(options)}")
    found: dict[str, t.Any] = {}
    for name, value in options.items():
        if name not in table:
            raise InputError(f"{where}: {what} has no option {name!r}: use one of {', '.join(table)}")
        if value is None:
            continue
        for target in table[name].sets or (name,):
            if target in found:
                others = [other for other in options if other != name and target in (table[other].sets or (other,))]
                raise InputError(f"{where}: {what}.{name} and {what}.{others[0]} say the same thing: remove one of them")
            found[target] = normalise(table[target], value, f"{where}: {what}.{name}")
    for name, option in table.items():
        if complete and option.required and name not in found:
            raise InputError(f"{where}: {what}.{name} is required for a link of kind {what}: give it")
    return found


def in_place(kind: str, name: str, before: t.Any, after: t.Any) -> bool:
    """Whether the kernel can change this option of an existing link from one value to the other."""
    if kind == "bridge":
        return True
    option = KINDS[kind].options[name]
    if option.immutable:
        return False
    if kind in ("macvlan", "macvtap"):
        return "passthru" not in (before, after)
    if option.type == "ip":  # another family is refused; without a remote a device is IPv4's
        return (":" in str(before)) == (":" in str(after))
    # Whether it has a remote decides whether a tunnel is point to point, which stays as it was born.
    return not (kind in ("gre", "ipip", "sit") and name == "remote" and before is None)


def _integer(value: t.Any) -> t.Any:
    """A number that a template turned into text is a number."""
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value


def _boolean(value: t.Any, what: str) -> bool:
    try:
        return _BOOLEANS[str(value).strip().lower()]
    except KeyError:
        raise InputError(f"{what}: {value!r} is neither true nor false: write one of them") from None


def _chosen(option: Option, value: t.Any, what: str) -> str:
    text = str(value).lower()
    for name, at in option.choices.items():
        if text in (name, str(at)):
            return name
    raise InputError(f"{what}: {value!r} is unknown: use one of {', '.join(option.choices)}")


def _address(option: Option, value: str, what: str) -> str:
    address = ip_address(value, what)
    if option.type == "ip4" and ":" in address:
        raise InputError(f"{what}: {value!r} is an IPv6 address, but this kind of tunnel has IPv4 outside: use an IPv4 address")
    if ipaddress.ip_address(address).is_unspecified:
        raise InputError(f"{what}: {value!r} is no address: leave the option out instead")
    return address


def _key(value: t.Any, what: str) -> int:
    """A tunnel's key: a number, or four of them as an IPv4 address."""
    if isinstance(value, str) and "." in value:
        return int(ipaddress.IPv4Address(ip_address(value, what)))
    return number(_integer(value), what, 0, _U32)


def _account(kind: str, value: t.Any, what: str) -> int:
    """The number of a user or a group of this machine."""
    value = _integer(value)
    if not isinstance(value, str):
        return number(value, what, 0, _INT)
    import grp
    import pwd

    try:
        return pwd.getpwnam(value).pw_uid if kind == "user" else grp.getgrnam(value).gr_gid
    except KeyError:
        raise InputError(f"{what}: there is no {kind} {value!r} on this host: correct it, or create the {kind} first") from None
