# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that are about a topology: what it has, what it removes, what it leaves, what it goes on with after a crash."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import (
    journal,
    options,
    probe_options,
    rtnetlink,
    store,
    store_files,
    syscalls,
    transaction,
)
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import NetnsError, ProbeError, StateError

Lists = dict[str, list[dict[str, t.Any]]]
Sandbox = t.Callable[[t.Callable[[], t.Any]], None]


def sh(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def run(name: str | None, lists: Lists | None = None, state: str = "present", check: bool = False, **terms: t.Any) -> t.Any:
    agreed = transaction.Terms(owner=name, **terms) if name else None
    return transaction.execute(options.read(lists or {}, state, True), check_mode=check, terms=agreed)


def said(report: t.Any) -> list[str]:
    return [f"{change['action']} {change['kind']} {change['name']}" for change in report.changes]


def star(*names: str, bridge: str = "br0") -> Lists:
    return {
        "namespaces": [{"name": [name]} for name in names],
        "links": [{"name": bridge, "kind": "bridge", "up": True}],
        "veths": [
            {"name": "eth0", "netns": name, "up": True, "peer": {"name": f"v{name}", "master": bridge, "up": True}} for name in names
        ],
        "addresses": [{"netns": name, "dev": "eth0", "address": [f"192.0.2.{at}/24"]} for at, name in enumerate(names, start=10)],
        "routes": [{"netns": name, "dest": ["default"], "gateway": "192.0.2.1"} for name in names],
    }


def names() -> list[str]:
    return sorted(entry["name"] for entry in json.loads(sh("ip", "-json", "netns") or "[]"))


def devices(netns: str = "") -> list[str]:
    words = ["ip", "-json", *(["-n", netns] if netns else []), "link"]
    return sorted(entry["ifname"] for entry in json.loads(sh(*words)) if entry["ifname"] != "lo")


def records() -> list[str]:
    return sorted(name for name in store_files.names() if name != "lock")


def nothing_is_left() -> None:
    assert (names(), devices(), records()) == ([], [], [])
    assert os.listdir(store.DIRECTORY) == ["lock"]


def test_what_is_listed_no_more_goes(sandboxed: Sandbox) -> None:
    def inside() -> None:
        run("lab", star("a", "b"))
        assert run("lab", star("a", "b")).changes == []
        told = run("lab", star("a", "c"), check=True)
        done = run("lab", star("a", "c"))
        assert told.changes == done.changes
        assert "delete namespace b" in said(done)
        assert {change["reason"] for change in done.changes if change["action"] == "delete"} == {"not listed any more"}
        assert (names(), devices()) == (["a", "c"], ["br0", "va", "vc"])
        assert run("lab", star("a", "c")).changes == []
        assert run("lab", star("a"), purge=False).changes == []
        assert names() == ["a", "c"], "purge: false removes nothing, and forgets nothing"
        run("lab", star("a"))
        assert names() == ["a"]
        run("lab", state="absent")
        nothing_is_left()
        assert run("lab", state="absent").changes == []

    sandboxed(inside)


def test_what_was_there_before_stays(sandboxed: Sandbox) -> None:
    def inside() -> None:
        sh("ip", "netns", "add", "a")
        sh("ip", "link", "add", "br0", "type", "bridge")
        run("lab", star("a", "b"))
        told = run("lab", star("a", "b"), state="absent")
        assert (names(), devices()) == (["a"], ["br0"])
        assert sorted(warning.split(" was not made")[0] for warning in told.warnings) == ["link br0 on the host", "namespace a"]
        assert devices("a") == []

    sandboxed(inside)


def replaced_link() -> None:
    sh("ip", "link", "del", "br0")
    sh("ip", "link", "add", "br0", "type", "bridge")


def replaced_namespace() -> None:
    sh("ip", "netns", "del", "a")
    sh("ip", "netns", "add", "a")


def replaced_route() -> None:
    sh("ip", "-n", "a", "route", "replace", "default", "via", "192.0.2.1")


def replaced_address() -> None:
    sh("ip", "-n", "a", "addr", "del", "192.0.2.10/24", "dev", "eth0")
    sh("ip", "-n", "a", "addr", "add", "192.0.2.10/24", "dev", "eth0")


@pytest.mark.parametrize(
    ("replace", "left"),
    [
        (replaced_link, "link br0 on the host"),
        (replaced_namespace, "namespace a"),
        (replaced_route, "route default in namespace 'a'"),
        (replaced_address, "address 192.0.2.10/24 dev eth0 in namespace 'a'"),
    ],
)
def test_what_somebody_put_in_its_place_stays(sandboxed: Sandbox, replace: t.Callable[[], None], left: str) -> None:
    def inside() -> None:
        own = {"links": star("a")["links"]} if replace is replaced_link else star("a")
        if replace in (replaced_route, replaced_address):
            sh("ip", "netns", "add", "a")
        run("lab", own)
        replace()
        warnings = run("lab", state="absent").warnings
        assert f"{left} was replaced by somebody else's: it is left; remove it by the module for that kind if it is to go" in warnings

    sandboxed(inside)


def test_the_last_that_leaves_removes_what_is_shared(sandboxed: Sandbox) -> None:
    def inside() -> None:
        run("one", star("a", "b"))
        assert run("two", {"namespaces": [{"name": ["a"]}], "links": star()["links"]}).changes == []
        run("one", state="absent")
        assert (names(), devices(), devices("a")) == (["a"], ["br0"], [])
        run("two", state="absent")
        nothing_is_left()

    sandboxed(inside)


def test_what_others_stand_on_is_handed_over(sandboxed: Sandbox) -> None:
    """The second topology lists neither the bridge nor the namespace that it uses."""

    def inside() -> None:
        run("one", star("a"))
        cable = {"name": "eth1", "netns": "a", "up": True, "peer": {"name": "w", "master": "br0", "up": True}}
        run("two", {"veths": [cable]})
        run("one", state="absent")
        assert (names(), devices(), devices("a")) == (["a"], ["br0", "w"], ["eth1"])
        assert run("two", {"veths": [cable]}, purge=False).changes == []
        run("two", state="absent")
        nothing_is_left()

    sandboxed(inside)


def test_what_belongs_to_another_is_not_changed(sandboxed: Sandbox) -> None:
    def inside() -> None:
        run("one", star("a"))
        before = sh("ip", "-json", "link", "show", "br0", "type", "bridge")
        for check in (True, False):
            with pytest.raises(StateError) as caught:
                run("two", {"links": [{"name": "br0", "kind": "bridge", "mtu": 1400}], "namespaces": [{"name": ["c"]}]}, check=check)
            sentence = "link br0 on the host belongs to topology 'one', which has it otherwise (mtu differs): "
            assert str(caught.value) == sentence + "say the same there and here, or choose another name"
        assert '"mtu":1500' in before
        assert '"mtu":1500' in sh("ip", "-json", "link", "show", "br0", "type", "bridge")
        assert names() == ["a"]
        # it is the first one's own to change
        run("one", {**star("a"), "links": [{"name": "br0", "kind": "bridge", "mtu": 1400}]})

    sandboxed(inside)


def test_removal_goes_on_past_what_cannot_go(sandboxed: Sandbox) -> None:
    def inside() -> None:
        run("lab", star("a", "b"))
        inhabitant = subprocess.Popen(["ip", "netns", "exec", "b", "sleep", "60"])
        try:
            while os.readlink(f"/proc/{inhabitant.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
                pass
            with pytest.raises(StateError) as announced:
                run("lab", state="absent", check=True)
            assert (names(), announced.value.changes) == (["a", "b"], [])
            with pytest.raises(StateError) as caught:
                run("lab", state="absent")
            assert str(caught.value) == str(announced.value), "check mode fails as the run does"
            assert str(caught.value).startswith("not all of topology 'lab' could be removed: namespace 'b' is in use by 1 process")
            assert (names(), devices()) == (["b"], [])
            assert not caught.value.rolled_back
            assert {change["name"] for change in caught.value.changes} >= {"a", "br0"}
        finally:
            inhabitant.kill()
            inhabitant.wait()
        run("lab", state="absent")
        nothing_is_left()

    sandboxed(inside)


def test_a_dead_namespace_does_not_keep_the_rest(sandboxed: Sandbox) -> None:
    def inside() -> None:
        run("lab", star("a", "b"))
        sh("umount", "/run/netns/a")  # a plain file stays, and the host's end of the cable goes
        run("lab", state="absent")
        nothing_is_left()

    sandboxed(inside)


def test_a_failure_may_be_kept_for_a_look(sandboxed: Sandbox) -> None:
    def inside() -> None:
        broken = star("a")
        broken["routes"].append({"netns": "a", "dest": ["198.51.100.0/24"], "gateway": "192.0.2.1", "src": "192.0.2.77"})
        with pytest.raises(NetnsError) as caught:
            run("lab", broken, on_failure="keep")
        assert not caught.value.rolled_back
        assert (names(), devices("a")) == (["a"], ["eth0"])
        assert records() == ["topology.lab"]
        run("lab", state="absent")
        nothing_is_left()

    sandboxed(inside)


def test_a_check_that_fails_undoes_everything(sandboxed: Sandbox) -> None:
    def inside() -> None:
        sh("ip", "link", "add", "br9", "type", "bridge")
        good = probe_options.read([{"netns": "a", "ping": "192.0.2.11", "timeout": 2.0, "retries": 3}])
        bad = probe_options.read([{"netns": "a", "ping": "192.0.2.99", "timeout": 0.2, "retries": 0}])
        with pytest.raises(ProbeError) as caught:
            run("lab", star("a", "b"), verify=bad)
        assert caught.value.rolled_back
        assert caught.value.results[0]["layer"] == "neighbour"
        assert (names(), devices(), records()) == ([], ["br9"], [])
        assert run("lab", star("a", "b"), verify=good).results[0]["ok"]
        # also where there is nothing to do
        with pytest.raises(ProbeError):
            run("lab", star("a", "b"), verify=bad)
        assert names() == ["a", "b"]

    sandboxed(inside)


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"version": 99}), json.dumps({"version": 1, "objects": [{"": "Os"}]})])
def test_a_record_that_cannot_be_read_stops_the_run(sandboxed: Sandbox, text: str) -> None:
    def inside() -> None:
        run("lab", star("a"))
        path = pathlib.Path(store.path("topology.lab"))
        path.write_text(text)
        for check in (True, False):
            with pytest.raises(StateError, match=f"the record of topology 'lab', {path}, cannot be read .*: remove the file"):
                run("lab", star("b"), check=check)
        assert names() == ["a"]
        assert run(None, star("a")).changes == [], "a module for one thing needs no record"

    sandboxed(inside)


