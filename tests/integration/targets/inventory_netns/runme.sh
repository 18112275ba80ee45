#!/usr/bin/env bash
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck source=../setup_role_steps/steps.sh
. ../setup_role_steps/steps.sh

work="$(mktemp -d)"
rm "${log:?}"
log="${work}/log"
trap 'rm -rf "${work}"' EXIT
root="${ANSIBLE_COLLECTIONS_PATH%%:*}/ansible_collections/linuxnet/netns"

# An ssh that reaches nobody and leaves a trace.
export TRACE_SSH="${work}/ssh" ANSIBLE_INVENTORY_CACHE_CONNECTION="${work}/cache"
printf '#!/bin/sh\ntouch "%s"\necho "ssh: nobody is there" >&2\nexit 255\n' "${work}/touched" > "${TRACE_SSH}"
chmod +x "${TRACE_SSH}"

ip netns add blue
ip netns add '{{ 1+1 }}'
touch /run/netns/stale
ansible -i localhost, -c local -e "ansible_python_interpreter=$(command -v python)" localhost -m linuxnet.netns.netns_topology \
    -a '{"name": "nat_network.lab", "namespaces": [{"name": ["red"]}]}'

list() {
    what="$1"
    shift
    ansible-inventory -i hosts "$@" --list > "${work}/${what}.json" 2> "${work}/${what}.err"
    cat "${work}/${what}.err"
}

# ---- static: no host is touched
list static -i static.netns.yml
test ! -e "${work}/touched"

# ---- live: asked, once; what is new since then is seen by who does not want the cache
list live -i live.netns.yml
test -e "${work}/touched"
ip netns add new
list cached -i live.netns.yml
list flushed -i live.netns.yml --flush-cache

python check.py "${work}"

# ---- what is wrong is said in one sentence
refused() {
    sentence="$1"
    printf 'plugin: linuxnet.netns.netns\n%s\n' "$2" > "${work}/bad.netns.yml"
    if ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=true ansible-inventory -i hosts -i "${work}/bad.netns.yml" --list > "${log:?}" 2>&1; then
        echo "FATAL: not refused: $2"
        exit 1
    fi
    # Ansible breaks lines where it likes
    if ! tr -s ' \n' ' ' < "${log}" | grep -qF "${sentence}"; then
        cat "${log}"
        echo "FATAL: not said: ${sentence}"
        exit 1
    fi
}
refused "there is nothing to do: list namespaces by host in 'namespaces', or hosts to ask in 'hosts'" 'strict: true'
refused "hosts: 'r9' is not a host or a group of the inventory as it was read up to here: correct the name" 'hosts: [r9]'
refused "namespaces: 'routers' is not a host of the inventory as it was read up to here: correct the name" 'namespaces: {routers: [blue]}'
refused "the namespaces of host 'r2' are left out: " $'hosts: [r2]\nstrict: true'
refused "namespace 'taken' of host 'r1' is left out: the inventory has a host 'r1_taken' already" $'namespaces: {r1: [taken]}\nstrict: true'

# ---- the examples of the documentation
python - "${root}" "${work}" <<'END'
import ast, pathlib, sys, yaml
tree = ast.parse(pathlib.Path(sys.argv[1], "plugins/inventory/netns.py").read_text(encoding="utf-8"))
text = next(node.value.value for node in tree.body if getattr(getattr(node, "targets", [None])[0], "id", "") == "EXAMPLES")
for number, example in enumerate(yaml.safe_load_all(text)):
    example.pop("cache", None)
    pathlib.Path(sys.argv[2], f"{number}.netns.yml").write_text(yaml.safe_dump(example), encoding="utf-8")
END
ansible-inventory -i "${work}/0.netns.yml" --graph netns_topology_lab | tee "${log}"
grep -q -- '--localhost_green' "${log}"
ansible-inventory -i hosts -i "${work}/1.netns.yml" --graph netns_name_red 2>&1 | tee "${log}"
grep -q -- '--r1_red' "${log}"

sed -n '/^cat > lab.netns.yml/,/^ansible-inventory/p' "${root}/README.md" > "${work}/shown"
(cd "${work}" && sh -e shown) | tee "${log}"
grep -q -- '--localhost_red' "${log}"

# ---- into the namespaces; as a template one of them would be 2, which there is not
if [ -e "${root}/plugins/become/netns.py" ]; then
    ansible -i hosts -i live.netns.yml 'netns:!r1_elsewhere' -m ansible.builtin.command -a 'ip netns identify' | tee "${log}"
    for namespace in blue red '{{ 1+1 }}'; do
        grep -qxF "${namespace}" "${log}"
    done
else
    echo 'msg: SKIPPED: the collection has no become plugin that enters a namespace'
fi
