"""Items: joined, matched with files, in a stable order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from sheets.models import Sheet
from sheets.reading import Few, columns_of, count_items, get_item, inspect, iter_items
from tests.sheets.conftest import Table
from workbench.problems import Invalid, NotFound
from workbench.router import LAKEHOUSE

Boards = Callable[..., Sheet]


def refs(sheet: Sheet, **options: object) -> list[str]:
    return [item.ref for item in iter_items(sheet, **options)]  # type: ignore[arg-type]


def test_items_come_in_the_order_of_their_bytes(boards: Boards) -> None:
    items = list(iter_items(boards()))
    assert [(item.position, item.ref) for item in items] == [(0, "a1"), (1, "b10"), (2, "b2"), (3, "c3")]


def test_a_row_has_the_columns_of_both_tables_and_a_clash_is_named_by_its_table(boards: Boards) -> None:
    item = get_item(boards(), "b10")
    assert item.row == {"board_id": "b10", "line": 1, "defect": None, "note": "look again", "notes_line": "south"}
    assert item.position == 1
    assert columns_of(boards())["notes_line"] == "string"


def test_files_match_by_name_or_stem(boards: Boards, table: Table) -> None:
    assert [(file.path, file.size) for file in get_item(boards(), "b2").files] == [
        ("/Volumes/shop/raw/pictures/b2.jpg", 10),
        ("/Volumes/shop/raw/pictures/b2.txt", 8),
    ]
    assert get_item(boards(), "c3").files == []
    table("shop.raw.names", {"file": ["b2.jpg", "/Volumes/shop/raw/pictures/a1.jpg"]})
    source = {"type": "volume", "path": "/Volumes/shop/raw/pictures"}
    sheet = boards(primary_table="shop.raw.names", join_keys=["file"], secondary_sources=[source])
    assert [[file.name for file in item.files] for item in iter_items(sheet)] == [["a1.jpg"], ["b2.jpg"]]


def test_files_match_in_directories_and_by_whole_paths(boards: Boards, table: Table, pictures: Path) -> None:
    (pictures / "old/c3.jpg").write_bytes(b"jpeg of c3")
    (pictures / "u\u0308.jpg").write_bytes(b"decomposed, as macOS does")
    (pictures / "way").symlink_to("/etc")
    given = ["old/c3.jpg", "old/c3", "dbfs:/Volumes/shop/raw/pictures/old/c3.jpg", "\u00fc.jpg"]
    gone = ["old/none.jpg", "none/c3.jpg", "../raw/a1.jpg", "way/hostname", "/etc/hostname", "old/", "a1.jpg/x"]
    table("shop.raw.paths", {"id": range(12), "path": [*given, *gone, None]})
    source = {"type": "volume", "path": "/Volumes/shop/raw/pictures", "join_key": "path"}
    sheet = boards(primary_table="shop.raw.paths", join_keys=["id"], secondary_sources=[source])
    found = [[file.path.removeprefix(f"{source['path']}/") for file in item.files] for item in iter_items(sheet)]
    assert found == [["old/c3.jpg"], ["old/c3.jpg"], ["old/c3.jpg"], ["u\u0308.jpg"], *[[]] * 8]
    assert inspect(sheet).missing_files == {source["path"]: Few(7, gone[:5])}


def test_a_page_starts_behind_an_item(boards: Boards) -> None:
    items = list(iter_items(boards(), after="a1", limit=2, first_position=1))
    assert [(item.position, item.ref) for item in items] == [(1, "b10"), (2, "b2")]


def test_whole_numbers_keep_their_own_order(boards: Boards) -> None:
    sheet = boards(item_ref_column="LINE", secondary_sources=[])
    assert refs(sheet) == ["1", "2", "3", "4"]
    assert refs(sheet, after="2") == ["3", "4"]
    assert get_item(sheet, "3").row["board_id"] == "a1"
    for unknown in ("9", "03", "three", "1; DROP TABLE x"):
        with pytest.raises(NotFound, match="has no item"):
            get_item(sheet, unknown)


def test_the_filter_chooses_items(boards: Boards) -> None:
    sheet = boards(filter_condition="defect LIKE 'scr%' AND notes_line IS NULL")
    assert refs(sheet) == ["b2", "c3"]
    assert count_items(sheet) == 2
    with pytest.raises(NotFound, match="'a1'"):
        get_item(sheet, "a1")


def test_what_the_lakehouse_cannot_compare_is_the_filters_fault(boards: Boards) -> None:
    with pytest.raises(Invalid, match="cannot run the filter") as caught:
        count_items(boards(filter_condition="CAST(defect AS INT) > 5"))
    assert list(caught.value.fields) == ["filter_condition"]


def test_keys_of_different_types_meet(boards: Boards, table: Table) -> None:
    table("shop.raw.lines", {"line": ["1", "2", "none"], "hall": ["east", "west", ""]})
    sheet = boards(secondary_sources=[{"type": "table", "table": "shop.raw.lines", "join_key": "line"}])
    assert {item.ref: item.row["hall"] for item in iter_items(sheet)} == {
        "a1": None,
        "b10": "east",
        "b2": "west",
        "c3": None,
    }


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (pa.array([1, 2]), pa.array([2.0, 3.0])),
        (pa.array([1.0, 2.0]), pa.array([2, 3], pa.int32())),
        (pa.array([1, 2]), pa.array([Decimal("2.00"), Decimal("2.50")])),
        (pa.array([date(2026, 1, 1), date(2026, 1, 2)]), pa.array([datetime(2026, 1, 2, tzinfo=UTC), None])),
    ],
)
def test_keys_of_one_kind_meet_whatever_their_types(boards: Boards, table: Table, ours: Any, theirs: Any) -> None:
    table("shop.raw.visits", {"id": ["v1", "v2"], "key": ours})
    table("shop.raw.patients", {"key": theirs, "age": [40, 50]})
    sources = [{"type": "table", "table": "shop.raw.patients", "join_key": "key"}]
    sheet = boards(primary_table="shop.raw.visits", join_keys=["id"], secondary_sources=sources)
    assert [item.row["age"] for item in iter_items(sheet)] == [None, 40]
    assert inspect(sheet).missing_rows == {"shop.raw.patients": Few(1, ["v1"])}


def test_the_hash_follows_row_and_files(boards: Boards, pictures: object) -> None:
    before = get_item(boards(), "a1").hash
    assert get_item(boards(), "a1").hash == before
    assert get_item(boards(secondary_sources=[]), "a1").hash != before


def test_names_may_hold_what_sql_and_formatting_use(boards: Boards, table: Table) -> None:
    table("shop.raw.odd", {"id": ["x%s", "y`'?"], "50% off": [1, 2], "a`b": [True, False]})
    sheet = boards(
        primary_table="shop.raw.odd", join_keys=["id"], secondary_sources=[], filter_condition="`50% off` > 0"
    )
    assert refs(sheet) == ["x%s", "y`'?"]
    assert get_item(sheet, "y`'?").row == {"id": "y`'?", "50% off": 2, "a`b": False}


@pytest.mark.parametrize("ref", ["abc", "1.5", "01", "9" * 30])
def test_what_is_no_number_names_no_item_among_numbers(boards: Boards, table: Table, ref: str) -> None:
    table("shop.raw.numbered", {"id": [1, 2]})
    sheet = boards(primary_table="shop.raw.numbered", join_keys=["id"], secondary_sources=[])
    with pytest.raises(NotFound, match="has no item"):
        get_item(sheet, ref)
    with pytest.raises(Invalid, match="names no item"):
        list(iter_items(sheet, after=ref))


@pytest.mark.parametrize("window", [1, 2, 3, 4])
def test_items_are_the_same_in_windows_of_any_size(
    boards: Boards, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr("sheets.reading.WINDOW", window)
    assert [(item.position, item.ref) for item in iter_items(boards())] == [(0, "a1"), (1, "b10"), (2, "b2"), (3, "c3")]
    assert refs(boards(), limit=3) == ["a1", "b10", "b2"]
    assert refs(boards(), after="a1", first_position=1) == ["b10", "b2", "c3"]


def test_long_items_are_read_in_smaller_windows(boards: Boards, table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    table("shop.raw.long", {"id": [f"{n:02}" for n in range(24)], "body": ["x" * 1_000] * 24})
    sheet = boards(primary_table="shop.raw.long", join_keys=["id"], secondary_sources=[])
    monkeypatch.setattr("sheets.reading.FIRST", 4)
    monkeypatch.setattr("sheets.reading.WINDOW_SIZE", 8_000)
    monkeypatch.setattr("sheets.reading.MEASURED", 1)
    with CaptureQueriesContext(connections[LAKEHOUSE]) as statements:
        assert len(refs(sheet)) == 24
    assert [query["sql"].split(" LIMIT ")[1] for query in statements if " LIMIT " in query["sql"]] == [
        "4",
        "8",
        "8",
        "8",
    ]


@pytest.mark.parametrize("window", [1, 2, 3])
def test_a_repeated_item_is_seen_across_windows(
    boards: Boards, table: Table, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr("sheets.reading.WINDOW", window)
    table("shop.raw.boards", {"board_id": ["b10"]})
    with pytest.raises(Invalid, match="'b10' more than once"):
        refs(boards(secondary_sources=[]))
