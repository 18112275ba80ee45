# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Why a check of a probe failed: the layer at fault, found by asking the kernel along the packet's way."""

from __future__ import annotations

import errno
import time

from . import probe_names
from .errors import NetnsError
from .host import Host
from .probe_causes import Cause
from .probe_chains import Packet
from .probe_facts import Facts
from .probe_options import Check, Place
from .probe_talk import Answer, Failed, drive
from .probe_tries import echo
from .probe_walk import Walk
from .values import place

_LEAST = {4: 68, 6: 1280}
_PATIENCE = 1.0  # seconds for an echo of a search
_STEPS = 12  # sizes that are tried at once


def blame(host: Host, facts: Facts, check: Check, failed: Failed) -> Cause:
    """The cause of a failure; where none is found it says how far the packets came."""
    if failed.layer:
        return Cause(failed.layer, "", failed.remedy)
    if failed.to is None:
        return Cause("no_answer", "", "try again")
    if failed.protocol == "udp" and probe_names.is_stub(check, failed.to):
        return Cause("dns_stub", *probe_names.stub(check, failed.to))
    try:
        return _found(host, facts, check, failed, failed.to)
    except NetnsError as exc:  # what is looked at may go away meanwhile
        return Cause("no_answer", f"the cause could not be looked for: {exc}", "try again")


def _found(host: Host, facts: Facts, check: Check, failed: Failed, to: Place) -> Cause:
    cause = _too_big(facts, check, failed, to) or (_search(host, check, to, check.size) if check.kind == "mtu" else None)
    if cause:
        return cause
    if failed.connected:
        lost = _search(host, check, to, _device_mtu(facts, check, to))
        return lost or Cause("no_answer", f"the way to {to.host} is fine, but its server says nothing", "look at the server")
    there = Walk(facts, _packet(failed, to), to.zone)
    cause = there.run(check.netns)
    if failed.number == errno.ECONNREFUSED and (cause is None or cause.layer != "dropped"):
        return _refused(failed, to)
    if cause:
        return cause
    back = Walk(facts, there.packet.reply(), "", there)
    if there.arrived is not None:
        cause = back.run(there.arrived)
    elif there.left:
        cause = back.run(there.left[0], there.left[1])
    return cause or there.suspect or back.suspect or _unknown(failed, there, to)


def _packet(failed: Failed, to: Place) -> Packet:
    icmp = "icmpv6" if to.version == 6 else "icmp"
    protocol = icmp if failed.protocol == "icmp" else failed.protocol
    return Packet(to.version, "", to.host, protocol, dport=to.port or None, kind="echo-request" if protocol == icmp else "")


def _refused(failed: Failed, to: Place) -> Cause:
    what = "UDP" if failed.protocol == "udp" else "TCP"
    return Cause(
        "refused", f"{to.host} was reached, but nothing listens on its {what} port {to.port}", "start the service, or correct the port"
    )


def _unknown(failed: Failed, there: Walk, to: Place) -> Cause:
    """Nothing wrong was found on this host."""
    if failed.number == errno.EPERM:
        return Cause("dropped", "the kernel does not let the packet out (EPERM), which an output chain does that drops it", "look at those")
    by = failed.told.by if failed.told else ""
    if by and by != to.host:
        layer = "no_route" if failed.number == errno.ENETUNREACH else "no_answer"
        return Cause(layer, f"the packets came to {by}, which does not pass them on to {to.host}", f"look at the routes and rules of {by}")
    if there.left is None:
        where = f"up to its end {place(there.arrived)} " if there.arrived is not None else ""
        return Cause("no_answer", f"nothing wrong was found on the way {where}and back", f"look at what answers at {to.host}")
    netns, dev, hop = there.left
    text = f"the packets leave by {dev} {place(netns)}" + (f" towards {hop}" if hop != to.host else "")
    source = there.packet.source
    if there.packet.iif and not there.translations:
        text += f" with the source address {source}, which nobody translates"
        return Cause("no_answer", text, f"make sure that a route leads back to {source} from there, or translate it (netns_nat)")
    return Cause("no_answer", text + ", and nothing comes back", "look at what is behind it")


# --- path MTU


def _too_big(facts: Facts, check: Check, failed: Failed, to: Place) -> Cause | None:
    """Somebody says by himself what would pass."""
    if failed.number != errno.EMSGSIZE:
        return None
    said = failed.told.info if failed.told and failed.told.info else 0
    if failed.told and failed.told.by:
        size = f"{said} bytes" if said else "less"
        return Cause(
            "path_mtu", f"{failed.told.by} passes on packets of {size} at most", "lower the MTU of the interface or of the route to that"
        )
    device = _device(facts, check, to)
    link = facts.link(check.netns, device)
    name = f"interface {device} {place(check.netns)}" if device else "the interface"
    return Cause("path_mtu", f"the MTU of {name} is {link.mtu if link else said}", "raise it, or ask for a smaller size")


def _device(facts: Facts, check: Check, to: Place) -> str:
    route = facts.route(check.netns, to.host, oif=to.zone)
    return "" if isinstance(route, NetnsError) or not route.devices else route.devices[0]


def _device_mtu(facts: Facts, check: Check, to: Place) -> int:
    link = facts.link(check.netns, _device(facts, check, to))
    return (link.mtu if link else None) or 0


def _pass(host: Host, check: Check, to: Place, sizes: list[int]) -> list[bool]:
    until = time.monotonic() + min(check.timeout, _PATIENCE)
    return [isinstance(found, Answer) for found in drive([echo(host, check, to, until, size) for size in sizes])]


def _search(host: Host, check: Check, to: Place, size: int) -> Cause | None:
    """The greatest packet that passes, where small ones do and one of ``size`` does not."""
    low, high = _LEAST[to.version], size
    if high <= low or _pass(host, check, to, [low, high]) != [True, False]:
        return None
    while high - low > 1:
        sizes = sorted({low + max(1, (high - low) * number // (_STEPS + 1)) for number in range(1, _STEPS + 1)} - {high})
        found = _pass(host, check, to, sizes)
        low = max([low, *(size for size, passed in zip(sizes, found) if passed)])
        high = min([high, *(size for size, passed in zip(sizes, found) if not passed and size > low)])
    text = f"packets to {to.host} of up to {low} bytes pass, greater ones are lost on the way"
    return Cause("path_mtu", text, f"set the MTU of the interface or of the route to {low}")
