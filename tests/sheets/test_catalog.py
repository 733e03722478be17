"""Browsing: what any tool put under the lakehouse directory, with types, comments and tags."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from rest_framework.test import APIClient

from sheets import catalog
from sheets.names import TableName
from workbench.problems import NotFound

NAME = TableName("shop", "raw", "boards")
pytestmark = pytest.mark.usefixtures("boards")


def test_the_way_from_catalogs_to_columns(api: APIClient) -> None:
    names = [entry["name"] for entry in api.get("/api/v1/catalog").json()["catalogs"]]
    assert "shop" in names and "system" not in names
    assert [entry["name"] for entry in api.get("/api/v1/catalog/shop").json()["schemas"]] == ["raw"]
    schema = api.get("/api/v1/catalog/shop/raw").json()
    assert [entry["full_name"] for entry in schema["tables"]] == ["shop.raw.boards", "shop.raw.notes"]
    assert [entry["path"] for entry in schema["volumes"]] == ["/Volumes/shop/raw/pictures"]
    table = api.get("/api/v1/catalog/shop/raw/boards").json()
    assert [(column["name"], column["type"]) for column in table["columns"]][:2] == [
        ("board_id", "string"),
        ("line", "int"),
    ]
    assert {"board_id": "b10", "line": 1, "defect": None} in table["preview"]


def test_tags_and_comments_are_shown_where_they_were_set(sql: Callable[..., Any]) -> None:
    sql("ALTER TABLE shop.raw.boards SET TAGS ('PII' = '', 'owner' = 'quality')")
    sql("ALTER TABLE shop.raw.boards ALTER COLUMN defect SET TAGS ('PHI' = 'yes')")
    sql("COMMENT ON TABLE shop.raw.boards IS 'Boards of the line'")
    found = catalog.table(NAME)
    assert (found["comment"], found["tags"]) == ("Boards of the line", {"PII": "", "owner": "quality"})
    assert {column["name"]: column["tags"] for column in found["columns"]}["defect"] == {"PHI": "yes"}
    tables = {entry["name"]: entry["tags"] for entry in catalog.tables("SHOP", "Raw")}
    assert tables == {"boards": {"PII": "", "owner": "quality"}, "notes": {}}


def test_the_level_that_does_not_exist_is_named(api: APIClient) -> None:
    with pytest.raises(NotFound, match=r"no catalog 'shp'. Did you mean 'shop'"):
        catalog.schemas("shp")
    with pytest.raises(NotFound, match=r"no schema 'row' in catalog 'shop'. Did you mean 'raw'"):
        catalog.tables("shop", "row")
    with pytest.raises(NotFound, match=r"'shop.row.boards': There is no schema 'row'"):
        catalog.describe(TableName("shop", "row", "boards"))
    with pytest.raises(NotFound, match=r"no catalog 'shp'"):
        catalog.describe(TableName("shp", "raw", "boards"))
    answer = api.get("/api/v1/catalog/shop/raw/board")
    assert answer.status_code == 404
    assert "Did you mean 'shop.raw.boards'" in answer.json()["error"]["message"]


def test_a_table_that_cannot_be_read_hides_no_other(lakehouse: Path, api: APIClient) -> None:
    (lakehouse / "shop/raw/broken/_delta_log").mkdir(parents=True)
    tables = {entry["name"]: entry["comment"] for entry in api.get("/api/v1/catalog/shop/raw").json()["tables"]}
    assert tables.keys() == {"boards", "broken", "notes"}
    assert "no Delta table" in tables["broken"]
    answer = api.get("/api/v1/catalog/shop/raw/broken")
    assert (answer.status_code, "no Delta table" in answer.json()["error"]["message"]) == (400, True)
    assert api.get("/api/v1/catalog/shop/raw/boards").status_code == 200


def test_a_preview_holds_what_json_cannot(table: Callable[..., Any], api: APIClient) -> None:
    table("shop.raw.odd", {"b": [b"\xff\x00"], "f": [float("nan")], "d": pa.array(["1.50"]).cast(pa.decimal128(9, 2))})
    assert api.get("/api/v1/catalog/shop/raw/odd").json()["preview"] == [{"b": "/wA=", "f": "nan", "d": "1.50"}]


def test_a_preview_is_at_most_fifty_rows(table: Callable[..., Any]) -> None:
    table("shop.raw.many", {"id": list(range(80))})
    assert len(catalog.preview(TableName("shop", "raw", "many"), limit=1_000)) == 50


def test_the_files_of_a_volume(api: APIClient) -> None:
    found = api.get("/api/v1/catalog/shop/raw/volumes/pictures").json()
    assert (found["count"], found["files"][0]["path"]) == (3, "/Volumes/shop/raw/pictures/a1.jpg")
    assert api.get("/api/v1/catalog/shop/raw/volumes/picture").status_code == 404
