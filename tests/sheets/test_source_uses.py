"""Tags of a sheet's sources at every level, and what follows: no tags is one thing, tags that cannot be read another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from sheets.source_uses import uses_of

SQL = Callable[..., Any]


@pytest.mark.parametrize(
    ("level", "statement"),
    [
        ("catalog", "ALTER CATALOG shop SET TAGS ('PHI' = '')"),
        ("schema", "ALTER SCHEMA shop.raw SET TAGS ('phi' = 'yes')"),
        ("table", "ALTER TABLE shop.raw.boards SET TAGS ('classification' = 'PHI')"),
        ("table", "ALTER TABLE shop.raw.notes SET TAGS ('PII' = '')"),
        ("column", "ALTER TABLE shop.raw.boards ALTER COLUMN defect SET TAGS ('pii' = '')"),
        ("volume", "ALTER VOLUME shop.raw.pictures SET TAGS ('PHI' = '')"),
    ],
)
def test_a_tag_of_any_level_limits_the_sheet(boards: Any, sql: SQL, level: str, statement: str) -> None:
    assert uses_of(boards()).allowed_uses == ["training", "validation", "evaluation", "few_shot", "testing"]
    sql(statement)
    found = uses_of(boards())
    assert found.allowed_uses == ["evaluation", "few_shot", "testing"]
    assert found.data_classification == "restricted"
    assert [each.level for each in found.levels if each.tags] == [level]
    assert found.prohibited_uses["training"][0].startswith(f"training prohibited, {level} tag ")


def test_confidential_is_no_example_and_no_test(boards: Any, sql: SQL) -> None:
    sql("ALTER TABLE shop.raw.boards SET TAGS ('confidential' = '', 'owner' = 'quality')")
    found = uses_of(boards())
    assert (found.allowed_uses, found.data_classification) == (["training", "validation", "testing"], "confidential")


def test_tags_that_cannot_be_read_limit_as_the_strictest(boards: Any, sql: SQL) -> None:
    sheet = boards()
    sql("DROP TABLE shop.raw.notes")
    found = uses_of(sheet)
    assert (found.allowed_uses, found.data_classification) == (["testing"], "restricted")
    (words,) = found.prohibited_uses["few_shot"]
    assert words.startswith("few_shot prohibited: tags of shop.raw.notes could not be read: There is no table")


def test_the_api_and_the_page_show_them(boards: Any, sql: SQL, api: APIClient, omar: Any) -> None:
    sheet = boards()
    sheet.save()
    sql("ALTER TABLE shop.raw.boards SET TAGS ('classification' = 'PHI')")
    found = api.get(f"/api/v1/sheets/{sheet.pk}/uses").json()
    assert {"level": "table", "name": "shop.raw.boards", "tags": {"classification": "PHI"}, "problem": ""} in found[
        "levels"
    ]
    assert found["prohibited_uses"]["training"] == ["training prohibited, table tag classification=PHI"]
    table = api.get("/api/v1/catalog/shop/raw/boards").json()
    assert table["uses"]["data_classification"] == "restricted" and table["tags_problem"] == ""
    assert api.get("/api/v1/catalog/shop/raw/volumes/pictures").json()["uses"]["data_classification"] == "public"
    browser = Client()
    browser.force_login(omar)
    page = browser.get(f"/admin/sheets/sheet/{sheet.pk}/change/").content.decode()
    assert "Tags of the sources" in page and "classification=PHI" in page
    sql("DROP TABLE shop.raw.notes")
    page = browser.get(f"/admin/sheets/sheet/{sheet.pk}/change/").content.decode()
    assert "could not be read: There is no table" in page and "few_shot prohibited" in page
