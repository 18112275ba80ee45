# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that build a star with a Python library, as its manual shows: `python peers_programs.py LIBRARY STEP FOLDER`.

FOLDER/wish.json says what to build. A program imports only its library, so that its start costs what a user's would.
mininet and munet keep their namespaces as long as their process lives: it stays in the background, writes the process
number of each namespace to FOLDER/pids.json, and ends when FOLDER/stop is written to.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import typing as t

_IFA_F_NODAD = 0x02


def _wish(folder: str) -> dict[str, t.Any]:
    with open(f"{folder}/wish.json", encoding="utf-8") as file:
        return json.load(file)


def _tell_pids(folder: str, pids: list[int]) -> None:
    with open(f"{folder}/pids.json", "w", encoding="utf-8") as file:
        json.dump(pids, file)


# --- pyroute2


def pyroute2_build(folder: str) -> None:
    from pyroute2 import IPRoute

    wish = _wish(folder)
    hub, mtu = wish["hub"], wish["mtu"]
    with IPRoute() as ip:
        ip.link("add", ifname=hub, kind="bridge", mtu=mtu)
        bridge = ip.link_lookup(ifname=hub)[0]
        ip.addr("add", index=bridge, address=wish["gateway"], prefixlen=wish["prefix"])
        ip.addr("add", index=bridge, address=wish["gateway6"], prefixlen=wish["prefix6"], flags=_IFA_F_NODAD)
        ip.link("set", index=bridge, state="up")
        for node in wish["nodes"]:
            _pyroute2_node(ip, bridge, wish, node)


def _pyroute2_node(ip: t.Any, bridge: int, wish: dict[str, t.Any], node: dict[str, str]) -> None:
    from pyroute2 import NetNS, netns

    name, mtu = node["name"], wish["mtu"]
    netns.create(name)
    ip.link("add", ifname=node["port"], kind="veth", mtu=mtu, peer={"ifname": "eth0", "mtu": mtu, "net_ns_fd": name})
    ip.link("set", index=ip.link_lookup(ifname=node["port"])[0], master=bridge, state="up")
    with NetNS(name) as inside:
        inside.link("set", index=inside.link_lookup(ifname="lo")[0], state="up")
        eth0 = inside.link_lookup(ifname="eth0")[0]
        inside.link("set", index=eth0, state="up")
        inside.addr("add", index=eth0, address=node["address"], prefixlen=wish["prefix"])
        inside.addr("add", index=eth0, address=node["address6"], prefixlen=wish["prefix6"], flags=_IFA_F_NODAD)
        inside.route("add", dst="0.0.0.0/0", gateway=wish["gateway"])
        inside.route("add", dst="::/0", gateway=wish["gateway6"])


def pyroute2_remove(folder: str) -> None:
    from pyroute2 import IPRoute, netns

    wish = _wish(folder)
    with IPRoute() as ip:
        for node in wish["nodes"]:
            netns.remove(node["name"])
        ip.link("del", index=ip.link_lookup(ifname=wish["hub"])[0])


# --- mininet and munet: a process that stays


def _in_background(folder: str, serve: t.Callable[[str, t.Callable[[], t.Any]], None]) -> None:
    """Return when the star stands; the program that keeps it goes on behind."""
    for name in ("stop", "done"):
        os.mkfifo(f"{folder}/{name}")
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        # nothing but the end of the pipe: it died, and has said why
        sys.exit(0 if os.read(reading, 1) else 1)
    os.setsid()
    # several for each namespace; a limit of this process alone
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    serve(folder, lambda: os.write(writing, b"1"))
    with open(f"{folder}/done", "wb"):
        pass


def _wait_for_stop(folder: str) -> None:
    with open(f"{folder}/stop", "rb") as file:
        file.read()


def mininet_build(folder: str) -> None:
    _in_background(folder, _mininet)


def _mininet(folder: str, stands: t.Callable[[], t.Any]) -> None:
    from mininet.log import setLogLevel
    from mininet.net import Mininet
    from mininet.nodelib import LinuxBridge

    setLogLevel("warning")
    # Its start writes sysctls that belong to the machine and not to a namespace, such as fs.file-max.
    Mininet.inited = True
    wish = _wish(folder)
    net = Mininet(switch=LinuxBridge, controller=None, ipBase=f"{wish['gateway']}/{wish['prefix']}")
    hub = net.addSwitch(wish["hub"], dpid="1")
    for number, node in enumerate(wish["nodes"]):
        host = net.addHost(f"h{number}", ip=f"{node['address']}/{wish['prefix']}", defaultRoute=f"via {wish['gateway']}")
        net.addLink(host, hub, intfName1="eth0")
    net.start()
    hub.cmd(f"ip address add {wish['gateway']}/{wish['prefix']} dev {wish['hub']}")
    _tell_pids(folder, [host.pid for host in net.hosts])
    stands()
    _wait_for_stop(folder)
    net.stop()


def munet_build(folder: str) -> None:
    _in_background(folder, _munet)


def _munet(folder: str, stands: t.Callable[[], t.Any]) -> None:
    import asyncio

    asyncio.run(_munet_run(folder, stands))


async def _munet_run(folder: str, stands: t.Callable[[], t.Any]) -> None:
    import argparse
    import asyncio

    from munet import parser

    wish = _wish(folder)
    gateway = f"{wish['gateway']}/{wish['prefix']}"
    nodes = []
    for number, node in enumerate(wish["nodes"]):
        link = {"to": wish["hub"], "name": "eth0", "ip": f"{node['address']}/{wish['prefix']}", "mtu": wish["mtu"]}
        nodes.append({"name": f"h{number}", "connections": [link]})
    topology = {"networks": [{"name": wish["hub"], "ip": gateway, "mtu": wish["mtu"], "nat": True}], "nodes": nodes}
    with open(f"{folder}/munet.json", "w", encoding="utf-8") as file:
        json.dump({"version": 1, "topology": topology}, file)
    arguments = argparse.Namespace(host=True, project_root=folder, rundir=f"{folder}/munet")
    os.makedirs(arguments.rundir, exist_ok=True)
    config = parser.get_config(f"{folder}/munet.json")
    # With a process namespace of its own munet asks for the child of a process that may not have one yet, and sometimes fails.
    net = await parser.async_build_topology(config, rundir=arguments.rundir, args=arguments, top_level_pidns=False)
    _tell_pids(folder, [net.hosts[f"h{number}"].pid for number in range(len(nodes))])
    stands()
    await asyncio.to_thread(_wait_for_stop, folder)
    await net.async_delete()


PROGRAMS = {
    ("pyroute2", "build"): pyroute2_build,
    ("pyroute2", "remove"): pyroute2_remove,
    ("mininet", "build"): mininet_build,
    ("munet", "build"): munet_build,
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1], sys.argv[2]](sys.argv[3])
