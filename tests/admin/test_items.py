"""The items of a sheet: page by page, and each with its row, files and labels."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import Client

from sheets.models import Sheet
from sheets.reading import ref_before
from training.models import TrainingSheet


def refs(response: object) -> list[str]:
    return [row["ref"] for row in response.context["items"]["rows"]]  # type: ignore[attr-defined]


def items_of(sheet: Sheet) -> str:
    return f"/admin/sheets/sheet/{sheet.pk}/items/"


def test_pages_lead_forth_and_back(admin: Client, boards: TrainingSheet) -> None:
    Sheet.objects.filter(pk=boards.sheet_id).update(sample_size=49)
    first = admin.get(items_of(boards.sheet))
    second = admin.get(first.context["next_url"])
    assert (len(refs(first)), len(refs(second)), second.context["last"]) == (25, 24, 49)
    assert "next_url" not in second.context
    assert refs(admin.get(second.context["previous_url"])) == refs(first)


def test_the_item_before_is_found_by_its_key(admin: Client, boards: TrainingSheet) -> None:
    assert ref_before(boards.sheet, "pcb_004_misalignment.jpg", 2) == "pcb_002_solder_bridge.jpg"
    assert ref_before(boards.sheet, "pcb_001_scratch.jpg", 1) is None


def test_an_item_shows_row_file_and_label(admin: Client, boards: TrainingSheet) -> None:
    response = admin.get(f"{items_of(boards.sheet)}pcb_001_scratch.jpg/")
    page = response.content.decode()
    assert 'src="/api/v1/files/Volumes/mirion_vital/samples/pcb_images/pcb_001_scratch.jpg"' in page
    assert "7617-001" in page
    assert [label.label_type for label, *_ in response.context["labels"]] == ["classification"]
    assert (response.context["previous_url"], response.context["place"]) == ("", 1)
    assert "pcb_002" in response.context["next_url"]


def test_a_pdf_is_shown_in_the_page(admin: Client, invoices: TrainingSheet) -> None:
    assert '<iframe src="/api/v1/files' in admin.get(f"{items_of(invoices.sheet)}invoice_001/").content.decode()


def test_finding_goes_to_the_item(admin: Client, boards: TrainingSheet) -> None:
    response = admin.get(items_of(boards.sheet), {"find": "nothing"}, follow=True)
    assert response.status_code == 404
    assert "no item" in response.content.decode()


def test_a_sheet_whose_table_is_gone_says_so(admin: Client, boards: TrainingSheet) -> None:
    Sheet.objects.filter(pk=boards.sheet_id).update(primary_table="mirion_vital.samples.gone")
    response = admin.get(items_of(boards.sheet))
    assert response.status_code == 400
    assert "samples.gone" in response.content.decode()


def test_a_cursor_of_another_make_is_no_page(admin: Client, boards: TrainingSheet) -> None:
    assert admin.get(items_of(boards.sheet), {"cursor": "x"}).status_code == 404


def test_items_need_the_right_to_view_sheets(client: Client, nils: User, boards: TrainingSheet) -> None:
    nils.is_staff = True
    nils.save()
    client.force_login(nils)
    assert client.get(items_of(boards.sheet)).status_code == 403
    assert client.get(f"{items_of(boards.sheet)}pcb_001_scratch.jpg/").status_code == 403
