# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that mean harm, and users who may not be trusted: in /run/netns, in the state directory, in /etc/netns.

Each time the run does what was asked, or it says one clear sentence; what lies outside stays as it is, and nothing hangs.
"""

from __future__ import annotations

import typing as t

import pytest
from host import Host
from pieces import comparable, pieces, touched
from runs import Arguments, Result, inside

STATE = "/run/linuxnet-netns"
# What has to stay as it is; a namespace of somebody else's is part of it.
WORLD = """
mkdir -p /run/outside/full
echo precious > /run/outside/file
echo precious > /run/outside/full/file
chmod 640 /run/outside/file
ip netns add other
ip -n other link set lo up
ip -n other link add keep type veth peer name keep1
"""
OUTSIDE = "cd /run/outside && find . -printf '%p %y %m %U %G %l\\n' | sort && cat file full/file && md5sum /etc/passwd /etc/hosts"
# ip itself waits for ever for who writes into a fifo there
ASIDE = "[ ! -p /run/netns/blue ] || mv /run/netns/blue /run/aside"
BACK = "[ ! -p /run/aside ] || mv /run/aside /run/netns/blue\n"
# What can stand in the place of a file: {path} is the file's.
THINGS = {
    "link to a directory outside": "ln -s /run/outside/full {path}",
    "link to a file outside": "ln -s /run/outside/file {path}",
    "link to /etc": "ln -s /etc {path}",
    "link to a namespace": "ln -s /run/netns/other {path}",
    "link to nothing": "ln -s /run/outside/nothing {path}",
    "link to itself": "ln -s {path} {path}",
    "fifo": "mkfifo {path}",
    "empty directory": "mkdir {path}",
    "full directory": "mkdir {path}; echo x > {path}/x",
    "empty file": ": > {path}; touch -d '1 hour ago' {path}",
    "garbage": "head -c 5000 /dev/urandom > {path}; touch -d '1 hour ago' {path}",
    "device": "mknod {path} c 1 3",
    "another sort of namespace": ": > {path}; mount --bind /proc/self/ns/uts {path}",
    "mounted file": ": > {path}; mount --bind /run/outside/file {path}",
}
LAB: Arguments = {
    "name": "lab",
    "namespaces": [{"name": ["blue"], "nameservers": ["192.0.2.53"]}],
    "links": [{"name": "br0", "kind": "bridge"}],
    "veths": [{"name": "eth0", "netns": "blue", "peer": {"name": "blue-e0", "master": "br0"}}],
    "addresses": [{"netns": "blue", "dev": "eth0", "address": ["192.0.2.1/24"]}],
}
LARGER: Arguments = {**LAB, "namespaces": [*LAB["namespaces"], {"name": ["green"]}]}


class Eyes:
    """What of the world has changed since the first look."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._outside, self._pieces = self._look()

    def _look(self) -> tuple[str, t.Any]:
        self._host.shell(ASIDE)
        # link-local addresses settle while the runs go on
        found = comparable(pieces(self._host.picture()))
        return self._host.shell(BACK + OUTSIDE), found

    def changed(self, but_new: bool) -> list[str]:
        """``but_new``: what has come is fine."""
        outside, found = self._look()
        lines = [] if outside == self._outside else [f"outside: {outside}"]
        return lines + touched(self._pieces, found) + ([] if but_new else [f"new: {name}" for name in found if name not in self._pieces])


