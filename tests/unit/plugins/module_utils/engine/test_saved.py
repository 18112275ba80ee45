# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Topologies that come back: what is written of them and when, how they are replayed, and what the watch wakes up for."""

from __future__ import annotations

import errno
import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.linuxnet.netns.plugins.module_utils._argspec_topology import LISTS
from ansible_collections.linuxnet.netns.plugins.module_utils._engine import (
    journal,
    options,
    probe_options,
    replay,
    saved,
    store,
    store_files,
    syscalls,
    transaction,
    watch,
)
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError, ProbeError, StateError
from ansible_collections.linuxnet.netns.plugins.plugin_utils import _engine_zip

Lists = dict[str, list[dict[str, t.Any]]]
Sandbox = t.Callable[[t.Callable[[], t.Any]], None]

PLACE = pathlib.Path(store.LASTING)
needs_nft = pytest.mark.skipif(shutil.which("nft", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None, reason="needs nft")


def sh(text: str) -> str:
    return subprocess.run(["sh", "-ec", text], check=True, capture_output=True, text=True).stdout


def told(*words: str) -> list[dict[str, t.Any]]:
    return [entry for entry in json.loads(sh(" ".join(["ip", "-json", *words])) or "[]") if entry]


def star(*names: str, bridge: str = "br0") -> Lists:
    return {
        "namespaces": [{"name": [name]} for name in names],
        "links": [{"name": bridge, "kind": "bridge", "up": True}],
        "veths": [{"name": "eth0", "netns": name, "up": True, "peer": {"name": f"v{name}", "master": bridge}} for name in names],
        "addresses": [{"netns": name, "dev": "eth0", "address": [f"192.0.2.{at}/24"]} for at, name in enumerate(names, start=10)],
    }


def run(name: str, lists: Lists | None = None, persist: bool = True, check: bool = False, **more: t.Any) -> t.Any:
    keeps = lists is not None and persist
    terms = transaction.Terms(owner=name, saved=saved.text(name, lists or {}) if keeps else "", **more)
    wanted = options.read(lists or {}, "absent" if lists is None else "present", True)
    return transaction.execute(wanted, check_mode=check, terms=terms)


def about(report: t.Any) -> list[tuple[str, str, str]]:
    return [(entry["action"], entry["name"], entry["reason"]) for entry in report.changes if entry["kind"] == "saved_topology"]


def forget_everything() -> None:
    """What a reboot takes away."""
    sh("for name in $(ls /run/netns); do umount /run/netns/$name; done; umount /run/netns; rm -r /run/netns /run/linuxnet-netns")
    deadline = time.monotonic() + 5
    while len(told("link")) > 2 and time.monotonic() < deadline:  # lo and the bridge: the rest went with its namespaces
        time.sleep(0.02)
    sh("ip link delete br0 2>/dev/null || true")
    assert [link["ifname"] for link in told("link")] == ["lo"]


# -- what is written


def complete(lists: Lists) -> Lists:
    """As a module has them: with all that was not given."""
    result = ArgumentSpecValidator({name: dict(spec) for name, spec in LISTS.items()}).validate(lists)
    assert not result.error_messages
    return result.validated_parameters


def test_what_was_not_given_is_not_written_and_not_missed() -> None:
    lists = complete(
        {
            **star("a", "b"),
            "routes": [{"netns": "a", "dest": "default", "nexthops": [{"gateway": "192.0.2.1", "weight": 2}, {"gateway": "192.0.2.2"}]}],
            "rules": [{"netns": "a", "from": "192.0.2.10", "table": "100", "priority": 1000}],
            "sysctls": [{"netns": "a", "name": "net.ipv4.ip_forward", "value": "1"}],
            "nat": [{"name": "lab", "subnets": ["192.0.2.0/24"], "interface": "br0"}],
        }
    )
    text = saved.text("lab", lists)
    assert "null" not in text
    content = json.loads(text)
    assert (content.pop("version"), content.pop("topology")) == (1, "lab")
    assert options.read(content, topology=True) == options.read(lists, topology=True)


def test_it_is_written_last_and_goes_first(sandboxed: Sandbox) -> None:
    def inside() -> None:
        created = [("create", "lab", "to be replayed at boot")]
        assert about(run("lab", star("a"), check=True)) == created
        assert not PLACE.exists()
        os.umask(0)
        done = run("lab", star("a"))
        assert (about(done), done.changes[-1]["kind"], done.saved) == (created, "saved_topology", ["lab"])
        assert [stat.S_IMODE(path.stat().st_mode) for path in (PLACE, PLACE / "lab.json")] == [0o700, 0o600]
        assert saved.load("lab") == star("a")
        assert run("lab", star("a")).changes == []
        assert about(run("lab", star("a", "b"))) == [("update", "lab", "the lists differ")]
        off = run("lab", star("a", "b"), persist=False, check=True)
        assert (about(off), off.saved) == ([("delete", "lab", "not to be replayed any more")], [])
        assert saved.names() == ["lab"]
        gone = run("lab")
        assert (gone.changes[0]["kind"], gone.saved, os.listdir(PLACE)) == ("saved_topology", [], [])

    sandboxed(inside)


def test_nothing_but_the_wish_to_save_has_changed(sandboxed: Sandbox) -> None:
    def inside() -> None:
        run("lab", star("a"), persist=False)
        for check in (True, False):
            assert [entry["kind"] for entry in run("lab", star("a"), check=check).changes] == ["saved_topology"]
        for check in (True, False):
            assert [entry["action"] for entry in run("lab", star("a"), persist=False, check=check).changes] == ["delete"]
        assert saved.names() == []

    sandboxed(inside)


def test_what_failed_its_checks_is_not_saved(sandboxed: Sandbox) -> None:
    def inside() -> None:
        run("lab", star("a"))
        with pytest.raises(ProbeError) as failed:
            run("lab", star("a", "b"), verify=probe_options.read([{"netns": "b", "ping": "198.51.100.1"}], "verify"))
        assert "saved_topology" not in {entry["kind"] for entry in failed.value.changes}
        assert saved.load("lab") == star("a")

    sandboxed(inside)


def test_who_is_killed_before_the_run_counts_has_saved_nothing(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def inside() -> None:
        run("lab", star("a"))
        child = os.fork()
        if child == 0:
            monkeypatch.setattr(journal, "close", lambda: os._exit(9))
            run("lab", star("a", "b"))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        assert saved.load("lab") == star("a", "b")
        assert run("other", {"namespaces": [{"name": ["c"]}]}, persist=False).recovered
        assert saved.load("lab") == star("a")

    sandboxed(inside)


def test_inside_a_namespace_nothing_is_saved(sandboxed: Sandbox) -> None:
    def inside() -> None:
        run("lab", star("a"))
        fd = os.open("/run/netns/a", os.O_RDONLY)
        syscalls.setns(fd)
        with pytest.raises(InputError, match="^persist: this task runs inside a namespace"):
            run("lab", star("b"))
        run("lab", {"namespaces": [{"name": ["c"]}]}, persist=False)
        assert saved.names() == ["lab"], "the host's topology of that name is not this one"

    sandboxed(inside)


@pytest.mark.parametrize(
    "text",
    [
        '{"version": 2, "topology": "lab"}',
        '{"version": 1, "topology": "lap"}',
        '{"version": 1, "topology": "lab", "nat": {}}',
        "[]",
        "{",
        "",
    ],
)
def test_what_cannot_be_read_is_named(sandboxed: Sandbox, text: str) -> None:
    def inside() -> None:
        PLACE.mkdir(mode=0o700)
        (PLACE / "lab.json").write_text(text)
        with pytest.raises(StateError, match=r"^/var/lib/linuxnet-netns/lab.json cannot be read \(.*\): remove it, and run the task again"):
            saved.load("lab")

    sandboxed(inside)


# -- replay


def test_after_a_boot_all_is_back(sandboxed: Sandbox) -> None:
    def inside() -> None:
        run("lab", star("a", "b"))
        before = told("-n", "a", "address"), [link["ifname"] for link in told("link")]
        forget_everything()
        assert replay.replay() == []
        after = told("-n", "a", "address"), [link["ifname"] for link in told("link")]
        assert [entry["addr_info"][0]["local"] for entry in after[0][1:]] == ["192.0.2.10"]
        assert sorted(after[1]) == sorted(before[1])
        assert run("lab", star("a", "b")).changes == [], "the records are there too"
        run("lab")
        assert (told("netns"), [link["ifname"] for link in told("link")]) == ([], ["lo"])

    sandboxed(inside)


def test_what_is_missing_is_put_back_and_nothing_is_removed(sandboxed: Sandbox, capfd: t.Any) -> None:
    def inside() -> None:
        run("lab", star("a", "b"))
        sh("ip -n a address add 192.0.2.99/24 dev eth0; ip netns add mine; ip -n b address flush dev eth0")
        assert replay.replay(["lab"]) == []
        assert "lab: create address 192.0.2.11/24" in capfd.readouterr().err
        assert {entry["local"] for entry in told("-n", "a", "address show dev eth0")[0]["addr_info"]} >= {"192.0.2.10", "192.0.2.99"}
        assert "mine" in sh("ip netns list")
        replay.replay()
        assert "lab: is as saved" in capfd.readouterr().err

    sandboxed(inside)


def test_one_that_stands_on_another_waits_for_it(sandboxed: Sandbox) -> None:
    def inside() -> None:
        run("ground", {"links": [{"name": "br0", "kind": "bridge"}]})
        run("above", {**star("a"), "links": []})
        forget_everything()
        assert replay.replay() == []
        assert told("link", "show", "va")[0]["master"] == "br0"

    sandboxed(inside)


def test_what_cannot_be_built_is_told_and_the_rest_is(sandboxed: Sandbox, capfd: t.Any) -> None:
    def inside() -> None:
        run("b", {"namespaces": [{"name": ["b"]}]})
        (PLACE / "a.json").write_text("{")
        forget_everything()
        assert replay.replay() == ["a"]
        assert "a: /var/lib/linuxnet-netns/a.json cannot be read" in capfd.readouterr().err
        assert "b" in sh("ip netns list")
        assert replay.replay(["c"]) == ["c"]
        assert "c: topology 'c' is not saved" in capfd.readouterr().err

    sandboxed(inside)


def test_what_was_removed_meanwhile_is_no_failure(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def inside() -> None:
        listed = iter([["gone"], []])
        monkeypatch.setattr(saved, "names", lambda: next(listed))
        assert replay.replay() == []

    sandboxed(inside)


# -- on its own


def start(*words: str, **more: t.Any) -> subprocess.Popen[str]:
    """The zipped engine, by this Python and nothing else: no site-packages, no PYTHONPATH."""
    path = pathlib.Path("/run/engine.pyz")
    path.write_bytes(_engine_zip.build())
    return subprocess.Popen([sys.executable, "-I", "-S", str(path), *words], stderr=subprocess.PIPE, text=True, **more)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    said = process.communicate(timeout=60)[1]
    return process.returncode, said


def test_replay_waits_for_the_lock_and_reads_what_is_saved_then(sandboxed: Sandbox) -> None:
    def inside() -> None:
        run("lab", star("a"))
        forget_everything()
        with store.locked():
            waiting = start("replay", "lab")
            time.sleep(1)
            assert (waiting.poll(), told("netns")) == (None, [])
            store_files.write("saved.lab", saved.text("lab", star("b")))
        assert ended(waiting)[0] == 0
        assert [entry["name"] for entry in told("netns")] == ["b"]

    sandboxed(inside)


def test_a_killed_replay_is_recovered_by_the_next(sandboxed: Sandbox) -> None:
    def inside() -> None:
        names = [f"n{number}" for number in range(40)]
        run("lab", star(*names))
        forget_everything()
        killed = start("replay")
        path = pathlib.Path(store.DIRECTORY)
        deadline = time.monotonic() + 30
        # its journal is there from before the first change until after the last
        while not list(path.glob("journal.*")) or len(told("netns")) < 3:
            assert killed.poll() is None and time.monotonic() < deadline
        killed.kill()
        assert ended(killed)[0] == -signal.SIGKILL
        assert list(path.glob("journal.*")), "it was killed in the middle"
        status, said = ended(start("replay"))
        assert (status, "lab: a killed run had been here" in said) == (0, True)
        assert sorted(entry["name"] for entry in told("netns")) == sorted(names)
        assert not list(path.glob("journal.*"))
        assert run("lab", star(*names)).changes == []

    sandboxed(inside)


def watching() -> subprocess.Popen[str]:
    """A watch that has told systemd that all is in place."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind("/run/notify")
        channel.settimeout(60)
        process = start("watch", env={"NOTIFY_SOCKET": "/run/notify", "PATH": os.environ["PATH"]})
        assert channel.recv(100) == b"READY=1"
    return process


def switches(pid: int) -> int:
    """How often a process has gone to sleep: of one that sleeps all the time it does not grow."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if "ctxt_switches" in line)


def settled(pid: int, seconds: float = 30) -> bool:
    """Whether it comes to rest: twice the time that it waits for more news, without a replay at work and without waking up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        before = switches(pid)
        time.sleep(2 * watch.QUIET)
        if switches(pid) == before and not pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text():
            return True
    return False


def back(expected: str, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while expected not in sh("nft list tables"):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@needs_nft
def test_the_watch_sleeps_until_somebody_touches_the_firewall(sandboxed: Sandbox) -> None:
    def inside() -> None:
        sh("ip link add up0 type veth peer name far0; ip link set up0 up; ip address add 198.51.100.2/24 dev up0")
        nat = {"nat": [{"name": "lab", "subnets": ["192.0.2.0/24"], "interface": "br0", "uplink": "up0"}]}
        run("lab", {**star("a"), **nat})
        sh("nft flush ruleset")
        process = watching()
        assert "linuxnet_lab" in sh("nft list tables"), "who waits for the service finds all in place"
        assert settled(process.pid)
        for command in ("nft flush ruleset", "nft delete table inet linuxnet_lab", "nft flush ruleset; nft add table ip others"):
            sh(command)
            assert back("linuxnet_lab"), command
            assert settled(process.pid), "its own changes wake it up once"
        assert "table ip others" in sh("nft list tables")
        sh("nft add set ip others s '{ type ipv4_addr; }'")
        before = switches(process.pid)
        sh("for number in $(seq 50); do nft add element ip others s { 192.0.2.$number }; done")
        time.sleep(1)
        assert switches(process.pid) - before < 120, "elements of sets are read, and cause nothing"
        process.terminate()
        status, said = ended(process)
        assert status == -signal.SIGTERM
        assert said.count("create nft_table") == 4

    sandboxed(inside)


@needs_nft
def test_what_cannot_be_built_yet_is_tried_again(sandboxed: Sandbox) -> None:
    def inside() -> None:
        PLACE.mkdir(mode=0o700)
        lists = {**star("a"), "nat": [{"name": "lab", "subnets": ["192.0.2.0/24"], "interface": "br0"}]}
        (PLACE / "lab.json").write_text(saved.text("lab", lists))
        process = start("watch")
        assert process.stderr and "no default route" in process.stderr.readline()
        assert (process.poll(), told("netns")) == (None, [])
        sh("ip link add up0 type veth peer name far0; ip link set up0 up; ip link set far0 up; ip address add 198.51.100.2/24 dev up0")
        sh("ip route add default via 198.51.100.1")
        assert back("linuxnet_lab")
        process.kill()
        assert "lab: create nft_table" in ended(process)[1]

    sandboxed(inside)


def test_without_netfilter_there_is_nothing_to_hear(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: t.Any) -> t.Any:
        raise OSError(errno.EPROTONOSUPPORT, "Protocol not supported")

    monkeypatch.setattr(socket, "socket", refuse)
    assert watch.Listener().news(0.01) is False


def test_a_watch_goes_on_with_a_newer_engine(sandboxed: Sandbox) -> None:
    def inside() -> None:
        process = watching()
        newer = pathlib.Path("/run/newer")
        newer.write_text("import sys\nsys.stderr.write('newer ' + sys.argv[1])\n")
        newer.rename("/run/engine.pyz")
        sh("nft add table ip others")
        assert ended(process) == (0, "newer watch")

    sandboxed(inside)


@pytest.mark.parametrize(("words", "said"), [((), "required: verb"), (("fly",), "invalid choice: 'fly'")])
def test_a_wrong_word_is_refused(sandboxed: Sandbox, words: tuple[str, ...], said: str) -> None:
    def inside() -> None:
        status, text = ended(start(*words))
        assert (status, said in text) == (2, True)

    sandboxed(inside)


def test_a_replay_that_is_asked_to_end_goes_back(sandboxed: Sandbox) -> None:
    def inside() -> None:
        names = [f"n{number}" for number in range(40)]
        run("lab", star(*names))
        run("later", {"namespaces": [{"name": ["later"]}]})
        forget_everything()
        stopped = start("replay")
        deadline = time.monotonic() + 30
        while len(told("netns")) < 3:
            assert stopped.poll() is None and time.monotonic() < deadline
        stopped.terminate()
        status, said = ended(stopped)
        assert (status, "lab: stopped by SIGTERM" in said) == (1, True)
        assert told("netns") == []

    sandboxed(inside)
