#!/usr/bin/env bash
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck source=../setup_role_steps/steps.sh
. ../setup_role_steps/steps.sh

# What must come back: addresses with labels, a secondary one, routes of every sort, the MAC address.
ip link set uplink0 mtu 1400
ip address add 198.51.100.77/24 dev uplink0 label uplink0:1
ip route add 192.0.2.0/24 via 198.51.100.1 metric 7 proto 42 src 198.51.100.77
ip route add 100.64.0.0/10 via 198.51.100.1 table 77
python state.py > before.txt

changed 1 build.yml --check
python state.py | diff before.txt -
python held.py ansible-playbook -i localhost, -c local -e "ansible_python_interpreter=$(command -v python)" undone.yml
python state.py | diff before.txt -
test -z "$(ip netns list)"
python held.py ansible-playbook -i localhost, -c local -e "ansible_python_interpreter=$(command -v python)" build.yml
changed 0 build.yml
changed 0 look.yml
changed 0 errors.yml

changed 1 remove.yml -e bridged_network_name=tbr --check
python held.py ansible-playbook -i localhost, -c local -e "ansible_python_interpreter=$(command -v python)" remove.yml \
    -e bridged_network_name=tbr
changed 0 remove.yml -e bridged_network_name=tbr
python state.py | diff before.txt -

ip link add spare0 type veth peer name spare1
three_steps 1 spare.yml
changed 0 look_spare.yml
three_steps 1 remove.yml -e bridged_network_name=tsp
python state.py | diff before.txt -
echo "All is back: ok"
