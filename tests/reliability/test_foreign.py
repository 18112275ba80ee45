# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host full of other people's things: a topology comes, changes and goes among them, and they are as they were.

What is in the way of a wish is refused or left, with a sentence that names it and whose it is.
"""

from __future__ import annotations

import copy
import importlib.util
import shutil
import subprocess
import typing as t

import pytest
from host import Host
from pieces import Pieces, automatic, pieces, touched
from runs import Arguments, Result, good, module

TOPOLOGY = "netns_topology"
Tally = t.Callable[[str, int, int, int], None]

# Links of every kind that this kernel may have; a kind that it has not is passed over.
LINKS = """
ip link add f-br address 02:00:00:00:0f:01 type bridge
ip link add f-br2 type bridge
ip link add f-v0 type veth peer name f-v1
ip link set f-v0 master f-br
ip link add link f-v1 name f-mv type macvlan mode bridge || true
ip link add link f-v1 name f-mt type macvtap mode bridge || true
ip link add f-vx type vxlan id 7 dstport 4790 remote 192.0.2.200 || true
ip link add f-ifb type ifb || true
ip link add f-dummy type dummy || true
ip link add link f-v1 name f-vlan type vlan id 7 || true
ip link add f-bond type bond || true
ip link add f-wg type wireguard || true
ip link add f-vrf type vrf table 700 || true
ip link add f-gre type gretap local 192.0.2.1 remote 192.0.2.2 || true
ip tuntap add f-tap mode tap || true
ip tuntap add f-tun mode tun || true
for link in f-br f-br2 f-v0 f-v1; do ip link set $link up; done
ip link set f-br2 alias "somebody's" mtu 1333 txqueuelen 77
ip link property add dev f-br2 altname somebodys-bridge
"""
REST = """
ip address add 198.51.100.1/24 dev f-br
ip address add 198.51.100.2/24 dev f-br label f-br:x
ip address add 198.51.100.77 peer 198.51.100.78 dev f-br2
ip -6 address add 2001:db8:f::1/64 dev f-br nodad
ip address add 192.0.2.129/25 dev f-v1 valid_lft 3000 preferred_lft 2000
for protocol in 4 16 42 99 110 186; do
  ip route add 203.0.$protocol.0/24 via 198.51.100.9 proto $protocol
  ip route add 203.0.$protocol.0/24 via 198.51.100.9 proto $protocol table 100 metric 5
  ip -6 route add 2001:db8:$protocol::/64 via 2001:db8:f::9 proto $protocol table 100
done
ip route add default via 198.51.100.254 metric 900
ip route add blackhole 10.200.0.0/16
ip route add 10.201.0.0/16 nexthop via 198.51.100.5 weight 2 nexthop via 198.51.100.6
ip rule add from 198.51.100.0/24 table 100 priority 100
ip rule add fwmark 0x77 table 100 priority 101
ip rule add from 10.77.0.0/16 table 100 priority 50
ip -6 rule add from 2001:db8:f::/48 table 100 priority 100
ip rule add from 10.88.0.0/16 table 100 protocol 110 priority 60
ip netns add theirs
ip netns add shared
for name in theirs shared; do
  ip -n $name link set lo up
  ip -n $name link add eth0 type veth peer name $name-eth0
  ip -n $name link add br0 type bridge
  ip -n $name address add 172.16.0.1/24 dev eth0
  ip -n $name link set eth0 up
  ip -n $name route add 172.17.0.0/16 via 172.16.0.9 table 300
  ip -n $name rule add from 172.16.0.0/24 table 300 priority 300
  ip netns exec $name sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.eth0.rp_filter=2
done
sysctl -qw net.ipv4.conf.f-br.rp_filter=2 net.ipv4.conf.f-v1.arp_announce=2 net.ipv6.conf.f-br2.accept_ra=0 net.ipv4.ip_default_ttl=63
mkdir -p /etc/netns/theirs /etc/netns/nobody
echo nameserver 192.0.2.53 > /etc/netns/theirs/resolv.conf
echo 127.0.0.1 x > /etc/netns/nobody/hosts
echo 10 > /run/netns-note
"""
NFT = """
for family in ip ip6 inet arp bridge; do
  nft add table $family theirs
  nft add chain $family theirs in '{ type filter hook input priority 5; }'
  nft add rule $family theirs in counter
