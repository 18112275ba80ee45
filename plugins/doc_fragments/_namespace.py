# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of a namespace."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  name:
    description:
      - Name of the namespace, or of several that are to be alike.
      - What a file name may be, without V(/).
    type: list
    elements: str
    required: true
  pid:
    description:
      - "Give the namespace that this process lives in the name O(name), as C(ip netns attach) does."
      - Without it a namespace that does not exist is made new.
      - A name that exists and stands for another namespace is refused.
    type: int
  loopback:
    description: Whether to bring the interface V(lo) up in it; V(false) leaves it as it is, which is down in a new namespace.
    type: bool
    default: true
  nsid:
    description:
      - The number by which the host's namespace knows it, as C(ip netns set) gives it.
      - The kernel cannot change a number once it is given, so that another one is refused.
    type: int
  nameservers:
    description:
      - Addresses of DNS servers, written to C(/etc/netns/NAME/resolv.conf) together with O(search) and O(resolver_options).
      - C(ip netns exec) and the become plugin show this file as C(/etc/resolv.conf).
      - If none of the three is given, the file is left as it is.
    type: list
    elements: str
  search:
    description: Domains in which DNS looks up names without a dot.
    type: list
    elements: str
  resolver_options:
    description: Options of the resolver, as in the C(options) line of C(resolv.conf).
    type: list
    elements: str
  processes:
    description:
      - What O(state=absent) does where processes still run in the namespace.
      - V(fail) refuses and names them.
      - V(keep) takes the name away and lets them live on in a namespace without a name, as C(ip netns delete) does.
      - V(kill) ends them first, with SIGTERM and after O(kill_timeout) with SIGKILL.
    type: str
    choices: [fail, keep, kill]
    default: fail
  kill_timeout:
    description: Seconds between SIGTERM and SIGKILL with O(processes=kill).
    type: int
    default: 10
"""
