"""The catalog of a workspace: browsed by REST, without a statement but that for the tag rules; tags may be forbidden."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from sheets.models import Sheet
from sheets.source_uses import uses_of
from tests.conftest import at
from tests.databricks.loopback import Loopback
from workbench.router import LAKEHOUSE

pytestmark = pytest.mark.django_db(databases=["default", LAKEHOUSE])

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


@pytest.fixture
def warehouse(migrated: Path, tmp_path: Path) -> Iterator[Loopback]:
    """A warehouse and its workspace with the workbench's tables and the catalog `shop`, in the place of the lakehouse."""
    shutil.copytree(migrated, tmp_path / "lakehouse")
    with at(tmp_path / "lakehouse", warehouse=True) as place:
        with place.server.local() as connection, connection.cursor() as cursor:
            for statement in MADE:
                cursor.execute(statement)
        yield place.server


def asked_of(warehouse: Loopback) -> set[str]:
    """The tables that statements were about."""
    return {re.findall(r"`(\w+)`", sql.partition(" FROM ")[2])[0] for sql in warehouse.executed}


def test_browsing_asks_only_for_the_tag_rules(api: APIClient, warehouse: Loopback) -> None:
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
    assert asked_of(warehouse) == {"tag_policies"}


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
    assert found.allowed_uses == ["testing"] and asked_of(warehouse) == {"tag_policies"}


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


def test_a_tag_is_set_and_taken_away_by_a_statement(omar: User, warehouse: Loopback) -> None:
    client = APIClient()
    client.force_authenticate(omar)
    named = {
        "catalog": "shop",
        "schema": "shop.raw",
        "table": "shop.raw.boards",
        "column": "shop.raw.boards.price",
        "volume": "shop.raw.pictures",
    }
    for level, place in named.items():
        given = {"level": level, "place": place, "key": "PHI", "value": "it's so", "reason": "Names"}
        told = client.post("/api/v1/governance/tags", given).json()
        assert (told["name"].lower(), told["tags"]["PHI"]) == (place, "it's so"), told
    tags = {each.name.lower(): each.tags for each in uses_of(SHEET).tagged}
    assert all("PHI" in tags[place] for place in named.values())
    altered = [sql for sql in warehouse.executed if sql.startswith("ALTER")]
    assert altered[3] == "ALTER TABLE `shop`.`raw`.`boards` ALTER COLUMN `Price` SET TAGS ('PHI' = 'it\\'s so')"
    away = {"level": "column", "place": "shop.raw.boards.price", "key": "PHI", "remove": True, "reason": "A mistake"}
    assert client.post("/api/v1/governance/tags", away).json()["tags"] == {"PII": ""}
