# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of bad inputs: module, options, and the words that the sentence has to contain: option, object, what to do.

A line is ``(options, word, ...)``. Where Ansible itself refuses, the words are those by which a user finds the option.
Lines of BY_KERNEL pass every check of ours: the kernel refuses them in the middle of a run, and what had been done is undone.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
import typing as t

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import options, transaction

NOBODY = 65534

# A host full of things to trip over. Ends with a process that runs in the namespace busy until its standard input is closed.
WORLD = """
exec 2>&1
echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
for name in red blue busy; do ip netns add $name; ip -n $name link set lo up; done
ip netns set red 5
touch /run/netns/stale /run/plain
ln -s red /run/netns/symlink
mkdir /run/netns/folder
touch /etc/netns/nodns
ip -batch - <<END
link add br0 type bridge
link set br0 up
address add 192.0.2.1/24 dev br0
address add 2001:db8:1::1/64 dev br0 nodad
link add red-eth0 type veth peer name eth0 netns red
link set red-eth0 up master br0
link add left type veth peer name right
link set left up
link set right up
link add tunnel type vxlan id 7 dstport 4789 remote 198.51.100.9 dev br0
link add outside type veth peer name inside netns blue
link set outside up
address add 203.0.113.1/24 dev outside
END
ip -n red -batch - <<END
link set eth0 up
address add 192.0.2.10/24 dev eth0
address add 2001:db8:1::10/64 dev eth0 nodad
link add down type bridge
route add 10.8.0.0/16 via 192.0.2.1
rule add from 10.9.0.0/16 table 100 priority 100
END
echo 1 > /proc/sys/net/ipv6/conf/right/disable_ipv6
nft -f - <<END
table inet foreign {
  chain leading {
    type nat hook prerouting priority -100;
    tcp dport 8443 dnat ip to 192.0.2.10
  }
}
END
echo ready
exec ip netns exec busy cat
"""


def make_what_is_ours() -> None:
    """One thing on the host that this collection made."""
    wanted = {"links": [{"name": "ours", "kind": "bridge"}]}
    transaction.execute(options.read(wanted))


def as_nobody() -> None:
    """As far as a module can see: in a sandbox of an ordinary user there is nobody else to become."""
    os.geteuid = lambda: NOBODY


def without_nft() -> None:
    shutil.which = lambda *_args, **_options: None


def without_pyroute2() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyroute2"]:
        del sys.modules[name]
    sys.modules["pyroute2"] = None  # type: ignore[assignment]  # an import of it raises ImportError


def nothing() -> None:
    """Run it as it is."""


@dataclasses.dataclass(frozen=True)
class Bad:
    """An input that is to be refused."""

    id: str
    module: str
    args: dict[str, t.Any]
    words: tuple[str, ...]
    late: bool = False
    before_run: t.Callable[[], None] = nothing

    @property
    def full_name(self) -> str:
        return f"linuxnet.netns.{self.module}"


ABSENT = {"state": "absent"}
LONG = "sixteen-letters0"
NETNS_HOW = "is not a namespace name"
PREFIX_HOW = "such as 192.0.2.10/24"
RANGE = "use a number from"

NETNS: list[t.Any] = [
    ({}, "name", "missing required arguments"),
    ({"name": "new", "nam": "blue"}, "nam", "Supported parameters include"),
    ({"name": []}, "name", "the list is empty", "give at least one"),
    ({"name": ""}, "name: ''", NETNS_HOW, "use a plain file name"),
    ({"name": "."}, "name: '.'", NETNS_HOW, "use a plain file name"),
    ({"name": ".."}, "name: '..'", NETNS_HOW, "use a plain file name"),
    ({"name": "../escape"}, "name: '../escape'", "slash", "use a plain file name"),
    ({"name": "/run/netns/blue"}, "name: '/run/netns/blue'", "slash", "use a plain file name"),
    ({"name": "a\0b"}, "name: 'a\\x00b'", "a zero byte", "use a plain file name"),
    ({"name": "x" * 256}, "name", "xxx...", "256 bytes", "1 to 255"),
    ({"name": ["fine", "not/fine"]}, "name: 'not/fine'", "slash"),
    ({"name": {"a": 1}}, "name", "unable to convert to list"),
    ({"name": "new", "state": "gone"}, "state", "gone", "absent, present"),
    ({"name": "new", "loopback": "perhaps"}, "loopback", "perhaps", "Valid booleans include"),
    ({"name": "new", "pid": 0}, "pid: 0", RANGE),
    ({"name": "new", "pid": -1}, "pid: -1", RANGE),
    ({"name": "new", "pid": 2**22 + 1}, "pid: 4194305", RANGE),
    ({"name": "new", "pid": "init"}, "pid", "init", "int"),
    ({"name": "new", "pid": 2**22}, "pid", "4194304", "does not exist or has ended", "correct 'pid'"),
    ({"name": ["new", "newer"], "pid": 1}, "pid: 1", "name lists 2", "one task each"),
    ({"name": "red", "pid": 1}, "pid", "'red'", "process 1", "remove it first or choose another name"),
    ({"name": "new", "nsid": -1}, "nsid: -1", RANGE),
    ({"name": "new", "nsid": 2**31}, "nsid: 2147483648", RANGE),
    ({"name": "new", "nsid": "seven"}, "nsid", "seven", "int"),
    ({"name": ["new", "newer"], "nsid": 9}, "nsid: 9", "name lists 2", "one task each"),
    ({"name": "red", "nsid": 6}, "nsid", "'red'", "number 5", "cannot change it to 6", "remove the namespace first"),
    ({"name": "new", "nameservers": ["ns1.example.com"]}, "nameservers", "'ns1.example.com'", "is not an IP address"),
    ({"name": "new", "nameservers": ["192.0.2.300"]}, "nameservers", "'192.0.2.300'", "such as 192.0.2.1"),
    ({"name": "new", "nameservers": ["192.0.2.53/24"]}, "nameservers", "'192.0.2.53/24'", "without prefix length"),
    ({"name": "new", "nameservers": [f"fe80::1%{LONG}"]}, "nameservers", LONG, "16 bytes, allowed are 1 to 15"),
    ({"name": "new", "search": ["example.com example.org"]}, "search", "'example.com example.org'", "item of its own"),
    ({"name": "new", "search": ["example.com\nnameserver 192.0.2.66"]}, "search", "is not one word", "item of its own"),
    ({"name": "new", "search": [""]}, "search: ''", "is not one word"),
    ({"name": "new", "resolver_options": ["ndots:2 rotate"]}, "resolver_options", "'ndots:2 rotate'", "item of its own"),
    ({"name": "nodns", "nameservers": ["192.0.2.53"]}, "/etc/netns/nodns", "'nodns'", "need a directory"),
    ({"name": "new", "processes": "shoot"}, "processes", "shoot", "fail, keep, kill"),
    ({"name": "new", "kill_timeout": -1}, "kill_timeout: -1", RANGE),
    ({"name": "new", "kill_timeout": 86401}, "kill_timeout: 86401", RANGE),
    ({"name": "new", "kill_timeout": "soon"}, "kill_timeout", "soon", "int"),
    ({"name": "folder"}, "'folder'", "a directory", "remove"),
    ({"name": "symlink"}, "'symlink'", "a symbolic link", "remove"),
    ({"name": "folder", **ABSENT}, "'folder'", "a directory", "remove"),
    ({"name": "busy", **ABSENT}, "'busy'", "in use by 1 process", "processes: kill", "processes: keep"),
    ({"name": "../red", **ABSENT}, "name: '../red'", "slash"),
    ({"name": "new", "search": ["a\0b"]}, "search", "is not one word"),
]

# Every module that has it says the same of where an object is to be.
PLACES: list[t.Any] = [
    ("missing", "'missing'", "does not exist", "linuxnet.netns.netns"),
    ("", "netns: ''", NETNS_HOW, "use a plain file name"),
    ("../red", "netns: '../red'", "slash"),
    ("x" * 256, "netns", "256 bytes", "1 to 255"),
    ("/nowhere/red", "'/nowhere/red'", "does not exist", "correct "),
    ("/run/plain", "'/run/plain'", "is not a network namespace", "correct 'netns'"),
    ("/run", "'/run'", "is not a network namespace", "correct 'netns'"),
    ("/proc/self/ns/mnt", "'/proc/self/ns/mnt'", "is not a network namespace", "correct 'netns'"),
    ("/proc/4194304/ns/net", "'/proc/4194304/ns/net'", "does not exist", "correct "),
    ("stale", "'stale'", "stale plain file", "linuxnet.netns.netns with state present repairs it"),
    ("folder", "'folder'", "a directory", "remove"),
    ("symlink", "'symlink'", "a symbolic link", "remove it"),
    ("/run/a\0b", "netns: '/run/a\\x00b'", "zero byte"),
]

