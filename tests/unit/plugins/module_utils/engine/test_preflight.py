# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a look ahead finds: in trees of files that stand for hosts, and on the real kernel."""

from __future__ import annotations

import ipaddress
import os
import pathlib
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils import _argspec_preflight
from ansible_collections.linuxnet.netns.plugins.module_utils._engine import (
    preflight,
    preflight_files,
    preflight_host,
    preflight_kernel,
    preflight_managers,
    preflight_wish,
    programs,
)
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError, StateError
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.preflight_files import DropIns, Tree
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.preflight_wish import Finding, Wish
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.resources import Link

from .conftest import run

DEVICES = {"interface": "br-lab", "links": ("web-eth0",)}
NONE = DropIns()
LAB = (ipaddress.ip_network("10.77.0.0/24"), ipaddress.ip_network("fd77::/64"))


class Host:
    """A directory that stands for a host's root."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.write("proc/self/ns/net", "")
        self._number = 10

    def __str__(self) -> str:
        return str(self.root)

    def write(self, path: str, text: str) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def process(self, name: str, elsewhere: bool = False) -> None:
        self._number += 1
        self.write(f"proc/{self._number}/comm", f"{name}\n")
        own = self.root / f"proc/{self._number}/ns/net"
        own.parent.mkdir()
        if elsewhere:
            own.write_text("", encoding="utf-8")
        else:
            os.link(self.root / "proc/self/ns/net", own)


@pytest.fixture
def host(tmp_path: pathlib.Path) -> Host:
    return Host(tmp_path)


class Facts:
    """What is asked of the kernel."""

    def __init__(self, *links: Link) -> None:
        self._links = {link.ifname: link for link in links}

    def link(self, _netns: str, name: str) -> Link | None:
        return self._links.get(name)


def managers(host: Host, wish: Wish, uplink: str = "", drop_ins: DropIns = NONE) -> list[Finding]:
    return preflight_managers.touching(wish, uplink, Tree(str(host), drop_ins))


def ids(findings: t.Iterable[Finding]) -> list[str]:
    return [f"{finding.id} {finding.level}" for finding in findings]


# --- the words


def test_the_choices_of_ignore_are_sorted_and_all_findings_have_one() -> None:
    assert list(preflight_wish.IDS) == sorted(preflight_wish.IDS)
    assert _argspec_preflight.PREFLIGHT["ignore"]["choices"] == list(preflight_wish.IDS)
    engine = pathlib.Path(preflight.__file__).parent
    text = "".join(path.read_text(encoding="utf-8") for path in engine.glob("preflight_*.py") if path.name != "preflight_wish.py")
    assert [name for name in preflight_wish.IDS if f'"{name}"' not in text] == []


def test_a_finding_is_one_sentence() -> None:
    assert str(Finding("x", "error", "this is so", "it hurts", "do that")) == "this is so: it hurts; do that"


# --- the uplink


@pytest.mark.parametrize(
    ("files", "kind", "expected"),
    [
        ({"type": "1"}, None, []),
        ({"type": "1", "wireless/x": ""}, None, ["uplink_wireless error"]),
        ({"type": "1", "phy80211/x": ""}, None, ["uplink_wireless error"]),
        ({"type": "512"}, "ppp", ["uplink_not_ethernet error"]),
        ({"type": "1"}, "bridge", ["uplink_is_bridge error"]),
        ({"type": "1", "device/vendor": "", "../../dmi/id/sys_vendor": "Amazon EC2\n"}, None, ["uplink_cloud warning"]),
        ({"type": "1", "device/vendor": "", "../../dmi/id/sys_vendor": "VMware, Inc.\n"}, None, ["uplink_cloud warning"]),
        ({"type": "1", "device/vendor": "", "../../dmi/id/product_name": "OpenStack Nova\n"}, None, ["uplink_cloud warning"]),
        ({"type": "1", "device/vendor": "", "../../dmi/id/sys_vendor": "QEMU\n"}, None, []),
        # a device of software on such a machine has no switch of theirs behind it
        ({"type": "1", "../../dmi/id/sys_vendor": "Amazon EC2\n"}, "veth", []),
    ],
)
def test_an_uplink_that_cannot_be_bridged(host: Host, files: dict[str, str], kind: str | None, expected: list[str]) -> None:
    (host.root / "sys/class/net/up0").mkdir(parents=True)
    for name, text in files.items():
        host.write(os.path.normpath(f"sys/class/net/up0/{name}"), text)
    facts = t.cast(t.Any, Facts(Link("", "up0", link_kind=kind)))
    assert ids(preflight_host.uplink(Wish(bridge_uplink=True, interface="br0"), facts, "up0", str(host))) == expected
    assert preflight_host.uplink(Wish(), facts, "up0", str(host)) == []
    assert preflight_host.uplink(Wish(bridge_uplink=True), facts, "gone0", str(host)) == []


# --- NetworkManager, systemd-networkd, udev


def test_a_manager_in_another_namespace_does_not_count(host: Host) -> None:
    host.process("NetworkManager", elsewhere=True)
    assert managers(host, Wish(**DEVICES)) == []
    host.process("NetworkManager")
    assert ids(managers(host, Wish(**DEVICES))) == ["networkmanager warning"]
    assert ids(managers(host, Wish(**DEVICES, bridge_uplink=True), "eth0")) == ["networkmanager warning", "networkmanager_uplink warning"]


@pytest.mark.parametrize(
    ("conf", "touched"),
    [
        ("[keyfile]\nunmanaged-devices=interface-name:web-*\n", False),
        ("[keyfile]\nunmanaged-devices=interface-name:=web-eth0;mac:02:00:5e:10:00:01\n", False),
        ("[keyfile]\nunmanaged-devices=interface-name:=web\n", True),
        ("[keyfile]\nunmanaged-devices=type:veth\n", False),
        ("[keyfile]\nunmanaged-devices=*,except:interface-name:eth0\n", False),
        ("[keyfile]\nunmanaged-devices=*,except:interface-name:web-eth0\n", True),
        ("[main]\nno-auto-default=*\n", False),
        ("[main]\nplugins=keyfile\n# unmanaged-devices=*\n", True),
    ],
)
def test_networkmanager_may_be_told_already(host: Host, conf: str, touched: bool) -> None:
    host.process("NetworkManager")
    host.write("etc/NetworkManager/conf.d/10-ours.conf", conf)
    assert bool(managers(host, Wish(**DEVICES))) == touched


def test_a_later_file_of_networkmanager_adds_or_replaces(host: Host) -> None:
    host.process("NetworkManager")
    host.write("usr/lib/NetworkManager/conf.d/20.conf", "[keyfile]\nunmanaged-devices=type:veth\n")
    host.write("run/NetworkManager/conf.d/30.conf", "[keyfile]\nunmanaged-devices+=type:wifi\n")
    assert managers(host, Wish(**DEVICES)) == []
    host.write("etc/NetworkManager/conf.d/20.conf", "")  # replaces the one of the same name
    assert ids(managers(host, Wish(**DEVICES))) == ["networkmanager warning"]


@pytest.mark.parametrize(
    ("match", "touched"),
    [
        ("Name=web-*", "web-eth0"),
        ("Name=en* web-eth?", "web-eth0"),
        ("Name=!br-*", "web-eth0"),
        ("Type=bridge", "br-lab"),
        ("Kind=veth", "web-eth0"),
        ("Driver=veth\nName=host*", ""),
        ("Name=en*", ""),
        ("Virtualization=container\nName=*", ""),
        ("MACAddress=02:00:5e:10:00:01", ""),
    ],
)
def test_a_network_file_that_matches(host: Host, match: str, touched: str) -> None:
    host.process("systemd-network")
    host.write("usr/lib/systemd/network/50-some.network", f"[Match]\n{match}\n[Network]\nDHCP=yes\n")
    found = managers(host, Wish(**DEVICES))
    assert ids(found) == (["networkd warning"] if touched else [])
    assert all(f"/usr/lib/systemd/network/50-some.network applies to {touched}" in finding.what for finding in found)


def test_the_first_network_file_decides(host: Host) -> None:
    host.process("systemd-network")
    host.write("usr/lib/systemd/network/50-some.network", "[Match]\nName=*\n[Network]\nDHCP=yes\n")
    assert ids(managers(host, Wish(**DEVICES, bridge_uplink=True), "eth0")) == ["networkd warning", "networkd_uplink warning"]
    host.write("etc/systemd/network/10-off.network", "[Match]\nName=*-*\n[Link]\nUnmanaged=yes\n")
    assert ids(managers(host, Wish(**DEVICES, bridge_uplink=True), "eth0")) == ["networkd_uplink warning"]
    host.write("etc/systemd/network/50-some.network", "")  # switched off by a file of the same name
    assert managers(host, Wish(**DEVICES, bridge_uplink=True), "eth0") == []
    host.write("sys/class/net/eth0/address", "02:00:5e:10:00:01\n")
    host.write("run/systemd/network/60-mac.network", "[Match]\nMACAddress=02:00:5e:10:00:01\n")
    assert ids(managers(host, Wish(**DEVICES, bridge_uplink=True), "eth0")) == ["networkd_uplink warning"]


def test_udev_changes_mac_addresses_where_its_first_file_says_so(host: Host) -> None:
    host.process("systemd-udevd")
    host.write("usr/lib/systemd/network/99-default.link", "[Match]\nOriginalName=*\n[Link]\nMACAddressPolicy=persistent\n")
    assert ids(managers(host, Wish(**DEVICES))) == ["udev_mac_policy note"]
    host.write("etc/systemd/network/10-none.link", "[Match]\nDriver=veth bridge\n[Link]\nMACAddressPolicy=none\n")
    assert managers(host, Wish(**DEVICES)) == []


# --- drop-ins


def test_drop_ins_are_written_once_found_and_removed(host: Host) -> None:
    for name in ("NetworkManager", "systemd-network", "systemd-udevd"):
        host.process(name)
    host.write("usr/lib/systemd/network/50-some.network", "[Match]\nName=*\n[Network]\nDHCP=yes\n")
    host.write("usr/lib/systemd/network/99-default.link", "[Match]\nOriginalName=*\n[Link]\nMACAddressPolicy=persistent\n")
    host.write("usr/lib/NetworkManager/conf.d/x.conf", "")
    wish, asked = Wish(**DEVICES), DropIns("lab", "runtime", ("br-lab", "web-eth0"))
    assert ids(managers(host, wish)) == ["networkmanager warning", "networkd warning", "udev_mac_policy note"]
    assert managers(host, wish, drop_ins=asked) == []

    changes = preflight_files.plan(asked, str(host))
    assert [(change.plain()["action"], change.path) for change in changes] == [
        ("create", "/run/NetworkManager/conf.d/95-linuxnet-netns-lab.conf"),
        ("create", "/run/systemd/network/00-linuxnet-netns-lab.network"),
        ("create", "/run/systemd/network/00-linuxnet-netns-lab.link"),
    ]
    told: list[str] = []
    programs.use(lambda words, _text, _environment: programs.Ended(0, told.append(os.path.basename(words[0])) or "", ""))
    preflight_files.carry_out(changes, str(host))
    assert set(told) <= {"nmcli", "networkctl", "udevadm"}
    assert preflight_files.plan(asked, str(host)) == []
    # somebody else's eyes see that these are left alone, and those who are about to remove the files see what comes then
    assert managers(host, wish) == []
    assert len(managers(host, wish, drop_ins=DropIns("lab"))) == 3

    moved = preflight_files.plan(asked._replace(where="persistent"), str(host))
    assert sorted(change.plain()["action"] for change in moved) == ["create"] * 3 + ["delete"] * 3
    preflight_files.carry_out(moved, str(host))
    assert (host.root / "etc/systemd/network/00-linuxnet-netns-lab.link").exists()
    preflight_files.carry_out(preflight_files.plan(DropIns("lab"), str(host)), str(host))
    assert not list(host.root.rglob("*linuxnet*"))


def test_a_manager_that_the_host_has_not_gets_no_file(host: Host) -> None:
    asked = DropIns("lab", "persistent", ("br-lab",))
    assert preflight_files.plan(asked, str(host)) == []
    host.write("etc/NetworkManager/NetworkManager.conf", "")
    assert [change.path for change in preflight_files.plan(asked, str(host))] == ["/etc/NetworkManager/conf.d/95-linuxnet-netns-lab.conf"]


def test_a_failing_reload_is_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.process("systemd-network")
    host.write("usr/lib/systemd/network/x", "")
    monkeypatch.setattr(preflight_files.shutil, "which", lambda _name, path: "/bin/networkctl")
    programs.use(lambda _words, _text, _environment: programs.Ended(1, "", "no"))
    warnings = preflight_files.carry_out(preflight_files.plan(DropIns("lab", "runtime", ("br-lab",)), str(host)), str(host))
    assert warnings == ["'networkctl reload' failed, so the drop-ins count from the next start of systemd-network on"]


def test_a_file_that_is_not_ours_is_not_touched(host: Host) -> None:
    host.write("etc/systemd/network/00-linuxnet-netns-lab.link", "[Match]\n")
    with pytest.raises(StateError, match="^/etc/systemd/network/00-linuxnet-netns-lab.link is in the way: "):
        preflight_files.plan(DropIns("lab"), str(host))


def test_a_name_that_means_something_else_in_a_drop_in_is_refused(host: Host) -> None:
    with pytest.raises(InputError, match=r"^links: 'br\*' cannot be named in a drop-in"):
        preflight_files.plan(DropIns("lab", "runtime", ("br*",)), str(host))


# --- the kernel


def test_a_module_that_can_be_loaded_counts(host: Host) -> None:
    place = f"lib/modules/{os.uname().release}"
    wish = Wish(kinds=("nosuchkind", "otherkind"), subnets=LAB[:1])
    (found,) = preflight_kernel.features(wish, str(host))
    assert found.what == "the kernel has not the link kind nosuchkind, otherkind"
    host.write(f"{place}/modules.alias", "alias rtnl-link-nosuchkind-2 x\nalias rtnl-link-nosuchkind some\n")
    (found,) = preflight_kernel.features(wish, str(host))
    assert found.what == "the kernel has not the link kind otherkind"
    host.write(f"{place}/modules.builtin.modinfo", "other.alias=rtnl-link-otherkind\0other.license=GPL\0")
    assert preflight_kernel.features(wish, str(host)) == []


def test_nat_needs_nft_and_the_kernel(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    wish = Wish(nat=True, subnets=LAB[:1])
    for module in ("nf_conntrack", "nft_chain_nat", "nft_masq", "nft_ct"):
        host.write(f"sys/module/{module}/refcnt", "0")
    host.write(f"lib/modules/{os.uname().release}/modules.dep", "kernel/net/netfilter/nf_tables.ko.xz: x\n")
    monkeypatch.setattr(preflight_kernel.nftables, "installed", lambda: True)
    assert preflight_kernel.features(wish, str(host)) == []
    monkeypatch.setattr(preflight_kernel.nftables, "installed", lambda: False)
    assert ids(preflight_kernel.features(wish, str(host))) == ["nft_missing error"]
    assert ids(preflight_kernel.features(Wish(nat=True, check_mode=True), str(host))) == ["nft_missing warning"]


def test_without_ipv6(host: Host) -> None:
    assert ids(preflight_kernel.features(Wish(subnets=LAB), str(host))) == ["ipv6_disabled error"]
    host.write("proc/sys/net/ipv6/conf/default/disable_ipv6", "1\n")
    assert ids(preflight_kernel.features(Wish(subnets=LAB), str(host))) == ["ipv6_disabled error"]
    host.write("proc/sys/net/ipv6/conf/default/disable_ipv6", "0\n")
    assert preflight_kernel.features(Wish(subnets=LAB), str(host)) == []


def test_without_namespaces(tmp_path: pathlib.Path) -> None:
    assert ids(preflight_kernel.features(Wish(), str(tmp_path))) == ["namespaces_missing error"]


# --- for real


def test_a_look_changes_nothing_and_finds_what_is_there(sandboxed: t.Callable[[t.Callable[[], t.Any]], None]) -> None:
    def look() -> None:
        run("ip", "link", "add", "up0", "type", "veth", "peer", "name", "up1")
        for name in ("up0", "up1", "lo"):
            run("ip", "link", "set", name, "up")
        run("ip", "address", "add", "192.0.2.9/24", "dev", "up0")
        run("ip", "route", "add", "10.77.0.128/25", "via", "192.0.2.1")
        run("ip", "route", "add", "blackhole", "10.0.0.0/8")  # what is more special wins: it does not hurt
        everything = [("ip", "-details", "link"), ("ip", "address"), ("ip", "route", "show", "table", "all"), ("nft", "list", "ruleset")]
        before = [run(*words) for words in everything]
        wish = Wish(
            subnets=LAB, interface="br-lab", nat=True, kinds=("bridge", "veth", "nosuchkind"), ignore=frozenset({"udev_mac_policy"})
        )
        found = preflight.look(wish, DropIns())
        assert ids(found) == ["subnet_routed error", "kind_missing error"]
        assert "10.77.0.128/25 by up0, in subnet 10.77.0.0/24" in found[0].what
        assert [run(*words) for words in everything] == before

    sandboxed(look)
