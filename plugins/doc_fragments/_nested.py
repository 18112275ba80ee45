# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Options written once and shown at two depths: as a module's own, and within an item of another option."""

from __future__ import annotations

import re
import textwrap

# The state belongs to the task and not to an item, wherever it is spoken of.
_REFERENCE = re.compile(r"\bO\((?!state[=)])")


def options(*texts: str) -> str:
    """The options of several fragments as one block, as deep as they stand in a fragment and without the line above them."""
    return "".join(text.split("options:\n", 1)[1] for text in texts)


def suboptions(path: str, block: str, depth: int) -> str:
    """A block of options as the suboptions of ``path``; what it says of its options points to where they are now."""
    return textwrap.indent(textwrap.dedent(_REFERENCE.sub(f"O({path}.", block)), " " * depth)