NETNS_ADDR: list[t.Any] = [
    *(({"netns": netns, "dev": "eth0", "address": "192.0.2.5/24"}, *words) for netns, *words in PLACES),
    ({}, "address, dev", "missing required arguments"),
    ({"address": "192.0.2.5/24"}, "dev", "missing required arguments"),
    ({"dev": "left", "address": "192.0.2.5/24", "metrik": 5}, "metrik", "Supported parameters include"),
    ({"dev": "left", "address": []}, "address", "the list is empty", "give at least one"),
    ({"dev": "left", "address": ""}, "address: ''", PREFIX_HOW),
    ({"dev": "left", "address": "left"}, "address: 'left'", PREFIX_HOW),
    ({"dev": "left", "address": "192.0.2.300/24"}, "address: '192.0.2.300/24'", PREFIX_HOW),
    ({"dev": "left", "address": "192.0.2.5"}, "address: '192.0.2.5'", "has no prefix length", "192.0.2.5/24"),
    ({"dev": "left", "address": "2001:db8::5"}, "address: '2001:db8::5'", "has no prefix length", "2001:db8::5/64"),
    ({"dev": "left", "address": "192.0.2.5/33"}, "address: '192.0.2.5/33'", PREFIX_HOW),
    ({"dev": "left", "address": "192.0.2.5/64"}, "address: '192.0.2.5/64'", PREFIX_HOW),
    ({"dev": "left", "address": "192.0.2.5/-1"}, "address: '192.0.2.5/-1'", PREFIX_HOW),
    ({"dev": "left", "address": "2001:db8::5/129"}, "address: '2001:db8::5/129'", PREFIX_HOW),
    ({"dev": "left", "address": "2001:db8::5::6/64"}, "address: '2001:db8::5::6/64'", PREFIX_HOW),
    ({"dev": "left", "address": "fe80::5%left/64"}, "address", "'fe80::5%left/64'", "remove %left"),
    ({"dev": "left", "address": "224.0.0.5/24"}, "address: '224.0.0.5/24'", "a multicast address"),
    ({"dev": "left", "address": "ff02::5/64"}, "address: 'ff02::5/64'", "a multicast address"),
    ({"dev": "left", "address": "0.0.0.0/0"}, "address: '0.0.0.0/0'", "the unspecified address"),
    ({"dev": "left", "address": "::/64"}, "address: '::/64'", "the unspecified address"),
    ({"dev": "left", "address": ["192.0.2.5/24", "192.0.2.6"]}, "address: '192.0.2.6'", "has no prefix length"),
    ({"dev": "nosuch", "address": "192.0.2.5/24"}, "dev", "'nosuch'", "on the host", "create it first or correct"),
    ({"dev": "eth0", "address": "192.0.2.5/24"}, "dev", "'eth0'", "on the host", "192.0.2.5/24"),
    ({"netns": "red", "dev": "br0", "address": "192.0.2.5/24"}, "dev", "'br0'", "in namespace 'red'", "create it first or correct"),
    ({"dev": LONG, "address": "192.0.2.5/24"}, f"dev: '{LONG}'", "16 bytes", "1 to 15"),
    ({"dev": "", "address": "192.0.2.5/24"}, "dev: ''", "0 bytes", "1 to 15"),
    ({"dev": "br0:1", "address": "192.0.2.5/24"}, "dev: 'br0:1'", "remove dots alone, slashes, colons"),
    ({"dev": "all", "address": "192.0.2.5/24"}, "dev: 'all'", "is not an interface name"),
    ({"dev": "left", "address": "192.0.2.5/24", "peer": "right"}, "peer: 'right'", "is not an IP address"),
    ({"dev": "left", "address": "192.0.2.5/24", "peer": "2001:db8::6"}, "peer: '2001:db8::6'", "same family", "item of its own"),
    ({"dev": "left", "address": "192.0.2.5/32", "peer": "192.0.2.5"}, "peer: '192.0.2.5'", "the address itself", "other end"),
    ({"dev": "left", "address": "192.0.2.5/24", "broadcast": "+"}, "broadcast: '+'", "is not an IP address"),
    (
        {"dev": "left", "address": "2001:db8::5/64", "broadcast": "2001:db8::ff"},
        "broadcast",
        "2001:db8::5/64",
        "IPv6 has none",
        "remove it",
    ),
    ({"dev": "left", "address": "192.0.2.5/24", "broadcast": "2001:db8::ff"}, "broadcast: '2001:db8::ff'", "same family"),
    ({"dev": "left", "address": "192.0.2.5/24", "label": "web"}, "label: 'web'", "must begin with 'left'"),
    ({"dev": "left", "address": "192.0.2.5/24", "label": "left:twelve-more"}, "label: 'left:twelve-more'", "at most 15 bytes"),
    ({"dev": "left", "address": "192.0.2.5/24", "label": "left:\0x"}, "label: 'left:\\x00x'", "control character"),
    ({"dev": "left", "address": "192.0.2.5/24", "scope": "planet"}, "scope: 'planet'", "global, host, link"),
    ({"dev": "left", "address": "192.0.2.5/24", "scope": "300"}, "scope: '300'", "number from 0 to 255"),
    ({"dev": "left", "address": "192.0.2.5/24", "metric": -1}, "metric: -1", RANGE),
    ({"dev": "left", "address": "192.0.2.5/24", "metric": 2**32}, "metric: 4294967296", RANGE),
    ({"dev": "left", "address": "192.0.2.5/24", "metric": "low"}, "metric", "low", "int"),
    ({"dev": "left", "address": "192.0.2.5/24", "valid_lft": "never"}, "valid_lft: 'never'", "'forever'"),
    ({"dev": "left", "address": "192.0.2.5/24", "valid_lft": "0"}, "valid_lft: 0", RANGE),
    ({"dev": "left", "address": "192.0.2.5/24", "preferred_lft": "-1"}, "preferred_lft: '-1'", "a number of seconds"),
    (
        {"dev": "left", "address": "192.0.2.5/24", "preferred_lft": "60", "valid_lft": "30"},
        "preferred_lft: 60",
        "valid_lft, 30",
        "lower it",
    ),
    ({"dev": "left", "address": "192.0.2.5/24", "exclusive": "maybe"}, "exclusive", "maybe", "Valid booleans include"),
]

