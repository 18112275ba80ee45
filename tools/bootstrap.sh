#!/usr/bin/env bash
# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Makes .venv with nox in it, and sees to it that the programs which the lab and the tests call are there.
# Changes nothing where all of it is there already; needs root only to install a missing system package.

set -euo pipefail
cd "$(dirname "$0")/.."

# program and Debian package that brings it
PROGRAMS="ip:iproute2 nft:nftables ping:iputils-ping unshare:util-linux git:git"
# wanted by one check each, and worth no refusal: that check says what it has skipped
OPTIONAL="shellcheck:shellcheck dot:graphviz sudo:sudo ssh:openssh-client strace:strace iptables-nft:iptables"
TOOLS=("nox>=2026.4" "uv>=0.9" "antsibull-nox>=1.10,<2")

# nft and ip live in sbin, which is not on every user's PATH.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

die() {
    echo "bootstrap: $*" >&2
    exit 1
}

find_python() {
    local candidate minor
    for minor in 11 12 13 14; do
        # A pyenv shim of a version that is not active exists and fails, so each candidate is run once.
        for candidate in $(type -ap "python3.$minor" || true) "$HOME"/.pyenv/versions/3."$minor".*/bin/python3; do
            if "$candidate" -c "import sys; sys.exit(sys.version_info[:2] != (3, $minor))" 2>/dev/null; then
                echo "$candidate"
                return
            fi
        done
    done
}

install_packages() {
    [ "$#" -gt 0 ] || return 0
    [ "$(id -u)" -eq 0 ] || die "these Debian packages are missing, and only root can install them: $* (as root: apt-get install $*)"
    command -v apt-get >/dev/null || die "these packages are missing, and there is no apt-get to install them with: $*"
    echo "bootstrap: installing the missing system packages: $*"
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

missing=()
for entry in $PROGRAMS; do
    command -v "${entry%%:*}" >/dev/null || missing+=("${entry##*:}")
done

if [ "$(id -u)" -eq 0 ]; then
    for entry in $OPTIONAL; do
        command -v "${entry%%:*}" >/dev/null || missing+=("${entry##*:}")
    done
fi

python=$(find_python)
if [ -z "$python" ]; then
    missing+=(python3 python3-venv)
elif ! "$python" -c "import ensurepip" 2>/dev/null; then
    # Debian ships the venv module of its Python in a package of its own.
    missing+=("python3.$("$python" -c 'import sys; print(sys.version_info[1])')-venv")
fi
install_packages "${missing[@]}"
python=${python:-$(find_python)}
[ -n "$python" ] || die "no Python 3.11 or newer was found, and this distribution's python3 is older."

stamp=".venv/.tools"
if [ "$(cat "$stamp" 2>/dev/null)" != "${TOOLS[*]}" ] || ! .venv/bin/python -c "import nox" 2>/dev/null; then
    echo "bootstrap: making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "${TOOLS[@]}" 2>.venv/pip.log ||
        die "pip could not install ${TOOLS[*]}: $(tail -n 3 .venv/pip.log)"
    echo "${TOOLS[*]}" >"$stamp"
fi
