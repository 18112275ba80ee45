# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What fails half way leaves no trace: after a roll-back iproute2 tells of links, addresses, routes and rules what it told before."""

from __future__ import annotations

import contextlib
import copy
import errno
import fcntl
import glob
import json
import os
import signal
import stat
import subprocess
import threading
import time
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import (
    making,
    namespaces,
    options,
    rtnetlink,
    running,
    store,
    transaction,
    waiting,
)
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import KernelError, NetnsError, StateError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.rtnetlink import Request

Sandbox = t.Callable[[t.Callable[[], t.Any]], None]
Lists = dict[str, list[dict[str, t.Any]]]

# Every message of a run fails once: enough for the longest of the runs here.
MOST_STEPS = 200


# -- a host to work on, and other eyes


def sh(text: str) -> str:
    done = subprocess.run(["sh", "-ec", text], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{text!r} ended with {done.returncode}: {done.stdout}")
    return done.stdout


def ip(*command: str) -> t.Any:
    shown = subprocess.run(("ip", "-json", *command), check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(shown) if shown.strip() else []


# What the kernel works out by itself, some of it a moment later, and clocks.
_MOVING = (
    "tso_max_size",
    "operstate",
    "linkmode",
    "state",
    "topology_change",
    "topology_change_detected",
    "topology_change_ack",
    "config_pending",
)
_MOVING_FLAGS = ("LOWER_UP", "NO-CARRIER", "M-DOWN", "linkdown")


def still(entry: t.Any) -> t.Any:
    """What iproute2 told, without what moves by itself."""
    if isinstance(entry, list):
        return [still(inner) for inner in entry if inner not in _MOVING_FLAGS]
    if isinstance(entry, dict):
        return {name: still(inner) for name, inner in sorted(entry.items()) if name not in _MOVING and not name.endswith("_timer")}
    return entry


def flat(name: str, entry: t.Any) -> t.Iterator[tuple[str, t.Any]]:
    if isinstance(entry, dict):
        for key, inner in entry.items():
            yield from flat(f"{name}.{key}", inner)
    else:
        yield name, entry


def told(*command: str) -> list[t.Any]:
    return [still(entry) for entry in ip(*command)]


def look() -> dict[str, t.Any]:
    """Everything that iproute2 tells of the host and of all its namespaces."""
    found: dict[str, t.Any] = {}
    names = sorted(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else []
    for netns in ("", *names):
        there = ("-n", netns) if netns else ()
        for link in told(*there, "-details", "link"):
            found.update(flat(f"{netns} link {link['ifname']}", link))
        for link in told(*there, "address"):
            for number, address in enumerate(link["addr_info"]):
                # of IPv4 addresses the order says which is the source of packets, of IPv6 ones it does not
                number = "" if address["family"] == "inet6" else number
                found[f"{netns} address {link['ifname']} {number}{address['local']}"] = json.dumps(address)
        for family in ("-4", "-6"):
            for route in told(*there, family, "route", "show", "table", "all"):
                if route.get("type") == "multicast":
                    continue  # of the kernel, from the moment when the device runs
                found[f"{netns} route {json.dumps(route)}"] = "there"
            found[f"{netns} rules {family}"] = [json.dumps(rule) for rule in told(*there, family, "rule")]
        with entered(netns):
            for path in glob.glob("/proc/sys/net/ipv[46]/conf/*/*"):
                if path.rsplit("/", 1)[1] in ("forwarding", "rp_filter", "disable_ipv6", "accept_redirects"):
                    with open(path, encoding="ascii") as file:
                        found[f"{netns} {path}"] = file.read().strip()
        if netns:
            found[f"{netns} inode"] = os.stat(f"/run/netns/{netns}").st_ino
    found["etc"] = sh("cd /etc/netns 2>/dev/null && grep -r . . || true")
    return found


def settled() -> dict[str, t.Any]:
    """As ``look``, once no address is being checked for duplicates any more."""
    deadline = time.monotonic() + 5
    while "tentative" in sh("ip -6 addr; for name in $(ls /run/netns); do ip -n $name -6 addr; done") and time.monotonic() < deadline:
        time.sleep(0.02)
    return look()


@contextlib.contextmanager
def entered(netns: str) -> t.Iterator[None]:
    fd = namespaces.open_reference(netns)
    try:
        with namespaces.entered(fd):
            yield
    finally:
        os.close(fd)


def differing(before: dict[str, t.Any], after: dict[str, t.Any]) -> str:
    names = [name for name in (*before, *(name for name in after if name not in before)) if before.get(name) != after.get(name)]
    return "\n".join(f"{name}: {before.get(name)} -> {after.get(name)}" for name in names[:40])


def assert_as_before(before: dict[str, t.Any], context: object) -> None:
    """As it was; what the kernel does a moment later is waited for."""
    deadline = time.monotonic() + 3
    while True:
        said = differing(before, look())
        if not said:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"{context}: not as it was:\n{said}")
        time.sleep(0.05)


QUIET = "for place in all default; do sysctl -q net.ipv6.conf.$place.accept_dad=0 net.ipv6.conf.$place.addr_gen_mode=1; done"


def quiet() -> None:
    """No link-local addresses of the kernel's own and no waiting for them: nothing happens that nobody asked for."""
    sh("ip link set lo up; mkdir -p /run/netns")
    sh(QUIET)


def execute(lists: Lists, state: str = "present", check_mode: bool = False) -> t.Any:
    return transaction.execute(options.read(lists, state, True), check_mode=check_mode)


def pyroute2_or_skip() -> None:
    pytest.importorskip("pyroute2", reason="vxlan and macvlan links are written by pyroute2, which is not installed")


# -- faults


def fail_message(monkeypatch: pytest.MonkeyPatch, number: int) -> list[rtnetlink.Message]:
    """The ``number``-th message of all batches fails, once; returns the list that the failed message is put into."""
    real = rtnetlink.Socket.batch
    count = 0
    failed: list[rtnetlink.Message] = []

    def batch(self: rtnetlink.Socket, messages: t.Sequence[rtnetlink.Message]) -> dict[int, rtnetlink.Failure]:
        nonlocal count
        position = number - count
        count += len(messages)
        if failed or not 0 <= position < len(messages):
            return real(self, messages)
        failed.append(messages[position])
        rest = [message for at, message in enumerate(messages) if at != position]
        failures = {at + (at >= position): failure for at, failure in (real(self, rest) if rest else {}).items()}
        return {**failures, position: rtnetlink.Failure(errno.EIO, "made to fail")}

    monkeypatch.setattr(rtnetlink.Socket, "batch", batch)
    return failed


def fail_step(monkeypatch: pytest.MonkeyPatch, number: int) -> list[object]:
    """As ``fail_message``, but a step of ``apply``: calls such as the making of a namespace fail too."""
    real = running.steps
    count = 0
    failed: list[object] = []

    def refuse() -> None:
        raise OSError(errno.EIO, "made to fail")

    def steps(change: t.Any, host: t.Any) -> t.Iterator[t.Any]:
        nonlocal count
        for step in real(change, host):
            if count == number and not failed:
                failed.append(step)
                if isinstance(step, Request):
                    # an attribute that is cut short
                    yield step._replace(message=rtnetlink.Message(rtnetlink.RTM_SETLINK, 0, b"\0" * 3))
                else:
                    yield refuse
            else:
                yield step
            count += 1

    monkeypatch.setattr(running, "steps", steps)
    return failed


FAULTS = {"message": fail_message, "step": fail_step}


def every_fault(fault: str, prepare: t.Callable[[], None], lists: Lists, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the run fail at each of its messages or steps, one after the other."""
    prepare()
    before = settled()
    for number in range(MOST_STEPS):
        with monkeypatch.context() as patched:
            failed = FAULTS[fault](patched, number)
            try:
                execute(copy.deepcopy(lists), state)
            except NetnsError as exc:
                caught: NetnsError | None = exc
            else:
                caught = None
        if not failed:
            assert caught is None, caught
            assert number >= 3, "hardly anything was done"
            return
        if caught is None:  # a message that may fail: the run succeeded
            teardown()
            prepare()
            before = settled()
            continue
        assert "made to fail" in str(caught) or "Input/output error" in str(caught) or fault == "step", caught
        assert caught.rolled_back, f"{fault} {number} ({failed}): {caught}"
        assert_as_before(before, f"{fault} {number} ({failed}): {caught}")
    raise AssertionError("the run has more steps than this test tries")


def teardown() -> None:
    """A clean host again."""
    sh(
        "for name in $(ls /run/netns); do ip netns del $name; done;"
        "for try in 1 2 3; do for dev in $(ls /proc/sys/net/ipv4/conf); do"
        "  case $dev in all|default|lo) ;; *) ip link del $dev 2>/dev/null || true;; esac; done; done;"
        "ip -4 rule flush; ip -4 rule add priority 32766 table main protocol kernel;"
        "ip -4 rule add priority 32767 table default protocol kernel;"
        "rm -rf /etc/netns"
    )


STAR: Lists = {
    "namespaces": [{"name": ["red", "blue"], "nameservers": ["192.0.2.53"]}],
    "links": [{"name": "br0", "kind": "bridge", "bridge": {"ageing_time": 10000}, "alias": "the middle"}],
    "veths": [
        {"name": "eth0", "netns": name, "up": True, "mtu": 1400, "peer": {"name": f"to-{name}", "master": "br0", "up": True}}
        for name in ("red", "blue")
    ],
    "addresses": [
        {"dev": "br0", "address": ["10.7.0.1/24", "fd07::1/64"], "nodad": True},
        {"netns": "red", "dev": "eth0", "address": ["10.7.0.2/24", "fd07::2/64"], "nodad": True},
        {"netns": "blue", "dev": "eth0", "address": ["10.7.0.3/24", "fd07::3/64"], "nodad": True},
    ],
    "routes": [
        {"netns": "red", "dest": "default", "gateway": "10.7.0.1"},
        {"netns": "red", "dest": "default", "gateway": "fd07::1"},
        {"netns": "blue", "dest": "10.9.0.0/16", "nexthops": [{"gateway": "10.7.0.1"}, {"gateway": "10.7.0.2"}]},
        {"netns": "blue", "dest": "fd09::/64", "type": "blackhole", "table": "100"},
    ],
    "rules": [{"netns": "red", "priority": 100, "from": "10.7.0.0/24", "table": "100"}],
    "sysctls": [{"netns": "red", "name": "net.ipv4.conf.eth0.rp_filter", "value": 2}, {"name": "net.ipv4.conf.all.rp_filter", "value": 1}],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_left_of_a_failed_creation(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    def inside() -> None:
        quiet()
        every_fault(fault, lambda: None, STAR, "present", monkeypatch)

    sandboxed(inside)


# Foreign things stand beside ours and hang on what is ours.
BEFORE_A_CHANGE = f"""
ip netns add red
ip netns exec red sh -c '{QUIET}'
ip -n red link set lo up
ip link add br0 type bridge ageing_time 20000 stp_state 0
ip link property add dev br0 altname linuxnet.netns.br0
ip link add br1 address 02:00:00:00:00:b1 type bridge
ip link add to-red numtxqueues 1 numrxqueues 1 mtu 1400 type veth peer eth0 netns red numtxqueues 1 numrxqueues 1
ip link property add dev to-red altname linuxnet.netns.to-red
ip -n red link property add dev eth0 altname linuxnet.netns.eth0
ip link set to-red master br0 up
bridge link set dev to-red cost 50 hairpin on
ip link set br0 up; ip link set br1 up
ip -n red link set eth0 up alias inside
ip addr add 10.7.0.1/24 dev br0; ip addr add fd07::1/64 dev br0; ip addr add 10.7.0.99/24 dev br0
ip addr add 10.8.0.1/32 peer 10.8.0.2 dev br0
ip route add 10.20.0.0/16 via 10.7.0.50 dev br0 metric 7 proto 99 mtu 1300
ip -6 route add fd20::/64 via fd07::50 dev br0 metric 5
ip -n red addr add 10.7.0.2/24 dev eth0 metric 50; ip -n red addr add fd07::2/64 dev eth0
ip -n red addr add 10.7.1.2/24 dev eth0 label eth0:x
ip -n red route add default via 10.7.0.1 metric 0
ip -n red route add default via 10.7.0.77 metric 20
ip -n red -6 route add default via fd07::1 metric 1024
ip -n red -6 route add fd30::/64 dev eth0 metric 1024
ip -n red route add 10.30.0.0/16 nexthop via 10.7.0.1 nexthop via 10.7.0.77 weight 3
ip -n red -6 route add fd40::/64 nexthop via fd07::1 nexthop via fd07::77
ip -n red route add blackhole 10.40.0.0/16
ip -n red rule add priority 100 from 10.7.0.0/24 lookup 100
ip -n red rule add priority 200 fwmark 0x10/0xff blackhole
ip netns exec red sysctl -q net.ipv4.conf.eth0.rp_filter=1
"""
CHANGE: Lists = {
    "links": [{"name": "br0", "kind": "bridge", "bridge": {"ageing_time": 30000}, "mac_address": "02:00:00:00:00:77", "alias": "new"}],
    "veths": [
        {
            "name": "eth0", "netns": "red", "up": True, "mtu": 1300, "mac_address": "02:00:00:00:00:01", "alias": "",
            "peer": {"name": "to-red", "master": "br1", "txqueuelen": 77, "mtu": 1300},
        }
    ],
    "addresses": [
        {"netns": "red", "dev": "eth0", "address": ["10.7.0.2/24"], "label": "eth0:y", "exclusive": True},
        {"netns": "red", "dev": "eth0", "address": ["fd07::2/80"]},
    ],
    "routes": [
        {"netns": "red", "dest": "default", "gateway": "10.7.0.78", "mtu": 1000},
        {"netns": "red", "dest": "default", "dev": "eth0", "family": "ipv6"},
        {"netns": "red", "dest": "fd30::/64", "gateway": "fd07::9"},
        {"netns": "red", "dest": "10.30.0.0/16", "gateway": "10.7.0.1"},
        {"netns": "red", "dest": "fd40::/64", "type": "blackhole"},
        {"netns": "red", "dest": "10.40.0.0/16", "nexthops": [{"gateway": "10.7.0.1", "weight": 2}, {"gateway": "10.7.0.3"}]},
    ],
    "rules": [
        {"netns": "red", "priority": 100, "from": "10.7.0.0/24", "table": "200"},
        {"netns": "red", "priority": 200, "fwmark": "0x10", "fwmask": "0xff", "type": "prohibit"},
    ],
    "sysctls": [{"netns": "red", "name": "net.ipv4.conf.eth0.rp_filter", "value": 2}, {"name": "net.ipv4.ip_forward", "value": 1}],
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_change_leaves_all_as_it_was(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    def inside() -> None:
        quiet()
        every_fault(fault, lambda: print(sh(BEFORE_A_CHANGE)), CHANGE, "present", monkeypatch)

    sandboxed(inside)


RECREATION: Lists = {
    "veths": [{"name": "eth0", "netns": "red", "num_tx_queues": 2, "up": True, "peer": {"name": "to-red", "up": True, "master": "br0"}}],
    "links": [{"name": "br1", "kind": "ifb", "force": True}],
    "addresses": [{"netns": "red", "dev": "eth0", "address": ["10.7.0.5/24", "fd07::5/64"]}],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_recreation_puts_the_old_device_back(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    def inside() -> None:
        quiet()
        every_fault(fault, lambda: print(sh(BEFORE_A_CHANGE)), RECREATION, "present", monkeypatch)

    sandboxed(inside)


BLUE = f"""
ip netns add blue
ip netns exec blue sh -c '{QUIET}'
ip -n blue link add stays type bridge
ip -n blue link set stays up
"""
ABSENCE: Lists = {
    "veths": [{"name": "to-red"}],
    "links": [{"name": "br0", "kind": "bridge"}],
    "addresses": [{"dev": "br0", "address": ["10.7.0.1/24"]}],
    "routes": [{"netns": "red", "dest": "default", "gateway": "10.7.0.1"}, {"netns": "red", "dest": "fd40::/64"}],
    "rules": [{"netns": "red", "priority": 100}, {"netns": "red", "priority": 200, "fwmark": "0x10", "fwmask": "0xff"}],
    "namespaces": [{"name": "blue"}],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_removal_puts_everything_back(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    def inside() -> None:
        quiet()
        every_fault(
            fault,
            lambda: print(sh(BEFORE_A_CHANGE + BLUE)),
            ABSENCE,
            "absent",
            monkeypatch,
        )

    sandboxed(inside)


def test_a_failed_verification_brings_a_namespace_back_with_all_that_is_in_it(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def inside() -> None:
        quiet()
        sh(BEFORE_A_CHANGE + BLUE + "mkdir -p /etc/netns/blue; echo nameserver 192.0.2.1 > /etc/netns/blue/resolv.conf")
        before = settled()

        def refuse(*_arguments: object) -> None:
            raise KernelError("made to fail")

        with monkeypatch.context() as patched:
            patched.setattr(making, "verified", refuse)
            with pytest.raises(KernelError) as caught:
                execute({"namespaces": [{"name": ["red", "blue"]}]}, "absent")
        assert caught.value.rolled_back
        assert [(change["action"], change["name"]) for change in caught.value.changes] == [("delete", "red"), ("delete", "blue")]
        assert_as_before(before, caught.value)
        assert execute({"namespaces": [{"name": ["red", "blue"]}]}, "absent").changed
        assert os.listdir("/run/netns") == []

    sandboxed(inside)


@pytest.mark.parametrize(("address", "up_when_read"), [("192.0.2.1/24", [False, True]), ("2001:db8::1/64", [True])])
@pytest.mark.parametrize("asked", [{"up": True}, {}])
def test_a_bridge_goes_up_when_all_else_has_been_read(
    sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch, asked: dict[str, t.Any], address: str, up_when_read: list[bool]
) -> None:
    """Its ports then flood each other; but who asks for duplicates of an address (IPv6) must reach those behind the bridge."""

    def inside() -> None:
        seen: list[bool] = []
        read = making.verified

        def verified(*arguments: t.Any) -> t.Any:
            seen.append("UP" in ip("link", "show", "br0")[0]["flags"])
            return read(*arguments)

        lab = {
            "links": [{"name": "br0", "kind": "bridge", **asked}],
            "veths": [{"name": "v0", "up": True, "peer": {"name": "v1", "master": "br0", "up": True}}],
            "addresses": [{"dev": "v0", "address": [address]}, {"dev": "br0", "address": ["198.51.100.1/24"]}],
            "routes": [{"dest": ["203.0.113.0/24"], "gateway": "198.51.100.2"}, {"dest": ["10.1.0.0/16"], "type": "blackhole"}],
        }
        with monkeypatch.context() as patched:
            patched.setattr(making, "verified", verified)
            execute(lab)
        assert seen == up_when_read
        assert not execute(lab).changed

    sandboxed(inside)


# -- the same ways forward


def test_a_change_is_done_as_announced_and_only_once(sandboxed: Sandbox) -> None:
    def inside() -> None:
        quiet()
        sh(BEFORE_A_CHANGE)
        announced = execute(CHANGE, check_mode=True)
        done = execute(CHANGE)
        assert done.changes == announced.changes
        assert len(done.changes) >= 15
        for again in (execute(CHANGE, check_mode=True), execute(CHANGE)):
            assert again.changes == []
        shown = {address["local"]: address for address in ip("-n", "red", "address", "show", "dev", "eth0")[0]["addr_info"]}
        assert {*shown} == {"10.7.0.2", "fd07::2"}, "exclusive removes what is not listed, of the family that is"
        assert (shown["10.7.0.2"]["label"], shown["10.7.0.2"]["metric"]) == ("eth0:y", 50)
        routes = {(route["dst"], route.get("metric", 0)): route for route in ip("-n", "red", "route")}
        assert routes["default", 20]["gateway"] == "10.7.0.77", "the other default route is not touched"
        assert (routes["default", 0]["gateway"], routes["default", 0]["metrics"]) == ("10.7.0.78", [{"mtu": 1000}])

    sandboxed(inside)


def test_what_hangs_on_a_device_that_is_re_created_stays(sandboxed: Sandbox) -> None:
    def inside() -> None:
        quiet()
        sh(BEFORE_A_CHANGE)
        announced = execute(RECREATION, check_mode=True)
        done = execute(RECREATION)
        assert done.changes == announced.changes
        assert execute(RECREATION).changes == []
        assert len(ip("-n", "red", "-6", "route", "show", "fd40::/64")[0]["nexthops"]) == 2
        assert ip("-n", "red", "route", "show", "default")[0]["gateway"] == "10.7.0.1"
        assert {"10.7.0.2", "10.7.1.2", "10.7.0.5", "fd07::2", "fd07::5"} == {
            address["local"] for address in ip("-n", "red", "address", "show", "dev", "eth0")[0]["addr_info"]
        }

    sandboxed(inside)


def test_what_stands_on_a_device_that_is_re_created_is_made_again(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """macvlan goes with its parent: one that is listed comes back, one that is not listed is an obstacle."""
    pyroute2_or_skip()
    lists: Lists = {
        "veths": [{"name": "v0", "up": True, "num_tx_queues": 3, "force": True, "peer": {"name": "v1", "up": True}}],
        "links": [{"name": "mac0", "kind": "macvlan", "parent": "v0", "macvlan": {"mode": "bridge"}}],
        "addresses": [{"dev": "mac0", "address": ["10.8.0.1/24"]}],
        "routes": [{"dest": "10.9.0.0/16", "gateway": "10.8.0.9"}],
    }
    standing = """
        ip link add v0 type veth peer v1; ip link set v0 up; ip link set v1 up
        ip link add mac0 link v0 type macvlan mode bridge; ip link set mac0 up; ip addr add 10.8.0.1/24 dev mac0
        ip addr add 10.8.0.2/24 dev mac0; ip route add 10.9.0.0/16 via 10.8.0.9; ip route add 10.10.0.0/16 via 10.8.0.8
        ip link add vx0 type vxlan id 5 dev v1 dstport 4789 local 10.0.0.1; ip link set vx0 up mtu 1300
    """

    def inside() -> None:
        quiet()
        every_fault("message", lambda: print(sh(standing.replace("dev v1", ""))), lists, "present", monkeypatch)
        assert execute(lists).changes == []
        assert {"10.8.0.1", "10.8.0.2"} == {address["local"] for address in ip("-4", "address", "show", "dev", "mac0")[0]["addr_info"]}
        assert ip("route", "show", "10.10.0.0/16")
        teardown()
        sh(standing)
        before = settled()
        with pytest.raises(StateError) as caught:
            execute(lists)
        assert str(caught.value) == "link vx0 on the host stands on v1, which has to be re-created: list it too, or remove it first"
        assert_as_before(before, caught.value)

    sandboxed(inside)


def test_a_removed_parent_comes_back_with_what_stood_on_it(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    pyroute2_or_skip()
    standing = """
        ip link add v0 type veth peer v1; ip link set v0 up; ip link set v1 up; ip addr add 10.6.0.1/24 dev v1
        ip link add mac0 link v0 address 02:00:00:00:00:aa type macvlan mode vepa; ip link set mac0 up; ip addr add 10.8.0.1/24 dev mac0
        ip link add vx0 address 02:00:00:00:00:bb type vxlan id 5 dev v1 dstport 4789 remote 10.6.0.2 ttl 9 nolearning
        ip link add br0 address 02:00:00:00:00:cc type bridge; ip link set vx0 master br0 up
        ip tuntap add tap0 mode tap user 1; ip link set tap0 up alias mine
    """
    lists: Lists = {
        "veths": [{"name": "v0"}],
        "links": [{"name": "br0", "kind": "bridge"}, {"name": "tap0", "kind": "tap"}],
        "routes": [{"dest": "192.0.2.0/24"}],
    }

    def inside() -> None:
        quiet()
        if not os.path.exists("/dev/net/tun"):
            pytest.skip("there is no /dev/net/tun here")
        every_fault("step", lambda: print(sh(standing)), lists, "absent", monkeypatch)
        assert [link["ifname"] for link in ip("link")] == ["lo"]

    sandboxed(inside)


def test_a_removed_pair_comes_back_whose_other_end_is_in_a_namespace_that_nobody_named(
    sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists: Lists = {"veths": [{"name": "to-red"}], "rules": [{"priority": 7, "table": "7"}], "routes": [{"dest": "10.20.0.0/16"}]}

    def inside() -> None:
        quiet()
        sh("for i in 1 2 3; do ip netns add other$i; done")
        every_fault("message", lambda: print(sh(BEFORE_A_CHANGE + "ip rule add priority 7 table 7")), lists, "absent", monkeypatch)
        teardown()
        sh(BEFORE_A_CHANGE)
        change = execute(lists, "absent").changes[-1]
        assert (change["action"], change["name"]) == ("delete", "to-red")
        assert (change["before"]["peer"]["netns"], change["before"]["peer"]["name"]) == ("red", "eth0")

    sandboxed(inside)


def test_what_a_kind_had_not_it_has_not_again(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    pyroute2_or_skip()
    standing = """
        ip link add v0 type veth peer v1; ip addr add 10.6.0.1/24 dev v0; ip link set v0 up
        ip link add mac0 link v0 type macvlan mode private
        ip link add vx0 type vxlan id 5 dev v0 dstport 4789 local 10.6.0.1
        ip link add vx6 type vxlan id 6 dev v0 dstport 4790 local fd06::1
    """
    lists: Lists = {
        "links": [
            {"name": "vx0", "kind": "vxlan", "vxlan": {"id": 5, "remote": "10.6.0.2", "ttl": 7}},
            {"name": "vx6", "kind": "vxlan", "vxlan": {"id": 6, "remote": "fd06::2"}, "force": True},
            {"name": "mac0", "kind": "macvlan", "parent": "v0", "macvlan": {"mode": "bridge"}},
        ],
        "rules": [{"priority": 7, "table": "7"}],
    }

    def inside() -> None:
        quiet()
        every_fault("message", lambda: print(sh(standing)), lists, "present", monkeypatch)
        assert execute(lists).changes == []

    sandboxed(inside)


def test_a_bridge_that_goes_sets_its_ports_free_and_has_them_back_when_it_comes_back(
    sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def inside() -> None:
        quiet()
        more = "for i in 1 2 3; do ip link add br1$i address 02:00:00:00:00:0$i type bridge; done"
        links = [{"name": name, "kind": "bridge"} for name in ("br11", "br0", "br12", "br1", "br13")]
        every_fault("step", lambda: print(sh(BEFORE_A_CHANGE + more)), {"links": links}, "absent", monkeypatch)

    sandboxed(inside)


def test_a_device_that_moves_comes_back_as_it_was(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Moved away it loses addresses, routes, bridge and being up; of any kind, since it was there before."""
    standing = f"""
        ip netns add red; ip netns exec red sh -c '{QUIET}'
        ip link add br0 address 02:00:00:00:00:cc type bridge; ip link set br0 up
        ip link add v0 type veth peer v1; ip link set v1 up
        ip link set v0 up alias uplink master br0; bridge link set dev v0 cost 9
        ip link add w0 type veth peer w1; ip link set w1 up; ip link set w0 up
        ip addr add 10.8.0.1/24 dev w0; ip addr add fd08::1/64 dev w0; ip route add 10.9.0.0/16 via 10.8.0.9
        sysctl -q net.ipv4.conf.w0.rp_filter=2
    """
    lists: Lists = {
        "links": [{"name": name, "netns": "red", "up": True, "mtu": 1400} for name in ("v0", "w0")],
        "addresses": [{"netns": "red", "dev": "w0", "address": ["10.8.0.1/24"]}],
        "rules": [{"netns": "red", "priority": 7, "table": "7"}],
    }

    def inside() -> None:
        quiet()
        every_fault("message", lambda: print(sh(standing)), lists, "present", monkeypatch)
        assert execute(lists).changes == []
        assert {"lo", "v0", "w0"} == {link["ifname"] for link in ip("-n", "red", "link")}

    sandboxed(inside)


def test_a_switch_for_all_devices_gives_each_its_own_back(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    standing = """
        ip link add br0 type bridge; ip link add br1 type bridge; ip link set br0 up
        ip addr add fd01::1/64 dev br0 nodad; ip addr add 10.0.0.1/8 dev br0
        ip -6 route add fd02::/64 via fd01::2 metric 5
        sysctl -q net.ipv4.conf.br0.forwarding=1 net.ipv6.conf.br1.disable_ipv6=1
    """
    names = ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding", "net.ipv6.conf.all.disable_ipv6", "net.ipv4.conf.all.rp_filter",
             "net.ipv4.conf.br0.rp_filter", "net.ipv4.conf.br1.rp_filter")  # fmt: skip

    def inside() -> None:
        quiet()
        every_fault(
            "step", lambda: print(sh(standing)), {"sysctls": [{"name": name, "value": 1} for name in names]}, "present", monkeypatch
        )

    sandboxed(inside)


def test_an_address_that_goes_takes_no_other_with_it(sandboxed: Sandbox) -> None:
    """The kernel removes the secondary addresses of a subnet with its first one, unless it is told to promote them."""

    def inside() -> None:
        quiet()
        sh(
            "ip link add br0 type bridge; ip link set br0 up;"
            "sysctl -q net.ipv4.conf.all.promote_secondaries=0 net.ipv4.conf.br0.promote_secondaries=0"
        )
        sh("for last in 1 2 3; do ip addr add 10.0.0.$last/24 dev br0; done")
        assert execute({"addresses": [{"dev": "br0", "address": ["10.0.0.1/24"]}]}, "absent").changed
        lists: Lists = {"addresses": [{"dev": "br0", "address": ["10.0.0.3/24", "10.0.0.4/24"], "exclusive": True}]}
        assert execute(lists).changed
        assert [address["local"] for address in ip("-4", "address", "show", "dev", "br0")[0]["addr_info"]] == ["10.0.0.3", "10.0.0.4"]
        assert sh("cat /proc/sys/net/ipv4/conf/br0/promote_secondaries") == "0\n"

    sandboxed(inside)


def test_the_only_address_changes_its_label_and_the_routes_stay(sandboxed: Sandbox) -> None:
    """With its last IPv4 address a device loses its IPv4 routes, those that nobody asked for too."""

    def inside() -> None:
        quiet()
        sh("ip link add br0 type bridge; ip link set br0 up; ip addr add 10.0.0.1/24 dev br0; ip route add 10.9.0.0/16 via 10.0.0.9")
        lists: Lists = {
            "addresses": [{"dev": "br0", "address": "10.0.0.1/24", "label": "br0:1"}],
            "routes": [{"dest": "default", "gateway": "10.0.0.254"}],
        }
        announced = execute(lists, check_mode=True)
        assert execute(lists).changes == announced.changes
        assert execute(lists).changes == []
        assert {"default", "10.9.0.0/16", "10.0.0.0/24"} == {route["dst"] for route in ip("-4", "route")}

    sandboxed(inside)


def test_what_an_update_does_not_name_is_left_alone(sandboxed: Sandbox) -> None:
    def inside() -> None:
        quiet()
        sh(
            "ip link add br0 type bridge; ip link set br0 up;"
            "ip addr add 10.0.0.1/24 dev br0 metric 77 noprefixroute;"
            "ip addr add fd00::1/64 dev br0 metric 78 nodad valid_lft 5000 preferred_lft 4000;"
            "ip route add 10.0.0.0/24 dev br0; ip route add 10.9.0.0/16 via 10.0.0.9 mtu 1234 advmss 1000"
        )
        lists: Lists = {
            "addresses": [
                {"dev": "br0", "address": ["10.0.0.1/24"], "valid_lft": "3000"},
                {"dev": "br0", "address": "fd00::1/64", "metric": 79},
            ],
            "routes": [{"dest": "10.9.0.0/16", "gateway": "10.0.0.8"}],
        }
        assert execute(lists).changed
        assert execute(lists).changes == []
        four, six = (address for address in ip("address", "show", "dev", "br0")[0]["addr_info"] if address["scope"] == "global")
        assert (four["metric"], four["noprefixroute"]) == (77, True)
        assert 2990 <= four["valid_life_time"] <= 3000
        assert (six["metric"], six["nodad"], six["valid_life_time"] > 4900, six["preferred_life_time"] > 3900) == (79, True, True, True)
        (route,) = ip("route", "show", "10.9.0.0/16")
        assert (route["gateway"], route["metrics"]) == ("10.0.0.8", [{"mtu": 1234, "advmss": 1000}])

    sandboxed(inside)


def test_a_device_that_is_taken_down_keeps_the_addresses_that_are_asked_for(sandboxed: Sandbox) -> None:
    """The kernel takes IPv6 addresses away with up."""

    def inside() -> None:
        quiet()
        sh("ip link add br0 type bridge; ip link set br0 up; ip addr add fd00::1/64 dev br0 nodad; ip addr add 10.0.0.1/24 dev br0")
        lists: Lists = {
            "links": [{"name": "br0", "kind": "bridge", "up": False}],
            "addresses": [{"dev": "br0", "address": ["fd00::1/64", "10.0.0.1/24"]}],
        }
        announced = execute(lists, check_mode=True)
        assert execute(lists).changes == announced.changes
        assert execute(lists).changes == []

    sandboxed(inside)


# From each way to each other, with one destination and one metric.
WAYS: dict[str, dict[str, t.Any]] = {
    "gateway": {"gateway": "GW1"},
    "other gateway": {"gateway": "GW2"},
    "device": {"dev": "br0"},
    "other device": {"dev": "br1"},
    "blackhole": {"type": "blackhole"},
    "unreachable": {"type": "unreachable"},
    "multipath": {"nexthops": [{"gateway": "GW1"}, {"gateway": "GW2", "weight": 3}]},
    "other multipath": {"nexthops": [{"gateway": "GW2"}, {"gateway": "GW3"}]},
}


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_a_route_is_replaced_by_any_other(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch, family: str) -> None:
    prefix = "10.0.0." if family == "ipv4" else "fd00::"

    def route(way: str) -> dict[str, t.Any]:
        text = json.dumps(WAYS[way])
        for number in (1, 2, 3):
            text = text.replace(f"GW{number}", f"{prefix}10{number}")
        return {"dest": "10.9.0.0/16" if family == "ipv4" else "fd09::/64", "metric": 50, **json.loads(text)}

    def inside() -> None:
        quiet()
        sh(
            "ip link add br0 type bridge; ip link set br0 up; ip link add br1 type bridge; ip link set br1 up;"
            "ip addr add 10.0.0.1/24 dev br0; ip addr add fd00::1/64 dev br0 nodad"
        )
        other = "-4 route add 10.9.0.0/16 via 10.0.0.99 metric 51" if family == "ipv4" else "-6 route add fd09::/64 via fd00::99 metric 51"
        sh(f"ip {other}")
        for one in WAYS:
            assert execute({"routes": [route(one)]}).changed
            for another in WAYS:
                if one == another:
                    continue
                before = look()
                with monkeypatch.context() as patched:
                    patched.setattr(making, "verified", refuse_all)
                    with pytest.raises(KernelError) as caught:
                        execute({"routes": [route(another)]})
                assert caught.value.rolled_back, (one, another, caught.value)
                assert_as_before(before, (one, another))
                assert execute({"routes": [route(another)]}).changed
                assert execute({"routes": [route(another)]}).changes == [], (one, another)
                shown = ip("-4" if family == "ipv4" else "-6", "route", "show", route(one)["dest"], "table", "all")
                assert len(shown) == 2, (one, another, shown)
                assert execute({"routes": [route(one)]}).changed, (another, one)
            assert execute({"routes": [route(one)]}, "absent").changed
            assert execute({"routes": [route(one)]}, "absent").changes == []

    sandboxed(inside)


def refuse_all(*_arguments: object) -> t.NoReturn:
    raise KernelError("made to fail")


def test_of_several_routes_the_one_that_is_meant_goes(sandboxed: Sandbox) -> None:
    def inside() -> None:
        quiet()
        sh("ip link add br0 type bridge; ip link set br0 up; ip addr add 10.0.0.1/24 dev br0; ip addr add fd00::1/64 dev br0 nodad")
        for metric in (0, 10, 20):
            sh(f"ip route add 10.9.0.0/16 via 10.0.0.9 metric {metric}; ip -6 route add fd09::/64 via fd00::9 metric {metric or 1024}")
        execute({"routes": [{"dest": "10.9.0.0/16", "metric": 10}, {"dest": "fd09::/64", "metric": 10}]}, "absent")
        assert [route.get("metric", 0) for route in ip("-4", "route", "show", "10.9.0.0/16")] == [0, 20]
        assert [route["metric"] for route in ip("-6", "route", "show", "fd09::/64")] == [20, 1024]
        execute({"routes": [{"dest": "10.9.0.0/16", "metric": 0}, {"dest": "fd09::/64", "metric": 0}]}, "absent")
        assert [route.get("metric", 0) for route in ip("-4", "route", "show", "10.9.0.0/16")] == [20]
        assert [route["metric"] for route in ip("-6", "route", "show", "fd09::/64")] == [20]

    sandboxed(inside)


# -- what else goes wrong


def test_a_wish_that_the_kernel_refuses(sandboxed: Sandbox) -> None:
    def inside() -> None:
        quiet()
        before = settled()
        lists = copy.deepcopy(STAR)
        lists["routes"].append({"netns": "red", "dest": "10.99.0.0/16", "gateway": "10.7.0.1", "src": "10.200.0.1"})
        with pytest.raises(KernelError) as caught:
            execute(lists)
        assert str(caught.value) == (
            "cannot create route 10.99.0.0/16 in namespace 'red': Invalid argument (EINVAL): Invalid prefsrc address: "
            "add the address 10.200.0.1 to a device there first, or correct src"
        )
        assert caught.value.errno == errno.EINVAL
        assert caught.value.rolled_back
        done = caught.value.changes
        assert [(change["action"], change["name"]) for change in done[:2]] == [("create", "red"), ("create", "blue")]
        announced = execute(lists, check_mode=True).changes
        assert [change for change in announced if change in done] == done, "each is told once, in the order of the plan"
        assert_as_before(before, caught.value)

    sandboxed(inside)


APPEARING = {
    "link": ("ip link add br0 type bridge; ip link set br0 alias foreign", "cannot create link br0 on the host: File exists (EEXIST)"),
    "veth": ("ip link add to-red type bridge", "cannot create veth eth0 in namespace 'red': File exists (EEXIST)"),
    "namespace": ("ip netns add red", "namespace 'red' exists already: choose another name or remove it first"),
    "address": (
        "ip link add br9 type bridge; ip addr add 10.9.0.1/24 dev br8",
        "cannot create address 10.9.0.1/24 dev br8 on the host: File exists (EEXIST)",
    ),
    "route": ("ip route add 10.10.0.0/16 dev br8", "cannot create route 10.10.0.0/16 on the host: File exists (EEXIST)"),
    "rule": ("ip rule add priority 77 table 100 protocol 110", "cannot create rule ipv4 77: from all on the host: File exists (EEXIST)"),
}


@pytest.mark.parametrize("kind", APPEARING)
def test_what_appears_meanwhile_is_not_ours_to_remove(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    command, sentence = APPEARING[kind]

    def inside() -> None:
        quiet()
        sh("ip link add br8 type bridge; ip link set br8 up")
        lists = copy.deepcopy(STAR)
        lists["addresses"].append({"dev": "br8", "address": "10.9.0.1/24"})
        lists["routes"].append({"dest": "10.10.0.0/16", "dev": "br8"})
        lists["rules"].append({"priority": 77, "table": "100"})
        real = transaction.plan
        seen: list[dict[str, t.Any]] = []

        def plan(*arguments: t.Any) -> t.Any:
            changes = real(*arguments)
            if not seen:
                sh(command)
                seen.append(settled())
            return changes

        monkeypatch.setattr(transaction, "plan", plan)
        with pytest.raises(NetnsError) as caught:
            execute(lists)
        assert str(caught.value).startswith(sentence)
        assert caught.value.rolled_back
        assert_as_before(seen[0], caught.value)

    sandboxed(inside)


@pytest.mark.parametrize("number", range(8))
def test_an_interruption_is_a_failure(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A signal comes right after the kernel has done a batch, and again while it is undone."""

    def inside() -> None:
        quiet()
        before = settled()
        real = rtnetlink.Socket.batch
        calls = 0

        def batch(self: rtnetlink.Socket, messages: t.Sequence[rtnetlink.Message]) -> dict[int, rtnetlink.Failure]:
            nonlocal calls
            failures = real(self, messages)
            if calls in (number, number + 1):
                os.kill(os.getpid(), stop)
            calls += 1
            return failures

        stop = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[number % 3]
        monkeypatch.setattr(rtnetlink.Socket, "batch", batch)
        with pytest.raises(NetnsError, match=f"stopped by {stop.name}") as caught:
            execute(STAR)
        assert caught.value.rolled_back
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        assert calls > number
        assert_as_before(before, f"interrupted at {number}")

    sandboxed(inside)


def test_what_the_kernel_takes_and_does_not_do_is_an_error(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def inside() -> None:
        quiet()
        sh("ip link add br0 type bridge")
        before = settled()
        real = rtnetlink.Socket.batch

        def batch(self: rtnetlink.Socket, messages: t.Sequence[rtnetlink.Message]) -> dict[int, rtnetlink.Failure]:
            return real(self, [message for message in messages if message.type != rtnetlink.RTM_NEWADDR])

        monkeypatch.setattr(rtnetlink.Socket, "batch", lambda self, messages: batch(self, messages) if len(messages) > 1 else {})
        with pytest.raises(KernelError) as caught:
            execute({"addresses": [{"dev": "br0", "address": ["10.0.0.1/24", "10.0.1.1/24"]}]})
        assert str(caught.value).startswith("the kernel accepted but did not create address 10.0.0.1/24 dev br0 on the host (not there)")
        assert caught.value.rolled_back
        assert_as_before(before, caught.value)

    sandboxed(inside)


# -- duplicate address detection


PAIR: Lists = {
    "namespaces": [{"name": ["red", "blue"]}],
    "links": [{"name": "br0", "kind": "bridge"}],
    "veths": [
        {"name": "eth0", "netns": name, "up": True, "peer": {"name": f"to-{name}", "master": "br0", "up": True}} for name in ("red", "blue")
    ],
    "addresses": [{"netns": "red", "dev": "eth0", "address": ["fd07::2/64"]}],
}


def test_an_address_is_ready_when_the_run_ends_and_two_of_it_are_refused(sandboxed: Sandbox) -> None:
    def inside() -> None:
        sh("ip link set lo up")
        execute(PAIR)
        (address,) = [entry for entry in ip("-n", "red", "address", "show", "dev", "eth0")[0]["addr_info"] if entry["local"] == "fd07::2"]
        assert "tentative" not in address
        before = settled()
        with pytest.raises(StateError) as caught:
            execute({"addresses": [{"netns": "blue", "dev": "eth0", "address": ["fd07::2/64"]}]})
        assert str(caught.value) == (
            "address fd07::2/64 dev eth0 in namespace 'blue' is in use by a neighbour: "
            "duplicate address detection failed, choose another address"
        )
        assert caught.value.rolled_back
        assert_as_before(before, caught.value)

    sandboxed(inside)


def test_waiting_for_an_address_ends(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def inside() -> None:
        sh(
            "ip link set lo up; sysctl -q net.ipv6.conf.default.dad_transmits=20;"
            "ip link add v0 type veth peer v1; ip link set v0 up; ip link set v1 up"
        )
        monkeypatch.setattr(waiting, "_DAD_TIMEOUT", 0.2)
        lists: Lists = {"addresses": [{"dev": "v0", "address": ["fd07::2/64"]}]}
        with pytest.raises(StateError) as caught:
            execute(lists)
        assert str(caught.value) == (
            "address fd07::2/64 dev v0 on the host is still tentative after 0 seconds: set wait_for_dad: false not to wait"
        )
        lists["addresses"][0]["wait_for_dad"] = False
        began = time.monotonic()
        assert execute(lists).changed
        assert time.monotonic() - began < 1
        assert ip("-6", "address", "show", "dev", "v0", "tentative")

    sandboxed(inside)


# -- one run at a time


def test_a_second_run_waits_for_the_first(sandboxed: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def inside() -> None:
        quiet()
        execute({})
        assert stat.S_IMODE(os.stat("/run/linuxnet-netns").st_mode) == 0o700
        assert stat.S_IMODE(os.stat("/run/linuxnet-netns/lock").st_mode) == 0o600
        with open("/run/linuxnet-netns/lock", "w", encoding="ascii") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            released: list[float] = []

            def release() -> None:
                released.append(time.monotonic())
                fcntl.flock(held, fcntl.LOCK_UN)

            timer = threading.Timer(0.3, release)
            timer.start()
            assert execute({"namespaces": [{"name": "red"}]}).changed
            assert released
            assert time.monotonic() >= released[0]
            timer.join()
            fcntl.flock(held, fcntl.LOCK_EX)
            monkeypatch.setattr(store, "_LOCK_TIMEOUT", 0.1)
            with pytest.raises(StateError) as caught:
                execute({"namespaces": [{"name": "red"}]})
            assert str(caught.value) == (
                "another run of linuxnet.netns has held /run/linuxnet-netns/lock for 0 seconds: wait for its end and try again"
            )
            assert execute({"namespaces": [{"name": "blue"}]}, check_mode=True).changed, "who only looks does not wait"

    sandboxed(inside)


UNSAFE = {
    "a link": "mkdir /run/elsewhere; ln -s /run/elsewhere /run/linuxnet-netns",
    "writable by a group": "mkdir -m 770 /run/linuxnet-netns; chmod 770 /run/linuxnet-netns",
    "of somebody else": "mkdir -m 700 /run/linuxnet-netns; chown 1 /run/linuxnet-netns",
    "a file": "touch /run/linuxnet-netns",
}


@pytest.mark.parametrize("what", UNSAFE)
def test_a_state_directory_that_others_can_reach_is_refused(sandboxed: Sandbox, what: str) -> None:
    def inside() -> None:
        sh(UNSAFE[what])
        with pytest.raises(StateError) as caught:
            execute({"namespaces": [{"name": "red"}]})
        assert str(caught.value) == "/run/linuxnet-netns is not a directory of root's that only root can write to: remove it"
        assert not os.path.exists("/run/netns/red")
        assert not os.path.exists("/run/elsewhere/lock")

    sandboxed(inside)


def test_a_lock_that_is_a_link_is_refused(sandboxed: Sandbox) -> None:
    def inside() -> None:
        sh("mkdir -m 700 /run/linuxnet-netns; ln -s /run/precious /run/linuxnet-netns/lock")
        with pytest.raises(StateError) as caught:
            execute({"namespaces": [{"name": "red"}]})
        assert str(caught.value).startswith("/run/linuxnet-netns/lock cannot be opened: Too many levels of symbolic links")
        assert not os.path.exists("/run/precious")

    sandboxed(inside)