NETNS_ROUTE: list[t.Any] = [
    *(({"netns": netns, "dest": "10.0.0.0/8", "gateway": "192.0.2.1"}, *words) for netns, *words in PLACES[:6]),
    ({}, "dest", "missing required arguments"),
    ({"dest": "10.0.0.0/8", "via": "192.0.2.1"}, "via", "Supported parameters include"),
    ({"dest": [], "dev": "left"}, "dest", "the list is empty", "give at least one"),
    ({"dest": "", "dev": "left"}, "dest: ''", "is not a network", "such as 192.0.2.0/24"),
    ({"dest": "10.0.0.1/8", "dev": "left"}, "dest: '10.0.0.1/8'", "did you mean 10.0.0.0/8?"),
    ({"dest": "2001:db8::1/64", "dev": "left"}, "dest: '2001:db8::1/64'", "did you mean 2001:db8::/64?"),
    ({"dest": "300.0.0.0/8", "dev": "left"}, "dest: '300.0.0.0/8'", "such as 192.0.2.0/24"),
    ({"dest": "10.0.0.0/33", "dev": "left"}, "dest: '10.0.0.0/33'", "such as 192.0.2.0/24"),
    ({"dest": "2001:db8::/129", "dev": "left"}, "dest: '2001:db8::/129'", "such as 192.0.2.0/24"),
    ({"dest": "all", "dev": "left"}, "dest: 'all'", "such as 192.0.2.0/24"),
    ({"dest": "fe80::%left/64", "dev": "left"}, "dest", "'fe80::%left/64'", "remove %left"),
    ({"dest": "default", "dev": "left"}, "family", "'default' without a gateway", "family: ipv4 or family: ipv6"),
    ({"dest": "default", "family": "ipv5", "dev": "left"}, "family", "ipv5", "ipv4, ipv6"),
    ({"dest": "10.0.0.0/8", "family": "ipv6", "dev": "left"}, "family: ipv6", "dest 10.0.0.0/8", "remove it"),
    ({"dest": "10.0.0.0/8"}, "gateway", "route 10.0.0.0/8", "give a gateway, a dev"),
    ({"dest": "10.0.0.0/8", "nexthops": []}, "gateway", "route 10.0.0.0/8", "give a gateway, a dev"),
    ({"dest": "default", "gateway": "192.0.2.300"}, "gateway: '192.0.2.300'", "such as 192.0.2.1"),
    ({"dest": "default", "gateway": "router"}, "gateway: 'router'", "is not an IP address"),
    ({"dest": "default", "gateway": "192.0.2.1/24"}, "gateway: '192.0.2.1/24'", "without prefix length"),
    ({"dest": "2001:db8:5::/64", "gateway": "192.0.2.1"}, "gateway: '192.0.2.1'", "use an IPv6 address"),
    ({"dest": "default", "gateway": "0.0.0.0"}, "gateway: '0.0.0.0'", "use the address of the next router"),
    ({"dest": "default", "gateway": "224.0.0.1"}, "gateway: '224.0.0.1'", "use the address of the next router"),
    ({"dest": "default", "gateway": "127.0.0.1"}, "gateway: '127.0.0.1'", "use the address of the next router"),
    ({"dest": "default", "gateway": "::1"}, "gateway: '::1'", "use the address of the next router"),
    ({"dest": "default", "gateway": "fe80::1"}, "dev", "fe80::1", "say on which device it is"),
    ({"dest": "default", "gateway": "fe80::1%left"}, "gateway: 'fe80::1%left'", "remove %left", "dev"),
    ({"netns": "red", "dest": "default", "gateway": "198.51.100.1"}, "gateway: 198.51.100.1", "in no subnet", "add an address"),
    ({"netns": "blue", "dest": "default", "gateway": "192.0.2.1"}, "gateway: 192.0.2.1", "in no subnet", "add an address"),
    ({"dest": "10.0.0.0/8", "dev": "nosuch"}, "dev", "'nosuch'", "10.0.0.0/8", "create it first or correct"),
    ({"dest": "10.0.0.0/8", "dev": LONG}, f"dev: '{LONG}'", "16 bytes", "1 to 15"),
    ({"dest": "10.0.0.0/8", "dev": "left", "table": "nosuch"}, "table: 'nosuch'", "nor a name in rt_tables"),
    ({"dest": "10.0.0.0/8", "dev": "left", "table": "0"}, "table: '0'", "a number from 1 to 4294967295"),
    ({"dest": "10.0.0.0/8", "dev": "left", "table": "4294967296"}, "table: '4294967296'", "a number from 1 to 4294967295"),
    ({"dest": "10.0.0.0/8", "dev": "left", "table": "-1"}, "table: '-1'", "a number from 1 to 4294967295"),
    ({"dest": "10.0.0.0/8", "dev": "left", "metric": -1}, "metric: -1", RANGE),
    ({"dest": "10.0.0.0/8", "dev": "left", "metric": 2**32}, "metric: 4294967296", RANGE),
    ({"dest": "10.0.0.0/8", "dev": "left", "metric": "low"}, "metric", "low", "int"),
    ({"dest": "10.0.0.0/8", "type": "magic"}, "type", "magic", "blackhole, local, prohibit"),
    ({"dest": "10.0.0.0/8", "type": "blackhole", "gateway": "192.0.2.1"}, "type", "route 10.0.0.0/8", "remove gateway"),
    ({"dest": "10.0.0.0/8", "type": "unreachable", "dev": "left"}, "type", "route 10.0.0.0/8", "remove dev"),
    ({"dest": "10.0.0.0/8", "type": "prohibit", "nexthops": [{"dev": "left"}]}, "type", "route 10.0.0.0/8", "remove nexthops"),
    ({"dest": "10.0.0.0/8", "dev": "left", "scope": "planet"}, "scope: 'planet'", "global, host, link"),
    ({"dest": "10.0.0.0/8", "dev": "left", "src": "me"}, "src: 'me'", "is not an IP address"),
    ({"dest": "10.0.0.0/8", "dev": "left", "src": "2001:db8::1"}, "src: '2001:db8::1'", "same family", "route 10.0.0.0/8"),
    ({"dest": "10.0.0.0/8", "dev": "left", "mtu": -1}, "mtu: -1", RANGE),
    ({"dest": "10.0.0.0/8", "dev": "left", "mtu": 2**32}, "mtu: 4294967296", RANGE),
    ({"dest": "10.0.0.0/8", "dev": "left", "advmss": 70000}, "advmss: 70000", RANGE),
    ({"dest": "10.0.0.0/8", "gateway": "198.51.100.1", "onlink": True}, "onlink", "route 10.0.0.0/8", "the dev on which it is"),
    ({"dest": "10.0.0.0/8", "dev": "left", "protocol": "pigeon"}, "protocol: 'pigeon'", "babel, bgp, bird"),
    ({"dest": "10.0.0.0/8", "dev": "left", "protocol": "256"}, "protocol: '256'", "a number from 0 to 255"),
    ({"dest": "10.0.0.0/8", "gateway": "192.0.2.1", "nexthops": [{"dev": "left"}]}, "nexthops", "route 10.0.0.0/8", "use either"),
    ({"dest": "10.0.0.0/8", "nexthops": [{}]}, "nexthops[0]", "give a gateway, a dev or both"),
    ({"dest": "10.0.0.0/8", "nexthops": ["192.0.2.1"]}, "dictionary requested"),
    ({"dest": "10.0.0.0/8", "nexthops": [{"dev": "left", "wait": 2}]}, "nexthops.wait", "Supported parameters include"),
    ({"dest": "10.0.0.0/8", "nexthops": [{"dev": "left", "weight": 0}]}, "nexthops[0].weight: 0", RANGE),
    ({"dest": "10.0.0.0/8", "nexthops": [{"dev": "left"}, {"dev": "br0", "weight": 257}]}, "nexthops[1].weight: 257", RANGE),
    ({"dest": "10.0.0.0/8", "nexthops": [{"gateway": "router"}]}, "nexthops[0].gateway: 'router'", "is not an IP address"),
    ({"dest": "10.0.0.0/8", "nexthops": [{"dev": "left", "onlink": True}]}, "nexthops[0].onlink", "the dev on which it is"),
    ({"dest": "10.0.0.0/8", "nexthops": [{"dev": "left"}, {"dev": "nosuch"}]}, "nexthops[1].dev", "'nosuch'", "10.0.0.0/8", "correct"),
    ({"dest": "10.0.0.0/8", "nexthops": [{"gateway": "198.51.100.1"}]}, "gateway: 198.51.100.1", "in no subnet", "add an address"),
    ({"dest": "2001:db8:5::/64", "nexthops": [{"gateway": "fe80::1"}]}, "nexthops[0].dev", "fe80::1", "say on which device"),
    ({"dest": "10.0.0.0/33", **ABSENT}, "dest: '10.0.0.0/33'", "such as 192.0.2.0/24"),
    ({"dest": "default", **ABSENT}, "family", "'default' without a gateway", "family: ipv4 or family: ipv6"),
]

NETNS_RULE: list[t.Any] = [
    *(({"netns": netns, "from": "10.0.0.0/8", "table": "100"}, *words) for netns, *words in PLACES[:3]),
    ({"pref": 100}, "pref", "Supported parameters include"),
    ({"priority": -1}, "priority: -1", RANGE),
    ({"priority": 2**32}, "priority: 4294967296", RANGE),
    ({"priority": "high"}, "priority", "high", "int"),
    ({"from": "10.0.0.1/8"}, "from: '10.0.0.1/8'", "did you mean 10.0.0.0/8?"),
    ({"from": "left"}, "from: 'left'", "such as 192.0.2.0/24"),
    ({"to": "10.0.0.0/40"}, "to: '10.0.0.0/40'", "such as 192.0.2.0/24"),
    ({"from": "10.0.0.0/8", "to": "2001:db8::/32"}, "to: 2001:db8::/32", "from, 10.0.0.0/8", "rule of its own"),
    ({"from": "10.0.0.0/8", "family": "ipv6"}, "family: ipv6", "prefix in from", "remove it"),
    ({"to": "10.0.0.0/8", "family": "ipv6"}, "family: ipv6", "prefix in to", "remove it"),
    ({"family": "ipx"}, "family", "ipx", "ipv4, ipv6"),
    ({"iif": LONG}, f"iif: '{LONG}'", "16 bytes", "1 to 15"),
    ({"oif": "a/b"}, "oif: 'a/b'", "remove dots alone, slashes"),
    ({"fwmark": "red"}, "fwmark: 'red'", "decimal or as 0x"),
    ({"fwmark": "0x1/0xff"}, "fwmark: '0x1/0xff'", "the mask goes into fwmask"),
    ({"fwmark": "-1"}, "fwmark: -1", RANGE),
    ({"fwmark": "0x100000000"}, "fwmark: 4294967296", RANGE),
    ({"fwmask": "0xff"}, "fwmask", "0xff", "give fwmark too"),
    ({"fwmark": "1", "fwmask": "0"}, "fwmask: 0", "remove both, or set a bit"),
    ({"tos": "0x01"}, "tos: 0x01", "ECN", "clear them"),
    ({"tos": "256"}, "tos: 256", RANGE),
    ({"tos": "low"}, "tos: 'low'", "decimal or as 0x"),
    ({"ipproto": "quic"}, "ipproto: 'quic'", "icmpv6, sctp, tcp, udp"),
    ({"ipproto": "300"}, "ipproto: '300'", "a number from 0 to 255"),
    ({"sport": "0"}, "sport: '0'", "a range such as 1000-1999", "1 to 65534"),
    ({"sport": "90-80"}, "sport: '90-80'", "a range such as 1000-1999"),
    ({"dport": "70000"}, "dport: '70000'", "1 to 65534"),
    ({"dport": "http"}, "dport: 'http'", "a range such as 1000-1999"),
    ({"uidrange": "root"}, "uidrange: 'root'", "a range such as 1000-1999"),
    ({"uidrange": "10-5"}, "uidrange: '10-5'", "a range such as 1000-1999"),
    ({"table": "nosuch"}, "table: 'nosuch'", "nor a name in rt_tables"),
    ({"table": "0"}, "table: '0'", "a number from 1 to 4294967295"),
    ({"type": "blackhole", "table": "100"}, "table", "type blackhole", "remove table or type"),
    ({"type": "nat"}, "type", "nat", "blackhole, prohibit"),
    ({"suppress_prefixlength": 129}, "suppress_prefixlength: 129", RANGE),
    ({"suppress_prefixlength": -2}, "suppress_prefixlength: -2", RANGE),
    ({"not": "perhaps"}, "not", "perhaps", "Valid booleans include"),
    ({"from": "10.0.0.1/8", **ABSENT}, "from: '10.0.0.1/8'", "did you mean 10.0.0.0/8?"),
]

