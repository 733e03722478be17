"""Sheets over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from labels.models import CanonicalLabel
from sheets.actions import create_sheet
from sheets.models import Sheet
from tests.sheets.conftest import SOURCES, Table

BODY = {"name": "Boards", "primary_table": "shop.raw.boards", "join_keys": ["board_id"], "secondary_sources": SOURCES}
URL = "/api/v1/sheets"
pytestmark = pytest.mark.usefixtures("boards")


@pytest.fixture
def sheet() -> Sheet:
    return create_sheet(BODY, actor="omar")


def label(sheet: Sheet, ref: str, kind: str) -> None:
    now = timezone.now()
    CanonicalLabel.objects.create(
        sheet=sheet, item_ref=ref, label_type=kind, label_data={}, labeled_at=now, last_modified_at=now, created_at=now
    )


def test_a_sheet_is_made_read_changed_and_deleted(api: APIClient) -> None:
    made = api.post(URL, BODY)
    assert made.status_code == 201
    assert (made.json()["row_count"], made.json()["created_by"]) == (4, "rosa")
    url = f"{URL}/{made.json()['id']}"
    assert api.get(url).json() == made.json()
    assert api.patch(url, {"sample_size": 2}).json()["row_count"] == 2
    assert api.put(url, BODY).status_code == 405
    assert api.delete(url).status_code == 204
    assert api.get(url).status_code == 404 and not Sheet.objects.exists()


def test_sources_are_kept_in_one_spelling(api: APIClient) -> None:
    odd = [{**SOURCES[0], "table": "`Shop`.raw.NOTES"}, {**SOURCES[1], "path": "/Volumes/SHOP/raw/Pictures/"}]
    made = api.post(URL, BODY | {"primary_table": "SHOP.raw.`boards`", "secondary_sources": odd}).json()
    assert (made["primary_table"], made["secondary_sources"]) == (BODY["primary_table"], SOURCES)
    changed = api.patch(f"{URL}/{made['id']}", {"primary_table": "shop.`Raw`.boards"})
    assert changed.json()["primary_table"] == BODY["primary_table"]


def test_a_wrong_sheet_is_refused_field_by_field(api: APIClient) -> None:
    answer = api.post(URL, BODY | {"primary_table": "shop.raw.board", "sample_size": 0})
    assert answer.status_code == 400 and not Sheet.objects.exists()
    error = answer.json()["error"]
    assert error["code"] == "invalid" and set(error["fields"]) == {"sample_size"}
    error = api.post(URL, BODY | {"primary_table": "shop.raw.board"}).json()["error"]
    assert "Did you mean 'shop.raw.boards'" in error["fields"]["primary_table"][0]
    assert error["fields"]["primary_table"][0] in error["message"]
    assert set(api.post(URL, {}).json()["error"]["fields"]) == {"name", "primary_table"}
    for body in ([], "x", BODY | {"join_keys": "x"}, BODY | {"secondary_sources": 1}, BODY | {"name": "x" * 300}):
        assert api.post(URL, body).status_code == 400


def test_a_taken_name_is_a_conflict(api: APIClient, sheet: Sheet) -> None:
    answer = api.post(URL, BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    assert list(answer.json()["error"]["fields"]) == ["name"]


def test_a_sheet_with_labels_stays(api: APIClient, sheet: Sheet) -> None:
    label(sheet, "a1", "classification")
    label(sheet, "b2", "classification")
    answer = api.delete(f"{URL}/{sheet.pk}")
    assert answer.status_code == 409
    assert "2 canonical labels point at the sheet 'Boards'" in answer.json()["error"]["message"]
    assert Sheet.objects.filter(pk=sheet.pk).exists()


def test_the_list_is_filtered_searched_and_one_query(api: APIClient, sheet: Sheet) -> None:
    for number in range(3):
        create_sheet(BODY | {"name": f"Line {number}", "description": "Night shift"}, actor="omar")
    with CaptureQueriesContext(connections["lakehouse"]) as queries:
        page = api.get(URL).json()
    assert [row["name"] for row in page["results"]] == ["Line 2", "Line 1", "Line 0", "Boards"]
    assert len(queries) == 1
    assert [row["name"] for row in api.get(URL, {"name": "Boards"}).json()["results"]] == ["Boards"]
    assert len(api.get(URL, {"search": "NIGHT"}).json()["results"]) == 3
    assert api.get(URL, {"primary_table": "shop.raw.notes"}).json()["results"] == []


def test_the_list_comes_in_pages(api: APIClient, sheet: Sheet) -> None:
    for number in range(4):
        create_sheet(BODY | {"name": f"Line {number}"}, actor="omar")
    page = api.get(URL, {"page_size": 2}).json()
    names = [row["name"] for row in page["results"]]
    while page["next"]:
        page = api.get(page["next"]).json()
        names += [row["name"] for row in page["results"]]
    assert names == ["Line 3", "Line 2", "Line 1", "Line 0", "Boards"]


def test_progress_counts_labels_by_type(api: APIClient, sheet: Sheet) -> None:
    for ref, kind in (("a1", "classification"), ("b2", "classification"), ("b2", "localization")):
        label(sheet, ref, kind)
    with CaptureQueriesContext(connections["lakehouse"]) as queries:
        found = api.get(f"{URL}/{sheet.pk}/progress").json()
    assert found["items"] == 4 and len(queries) == 2
    assert found["labels"] == [
        {"label_type": "classification", "labeled": 2},
        {"label_type": "localization", "labeled": 1},
    ]


def test_validating_counts_what_is_wrong(api: APIClient, sheet: Sheet, table: Table) -> None:
    url = f"{URL}/{sheet.pk}/validate"
    table("shop.raw.boards", {"board_id": ["a1", None]})
    found = api.post(url).json()
    assert found["fields_at_fault"] == {}
    findings = found["findings"]
    assert (findings["row_count"], findings["null_keys"]) == (6, 1)
    assert findings["duplicates"] == {"count": 1, "first": ["a1"]}
    assert findings["missing_files"]["/Volumes/shop/raw/pictures"]["first"][-2:] == ["b10", "c3"]
    assert findings["missing_rows"]["shop.raw.notes"]["first"][-2:] == ["b2", "c3"]
    assert Sheet.objects.get(pk=sheet.pk).row_count == 6
    Sheet.objects.filter(pk=sheet.pk).update(filter_condition="nope = 1")
    found = api.post(url).json()
    assert found["findings"] is None and list(found["fields_at_fault"]) == ["filter_condition"]


def test_an_item_of_two_lines_has_pages_of_its_own(api: APIClient, client: Client, rosa: User, table: Table) -> None:
    table("shop.raw.lines", {"id": ["a", "b\n", "c\nd"]})
    sheet = create_sheet({"name": "Lines", "primary_table": "shop.raw.lines", "join_keys": ["id"]}, actor="omar")
    client.force_login(rosa)
    for ref in ("a", "b%0A", "c%0Ad"):
        assert api.get(f"{URL}/{sheet.pk}/items/{ref}").json()["item_ref"] == unquote(ref)
        assert client.get(f"/admin/sheets/sheet/{sheet.pk}/items/{ref}/").status_code == 200
    assert client.get(f"/admin/sheets/sheet/{sheet.pk}/items/").status_code == 200


def test_nils_may_read_and_not_write(nils: User, sheet: Sheet) -> None:
    client = APIClient()
    client.force_authenticate(nils)
    assert client.get(URL).status_code == client.get(f"{URL}/{sheet.pk}/items").status_code == 200
    for answer in (client.post(URL, BODY), client.patch(f"{URL}/{sheet.pk}", {}), client.delete(f"{URL}/{sheet.pk}")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "permission_denied")
    assert Sheet.objects.count() == 1


def test_nobody_reads_without_signing_in(sheet: Sheet, lakehouse: Any) -> None:
    for path in (URL, f"{URL}/{sheet.pk}/items", "/api/v1/catalog", "/api/v1/files/Volumes/shop/raw/pictures/a1.jpg"):
        answer = APIClient().get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "not_authenticated")


def test_items_come_in_pages_with_their_files(api: APIClient, sheet: Sheet) -> None:
    url, found = f"{URL}/{sheet.pk}/items?page_size=3", []
    while url:
        page = api.get(url).json()
        found += page["results"]
        url = page["next"]
    assert [(item["position"], item["item_ref"]) for item in found] == [(0, "a1"), (1, "b10"), (2, "b2"), (3, "c3")]
    assert found[0]["files"] == [{"name": "a1.jpg", "path": "/Volumes/shop/raw/pictures/a1.jpg", "size": 10}]


def test_a_page_of_items_asks_as_much_at_its_end_as_at_its_start(api: APIClient, table: Table) -> None:
    table("shop.raw.many", {"id": [f"{number:05d}" for number in range(3_000)]})
    sheet = create_sheet({"name": "Many", "primary_table": "shop.raw.many", "join_keys": ["id"]}, actor="omar")
    url, counts = f"{URL}/{sheet.pk}/items?page_size=500", []
    while url:
        with CaptureQueriesContext(connections["lakehouse"]) as queries:
            url = api.get(url).json()["next"]
        counts.append(len(queries))
        assert not any("OFFSET" in query["sql"] for query in queries)
    assert len(set(counts)) == 1 and counts[0] <= 3


def test_one_item_by_its_name(api: APIClient, sheet: Sheet, table: Table) -> None:
    item = api.get(f"{URL}/{sheet.pk}/items/b2").json()
    assert item["row"] == {"board_id": "b2", "line": 2, "defect": "scratch", "note": None, "notes_line": None}
    assert [file["name"] for file in item["files"]] == ["b2.jpg", "b2.txt"]
    table("shop.raw.paths", {"id": ["2026/x y?.jpg", "ä"]})
    other = create_sheet({"name": "Paths", "primary_table": "shop.raw.paths", "join_keys": ["id"]}, actor="omar")
    assert api.get(f"{URL}/{other.pk}/items/2026/x%20y%3F.jpg").json()["item_ref"] == "2026/x y?.jpg"
    assert api.get(f"{URL}/{other.pk}/items/%C3%A4").json()["item_ref"] == "ä"
    assert api.get(f"{URL}/{sheet.pk}/items/b9").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "cursor=x",
        "cursor=WyJhIl0",
        "cursor=%00",
        "page_size=0",
        "page_size=501",
        "page_size=x",
        "cursor=WyJhIiwtMV0",
        "cursor=WyJhXHVkODAwIiw5XQ",
    ],
)
def test_a_bad_page_is_refused(api: APIClient, sheet: Sheet, query: str) -> None:
    answer = api.get(f"{URL}/{sheet.pk}/items?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [query.split("=")[0]]


def test_a_map_with_keys_that_are_no_text_is_shown(api: APIClient, table: Table, client: Client, omar: User) -> None:
    readings = pa.array([[(date(2026, 1, 2), 1.5)]], pa.map_(pa.date32(), pa.float64()))
    table("shop.raw.days", {"board_id": ["b2"], "readings": readings})
    made = api.post(URL, {"name": "Days", "primary_table": "shop.raw.days", "join_keys": ["board_id"]}).json()
    (item,) = api.get(f"{URL}/{made['id']}/items").json()["results"]
    assert item["row"]["readings"] == {"2026-01-02": 1.5}
    client.force_login(omar)
    assert "2026-01-02" in client.get(f"/admin/sheets/sheet/{made['id']}/change/").content.decode()
