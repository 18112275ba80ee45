#!/usr/bin/env bash
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck source=../setup_role_steps/steps.sh
. ../setup_role_steps/steps.sh

root="${ANSIBLE_COLLECTIONS_PATH%%:*}/ansible_collections/linuxnet/netns"
work="$(mktemp -d)"
rm "${log:?}"
log="${work}/log"
trap 'rm -rf "${work}"' EXIT

refused() {
    sentence="$1"
    shift
    if ansible-playbook -i localhost, -c local -e "ansible_python_interpreter=$(command -v python)" linuxnet.netns.diagram "$@" > "${log}" 2>&1; then
        echo "FATAL: not refused: $*"
        exit 1
    fi
    # indented: a play that fails as it should is not to be counted among those that should not
    sed 's/^/    | /' "${log}"
    tr -s ' \n' ' ' < "${log}" | grep -qF "${sentence}"
}

# ---- without graphviz it says so and asks no host. A dot that fails stands for one that is not there.
if command -v dot > /dev/null; then
    mkdir "${work}/bin"
    printf '#!/bin/sh\nexit 127\n' > "${work}/bin/dot"
    chmod +x "${work}/bin/dot"
    PATH="${work}/bin:${PATH}" refused "install graphviz there (Debian, Fedora: the package graphviz)" -e "diagram_file=${work}/no.svg"
else
    refused "install graphviz there (Debian, Fedora: the package graphviz)" -e "diagram_file=${work}/no.svg"
    echo 'msg: SKIPPED: graphviz is not installed'
    exit 0
fi
test ! -e "${work}/no.svg"

# ---- a topology in a file, by the command that stands in it: the picture of README.md is that one
(
    cd "${root}" || exit
    eval "$(sed -n 's/^# *ansible-playbook/changed 1/p' docs/diagram.yml | sed "s|=docs/diagram.svg|=${work}/file.svg|")"
)
python check.py same "${root}/docs/diagram.svg" "${work}/file.svg"
refused "netns_topology does not take it: missing required arguments: name found in veths" -e '{"diagram_topology": {"veths": [{}]}}'

# ---- a live host: nothing is changed on it, and the picture has what there is
ip link add enp2s0 type veth peer name lan0
ansible-playbook -i localhost, -c local -e "ansible_python_interpreter=$(command -v python)" build.yml -e "root=${root}"
ip netns add by-hand
ip -n by-hand link add br7 type bridge
look() {
    for namespace in '' web db camera by-hand; do
        ip ${namespace:+-n} ${namespace:+"${namespace}"} -json address
        ip ${namespace:+-n} ${namespace:+"${namespace}"} -json route
    done
    nft -j list ruleset
}
# link-local addresses come a moment after their devices: what is compared has to be at rest
for _try in 1 2 3 4 5 6 7 8 9 10; do
    look > "${work}/before"
    sleep 1
    if look | diff -q "${work}/before" - > /dev/null && ! grep -q '"tentative":true' "${work}/before"; then
        break
    fi
done
(
    cd "${work}" || exit
    changed 1 linuxnet.netns.diagram --check
    test ! -e localhost.svg
    changed 1 linuxnet.netns.diagram
    changed 0 linuxnet.netns.diagram
    changed 1 linuxnet.netns.diagram -e '{"diagram_namespaces": ["web"], "diagram_file": "web.svg", "diagram_host": "gateway"}'
)
look | diff "${work}/before" -
python check.py texts "${work}/localhost.svg" localhost web db camera by-hand br-shop br-lan web-eth0 camera-eth0 10.77.0.10/24 fd77::11/64 \
    'NAT shop' br7 enp2s0 lan0 uplink0 outside
python check.py texts "${work}/web.svg" gateway web br-shop 10.77.0.10/24
python check.py lacks "${work}/web.svg" by-hand 10.77.0.11/24

# ---- any name, and many namespaces
python check.py any "${ANSIBLE_COLLECTIONS_PATH%%:*}"
