"""Source data that another tool wrote: boards with notes and pictures, in the catalog `shop`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from sheets.models import Sheet

Table = Callable[[str, dict[str, Any]], None]
BOARDS = {
    "board_id": ["b2", "b10", "a1", "c3"],
    "line": pa.array([2, 1, 3, 4], pa.int32()),
    "defect": ["scratch", None, "none", "scratch"],
}
NOTES = {"board_id": ["a1", "b10"], "note": ["fine", "look again"], "line": ["north", "south"]}
SOURCES = [
    {"type": "table", "table": "shop.raw.notes", "join_key": "board_id"},
    {"type": "volume", "path": "/Volumes/shop/raw/pictures", "join_key": "board_id"},
]


@pytest.fixture
def table(lakehouse: Path) -> Table:
    """Writes a Delta table under a three-level name, as any Delta writer does."""

    def write(name: str, columns: dict[str, Any]) -> None:
        write_deltalake(lakehouse / name.replace(".", "/"), pa.table(columns), mode="append", schema_mode="merge")

    return write


@pytest.fixture
def pictures(lakehouse: Path) -> Path:
    """The volume's directory: pictures of two boards, and a directory beside them."""
    directory = lakehouse / "Volumes/shop/raw/pictures"
    (directory / "old").mkdir(parents=True)
    (directory / "a1.jpg").write_bytes(b"jpeg of a1")
    (directory / "b2.jpg").write_bytes(b"jpeg of b2")
    (directory / "b2.txt").write_bytes(b"about b2")
    return directory


@pytest.fixture
def boards(table: Table, pictures: Path) -> Callable[..., Sheet]:
    """Makes an unsaved sheet over the boards; keyword arguments change it."""
    table("shop.raw.boards", BOARDS)
    table("shop.raw.notes", NOTES)

    def sheet(**changes: Any) -> Sheet:
        fields = {"primary_table": "shop.raw.boards", "secondary_sources": SOURCES, "join_keys": ["board_id"]}
        return Sheet(**{"name": "Boards", "created_by": "omar", **fields, **changes})

    return sheet
