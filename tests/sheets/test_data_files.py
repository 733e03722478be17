"""A table whose data file is gone is named wherever it is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from sheets.actions import create_sheet
from sheets.models import Sheet
from tests.sheets.conftest import SOURCES, Table

FIELDS = {"name": "Boards", "primary_table": "shop.raw.boards", "join_keys": ["board_id"], "secondary_sources": SOURCES}
WORDS = "The table 'shop.raw.notes' cannot be read, because its data file"


@pytest.fixture
def broken(boards: Callable[..., Sheet], table: Table, lakehouse: Path) -> Sheet:
    """A sheet that joins a table of two files, one of which somebody removed."""
    boards()
    table("shop.raw.notes", {"board_id": ["c3"]})
    sheet = create_sheet(FIELDS, actor="omar")
    next((lakehouse / "shop/raw/notes").glob("*.parquet")).unlink()
    return sheet


def test_the_api_names_it(api: APIClient, broken: Sheet) -> None:
    for url in (f"sheets/{broken.pk}/items", f"sheets/{broken.pk}/items/a1", "catalog/shop/raw/notes"):
        answer = api.get(f"/api/v1/{url}")
        assert answer.status_code == 409 and answer.json()["error"]["message"].startswith(WORDS)


def test_the_admin_names_it(client: Client, rosa: User, broken: Sheet) -> None:
    client.force_login(rosa)
    for page in (f"{broken.pk}/change/", f"{broken.pk}/items/", f"{broken.pk}/items/a1/", "catalog/shop/raw/notes/"):
        answer = client.get(f"/admin/sheets/sheet/{page}")
        assert answer.status_code in (200, 409) and "shop.raw.notes&#x27; cannot be read" in answer.content.decode()
