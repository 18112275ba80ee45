# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run what the documentation shows: every YAML block, every plugin's EXAMPLES, every row of "From ip command to task".

A document's blocks run in order on one throw-away host, those that are an inventory as its inventory; a plugin's examples run on another.
Of the rows, the commands run on one host and the tasks on a second, and after each row `ip -json` has to say the same of both. A block
is left out only after a line `<!-- not run: reason -->`, and the reason is printed.
"""

from __future__ import annotations

import ast
import difflib
import functools
import importlib.util
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

import yaml

HERE = pathlib.Path(__file__).resolve()
ROOT = next(
    root
    for path in os.environ["ANSIBLE_COLLECTIONS_PATH"].split(":")
    if (root := pathlib.Path(path, "ansible_collections", "linuxnet", "netns")).is_dir()
)
DOCUMENTS = ("README.md", "docs/docsite/rst/*.rst")
FEWEST_ROWS = 20
NEEDS_PYROUTE2 = "this Python has no pyroute2, which the link kind needs"

# What the examples of a module take for granted.
BLUE = "ip netns add blue; ip link add eth0 netns blue type veth peer name blue-eth0; ip -netns blue link set eth0 up; "
PREPARED = {
    # the number of the process that the example gives a name to
    "netns": "echo 4710 > /proc/sys/kernel/ns_last_pid; unshare --net sleep 600 & sleep 0.2",
    "netns_addr": BLUE + "ip link set blue-eth0 up; ip link add to-red netns blue type veth peer name red-eth0",
    "netns_info": BLUE,
    "netns_link": "ip netns add blue; ip link add enp1s0 type veth peer name switch1; "
    "ip link add enp2s0 type veth peer name switch2; ip link add web-eth0 type veth peer name other",
    "netns_nat": "ip link add br-lab type bridge; ip netns add router; "
    "ip link add eth0 type veth peer name switch0; ip address add 198.51.100.7/32 dev eth0; "
    "for end in inside0 outside0; do ip link add $end netns router type veth peer name p$end; done",
    # a way out to the simulated Internet, with its name server
    "netns_probe": BLUE
    + "ip link set blue-eth0 up; ip -netns blue address add 192.0.2.10/24 dev eth0; ip address add 192.0.2.1/24 dev blue-eth0; "
    + "ip -netns blue address add 2001:db8::10/64 dev eth0 nodad; ip address add 2001:db8::1/64 dev blue-eth0 nodad; "
    + "ip -netns blue route add default via 192.0.2.1; ip -netns blue route add default via 2001:db8::1; "
    + "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; nft add table inet nat; "
    + "nft add chain inet nat out '{ type nat hook postrouting priority 100; }'; nft add rule inet nat out oifname uplink0 masquerade; "
    + "mkdir -p /etc/netns/blue; echo nameserver 203.0.113.10 > /etc/netns/blue/resolv.conf",
    "netns_preflight": "",
    "netns_route": BLUE
    + "ip link set blue-eth0 up; ip -netns blue address add 192.0.2.10/24 dev eth0; "
    + "ip -netns blue address add 198.51.100.10/24 dev eth0; ip -netns blue address add 2001:db8::10/64 dev eth0 nodad",
    "netns_rule": BLUE,
    "netns_sysctl": "ip netns add router; ip -netns router link add eth0.100 type bridge",
    "netns_topology": "",
    "veth": "ip netns add blue; ip netns add red; ip netns add web; ip link add br-lab type bridge",
}
# The same for plugins that do something to a play.
PREPARED_BECOME = {"netns": PREPARED["netns_probe"]}
# What the examples of a role take for granted: a network card with addresses, on it the default route, and there somebody who answers.
CARD = (
    "ip route del default; ip -6 route del default; ip netns add isp; ip link add enp1s0 type veth peer name switch1 netns isp; "
    "ip -netns isp link set switch1 up; ip -netns isp address add {0}.1/24 dev switch1; "
    "ip -netns isp address add {1}::1/64 dev switch1 nodad; "
    "ip -netns isp link set lo up; ip -netns isp address add 203.0.113.10/32 dev lo; "
    "ip link set enp1s0 up; ip address add {0}.5/24 dev enp1s0; ip address add {1}::5/64 dev enp1s0 nodad; "
    "ip route add default via {0}.1; ip route add default via {1}::1"
)
PREPARED_ROLES = {
    "bridged_network": CARD.format("192.0.2", "2001:db8"),
    "molecule_hosts": "",
    "nat_network": CARD.format("198.18.0", "2001:db8:5"),
}
# Why the examples of a role are not run here.
ELSEWHERE = {
    "requirements": "a sandbox has no way to a distribution's packages",
    "persist": "a sandbox has no systemd, the hosts of tests/hosts have one",
    "service_netns": "a sandbox has no systemd, the hosts of tests/hosts have one",
}
# What a document takes for granted; the others have a host whose uplink0 leads to the simulated Internet.
PREPARED_DOCUMENTS = {"bridged_network_guide.rst": PREPARED_ROLES["bridged_network"]}
# What the rows take for granted: a container's process, a second network card, and a chain to put a rule into.
PREPARED_ROWS = (
    "echo 4710 > /proc/sys/kernel/ns_last_pid; unshare --net sh -c 'ip link set lo up; exec sleep 600' & sleep 0.3; "
    "ip link add enp2s0 type veth peer name switch0; ip link set enp2s0 up; ip link set switch0 up; mkdir -p /etc/netns/blue; "
    "nft add table ip nat; nft add chain ip nat postrouting '{ type nat hook postrouting priority 100; }'; "
)


class Broken(Exception):
    """An example does not do what it says."""


@functools.cache
def skipped(reason: str) -> None:
    """Say so, once, in the form that the summary of all tests counts."""
    print(f"msg: SKIPPED: {reason}", flush=True)


def collection_files(patterns: tuple[str, ...]) -> list[pathlib.Path]:
    return [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def here(play: dict, name: str, groups: tuple[str, ...] = ()) -> dict:
    """A play on the sandbox, where one is root already and sudo may not exist; on those groups that an inventory has for it."""
    hosts = play["hosts"] if play["hosts"] in groups else "localhost"
    return {**play, "name": name, "hosts": hosts, "become": play.get("become", False) and "become_method" in play}


def blocks(path: pathlib.Path) -> tuple[list[tuple[int, list]], dict]:
    """The YAML blocks of a document: as (line, plays), in which a list of tasks is a play, and all that are an inventory as one."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        found = re.finditer(r"(?:^<!-- not run: (.*) -->\n+)?^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    else:
        found = re.finditer(r"(?:^\.\. not run: (.*)\n+)?^\.\. code-block:: yaml\n\n((?:(?:   .*)?\n)+)", text + "\n", re.MULTILINE)
    result: list[tuple[int, list]] = []
    inventory: dict = {}
    for match in found:
        line = text.count("\n", 0, match.start(2)) + 1
        if match.group(1):
            skipped(f"{path.name}, line {line}: {match.group(1)}")
            continue
        items = yaml.safe_load(match.group(2))
        if isinstance(items, dict):
            inventory.update(items)
            continue
        plays = items if "hosts" in items[0] else [{"hosts": "localhost", "gather_facts": False, "tasks": items}]
        result.append((line, [here(play, f"{path.name}, line {line}", tuple(inventory)) for play in plays]))
    return result, inventory


