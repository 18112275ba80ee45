# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""What the engine raises. Every message is one sentence that names the object and what to do."""

from __future__ import annotations

import typing as t


class NetnsError(Exception):
    """Base of everything that a user is told: bad input, a refusal, or the kernel's own no.

    After partial work ``changes`` says what had been done, and ``rolled_back`` whether it was undone;
    ``recovered`` is what a killed run had left and this one took back before it began.
    """

    changes: t.Sequence[dict[str, t.Any]] = ()
    rolled_back: bool = False
    recovered: t.Sequence[dict[str, t.Any]] = ()


class InputError(NetnsError):
    """An option cannot be what was written; found before anything is read."""


class StateError(NetnsError):
    """The host is not in a state in which this can be done; found before anything is changed."""


class KernelError(NetnsError):
    """The kernel refused a request; ``errno`` is its number, the message carries its extack text."""

    def __init__(self, message: str, errno: int = 0) -> None:
        super().__init__(message)
        self.errno = errno


class MissingLibrary(NetnsError):
    """pyroute2 is needed for this run and is not there, or is too old."""


class ProbeError(NetnsError):
    """Checks of the network failed; ``results`` has all of them, those that passed too."""

    def __init__(self, message: str, results: t.Sequence[dict[str, t.Any]] = ()) -> None:
        super().__init__(message)
        self.results = results
