# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The kernel's no, and what it means where its words alone do not say it."""

from __future__ import annotations

import errno
import typing as t

from .resources import Link, Namespace, Sysctl, Veth
from .resources_addresses import Address
from .resources_routes import Route

if t.TYPE_CHECKING:
    from .changes import Change
    from .rtnetlink import Failure

# ETH_MAX_MTU; what has no limit of its own takes more.
_COMMON_MAX_MTU = 65535


def explained(change: Change, failure: Failure) -> str:
    """The end of a sentence: the reason, and what to do about it where we know."""
    wish = change.after
    if isinstance(wish, Link) and failure.errno == errno.EOPNOTSUPP:
        return _unsupported(change, wish, failure)
    advice = _advice(wish, failure)
    return f"{failure}: {advice}" if advice else str(failure)


def _advice(wish: t.Any, failure: Failure) -> str:
    number = failure.errno
    if isinstance(wish, (Link, Veth)) and number == errno.EINVAL:
        ends = wish.ends if isinstance(wish, Veth) else (wish,)
        mtu = max((end.mtu or 0 for end in ends), default=0)
        return f"an mtu of {mtu} is more than most devices take, which is {_COMMON_MAX_MTU}" if mtu > _COMMON_MAX_MTU else ""
    if isinstance(wish, Link) and number == errno.EEXIST and failure.text:
        return f"correct {wish.link_kind}, which has to differ from that of the other device"
    if isinstance(wish, Namespace) and number == errno.EEXIST and "nsid" in failure.text:
        return f"choose another nsid than {wish.nsid}"
    if isinstance(wish, Address) and number == errno.EACCES and ":" in wish.address:
        return f"set the sysctl net.ipv6.conf.{wish.dev}.disable_ipv6 to 0 first"
    if isinstance(wish, Route) and number == errno.EINVAL and wish.src and ("prefsrc" in failure.text or "source" in failure.text):
        return f"add the address {wish.src} to a device there first, or correct src"
    if isinstance(wish, Route) and number == errno.ENETDOWN:
        return f"bring {' and '.join(filter(None, wish.devices)) or 'the device'} up first"
    if isinstance(wish, Sysctl):
        return _about_sysctl(wish, number)
    return ""


def _about_sysctl(wish: Sysctl, number: int) -> str:
    if number in (errno.EINVAL, errno.ERANGE):
        return f"the kernel does not take the value {wish.value!r}, correct it"
    if number == errno.ENOENT:
        return "there is no such setting there, correct its name"
    return "it can only be read there" if number in (errno.EACCES, errno.EPERM, errno.EROFS) else ""


def _unsupported(change: Change, link: Link, failure: Failure) -> str:
    created = change.action == "create"
    names = link.attributes() if created else change.differs
    asked = [name.replace("info.", f"{link.link_kind}.") for name in names if name.startswith(("info.", "port."))]
    # kernels before 5.5 do not say so, but they say the same of an attribute that was built without
    if created and (failure.text == "Unknown device type" or not (failure.text or asked)):
        from . import kinds

        module = kinds.MODULE.get(link.link_kind or "", link.link_kind)
        return f"this kernel has no links of kind {link.link_kind!r}: load the module {module}, or use a kernel that has it"
    if failure.text or not asked:
        return str(failure)
    return f"{failure}: this kernel does not have {'one of ' if len(asked) > 1 else ''}{', '.join(asked)}"