NETNS_SYSCTL: list[t.Any] = [
    *(({"netns": netns, "name": "net.ipv4.ip_forward", "value": 1}, *words) for netns, *words in PLACES[:3]),
    ({}, "name", "sysctls", "give a name with its value"),
    ({"name": "net.ipv4.ip_forward"}, "value", "net.ipv4.ip_forward", "give"),
    ({"value": 1}, "value", "name", "required"),
    ({"sysctls": {}}, "name", "sysctls", "give a name with its value"),
    ({"sysctls": ["net.ipv4.ip_forward=1"]}, "sysctls", "dict"),
    ({"name": "net.ipv4.ip_forward", "value": 1, "sysctls": {"net.ipv6.conf.all.forwarding": 1}}, "name|sysctls", "mutually exclusive"),
    ({"name": "kernel.hostname", "value": "red"}, "name: 'kernel.hostname'", "only net.* belongs to a namespace"),
    ({"name": "net", "value": 1}, "name: 'net'", "only net.* belongs to a namespace"),
    ({"name": "net.ipv4.ip\0forward", "value": 1}, "name: 'net.ipv4.ip\\x00forward'", "zero byte"),
    ({"name": "net.ipv4.ip_forward", "value": "1\0"}, "value: '1\\x00'", "write a number or a text"),
    ({"name": "", "value": 1}, "name: ''", "only net.* belongs to a namespace"),
    ({"name": "net..ip_forward", "value": 1}, "name: 'net..ip_forward'", "an empty part", "as in net.ipv4.ip_forward"),
    ({"name": "net/../kernel/hostname", "value": "red"}, "name: 'net/../kernel/hostname'", "dots alone", "as in net.ipv4.ip_forward"),
    ({"sysctls": {"kernel.hostname": "red"}}, "sysctls: 'kernel.hostname'", "only net.* belongs to a namespace"),
    ({"sysctls": {"net.ipv4.ip_forward": None}}, "sysctls.net.ipv4.ip_forward: None", "write a number or a text"),
    ({"name": "net.ipv4.ip_forward", "value": ""}, "value: ''", "write a number or a text"),
    ({"name": "net.ipv4.ip_forward", "value": [1, 2]}, "value: [1, 2]", "write a number or a text"),
    ({"name": "net.ipv4.ip_forward", "value": {"on": 1}}, "value: {'on': 1}", "write a number or a text"),
    ({"name": "net.ipv4.nosuch", "value": 1}, "net.ipv4.nosuch", "does not exist", "correct its name"),
    ({"netns": "red", "name": "net.ipv4.conf.br0.rp_filter", "value": 1}, "net.ipv4.conf.br0.rp_filter", "'red'", "create the device"),
    ({"name": "net.ipv4.conf", "value": 1}, "net.ipv4.conf", "a directory of settings", "give the name of a setting in it"),
    (
        {"sysctls": {"net.ipv4.ip_forward": 1, "net/ipv4/ip_forward": 0}},
        "net.ipv4.ip_forward",
        "value is '1' in the one and '0' in the other",
        "remove one",
    ),
]

NAT = {"name": "lab", "subnets": ["10.7.0.0/24"], "interface": "br0", "uplink": "outside"}
PORT = {"host_port": "8080", "to_address": "10.7.0.10"}


def published(**fields: t.Any) -> dict[str, t.Any]:
    return {**NAT, "publish": [{**PORT, **fields}]}


NETNS_NAT: list[t.Any] = [
    *(
        ({"netns": netns, "name": "lab", "subnets": ["10.7.0.0/24"], "interface": "eth0", "uplink": "down"}, *words)
        for netns, *words in PLACES[:3]
    ),
    ({}, "name", "missing required arguments"),
    ({"name": "lab", "subnet": "10.7.0.0/24"}, "subnet", "Supported parameters include"),
    ({"name": "two words", "subnets": ["10.7.0.0/24"], "interface": "br0"}, "name: 'two words'", "use 1 to 64 letters"),
    ({"name": "../lab", "subnets": ["10.7.0.0/24"], "interface": "br0"}, "name: '../lab'", "use 1 to 64 letters"),
    ({"name": "", "subnets": ["10.7.0.0/24"], "interface": "br0"}, "name: ''", "use 1 to 64 letters"),
    ({"name": "lab\n", "subnets": ["10.7.0.0/24"], "interface": "br0"}, "name: 'lab\\n'", "use 1 to 64 letters"),
    ({"name": "x" * 65, "subnets": ["10.7.0.0/24"], "interface": "br0"}, "name", "use 1 to 64 letters"),
    ({"name": "lab;flush", **ABSENT}, "name: 'lab;flush'", "use 1 to 64 letters"),
    ({"name": "lab", "interface": "br0"}, "subnets", "nat lab", "at least one"),
    ({"name": "lab", "subnets": [], "interface": "br0"}, "subnets", "nat lab", "at least one"),
    ({"name": "lab", "subnets": ["br0"], "interface": "br0"}, "subnets: 'br0'", "such as 192.0.2.0/24"),
    ({"name": "lab", "subnets": ["10.7.0.1/24"], "interface": "br0"}, "subnets: '10.7.0.1/24'", "did you mean 10.7.0.0/24?"),
    ({"name": "lab", "subnets": ["10.7.0.0/24"]}, "interface", "nat lab", "the device that its subnets are behind"),
    ({"name": "lab", "subnets": ["10.7.0.0/24"], "interface": LONG}, f"interface: '{LONG}'", "16 bytes", "1 to 15"),
    (
        {"name": "lab", "subnets": ["10.7.0.0/24"], "interface": "br0", "uplink": "br0"},
        "uplink: 'br0'",
        "nat lab",
        "leads outside, or auto",
    ),
    ({"name": "lab", "subnets": ["10.7.0.0/24"], "interface": "br0", "uplink": LONG}, f"uplink: '{LONG}'", "16 bytes", "1 to 15"),
    ({"name": "lab", "subnets": ["10.7.0.0/24"], "interface": "br0"}, "uplink: auto", "nat lab", "name the uplink or add a default route"),
    (published(host_port="0"), "publish[0].host_port: '0'", "a port from 1 to 65535", "such as 8000-8010"),
    (published(host_port="90-80"), "publish[0].host_port: '90-80'", "a range of them"),
    (published(host_port="http"), "publish[0].host_port: 'http'", "a port from 1 to 65535"),
    (published(to_port="80-90"), "publish[0].to_port: 80-90", "host_port 8080", "give as many, or leave to_port out"),
    (published(to_address="10.8.0.10"), "publish[0].to_address: 10.8.0.10", "in none of the subnets 10.7.0.0/24", "correct the one"),
    (published(to_address="web"), "publish[0].to_address: 'web'", "is not an IP address"),
    (published(host_address="2001:db8::1"), "publish[0].host_address: 2001:db8::1", "of different families", "give both of one"),
    (published(host_address="10.7.0.0/24"), "publish[0].host_address: '10.7.0.0/24'", "without prefix length"),
    (published(host_address="224.0.0.1"), "publish[0].host_address: 224.0.0.1", "a multicast address"),
    (published(protocol="icmp"), "protocol", "icmp", "sctp, tcp, udp"),
    (published(port=80), "publish", "port", "Supported parameters include"),
    (
        {**NAT, "publish": [{**PORT, "host_port": "8000-8100"}, PORT]},
        "publish[0] and publish[1] both publish tcp port",
        "remove one of them",
    ),
    (published(host_port="8443"), "nat lab: publish: tcp port 8443", "chain leading of table inet foreign", "choose another host_port"),
    ({**NAT, "snat_to": ["203.0.113.9"]}, "snat_to: 203.0.113.9", "nat lab", "give it to outside first"),
    ({**NAT, "snat_to": ["203.0.113.1/24"]}, "snat_to: '203.0.113.1/24'", "without prefix length"),
    ({**NAT, "snat_to": ["2001:db8::1"]}, "snat_to", "2001:db8::1", "add such a subnet"),
    ({**NAT, "snat_to": ["203.0.113.1", "203.0.113.2"]}, "snat_to: 203.0.113.2", "give one of each family at most"),
    ({**NAT, "isolation": "perhaps"}, "isolation", "perhaps", "networks, none, strict"),
    ({**NAT, "hairpin": "perhaps"}, "hairpin", "Valid booleans include"),
    (
        {"name": "lab", "subnets": ["10.7.0.0/24"], "interface": "nosuch", "uplink": "outside"},
        "interface",
        "'nosuch'",
        "create it first or correct",
    ),
    (
        {"name": "lab", "subnets": ["10.7.0.0/24"], "interface": "br0", "uplink": "nosuch"},
        "uplink",
        "'nosuch'",
        "create it first or correct",
    ),
    (
        {"name": "lab", "subnets": ["10.7.0.0/24"], "interface": "br0", "masquerade": "perhaps"},
        "masquerade",
        "perhaps",
        "Valid booleans include",
    ),
]

