"""Files of a volume, and nothing outside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sheets.names import VolumeName
from sheets.volume import Volume, by_name_and_stem
from sheets.volumes import open_path, volume
from workbench.problems import Invalid, NotFound


@pytest.fixture
def found(pictures: Path) -> Volume:
    return volume(VolumeName("shop", "raw", "pictures"))


def test_files_are_listed_by_name(found: Volume) -> None:
    assert found.list_files() == ["a1.jpg", "b2.jpg", "b2.txt"]
    assert found.state("b2.jpg").size == 10
    with found.open("b2.jpg") as opened:
        assert opened.read() == b"jpeg of b2"


@pytest.mark.parametrize("file", ["../x", "a/../../x", "/etc/passwd", "a1.jpg\0", "..", "old/../../../raw/x"])
def test_a_path_out_of_the_volume_is_refused(found: Volume, file: str) -> None:
    for use in (found.open, found.state):
        with pytest.raises(Invalid, match="leads out of its volume"):
            use(file)


def test_a_link_out_of_the_volume_is_refused_and_not_listed(found: Volume, pictures: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    os.symlink(secret, pictures / "link.txt")
    os.symlink(tmp_path, pictures / "way")
    for file in ("link.txt", "way/secret.txt"):
        with pytest.raises(Invalid, match="leads out of its volume"):
            found.open(file)
    assert "link.txt" not in found.list_files()


def test_what_does_not_exist_is_named_with_its_near_misses(found: Volume) -> None:
    with pytest.raises(NotFound, match=r"Did you mean 'b2.jpg'"):
        found.open("b2.jpeg")
    with pytest.raises(NotFound, match="Did you mean '/Volumes/shop/raw/pictures'"):
        volume(VolumeName("shop", "raw", "picture"))
    for place in ("old", "old/none.jpg", "a1.jpg/x", "x" * 300):
        with pytest.raises(NotFound):
            found.open(place)
    with pytest.raises(Invalid, match="a whole volume"):
        open_path("/Volumes/shop/raw/pictures")


def test_a_new_file_is_there_at_once(found: Volume, pictures: Path) -> None:
    os.utime(pictures, (1, 1))
    assert "new" not in found.index() and "new" not in found.index()
    (pictures / "new.jpg").write_bytes(b"")
    assert found.index()["new"] == ["new.jpg"]


def test_a_stem_may_belong_to_several_files() -> None:
    index = by_name_and_stem([".profile", "a", "a.jpg", "a.tar.gz"])
    assert index["a"] == ["a", "a.jpg"] and index["a.tar"] == ["a.tar.gz"] and index[".profile"] == [".profile"]
