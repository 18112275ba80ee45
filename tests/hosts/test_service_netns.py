# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services in namespaces: where they run, what they see of DNS, and that they are there again after a reboot."""

from __future__ import annotations

import pathlib

import plays
import pytest
import systemd_host

# Type=exec: it counts as started when its own program runs, and no earlier, in mounts that are still the host's.
UNIT = """[Unit]
Description=A service
[Service]
Type=exec
ExecStart=/usr/bin/sleep infinity
[Install]
WantedBy=multi-user.target
"""
NETWORK = {
    "nat_network_name": "lab",
    "nat_network_namespaces": ["web"],
    "nat_network_nameservers": ["203.0.113.10"],
    "nat_network_persist": True,
}
PLACED = {"service_netns_name": "nginx", "service_netns_namespace": "web"}
INSIDE = "/proc/$(systemctl show -P MainPID nginx)"


@pytest.fixture(name="served")
def fixture_served(host: systemd_host.Host) -> systemd_host.Host:
    """A host with a service that runs."""
    host.write("/etc/systemd/system/nginx.service", UNIT)
    host.shell("systemctl daemon-reload; systemctl enable -q --now nginx")
    return host


def place(host: systemd_host.Host) -> str:
    """Where the service's process is: the name of its namespace, or "host"."""
    script = f"for name in web host; do test $name = host || test {INSIDE}/ns/net -ef /run/netns/$name && break; done; echo $name"
    assert host.shell("systemctl is-active nginx", check=False) == "active\n"
    return host.shell(script).strip()


def resolver(host: systemd_host.Host) -> str:
    return host.shell("nsenter --mount --target=$(systemctl show -P MainPID nginx) grep ^nameserver /etc/resolv.conf").strip()


def invocation(host: systemd_host.Host) -> str:
    return host.shell("systemctl show -P InvocationID nginx")


def test_a_service_goes_into_its_namespace_and_out_again(served: systemd_host.Host, tmp_path: pathlib.Path) -> None:
    served.play(plays.roles(tmp_path, ("nat_network", NETWORK)))
    playbook = plays.roles(tmp_path, ("service_netns", PLACED))
    assert (place(served), began := invocation(served)) == ("host", began)
    # the folder, the drop-in, the service
    assert plays.changed(served.play(playbook, "--check").stdout) == 3
    assert invocation(served) == began
    assert plays.changed(served.play(playbook).stdout) == 3
    assert (place(served), resolver(served)) == ("web", "nameserver 203.0.113.10")
    again = invocation(served)
    assert plays.changed(served.play(playbook).stdout) == 0
    assert invocation(served) == again, "it was not started again for nothing"

    served.reboot()
    assert (place(served), resolver(served)) == ("web", "nameserver 203.0.113.10")
    again = invocation(served)
    served.shell("systemctl restart linuxnet-netns")
    assert invocation(served) == again, "a new engine is no reason to start it again"

    out = plays.roles(tmp_path, ("service_netns", {**PLACED, "service_netns_state": "absent"}))
    # the drop-in, its folder, the service
    for options, expected in ((["--check"], 3), ([], 3), ([], 0)):
        assert plays.changed(served.play(out, *options).stdout) == expected
    assert place(served) == "host"
    assert served.shell("ls -d /etc/systemd/system/nginx.service.d", check=False) == ""


def test_a_service_that_does_not_run_is_not_started(served: systemd_host.Host, tmp_path: pathlib.Path) -> None:
    served.shell("systemctl stop nginx; ip netns add web; mkdir -p /etc/systemd/system/nginx.service.d; ip -n web link set lo up")
    served.write("/etc/systemd/system/nginx.service.d/mine.conf", "[Service]\nNice=5\n")
    served.play(plays.roles(tmp_path, ("service_netns", {**PLACED, "service_netns_network_unit": ""})))
    assert served.shell("systemctl is-active nginx", check=False) == "inactive\n"
    served.shell("systemctl start nginx")
    # there is no resolv.conf for the namespace: it has the host's
    assert (place(served), resolver(served)) == ("web", served.shell("grep ^nameserver /etc/resolv.conf").strip())
    served.play(plays.roles(tmp_path, ("service_netns", {**PLACED, "service_netns_state": "absent"})))
    assert place(served) == "host"
    assert served.shell("ls /etc/systemd/system/nginx.service.d") == "mine.conf\n"


def test_systemd_resolved_of_the_host_is_out_of_reach(served: systemd_host.Host, tmp_path: pathlib.Path) -> None:
    served.shell("systemctl start systemd-resolved; ln -sf /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf")
    served.play(plays.roles(tmp_path, ("nat_network", NETWORK), ("service_netns", PLACED)))
    assert (place(served), resolver(served)) == ("web", "nameserver 203.0.113.10")
    # it writes its files anew, which undoes mounts on them
    served.shell("systemctl restart systemd-resolved; resolvectl dns uplink0 203.0.113.10; sleep 1")
    assert resolver(served) == "nameserver 203.0.113.10"
    assert served.shell(f"ls {INSIDE}/root/run/systemd/resolve") == "stub-resolv.conf\n"
    assert served.shell("grep ^nameserver /etc/resolv.conf") == "nameserver 127.0.0.53\n"
    served.shell("systemctl restart nginx")
    assert resolver(served) == "nameserver 203.0.113.10"


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({**PLACED, "service_netns_name": "../nginx"}, "service_netns_name: '../nginx' cannot name a unit"),
        ({**PLACED, "service_netns_name": "nothing"}, "this host has no nothing.service: install it first"),
        ({**PLACED, "service_netns_namespace": "nowhere"}, "this host has no namespace nowhere: make it first"),
        ({"service_netns_name": "nginx"}, "service_netns_namespace: name the namespace under /run/netns that nginx.service is to run in"),
    ],
)
def test_what_cannot_be_is_refused(served: systemd_host.Host, tmp_path: pathlib.Path, variables: dict[str, str], sentence: str) -> None:
    served.shell("ip netns add web")
    began = invocation(served)
    done = served.play(plays.roles(tmp_path, ("service_netns", variables)), check=False)
    assert done.returncode != 0
    assert sentence in " ".join((done.stdout + done.stderr).split())
    assert (invocation(served), served.shell("ls /etc/systemd/system | grep 'service.d$'", check=False)) == (began, "")


def test_the_examples_do_what_they_say(served: systemd_host.Host, tmp_path: pathlib.Path) -> None:
    into, out = plays.shown(tmp_path, "roles/service_netns/README.md")
    served.play(into)
    assert place(served) == "web"
    served.play(out)
    assert place(served) == "host"
