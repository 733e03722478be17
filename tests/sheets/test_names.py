"""Three-level names, read and quoted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheets.names import TableName, VolumeName, split_path
from workbench.problems import Invalid

part = st.text(min_size=1, max_size=12).filter(
    lambda text: text.strip() == text and text == text.lower() and not set(text) & set("./\\") and text.isprintable()
)


@given(part, part, part)
def test_a_quoted_name_reads_back_as_itself(catalog: str, schema: str, table: str) -> None:
    name = TableName(catalog, schema, table)
    assert TableName.parse(name.sql) == TableName.parse(name.text) == name


def test_names_are_kept_in_lower_case() -> None:
    assert str(TableName.parse("Shop.`Raw data`.BOARDS")) == "shop.raw data.boards"
    assert TableName.parse("Shop.`Raw data`.BOARDS").text == "shop.`raw data`.boards"
    assert str(VolumeName.parse("/Volumes/Shop/raw/Pictures/")) == "/Volumes/shop/raw/pictures"


@pytest.mark.parametrize(
    "text", ["", "boards", "raw.boards", "a.b.c.d", "a..c", "a.b.", "a.b.c d", "a.b.`c", "a.b.c; x", "`a.b`.c.d"]
)
def test_anything_but_three_levels_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="three levels"):
        TableName.parse(text)


def test_a_path_is_split_at_its_volume() -> None:
    assert split_path("/Volumes/c/s/v/2026/x.jpg") == (VolumeName("c", "s", "v"), "2026/x.jpg")
    for path in ("/etc/passwd", "Volumes/c/s/v", "/Volumes/c/s", "/volumes/c/s/v", "/Volumes/../s/v"):
        with pytest.raises(Invalid):
            split_path(path)
    with pytest.raises(Invalid, match="a place inside a volume"):
        VolumeName.parse("/Volumes/c/s/v/x")
