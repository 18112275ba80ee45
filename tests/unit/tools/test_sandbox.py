# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox on the real kernel: what it lets through, what it hides, what it leaves behind (nothing)."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pytest

TOOLS = pathlib.Path(__file__).resolve().parents[3] / "tools"
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
DIRECTORIES = ("/run/netns", "/etc", "/etc/netns", "/run/linuxnet-netns", "/run/sysctl.d", "/var/lib")
SERVER, SERVER6 = "203.0.113.10", "2001:db8:203::10"

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has namespaces"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can compare the machine before and after"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2"),
]
needs_nft = pytest.mark.skipif(shutil.which("nft", path=os.environ.get("PATH", "") + ":/usr/sbin") is None, reason="needs nftables")


def sandbox(*command, options=(), prefix=(), tools=TOOLS, python=sys.executable, **more):
    """Run a command in a sandbox and return it when it has ended."""
    if "input" not in more:
        more["stdin"] = subprocess.DEVNULL
    full = [*prefix, python, f"{tools}/sandbox.py", *options, "exec", "--", *command]
    return subprocess.run(full, capture_output=True, text=True, timeout=60, check=False, **more)


def output(*command, **more):
    done = sandbox(*command, **more)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def shell(script, **more):
    return output("sh", "-ec", script, **more)