PEER = {"name": "new1"}
VETH: list[t.Any] = [
    *(({"netns": netns, "name": "new0", "peer": PEER}, *words) for netns, *words in PLACES),
    ({"name": "new0", "peer": {"name": "new1", "netns": "missing"}}, "'missing'", "does not exist", "linuxnet.netns.netns"),
    ({"name": "new0", "peer": {"name": "new1", "netns": "../red"}}, "peer.netns: '../red'", "slash"),
    ({"peer": PEER}, "name", "missing required arguments"),
    ({"name": "new0", "peer": {"netns": "red"}}, "name", "peer", "missing required arguments"),
    ({"name": "new0", "peer": {"name": "new1", "force": True}}, "peer.force", "Supported parameters include"),
    ({"name": "new0", "peer": "new1"}, "dictionary requested"),
    ({"name": "new0"}, "peer", "veth new0", "give peer.name"),
    ({"name": "new0", "peer": {"name": "new0"}}, "peer: 'new0'", "on the host", "another name or namespace"),
    ({"name": "", "peer": PEER}, "name: ''", "0 bytes", "1 to 15"),
    ({"name": LONG, "peer": PEER}, f"name: '{LONG}'", "16 bytes", "1 to 15"),
    ({"name": "ünïcödé-näme", "peer": PEER}, "name: 'ünïcödé-näme'", "17 bytes", "1 to 15"),
    ({"name": "a/b", "peer": PEER}, "name: 'a/b'", "remove dots alone, slashes"),
    ({"name": "new 0", "peer": PEER}, "name: 'new 0'", "white space"),
    ({"name": "veth%d", "peer": PEER}, "name: 'veth%d'", "percent signs"),
    ({"name": "..", "peer": PEER}, "name: '..'", "remove dots alone"),
    ({"name": "default", "peer": PEER}, "name: 'default'", "is not an interface name"),
    ({"name": "new0", "peer": {"name": LONG}}, f"peer.name: '{LONG}'", "16 bytes", "1 to 15"),
    ({"name": "new0", "peer": PEER, "mtu": 60}, "mtu: 60", RANGE),
    ({"name": "new0", "peer": PEER, "mtu": 2**31}, "mtu: 2147483648", RANGE),
    ({"name": "new0", "peer": PEER, "mtu": "jumbo"}, "mtu", "jumbo", "int"),
    ({"name": "new0", "peer": {"name": "new1", "mtu": 0}}, "peer.mtu: 0", RANGE),
    ({"name": "new0", "peer": PEER, "mac_address": "01:00:5e:00:00:01"}, "mac_address: '01:00:5e:00:00:01'", "a multicast address"),
    ({"name": "new0", "peer": PEER, "mac_address": "00:00:00:00:00:00"}, "mac_address: '00:00:00:00:00:00'", "the zero address"),
    ({"name": "new0", "peer": PEER, "mac_address": "02:00:5e:10:00"}, "mac_address: '02:00:5e:10:00'", "six pairs of hexadecimal digits"),
    ({"name": "new0", "peer": PEER, "mac_address": "02-zz-5e-10-00-01"}, "mac_address: '02-zz-5e-10-00-01'", "such as 02:00"),
    ({"name": "new0", "peer": {"name": "new1", "mac_address": "0200.5e10.0001"}}, "peer.mac_address: '0200.5e10.0001'", "such as 02:00"),
    ({"name": "new0", "peer": PEER, "master": "new0"}, "master: 'new0'", "its own master", "name the bridge"),
    ({"name": "new0", "peer": PEER, "master": "nosuch"}, "master", "'nosuch'", "on the host", "create it first or correct"),
    (
        {"name": "new0", "netns": "red", "peer": PEER, "master": "br0"},
        "master",
        "'br0'",
        "in namespace 'red'",
        "create it first or correct",
    ),
    ({"name": "new0", "peer": {"name": "new1", "master": "nosuch"}}, "peer.master", "'nosuch'", "create it first or correct"),
    ({"name": "new0", "peer": PEER, "master": "left"}, "master", "'left'", "kind veth", "name a bridge"),
    ({"name": "new0", "peer": PEER, "master": "new1"}, "veth new0", "by way of master", "break the circle"),
    ({"name": "new0", "peer": PEER, "alias": "x" * 256}, "alias", "256 bytes", "255 at most"),
    ({"name": "new0", "peer": PEER, "alias": "two\0words"}, "alias", "zero byte"),
    ({"name": "new0", "peer": PEER, "txqueuelen": -1}, "txqueuelen: -1", RANGE),
    ({"name": "new0", "peer": PEER, "num_tx_queues": 0}, "num_tx_queues: 0", RANGE),
    ({"name": "new0", "peer": {"name": "new1", "num_rx_queues": 5000}}, "peer.num_rx_queues: 5000", RANGE),
    ({"name": "new0", "peer": {"name": "new1", "up": "perhaps"}}, "up", "perhaps", "Valid booleans include"),
    ({"name": "br0", "peer": PEER}, "br0", "kind", "bridge", "force: true"),
    ({"name": "new0", "peer": {"name": "br0"}}, "br0", "bridge", "remove it first"),
    ({"name": "left", "peer": {"name": "right", "netns": "red"}}, "left", "peer", "force: true", "remove it first"),
    ({"name": "red-eth0", "peer": {"name": "eth1", "netns": "red"}}, "red-eth0", "peer", "force: true", "remove it first"),
    ({"name": "br0", **ABSENT}, "br0", "bridge", "not an end of a veth pair", "netns_link"),
    ({"name": LONG, **ABSENT}, f"name: '{LONG}'", "16 bytes", "1 to 15"),
]


def link(**given: t.Any) -> dict[str, t.Any]:
    return {"name": "new0", **given}


