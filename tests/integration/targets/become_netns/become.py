# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the playbooks of this target on hosts made for it: the sandbox itself by connection local, and a host with a sshd.

Each inventory host is a namespace of its own, reached in one of the ways in which connection, login, user inside and pipelining can
be combined. Without --all as many as show each of these, and each pair that differs in the plugin.
"""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import typing as t

HERE = pathlib.Path(__file__).resolve().parent
ROOT = next(
    root
    for path in os.environ["ANSIBLE_COLLECTIONS_PATH"].split(":")
    if (root := pathlib.Path(path, "ansible_collections", "linuxnet", "netns")).is_dir()
)
sys.path += [str(ROOT / "tests" / "benchmark"), str(ROOT / "tools")]

import fleet_hosts
import sandbox
import sshd

# Beside root: one whom sudo asks for the password, one whom it does not, and the user inside.
USERS = {"deploy": 1500, "ops": 1501, "worker": 1502}
PASSWORD = 'pass $word "1"'
SHADOW = "$6$linuxnet$rbCZW.uulnevk3DEcG0XXbOVV8nmpgO4G7TH8U8YZNhij6Lsk9qUMLepjWyjqbCjweckfuIK4vxQbcKyqDH9G."
SUDOERS = """\
Defaults env_reset
Defaults use_pty
Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
root ALL=(ALL:ALL) ALL
deploy ALL=(ALL:ALL) ALL
ops ALL=(ALL:ALL) NOPASSWD: ALL
"""


class Way(t.NamedTuple):
    """How an inventory host is reached."""

    connection: str
    login: str
    user: str
    pipelining: bool

    @property
    def name(self) -> str:
        return "-".join([self.connection, self.login, self.user, "piped" if self.pipelining else "files"])


EVERY_WAY = [Way(*way) for way in itertools.product(("local", "ssh"), ("root", "deploy", "ops"), ("root", "worker"), (False, True))]
FEW_WAYS = [
    Way("local", "root", "root", False),
    Way("local", "deploy", "root", False),
    Way("ssh", "root", "root", False),
    Way("ssh", "root", "worker", True),
    Way("ssh", "deploy", "worker", False),
    Way("ssh", "ops", "root", True),
]
# The login itself inside: with an option become_user Ansible would run it outside.
SAME_USER = Way("ssh", "deploy", "deploy", True)

NAMESPACE = """\
ip netns add "$1"
ip -n "$1" link set lo up
ip link add "out$2" type veth peer name inside0 netns "$1"
mkdir -p "/etc/netns/$1"
echo "nameserver 192.0.2.53" > "/etc/netns/$1/resolv.conf"
"""


def skipped(reason: str) -> None:
    """Say so in the form that the summary of all tests counts."""
    print(f"msg: SKIPPED: {reason}", flush=True)


def as_user(user: str, folder: pathlib.Path, *command: str) -> list[str]:
    # ansible-test's folder for reports is root's
    environment = ["env", f"HOME={folder}/{user}", f"USER={user}", f"LOGNAME={user}", f"JUNIT_OUTPUT_DIR={folder}/{user}"]
    return ["setpriv", f"--reuid={user}", f"--regid={USERS[user]}", "--init-groups", *environment, *command]


def works(command: t.Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


# ---- users of the sandbox and of the hosts in it ----------------------------------------------------------------------


def add_users(folder: pathlib.Path) -> None:
    """Users, their passwords and what sudo lets them do, over the sandbox's own files."""
    users = "".join(f"{user}:x:{number}:{number}::{folder}/{user}:/bin/sh\n" for user, number in USERS.items())
    groups = "".join(f"{user}:x:{number}:\n" for user, number in USERS.items())
    shadow = "".join(f"{user}:{SHADOW}:20000:0:99999:7:::\n" for user in USERS)
    for name, lines in {"passwd": users, "group": groups, "shadow": shadow}.items():
        cover(folder, name, pathlib.Path("/etc", name).read_text(encoding="utf-8") + lines, 0o644 if name != "shadow" else 0o640)
    if pathlib.Path("/etc/sudoers").exists():
        cover(folder, "sudoers", SUDOERS, 0o440)
    for user, number in USERS.items():
        (folder / user).mkdir()
        os.chown(folder / user, number, number)


def cover(folder: pathlib.Path, name: str, text: str, mode: int) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    (folder / name).chmod(mode)
    sandbox.mount(str(folder / name), f"/etc/{name}", None, sandbox.MS_BIND)


def open_home() -> None:
    """Let other users through root's home to Python and to the checkout, if they are in there."""
    home = pathlib.Path.home()
    if home.stat().st_mode & 0o001:
        return
    descriptor = os.open(home, os.O_PATH | os.O_DIRECTORY)
    sandbox.mount_tmpfs(str(home))
    for name in os.listdir(f"/proc/self/fd/{descriptor}"):
        sandbox.keep_entry(f"/proc/self/fd/{descriptor}/{name}", str(home / name))
    os.close(descriptor)


# ---- which ways there are ---------------------------------------------------------------------------------------------


