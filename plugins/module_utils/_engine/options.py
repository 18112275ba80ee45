# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Options as users write them -> records. Everything that can be wrong without a look at the host is found here."""

from __future__ import annotations

import dataclasses
import typing as t

from . import ip_options, values
from .errors import InputError
from .record import Key, Resource, pairs
from .resources import Address, Link, Namespace, Nexthop, OnlyAddresses, Sysctl, TakeOver, Veth
from .resources_nat import Publish

Item = t.Mapping[str, t.Any]

_OPTION_NAMES = {
    "link_kind": "kind",
    "ifname": "name",
    "prefixlen": "the prefix length",
    "resolver": "the DNS configuration",
    "mac_of": "take_over",
}


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What a run is asked for; ``labels`` say which option an object came from, ``because`` why the absent ones go."""

    present: tuple[Resource, ...] = ()
    absent: tuple[Resource, ...] = ()
    labels: t.Mapping[Key, str] = dataclasses.field(default_factory=dict)
    because: str = "state is absent"


def read(lists: t.Mapping[str, t.Sequence[Item]], state: str = "present", topology: bool = False) -> Wanted:
    """All records that the lists mean. ``topology``: messages name the list and the item.

    Raises InputError with one sentence for the first thing that cannot be meant.
    """
    seen: dict[Key, tuple[Resource, str]] = {}
    for list_name, reader in _READERS.items():
        for position, item in enumerate(lists.get(list_name) or ()):
            label = f"{list_name}[{position}]" if topology else ""
            try:
                found = reader(item, state == "present")
            except InputError as exc:
                # what is said of a kind's attributes begins with the link's name
                between = ": " if str(exc).startswith("link ") else "."
                raise InputError(f"{label}{between}{exc}" if label else str(exc)) from None
            for resource in found:
                _add(seen, resource, label)
    _check_devices(seen)
    _check_numbers(seen)
    records = tuple(_with_all_listed(resource, seen) for resource, _label in seen.values())
    labels = {key: label for key, (_resource, label) in seen.items()}
    return Wanted(present=records, labels=labels) if state == "present" else Wanted(absent=records, labels=labels)


def _add(seen: dict[Key, tuple[Resource, str]], resource: Resource, label: str) -> None:
    other, where = seen.setdefault(resource.key, (resource, label))
    if other == resource or isinstance(resource, OnlyAddresses):
        return
    theirs, ours = _flat(other), _flat(resource)
    differs = next(name for name in {**theirs, **ours} if ours.get(name) != theirs.get(name))
    sides = (_said(side.get(differs), differs) for side in (theirs, ours))
    said = f"{resource.describe()}: {differs} is {' in the one and '.join(sides)} in the other: remove one of them"
    if where == label:  # one item says both
        raise InputError(f"{label}{': ' if label else ''}two of the values contradict each other about {said}")
    raise InputError(f"{where} and {label} contradict each other about {said}")


def _said(value: t.Any, option: str) -> str:
    """A value as a user would write it."""
    if value is None or (value == values.HOST and option.endswith("netns")):
        return "not given"
    if not isinstance(value, tuple):
        return repr(value)
    plain = (dataclasses.asdict(each) if isinstance(each, (Nexthop, Publish)) else each for each in value)
    return repr([{name: inner for name, inner in each.items() if inner} if isinstance(each, dict) else each for each in plain])


def _flat(resource: Resource, prefix: str = "") -> dict[str, t.Any]:
    """What an item says, by the names of its options."""
    found: dict[str, t.Any] = {}
    for field in dataclasses.fields(resource):
        value = getattr(resource, field.name)
        if isinstance(value, Link):
            found.update(_flat(value, "" if field.name == "end" else f"{field.name}."))
        elif field.name in ("info", "port"):
            option = "port" if field.name == "port" else getattr(resource, "link_kind", None) or ""
            found.update({f"{prefix}{option}.{name}": inner for name, inner in value})
        else:
            found[prefix + _OPTION_NAMES.get(field.name, field.name)] = value
    return found


def _with_all_listed(resource: Resource, seen: t.Mapping[Key, tuple[Resource, str]]) -> Resource:
    """``exclusive`` in one item spares what other items list for the same device."""
    if not isinstance(resource, OnlyAddresses):
        return resource
    place = (resource.netns, resource.dev)
    addresses = (other for other, _label in seen.values() if isinstance(other, Address))
    return dataclasses.replace(resource, keep=tuple(address for address in addresses if (address.netns, address.dev) == place))


def _check_devices(seen: t.Mapping[Key, tuple[Resource, str]]) -> None:
    """A name in a namespace belongs to one device only."""
    owner: dict[tuple[str, str], str] = {}
    for resource, label in seen.values():
        ends = resource.ends if isinstance(resource, Veth) else (resource,) if isinstance(resource, Link) else ()
        for end in ends:
            other = owner.setdefault((end.netns, end.ifname), label)
            if other is not label:
                what = f"link {end.ifname} {values.place(end.netns)}"
                raise InputError(f"{other} and {label} contradict each other: both make {what}: rename or remove one of them")


def _check_numbers(seen: t.Mapping[Key, tuple[Resource, str]]) -> None:
    """A number belongs to one namespace only."""
    owner: dict[int, str] = {}
    for resource, label in seen.values():
        if isinstance(resource, Namespace) and resource.nsid is not None:
            other = owner.setdefault(resource.nsid, label)
            if other is not label:
                raise InputError(
                    f"{other} and {label} contradict each other: both are to have nsid {resource.nsid}: change or remove one of them"
                )


def _namespaces(item: Item, present: bool) -> list[Resource]:
    names = item["name"] if isinstance(item["name"], list) else [item["name"]]
    pid, nsid = item.get("pid"), item.get("nsid")
    if nsid is not None:
        values.number(nsid, "nsid", 0, 2**31 - 1)
        if len(names) > 1:
            raise InputError(f"nsid: {nsid} can belong to one namespace only, and name lists {len(names)}: use one task each")
    if pid is not None:
        values.number(pid, "pid", 1, 2**22)
        if len(names) > 1:
            raise InputError(f"pid: {pid} has one namespace only, and name lists {len(names)}: use one task each")
    values.number(10 if item.get("kill_timeout") is None else item["kill_timeout"], "kill_timeout", 0, 86400)
    return (
        [
            Namespace(
                netns=values.namespace_name(name, "name"),
                loopback=True if item.get("loopback", True) is not False else None,
                nsid=nsid,
                resolver=_resolver(item),
                pid=pid,
                processes=item.get("processes") or "fail",
                kill_timeout=10 if item.get("kill_timeout") is None else item["kill_timeout"],
            )
            for name in dict.fromkeys(names)
        ]
        if names
        else _refuse("name: the list is empty: give at least one namespace name")
    )


def _refuse(message: str) -> t.Any:
    raise InputError(message)


def _resolver(item: Item) -> str | None:
    servers, search, options = (item.get(name) or [] for name in ("nameservers", "search", "resolver_options"))
    if not (servers or search or options):
        return None
    for option, words in (("search", search), ("resolver_options", options)):
        for word in words:
            if not word or not word.isprintable() or " " in word:
                raise InputError(f"{option}: {word!r} is not one word: give each entry of the list as an item of its own")
    lines = [values.RESOLVER_MARK]
    for server in servers:
        address, zone, device = server.partition("%")
        zone += values.interface_name(device, "nameservers") if zone else ""
        lines.append(f"nameserver {values.ip_address(address, 'nameservers')}{zone}")
    lines += [f"search {' '.join(search)}"] if search else []
    lines += [f"options {' '.join(options)}"] if options else []
    return "\n".join(lines) + "\n"


def _end(item: Item, prefix: str, kind: str, force: bool) -> Link:
    """What a veth end and any other link have in common."""
    name = values.interface_name(item.get("name") or "", f"{prefix}name")
    master = item.get("master")
    if master == name:
        raise InputError(f"{prefix}master: {name!r} cannot be its own master: name the bridge that it is to join")
    for option, low, high in (("mtu", 68, 2**31 - 1), ("txqueuelen", 0, 2**31 - 1), ("num_tx_queues", 1, 4096), ("num_rx_queues", 1, 4096)):
        if item.get(option) is not None:
            values.number(item[option], f"{prefix}{option}", low, high)
    alias = item.get("alias")
    if alias is not None and len(alias.encode()) > 255:
        raise InputError(f"{prefix}alias: {len(alias.encode())} bytes are too many for link {name}: the kernel keeps 255 at most")
    if alias and "\0" in alias:
        raise InputError(f"{prefix}alias: {alias!r} of link {name} has a zero byte, at which the kernel would end it: remove it")
    return Link(
        netns=values.netns_reference(item.get("netns"), f"{prefix}netns"),
        ifname=name,
        link_kind=kind or None,
        mtu=item.get("mtu"),
        mac_address=values.mac_address(item["mac_address"], f"{prefix}mac_address") if item.get("mac_address") else None,
        master=values.interface_name(master, f"{prefix}master") if master else master,
        up=item.get("up"),
        alias=alias,
        txqueuelen=item.get("txqueuelen"),
        num_tx_queues=item.get("num_tx_queues"),
        num_rx_queues=item.get("num_rx_queues"),
        force=force,
        # the host's end of a port needs no address of its own, and without one it does not flood the bridge
        addr_gen_mode="none" if kind == "veth" and master else None,
    )


def _veths(item: Item, present: bool) -> list[Resource]:
    force = bool(item.get("force"))
    end, other = _end(item, "", "veth", force), item.get("peer")
    if other is None:
        if present:
            raise InputError(f"peer: veth {end.ifname} needs its other end: give peer.name and peer.netns or peer.master")
        return [Veth(end=end, force=force)]
    peer = _end(other, "peer.", "veth", force)
    if (peer.netns, peer.ifname) == (end.netns, end.ifname):
        raise InputError(
            f"peer: {peer.ifname!r} {values.place(peer.netns)} is the end itself: give the other end another name or namespace"
        )
    return [Veth(end=end, peer=peer, force=force)]


def _links(item: Item, present: bool) -> list[Resource]:
    from . import kinds

    kind = item.get("kind") or ""
    link = _end(item, "", kind, bool(item.get("force")))
    foreign = [name for name in kinds.KINDS if item.get(name) and name != kind]
    if foreign:
        raise InputError(
            f"{foreign[0]}: link {link.ifname} is {f'of kind {kind}' if kind else 'an existing device'}: "
            f"remove {foreign[0]} or set kind: {foreign[0]}"
        )
    info = kinds.validate(kind, item.get(kind) or {}, f"link {link.ifname}") if kind and present else {}
    port = _port(item, link) if item.get("port") else {}
    parent, parent_netns = item.get("parent"), item.get("parent_netns")
    if parent and present and kind and kinds.KINDS[kind].needs_parent is False:
        raise InputError(f"parent: link {link.ifname} of kind {kind} stands on no other device: remove parent")
    if link.mac_address and present and kind and not kinds.KINDS[kind].has_mac:
        raise InputError(f"mac_address: link {link.ifname} of kind {kind} has no MAC address of its own: remove it")
    if port and link.master == "":
        raise InputError(f"port: link {link.ifname} is to be in no bridge, since master is empty: remove one of them")
    if not parent and present and kind and kinds.KINDS[kind].needs_parent:
        raise InputError(f"parent: link {link.ifname} of kind {kind} needs the device that it stands on: name it")
    if parent == link.ifname and (parent_netns is None or values.netns_reference(parent_netns) == link.netns):
        raise InputError(f"parent: {parent!r} cannot be its own parent: name the device that it stands on")
    return [
        dataclasses.replace(
            link,
            info=pairs(info),
            port=pairs(port),
            parent=values.interface_name(parent, "parent") if parent else None,
            parent_netns=values.netns_reference(parent_netns, "parent_netns") if parent and parent_netns is not None else None,
            from_netns=values.netns_reference(item.get("from_netns"), "from_netns"),
            mac_of=item.get("take_over"),
            # the driver of ifb takes a MAC address at birth only
            fixed=(*link.fixed, "mac_address") if kind == "ifb" else link.fixed,
        ),
        *_take_over(item, link),
    ]


def _take_over(item: Item, link: Link) -> list[Resource]:
    if not item.get("take_over"):
        return []
    port = values.interface_name(item["take_over"], "take_over")
    if link.link_kind != "bridge":
        raise InputError(f"take_over: link {link.ifname} is not a bridge, and only a bridge has ports: set kind: bridge")
    if port == link.ifname:
        raise InputError(f"take_over: {port!r} cannot be its own port: name the device that the bridge is to take over")
    return [TakeOver(netns=link.netns, bridge=link.ifname, port=port)]


def _port(item: Item, link: Link) -> dict[str, t.Any]:
    from . import bridge

    return bridge.validate_port(item["port"], f"link {link.ifname}")


def _sysctls(item: Item, present: bool) -> list[Resource]:
    netns = values.netns_reference(item.get("netns"))
    given = [(name, value, "sysctls", f"sysctls.{name}") for name, value in (item.get("sysctls") or {}).items()]
    if item.get("name") is not None:
        if item.get("value") is None:
            raise InputError(f"value: sysctl {item['name']} needs one: give a number or a text")
        given.append((item["name"], item["value"], "name", "value"))
    if not given:
        raise InputError("name: give a name with its value, or a dict of them as sysctls")
    return [
        Sysctl(netns=netns, path=values.sysctl_path(name, option), value=values.sysctl_value(value, value_option))
        for name, value, option, value_option in given
    ]


def _nat(item: Item, present: bool) -> list[Resource]:
    from . import options_nat

    return [options_nat.nat(item, present)]


_READERS: dict[str, t.Callable[[Item, bool], list[Resource]]] = {
    "namespaces": _namespaces,
    "links": _links,
    "veths": _veths,
    "addresses": ip_options.addresses,
    "routes": ip_options.routes,
    "rules": ip_options.rules,
    "sysctls": _sysctls,
    "nat": _nat,
}
