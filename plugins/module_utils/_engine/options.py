# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Options as users write them -> records. Everything that can be wrong without a look at the host is found here."""

from __future__ import annotations

import dataclasses
import typing as t

from . import values
from .errors import InputError
from .record import Key, Resource, Value
from .resources import Address, Link, Namespace, OnlyAddresses, Sysctl, Veth

Item = t.Mapping[str, t.Any]

# In the order in which they are read.
LISTS = ("namespaces", "links", "veths", "addresses", "routes", "rules", "sysctls", "nat")

_OPTION_NAMES = {
    "link_kind": "kind",
    "ifname": "name",
    "prefixlen": "the prefix length",
    "resolver": "the DNS configuration",
    "mac_of": "take_over",
}


@dataclasses.dataclass(eq=False, repr=False)  # as record does; said so that field() is known to be in one
class Wanted(Value):
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
    for list_name in (name for name in LISTS if lists.get(name)):
        reader = _reader(list_name)
        for position, item in enumerate(lists[list_name]):
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
    plain = (dataclasses.asdict(each) if dataclasses.is_dataclass(each) and not isinstance(each, type) else each for each in value)
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


def _reader(list_name: str) -> t.Callable[[Item, bool], list[Resource]]:
    """What reads the items of a list; compiled only by runs that have some."""
    if list_name in ("links", "veths"):
        from . import link_options

        return link_options.links if list_name == "links" else link_options.veths
    if list_name in ("addresses", "routes", "rules"):
        from . import ip_options

        return ip_options.READERS[list_name]
    if list_name == "nat":
        from . import options_nat

        return lambda item, present: [options_nat.nat(item, present)]
    return _namespaces if list_name == "namespaces" else _sysctls
