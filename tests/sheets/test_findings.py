"""Duplicates, null keys and missing files are counted and shown, never dropped."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sheets.models import Sheet
from sheets.reading import Few, get_item, inspect, iter_items
from tests.sheets.conftest import Table
from workbench.problems import Invalid

Boards = Callable[..., Sheet]
VOLUME = "/Volumes/shop/raw/pictures"


def test_a_sound_sheet_has_only_its_missing_files(boards: Boards) -> None:
    findings = inspect(boards())
    assert findings.row_count == 4 and findings.blocking == []
    assert findings.missing_files == {VOLUME: Few(2, ["b10", "c3"])}


def test_duplicates_are_counted_with_the_first_few(boards: Boards, table: Table) -> None:
    table("shop.raw.boards", {"board_id": ["a1", "a1", "b2"]})
    findings = inspect(boards())
    assert findings.duplicates == Few(2, ["a1", "b2"])
    assert "2 item_refs stand more than once (first: 'a1', 'b2')" in findings.blocking[0]
    with pytest.raises(Invalid, match="'a1' more than once"):
        list(iter_items(boards()))
    with pytest.raises(Invalid, match="'b2' more than once"):
        get_item(boards(), "b2")


def test_a_repeated_key_behind_the_edge_of_a_page_is_seen(boards: Boards, table: Table) -> None:
    table("shop.raw.boards", {"board_id": ["b10"]})
    assert [item.ref for item in iter_items(boards(), limit=1)] == ["a1"]
    with pytest.raises(Invalid, match="'b10'"):
        list(iter_items(boards(), after="a1", limit=2))


def test_a_joined_table_with_two_rows_for_a_key_makes_duplicates(boards: Boards, table: Table) -> None:
    table("shop.raw.notes", {"board_id": ["a1"], "note": ["second"]})
    assert inspect(boards()).duplicates == Few(1, ["a1"])


@pytest.mark.parametrize("missing", [None, ""])
def test_an_item_without_a_key_is_counted(boards: Boards, table: Table, missing: str | None) -> None:
    table("shop.raw.boards", {"board_id": [missing, "z"]})
    findings = inspect(boards())
    assert (findings.row_count, findings.null_keys) == (6, 1)
    assert "1 items have no item_ref" in findings.blocking[0]
    with pytest.raises(Invalid, match="without board_id"):
        list(iter_items(boards()))
