# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""How another program is run: by whoever starts the engine, who knows how his surroundings want it done."""

from __future__ import annotations

import typing as t


class Ended(t.NamedTuple):
    """A program that has run."""

    status: int
    output: str
    errors: str


# The words of the command, its standard input, and what is to be added to its environment.
Runner = t.Callable[[t.Sequence[str], str, t.Mapping[str, str]], Ended]

_runner: Runner | None = None


def use(runner: Runner) -> None:
    """Run programs by ``runner`` from now on. It must start them from the calling thread, whose namespace they inherit."""
    global _runner
    _runner = runner


def run(words: t.Sequence[str], text: str = "") -> Ended:
    """Run a program to its end; its messages are in English."""
    if _runner is None:
        raise RuntimeError("whoever starts the engine has to say how programs are run: programs.use(...)")
    return _runner(words, text, {"LC_ALL": "C"})
