"""What does not fit the lakehouse is named, with its near misses, and nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sheets.actions import create_sheet, update_sheet, validate_sheet
from sheets.models import Sheet
from sheets.reading import iter_items
from tests.sheets.conftest import SOURCES, Table
from workbench.problems import Conflict, Invalid

Boards = Callable[..., Sheet]
NOTES, PICTURES = SOURCES
FAULTS: list[tuple[str, Any, str]] = [
    ("name", "", "cannot be blank"),
    ("primary_table", "boards", "catalog.schema.table"),
    ("primary_table", "shop.raw.bords", "no table 'shop.raw.bords'. Did you mean 'shop.raw.boards'"),
    ("primary_table", "shop.rwa.boards", "no schema 'rwa' in catalog 'shop'. Did you mean 'raw'"),
    ("join_keys", ["bord_id"], "has no column 'bord_id'. Did you mean 'board_id'"),
    ("join_keys", [], "Nothing names an item"),
    ("join_keys", "board_id", "list of text"),
    ("item_ref_column", "lin", "Did you mean 'line'"),
    ("filter_condition", "line >> 1", "line 1, column"),
    ("filter_condition", "lines > 1", "line 1, column 1: The column 'lines' does not exist"),
    ("filter_condition", "line > (SELECT 1)", "subquery"),
    ("sample_size", 0, "1 to 2,147,483,647"),
    ("sample_size", 9_999_999_999, "1 to 2,147,483,647"),
    ("sample_size", -3, ""),
    ("secondary_sources", {"type": "table"}, "list of sources"),
    ("secondary_sources", ["notes"], "source 1: found 'notes'"),
    ("secondary_sources", [{"type": "file"}], '"table" or "volume"'),
    ("secondary_sources", [NOTES, {**NOTES, "join": "id"}], "source 2: join is not a key of a table"),
    ("secondary_sources", [{**NOTES, "table": "shop.raw.note"}], "source 1: There is no table 'shop.raw.note'"),
    ("secondary_sources", [{**NOTES, "join_key": "defect"}], "shop.raw.notes has no column 'defect'"),
    ("secondary_sources", [{**NOTES, "join_key": "note"}], "shop.raw.boards has no column 'note'"),
    ("secondary_sources", [{**NOTES, "join_key": 7}], "found the join_key 7"),
    (
        "secondary_sources",
        [{**PICTURES, "path": "/Volumes/shop/raw/picture"}],
        "Did you mean '/Volumes/shop/raw/pictures'",
    ),
    ("secondary_sources", [{**PICTURES, "path": "/etc"}], "a volume path is /Volumes/"),
    ("secondary_sources", [{**PICTURES, "join_key": ["board_id", "line"]}], "one join_key"),
]


@pytest.mark.parametrize(("field", "value", "words"), FAULTS)
def test_each_fault_is_told_of_its_field(boards: Boards, field: str, value: Any, words: str) -> None:
    fields = validate_sheet(boards(**{field: value}))
    assert list(fields) == [field]
    assert words in " ".join(fields[field])


def test_several_faults_are_told_at_once(boards: Boards) -> None:
    fields = validate_sheet(boards(join_keys=["nope"], filter_condition="nope > 1", secondary_sources=["x"]))
    assert set(fields) == {"join_keys", "secondary_sources"}
    assert set(validate_sheet(boards(item_ref_column="x", filter_condition="y"))) == {
        "item_ref_column",
        "filter_condition",
    }


def test_a_column_that_cannot_name_items_is_refused(boards: Boards, table: Table) -> None:
    table("shop.raw.floats", {"x": [1.5], "id": ["a"]})
    sheet = boards(primary_table="shop.raw.floats", join_keys=["id"], item_ref_column="x", secondary_sources=[])
    assert "text or whole numbers" in validate_sheet(sheet)["item_ref_column"][0]


def made(boards: Boards, **changes: Any) -> Sheet:
    sheet = boards(**changes)
    names = ("name", "primary_table", "secondary_sources", "join_keys", "filter_condition", "sample_size")
    return create_sheet({name: getattr(sheet, name) for name in names}, actor="omar")


def test_a_sheet_counts_its_items_when_it_is_made_and_changed(boards: Boards) -> None:
    sheet = made(boards)
    assert (sheet.row_count, sheet.created_by) == (4, "omar")
    update_sheet(sheet, {"filter_condition": "line > 2", "name": "Late boards"}, actor="omar")
    stored = Sheet.objects.get(pk=sheet.pk)
    assert (stored.row_count, stored.name) == (2, "Late boards")
    assert stored.updated_at > stored.created_at


def test_a_refused_change_changes_nothing(boards: Boards) -> None:
    sheet = made(boards)
    for data in (
        {"primary_table": "shop.raw.nope"},
        {"name": "x", "filter_condition": "CAST(defect AS INT) > 1"},
        {"id": "1"},
    ):
        with pytest.raises(Invalid):
            update_sheet(sheet, data, actor="omar")
    assert Sheet.objects.get(pk=sheet.pk).name == sheet.name == "Boards"
    with pytest.raises(Invalid):
        made(boards, name="Other", filter_condition="nope")
    assert Sheet.objects.count() == 1


def test_a_name_is_taken_once(boards: Boards) -> None:
    made(boards)
    other = made(boards, name="Other")
    with pytest.raises(Conflict, match="'Boards' already"):
        made(boards)
    with pytest.raises(Conflict, match="'Boards' already"):
        update_sheet(other, {"name": "Boards"}, actor="omar")


def test_a_source_that_went_away_is_told_when_items_are_read(boards: Boards, lakehouse: Any) -> None:
    sheet = made(boards)
    (lakehouse / "shop/raw/notes").rename(lakehouse / "shop/raw/remarks")
    with pytest.raises(Invalid, match=r"no table 'shop.raw.notes'") as caught:
        list(iter_items(sheet))
    assert list(caught.value.fields) == ["secondary_sources"]