def possible(ways: t.Sequence[Way], python: str, folder: pathlib.Path) -> list[Way]:
    """Without those that this machine has no program for."""
    obstacles: dict[str, t.Callable[[Way], bool]] = {}
    if not (sshd.installed() and shutil.which("ssh")):
        obstacles["there is no ssh or no sshd"] = lambda way: way.connection == "ssh"
    if not shutil.which("sudo"):
        obstacles["there is no sudo"] = lambda way: way.login != "root"
    if not works(as_user("worker", folder, python, "-c", "")):
        obstacles[f"another user than root cannot run {python}"] = lambda way: (way.login, way.user) != ("root", "root")
    if not works(as_user("deploy", folder, "ansible-playbook", "--version")):
        obstacles["another user than root cannot run Ansible"] = lambda way: way.connection == "local" and way.login != "root"
    for reason, hit in obstacles.items():
        if any(hit(way) for way in ways):
            skipped(reason)
    return [way for way in ways if not any(hit(way) for hit in obstacles.values())]


def python_for_all() -> str:
    """A Python for the hosts: the distribution's, which every user can run."""
    usual = "/usr/bin/python3"
    return usual if works([usual, "-c", "import sys; sys.exit(sys.version_info < (3, 9))"]) else sys.executable


# ---- inventories and runs ---------------------------------------------------------------------------------------------


def host_vars(way: Way, address: str, folder: pathlib.Path) -> dict[str, t.Any]:
    # of the password file, and of the environment
    homes = ["/root", str(pathlib.Path.home())] if way.user == "root" else [f"{folder}/{way.user}"]
    found: dict[str, t.Any] = {"ansible_connection": way.connection, "ansible_pipelining": way.pipelining, "user": way.user, "homes": homes}
    if way.connection == "ssh":
        found |= {"ansible_host": address, "ansible_user": way.login}
    if way.login == "deploy":
        found["ansible_netns_sudo_pass"] = PASSWORD
    # root is the default
    if way.user != "root":
        found["ansible_netns_user"] = way.user
    return found


def broken(address: str, ways: t.Sequence[Way]) -> dict[str, t.Any]:
    """Hosts by what is wrong with them, with what is to be said of it."""
    missing = "this host has no network namespace 'nope': make it, or correct ansible_netns_name$"
    stale = "(^|: )network namespace 'stale' cannot be entered: .*Invalid argument$"
    nobody = "(^|: )this host has no user 'no'body': make it, or correct ansible_netns_user$"
    local = {"ansible_connection": "local", "ansible_pipelining": True}
    found: dict[str, dict[str, t.Any]] = {
        "missing-local-piped": {**local, "ansible_netns_name": "nope", "said": missing},
        "missing-local-files": {**local, "ansible_netns_name": "nope", "said": missing, "ansible_pipelining": False},
        "stale": {**local, "ansible_netns_name": "stale", "said": stale},
        "unset": {**local, "said": "ansible_netns_name is not set: name the namespace to run in$"},
        "path": {**local, "ansible_netns_name": "/proc/1/ns/net", "said": "ansible_netns_name: '/proc/1/ns/net' is not a namespace name: "},
        "dots": {**local, "ansible_netns_name": "..", "said": "ansible_netns_name: '..' is not a namespace name: "},
        "user": {**local, "ansible_netns_name": "-x", "ansible_netns_user": 'no"body', "said": nobody},
    }
    ssh = {"ansible_connection": "ssh", "ansible_host": address, "ansible_user": "root", "ansible_pipelining": True}
    if any(way.connection == "ssh" for way in ways):
        found["missing-ssh-piped"] = {**ssh, "ansible_netns_name": "nope", "said": missing}
        found["missing-ssh-files"] = {**ssh, "ansible_netns_name": "nope", "said": missing, "ansible_pipelining": False}
    if any((way.connection, way.login) == ("ssh", "deploy") for way in ways):
        sudo = {**ssh, "ansible_user": "deploy", "ansible_netns_name": "nope"}
        found["missing-sudo"] = {**sudo, "ansible_netns_sudo_pass": PASSWORD, "said": missing}
        found["password-wrong"] = {**sudo, "ansible_netns_sudo_pass": "wrong", "said": "Incorrect linuxnet.netns.netns password"}
        found["password-missing"] = {**sudo, "said": "Missing linuxnet.netns.netns password"}
    return found


def make_namespaces(names: t.Sequence[str], *inside: str) -> None:
    for number, name in enumerate(names):
        subprocess.run([*inside, "sh", "-ec", NAMESPACE, "namespace", name, str(number)], check=True)


def play(playbook: str, hosts: dict[str, t.Any], common: dict[str, t.Any], folder: pathlib.Path, *prefix: str) -> None:
    if not hosts:
        return
    inventory = folder / f"{pathlib.Path(playbook).stem}.json"
    inventory.write_text(json.dumps({"all": {"vars": common, "hosts": hosts}}), encoding="utf-8")
    inventory.chmod(0o644)
    command = ["ansible-playbook", "--forks", "4", "--inventory", str(inventory), str(folder / "target" / playbook)]
    subprocess.run([*prefix, *command], check=True)


