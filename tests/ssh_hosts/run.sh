#!/usr/bin/env bash
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Role molecule_hosts, and playbook fleet on hosts that it has made, over real SSH. For the sandbox; with --short on fewer hosts.

set -euo pipefail
cd "$(dirname "$0")"

export ANSIBLE_LOCALHOST_WARNING=False ANSIBLE_INVENTORY_UNPARSED_WARNING=False ANSIBLE_HOST_PATTERN_MISMATCH=error ANSIBLE_PIPELINING=True
export ANSIBLE_PYTHON_INTERPRETER=auto_silent
folder="$(mktemp -d)"
trap 'rm -rf "${folder}"' EXIT
log="${folder}/log"
state=/run/molecule_hosts/fleet
inventory="${state}/molecule_hosts.yml"

die() {
    echo "FATAL: $*"
    exit 1
}

holds() {
    echo "holds: $*"
}

# Run a playbook that must end well; with so many changed tasks on localhost, unless "any".
play() {
    local expected="$1"
    shift
    echo "---- $*: ${expected} changed"
    local began="${EPOCHREALTIME/,/.}"
    ansible-playbook "$@" 2>&1 | tee "${log}" || die "it failed: $*"
    took="$(awk "BEGIN { print ${EPOCHREALTIME/,/.} - ${began} }")"
    [ "${expected}" = any ] || grep -Eq "^localhost +: ok=[0-9]+ +changed=${expected} +unreachable=0 +failed=0 " "${log}" ||
        die "expected changed=${expected} of: $*"
}

# Run a playbook that must fail with these words.
fails() {
    local words="$1"
    shift
    echo "---- $*: must fail"
    # indented: a play that fails as it should is not to be counted among those that should not
    ansible-playbook "$@" 2>&1 | tee "${log}" | sed 's/^/    | /' && die "it did not fail: $*"
    grep -q "${words}" "${log}" || die "it did not say: ${words}"
}

line() {
    grep -Eq "\"$1\"" "${log}" || die "the summary has no line: $1"
    holds "$1"
}

look() {
    mkdir "${folder}/$1"
    play any -i "${inventory}" look.yml -e "folder=${folder}/$1"
}

same() {
    diff "${folder}/$1/$3" "${folder}/$2/$3" || die "$3 is not as it was"
    [ "$(wc -c < "${folder}/$1/$3")" -gt 1000 ] || die "nothing was seen on $3"
    holds "$3 is as it was before, to the last byte that ip, nft and sysctl tell"
}

machine() {
    ip -json address show | sed -E 's/"(preferred|valid)_life_time":[0-9]+,?//g'
    ip -json route show
    nft list ruleset
    # its lock is a file that stays
    ls --ignore lock /run /run/netns /etc/netns /run/linuxnet-netns
    sysctl --all --pattern 'forwarding$' | grep -v -e fleet -e many
    pgrep --list-full sshd || true
}
first_process() {
    python -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]][0])' "${state}/started.json" "$1"
}

machine > "${folder}/machine"

# ---- the role ----

three="$(python - <<'END'
import json
print(json.dumps({"molecule_hosts_groups": {}, "molecule_hosts_hosts": {"r1": None, "r2": {"colour": "red"}}}))
END
)"
play 3 create.yml --check -e "${three}"
[ ! -e "${state}" ] || die "check mode made something"
play 3 create.yml -e "${three}"
play 0 create.yml -e "${three}"
holds "check mode says what a run does, a second run changes nothing"

ansible -i "${inventory}" test_resources -m ansible.builtin.shell -a 'hostname; id -u; getent hosts r1; echo {{ colour | default("none") }};
    ip -o -4 address show dev eth0; cat /proc/1/comm; touch /usr/bin/only-here /etc/only-here /root/only-here' > "${log}"
cat "${log}"
for words in r1 r2 red none; do
    grep -q "^${words}\$" "${log}" || die "no host says ${words}"
done
[ "$(grep -c '^sshd' "${log}")" = 2 ] || die "the first process of a host is not its sshd"
for file in /usr/bin/only-here /etc/only-here /root/only-here; do
    [ ! -e "${file}" ] || die "${file} is on the machine"
done
holds "what a host writes it alone sees"

