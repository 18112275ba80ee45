# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

"""Files of this package are compiled once a run, not twice; to be imported before them.

A module comes to its target as a ZIP file of sources. Before Python imports one of them it asks the importer for the
file's name, and ``zipimport`` compiles the file to find that out, then compiles it again to run it: of a module for one
namespace that is a third of its run. The name follows from what the file is called in the archive.
"""

from __future__ import annotations

import os.path
import sys
import zipimport

_HERE = os.path.dirname(__file__)


class _Importer(zipimport.zipimporter):
    def get_filename(self, fullname: str) -> str:
        """Where a module's source is. Raises ZipImportError where there is no such module."""
        name = os.path.join(self.archive, self.prefix, fullname.rpartition(".")[2])
        return f"{name}{os.sep}__init__.py" if self.is_package(fullname) else f"{name}.py"


def _hook(path: str) -> _Importer:
    """For ``sys.path_hooks``: folders of this package that are in an archive; of others it is not."""
    if not path.startswith(_HERE):
        raise ImportError(f"{path} is somebody else's")
    return _Importer(path)


sys.path_hooks.insert(0, _hook)
# the folder of this very file has its importer since this file was found
sys.path_importer_cache.pop(_HERE, None)