def processes_with(marker):
    """Ids of the living processes whose command line or environment has the marker."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if marker.encode() in (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def wait_or_kill(process, seconds):
    try:
        return process.wait(timeout=seconds)
    finally:
        process.kill()


def machine():
    def listing(path):
        return sorted(os.listdir(path)) if os.path.isdir(path) else None

    links = json.loads(subprocess.run(["ip", "-json", "link"], stdout=subprocess.PIPE, check=True).stdout)
    return {
        "links": sorted((link["ifindex"], link["ifname"], link["address"]) for link in links),
        "mounts": len(pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()),
        "directories": {path: listing(path) for path in DIRECTORIES},
    }


@pytest.fixture(autouse=True)
def fixture_usual_signals():
    """As in a terminal: whoever starts the tests in the background, or by nohup, hands on that these are ignored."""
    ignored = [number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(name="marker")
def fixture_marker(monkeypatch):
    """A word in the environment of every process that a test starts; none of them may be alive at its end."""
    word = f"sandbox-test-{os.getpid()}-{time.monotonic_ns()}"
    monkeypatch.setenv("LINUXNET_TEST_MARKER", word)
    yield word
    wait_until(lambda: not processes_with(word))


@pytest.fixture(name="ordinary")
def fixture_ordinary():
    """Arguments of sandbox() for a user without rights, with copies of the tools that he can read."""
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv")
    directory = tempfile.mkdtemp()
    try:
        os.chmod(directory, 0o755)
        for name in ("sandbox.py", "outside.py"):
            shutil.copy(TOOLS / name, directory)
            os.chmod(f"{directory}/{name}", 0o644)
        # setpriv itself still passes directories that are closed to the user; only Python's own child shows what he may run.
        script = "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)"
        for python in (sys.executable, "/usr/bin/python3"):
            if subprocess.run([*NOBODY, python, "-c", script], stderr=subprocess.DEVNULL, cwd=directory, check=False).returncode == 0:
                break
        else:
            pytest.skip("an ordinary user can run no Python here")
        if subprocess.run([*NOBODY, "unshare", "--user", "true"], stderr=subprocess.DEVNULL, cwd=directory, check=False).returncode != 0:
            pytest.skip("this kernel gives no user namespaces to ordinary users")
        yield {"prefix": NOBODY, "tools": directory, "python": python, "cwd": directory}
    finally:
        shutil.rmtree(directory)


# --- the command ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 42])
def test_exit_code_passes_through(code):
    assert sandbox("sh", "-c", f"exit {code}").returncode == code


def test_death_by_a_signal_is_128_and_its_number():
    assert sandbox("sh", "-c", "kill -USR1 $$").returncode == 128 + signal.SIGUSR1


def test_input_and_both_outputs_pass_through():
    done = sandbox("sh", "-c", "cat; echo wrong >&2", input="right\n")
    assert (done.stdout, done.stderr) == ("right\n", "wrong\n")


def test_arguments_are_the_commands_own():
    assert output("printf", "[%s]", "--outside", "a b", "exec", "--") == "[--outside][a b][exec][--]"


def test_unknown_command():
    done = sandbox("no-such-command")
    assert (done.returncode, done.stderr) == (127, "sandbox: there is no command no-such-command.\n")


def test_file_that_cannot_be_run():
    done = sandbox("/etc/passwd")
    assert (done.returncode, done.stderr) == (126, "sandbox: /etc/passwd cannot be run: Permission denied.\n")


def test_missing_command():
    done = subprocess.run([sys.executable, TOOLS / "sandbox.py", "--outside"], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.endswith("error: the command is missing: write it after 'exec --'.\n")


def test_working_directory_and_environment_stay(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/some/home")
    assert shell("pwd; echo $HOME $LINUXNET_SANDBOX", cwd=tmp_path) == f"{tmp_path}\n/some/home 1\n"


def test_signals_have_their_usual_meaning_inside():
    # 32 and 33 are glibc's own: nobody can set them, and a caller may have left them ignored
    glibc = 1 << 31 | 1 << 32
    blocked, ignored = shell("grep -E 'Sig(Blk|Ign)' /proc/self/status | cut -f2").split()
    assert (int(blocked, 16) & ~glibc, int(ignored, 16) & ~glibc) == (0, 0)


# --- what is seen inside --------------------------------------------------------------------------------------------------------


def test_a_clean_host():
    empty = "/run/netns /etc/netns /run/linuxnet-netns /run/sysctl.d /var/lib/linuxnet-netns"
    script = f"ls -A {empty}; ls /sys/class/net; cat /proc/sys/net/ipv4/ip_forward; id -u"
    listing = "/etc/netns:\n\n/run/linuxnet-netns:\n\n/run/netns:\n\n/run/sysctl.d:\n\n/var/lib/linuxnet-netns:\n"
    assert shell(script) == listing + "lo\n0\n0\n"
    links = json.loads(output("ip", "-json", "link"))
    assert [(link["ifname"], "UP" in link["flags"]) for link in links] == [("lo", True)]


def test_no_daemon_of_the_machine_is_in_reach():
    script = "for name in dbus systemd nscd docker.sock; do if [ -e /run/$name ]; then echo $name; fi; done; cat /proc/1/cmdline"
    assert "sandbox.py" in shell(script)
    assert shell(script).split("\n")[-1].startswith(sys.executable)


def test_named_namespaces_work_and_stay_inside():
    before = machine()
    script = "ip netns add red; ip netns exec red ip -o link; ip netns; ip netns del red; ls -A /run/netns"
    assert "1: lo:" in shell(script)
    assert machine() == before


def test_changes_of_etc_run_and_var_lib_stay_inside():
    name = f"linuxnet-test-{os.getpid()}"
    before = machine()
    script = f"touch /etc/{name} /run/{name}; rm /etc/hostname; hostname {name}; ls /etc/{name}; hostname"
    assert shell(script) == f"/etc/{name}\n{name}\n"
    assert machine() == before
    assert not os.path.exists(f"/run/{name}")
    shell(f"touch /var/lib/{name} /var/lib/linuxnet-netns/{name}")
    assert not os.path.exists(f"/var/lib/{name}")
    assert os.uname().nodename != name


def test_etc_without_overlayfs():
    script = (
        f"import os, sys; sys.path.insert(0, {str(TOOLS)!r}); import sandbox\n"
        "sandbox.rebuild('/etc', 'netns', {'resolv.conf': 'nameserver 203.0.113.10\\n'})\n"
        "print(os.listdir('/etc/netns'), open('/etc/resolv.conf').read().strip(), 'root:' in open('/etc/passwd').read())\n"
        "try:\n    open('/etc/passwd', 'a')\nexcept OSError as exc:\n    print(exc.strerror)\n"
    )
    assert output(sys.executable, "-c", script) == "[] nameserver 203.0.113.10 True\nRead-only file system\n"


def test_sandbox_in_a_sandbox():
    inner = f"{sys.executable} {TOOLS}/sandbox.py exec -- "
    assert shell(f"ip netns add red; {inner} ip netns; {inner} {inner} sh -c 'ls -A /run/netns; echo deep'; ip netns") == "deep\nred\n"


# --- what is left behind --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), pytest.param(("--outside",), marks=needs_nft)], ids=["plain", "outside"])
def test_nothing_is_left_behind(options, marker):
    before = machine()
    shell("ip netns add red; ip link add v0 type veth peer name v1; sleep 1000 & setsid sleep 1000 >/dev/null 2>&1 &", options=options)
    assert processes_with(marker) == []
    assert machine() == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL], ids=lambda number: number.name)
@pytest.mark.parametrize("options", [(), pytest.param(("--outside",), marks=needs_nft)], ids=["plain", "outside"])
def test_everything_ends_with_the_sandbox(number, options, marker):
    before = machine()
    # Not in our session: the signal goes to the one process.
    script = "setsid sleep 1000 & echo started; exec sleep 1000"
    command = [sys.executable, f"{TOOLS}/sandbox.py", *options, "exec", "--", "sh", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout.readline() == "started\n"
        alive = len(processes_with(marker))
        process.send_signal(number)
        code = wait_or_kill(process, 8)
    assert alive >= 4
    assert code == (-number if number == signal.SIGKILL else 128 + number)
    wait_until(lambda: not processes_with(marker))
    assert machine() == before


def test_signal_reaches_the_command():
    script = "trap 'echo caught; exit 7' TERM; echo started; while :; do sleep 0.05; done"
    command = [sys.executable, f"{TOOLS}/sandbox.py", "exec", "--", "sh", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "started\n"
        process.terminate()
        assert process.stdout.read() == "caught\n"
        assert process.wait(timeout=10) == 7


# --- without root ---------------------------------------------------------------------------------------------------------------


def test_ordinary_user(ordinary, marker):
    before = machine()
    script = "id -u; ls -A /run/netns /etc/netns; ip netns add red; ip netns; ip netns exec red ip -o link | wc -l; echo x >/etc/netns/red"
    assert shell(script, **ordinary) == "0\n/etc/netns:\n\n/run/netns:\nred\n1\n"
    assert processes_with(marker) == []
    assert machine() == before


@needs_nft
def test_ordinary_user_where_files_of_etc_are_mounts(ordinary):
    # As in containers; an overlay would uncover what the mounts hide, so the kernel refuses it in a user namespace.
    inner = " ".join([*NOBODY, ordinary["python"], f"{ordinary['tools']}/sandbox.py", "--outside", "exec", "--"])
    look = "stat -f -c %T /etc; ls -A /etc/netns; head -1 /etc/hosts; cat /etc/resolv.conf"
    lines = shell(f"mount --bind /etc/passwd /etc/hosts; cd /; {inner} sh -c '{look}'").splitlines()
    first_user = pathlib.Path("/etc/passwd").read_text(encoding="utf-8").splitlines()[0]
    assert lines[:3] == ["tmpfs", first_user, f"nameserver {SERVER}"]


@needs_nft
def test_ordinary_user_with_an_outside(ordinary):
    assert peer_of(SERVER, **ordinary) == "198.51.100.2"
    assert peer_of(SERVER6, **ordinary) == "2001:db8:100::2"


def test_kernel_that_forbids_user_namespaces(ordinary):
    # The kernel gives none to a process that is in a chroot: the only way to meet the refusal without changing the machine.
    inner = f"{ordinary['python']} {ordinary['tools']}/sandbox.py exec -- true"
    done = sandbox("sh", "-ec", f"mount --rbind / /mnt; exec chroot --userspec=65534:65534 /mnt {inner}", cwd="/")
    assert done.returncode == 125
    refusal = "this kernel does not let an ordinary user make a user namespace (Operation not permitted)"
    assert done.stderr == f"sandbox: {refusal}: run it as root, for example 'sudo make lab'.\n"


# --- the outside ----------------------------------------------------------------------------------------------------------------

ASK = """
import json, socket, sys, urllib.request
address = sys.argv[1]
host = "[" + address + "]" if ":" in address else address
try:
    with urllib.request.urlopen("http://" + host + "/some/path", timeout=float(sys.argv[2])) as answer:
        found = json.load(answer)
    tcp = socket.create_connection((address, 7777), timeout=2).makefile().read()
    udp = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    udp.settimeout(2)
    udp.sendto(b"?", (address, 9999))
    print(json.dumps([found["peer"], found["path"], tcp, udp.recv(100).decode()]))
