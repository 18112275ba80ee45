# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Namespaces as they are: whether they are there, who lives in them, what they resolve names by."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from . import namespaces, processes, resolver
from .host import Host
from .options import Wanted
from .resources import Namespace
from .state import Observed
from .values import HOST


def look(host: Host, state: Observed, wanted: Wanted) -> None:
    asked = [resource for resource in (*wanted.present, *wanted.absent) if isinstance(resource, Namespace)]
    inodes = {}
    for resource in asked:
        if resource.resolver is not None and resource in wanted.present:
            from . import resolver_writing

            resolver_writing.need_directory(resource.netns)
        if resource.pid is not None and resource.pid not in state.pid_inodes:
            fd = namespaces.pid_namespace(resource.pid)
            state.pid_inodes[resource.pid] = namespaces.inode_of(fd)
            os.close(fd)
        if state.places[resource.netns] == "missing":
            state.resolvers[resource.netns] = resolver.read_resolver(resource.netns)
            continue
        text = resolver.read_resolver(resource.netns)
        if state.places[resource.netns] != "there":
            state.found[resource.key] = Namespace(netns=resource.netns, stale=True, resolver=text)
            continue
        inode = namespaces.inode_of(host.fd(resource.netns))
        inodes[inode] = resource.key
        state.found[resource.key] = Namespace(
            netns=resource.netns,
            loopback=host.is_up(resource.netns, "lo"),
            nsid=host.nsid(HOST, resource.netns),
            resolver=text,
            inode=inode,
        )
    if inodes:
        for inode, pids in processes.processes(list(inodes)).items():
            namespace = t.cast(Namespace, state.found[inodes[inode]])
            state.found[namespace.key] = dataclasses.replace(namespace, pids=tuple(pids))
    state.doomed = _doomed(state, wanted)


def _doomed(state: Observed, wanted: Wanted) -> frozenset[str]:
    """The namespaces that nothing keeps from going."""
    going = [(wish, state.like(wish)) for wish in wanted.absent if isinstance(wish, Namespace) and wish.processes != "keep"]
    return frozenset(wish.netns for wish, found in going if found and not found.stale and not (found.pids and wish.processes == "fail"))
