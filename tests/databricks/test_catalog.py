"""The catalog of a workspace: browsed by REST without a statement, with tags that may be forbidden."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from rest_framework.test import APIClient

from sheets.models import Sheet
from sheets.source_uses import uses_of
from tests.databricks.loopback import TOKEN, Loopback
from workbench import databases
from workbench.router import LAKEHOUSE

MADE = (
    "CREATE CATALOG shop COMMENT 'The shop'",
    "CREATE SCHEMA shop.raw",
    "CREATE SCHEMA shop.empty",
    "CREATE TABLE shop.raw.boards (id STRING NOT NULL COMMENT 'Its name', Price DECIMAL(9,2)) USING DELTA COMMENT 'Boards'",
    "CREATE TABLE shop.raw.notes (id STRING) USING DELTA",
    "CREATE VOLUME shop.raw.pictures",
    "ALTER CATALOG shop SET TAGS ('owner' = 'quality')",
    "ALTER TABLE shop.raw.boards ALTER COLUMN Price SET TAGS ('PII' = '')",
    "ALTER VOLUME shop.raw.pictures SET TAGS ('CONFIDENTIAL' = '')",
)
SHEET = Sheet(
    name="Boards",
    primary_table="shop.raw.boards",
    secondary_sources=[{"type": "volume", "path": "/Volumes/shop/raw/pictures", "join_key": "id"}],
    join_keys=["id"],
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Iterator[Loopback]:
    """A warehouse and its workspace with the catalog `shop`, in the place of the lakehouse."""
    with pytest.MonkeyPatch.context() as patch, Loopback(tmp_path_factory.mktemp("shop") / "lakehouse") as server:
        patch.setenv("DATABRICKS_TOKEN", TOKEN)
        with server.local() as connection, connection.cursor() as cursor:
            for statement in MADE:
                cursor.execute(statement)
        for name, value in databases.lakehouse(server.url).items():
            patch.setitem(connections[LAKEHOUSE].settings_dict, name, value)
        yield server


@pytest.fixture
def warehouse(shop: Loopback) -> Iterator[Loopback]:
    shop.statements.clear()
    yield shop
    shop.workspace.denied.clear()
    shop.workspace.failures.clear()


def test_browsing_sends_no_statement(api: APIClient, warehouse: Loopback) -> None:
    catalogs = api.get("/api/v1/catalog").json()["catalogs"]
    shop = {"name": "shop", "comment": "The shop", "tags": {"owner": "quality"}, "tags_problem": ""}
    assert shop in catalogs and "system" not in [each["name"] for each in catalogs]
    assert [each["name"] for each in api.get("/api/v1/catalog/shop").json()["schemas"]] == ["empty", "raw"]
    schema = api.get("/api/v1/catalog/Shop/raw").json()
    assert [each["full_name"] for each in schema["tables"]] == ["shop.raw.boards", "shop.raw.notes"]
    assert [(each["path"], each["tags"]) for each in schema["volumes"]] == [
        ("/Volumes/shop/raw/pictures", {"CONFIDENTIAL": ""})
    ]
    assert api.get("/api/v1/catalog/shop/empty").json()["tables"] == []
    assert api.get("/api/v1/catalog/shop/raw/volumes/pictures").json()["uses"]["data_classification"] == "confidential"
    assert warehouse.statements == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("shp", "Did you mean 'shop'"),
        ("shop/row", "Did you mean 'raw'"),
        ("shop/raw/bords", "Did you mean 'shop.raw.boards'"),
        ("shop/raw/volumes/picture", "Did you mean '/Volumes/shop/raw/pictures'"),
    ],
)
def test_what_does_not_exist_is_named(api: APIClient, warehouse: Loopback, path: str, words: str) -> None:
    answer = api.get(f"/api/v1/catalog/{path}")
    assert answer.status_code == 404 and words in answer.json()["error"]["message"]


def test_tags_of_every_level_are_read_side_by_side(warehouse: Loopback) -> None:
    found = uses_of(SHEET)
    assert [(each.level, each.words) for each in found.levels] == [
        ("catalog", ["owner=quality"]),
        ("schema", []),
        ("table", []),
        ("column", ["PII"]),
        ("volume", ["CONFIDENTIAL"]),
    ]
    assert found.allowed_uses == ["testing"] and warehouse.statements == []


def test_tags_that_may_not_be_read_are_not_no_tags(api: APIClient, warehouse: Loopback) -> None:
    warehouse.workspace.denied.add("shop.raw.boards.id")
    found = uses_of(SHEET)
    (words,) = (each for each in found.prohibited_uses["few_shot"] if "could not be read" in each)
    assert words.startswith("few_shot prohibited: tags of shop.raw.boards.id could not be read: The workspace refuses")
    assert found.data_classification == "restricted"
    warehouse.workspace.denied.add("shop.raw")
    schemas = {each["name"]: each for each in api.get("/api/v1/catalog/shop").json()["schemas"]}
    assert schemas["raw"]["tags"] == {} and "PERMISSION" not in schemas["empty"]["tags_problem"]
    assert "Grant the right" in schemas["raw"]["tags_problem"]
    assert api.get("/api/v1/catalog/shop/raw").status_code == 403


def test_a_workspace_that_fails_is_told(api: APIClient, warehouse: Loopback, tmp_path: Path) -> None:
    warehouse.workspace.fail(500)
    answer = api.get("/api/v1/catalog/shop")
    assert answer.status_code == 503 and answer.json()["error"]["code"] == "unavailable"
    warehouse.workspace.fail(500)
    assert "could not be read" in uses_of(SHEET).prohibited_uses["evaluation"][0]