VXLAN = {"id": 9, "port": 4790}
NETNS_LINK: list[t.Any] = [
    *((link(kind="bridge", netns=netns), *words) for netns, *words in PLACES),
    ({"kind": "bridge"}, "name", "missing required arguments"),
    (link(kind="magic"), "kind", "magic", "bridge"),
    (link(kind="veth"), "kind", "veth", "bridge"),
    (link(knid="bridge"), "knid", "Supported parameters include"),
    (link(), "name", "'new0'", "give the kind of link to create"),
    ({"name": LONG, "kind": "bridge"}, f"name: '{LONG}'", "16 bytes", "1 to 15"),
    ({"name": "lo", "kind": "bridge"}, "lo", "choose another name"),
    ({"name": "left", "kind": "bridge"}, "left", "kind", "force: true", "remove it first"),
    (
        {"name": "tunnel", "kind": "vxlan", "vxlan": {"id": 8, "port": 4789}},
        "tunnel",
        "vxlan id is 7, not 8",
        "force: true",
        "remove it first",
    ),
    ({"name": "tunnel", "kind": "bridge", **ABSENT}, "tunnel", "kind vxlan, not bridge"),
    ({"name": "br0", **ABSENT}, "br0", "give its kind to remove a virtual link"),
    (link(kind="bridge", vlan={"id": 5}), "vlan", "link new0", "remove vlan or set kind: vlan"),
    (link(kind="bridge", parent="left"), "parent", "link new0", "remove parent"),
    (link(kind="bridge", bridge={"stpp": True}), "bridge.stpp", "Supported parameters include"),
    (link(kind="bridge", bridge={"stp": "perhaps"}), "stp", "perhaps", "Valid booleans include"),
    (link(kind="bridge", bridge={"stp": True, "forward_delay": 100}), "bridge.forward_delay", "link new0", "at least 200"),
    (link(kind="bridge", bridge={"group_fwd_mask": 1}), "bridge.group_fwd_mask", "link new0", "clear them"),
    (link(kind="bridge", bridge={"mcast_hash_max": 3}), "bridge.mcast_hash_max: 3", "link new0", "power of two"),
    (link(kind="bridge", bridge={"priority": 70000}), "bridge.priority: 70000", "link new0", RANGE),
    (link(kind="bridge", bridge={"ageing_time": -1}), "bridge.ageing_time: -1", "link new0", RANGE),
    (link(kind="bridge", bridge={"hello_time": 5}), "bridge.hello_time: 5", "link new0", RANGE),
    (link(kind="bridge", mtu=20), "mtu: 20", RANGE),
    (link(kind="bridge", mac_address="ff:ff:ff:ff:ff:ff"), "mac_address: 'ff:ff:ff:ff:ff:ff'", "a multicast address"),
    (link(kind="bridge", master="new0"), "master: 'new0'", "its own master", "name the bridge"),
    (link(kind="bridge", master="nosuch"), "master", "'nosuch'", "create it first or correct"),
    (link(kind="bridge", master="br0"), "master", "'br0'", "a bridge cannot be a port of a bridge"),
    (link(kind="bridge", txqueuelen=-1), "txqueuelen: -1", RANGE),
    ({"name": "left", "master": "", "port": {"isolated": True}}, "port", "link left", "master is empty", "remove one"),
    ({"name": "left", "port": {"isolated": True}}, "port", "left", "in no bridge", "give its bridge as master"),
    ({"name": "red-eth0", "port": {"isolatd": True}}, "port.isolatd", "Supported parameters include"),
    ({"name": "red-eth0", "port": {"cost": 0}}, "port.cost: 0", "link red-eth0", RANGE),
    ({"name": "red-eth0", "port": {"priority": 64}}, "port.priority: 64", "link red-eth0", RANGE),
    ({"name": "red-eth0", "port": {"pvid": 5000}}, "port.pvid", "5000", "link red-eth0", "4094"),
    ({"name": "red-eth0", "port": {"vlans": ["10-5"]}}, "port.vlans", "'10-5'", "link red-eth0", "write the smaller number first"),
    ({"name": "red-eth0", "port": {"vlans": ["ten"]}}, "port.vlans: 'ten'", "link red-eth0", RANGE),
    ({"name": "red-eth0", "port": {"vlans": ["\u00b2"]}}, "port.vlans: '\u00b2'", "link red-eth0", RANGE),
    ({"name": "red-eth0", "port": {"group_fwd_mask": 2}}, "port.group_fwd_mask", "link red-eth0", "clear it"),
    (link(kind="vlan", vlan={"id": 5}), "parent", "link new0", "kind vlan", "the device that it stands on"),
    (link(kind="vlan", parent="left"), "vlan.id", "link new0", "is required"),
    (link(kind="vlan", parent="left", vlan={}), "id", "vlan", "required"),
    (link(kind="vlan", parent="left", vlan={"id": 5000}), "vlan.id: 5000", "link new0", RANGE),
    (link(kind="vlan", parent="left", vlan={"id": 5, "protocol": "isl"}), "protocol", "isl", "802.1ad, 802.1q"),
    (link(kind="macvlan"), "parent", "link new0", "the device that it stands on"),
    (link(kind="macvlan", parent="new0"), "parent: 'new0'", "its own parent", "name the device"),
    (link(kind="macvlan", parent="nosuch"), "parent", "'nosuch'", "create it first or correct"),
    (link(kind="macvlan", parent="left", parent_netns="missing"), "'missing'", "does not exist"),
    (link(kind="macvlan", parent="left", macvlan={"mode": "tunnel"}), "mode", "tunnel", "bridge, passthru"),
    (link(kind="macvlan", parent_netns="red"), "parent_netns", "parent", "required"),
    (link(kind="ipvlan", parent="left", mac_address="02:00:5e:10:00:01"), "mac_address", "link new0", "remove it"),
    (link(kind="vxlan"), "vxlan.id", "link new0", "is required"),
    (link(kind="vxlan", vxlan={"id": 2**24}), "vxlan.id: 16777216", "link new0", RANGE),
    (link(kind="vxlan", vxlan={**VXLAN, "port": 0}), "vxlan.port: 0", "link new0", RANGE),
    (
        link(kind="vxlan", vxlan={**VXLAN, "remote": "198.51.100.1", "group": "239.0.0.1"}),
        "vxlan.remote and vxlan.group",
        "new0",
        "remove one of them",
    ),
    (link(kind="vxlan", vxlan={**VXLAN, "remote": "239.0.0.1"}), "vxlan.remote: 239.0.0.1", "link new0", "group"),
    (link(kind="vxlan", vxlan={**VXLAN, "group": "198.51.100.1"}), "vxlan.group: 198.51.100.1", "link new0", "remote"),
    (
        link(kind="vxlan", vxlan={**VXLAN, "local": "192.0.2.1", "remote": "2001:db8::1"}),
        "vxlan.local and vxlan.remote",
        "link new0",
        "use two of IPv4 or two of IPv6",
    ),
    (link(kind="vxlan", vxlan={**VXLAN, "local": "here"}), "vxlan.local: 'here'", "link new0", "is not an IP address"),
    (link(kind="geneve", geneve={"id": 5}), "remote", "geneve", "required"),
    (link(kind="geneve", geneve={"id": -1, "remote": "198.51.100.1"}), "geneve.id: -1", "link new0", RANGE),
    (link(kind="gre", gre={"remote": "2001:db8::1"}), "gre.remote: '2001:db8::1'", "link new0", "use an IPv4 address"),
    (link(kind="gre", gre={"key": "secret"}), "gre.key: 'secret'", "link new0", RANGE),
    (link(kind="gre", gre={"key": "5", "ikey": "6"}), "gre.ikey", "gre.key", "link new0", "remove one"),
    (link(kind="sit", sit={"ttl": 256}), "sit.ttl: 256", "link new0", RANGE),
    (link(kind="ipip", ipip={"local": "0.0.0.0"}), "ipip.local: '0.0.0.0'", "link new0", "leave the option out"),
    (link(kind="vrf"), "vrf.table", "link new0", "is required"),
    (link(kind="vrf", vrf={"table": "nosuch"}), "vrf.table: 'nosuch'", "link new0", "a number from 1"),
    (link(kind="bond", bond={"mode": "fast"}), "mode", "fast", "active-backup"),
    (link(kind="bond", bond={"miimon": 100, "updelay": 150}), "bond.updelay: 150", "link new0", "multiple of miimon"),
    (link(kind="tap", tap={"user": "no-such-user"}), "tap.user", "'no-such-user'", "link new0", "there is no user"),
    (link(kind="tap", tap={"group": "-1"}), "tap.group", "'-1'", "link new0", "there is no group"),
    (link(kind="tun", mac_address="02:00:5e:10:00:01"), "mac_address", "link new0", "remove it"),
    (link(kind="wireguard", wireguard={"key": "x"}), "wireguard", "Supported parameters include"),
    (link(from_netns="missing"), "name", "'new0'", "'missing'", "correct it"),
    (link(kind="vxlan", vxlan=VXLAN, take_over="left"), "take_over", "link new0", "set kind: bridge"),
    (link(kind="bridge", take_over="new0"), "take_over: 'new0'", "its own port", "name the device"),
    (link(kind="bridge", take_over="nosuch"), "take_over", "'nosuch'", "create it first or correct"),
    (link(kind="bridge", take_over="br0"), "take_over", "br0", "is a bridge itself"),
    (link(kind="bridge", take_over="red-eth0"), "take_over", "red-eth0", "br0", "take it out there first"),
]

NETNS_INFO: list[t.Any] = [
    *(({"netns": [netns]}, *words) for netns, *words in PLACES if netns not in ("stale", "folder", "symlink")),
    ({"name": "red"}, "name", "Supported parameters include"),
    ({"gather": ["everything"]}, "gather", "everything", "addresses, links"),
    ({"netns": ["red", "missing"]}, "'missing'", "does not exist"),
]


NETNS_PREFLIGHT: list[t.Any] = [
    ({"subnet": ["10.0.0.0/24"]}, "subnet", "Supported parameters include"),
    ({"subnets": ["10.0.0.0/33"]}, "subnets", "10.0.0.0/33"),
    ({"subnets": ["10.0.0.1/24"]}, "subnets", "10.0.0.1/24", "host bits"),
    ({"subnets": ["192.0.2.0/25"]}, "192.0.2.0/25", "br0"),
    ({"interface": "a/b"}, "interface", "a/b"),
    ({"links": ["sixteen-bytes-00"]}, "links", "sixteen-bytes-00"),
    ({"uplink": "two words"}, "uplink", "two words"),
    ({"uplink": "br0", "bridge_uplink": True}, "br0", "bridge"),
    ({"kinds": ["unheard-of"]}, "unheard-of"),
    ({"ignore": ["everything"]}, "ignore", "everything"),
    ({"fail_on": "sight"}, "fail_on", "sight"),
    ({"drop_ins": "runtime", "interface": "br9"}, "name"),
    ({"drop_ins": "runtime", "name": "lab"}, "drop_ins", "interface or links"),
    ({"drop_ins": "runtime", "name": "../lab", "interface": "br9"}, "name", "../lab"),
    ({"state": "absent"}, "name"),
]


def lab(**lists: t.Any) -> dict[str, t.Any]:
    return {"name": "lab", **lists}


