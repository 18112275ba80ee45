#!/usr/bin/env bash
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck source=../setup_role_steps/steps.sh
. ../setup_role_steps/steps.sh

# The kernel tells a process by the name of the file that it came from: all that is needed for one that only has to run.
managers="$(mktemp -d)"
cp "$(command -v sleep)" "${managers}/NetworkManager"
cp "$(command -v sleep)" "${managers}/systemd-networkd"
"${managers}/NetworkManager" 600 &
manager=$!
"${managers}/systemd-networkd" 600 &
other=$!
made=("${managers}" "${log:?}")
trap 'kill "${manager}" "${other}"; rm -rf "${made[@]}"' EXIT
export ANSIBLE_PIPELINING=True
mkdir -p /run/systemd/network /run/NetworkManager/conf.d

changed 0 findings.yml
changed 7 drop_ins.yml
