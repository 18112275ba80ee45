#!/usr/bin/env bash
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck source=../setup_role_steps/steps.sh
. ../setup_role_steps/steps.sh

ip -json address show dev uplink0 > before.txt

three_steps 2 linuxnet.netns.lab
grep -q '"lab (NAT)  .* lab-green .* 198.51.100.2 .* ok"' "${log:?}"
grep -q '"lab (NAT)  .* lab-green .* 2001:db8:100::2 .* ok"' "${log:?}"
grep -q '"lab-lan (bridge)  lab-two  *198.51.100.12  *198.51.100.12 .* ok"' "${log:?}"

# The proof must be able to fail: without NAT nobody answers, and a wrong source is told.
fails() {
    if ansible-playbook -i localhost, -c local -e "ansible_python_interpreter=$(command -v python)" linuxnet.netns.lab "$@" > "${log}" 2>&1; then
        echo "FATAL: the proof did not fail: $*"
        exit 1
    fi
    # indented: a play that fails as it should is not to be counted among those that should not
    sed 's/^/    | /' "${log}"
    grep -q 'failed=1 ' "${log}"
}
fails -e '{"lab_nat_sources": ["198.51.100.99", "2001:db8:100::2"]}'
grep -q '"lab (NAT)  .* lab-red .* http://203.0.113.10/ .* failed: source_address"' "${log}"
grep -q "lab-red.* tells another source address or none, not 198.51.100.99" "${log}"
grep -q '"lab (NAT)  .* lab-red .* 2001:db8:100::2 .* ok"' "${log}"
fails -e lab_dns_name=no.example.test
grep -q '"lab-lan (bridge)  lab-two .* udp_dns no.example.test .* failed: dns"' "${log}"
nft delete table inet linuxnet_lab
ansible -i localhost, -c local -e "ansible_python_interpreter=$(command -v python)" localhost -m linuxnet.netns.netns_probe \
    -a '{"checks": [{"netns": "lab-red", "http": "http://203.0.113.10/", "timeout": 1, "retries": 0}]}' | tee "${log}" || true
grep -q 'http http://203.0.113.10/ .*failed' "${log}"

# And what was broken is repaired.
changed 1 linuxnet.netns.lab
three_steps 2 linuxnet.netns.lab_down
ip -json address show dev uplink0 | diff before.txt -
test -z "$(ip netns list)$(nft list ruleset)$(ls /etc/netns)"

# As on a real host, where nobody knows which addresses are free and no server reports where it is reached from.
unset LINUXNET_OUTSIDE_UPLINK
export LINUXNET_OUTSIDE_SERVER='' LINUXNET_OUTSIDE_DOMAIN=''
changed 1 linuxnet.netns.lab -e lab_dns_name=www.example.test
grep -q 'source not checked: set lab_server' "${log:?}"
grep -q 'the bridged half is left out: set lab_bridged_uplink and lab_bridged_addresses' "${log:?}"
changed 1 linuxnet.netns.lab_down

changed 9 linuxnet.netns.walkthrough
grep -q 'there is no route to 198.51.100.1 in namespace' "${log:?}"
grep -q 'ping 192.0.2.2 in namespace .* failed: .*chain input' "${log:?}"
test -z "$(ip netns list)"