done
nft add table netdev theirs
nft add table ip nat
nft add chain ip nat post '{ type nat hook postrouting priority 100; }'
nft add rule ip nat post ip saddr 172.16.0.0/16 masquerade
nft add set ip nat names '{ type ipv4_addr; elements = { 192.0.2.7 }; }'
"""


def lab(version: int = 0) -> Arguments:
    """What wants to live there: names that others use elsewhere, numbers that others use for something else."""
    links: list[dict[str, t.Any]] = [{"name": "br0", "kind": "bridge", "mtu": 1500 - 100 * version}]
    if importlib.util.find_spec("pyroute2"):
        links.append(
            {"name": "f-vx", "netns": "mine", "kind": "vxlan", "vxlan": {"id": 7 + version, "port": 4790, "remote": "192.0.2.201"}}
        )
    lists: Arguments = {
        "name": "mine",
        "namespaces": [{"name": ["mine", f"v{version}"], "nameservers": ["192.0.2.1"]}],
        "links": links,
        "veths": [
            {"name": "eth0", "netns": "mine", "peer": {"name": "mine-eth0", "master": "br0"}},
            # into a namespace and a bridge of others
            {"name": f"mine{version}", "netns": "shared", "peer": {"name": "mine-eth1", "master": "f-br"}},
        ],
        "addresses": [
            {"dev": "br0", "address": ["10.77.0.1/24"]},
            {"dev": "f-br", "address": [f"198.51.100.{100 + version}/24"]},
            {"netns": "mine", "dev": "eth0", "address": [f"10.77.0.{2 + version}/24"]},
        ],
        "routes": [
            {"netns": "mine", "dest": ["default"], "gateway": "10.77.0.1"},
            {"dest": ["203.0.99.0/24"], "gateway": "10.77.0.2", "table": "100", "metric": 6 + version},
            {"dest": [f"10.202.{version}.0/24"], "type": "blackhole"},
        ],
        "rules": [
            {"from": "10.77.0.0/16", "priority": 61 + version, "table": "100"},
            {"netns": "shared", "priority": 301, "iif": f"mine{version}", "table": "300"},
        ],
    }
    if shutil.which("nft"):
        lists["nat"] = [{"name": "mine", "subnets": ["10.77.0.0/24"], "interface": "br0", "uplink": "f-br"}]
    return lists


@pytest.fixture
def host() -> t.Iterator[Host]:
    with Host() as found:
        yield found


def calm(found: Pieces) -> Pieces:
    """Without what somebody's bridge follows its ports with."""
    return {name: _calm(value) if name[1] == "link" else value for name, value in found.items()}


def _calm(link: dict[str, t.Any]) -> dict[str, t.Any]:
    return {name: value for name, value in link.items() if not name.startswith(("gso_", "gro_", "tso_"))}


@pytest.fixture
def full(host: Host) -> t.Iterator[Host]:
    """A full host, with a process of somebody's in a namespace."""
    host.shell(f"exec 2>/run/errors\n{LINKS}{REST}{NFT if shutil.which('nft') else ''}")
    with host.popen(["ip", "netns", "exec", "theirs", "sleep", "1000"], stdout=subprocess.DEVNULL) as process:
        host.settled()
        yield host
        process.kill()


def seen(host: Host) -> Pieces:
    return calm(pieces(host.settled()))


# NAT has the uplink forward as long as the network is there
LENT = ("", "sysctl", "net/ipv4/conf/f-br/forwarding")


def sampled(short: bool, table: t.Iterable[t.Any], entry: t.Any) -> None:
    """In the short form every other entry of a table."""
    if short and [*table].index(entry) % 2:
        pytest.skip("not in the short form")


def judge(tally: Tally, scenario: str, steps: int, lines: list[str]) -> None:
    tally(f"others' things: {scenario}", steps, steps - bool(lines), len(lines))
    assert not lines, "\n".join(line[:600] for line in lines[:20])