class Outside(Eyes):
    """What is none of the run's business: somebody else's files and namespace. All else may become another thing, or go."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._pieces = {name: value for name, value in self._pieces.items() if name[0] == "other" or name[2] == "other"}

    def changed(self, but_new: bool) -> list[str]:
        return super().changed(but_new=True)


class Court:
    """Runs on one host, and the complaints about them."""

    def __init__(self, tally: t.Callable[[str, int, int, int], None], scenario: str) -> None:
        self.tried, self.problems = 0, []
        self._tally, self._scenario = tally, scenario

    def run(self, what: str, host: Host, eyes: Eyes, module: str, wish: Arguments, names: str = "", must: str = "") -> Result:
        """``names``: what the sentence has to name; ``must``: ``fail`` or ``work``, where only one of them is right."""
        self.tried += 1
        lines = []
        try:
            result = inside(host, module, **wish)
        except Exception as error:
            result = {"failed": True, "msg": names}
            lines.append(str(error).strip().splitlines()[-1])
        bad = bool(result.get("failed"))
        lines += eyes.changed(but_new=not bad)
        if must and bad != (must == "fail"):
            lines.append(f"it has to {must}, but: {result.get('msg', 'it worked')}")
        if bad and names not in result["msg"]:
            lines.append(f"the sentence does not name {names}: {result['msg']}")
        if lines:
            self.problems.append(f"{what}, {module} {wish.get('state', '')}: " + "\n".join(line[:500] for line in lines[:5]))
        return result

    def verdict(self) -> None:
        self._tally(self._scenario, self.tried, self.tried - len(self.problems), len(self.problems))
        assert not self.problems, "\n".join(self.problems)


@pytest.fixture
def court(request: pytest.FixtureRequest, tally: t.Callable[[str, int, int, int], None]) -> t.Iterator[Court]:
    found = Court(tally, f"hostile files: {request.function.__doc__}")
    yield found
    found.verdict()


def sample(things: t.Mapping[str, str], short: bool, first: int = 0) -> dict[str, str]:
    return {what: script for at, (what, script) in enumerate(things.items()) if not short or at % 3 == first}


def world() -> Host:
    host = Host()
    host.shell(WORLD)
    return host


# -- /run/netns

USES: list[tuple[str, Arguments]] = [
    ("netns", {"name": ["blue"]}),
    ("veth", {"name": "eth1", "netns": "blue", "peer": {"name": "blue-e1"}}),
    ("netns_addr", {"netns": "/run/netns/blue", "dev": "lo", "address": ["192.0.2.7/32"]}),
    ("netns_info", {}),
    ("netns_topology", LAB),
]


@pytest.mark.parametrize(("module", "wish"), USES, ids=[module for module, _wish in USES])
def test_netns(module: str, wish: Arguments, court: Court, short: bool) -> None:
    """in the place of a namespace"""
    for what, script in sample(THINGS, short, 1).items():
        with world() as host:
            host.shell(script.format(path="/run/netns/blue"))
            eyes = Eyes(host)
            # to put a namespace in the place of what is none is the one thing that may change what was there
            repairs = what in ("empty file", "garbage") and module in ("netns", "netns_topology")
            eyes = Eyes(host) if not repairs else Outside(host)
            result = court.run(
                what, host, eyes, module, wish, "" if module == "netns_info" else "blue", "work" if module == "netns_info" else ""
            )
            if result.get("failed") or module in ("netns", "netns_topology", "netns_info"):
                gone = {"name": ["blue"], "state": "absent"}
                court.run(what, host, Outside(host), "netns", gone, "blue")


# -- the state directory

DIRECTORIES = {
    "link": f"ln -s /run/outside/full {STATE}",
    "link to nothing": f"ln -s /run/outside/nothing {STATE}",
    "file": f"echo x > {STATE}",
    "fifo": f"mkfifo {STATE}",
    "writable by all": f"mkdir -m 777 {STATE}",
    "writable by all, sticky": f"mkdir -m 1777 {STATE}",
    "writable by a group": f"mkdir -m 770 {STATE}",
    "another user's": f"mkdir -m 700 {STATE}; chown 65534 {STATE}",
}


def test_directory(court: Court) -> None:
    """in the place of the state directory"""
    for what, script in DIRECTORIES.items():
        with world() as host:
            host.shell(script)
            eyes = Eyes(host)
            for module, wish in (("netns", {"name": ["blue"]}), ("netns_topology", LAB), ("netns_topology", {**LAB, "state": "absent"})):
                court.run(what, host, eyes, module, wish, STATE, "fail")
            host.shell(f"rm -rf {STATE}")  # as the sentence says
            court.run(what, host, eyes, "netns_topology", LAB, must="work")


CONTENTS = {
    **{
        name: THINGS[name]
        for name in ("link to a file outside", "link to nothing", "fifo", "empty directory", "full directory", "garbage", "empty file")
    },
    "another version": """printf '{{"version":99,"objects":[]}}\\n' > {path}""",
    "no version": """printf '{{}}\\n' > {path}""",
    "a list": """printf '[]\\n' > {path}""",
    "a number": """printf '1\\n' > {path}""",
    "other objects": """printf '{{"version":1,"objects":[{{"_":"os.system","command":"touch /run/outside/x"}}]}}\\n' > {path}""",
    "another form": """printf '{{"version":1,"objects":{{"a":null}},"changes":7,"snapshot":[],"files":3}}\\n' > {path}""",
    "deep": """python3 -c 'print("[" * 200000)' > {path}""",
    "truncated": "head -c 70 {kept} > {path}",
    "no end of the line": """printf '{{"version":1' > {path}""",
}


@pytest.mark.parametrize("entry", ["lock", ".new", "topology.lab", "topology.strange", "journal"])
def test_entries(entry: str, court: Court, short: bool) -> None:
    """in the place of a file of the state directory"""
    for what, script in sample(CONTENTS, short, len(entry) % 3).items():
        with world() as host:
            inside(host, "netns_topology", **LAB)
            path = (
                f"{STATE}/{entry}"
                if entry in ("lock", ".new")
                else host.shell(f"echo {STATE}/{entry}.$(stat -Lc %i /proc/self/ns/net)").strip()
            )
            host.shell(f"cp {STATE}/topology.lab.* /run/kept; rm -rf {path}")
            host.shell(script.format(path=path, kept="/run/kept"))
            eyes = Eyes(host)
            result = court.run(what, host, eyes, "netns_topology", LARGER, path)
            if result.get("failed"):
                host.shell(f"rm -rf {path}")  # as the sentence says
                court.run(f"{what}, removed", host, eyes, "netns_topology", LARGER, must="work")
            court.run(what, host, Outside(host), "netns", {"name": ["blue", "green"], "state": "absent"}, must="work")


@pytest.mark.parametrize("umask", [0, 0o077], ids=["0", "077"])
def test_modes(umask: int, court: Court) -> None:
    """modes and owners after runs"""
    with world() as host:
        eyes = Eyes(host)
        for wish in (LAB, LARGER):
            court.run(f"umask {umask:o}", host, eyes, "netns_topology", {**wish}, must="work")
            inside(host, "netns_topology", umask=umask, **wish)
        seen = host.shell(
            f"stat -c '%a %u %g %n' {STATE} {STATE}/* /run/netns /etc/netns /etc/netns/blue /etc/netns/blue/resolv.conf"
        ).splitlines()
        expected = {STATE: "700", "/run/netns": "755", "/etc/netns": "755", "/etc/netns/blue": "755", "/etc/netns/blue/resolv.conf": "644"}
        for line in seen:
            mode, user, group, path = line.split()
            if (mode, user, group) != (expected.get(path, "600"), "0", "0"):
                court.problems.append(f"umask {umask:o}: {line}")


def test_older_mode(court: Court) -> None:
    """a state directory that others can read is closed"""
    with world() as host:
        host.shell(f"mkdir -m 755 {STATE}")
        court.run("readable", host, Eyes(host), "netns_topology", LAB, must="work")
        assert host.shell(f"stat -c %a {STATE}").strip() == "700"


# -- /etc/netns


@pytest.mark.parametrize("path", ["/etc/netns/blue", "/etc/netns/blue/resolv.conf", "/etc/netns/blue/.resolv.conf.new"])
def test_resolver(path: str, court: Court, short: bool) -> None:
    """in the place of a namespace's DNS files"""
    things = {what: script for what, script in THINGS.items() if not what.startswith(("another sort", "link to /etc"))}
    for what, script in sample(things, short, len(path) % 3).items():
        with world() as host:
            host.shell(f"mkdir -p $(dirname {path})")
            host.shell(script.format(path=path))
            eyes = Eyes(host)
            wish = {"name": ["blue"], "nameservers": ["192.0.2.53"]}
            replaced = Outside(host) if path.count("/") > 3 else eyes
            result = court.run(what, host, replaced, "netns", wish, "/etc/netns/blue")
            if not result.get("failed"):
                assert "192.0.2.53" in host.shell("cat /etc/netns/blue/resolv.conf")
            court.run(what, host, Outside(host), "netns", {"name": ["blue"], "state": "absent"}, "/etc/netns/blue")