kill -9 "$(first_process r1)"
play 1 create.yml -e "${three}"
ansible -i "${inventory}" r1 -m ansible.builtin.ping
holds "a host that died is started again, and only that one"

play 3 create.yml -e "${three}" -e '{"molecule_hosts_hosts": {"r1": null}}'
ls /run/netns
[ "$(ls /run/netns)" = fleet-r1 ] || die "the host that is not listed any more is still there"
holds "a host that is not listed any more is ended"

ip netns exec fleet-r1 sleep 600 &
stranger=$!
sleep 0.2
fails "process.* ${stranger}" create.yml -e molecule_hosts_state=absent
kill -0 "${stranger}" || die "a process was ended that the role did not start"
kill "${stranger}"
wait "${stranger}" || true
play 1 create.yml -e molecule_hosts_state=absent
play 0 create.yml -e molecule_hosts_state=absent
machine | diff "${folder}/machine" -
holds "removed, it leaves nothing behind, and ends only what it has started"

if [ "${1:-}" != --short ]; then
    # Of this playbook nothing has that tag: what is left is what ansible-playbook itself takes. What a busy machine takes is no failure.
    play any many.yml --tags nothing
    empty="${took}"
    play any many.yml
    awk "BEGIN {
        printf \"50 hosts: %.1f s, with ansible-playbook itself; %.2f s a host without, and %.1f times what an empty play takes, %.1f s\\n\",
            ${took}, (${took} - ${empty}) / 50, ${took} / ${empty}, ${empty}
    }"
    holds "50 hosts are there: $(ip netns list | grep -c '^many-') namespaces"
    [ "$(ip netns list | grep -c '^many-')" = 50 ] || die "that are not 50 hosts"
    play any many.yml -e molecule_hosts_state=absent
    machine | diff "${folder}/machine" -
fi

# ---- the playbook fleet ----

hosts='{}'
if [ "${1:-}" = --short ]; then
    hosts='{"fleet_size": 4}'
fi
play any create.yml -e "${hosts}"
look before
fails 'hosts did not get their networks: r3$' -i "${inventory}" linuxnet.netns.fleet -e '{"target": "routers", "fleet_serial": [1, "50%"]}'
line 'r1 +changed +nat_network.shop stands, [1-9][0-9]* changes'
line 'r2 +changed +bridged_network.lan stands, [1-9][0-9]* changes'
line 'r3 +failed, rolled back +nat_network.shop: tcp 10.78.0.1:4444 in namespace .db. failed.*'
line 'r4 +changed +pair stands, [1-9][0-9]* changes'
if [ "${1:-}" != --short ]; then
    line 'r6 +changed +bridged_network.lan stands, [1-9][0-9]* changes; nat_network.shop stands, [1-9][0-9]* changes'
    line 'r7 +nothing asked for'
fi
look after
same before after r3
for host in r1 r2 r4; do
    cmp -s "${folder}/before/${host}" "${folder}/after/${host}" && die "nothing was built on ${host}"
done

if [ "${1:-}" != --short ]; then
    same before after r7

    # r3 is in the second batch, so what comes after that is not tried; and a host that is gone is told too
    kill -9 "$(first_process r4)"
    fails '6 of 8 hosts did not get their networks' -i "${inventory}" linuxnet.netns.fleet \
        -e '{"target": "routers", "fleet_serial": 2, "fleet_stop_after": 1}' -e ansible_ssh_timeout=3
    line 'r1 +unchanged +nat_network.shop stands, no changes'
    line 'r3 +failed, rolled back .*'
    line 'r4 +unreachable +.*'
    line 'r5 +not tried'

    play any create.yml
    play any -i "${inventory}" linuxnet.netns.fleet -e target=routers -e '{"nat_network_verify": []}'
    line 'r3 +changed +nat_network.shop stands, [1-9][0-9]* changes'
    line 'r5 +unchanged +nat_network.shop stands, no changes'
    grep -q '8 hosts have their networks' "${log}"

    fails 'fleet_topology: adresses is not known: use name, state, namespaces' -i "${inventory}" linuxnet.netns.fleet --check \
        -e '{"target": "r7", "fleet_topology": {"name": "x", "adresses": []}}'
fi

play any create.yml -e molecule_hosts_state=absent
machine | diff "${folder}/machine" -
echo "ssh_hosts: all of it holds"
