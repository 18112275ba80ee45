# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What the zipped engine does when it is started: see ``--help``."""

from __future__ import annotations

import argparse
import os

from . import replay, watch


def main() -> int:
    """Returns the exit status: 1 if something could not be built."""
    parser = argparse.ArgumentParser(prog="engine.pyz", description="Build the networks that are saved under /var/lib/linuxnet-netns.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    again = verbs.add_parser("replay", help="build them now")
    again.add_argument("names", nargs="*", metavar="NAME", help="a topology; all of them if none is given")
    verbs.add_parser("watch", help="build them now, and again whenever somebody changes the nftables rules of this host")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("only root can build networks")
    if arguments.verb == "watch":
        watch.watch()
    return 1 if replay.replay(arguments.names) else 0
