#!/usr/bin/env bash
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The target become_netns with every way into a namespace instead of a few.

set -eu

cd ../become_netns
./runme.sh --all
