#!/usr/bin/env bash
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck source=../setup_role_steps/steps.sh
. ../setup_role_steps/steps.sh

sysctl --values --pattern 'forwarding$' --all > before.txt

# the topology, and the engine
three_steps 2 build.yml
python comes_back.py
changed 0 build.yml

# the topology, and the folder with the engine
three_steps 2 remove.yml
test ! -e /var/lib/linuxnet-netns
sysctl --values --pattern 'forwarding$' --all > after.txt
diff before.txt after.txt

changed 0 refused.yml