except OSError as exc:
    print(json.dumps("timed out" if "timed out" in str(exc) else str(exc)))
"""


def peer_of(address, **more):
    python = more.get("python", sys.executable)
    peer, path, tcp, udp = json.loads(output(python, "-c", ASK, address, "2", options=["--outside"], **more))
    assert (path, tcp, udp) == ("/some/path", peer + "\n", peer)
    return peer


def ask_from_red(setup, address):
    """What the server says to a namespace `red` that is connected as the script says."""
    ask = f'ip netns exec red {sys.executable} -c "$ASK" {address} 1'
    answer = json.loads(shell(f"{setup}\n{ask}", options=["--outside"], env=dict(os.environ, ASK=ASK)))
    return answer if isinstance(answer, str) else answer[0]


ROUTED = """
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip netns add red
ip link add v0 type veth peer name eth0 netns red
ip address add 10.9.0.1/24 dev v0; ip address add fd00:9::1/64 dev v0 nodad; ip link set v0 up
ip -n red address add 10.9.0.2/24 dev eth0; ip -n red address add fd00:9::2/64 dev eth0 nodad; ip -n red link set eth0 up
ip -n red route add default via 10.9.0.1; ip -n red route add default via fd00:9::1
# The router's link-local addresses must be past duplicate detection, or a missing answer would prove nothing.
while ip -6 address show tentative | grep -q inet6; do sleep 0.1; done
"""
MASQUERADE = """
nft add table inet t
nft add chain inet t post '{ type nat hook postrouting priority srcnat; }'
nft add rule inet t post oifname uplink0 masquerade
"""
BRIDGED = """
ip netns add red
ip link add br0 type bridge; ip link set uplink0 master br0
ip link add v0 master br0 type veth peer name eth0 netns red
ip link set v0 up; ip link set br0 up
ip -n red address add 198.51.100.50/24 dev eth0; ip -n red address add 2001:db8:100::50/64 dev eth0 nodad; ip -n red link set eth0 up
ip -n red route add default via 198.51.100.1; ip -n red route add default via 2001:db8:100::1
"""


@needs_nft
@pytest.mark.parametrize("address, own", [(SERVER, "198.51.100.2"), (SERVER6, "2001:db8:100::2")])
def test_server_sees_the_hosts_address(address, own):
    assert peer_of(address) == own


@needs_nft
@pytest.mark.parametrize("address, own", [(SERVER, "198.51.100.2"), (SERVER6, "2001:db8:100::2")], ids=["ipv4", "ipv6"])
def test_inside_addresses_get_out_only_by_translation(address, own):
    assert ask_from_red(ROUTED, address) == "timed out"
    assert ask_from_red(ROUTED + MASQUERADE, address) == own


@needs_nft
@pytest.mark.parametrize("address, own", [(SERVER, "198.51.100.50"), (SERVER6, "2001:db8:100::50")], ids=["ipv4", "ipv6"])
def test_bridged_addresses_are_reachable(address, own):
    assert ask_from_red(BRIDGED, address) == own


@needs_nft
def test_names_are_resolved():
    script = "import socket; print(sorted({entry[4][0] for entry in socket.getaddrinfo('www.example.test', 80)}))"
    assert output(sys.executable, "-c", script, options=["--outside"]) == f"{sorted([SERVER, SERVER6])}\n"
    assert sandbox("getent", "hosts", "other.example.test", options=["--outside"]).returncode == 2


@needs_nft
def test_dns_over_tcp():
    script = (
        f"import socket, struct, sys; sys.path.insert(0, {str(TOOLS)!r}); import outside\n"
        "with socket.create_connection((outside.SERVER, 53), timeout=2) as sock:\n"
        "    stream = sock.makefile('rwb')\n"
        "    for identity in (1, 2):\n"
        "        query = outside.make_query(outside.DOMAIN, outside.TYPE_A, identity)\n"
        "        stream.write(struct.pack('!H', len(query)) + query); stream.flush()\n"
        "        answer = stream.read(struct.unpack('!H', stream.read(2))[0])\n"
        "        print(struct.unpack_from('!H', answer)[0], socket.inet_ntoa(answer[-4:]))\n"
    )
    assert output(sys.executable, "-c", script, options=["--outside"]) == f"1 {SERVER}\n2 {SERVER}\n"


@needs_nft
def test_variables_and_a_clean_host_with_an_outside():
    script = "ip netns; ls -A /run/netns; echo $LINUXNET_SANDBOX $LINUXNET_OUTSIDE_SERVER $LINUXNET_OUTSIDE_SERVER6; ls /sys/class/net"
    script += "; echo $LINUXNET_OUTSIDE_UPLINK $LINUXNET_OUTSIDE_DOMAIN; nft list ruleset"
    assert shell(script, options=["--outside"]) == f"1 {SERVER} {SERVER6}\nlo\nuplink0\nuplink0 www.example.test\n"


@needs_nft
def test_build_on_its_own_and_its_end():
    script = (
        f"import socket, sys; sys.path.insert(0, {str(TOOLS)!r}); import outside\n"
        "names = lambda: [name for _index, name in socket.if_nameindex()]\n"
        "with outside.build('wan9') as world:\n    print(names(), world.environment()['LINUXNET_OUTSIDE_UPLINK'])\n"
        "print(names())\n"
        "with outside.build():\n"
        "    try:\n        outside.build('other')\n    except outside.OutsideError as exc:\n        print(exc)\n    print(names())\n"
    )
    sentence = "this network namespace has a default route already; build the outside in a sandbox."
    assert output(sys.executable, "-c", script) == f"['lo', 'wan9'] wan9\n['lo']\n{sentence}\n['lo', 'uplink0']\n"
