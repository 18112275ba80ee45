# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state directory: whole files, nobody else's, and a lock."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import store, store_files
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import StateError


@pytest.fixture(name="place")
def fixture_place(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(store, "DIRECTORY", str(tmp_path / "state"))
    return tmp_path / "state"


def modes(place: pathlib.Path) -> set[int]:
    return {file.stat().st_mode & 0o7777 for file in place.iterdir()}


@pytest.mark.parametrize("umask", [0, 0o22, 0o77, 0o777])
def test_nobody_else_reads_what_a_run_writes(place: pathlib.Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with store.locked():
            store_files.write("one", "text")
            store_files.append("one", " and more")
    finally:
        os.umask(before)
    assert place.stat().st_mode & 0o7777 == 0o700
    assert modes(place) == {0o600}
    assert store_files.read("one") == "text and more"


def test_a_file_is_of_this_host(place: pathlib.Path) -> None:
    with store.locked():
        store_files.write("one", "text")
    (place / "one.1").write_text("of another network namespace")
    inode = os.stat("/proc/self/ns/net").st_ino
    assert store_files.names() == ["one"]
    assert store.path("one") == f"{place}/one.{inode}"
    store_files.remove("one")
    assert (store_files.read("one"), store_files.names()) == (None, [])
    store_files.remove("one")
    assert (place / "one.1").exists()


def test_what_a_killed_writer_left_is_in_nobodys_way(place: pathlib.Path) -> None:
    with store.locked():
        (place / ".new").write_text("half")
        store_files.write("one", "whole")
    assert (store_files.read("one"), (place / ".new").exists()) == ("whole", False)


@pytest.mark.parametrize("umask", [0o700, 0o755])
def test_an_older_directory_is_closed(place: pathlib.Path, umask: int) -> None:
    place.mkdir(mode=umask)
    with store.locked():
        pass
    assert place.stat().st_mode & 0o7777 == 0o700


def others_directory(place: pathlib.Path) -> None:
    place.mkdir(mode=0o700)
    place.chmod(0o777)


def others_link(place: pathlib.Path) -> None:
    (place.parent / "elsewhere").mkdir()
    place.symlink_to(place.parent / "elsewhere")


@pytest.mark.parametrize("make", [others_directory, others_link, lambda place: place.write_text("")])
def test_a_directory_that_is_not_roots_alone_is_refused(place: pathlib.Path, make: t.Callable[[pathlib.Path], t.Any]) -> None:
    make(place)
    with pytest.raises(StateError, match="is not a directory of root's that only root can write to: remove it"), store.locked():
        pass


@pytest.mark.parametrize("name", ["lock", "one"])
@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/etc/passwd"), os.mkfifo, os.mkdir], ids=["link", "fifo", "directory"])
def test_a_file_that_is_none_is_refused(place: pathlib.Path, name: str, make: t.Callable[[pathlib.Path], t.Any]) -> None:
    place.mkdir(mode=0o700)
    path = place / "lock" if name == "lock" else pathlib.Path(store.path(name))
    make(path)
    with pytest.raises(StateError, match=f"{path} (cannot be opened|is not a plain file).*: remove it"), store.locked():
        store_files.read("one")


def test_who_only_looks_sees_whether_somebody_works(place: pathlib.Path) -> None:
    assert store.idle()
    with store.locked():
        assert not store.idle()
    assert store.idle()