NEW = [{"name": ["new"]}]
CABLE = [{"name": "eth0", "netns": "new", "peer": {"name": "new-eth0"}}]
NETNS_TOPOLOGY: list[t.Any] = [
    ({}, "name", "missing required arguments"),
    ({"name": ""}, "name: ''", "use"),
    ({"name": "../lab", "namespaces": NEW}, "name: '../lab'", "use"),
    (lab(namespace=NEW), "namespace", "Supported parameters include"),
    (lab(namespaces={"name": "new"}), "namespaces", "unable to convert to list"),
    (lab(namespaces="new"), "dictionary requested"),
    (lab(namespaces=[{"name": "new", "state": "present"}]), "namespaces.state", "Supported parameters include"),
    (lab(namespaces=[{}]), "name", "namespaces", "missing required arguments"),
    (lab(namespaces=[{"name": "new"}, {"name": "a/b"}]), "namespaces[1].name: 'a/b'", "slash"),
    (
        lab(namespaces=[{"name": "new", "nsid": 7}, {"name": "newer", "nsid": 7}]),
        "namespaces[0] and namespaces[1]",
        "nsid 7",
        "change or remove one",
    ),
    (
        lab(namespaces=[{"name": "new", "loopback": True}, {"name": "new", "loopback": False}]),
        "namespaces[0] and namespaces[1] contradict",
        "namespace new",
        "loopback",
        "remove one of them",
    ),
    (
        lab(links=[{"name": "new0", "kind": "bridge"}, {"name": "new0", "kind": "dummy"}]),
        "links[0] and links[1] contradict",
        "new0",
        "kind is 'bridge' in the one and 'dummy' in the other",
        "remove one of them",
    ),
    (
        lab(links=[{"name": "new0", "kind": "bridge"}], veths=[{"name": "new0", "peer": PEER}]),
        "links[0] and veths[0]",
        "new0",
        "rename or remove one",
    ),
    (
        lab(veths=[{"name": "new0", "peer": PEER}, {"name": "new2", "peer": PEER}]),
        "veths[0] and veths[1]",
        "new1",
        "rename or remove one",
    ),
    (
        lab(addresses=[{"dev": "left", "address": "192.0.2.5/24"}, {"dev": "left", "address": "192.0.2.5/24", "metric": 5}]),
        "addresses[0] and addresses[1] contradict",
        "192.0.2.5/24",
        "metric",
        "remove one of them",
    ),
    (
        lab(routes=[{"dest": "10.0.0.0/8", "dev": "left"}, {"dest": "10.0.0.0/8", "dev": "right"}]),
        "routes[0] and routes[1] contradict",
        "10.0.0.0/8",
        "dev is 'left' in the one and 'right' in the other",
        "remove one of them",
    ),
    (
        lab(rules=[{"priority": 5, "from": "10.0.0.0/8", "table": "5"}, {"priority": 5, "from": "10.0.0.0/8", "table": "6"}]),
        "rules[0] and rules[1] contradict",
        "10.0.0.0/8",
        "table",
        "remove one of them",
    ),
    (
        lab(sysctls=[{"name": "net.ipv4.ip_forward", "value": 1}, {"sysctls": {"net.ipv4.ip_forward": 0}}]),
        "sysctls[0] and sysctls[1] contradict",
        "net.ipv4.ip_forward",
        "remove one of them",
    ),
    (
        lab(
            nat=[
                {"name": "n", "subnets": ["10.7.0.0/24"], "interface": "br0", "uplink": "outside"},
                {"name": "n", "subnets": ["10.8.0.0/24"], "interface": "br0", "uplink": "outside"},
            ]
        ),
        "nat[0] and nat[1] contradict",
        "subnets",
        "remove one of them",
    ),
    (
        lab(
            links=[
                {"name": "new0", "kind": "vxlan", "vxlan": VXLAN, "parent": "new1"},
                {"name": "new1", "kind": "vxlan", "vxlan": VXLAN, "parent": "new0"},
            ]
        ),
        "new0",
        "stands on itself",
        "break the circle",
    ),
    (
        lab(links=[{"name": "new0", "kind": "bridge", "master": "new1"}, {"name": "new1", "kind": "bridge", "master": "new0"}]),
        "new0",
        "stands on itself",
        "break the circle",
    ),
    (lab(veths=[{"name": "eth0", "netns": "new", "peer": PEER}]), "'new'", "does not exist", "create it"),
    (
        lab(namespaces=NEW, addresses=[{"netns": "new", "dev": "eth0", "address": "192.0.2.5/24"}]),
        "dev",
        "'eth0'",
        "'new'",
        "create it first",
    ),
    (
        lab(namespaces=NEW, addresses=[{"netns": "new", "dev": "lo", "address": "192.0.2.5"}]),
        "addresses[0].address",
        "has no prefix length",
    ),
    (
        lab(namespaces=NEW, veths=CABLE, routes=[{"netns": "new", "dest": "default", "gateway": "192.0.2.1"}]),
        "gateway: 192.0.2.1",
        "in no subnet",
        "add an address",
    ),
    (
        lab(
            namespaces=NEW,
            veths=CABLE,
            addresses=[{"netns": "new", "dev": "eth0", "address": "192.0.2.5/24"}],
            routes=[{"netns": "new", "dest": "default", "gateway": "192.0.3.1"}],
        ),
        "gateway: 192.0.3.1",
        "in no subnet",
        "add an address",
    ),
    (lab(namespaces=NEW, routes=[{"netns": "new", "dest": "10.0.0.0/8", "dev": "eth0"}]), "dev", "'eth0'", "10.0.0.0/8", "create it first"),
    (lab(routes=[{"dest": "10.0.0.0/8", "nexthops": [{"weight": 2}]}]), "routes[0].nexthops[0]", "give a gateway, a dev or both"),
    (lab(namespaces=NEW, veths=[{**CABLE[0], "master": "br0"}]), "master", "'br0'", "in namespace 'new'"),
    (lab(veths=[{"name": "new0", "peer": {"name": "new1", "mtu": 1}}]), "veths[0].peer.mtu: 1", RANGE),
    (lab(links=[{"name": "new0", "kind": "bridge", "bridge": {"priority": 70000}}]), "links[0]", "new0", "bridge.priority: 70000", RANGE),
    (lab(links=[{"name": "new0"}]), "name", "'new0'", "give the kind"),
    (lab(links=[{"name": "left", "kind": "bridge"}]), "left", "kind", "force: true"),
    (lab(rules=[{"table": "nosuch"}]), "rules[0].table: 'nosuch'", "nor a name in rt_tables"),
    (lab(sysctls=[{"name": "net.ipv4.ip_forward"}]), "sysctls[0].value", "net.ipv4.ip_forward"),
    (lab(sysctls=[{"name": "vm.swappiness", "value": 1}]), "sysctls[0].name: 'vm.swappiness'", "only net.*"),
    (
        lab(nat=[{"name": "n", "subnets": ["10.7.0.0/24"], "interface": "nosuch", "uplink": "outside"}]),
        "interface",
        "'nosuch'",
        "create it first",
    ),
    (lab(nat=[{"name": "n", "subnets": ["10.7.0.0/24"]}]), "nat[0].interface", "nat n"),
    (lab(on_failure="shrug"), "on_failure", "shrug", "keep, rollback"),
    (lab(purge="perhaps"), "purge", "perhaps", "Valid booleans include"),
    (lab(verify=[{"ping": "192.0.2.1", "tcp": "192.0.2.1:80"}]), "verify[0].tcp", "ping and tcp", "exactly one of"),
    (lab(namespaces=NEW, verify=[{"netns": "new", "tcp": "192.0.2.1"}]), "verify[0].tcp: '192.0.2.1'", "write host:port"),
]


def check(**given: t.Any) -> dict[str, t.Any]:
    return {"checks": [given]}


