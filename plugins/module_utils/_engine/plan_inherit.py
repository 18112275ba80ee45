# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What a re-created device takes over from the one in its place: all that the wish leaves open and that still fits. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from .kind_options import KINDS
from .record import pairs
from .resources import Link

_VXLAN_HEADERS = {False: 50, True: 70}  # by whether there is IPv6 outside
_VXLAN_ENDS = ("local", "remote", "group")
# A bond takes these in every mode; zero as a delay it refuses where it looks at no carrier.
_BOND_ALWAYS = (
    *("miimon", "updelay", "downdelay", "xmit_hash_policy", "ad_select", "min_links", "fail_over_mac", "resend_igmp"),
    *("num_grat_arp", "all_slaves_active", "lp_interval"),
)
_BOND_MODES = {
    "balance-rr": ("packets_per_slave",),
    "active-backup": ("primary_reselect",),
    "802.3ad": ("lacp_rate", "ad_actor_sys_prio", "ad_user_port_key"),
    "balance-tlb": ("primary_reselect", "tlb_dynamic_lb"),
    "balance-alb": ("primary_reselect", "tlb_dynamic_lb"),
}


@dataclasses.dataclass(frozen=True)
class Around:
    """The devices that have a say in what a device can be."""

    parent: Link | None = None  # on which it stood
    coming_parent: Link | None = None  # on which it will stand
    master: Link | None = None
    lenders: frozenset[str] = frozenset()  # MAC addresses that it may have from others: its parent, its ports


def inherited(wish: Link, found: Link, around: Around) -> Link:
    """The wish with what it leaves open; ``found`` has all of the attributes of its kind and its settings as a port."""
    same = found.link_kind == wish.link_kind
    taken: dict[str, t.Any] = {
        "mtu": _mtu(wish, found, around),
        "mac_address": found.mac_address if _has_mac(wish) and not _borrows(wish, found, around) else None,
        "master": found.master if same or _may_join(wish, around.master) else None,
        **{name: getattr(found, name) for name in ("up", "alias", "txqueuelen")},
        # what is to be a port no more has a link-local address again
        "addr_gen_mode": None if found.master and wish.master == "" else found.addr_gen_mode,
    }
    # how many a kind has by itself is its own affair, and tun and tap settle it by multi_queue
    if same and wish.link_kind not in ("tun", "tap"):
        taken.update(num_tx_queues=found.num_tx_queues, num_rx_queues=found.num_rx_queues)
    # a parent that is an option may be left out and stay
    if same and wish.link_kind in KINDS and KINDS[wish.link_kind or ""].needs_parent is None:
        taken["parent"] = found.parent
    wish = dataclasses.replace(
        wish, **{name: value for name, value in taken.items() if getattr(wish, name) is None and value not in (None, "")}
    )
    return dataclasses.replace(
        wish,
        info=pairs({**_own(wish, found, around), **dict(wish.info)}) if same else wish.info,
        port=pairs({**dict(found.port), **dict(wish.port)}) if wish.master and wish.master == found.master else wish.port,
        altnames=found.altnames,
    )


def _has_mac(wish: Link) -> bool:
    kind = KINDS.get(wish.link_kind or "")
    return not wish.mac_of and (kind is None or kind.has_mac)


def _borrows(wish: Link, found: Link, around: Around) -> bool:
    """Whether the MAC address was, or will be, that of another device: a macvlan of mode passthru has the one of the device below."""
    return found.mac_address in around.lenders or "passthru" in (dict(link.info).get("mode") for link in (wish, found))


def _may_join(wish: Link, master: Link | None) -> bool:
    """Whether a device of another kind can be where the old one was: a bridge takes Ethernet only, and no other bridge."""
    if master is None or wish.link_kind == "vrf":
        return False
    return master.link_kind == "vrf" or (wish.link_kind != "bridge" and (wish.link_kind == "veth" or _has_mac(wish)))


def _moves(wish: Link, found: Link) -> bool:
    """Whether it will stand on another device."""
    return bool(wish.parent) and (wish.parent, wish.parent_netns or "") != (found.parent, found.parent_netns or "")


def _mtu(wish: Link, found: Link, around: Around) -> int | None:
    """As it was, unless it only followed the device below, or does not fit on the coming one: what is left open fits."""
    below, coming = around.parent, around.coming_parent
    if found.mtu is None or (below and _moves(wish, found) and found.mtu == below.mtu):
        return None
    headers = 0
    if wish.link_kind == "vxlan":
        ends = (value for name, value in _vxlan(dict(found.info), dict(wish.info)).items() if name in _VXLAN_ENDS)
        headers = _VXLAN_HEADERS[any(":" in end for end in ends)]
    if coming and coming.mtu and found.mtu > coming.mtu - headers:
        return None
    return found.mtu


def _own(wish: Link, found: Link, around: Around) -> dict[str, t.Any]:
    """The attributes of the kind that go together with those that are asked for."""
    own, asked = dict(found.info), dict(wish.info)
    if wish.link_kind == "ipvlan" and _moves(wish, found):
        return {}  # they are those of the device below, and of all that stand on it
    if wish.link_kind == "vxlan":
        return _vxlan(own, asked)
    if wish.link_kind == "bond":
        mode = str(asked.get("mode", own.get("mode")))
        names = (*_BOND_ALWAYS, *_BOND_MODES.get(mode, ()), "mode")
        return {name: value for name, value in own.items() if name in names and (value or not name.endswith("delay"))}
    return own


def _vxlan(own: dict[str, t.Any], asked: dict[str, t.Any]) -> dict[str, t.Any]:
    """With what is asked; of one IP version, and with one peer or one group."""
    if "remote" in asked or "group" in asked:
        own = {name: value for name, value in own.items() if name not in ("remote", "group")}
    versions = {":" in asked[name] for name in _VXLAN_ENDS if name in asked}
    fitting = {name: value for name, value in own.items() if name not in _VXLAN_ENDS or not versions or (":" in value) in versions}
    return {**fitting, **asked}
