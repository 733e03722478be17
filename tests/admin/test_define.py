"""A sheet is made from a table by choosing; nothing is saved before its items were seen and wished for."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from sheets.models import Sheet
from training.models import TrainingSheet

PAGE = "/admin/sheets/sheet/define/"
TABLE = "mirion_vital.samples.pcb_inspections"
VOLUME = "/Volumes/mirion_vital/samples/pcb_images"
GIVEN = {
    "name": "Line 1", "description": "", "primary_table": TABLE, "join_key": "image_id", "item_ref_column": "",
    "filter_condition": "line = 'SMT-1'", "sample_size": "5", "sources-TOTAL_FORMS": "2", "sources-INITIAL_FORMS": "0",
    "sources-0-source": VOLUME, "sources-0-join_key": "", "sources-1-source": "", "sources-1-join_key": "",
}  # fmt: skip


def preview(client: Client, **given: str) -> Any:
    return client.post(f"{PAGE}preview/", GIVEN | given).json()


def test_the_form_offers_the_columns_and_what_lies_beside(admin: Client, boards: TrainingSheet) -> None:
    response = admin.get(PAGE, {"table": TABLE})
    assert response.context["form"].initial["join_key"] == "image_id"
    assert response.context["neighbours"] == [{"source": VOLUME, "name": "pcb_images", "kind": "volume"}]


def test_saving_makes_the_sheet(admin: Client, boards: TrainingSheet) -> None:
    response: Any = admin.post(PAGE, GIVEN | {"save": ""})
    made = Sheet.objects.get(name="Line 1")
    assert response.url == f"/admin/sheets/sheet/{made.pk}/change/"
    assert (made.row_count, made.join_keys, made.created_by) == (5, ["image_id"], "rosa")
    assert made.secondary_sources == [{"type": "volume", "path": VOLUME}]
    assert LogEntry.objects.get().object_id == made.pk


def test_the_preview_shows_items_and_files_and_saves_nothing(admin: Client, boards: TrainingSheet) -> None:
    for answer in (preview(admin)["html"], admin.post(PAGE, GIVEN | {"preview": ""}).content.decode()):
        assert "<b>5</b> items" in answer
        assert answer.count("wb-thumb") == 5
        assert f"every item has a file in {VOLUME}" in answer
    assert not Sheet.objects.filter(name="Line 1").exists()


def test_findings_are_told_before_saving(admin: Client, boards: TrainingSheet) -> None:
    answer = preview(admin, join_key="line", filter_condition="", sample_size="")["html"]
    assert "stand more than once" in answer
    assert "50 items have no file" in answer


def test_a_wrong_filter_is_marked_at_its_place(admin: Client, boards: TrainingSheet) -> None:
    answer = preview(admin, filter_condition="line = 'SMT-1'\n  AND humidity > 3")
    assert "line 2, column 7" in answer["faults"]["filter_condition"][0]
    assert answer["mark"] == "  AND humidity > 3\n      ^"
    page = admin.post(PAGE, GIVEN | {"filter_condition": "humidity > 3", "save": ""})
    assert "humidity_pct" in page.context["form"].errors["filter_condition"][0]


def test_checking_the_filter_reads_no_items(admin: Client, boards: TrainingSheet) -> None:
    assert admin.post(f"{PAGE}preview/?check", GIVEN).json()["html"] is None
    assert admin.get(f"{PAGE}preview/").status_code == 405


def test_a_source_that_does_not_exist_is_named(admin: Client, boards: TrainingSheet) -> None:
    faults = preview(admin, **{"sources-0-source": f"{VOLUME}x"})["faults"]["secondary_sources"]
    assert "pcb_images" in faults[0]


def test_a_table_that_does_not_exist_leads_to_the_catalog(admin: Client, boards: TrainingSheet) -> None:
    response = admin.get(PAGE, {"table": f"{TABLE}x"})
    assert response.status_code == 404
    assert "Choose a table in the catalog" in response.content.decode()
    assert admin.get(PAGE).status_code == 400


def test_who_may_not_add_sheets_is_refused(client: Client, nils: User, boards: TrainingSheet) -> None:
    nils.is_staff = True
    nils.save()
    nils.user_permissions.add(Permission.objects.get(codename="view_sheet"))
    client.force_login(nils)
    assert client.post(PAGE, GIVEN | {"save": ""}).status_code == 403
    assert client.post(f"{PAGE}preview/", GIVEN).status_code == 403
    assert not Sheet.objects.filter(name="Line 1").exists()
