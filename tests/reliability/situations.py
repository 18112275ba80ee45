# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts on which a run has something to lose, and the run: other people's addresses, routes and settings hang on what it changes."""

from __future__ import annotations

import typing as t

import engine
import lab
from engine import Wish
from host import Host


class Situation(t.NamedTuple):
    build: t.Callable[[Host], None]
    wish: Wish
    fresh: bool = False  # the first run on a host passes points that no later one does

    def prepare(self, here: Host) -> None:
        """Build it; without duplicate address detection, since each device that comes back would take two seconds for it."""
        self.build(here)
        here.shell(_NO_DETECTION)


_NO_DETECTION = """
for netns in '' $(ls /run/netns 2>/dev/null); do
    ${netns:+ip netns exec $netns} sh -c 'for file in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 > $file; done'
done
"""


def _done(here: Host, wish: Wish) -> None:
    told = here.call(engine.run, wish)
    assert told.good, told.error


def _alone(**lists: list[dict[str, t.Any]]) -> Wish:
    """A module for one thing."""
    return Wish(lists, owner=None)


# -- the lab

_FOREIGN = """
ip -n n3 addr add 192.0.2.3/24 dev eth0
ip -n n3 route add 198.51.100.0/24 via 192.0.2.1
ip -n n3 -6 route add 2001:db8:3::/48 via fd77::1
ip netns exec n3 sh -c 'echo 1 > /proc/sys/net/ipv4/conf/eth0/proxy_arp'
ip -n n4 route add 198.51.100.0/24 via 10.77.0.1 src 10.77.0.14
ip route add 198.51.100.0/24 via 10.77.0.13
"""


def _lab(here: Host) -> None:
    _done(here, lab.wishes()["apply"])
    here.shell(_FOREIGN)


# -- single devices

_BRIDGE = {"name": "br0", "kind": "bridge", "up": True, "bridge": {"stp": False}}
_VXLAN = {"name": "vx0", "kind": "vxlan", "up": True, "vxlan": {"id": 7, "port": 4789, "local": "192.0.2.1"}}


def _vxlan(here: Host) -> None:
    here.shell("ip addr add 192.0.2.1/24 dev lo")
    _done(here, Wish({"links": [_BRIDGE, {**_VXLAN, "master": "br0", "port": {"cost": 7, "isolated": True}}]}, owner=None))
    here.shell(
        """
        ip addr add 10.7.0.1/24 dev vx0; ip addr add 10.7.0.2/24 dev vx0; ip addr add 2001:db8:7::1/64 dev vx0 nodad
        ip route add 10.8.0.0/16 via 10.7.0.9 metric 5; ip -6 route add 2001:db8:8::/48 via 2001:db8:7::9
        ip link set vx0 mtu 1400 alias 'do not touch'
        echo 0 > /proc/sys/net/ipv6/conf/vx0/accept_ra
        """
    )


def _veth(here: Host) -> None:
    here.shell("ip netns add red")
    _done(here, _alone(links=[_BRIDGE]))
    _done(here, _alone(veths=[{"name": "v0", "netns": "red", "up": True, "peer": {"name": "v1", "master": "br0", "up": True}}]))
    here.shell(
        """
        ip -n red addr add 10.7.0.1/24 dev v0; ip -n red addr add 2001:db8:7::1/64 dev v0 nodad
        ip -n red route add default via 10.7.0.9; ip -n red -6 route add default via 2001:db8:7::9
        ip -n red route add 10.9.0.0/16 via 10.7.0.9 table 9
        ip addr add 10.7.1.1/24 dev v1; bridge link set dev v1 cost 9 hairpin on
        ip -n red link set v0 alias 'do not touch'
        """
    )


def _uplink(here: Host) -> None:
    here.shell(
        """
        ip link add up0 type veth peer name isp; ip link set up0 up; ip link set isp up
        ip addr add 192.0.2.5/24 dev up0; ip addr add 192.0.2.6/24 dev up0; ip addr add 2001:db8:5::5/64 dev up0 nodad
        ip route add default via 192.0.2.1 metric 20; ip route add 10.0.0.0/8 via 192.0.2.2; ip -6 route add default via 2001:db8:5::1
        """
    )


def _device(here: Host) -> None:
    _uplink(here)
    here.shell("ip netns add red")


def _addresses(here: Host) -> None:
    _uplink(here)
    _done(here, _alone(addresses=[{"dev": "up0", "address": ["192.0.2.5/24", "192.0.2.7/24"], "label": "up0:one"}]))


def _namespace(here: Host) -> None:
    """A namespace with all that can be in one, to go."""
    _done(here, _alone(namespaces=[{"name": ["red"], "nameservers": ["192.0.2.53"]}]))
    _veth_in_red = """
        ip link add v1 type veth peer name v0 netns red; ip link set v1 up; ip -n red link set v0 up; ip addr add 10.7.0.2/24 dev v1
        ip -n red addr add 10.7.0.1/24 dev v0; ip -n red route add default via 10.7.0.2
        """
    here.shell(_veth_in_red)


SITUATIONS: dict[str, Situation] = {
    "apply on an empty host": Situation(lambda _here: None, lab.wishes()["apply"], fresh=True),
    "change of a lab": Situation(_lab, lab.wishes()["change"]),
    "vxlan made anew": Situation(_vxlan, _alone(links=[{**_VXLAN, "vxlan": {**_VXLAN["vxlan"], "id": 8}}])),
    "veth made anew": Situation(_veth, _alone(veths=[{"name": "v0", "netns": "red", "num_rx_queues": 2, "peer": {"name": "v1"}}])),
    "bridge takes over": Situation(_uplink, _alone(links=[{"name": "br-up", "kind": "bridge", "take_over": "up0"}])),
    "device moves in": Situation(_device, _alone(links=[{"name": "up0", "netns": "red", "up": True}])),
    "addresses made anew": Situation(
        _addresses, _alone(addresses=[{"dev": "up0", "address": ["192.0.2.5/24", "192.0.2.7/24"], "label": "up0:two", "exclusive": True}])
    ),
    "namespace goes": Situation(_namespace, Wish({"namespaces": [{"name": ["red"]}]}, owner=None, state="absent")),
}
