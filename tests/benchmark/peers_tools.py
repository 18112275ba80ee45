# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other tools of peers.py: how each builds a star and takes it away, and how to look into its namespaces.

What each of them reads is written before the clock starts. Not every tool can do all of a star; what it leaves out is
time that it saves, and is told beside its figures.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import json
import pathlib
import shlex
import shutil
import subprocess
import sys
import typing as t

import harness
import peers_packages as packages
import star
import techniques

BUILD, REMOVE = techniques.BUILD, techniques.REMOVE
_SYSTEM = pathlib.Path("/")
_NETWORK = str(ipaddress.ip_interface(f"{star.GATEWAY}/{star.PREFIX}").network)
_STOP_SECONDS = 600


class Peer:
    """The commands of one tool for a star of one size; everything it writes goes below `folder`."""

    name = ""
    without = ""  # what of the star it cannot do
    whole = True  # whether the star is the one that star.check knows

    def __init__(self, size: int, folder: pathlib.Path, unpacked: pathlib.Path) -> None:
        self.size, self._folder, self._unpacked = size, folder, unpacked
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.commands = self._commands()

    def _commands(self) -> dict[str, list[str]]:
        raise NotImplementedError

    def before(self) -> None:
        """Not timed."""

    def inside(self, number: int) -> list[str]:
        """The words that run a command in a namespace."""
        return ["nsenter", f"--net=/run/netns/{star.namespace(number)}"]

    def _script(self, step: str, lines: t.Iterable[str]) -> list[str]:
        path = self._folder / f"{step}.sh"
        path.write_text("\n".join(["set -e", *lines]) + "\n", encoding="utf-8")
        return ["sh", str(path)]

    def _with_iptables(self) -> list[str]:
        """Lines of a script after which iptables is found, as it came with netavark or as it is installed."""
        root = self._root(packages.NETAVARK, "usr/sbin/iptables-nft")
        if root == _SYSTEM:
            return []
        library = next(iter(root.glob("usr/lib/*/xtables")), root)
        folders = {"PATH": f"{root}/bin:$PATH", "LD_LIBRARY_PATH": library.parent, "XTABLES_LIBDIR": library}
        return [f'export {name}="{value}"' for name, value in folders.items()]

    def _root(self, package: str, path: str) -> pathlib.Path:
        """Where a package is: unpacked for us, or installed."""
        for root in (self._unpacked / package, _SYSTEM):
            if (root / path).exists():
                return root
        raise harness.BenchmarkError(f"Debian's {' and '.join(packages.PACKAGES[package][:1])} is not here: run peers_packages.py first")