def run(ways: t.Sequence[Way], python: str, folder: pathlib.Path, address: str) -> None:
    common = {
        "ansible_python_interpreter": python,
        "ansible_netns_name": "{{ inventory_hostname }}",
        # from one ordinary user to another, where there are no access control lists
        "ansible_shell_allow_world_readable_temp": True,
        "scratch": str(folder / "scratch"),
    }
    by_sudo = [way for way in ways if way.connection == "local" and way.login != "root"]
    hosts = {way.name: host_vars(way, address, folder) for way in ways}
    play("inside.yml", {way.name: hosts[way.name] for way in ways if way not in by_sudo}, common, folder)
    for login in sorted({way.login for way in by_sudo}):
        mine = {way.name: hosts[way.name] for way in by_sudo if way.login == login}
        play("inside.yml", mine, common, folder, *as_user(login, folder))
    del common["ansible_netns_name"]
    play("errors.yml", broken(address, ways), common, folder)


def ask_for_namespaces(ways: t.Sequence[Way], python: str, folder: pathlib.Path, address: str) -> None:
    """The live form of the inventory plugin: hosts are asked over ssh by a login that becomes root, then entered in the same way."""
    logins = {"deploy": {"ansible_become_password": PASSWORD}, "ops": {}}
    shared = {"ansible_host": address, "ansible_python_interpreter": python, "ansible_pipelining": True}
    hosts = {f"asked-{login}": {**shared, "ansible_user": login, **more} for login, more in logins.items()}
    inventory = folder / "live"
    inventory.mkdir()
    (inventory / "10-hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    (inventory / "20.netns.yml").write_text(
        json.dumps({"plugin": "linuxnet.netns.netns", "hosts": [*hosts], "strict": True}), encoding="utf-8"
    )
    names = sorted(way.name for way in ways)
    one = names[0]
    listed = ["ansible-inventory", "--inventory", str(inventory), "--list"]
    told = json.loads(subprocess.run(listed, check=True, stdout=subprocess.PIPE, text=True).stdout)
    wanted = sorted(f"{host}_{name}" for host in hosts for name in names)
    if sorted(told.get("netns", {}).get("hosts", [])) != wanted:
        sys.exit(f"become.py: the hosts were asked for {wanted} and told {told.get('netns')}")
    entered = [
        "ansible",
        "--inventory",
        str(inventory),
        f"*_{one}",
        "-m",
        "ansible.builtin.command",
        "-a",
        "sh -c 'id -un; ip netns identify'",
    ]
    said = subprocess.run([*entered, "--one-line"], check=True, stdout=subprocess.PIPE, text=True).stdout
    print(said)
    if said.count(f"root\\n{one}") != len(hosts):
        sys.exit(f"become.py: not as root in {one}: {said}")


def main(every_way: bool) -> None:
    try:
        fleet_hosts.require_root()
    except fleet_hosts.BenchmarkError as exc:
        skipped(str(exc))
        return
    os.environ.update(ANSIBLE_LOCALHOST_WARNING="False", ANSIBLE_HOST_KEY_CHECKING="True", ANSIBLE_REMOTE_TMP="~/.ansible/tmp")
    open_home()
    with tempfile.TemporaryDirectory(prefix="linuxnet-become-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        # ansible-test's own copy is for nobody but root
        shutil.copytree(HERE, folder / "target", copy_function=shutil.copyfile)
        (folder / "target").chmod(0o755)
        (folder / "scratch").mkdir()
        (folder / "scratch").chmod(0o1777)
        add_users(folder)
        python = python_for_all()
        ways = possible(EVERY_WAY if every_way else FEW_WAYS, python, folder)
        same = [SAME_USER] if any((way.connection, way.login) == ("ssh", "deploy") for way in ways) else []
        local = [way.name for way in ways if way.connection == "local"]
        make_namespaces([*local, "-x"])
        pathlib.Path("/run/netns/stale").touch()
        remote = [way for way in [*ways, *same] if way.connection == "ssh"]
        if not remote:
            run(ways, python, folder, "")
            return
        # a host sees the sandbox's users, with their passwords, and lets each of them in with the one key
        with fleet_hosts.Fleet(1, folder) as fleet:
            (host,), (inside,) = fleet.hosts, fleet.enter()
            os.environ.update(ANSIBLE_SSH_ARGS=" ".join(fleet.ssh_options()), ANSIBLE_SSH_CONTROL_PATH_DIR=str(folder / "cp"))
            make_namespaces([way.name for way in remote], *inside)
            run([*ways, *same], python, folder, host.addresses[0])
            if same:
                ask_for_namespaces(remote, python, folder, host.addresses[0])


if __name__ == "__main__":
    try:
        main("--all" in sys.argv)
    except (fleet_hosts.BenchmarkError, subprocess.CalledProcessError) as error:
        sys.exit(f"become.py: {error}")