def test_nothing_of_theirs_is_touched(full: Host, tally: Tally) -> None:
    before = seen(full)
    steps: list[tuple[str, Arguments, bool]] = [
        ("check mode", lab(0), True),
        ("apply", lab(0), False),
        ("again", lab(0), False),
        ("change", lab(1), False),
        ("change back", lab(0), False),
        ("absent in check mode", {**lab(0), "state": "absent"}, True),
        ("absent", {**lab(0), "state": "absent"}, False),
        ("absent again", {**lab(0), "state": "absent"}, False),
    ]
    lines = []
    for what, wish, check_mode in steps:
        result = good(full, TOPOLOGY, check_mode=check_mode, **wish)
        assert bool(result["changes"]) == (not what.endswith("again")), (what, result["changes"])
        now = seen(full)
        lines += [f"{what}: {line}" for line in touched({name: value for name, value in before.items() if name != LENT}, now)]
    lines += touched(before, now) + [f"left over: {name}" for name in now if name not in before]
    judge(tally, "a full host", len(steps), lines)


# What stands in the way of a wish: how it came there, the words that the sentence has to have.
IN_THE_WAY = {
    "a veth end": ("ip link add br0 type veth peer name x0", ["br0", "force"]),
    "a veth pair elsewhere": ("ip link add mine-eth0 type veth peer name x0", ["mine-eth0"]),
    "a bridge": ("ip link add mine-eth0 type bridge", ["mine-eth0", "force"]),
    "a tap device": ("ip tuntap add br0 mode tap", ["br0", "force"]),
    "two ends of two pairs": (
        "ip netns add mine; ip link add mine-eth0 type veth peer name x0; ip -n mine link add eth0 type veth peer name x1",
        ["eth0"],
    ),
    "a file": ("mkdir -p /run/netns/mine", ["mine"]),
}


def small(name: str = "mine") -> Arguments:
    return {
        "name": name,
        "namespaces": [{"name": ["mine"]}],
        "links": [{"name": "br0", "kind": "bridge"}],
        "veths": [{"name": "eth0", "netns": "mine", "peer": {"name": "mine-eth0", "master": "br0"}}],
        "addresses": [{"dev": "br0", "address": ["10.77.0.1/24"]}],
        "routes": [{"dest": ["10.202.0.0/24"], "type": "blackhole"}],
        "rules": [{"from": "10.77.0.0/16", "priority": 61, "table": "100"}],
    }


@pytest.mark.parametrize(("script", "words"), IN_THE_WAY.values(), ids=IN_THE_WAY)
def test_in_the_way(host: Host, script: str, words: list[str], short: bool, tally: Tally) -> None:
    sampled(short, IN_THE_WAY.values(), (script, words))
    host.shell(script)
    before = seen(host)
    results = [module(host, TOPOLOGY, check_mode=check_mode, **small()) for check_mode in (True, False)]
    for result in results:
        assert result.get("failed"), result["changes"]
        assert all(word in result["msg"] for word in words), result["msg"]
    assert results[0]["msg"] == results[1]["msg"]
    judge(tally, "in the way", 2, touched(before, seen(host)) + touched(seen(host), before))


# What was there before has what was asked for, and stays when the topology goes: how it came there, how to look for it.
THERE_BEFORE = {
    "namespace mine": ("ip netns add mine; ip -n mine link set lo up; ip -n mine link add keep type bridge", "ip -n mine link show keep"),
    "br0": (
        "ip link add br0 address 02:00:00:00:00:01 type bridge; ip link set br0 mtu 1400 up",
        "ip link show br0",
    ),
    "10.77.0.1/24": (
        "ip link add br0 address 02:00:00:00:00:01 type bridge; ip link set br0 up; ip address add 10.77.0.1/24 dev br0",
        "ip address show dev br0 | grep 10.77.0.1/24",
    ),
    "10.202.0.0/24": ("ip route add blackhole 10.202.0.0/24 proto static", "ip route show | grep 'blackhole 10.202.0.0/24'"),
    "from 10.77.0.0/16": ("ip rule add from 10.77.0.0/16 priority 61 table 100", "ip rule show | grep '61:.*10.77.0.0/16.*100'"),
}


def warnings(result: Result) -> str:
    return " ".join(warning["event"]["msg"] if isinstance(warning, dict) else warning for warning in result.get("warnings", []))


@pytest.mark.parametrize("what", THERE_BEFORE)
def test_there_before(host: Host, what: str, short: bool, tally: Tally) -> None:
    sampled(short, [*THERE_BEFORE][::-1], what)
    script, look = THERE_BEFORE[what]
    host.shell(script)
    before = seen(host)
    good(host, TOPOLOGY, **small())
    assert not good(host, TOPOLOGY, **small())["changed"]
    gone = good(host, TOPOLOGY, **small(), state="absent")
    assert what.rpartition(" ")[2] in warnings(gone), warnings(gone)
    host.shell(look)
    now = seen(host)
    # a bridge that has had a port has a link-local address
    new = [name for name in now if name not in before and not automatic(name, now[name])]
    judge(tally, "there before", 3, touched(before, now) + [f"left over: {name}" for name in new])


