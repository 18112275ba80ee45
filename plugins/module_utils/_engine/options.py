# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Options as users write them -> records. Everything that can be wrong without a look at the host is found here."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from . import values
from .errors import InputError
from .resources import Address, Key, Link, Namespace, Nat, Nexthop, OnlyAddresses, Resource, Route, Rule, Sysctl, Veth, pairs

Item = t.Mapping[str, t.Any]

RESOLVER_MARK = "# Managed by linuxnet.netns"
_RT_TABLES = ("/etc/iproute2/rt_tables", "/usr/share/iproute2/rt_tables", "/etc/iproute2/rt_tables.d", "/usr/share/iproute2/rt_tables.d")
_IPV6_DEFAULT_METRIC = 1024
_U32 = 2**32 - 1
_FOREVER = _U32
_WITHOUT_NEXTHOP = ("blackhole", "unreachable", "prohibit", "throw")
_SELECTORS = ("from", "to", "iif", "oif", "fwmark", "fwmask", "tos", "ipproto", "sport", "dport", "uidrange", "not")
_IP_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "icmpv6": 58, "sctp": 132}
_LABEL_MAX = 15


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What a run is asked for; ``labels`` say which option an object came from."""

    present: tuple[Resource, ...] = ()
    absent: tuple[Resource, ...] = ()
    labels: t.Mapping[Key, str] = dataclasses.field(default_factory=dict)


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
                raise InputError(f"{label}.{exc}" if label else str(exc)) from None
            for resource in found:
                _add(seen, resource, label)
    records = tuple(resource for resource, _label in seen.values())
    _check_devices(seen)
    labels = {key: label for key, (_resource, label) in seen.items()}
    return Wanted(present=records, labels=labels) if state == "present" else Wanted(absent=records, labels=labels)


def _add(seen: dict[Key, tuple[Resource, str]], resource: Resource, label: str) -> None:
    other, where = seen.setdefault(resource.key, (resource, label))
    if other == resource:
        return
    theirs, ours = dataclasses.asdict(other), dataclasses.asdict(resource)
    differs = next(name for name in ours if ours[name] != theirs[name])
    raise InputError(
        f"{where or 'one item'} and {label or 'another'} contradict each other about {resource.describe()}: "
        f"{differs} is {theirs[differs]!r} in the one and {ours[differs]!r} in the other: remove one of them"
    )


def _check_devices(seen: t.Mapping[Key, tuple[Resource, str]]) -> None:
    """A name in a namespace belongs to one device only."""
    owner: dict[tuple[str, str], str] = {}
    for resource, label in seen.values():
        ends = resource.ends if isinstance(resource, Veth) else (resource,) if isinstance(resource, Link) else ()
        for end in ends:
            other = owner.setdefault((end.netns, end.ifname), label)
            if other is not label:
                raise InputError(f"{other} and {label} contradict each other: both make {end.describe()}: rename or remove one of them")


def _namespaces(item: Item, present: bool) -> list[Resource]:
    names = item["name"] if isinstance(item["name"], list) else [item["name"]]
    pid, nsid = item.get("pid"), item.get("nsid")
    if nsid is not None:
        values.number(nsid, "nsid", 0, 2**31 - 1)
        if len(names) > 1:
            raise InputError(f"nsid: {nsid} can belong to one namespace only, and name lists {len(names)}: use one task each")
    if pid is not None:
        values.number(pid, "pid", 1, 2**22)
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
    for word in (*search, *options):
        if not word or any(char.isspace() for char in word):
            raise InputError(f"search, resolver_options: {word!r} is not one word: give each entry of the list as an item of its own")
    lines = [RESOLVER_MARK]
    lines += [f"nameserver {values.ip_address(server, 'nameservers')}" for server in servers]
    lines += [f"search {' '.join(search)}"] if search else []
    lines += [f"options {' '.join(options)}"] if options else []
    return "\n".join(lines) + "\n"


def _end(item: Item, prefix: str, kind: str, force: bool) -> Link:
    """What a veth end and any other link have in common."""
    name = values.interface_name(item.get("name") or "", f"{prefix}name")
    master = item.get("master")
    if master == name:
        raise InputError(f"{prefix}master: {name!r} cannot be its own master")
    for option, low, high in (("mtu", 68, 2**31 - 1), ("txqueuelen", 0, 2**31 - 1), ("num_tx_queues", 1, 4096), ("num_rx_queues", 1, 4096)):
        if item.get(option) is not None:
            values.number(item[option], f"{prefix}{option}", low, high)
    alias = item.get("alias")
    if alias is not None and len(alias.encode()) > 255:
        raise InputError(f"{prefix}alias: {len(alias.encode())} bytes are too many: the kernel keeps 255 at most")
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
            f"{foreign[0]}: link {link.ifname} is of kind {kind or '(an existing device)'}: remove {foreign[0]} or set kind: {foreign[0]}"
        )
    info = kinds.validate(kind, item.get(kind) or {}, f"link {link.ifname}") if kind and present else {}
    port = _port(item, link) if item.get("port") else {}
    parent, parent_netns = item.get("parent"), item.get("parent_netns")
    if parent and present and kind and kinds.KINDS[kind].needs_parent is False:
        raise InputError(f"parent: a link of kind {kind} has none: remove it")
    if not parent and present and kind and kinds.KINDS[kind].needs_parent:
        raise InputError(f"parent: link {link.ifname} of kind {kind} needs the device that it stands on")
    if parent == link.ifname and (parent_netns is None or values.netns_reference(parent_netns) == link.netns):
        raise InputError(f"parent: {parent!r} cannot be its own parent")
    return [
        dataclasses.replace(
            link,
            info=pairs(info),
            port=pairs(port),
            parent=values.interface_name(parent, "parent") if parent else None,
            parent_netns=values.netns_reference(parent_netns, "parent_netns") if parent and parent_netns is not None else None,
            from_netns=values.netns_reference(item.get("from_netns"), "from_netns"),
        )
    ]


def _port(item: Item, link: Link) -> dict[str, t.Any]:
    from . import bridge

    return bridge.validate_port(item["port"], f"link {link.ifname}")


def _addresses(item: Item, present: bool) -> list[Resource]:
    given = item["address"] if isinstance(item["address"], list) else [item["address"]]
    netns, dev = values.netns_reference(item.get("netns")), values.interface_name(item["dev"], "dev")
    found = [_address(item, netns, dev, value) for value in given]
    if not item.get("exclusive") or not present:
        return list(found)
    return [*found, OnlyAddresses(netns=netns, dev=dev, keep=tuple(found))]


def _address(item: Item, netns: str, dev: str, value: str) -> Address:
    interface = values.ip_interface(value, "address")
    version6 = interface.version == 6
    if interface.ip.is_multicast or interface.ip.is_unspecified:
        what = "a multicast" if interface.ip.is_multicast else "the unspecified"
        raise InputError(f"address: {value!r} cannot be given to a device: it is {what} address")
    for name in ("peer", "broadcast"):
        other = item.get(name)
        if other and values.family_of(values.ip_address(other, name)) != values.family_of(str(interface.ip)):
            raise InputError(f"{name}: {other!r} is not of the same family as {value}")
    label = item.get("label")
    if label and (len(label) > _LABEL_MAX or not label.startswith(dev)):
        raise InputError(f"label: {label!r} must begin with {dev!r} and have at most {_LABEL_MAX} characters")
    valid, preferred = (_lifetime(item, name) for name in ("valid_lft", "preferred_lft"))
    if preferred is not None and preferred > (valid if valid is not None else _FOREVER):
        raise InputError(f"preferred_lft: {preferred} is longer than valid_lft, {valid}")
    scope = item.get("scope")
    return Address(
        netns=netns,
        dev=dev,
        address=str(interface.ip),
        prefixlen=interface.network.prefixlen,
        peer=values.ip_address(item["peer"], "peer") if item.get("peer") else None,
        broadcast=values.ip_address(item["broadcast"], "broadcast") if item.get("broadcast") and not version6 else None,
        label=label if not version6 else None,
        scope=values.named_number(scope, values.SCOPES, "scope") if scope is not None and not version6 else None,
        metric=values.number(item["metric"], "metric", 0, _U32) if item.get("metric") is not None else None,
        preferred_lft=preferred,
        valid_lft=valid,
        nodad=item.get("nodad") if version6 else None,
        noprefixroute=item.get("noprefixroute"),
        home=item.get("home") if version6 else None,
        mngtmpaddr=item.get("mngtmpaddr") if version6 else None,
        wait_for_dad=item.get("wait_for_dad") is not False and version6,
    )


def _lifetime(item: Item, name: str) -> int | None:
    value = item.get(name)
    if value is None:
        return None
    if str(value) == "forever":
        return _FOREVER
    if str(value).isdigit():
        return values.number(int(value), name, 0 if name == "preferred_lft" else 1, _U32)
    raise InputError(f"{name}: {value!r} is neither a number of seconds nor 'forever'")


def _tables() -> dict[str, int]:
    """Names from rt_tables; where a file is not there it says nothing."""
    found: dict[str, int] = {}
    for path in _RT_TABLES:
        files = [os.path.join(path, name) for name in sorted(os.listdir(path)) if name.endswith(".conf")] if os.path.isdir(path) else [path]
        for file in filter(os.path.isfile, files):
            with open(file, encoding="utf-8", errors="replace") as lines:
                for words in (line.split("#")[0].split() for line in lines):
                    if len(words) == 2 and words[0].isdigit():
                        found.setdefault(words[1], int(words[0]))
    return found


def _table(item: Item, default: int) -> int:
    value = item.get("table")
    if value is None:
        return default
    known = str(value).isdigit() or str(value) in values.ROUTE_TABLES
    return values.table_number(value, {} if known else _tables())


def _routes(item: Item, present: bool) -> list[Resource]:
    given = item["dest"] if isinstance(item["dest"], list) else [item["dest"]]
    return [_route(item, dest, present) for dest in given]


def _route_dest(item: Item, dest: str) -> str:
    if dest != "default":
        return values.ip_prefix(dest, "dest")
    family = item.get("family")
    hops = [hop.get("gateway") for hop in item.get("nexthops") or ()]
    for gateway in (item.get("gateway"), *hops, item.get("src")):
        if gateway and not family:
            family = values.family_of(values.ip_address(gateway, "gateway"))
    if not family:
        raise InputError("family: 'default' without a gateway fits IPv4 and IPv6: say which, family: ipv4 or family: ipv6")
    return "::/0" if family == "ipv6" else "0.0.0.0/0"


def _route(item: Item, given: str, present: bool) -> Route:
    dest = _route_dest(item, given)
    family, kind, metric = values.family_of(dest), item.get("type"), item.get("metric")
    hops = tuple(_nexthop(hop, position, family) for position, hop in enumerate(item.get("nexthops") or ()))
    gateway, dev = item.get("gateway"), item.get("dev")
    if gateway:
        gateway = _gateway_of(gateway, "gateway", family)
    _check_nexthop(item, given, present, hops)
    if gateway and gateway.startswith("fe80:") and not dev:
        raise InputError(f"dev: gateway {gateway} of route {given} is link-local: say on which device it is")
    for name in ("mtu", "advmss"):
        if item.get(name) is not None:
            values.number(item[name], name, 0, 65535 if name == "advmss" else _U32)
    if metric is not None:
        metric = values.number(metric, "metric", 0, _U32)
    default_metric = _IPV6_DEFAULT_METRIC if family == "ipv6" else 0
    scope, protocol = item.get("scope"), item.get("protocol")
    return Route(
        netns=values.netns_reference(item.get("netns")),
        dest=dest,
        table=_table(item, values.ROUTE_TABLES["local" if kind == "local" else "main"]),
        metric=(metric or default_metric) if present or metric is not None else None,
        gateway=gateway,
        dev=values.interface_name(dev, "dev") if dev else None,
        type=kind if kind or not present else "unicast",
        scope=values.named_number(scope, values.SCOPES, "scope") if scope is not None and family == "ipv4" else None,
        src=values.ip_address(item["src"], "src") if item.get("src") else None,
        mtu=item.get("mtu"),
        advmss=item.get("advmss"),
        onlink=item.get("onlink"),
        protocol=values.named_number(protocol, values.ROUTE_PROTOCOLS, "protocol") if protocol is not None else None,
        nexthops=hops,
    )


def _gateway_of(value: str, option: str, family: str) -> str:
    gateway = values.ip_address(value, option)
    if family == "ipv6" and values.family_of(gateway) == "ipv4":
        raise InputError(f"{option}: {value!r} cannot be the gateway of an IPv6 route: use an IPv6 address")
    return gateway


def _nexthop(hop: Item, position: int, family: str) -> Nexthop:
    option = f"nexthops[{position}]"
    if not hop.get("gateway") and not hop.get("dev"):
        raise InputError(f"{option}: give a gateway, a dev or both")
    gateway = _gateway_of(hop["gateway"], f"{option}.gateway", family) if hop.get("gateway") else None
    weight = values.number(hop.get("weight") or 1, f"{option}.weight", 1, 256)
    return Nexthop(gateway, values.interface_name(hop["dev"], f"{option}.dev") if hop.get("dev") else None, weight, bool(hop.get("onlink")))


def _check_nexthop(item: Item, dest: str, present: bool, hops: tuple[Nexthop, ...]) -> None:
    kind, gateway, dev = item.get("type"), item.get("gateway"), item.get("dev")
    if hops and (gateway or dev):
        raise InputError(f"nexthops: route {dest} has a {'gateway' if gateway else 'dev'} too: use either the list or the single options")
    if kind in _WITHOUT_NEXTHOP and (gateway or dev or hops):
        raise InputError(
            f"type: a {kind} route goes nowhere: remove {'gateway' if gateway else 'dev' if dev else 'nexthops'} of route {dest}"
        )
    if present and kind not in _WITHOUT_NEXTHOP and not (gateway or dev or hops):
        raise InputError(f"gateway: route {dest} has no way to go: give a gateway, a dev, nexthops or a type such as blackhole")
    if item.get("onlink") and not (gateway and dev):
        raise InputError(f"onlink: route {dest} needs a gateway and the dev on which it is")


def _rules(item: Item, present: bool) -> list[Resource]:
    chosen: dict[str, t.Any] = {name: item.get(name) for name in _SELECTORS}
    families = set()
    for name in ("from", "to"):
        if chosen[name] in ("all", "any", "default"):
            chosen[name] = None
        if chosen[name]:
            chosen[name] = values.ip_prefix(chosen[name], name)
            families.add(values.family_of(chosen[name]))
    family = item.get("family") or (
        families.pop() if len(families) == 1 else "ipv4" if not families else _refuse("from, to: they are of different families")
    )
    if families and families != {family}:
        raise InputError(f"family: {family} does not fit the address in from or to")
    for name in ("iif", "oif"):
        if chosen[name]:
            values.interface_name(chosen[name], name)
    _rule_numbers(chosen)
    priority, kind = item.get("priority"), item.get("type")
    suppress = item.get("suppress_prefixlength")
    return [
        Rule(
            netns=values.netns_reference(item.get("netns")),
            family=family,
            priority=values.number(priority, "priority", 0, _U32) if priority is not None else None,
            selectors=pairs({name: value for name, value in chosen.items() if value not in (None, False)}),
            table=_table(item, values.ROUTE_TABLES["main"])
            if kind in (None, "unicast") and (present or item.get("table") is not None)
            else None,
            type=kind or ("unicast" if present else None),
            suppress_prefixlength=values.number(suppress, "suppress_prefixlength", -1, 128) if suppress is not None else None,
        )
    ]


def _rule_numbers(chosen: dict[str, t.Any]) -> None:
    for name in ("fwmark", "fwmask"):
        if chosen[name] is not None:
            chosen[name] = _flexible_number(chosen[name], name, _U32)
    if chosen["fwmark"] is not None and chosen["fwmask"] is None:
        chosen["fwmask"] = _U32
    if chosen["fwmask"] is not None and chosen["fwmark"] is None:
        raise InputError("fwmask: it needs the fwmark that it masks")
    if chosen["tos"] is not None:
        chosen["tos"] = _flexible_number(chosen["tos"], "tos", 255) or None
    if chosen["ipproto"] is not None:
        chosen["ipproto"] = values.named_number(chosen["ipproto"], _IP_PROTOCOLS, "ipproto")
    for name, high in (("sport", 65535), ("dport", 65535), ("uidrange", _U32 - 1)):
        if chosen[name] is not None:
            chosen[name] = _range(chosen[name], name, high)


def _flexible_number(value: t.Any, option: str, high: int) -> int:
    try:
        return values.number(int(str(value), 0), option, 0, high)
    except ValueError:
        raise InputError(f"{option}: {value!r} is not a number: write it decimal or as 0x...") from None


def _range(value: t.Any, option: str, high: int) -> str:
    first, _dash, last = str(value).partition("-")
    if not first.isdigit() or not (last or first).isdigit() or not int(first) <= int(last or first) <= high:
        raise InputError(f"{option}: {value!r} is neither a number nor a range such as 1000-1999, {high} at most")
    return str(int(first)) if int(first) == int(last or first) else f"{int(first)}-{int(last)}"


def _sysctls(item: Item, present: bool) -> list[Resource]:
    netns = values.netns_reference(item.get("netns"))
    given = dict(item.get("sysctls") or {})
    if item.get("name") is not None:
        if item.get("value") is None:
            raise InputError(f"value: {item['name']} needs one")
        given[item["name"]] = item["value"]
    if not given:
        raise InputError("name: give a name with its value, or a dict of them as sysctls")
    return [Sysctl(netns=netns, path=values.sysctl_path(name), value=values.sysctl_value(value)) for name, value in given.items()]


def _nat(item: Item, present: bool) -> list[Resource]:
    interface, uplink = item.get("interface"), item.get("uplink") or "auto"
    subnets = tuple(dict.fromkeys(values.ip_prefix(subnet, "subnets") for subnet in item.get("subnets") or ()))
    if present and not subnets:
        raise InputError(f"subnets: nat {item['name']} needs at least one")
    if present and not interface:
        raise InputError(f"interface: nat {item['name']} needs the device that its subnets are behind")
    return [
        Nat(
            netns=values.netns_reference(item.get("netns")),
            network=item["name"],
            subnets=subnets,
            interface=values.interface_name(interface, "interface") if interface else None,
            uplink=values.interface_name(uplink, "uplink"),
            masquerade=item.get("masquerade") is not False,
        )
    ]


_READERS: dict[str, t.Callable[[Item, bool], list[Resource]]] = {
    "namespaces": _namespaces,
    "links": _links,
    "veths": _veths,
    "addresses": _addresses,
    "routes": _routes,
    "rules": _rules,
    "sysctls": _sysctls,
    "nat": _nat,
}