def check(peer: Peer) -> None:
    """Every namespace has its address on eth0, and the hub answers one of them."""
    if peer.whole:
        star.check(peer.size)
    for number in range(peer.size):
        devices = json.loads(_said([*peer.inside(number), "ip", "-json", "address", "show", "dev", "eth0"]))
        found = [address["local"] for device in devices for address in device["addr_info"] if address["family"] == "inet"]
        if found != [star.address(number)]:
            raise harness.BenchmarkError(f"{peer.name}: namespace {number} has {found or 'no address'}, not {star.address(number)}")
    last = peer.inside(peer.size - 1)
    routes = json.loads(_said([*last, "ip", "-json", "-4", "route", "show", "default"]))
    if [route.get("gateway") for route in routes] != [star.GATEWAY]:
        raise harness.BenchmarkError(f"{peer.name}: the last namespace has no default route by {star.GATEWAY}: {routes}")
    _said([*last, "ping", "-q", "-c", "1", "-W", "3", star.GATEWAY])


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise harness.BenchmarkError(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


def wish(size: int) -> dict[str, t.Any]:
    nodes = [
        {"name": star.namespace(n), "port": star.port(n), "address": star.address(n), "address6": star.address6(n)} for n in range(size)
    ]
    about = {"hub": star.HUB, "mtu": star.MTU, "gateway": star.GATEWAY, "gateway6": star.GATEWAY6}
    return {**about, "prefix": star.PREFIX, "prefix6": star.PREFIX6, "nodes": nodes}


def removal(size: int) -> list[str]:
    return [f"ip netns delete {star.namespace(number)}" for number in range(size)] + [f"ip link delete {star.HUB}"]


class Module(Peer):
    """What the others are compared with: the packed module, a process of its own."""

    name = techniques.MODULE

    def _commands(self) -> dict[str, list[str]]:
        self._module = techniques.Module(self.size, self._folder)
        return {step: self._module.commands[step] for step in (BUILD, REMOVE)}


class Shell(Peer):
    """A process a line; the end of a pair is moved into its namespace when it is there."""

    name = "ip netns exec, by shell"

    def _commands(self) -> dict[str, list[str]]:
        lines = [f"ip {line}" for line in [*star.ip_hub(), f"link set {star.HUB} up"]]
        for number in range(self.size):
            name, port = star.namespace(number), star.port(number)
            lines.append(f"ip netns add {name}")
            lines.append(f"ip link add {port} mtu {star.MTU} type veth peer name eth0 mtu {star.MTU}")
            lines.append(f"ip link set eth0 netns {name}")
            lines.append(f"ip link set {port} master {star.HUB}")
            lines.append(f"ip link set {port} up")
            lines += [f"ip netns exec {name} ip {line}" for line in star.ip_inside(number)]
        return {BUILD: self._script(BUILD, lines), REMOVE: self._script(REMOVE, removal(self.size))}


class Pyroute2(Peer):
    """One process, a NetNS for each namespace."""

    name = "pyroute2, naive"

    def _commands(self) -> dict[str, list[str]]:
        return {step: _program("pyroute2", step, self.size, self._folder) for step in (BUILD, REMOVE)}


class Cni(Peer):
    """The plugin as a runtime calls it: a process for each namespace, the order on its standard input."""

    name = "CNI bridge plugin"
    without = "IPv6, lo up"
    whole = False

    def _commands(self) -> dict[str, list[str]]:
        self._given = self._folder / "addresses"
        plugins = self._root(packages.CNI, "usr/lib/cni/bridge") / "usr/lib/cni"
        ranges = [[{"subnet": _NETWORK, "gateway": star.GATEWAY}]]
        ipam = {"type": "host-local", "dataDir": str(self._given), "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}]}
        order = {"cniVersion": "1.0.0", "name": "bench", "type": "bridge", "bridge": star.HUB, "mtu": star.MTU, "isGateway": True}
        path = self._folder / "order.json"
        path.write_text(json.dumps({**order, "ipam": ipam}), encoding="utf-8")
        first = [f"export CNI_PATH={shlex.quote(str(plugins))} CNI_IFNAME=eth0"]

        def call(command: str, number: int) -> str:
            name = star.namespace(number)
            about = f"CNI_COMMAND={command} CNI_CONTAINERID={name} CNI_NETNS=/run/netns/{name}"
            return f"{about} {shlex.quote(str(plugins / 'bridge'))} < {shlex.quote(str(path))}"

        numbers = range(self.size)
        build = [line for n in numbers for line in (f"ip netns add {star.namespace(n)}", call("ADD", n))]
        remove = [line for n in numbers for line in (call("DEL", n), f"ip netns delete {star.namespace(n)}")]
        remove.append(f"ip link delete {star.HUB}")
        return {BUILD: self._script(BUILD, first + build), REMOVE: self._script(REMOVE, first + remove)}

    def before(self) -> None:
        # it goes on after the last address that it gave, even if that has come back
        shutil.rmtree(self._given, ignore_errors=True)


class Netavark(Peer):
    """As Podman calls it: a process for each namespace. It always sets up NAT, and calls iptables for that."""

    name = "netavark"
    without = "IPv6 (but has NAT)"
    whole = False

    def _commands(self) -> dict[str, list[str]]:
        root = self._root(packages.NETAVARK, "usr/lib/podman/netavark")
        program = shlex.quote(str(root / "usr/lib/podman/netavark"))
        first = ["mkdir -p /run/netavark", "export NETAVARK_FW=iptables"]
        first += self._with_iptables()
        build, remove = list(first), list(first)
        for number in range(self.size):
            name, path = star.namespace(number), self._folder / f"{number}.json"
            path.write_text(json.dumps(self._order(number)), encoding="utf-8")
            call = f"{program} --config /run/netavark %s /run/netns/{name} < {shlex.quote(str(path))}"
            build += [f"ip netns add {name}", call % "setup"]
            remove += [call % "teardown", f"ip netns delete {name}"]
        return {BUILD: self._script(BUILD, build), REMOVE: self._script(REMOVE, remove)}

    @staticmethod
    def _order(number: int) -> dict[str, t.Any]:
        about = {
            "name": "bench",
            "id": f"{0:064d}",
            "driver": "bridge",
            "network_interface": star.HUB,
            "subnets": [{"subnet": _NETWORK, "gateway": star.GATEWAY}],
            "ipv6_enabled": False,
            "internal": False,
            "dns_enabled": False,
            "ipam_options": {"driver": "host-local"},
            "options": {"mtu": str(star.MTU)},
        }
        inside = {"static_ips": [star.address(number)], "interface_name": "eth0"}
        names = {"container_id": f"{number + 1:064d}", "container_name": star.namespace(number)}
        return {**names, "networks": {"bench": inside}, "network_info": {"bench": about}}


class _Staying(Peer):
    """A tool whose process has to live as long as its namespaces, which have no names."""

    whole = False

    def before(self) -> None:
        for name in ("stop", "done", "pids.json"):
            (self._folder / name).unlink(missing_ok=True)

    def inside(self, number: int) -> list[str]:
        pids = json.loads((self._folder / "pids.json").read_text(encoding="utf-8"))
        return ["nsenter", "--target", str(pids[number]), "--net"]

    def _stop(self) -> list[str]:
        folder = shlex.quote(str(self._folder))
        # a process that has died would let both wait for ever
        return ["timeout", str(_STOP_SECONDS), "sh", "-c", f"echo > {folder}/stop && cat {folder}/done"]


class Mininet(_Staying):
    name = "mininet, Linux bridge"
    without = "IPv6, MTU"

    def _commands(self) -> dict[str, list[str]]:
        root = self._root(packages.MININET, "usr/lib/python3/dist-packages/mininet")
        # Debian's Python, for which the package is made: later ones lack what older versions of mininet import
        command = _program("mininet", BUILD, self.size, self._folder, "/usr/bin/python3")
        folders = [f"{root}/{name}".replace("//", "/") for name in ("usr/bin", "usr/sbin", "sbin")]
        library = root / "usr/lib/python3/dist-packages"
        first = [f"export PATH={shlex.quote(':'.join(folders))}:$PATH PYTHONPATH={shlex.quote(str(library))}"]
        return {BUILD: self._script(BUILD, [*first, "exec " + shlex.join(command)]), REMOVE: self._stop()}


class Munet(_Staying):
    """It gives default routes only together with NAT, for which it calls iptables once."""

    name = "munet"
    without = "IPv6 (but has NAT)"

    def _commands(self) -> dict[str, list[str]]:
        command = _program("munet", BUILD, self.size, self._folder)
        return {BUILD: self._script(BUILD, [*self._with_iptables(), "exec " + shlex.join(command)]), REMOVE: self._stop()}


def _program(library: str, step: str, size: int, folder: pathlib.Path, python: str = sys.executable) -> list[str]:
    if python == sys.executable and importlib.util.find_spec(library) is None:
        raise harness.BenchmarkError(f"PyPI's {library} is not installed for {sys.executable}")
    (folder / "wish.json").write_text(json.dumps(wish(size)), encoding="utf-8")
    return [python, str(pathlib.Path(__file__).with_name("peers_programs.py")), library, step, str(folder)]


OTHERS = (Shell, Pyroute2, Cni, Netavark, Mininet, Munet)
