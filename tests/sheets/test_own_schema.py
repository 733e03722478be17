"""The workbench's own tables are no source and not browsed: as rows, what rights and gates keep back would be open."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from sheets.models import Sheet
from tests.sheets.conftest import SOURCES

OWN = "mirion_vital.workbench.qa_pairs"
BODY = {"name": "Pairs", "primary_table": "shop.raw.boards", "join_keys": ["board_id"]}
TABLE = {"type": "table", "table": OWN, "join_key": "board_id"}
VOLUME = {"type": "volume", "path": "/Volumes/mirion_vital/workbench/exports"}
pytestmark = pytest.mark.usefixtures("boards")


def test_the_catalog_leaves_it_out(api: APIClient) -> None:
    assert "workbench" not in [each["name"] for each in api.get("/api/v1/catalog/mirion_vital").json()["schemas"]]
    for place in ("workbench", "WorkBench/qa_pairs", "workbench/no_such", "workbench/volumes/exports"):
        answer = api.get(f"/api/v1/catalog/mirion_vital/{place}")
        assert answer.status_code == 403 and "choose a table or volume of another" in answer.json()["error"]["message"]
    tag = {"level": "table", "place": OWN, "key": "PHI", "reason": "x"}
    assert api.post("/api/v1/governance/tags", tag).status_code == 403


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("primary_table", {"primary_table": OWN, "join_keys": ["id"]}),
        ("primary_table", {"primary_table": "Mirion_Vital.`WORKBENCH`.no_such", "join_keys": ["id"]}),
        ("secondary_sources", {"secondary_sources": [TABLE]}),
        ("secondary_sources", {"secondary_sources": [*SOURCES, VOLUME]}),
    ],
)
def test_no_sheet_is_made_over_it(api: APIClient, field: str, given: dict[str, Any]) -> None:
    answer = api.post("/api/v1/sheets", BODY | given)
    assert answer.status_code == 400 and list(answer.json()["error"]["fields"]) == [field]
    assert "the workbench's own schema" in answer.json()["error"]["message"]


def test_one_that_is_there_is_not_read(api: APIClient) -> None:
    sheet = Sheet.objects.create(**BODY | {"primary_table": OWN, "join_keys": ["id"]}, created_by="omar")
    assert api.get(f"/api/v1/sheets/{sheet.pk}/items").status_code == 400
    assert api.post(f"/api/v1/sheets/{sheet.pk}/validate").json()["fields_at_fault"]["primary_table"]


def test_the_pages_of_the_admin_say_so(omar: User, client: Client) -> None:
    client.force_login(omar)
    place = OWN.split(".")
    tree = client.get(reverse("admin:sheets_sheet_catalog", args=place[:1])).context["tree"]
    (opened,) = [node for node in tree if node.name == "mirion_vital"]
    assert "workbench" not in [node.name for node in opened.children]
    for url in (
        reverse("admin:sheets_sheet_catalog", args=place[:2]),
        reverse("admin:sheets_sheet_catalog", args=place),
        f"{reverse('admin:sheets_sheet_define')}?table={OWN}",
    ):
        page = client.get(url)
        assert page.status_code == 403 and "own schema" in page.content.decode(), url
