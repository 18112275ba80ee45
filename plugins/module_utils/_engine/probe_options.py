# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Options of a probe -> checks. Everything that can be wrong without a look at the host is found here. Pure."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import typing as t

from . import values, values_ip
from .errors import InputError
from .values import place

Item = t.Mapping[str, t.Any]

KINDS = ("http", "mtu", "ping", "tcp", "udp_dns")
TIMEOUT, RETRIES = 5.0, 3
_LONGEST, _MOST = 3600, 1000
_LEAST_MTU = {4: 68, 6: 1280}
_GREATEST_MTU = 65535
_DNS_PORT = 53

_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_PORTS = {"http": 80, "https": 443}


class Place(t.NamedTuple):
    """Whom to talk to: an address or a name, and for a link-local address the device."""

    host: str
    zone: str = ""
    port: int = 0

    @property
    def numeric(self) -> bool:
        return ":" in self.host or self.host.replace(".", "").isdigit()

    @property
    def version(self) -> int:
        return 6 if ":" in self.host else 4


@dataclasses.dataclass(frozen=True)
class Check:
    """One question to the network, asked from inside a namespace."""

    netns: str
    kind: str
    target: str  # as a person writes it
    to: Place | None  # of udp_dns None: the name servers of the namespace
    path: str = ""  # http
    header: str = ""  # http: what the server is called
    secure: bool = False
    name: str = ""  # udp_dns
    size: int = 0  # mtu
    timeout: float = TIMEOUT
    retries: int = RETRIES
    expect_source: str | None = None

    def describe(self) -> str:
        """How a message names it."""
        return f"{self.kind} {self.target} {place(self.netns)}"


def read(items: t.Sequence[Item], option: str = "verify") -> tuple[Check, ...]:
    """The checks that a list of options means; ``option`` is how messages name the list."""
    found = []
    for position, item in enumerate(items or ()):
        try:
            found.append(_check(item))
        except InputError as exc:
            raise InputError(f"{option}[{position}].{exc}") from None
    return tuple(found)


def _check(item: Item) -> Check:
    given = [kind for kind in KINDS if item.get(kind) is not None]
    if len(given) != 1:
        what = f"{' and '.join(given)} are given" if given else "none is given"
        raise InputError(f"{given[1] if given else 'ping'}: {what}: a check has exactly one of {', '.join(KINDS)}")
    kind = given[0]
    source = item.get("expect_source")
    return Check(
        netns=values.netns_reference(item.get("netns")),
        kind=kind,
        timeout=_timeout(item.get("timeout")),
        retries=RETRIES if item.get("retries") is None else values.number(item["retries"], "retries", 0, _MOST),
        expect_source=None if source is None else values_ip.ip_address(source, "expect_source"),
        **_READERS[kind](item[kind]),
    )


def _timeout(value: t.Any) -> float:
    if value is None:
        return TIMEOUT
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _LONGEST:
        raise InputError(f"timeout: {value!r} is out of range: use a number of seconds above 0, up to {_LONGEST}")
    return float(value)


