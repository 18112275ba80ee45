#!/usr/bin/env bash
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck source=../setup_role_steps/steps.sh
. ../setup_role_steps/steps.sh

ip link set uplink0 mtu 1400
sysctl --values --pattern 'forwarding$' --all > before.txt

three_steps 1 build.yml
changed 0 look.yml
ip route add 100.64.9.128/25 via 198.51.100.1
changed 0 errors.yml
changed 3 stays.yml
changed 0 undone.yml

three_steps 1 remove.yml
changed 0 gone.yml
sysctl --values --pattern 'forwarding$' --all > after.txt
diff before.txt after.txt
