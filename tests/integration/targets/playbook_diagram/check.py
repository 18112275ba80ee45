# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at what graphviz drew."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"
# What would be a tag, an entity, the end of a label, a comment, a line, an instruction, or no XML at all.
NAMES = [
    *(
        "blue",
        'a"b',
        "<b>",
        "</table>",
        "&amp;",
        "&#65;",
        "]",
        ">]",
        "];",
        "-->",
        "//x",
        "/*",
        "\\n",
        "\\",
        "new\nline",
        "tab\t",
        "\x1b[1m",
    ),
    *(
        "\x7f",
        "\ufffe",
        "\u202e",
        "Ümläut",
        "日本",
        "{{ 1 }}",
        "%d",
        " ",
        "  two  ",
        "subgraph",
        "strict graph",
        "'",
        "`",
        "|",
        "#fff",
        "n0:e",
    ),
]


def texts(svg):
    """What a reader sees; graphviz writes a text in several parts where its font changes."""
    return [element.text.strip("\xa0") for element in ET.fromstring(svg).iter(f"{SVG}text")]


def fail(sentence):
    sys.exit(f"FATAL: {sentence}")


def drawn(graph):
    done = subprocess.run(["dot", "-Tsvg"], input=graph, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode or done.stderr:
        fail(f"dot says {done.stderr!r}")
    return done.stdout


def any_name(collections):
    sys.path.insert(0, collections)
    from ansible_collections.linuxnet.netns.plugins.filter.topology_dot import topology_dot

    allowed = [name.replace("/", "") for name in NAMES]
    topology = {
        "namespaces": [{"name": allowed}],
        "links": [{"name": f"br {name}", "kind": "bridge"} for name in NAMES],
        "veths": [
            {"name": name, "netns": netns, "peer": {"name": f"port {name}", "master": f"br {name}"}} for netns, name in zip(allowed, NAMES)
        ],
        "addresses": [{"netns": netns, "dev": name, "address": [f"at {name}"]} for netns, name in zip(allowed, NAMES)],
        "nat": [{"name": name, "subnets": [name]} for name in NAMES],
    }
    found = texts(drawn(topology_dot(topology, '"<host>&')))
    for name in ("blue", 'a"b', "<b>", "&amp;", "&#65;", "];", "\\\\", "new\\nline", "\\x1b[1m", "\\ufffe", "Ümläut", "日本", "#fff"):
        for text in (name, f"br {name}", f"at {name}", f"NAT {name}"):
            if text.replace("\\\\", "\\") not in found:
                fail(f"{text!r} is not in the picture")
    names = [f"ns{number}" for number in range(60)]
    topology = {
        "links": [{"name": "br0", "kind": "bridge"}],
        "veths": [{"name": "eth0", "netns": name, "peer": {"name": f"{name}-eth0", "master": "br0"}} for name in names],
        "addresses": [{"netns": name, "dev": "eth0", "address": ["192.0.2.1/24", "2001:db8::1/64"]} for name in names],
    }
    svg = drawn(topology_dot(topology))
    if not {*names, *(f"{name}-eth0" for name in names)} <= {*texts(svg)}:
        fail("a namespace is missing")
    # on a screen: 60 below each other would be ten times as high as wide
    width, height = (float(ET.fromstring(svg).get(side).removesuffix("pt")) for side in ("width", "height"))
    if not 0.5 < width / height < 2:
        fail(f"60 namespaces take {width} by {height} points")


def main(what, *arguments):
    if what == "any":
        any_name(*arguments)
        return
    found = texts(pathlib.Path(arguments[0]).read_text(encoding="utf-8"))
    if what == "same":
        # the places of the letters depend on the fonts of the machine
        other = texts(pathlib.Path(arguments[1]).read_text(encoding="utf-8"))
        if sorted(found) != sorted(other):
            fail(f"{found} is not {other}: make docs/diagram.svg again, by the command in docs/diagram.yml")
    elif bad := [text for text in arguments[1:] if (text in found) != (what == "texts")]:
        fail(f"{bad} should {'not ' if what == 'lacks' else ''}be in {found}")


main(*sys.argv[1:])