# What the topology made is taken away by somebody, who puts something of the same name there.
REPLACED = {
    "br0": ("ip link delete br0; ip link add br0 type bridge", "ip link show br0"),
    "namespace mine": ("ip netns delete mine; ip netns add mine; ip -n mine link add keep type bridge", "ip -n mine link show keep"),
    "10.77.0.1/24": ("ip address delete 10.77.0.1/24 dev br0; ip address add 10.77.0.1/24 dev br0 proto 5", ""),
    "10.202.0.0/24": ("ip route replace blackhole 10.202.0.0/24 proto static", "ip route show | grep 'blackhole 10.202.0.0/24'"),
    "from 10.77.0.0/16": (
        "ip rule delete priority 61; ip rule add from 10.77.0.0/16 priority 61 table 100 protocol static",
        "ip rule show | grep '61:.*10.77.0.0/16.*100'",
    ),
}


@pytest.mark.parametrize("what", REPLACED)
def test_replaced_by_others(host: Host, what: str, short: bool, tally: Tally) -> None:
    sampled(short, ["", *REPLACED], what)
    script, look = REPLACED[what]
    good(host, TOPOLOGY, **small())
    said = host.shell(script, check=False)
    if "garbage" in said:
        pytest.skip("this ip cannot give an address a protocol")
    gone = good(host, TOPOLOGY, **small(), state="absent")
    lines = [] if not look or host.shell(f"{look} || true") else [f"{what} of somebody's is gone"]
    if look:
        assert what.rpartition(" ")[2] in warnings(gone), warnings(gone)
    judge(tally, "replaced", 1, lines)


# -- two topologies


def sharing(name: str, netns: str, mtu: int = 1500) -> Arguments:
    """A topology with a namespace of its own, and a bridge and a namespace that another one has too."""
    return {
        "name": name,
        "namespaces": [{"name": [netns, "common"]}],
        "links": [{"name": "br-common", "kind": "bridge", "mtu": mtu}],
        "veths": [
            {"name": "eth0", "netns": netns, "peer": {"name": f"{netns}-e0", "master": "br-common"}},
            {"name": netns, "netns": "common", "peer": {"name": f"{netns}-e1"}},
        ],
    }


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["first", "last"])
@pytest.mark.parametrize("way", ["absent", "purge"])
def test_the_last_that_leaves(host: Host, order: tuple[int, int], way: str, short: bool, tally: Tally) -> None:
    sampled(short, [("absent", (0, 1)), ("absent", (1, 0)), ("", ()), ("purge", (0, 1)), ("purge", (1, 0))], (way, order))
    empty = seen(host)
    wishes = [sharing("one", "ns-one"), sharing("two", "ns-two")]
    for wish in wishes:
        good(host, TOPOLOGY, **wish)
    first, last = (copy.deepcopy(wishes[at]) for at in order)
    leave = {**first, "state": "absent"} if way == "absent" else {"name": first["name"]}
    good(host, TOPOLOGY, **leave)
    again = good(host, TOPOLOGY, **last)
    lines = [f"{change['action']} {change['kind']} {change['name']}" for change in again["changes"]]
    netns = first["namespaces"][0]["name"][0]
    lines += [f"left over: {name}" for name in seen(host) if name[2].startswith(netns) or netns == name[0]]
    good(host, TOPOLOGY, **last, state="absent")
    now = seen(host)
    lines += touched(empty, now) + [f"left over: {name}" for name in now if name not in empty]
    judge(tally, f"two topologies, {way}", 2, lines)


def test_another_topology_in_the_way(host: Host, tally: Tally) -> None:
    good(host, TOPOLOGY, **sharing("one", "ns-one", 1400))
    before = seen(host)
    for check_mode in (True, False):
        result = module(host, TOPOLOGY, check_mode=check_mode, **sharing("two", "ns-two", 1500))
        assert result.get("failed"), result["changes"]
        assert "br-common" in result["msg"], result["msg"]
        assert "'one'" in result["msg"], result["msg"]
    judge(tally, "another topology's", 2, touched(before, seen(host)) + touched(seen(host), before))
