#!/usr/bin/env bash
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck shell=bash
# For the runme.sh of a role or playbook: everything happens in a sandbox with a simulated Internet, so that no host is changed.

set -eu

if [ "${LINUXNET_OUTSIDE_SERVER:-}" = "" ]; then
    root="${ANSIBLE_COLLECTIONS_PATH%%:*}/ansible_collections/linuxnet/netns"
    exec python "${root}/tools/sandbox.py" --outside exec -- "$0" "$@"
fi

export ANSIBLE_LOCALHOST_WARNING=False ANSIBLE_INVENTORY_UNPARSED_WARNING=False ANSIBLE_HOST_PATTERN_MISMATCH=error
log="$(mktemp)"
trap 'rm -f "${log}"' EXIT

# Run a playbook that must end well with so many changed tasks.
changed() {
    expected="$1"
    shift
    echo "---- $*: ${expected} changed"
    ansible-playbook -i localhost, -c local -e "ansible_python_interpreter=$(command -v python)" "$@" | tee "${log}"
    if ! grep -Eq "^localhost +: ok=[0-9]+ +changed=${expected} +unreachable=0 +failed=0 " "${log}"; then
        echo "FATAL: expected changed=${expected} of: $*"
        exit 1
    fi
}

# Check mode says what a run then does, and the second run has nothing to do.
three_steps() {
    expected="$1"
    shift
    changed "${expected}" "$@" --check
    changed "${expected}" "$@"
    changed 0 "$@"
}
