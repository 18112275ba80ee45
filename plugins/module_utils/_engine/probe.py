# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""A probe: checks from inside namespaces, all at once, and for each that fails the layer at fault. It changes nothing."""

from __future__ import annotations

import typing as t

from .errors import ProbeError
from .host import Host
from .probe_blame import blame
from .probe_facts import Facts
from .probe_options import Check, read
from .probe_talk import Answer, Failed, drive
from .probe_tries import attempts
from .values import HOST

__all__ = ["Check", "read", "run"]


def run(host: Host, checks: t.Sequence[Check]) -> list[dict[str, t.Any]]:
    """The results in the order of the checks. ProbeError names every check that failed and why, and has them too."""
    for check in checks:
        host.fd(check.netns)  # a namespace that is not there is no failed check
    found = drive([attempts(host, check) for check in checks])
    with Facts(host) as facts:
        results = [_result(host, facts, check, answer) for check, answer in zip(checks, found)]
    failed = [result["msg"] for result in results if not result["ok"]]
    if failed:
        count = f"{len(failed)} of {len(results)} checks failed: " if len(failed) > 1 else ""
        raise ProbeError(count + "; ".join(failed), results)
    return results


def _result(host: Host, facts: Facts, check: Check, answer: Answer | Failed) -> dict[str, t.Any]:
    result: dict[str, t.Any] = {
        "netns": None if check.netns == HOST else check.netns,
        "check": check.kind,
        "target": check.target,
        "ok": isinstance(answer, Answer),
        **dict.fromkeys(("milliseconds", "source", "answer", "layer", "msg")),
    }
    if isinstance(answer, Answer):
        return {**result, "milliseconds": round(answer.milliseconds, 2), "source": answer.source, "answer": answer.text or None}
    cause = blame(host, facts, check, answer)
    tries = f" in {check.retries + 1} tries" if check.retries else ""
    parts = [f"{check.describe()} failed{tries}", answer.reason, cause.text, cause.remedy]
    return {**result, "layer": cause.layer, "msg": ": ".join(part for part in parts if part)}