def _text(value: t.Any, option: str, example: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{option}: {value!r} cannot be asked for: write for example {example}")
    return value.strip()


def _host(value: str, option: str, port: int = 0) -> Place:
    """An address, one with a zone, or a name."""
    bare, percent, zone = value.partition("%")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return Place(_name(value, option), "", port)
    if address.is_unspecified or address.is_multicast:
        what = "a multicast" if address.is_multicast else "the unspecified"
        raise InputError(f"{option}: {value!r} cannot be probed: it is {what} address")
    if percent and not (address.version == 6 and address.is_link_local):
        raise InputError(f"{option}: {value!r} has a zone, which is for IPv6 link-local addresses only: remove %{zone}")
    if address.version == 6 and address.is_link_local and not percent:
        raise InputError(f"{option}: {value!r} is link-local: say by which device, as {value}%eth0")
    return Place(str(address), values.interface_name(zone, option) if percent else "", port)


def _name(value: str, option: str) -> str:
    labels = value[:-1].split(".") if value.endswith(".") else value.split(".")
    if labels[-1].isdigit() or not all(_LABEL.fullmatch(label) for label in labels) or len(value) > 253:
        raise InputError(f"{option}: {value!r} is neither an IP address nor a host name")
    return value.rstrip(".")


def _port(value: str, option: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise InputError(f"{option}: {value!r} is not a port: use a number from 1 to 65535")
    return values.number(int(value), option, 1, 65535)


def _ping(value: t.Any) -> dict[str, t.Any]:
    text = _text(value, "ping", "192.0.2.1 or 2001:db8::1")
    return {"target": text, "to": _host(text, "ping")}


def _tcp(value: t.Any) -> dict[str, t.Any]:
    text = _text(value, "tcp", "192.0.2.1:443 or [2001:db8::1]:443")
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host or not colon or text.endswith("]"):
        raise InputError(f"tcp: {text!r} has no port that can be told apart: write host:port, an IPv6 address as [2001:db8::1]:443")
    return {"target": text, "to": _host(host, "tcp", _port(port, "tcp"))}


def _udp_dns(value: t.Any) -> dict[str, t.Any]:
    given = value if isinstance(value, dict) else {"name": value}
    unknown = sorted({str(key) for key in given} - {"name", "server"})
    if unknown:
        raise InputError(f"udp_dns: it has no option {unknown[0]!r}: give a name, and a server unless it is one of the namespace's own")
    name = _name(_text(given.get("name"), "udp_dns.name", "www.example.com"), "udp_dns.name")
    server = given.get("server")
    if server is None:
        return {"target": name, "to": None, "name": name}
    to = _host(_text(server, "udp_dns.server", "192.0.2.53"), "udp_dns.server", _DNS_PORT)
    if not to.numeric:
        raise InputError(f"udp_dns.server: {server!r} is not an IP address: a name server is asked by its address")
    return {"target": f"{name} at {server}", "to": to, "name": name}


def _http(value: t.Any) -> dict[str, t.Any]:
    from urllib.parse import urlsplit

    url = _text(value, "http", "http://192.0.2.1/")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise InputError(f"http: {url!r} has characters that a URL cannot have: write them as %xx, and an international name as xn--")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InputError(f"http: {url!r} is not a URL: write for example http://192.0.2.1:8080/path") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise InputError(f"http: {url!r} is not an HTTP URL: write for example http://192.0.2.1/ or https://www.example.com/")
    if parts.username is not None or parts.password is not None:
        raise InputError("http: the URL has a user or a password: a probe does not log in, remove it")
    if port == 0:
        raise InputError(f"http: {url!r} has port 0: use a number from 1 to 65535")
    return {
        "target": url,
        "to": _host(parts.hostname, "http", port or _PORTS[parts.scheme]),
        "header": parts.netloc,
        "path": (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        "secure": parts.scheme == "https",
    }


def _mtu(value: t.Any) -> dict[str, t.Any]:
    if not isinstance(value, dict) or set(value) - {"to", "size"} or value.get("to") is None or value.get("size") is None:
        raise InputError(f"mtu: {value!r} is incomplete: give both, as {{to: 192.0.2.1, size: 1500}}")
    to = _host(_text(value["to"], "mtu.to", "192.0.2.1"), "mtu.to")
    least = _LEAST_MTU[to.version] if to.numeric else min(_LEAST_MTU.values())
    size = values.number(value["size"], "mtu.size", least, _GREATEST_MTU)
    return {"target": f"{size} to {value['to']}", "to": to, "size": size}


_READERS: dict[str, t.Callable[[t.Any], dict[str, t.Any]]] = {
    "http": _http,
    "mtu": _mtu,
    "ping": _ping,
    "tcp": _tcp,
    "udp_dns": _udp_dns,
}