def literal(path: pathlib.Path, name: str) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return next(
        node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name
    )


def needs_pyroute2(tasks: list[dict]) -> bool:
    return any((task.get("linuxnet.netns.netns_link") or {}).get("kind", "bridge") != "bridge" for task in tasks)


def runnable(tasks: list[dict], what: str) -> list[dict]:
    """Without those that this Python cannot do."""
    if importlib.util.find_spec("pyroute2"):
        return tasks
    for task in tasks:
        if needs_pyroute2([task]):
            skipped(f"{what}: {NEEDS_PYROUTE2}")
    return [task for task in tasks if not needs_pyroute2([task])]


def rows() -> list[tuple[str, dict]]:
    """The table of README.md: a command, and the task that does the same."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|$", text, re.MULTILINE)
    return [(command, yaml.safe_load(task)) for command, task in found]


def on_a_new_host(command: list[str]) -> None:
    sandbox = [sys.executable, ROOT / "tools" / "sandbox.py", "--outside", "exec", "--", *command]
    done = subprocess.run(sandbox, check=False, env={**os.environ, "ANSIBLE_PIPELINING": "1"})
    if done.returncode:
        raise Broken(f"exit code {done.returncode}")


def play(plays: list[dict], prepared: str = "", script: str = "{run}", inventory: dict | None = None) -> None:
    """Run these plays on a new host; in the script, {run} stands for the command that does it."""
    with tempfile.TemporaryDirectory() as folder:
        file, hosts = pathlib.Path(folder, "examples.yml"), pathlib.Path(folder, "inventory.yml")
        file.write_text(yaml.safe_dump(plays, sort_keys=False), encoding="utf-8")
        # of no host but the sandbox, so that no inventory of the test run is asked
        hosts.write_text(yaml.safe_dump({"ungrouped": {"hosts": {"localhost": None}}, **(inventory or {})}), encoding="utf-8")
        ansible = ["ansible-playbook", "-i", str(hosts), "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}", str(file)]
        on_a_new_host(["sh", "-ec", prepared + "\n" + script.format(run=shlex.join(ansible))])


# ---- the rows: two hosts, one made by commands and one by tasks -------------------------------------------------------


def ip(netns: str | None, *arguments: str) -> list[dict]:
    where = ["-netns", netns] if netns else []
    done = subprocess.run(["ip", "-json", "-details", *where, *arguments], check=True, capture_output=True, text=True)
    return [item for item in json.loads(done.stdout or "[]") if item]


def picked(item: dict, names: tuple[str, ...]) -> dict:
    return {name: item[name] for name in names if name in item}


DATA = ("ageing_time", "forward_delay", "hello_time", "id", "max_age", "mode", "port", "remote", "stp_state")
PORT = ("cost", "fastleave", "flood", "guard", "hairpin", "isolated", "learning", "mcast_flood", "priority", "root_block")


def link(item: dict) -> dict:
    info = item.get("linkinfo", {})
    result = picked(item, ("ifname", "mtu", "master", "ifalias", "txqlen"))
    result["up"] = "UP" in item["flags"]
    result["kind"] = info.get("info_kind")
    result["data"] = picked(info.get("info_data", {}), DATA)
    result["port"] = picked(info.get("info_slave_data", {}), PORT)
    # all other MAC addresses are the kernel's own choice
    result["mac"] = item["address"] if item["address"].startswith("02:00:5e") else None
    return result


def addresses(item: dict) -> list[dict]:
    names = ("local", "prefixlen", "address", "broadcast", "scope", "label", "nodad", "metric")
    return [{"dev": item["ifname"], **picked(one, names)} for one in item["addr_info"] if not one["local"].startswith("fe80:")]


def route(item: dict) -> dict:
    return {name: value for name, value in item.items() if name not in ("protocol", "flags", "pref", "nexthops")} | {
        "nexthops": [picked(hop, ("gateway", "via", "dev", "weight")) for hop in item.get("nexthops", [])]
    }


def of_namespace(netns: str | None) -> dict:
    routes = [one for family in ("-4", "-6") for one in ip(netns, family, "route", "show", "table", "all")]
    rules = [one for family in ("-4", "-6") for one in ip(netns, family, "rule", "show")]
    return {
        "links": [link(item) for item in ip(netns, "link", "show")],
        "addresses": [one for item in ip(netns, "address", "show") for one in addresses(item)],
        "routes": [route(one) for one in routes if one.get("protocol") not in ("kernel", "ra")],
        "rules": [{name: value for name, value in one.items() if name != "protocol"} for one in rules],
    }


def snapshot() -> str:
    """What the two hosts must have in common, as text that can be compared."""
    namespaces = {item["name"]: item for item in json.loads(subprocess.check_output(["ip", "-json", "netns", "list"]) or "[]")}
    found = {"the host": of_namespace(None)}
    for name in sorted(namespaces):
        found[name] = of_namespace(name)
        forward = ["ip", "netns", "exec", name, "cat", "/proc/sys/net/ipv4/ip_forward"]
        found[name]["forward"] = subprocess.check_output(forward, text=True).strip()
        # numbers that nobody asked for are given in the order of events
        found[name]["nsid"] = namespaces[name].get("id") if namespaces[name].get("id") == 7 else None
    for file in sorted(pathlib.Path("/etc/netns").glob("*/resolv.conf")):
        found[str(file)] = re.findall(r"^nameserver .*$", file.read_text(encoding="utf-8"), re.MULTILINE)
    for place in found.values():
        if isinstance(place, dict):
            place.update({key: sorted(value, key=json.dumps) for key, value in place.items() if isinstance(value, list)})
    return json.dumps(found, indent=1, sort_keys=True)


def check_row(number: int, task: dict, snapshots: str) -> list[dict]:
    """The task twice: it changes something, then it does not."""
    module = next(iter(task))
    register = f"row{number}"
    tasks = [{"name": f"Row {number}", **task, "register": register}]
    if module.startswith("linuxnet.netns.") and not module.endswith(("_info", "_preflight", "_probe")):
        tasks.append({"name": f"Row {number} again", **task, "register": f"{register}_again"})
        that = [f"{register} is changed", f"{register}_again is not changed"]
        tasks.append({"name": f"Row {number} is idempotent", "ansible.builtin.assert": {"that": that}})
    look = [sys.executable, str(HERE), "snapshot", f"{snapshots}/{number}"]
    tasks.append({"name": f"Look at row {number}", "ansible.builtin.command": {"argv": look}, "changed_when": False})
    return tasks


def check_rows() -> None:
    table = rows()
    if len(table) < FEWEST_ROWS:
        raise Broken(f"only {len(table)} rows found in the table of README.md")
    table = [row for row in table if runnable([row[1]], row[0])]
    with tempfile.TemporaryDirectory() as folder:
        commands, tasks = pathlib.Path(folder, "commands"), pathlib.Path(folder, "tasks")
        commands.mkdir()
        tasks.mkdir()
        script = PREPARED_ROWS
        for number, (command, _task) in enumerate(table):
            script += f"\n{command}\n{shlex.join([sys.executable, str(HERE), 'snapshot', f'{commands}/{number}'])}"
        on_a_new_host(["sh", "-ec", script])
        all_tasks = [one for number, (_command, task) in enumerate(table) for one in check_row(number, task, str(tasks))]
        play([{"name": "Rows", "hosts": "localhost", "gather_facts": False, "tasks": all_tasks}], PREPARED_ROWS)
        for number, (command, task) in enumerate(table):
            compare(command, task, (commands / str(number)).read_text(encoding="utf-8"), (tasks / str(number)).read_text(encoding="utf-8"))
    print(f"{len(table)} rows: command and task do the same", flush=True)


def compare(command: str, task: dict, by_command: str, by_task: str) -> None:
    if by_command == by_task:
        return
    lines = difflib.unified_diff(by_command.splitlines(), by_task.splitlines(), command, json.dumps(task), lineterm="")
    raise Broken("the row's command and its task do not do the same:\n" + "\n".join(lines))


# What README.md says of its first example: the check mode makes nothing, the second run changes nothing.
FIRST_SCREEN = """
{run} --check
test ! -e /run/netns/blue
{run} --diff
{run} > again
cat again
grep ' changed=0 ' again
"""


def check_roles() -> None:
    """Each block on a host of its own."""
    readmes = collection_files(("roles/*/README.md",))
    if {path.parent.name for path in readmes} != {*PREPARED_ROLES, *ELSEWHERE}:
        raise Broken("PREPARED_ROLES and ELSEWHERE do not name exactly the roles")
    for path in readmes:
        role = path.parent.name
        if role in ELSEWHERE:
            skipped(f"{role}: {ELSEWHERE[role]}")
            continue
        for line, plays in blocks(path)[0]:
            print(f"{role}, line {line}", flush=True)
            play(plays, PREPARED_ROLES[role])


def check_become() -> None:
    plugins = collection_files(("plugins/become/*.py",))
    if {path.stem for path in plugins} != set(PREPARED_BECOME):
        raise Broken("PREPARED_BECOME does not name exactly the become plugins")
    for path in plugins:
        play([here(one, path.name) for one in yaml.safe_load(literal(path, "EXAMPLES"))], PREPARED_BECOME[path.stem])


def main() -> None:
    play(blocks(ROOT / "README.md")[0][0][1], "cd $(mktemp -d)", FIRST_SCREEN)
    documents = collection_files(DOCUMENTS)
    if not set(PREPARED_DOCUMENTS) <= {path.name for path in documents}:
        raise Broken("PREPARED_DOCUMENTS names a document that is not there")
    for path in documents:
        found, inventory = blocks(path)
        if found:
            play([one for _line, plays in found for one in plays], PREPARED_DOCUMENTS.get(path.name, ""), inventory=inventory)
        print(f"{path.name}: {len(found)} blocks ran", flush=True)
    check_roles()
    modules = collection_files(("plugins/modules/*.py",))
    if {path.stem for path in modules} != set(PREPARED):
        raise Broken("PREPARED does not name exactly the modules")
    for path in modules:
        tasks = runnable(yaml.safe_load(literal(path, "EXAMPLES")), path.name)
        play([{"name": path.name, "hosts": "localhost", "gather_facts": False, "tasks": tasks}], PREPARED[path.stem])
    check_become()
    check_rows()


if __name__ == "__main__":
    if sys.argv[1:2] == ["snapshot"]:
        pathlib.Path(sys.argv[2]).write_text(snapshot(), encoding="utf-8")
    else:
        try:
            main()
        except Broken as exc:
            sys.exit(f"FAILED: {exc}")
