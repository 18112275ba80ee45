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
root="${ANSIBLE_COLLECTIONS_PATH%%:*}/ansible_collections/linuxnet/netns"
probe() {
    ip netns exec lab-red python "${root}/playbooks/files/probe.py" --namespace lab-red --server 203.0.113.10:80 "$@"
}
probe --dns www.example.test --hidden | grep -q '"problems": \[\]'
probe --dns www.example.test | grep -q "sees 198.51.100.2 and not the namespace's own 10.77.0."
probe --dns www.example.test --hidden --nat-source 198.51.100.99 | grep -q 'sees 198.51.100.2, expected 198.51.100.99'
probe --dns no.example.test --hidden | grep -q 'knows no.example.test'
nft delete table inet linuxnet_lab
probe --dns www.example.test --hidden | grep -q 'no connection to 203.0.113.10:80'

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
test -z "$(ip netns list)"