# -- killed


def killed_at(number: int, function: t.Callable[[], t.Any]) -> bool:
    """Run the function in a process that is killed before the ``number``-th request or mount; whether it was."""
    pid = os.fork()
    if pid == 0:
        count = 0

        def tick() -> None:
            nonlocal count
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)

        def after_tick(real: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
            def call(*arguments: t.Any, **options_: t.Any) -> t.Any:
                tick()
                return real(*arguments, **options_)

            return call

        one_by_one = after_tick(rtnetlink.Socket.batch)
        rtnetlink.Socket.batch = lambda self, messages: {  # type: ignore[method-assign]
            at: failure for at, message in enumerate(messages) for failure in one_by_one(self, [message]).values()
        }
        for name in ("mount", "unmount"):
            setattr(syscalls, name, after_tick(getattr(syscalls, name)))
        try:
            function()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def test_the_next_run_takes_back_what_a_killed_one_did(sandboxed: Sandbox) -> None:
    def inside() -> None:
        run("lab", star("a", "b"))
        path = pathlib.Path(store.path("journal"))
        forward = 0
        for number in range(1, 60):
            if not killed_at(number, lambda: run("lab", star("b", "c"))):
                break
            warnings = run("lab", star("b", "c"), check=True).warnings
            assert warnings == ["a run was killed here; a real run first takes back what that one had done"]
            assert path.exists(), "check mode changes nothing"
            # any module does it
            recovered = run(None, {"namespaces": [{"name": ["b"]}]})
            assert recovered.recovered
            assert not path.exists()
            forward += "a" not in names()
            run("lab", star("b", "c"))
            assert (names(), devices()) == (["b", "c"], ["br0", "vb", "vc"])
            assert run("lab", star("b", "c")).changes == []
            run("lab", star("a", "b"))
        assert forward, "it was never killed while it removed namespaces"
        run("lab", state="absent")
        nothing_is_left()

    sandboxed(inside)


def killed_at_its_end(function: t.Callable[[], t.Any]) -> None:
    """Run the function in a process that is killed when all is done and recorded, before the run counts."""
    pid = os.fork()
    if pid == 0:
        journal.close = lambda: os.kill(os.getpid(), signal.SIGKILL)
        try:
            function()
        finally:
            os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def test_the_records_come_back_with_what_a_killed_run_did(sandboxed: Sandbox) -> None:
    """Also that of another topology, to which something was handed over."""

    def texts() -> dict[str, str | None]:
        return {name: store_files.read(name) for name in records() if name.startswith("topology.")}

    def inside() -> None:
        run("one", star("a"))
        run("two", {"veths": [{"name": "eth1", "netns": "a", "peer": {"name": "w", "master": "br0"}}]})
        before, there = texts(), devices()
        killed_at_its_end(lambda: run("one", {"namespaces": [{"name": ["a", "b"]}]}))
        changed = texts()
        assert [name for name in before if before[name] != changed[name]] == ["topology.one", "topology.two"]
        assert run(None, {"namespaces": [{"name": ["a"]}]}).recovered
        assert (texts(), devices(), names()) == (before, there, ["a"])
        killed_at_its_end(lambda: run("three", {"namespaces": [{"name": ["c"]}]}))
        assert [*texts()] == ["topology.one", "topology.three", "topology.two"]
        assert run(None, {"namespaces": [{"name": ["a"]}]}).recovered
        assert (texts(), names()) == (before, ["a"])

    sandboxed(inside)


def test_a_journal_that_cannot_be_read_stops_the_run(sandboxed: Sandbox) -> None:
    def inside() -> None:
        with store.locked():
            store_files.write("journal", '{"version":99}\n')
        with pytest.raises(StateError, match="the journal of a killed run, .*, cannot be read .it has format 99.*: look at what"):
            run(None, {"namespaces": [{"name": ["a"]}]})
        assert names() == []
        # of a run that was killed while it wrote the first line nothing was done
        with store.locked():
            store_files.write("journal", '{"version":1,"chan')
        with pytest.raises(StateError, match="cannot be read"):
            run(None, {"namespaces": [{"name": ["a"]}]})

    sandboxed(inside)
