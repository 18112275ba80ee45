# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Signals that end a program, told at a point where a run can be undone: never in the middle of a change."""

from __future__ import annotations

import contextlib
import signal
import threading
import typing as t

from .errors import NetnsError

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_received: list[int] = []


class Stopped(NetnsError):
    """Somebody wants the run to end."""


@contextlib.contextmanager
def deferred() -> t.Iterator[None]:
    """Within the block a signal is only noted, for ``check`` to tell."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    _received.clear()
    before = {number: signal.signal(number, _note) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            # None: it was set by something that is not Python, which cannot be set again from here
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _note(number: int, _frame: t.Any) -> None:
    _received.append(number)


def check() -> None:
    """Raise Stopped once a signal has come."""
    if _received:
        raise Stopped(f"stopped by {signal.Signals(_received.pop()).name}")
