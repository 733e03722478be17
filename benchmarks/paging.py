"""A page of 50 pairs of one training sheet by the API, against DuckDB reading the same rows of the same files."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import duckdb
from deltalake import DeltaTable

from benchmarks.figures import Figure, p50, times
from benchmarks.invented import sheet_id
from benchmarks.stage import TABLES, opened

PAGE = 50
REPEAT = 20


def page_of_one(directory: Path, rows: int) -> Iterator[Figure]:
    """All pairs in one training sheet."""
    with opened(directory / f"one-{rows}") as lakehouse:
        yield from _pages("all in one", lakehouse, rows, sheet_id(0), rows)


def page_of_many(directory: Path, rows: int) -> Iterator[Figure]:
    """Training sheets of 1,000."""
    with opened(directory / f"many-{rows}") as lakehouse:
        yield from _pages("sheets of 1,000", lakehouse, rows, sheet_id(rows // 2000), min(rows, 1000))


def _pages(layout: str, lakehouse: Path, rows: int, sheet: str, size: int) -> Iterator[Figure]:
    from training.models import TrainingSheet

    TrainingSheet.objects.create(pk=sheet, name=layout, sheet_id=sheet, template_id=sheet, created_by="omar")
    places = {"first": 0, "middle": size // 2, "last": size - PAGE}
    cursors = {"middle": {"p": places["middle"] - 1}, "last": {"r": 1}}
    for place, start in places.items():
        cursor = b64encode(urlencode(cursors[place]).encode()).decode() if place in cursors else ""
        found = times(lambda _, cursor=cursor, start=start: _page(sheet, cursor, start), REPEAT)  # type: ignore[misc]
        reference = times(lambda _, start=start: _read(lakehouse, sheet, start), REPEAT)  # type: ignore[misc]
        yield Figure(f"page, {layout}, {place}", rows, p50(found), "ms", p50(reference), most=50)


def _page(sheet: str, cursor: str, start: int) -> None:
    """Ask the API, rendering included, and look whether it is the right page."""
    from django.contrib.auth.models import User
    from rest_framework.test import APIClient

    client = APIClient()
    client.force_authenticate(User(username="rosa", is_superuser=True))
    wanted = {"training_sheet": sheet, "page_size": str(PAGE)} | ({"cursor": cursor} if cursor else {})
    pairs = client.get("/api/v1/qa-pairs", wanted, SERVER_NAME="127.0.0.1").json()["results"]
    positions = [pair["position"] for pair in pairs]
    assert positions == list(range(start, start + PAGE)), positions


def _read(lakehouse: Path, sheet: str, start: int) -> None:
    table = DeltaTable(lakehouse / TABLES / "qa_pairs")
    files = table.file_uris(file_pruning_predicate=f"training_sheet_id = '{sheet}'")
    sql = f"SELECT * FROM read_parquet($files) WHERE position >= {start} ORDER BY position, id LIMIT {PAGE}"
    found = duckdb.sql(sql, params={"files": files})
    assert found is not None and found.to_arrow_table().num_rows == PAGE