ONE_OF = "exactly one of http, mtu, ping, tcp, udp_dns"
ON_PURPOSE = {"timeout": 0.2, "retries": 0}
NETNS_PROBE: list[t.Any] = [
    *((check(netns=netns, ping="192.0.2.1", **ON_PURPOSE), *words) for netns, *words in PLACES),
    ({}, "checks", "missing required arguments"),
    ({"checks": "ping"}, "dictionary requested"),
    (check(pong="192.0.2.1"), "checks.pong", "Supported parameters include"),
    (check(netns="red"), "checks[0].ping", ONE_OF),
    (check(ping="192.0.2.1", tcp="192.0.2.1:80"), "checks[0].tcp", "ping and tcp", ONE_OF),
    (check(ping=""), "checks[0].ping: ''", "192.0.2.1 or 2001:db8::1"),
    (check(ping="192.0.2.300"), "checks[0].ping: '192.0.2.300'", "neither an IP address nor a host name"),
    (check(ping="two words"), "checks[0].ping: 'two words'", "neither an IP address nor a host name"),
    (check(ping="0.0.0.0"), "checks[0].ping: '0.0.0.0'", "the unspecified address"),
    (check(ping="ff02::1"), "checks[0].ping: 'ff02::1'", "a multicast address"),
    (check(ping="fe80::1"), "checks[0].ping: 'fe80::1'", "say by which device, as fe80::1%eth0"),
    (check(ping="192.0.2.1%eth0"), "checks[0].ping: '192.0.2.1%eth0'", "remove %eth0"),
    (check(ping=f"fe80::1%{LONG}"), "checks[0].ping", LONG, "16 bytes, allowed are 1 to 15"),
    (check(tcp="192.0.2.1"), "checks[0].tcp: '192.0.2.1'", "write host:port"),
    (check(tcp="2001:db8::1:443"), "checks[0].tcp: '2001:db8::1:443'", "as [2001:db8::1]:443"),
    (check(tcp="192.0.2.1:http"), "checks[0].tcp: 'http'", "use a number from 1 to 65535"),
    (check(tcp="192.0.2.1:0"), "checks[0].tcp: 0", RANGE),
    (check(tcp="192.0.2.1:65536"), "checks[0].tcp: 65536", RANGE),
    (check(udp_dns={"nam": "example.com"}), "checks[0].udp_dns", "'nam'", "give a name, and a server"),
    (check(udp_dns={"name": "example.com", "server": "ns.example.com"}), "checks[0].udp_dns.server: 'ns.example.com'", "by its address"),
    (check(udp_dns="-bad-.example.com"), "checks[0].udp_dns.name: '-bad-.example.com'", "nor a host name"),
    (check(udp_dns=["example.com"]), "checks[0].udp_dns.name", "www.example.com"),
    (check(http="192.0.2.1"), "checks[0].http: '192.0.2.1'", "http://192.0.2.1/"),
    (check(http="ftp://192.0.2.1/"), "checks[0].http: 'ftp://192.0.2.1/'", "http://192.0.2.1/"),
    (check(http="http://[2001:db8::1/"), "checks[0].http: 'http://[2001:db8::1/'", "write for example"),
    (check(http="http://192.0.2.1/a b"), "checks[0].http: 'http://192.0.2.1/a b'", "write them as %xx"),
    (check(http="http://me:word@192.0.2.1/"), "checks[0].http", "does not log in", "remove it"),
    (check(http="http://192.0.2.1:99999/"), "checks[0].http: 'http://192.0.2.1:99999/'", "write for example"),
    (check(mtu={"to": "192.0.2.1"}), "size", "missing required arguments"),
    (check(mtu={"to": "192.0.2.1", "size": 20}), "checks[0].mtu.size: 20", RANGE),
    (check(mtu={"to": "2001:db8::1", "size": 1000}), "checks[0].mtu.size: 1000", RANGE),
    (check(ping="192.0.2.1", timeout=0), "checks[0].timeout: 0", "a number of seconds above 0"),
    (check(ping="192.0.2.1", timeout="soon"), "timeout", "checks", "float"),
    (check(ping="192.0.2.1", retries=-1), "checks[0].retries: -1", RANGE),
    (check(ping="192.0.2.1", expect_source="192.0.2.0/24"), "checks[0].expect_source: '192.0.2.0/24'", "without prefix length"),
    ({"checks": [{"ping": "127.0.0.1"}, {"tcp": "127.0.0.1"}]}, "checks[1].tcp: '127.0.0.1'", "write host:port"),
    # what is asked for can be meant, and does not work
    (check(netns="red", ping="198.51.100.1", **ON_PURPOSE), "ping 198.51.100.1 in namespace 'red'", "no route"),
    (check(netns="busy", tcp="127.0.0.1:9", **ON_PURPOSE), "tcp 127.0.0.1:9 in namespace 'busy'", "refused"),
]

BY_KERNEL: list[t.Any] = [
    ("netns", {"name": "new", "nsid": 5}, "new", "nsid", "choose another nsid than 5"),
    ("netns_route", {"dest": "10.0.0.0/8", "dev": "left", "src": "198.51.100.7"}, "10.0.0.0/8", "add the address 198.51.100.7"),
    ("netns_route", {"dest": "2001:db8:5::/64", "dev": "left", "src": "2001:db8:6::7"}, "2001:db8:5::/64", "add the address 2001:db8:6::7"),
    (
        "netns_topology",
        lab(namespaces=NEW, sysctls=[{"netns": "new", "name": "net.ipv4.nosuch", "value": 1}]),
        "net.ipv4.nosuch",
        "'new'",
        "correct its name",
    ),
    ("netns_sysctl", {"name": "net.ipv4.conf.all.mc_forwarding", "value": 1}, "net.ipv4.conf.all.mc_forwarding", "can only be read"),
    ("veth", {"name": "new0", "peer": PEER, "mtu": 70000}, "new0", "mtu"),
    ("veth", {"name": "new0", "netns": "red", "peer": {"name": "new1", "mtu": 2**31 - 1}}, "new0", "mtu"),
    ("netns_link", {"name": "left", "mtu": 70000}, "left", "mtu"),
    ("netns_link", link(kind="bridge", netns="red", mtu=70000), "new0", "mtu"),
    ("netns_link", link(kind="vxlan", vxlan={"id": 7, "port": 4789}), "new0", "VNI already exists", "correct vxlan"),
    ("netns_addr", {"dev": "right", "address": "2001:db8::5/64"}, "2001:db8::5/64", "right", "disable_ipv6"),
    ("netns_sysctl", {"name": "net.ipv4.ip_forward", "value": "banana"}, "net.ipv4.ip_forward", "'banana'", "correct it"),
    (
        "netns_sysctl",
        {"sysctls": {"net.ipv4.ip_forward": 1, "net.ipv4.ip_local_port_range": "9 1"}},
        "ip_local_port_range",
        "'9 1'",
        "correct it",
    ),
    ("netns_route", {"netns": "red", "dest": "10.0.0.0/8", "gateway": "192.0.2.1", "dev": "down", "onlink": True}, "10.0.0.0/8", "down"),
    (
        "netns_topology",
        lab(namespaces=NEW, veths=[{**CABLE[0], "peer": {"name": "new-eth0", "master": "br0", "mtu": 70000}}]),
        "new",
        "eth0",
        "mtu",
    ),
    (
        "netns_topology",
        lab(
            namespaces=NEW,
            links=[{"name": "ours", "kind": "bridge", "mtu": 1400}, {"name": "new0", "kind": "bridge"}],
            veths=CABLE,
            addresses=[{"netns": "new", "dev": "eth0", "address": ["198.51.100.5/24", "2001:db8:9::5/64"]}],
            routes=[{"netns": "new", "dest": "default", "gateway": "198.51.100.1"}],
            rules=[{"from": "10.0.0.0/8", "table": "100"}],
            sysctls=[{"netns": "new", "sysctls": {"net.ipv4.ip_forward": 1, "net.ipv4.ip_default_ttl": 0}}],
        ),
        "net.ipv4.ip_default_ttl",
        "'new'",
        "correct it",
    ),
    (
        "netns_topology",
        lab(namespaces=NEW, veths=CABLE, verify=[{"netns": "new", "ping": "192.0.2.77", "timeout": 0.2, "retries": 0}]),
        "ping 192.0.2.77 in namespace 'new'",
        "give one of its interfaces an IPv4 address",
    ),
]

# As they are, no good; run by somebody or somewhere that cannot do it.
CIRCUMSTANCES: list[t.Any] = [
    (as_nobody, "netns", {"name": "new"}, "linuxnet.netns.netns", "must run as root", "become: true"),
    (as_nobody, "netns_topology", lab(namespaces=NEW), "linuxnet.netns.netns_topology", "must run as root", "become: true"),
    (as_nobody, "netns_info", {}, "linuxnet.netns.netns_info", "must run as root", "become: true"),
    (
        without_nft,
        "netns_nat",
        {"name": "lab", "subnets": ["10.7.0.0/24"], "interface": "br0", "uplink": "outside"},
        "nft",
        "install the package nftables",
        "linuxnet.netns.requirements",
    ),
    (without_pyroute2, "netns_link", link(kind="vxlan", vxlan=VXLAN), "pyroute2", "install python3-pyroute2"),
]


def _table() -> list[Bad]:
    modules = {
        "netns": NETNS,
        "netns_addr": NETNS_ADDR,
        "netns_info": NETNS_INFO,
        "netns_link": NETNS_LINK,
        "netns_nat": NETNS_NAT,
        "netns_preflight": NETNS_PREFLIGHT,
        "netns_probe": NETNS_PROBE,
        "netns_route": NETNS_ROUTE,
        "netns_rule": NETNS_RULE,
        "netns_sysctl": NETNS_SYSCTL,
        "netns_topology": NETNS_TOPOLOGY,
        "veth": VETH,
    }
    found = [
        Bad(f"{module}-{at}", module, args, tuple(words)) for module, lines in modules.items() for at, (args, *words) in enumerate(lines)
    ]
    found += [Bad(f"by_kernel-{at}-{module}", module, args, tuple(words), late=True) for at, (module, args, *words) in enumerate(BY_KERNEL)]
    found += [
        Bad(f"{before.__name__}-{module}", module, args, tuple(words), late=before is without_nft, before_run=before)
        for before, module, args, *words in CIRCUMSTANCES
    ]
    return found


TABLE = _table()
