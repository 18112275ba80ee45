# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of addresses -> records."""

from __future__ import annotations

import dataclasses
import typing as t

from . import values, values_ip
from .errors import InputError
from .ip_options import U32, listed
from .record import Resource
from .resources_addresses import Address, OnlyAddresses

Item = t.Mapping[str, t.Any]


_FOREVER = U32
_LABEL_MAX = 15


def addresses(item: Item, present: bool) -> list[Resource]:
    given = listed(item, "address")
    netns, dev = values.netns_reference(item.get("netns")), values.interface_name(item["dev"], "dev")
    found = [_address(item, netns, dev, value) for value in given]
    if not item.get("exclusive") or not present:
        return list(found)
    return [*found, OnlyAddresses(netns=netns, dev=dev, keep=tuple(found))]


def with_all_listed(records: t.Sequence[Resource]) -> tuple[Resource, ...]:
    """``exclusive`` in one item spares what other items list for the same device."""
    by_device: dict[tuple[str, str], list[Address]] = {}
    for record in records:
        if isinstance(record, Address):
            by_device.setdefault((record.netns, record.dev), []).append(record)
    return tuple(
        dataclasses.replace(record, keep=tuple(by_device[(record.netns, record.dev)])) if isinstance(record, OnlyAddresses) else record
        for record in records
    )


def _address(item: Item, netns: str, dev: str, value: str) -> Address:
    host, prefixlen = values_ip.ip_interface(value, "address")
    address, version6 = str(host), host.version == 6
    if host.is_multicast or host.is_unspecified:
        what = "a multicast" if host.is_multicast else "the unspecified"
        raise InputError(f"address: {value!r} cannot be given to a device: it is {what} address, use one of a single host")
    for name in ("peer", "broadcast"):
        other = item.get(name)
        if other and values_ip.family_of(values_ip.ip_address(other, name)) != values_ip.family_of(address):
            raise InputError(f"{name}: {other!r} is not of the same family as {value}: give each family an item of its own")
        if other and name == "broadcast" and version6:
            raise InputError(f"broadcast: IPv6 has none: remove it, or give {value} an item of its own")
        if other and name == "peer" and values_ip.ip_address(other, name) == address:
            raise InputError(f"peer: {other!r} is the address itself: remove it, or give the address of the other end")
    label = item.get("label")
    if label and (len(label.encode()) > _LABEL_MAX or not label.startswith(dev) or not label.isprintable()):
        raise InputError(f"label: {label!r} must begin with {dev!r} and have at most {_LABEL_MAX} bytes, none of them a control character")
    valid, preferred = (_lifetime(item, name) for name in ("valid_lft", "preferred_lft"))
    if preferred is not None and preferred > (valid if valid is not None else _FOREVER):
        raise InputError(f"preferred_lft: {item['preferred_lft']} is longer than valid_lft, {valid}: lower it, or raise valid_lft")
    scope = item.get("scope")
    return Address(
        netns=netns,
        dev=dev,
        address=address,
        prefixlen=prefixlen,
        peer=values_ip.ip_address(item["peer"], "peer") if item.get("peer") else None,
        broadcast=values_ip.ip_address(item["broadcast"], "broadcast") if item.get("broadcast") and not version6 else None,
        label=label if not version6 else None,
        scope=values_ip.named_number(scope, values_ip.SCOPES, "scope") if scope is not None and not version6 else None,
        metric=values.number(item["metric"], "metric", 0, U32) if item.get("metric") is not None else None,
        preferred_lft=preferred,
        valid_lft=valid,
        nodad=item.get("nodad") if version6 else None,
        noprefixroute=item.get("noprefixroute"),
        home=item.get("home") if version6 else None,
        mngtmpaddr=item.get("mngtmpaddr") if version6 else None,
        wait_for_dad=item.get("wait_for_dad") is not False and version6 and not item.get("nodad"),
    )


def _lifetime(item: Item, name: str) -> int | None:
    value = item.get(name)
    if value is None:
        return None
    if str(value) == "forever":
        return _FOREVER
    if str(value).isdecimal():
        return values.number(int(value), name, 0 if name == "preferred_lft" else 1, U32)
    raise InputError(f"{name}: {value!r} is neither a number of seconds nor 'forever': use one of them")
