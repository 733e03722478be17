"""From a table in the catalog to a sheet and its items, as a person does it."""

from __future__ import annotations

from typing import Any

import pytest

from sheets.models import Sheet
from training.models import TrainingSheet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])


def test_a_sheet_is_made_from_the_catalog(page: Any, boards: TrainingSheet) -> None:
    page.goto("/admin/")
    page.click("text=Browse the catalog")
    page.click("#tree >> text=mirion_vital")
    page.click("#tree >> text=samples")
    page.fill("#tree-filter", "insp")
    assert page.locator("#tree >> text=pcb_images").is_hidden()
    page.press("#tree-filter", "Enter")
    page.click("text=Make a sheet")
    page.locator("#preview >> text=50 items").wait_for()
    page.click("#quick >> text=pcb_images")
    page.locator("#preview >> text=every item has a file").wait_for()
    page.fill("[name=filter_condition]", "humidity > 40")
    page.locator("[data-faults=filter_condition] >> text=Did you mean").wait_for()
    assert page.locator("#mark").inner_text() == "humidity > 40\n^"
    page.fill("[name=filter_condition]", "line = 'SMT-1'")
    page.fill("[name=sample_size]", "4")
    page.press("[name=sample_size]", "Tab")
    page.locator("#preview >> text=4 items").wait_for()
    page.fill("[name=name]", "Made by hand")
    page.click("text=Save the sheet")
    page.locator("text=Made the sheet Made by hand: 4 items.").wait_for()
    page.click("text=All items >> nth=0")
    page.click(".wb-table tbody a >> nth=0")
    page.locator("figure img").wait_for()
    made = Sheet.objects.get(name="Made by hand")
    assert (made.row_count, made.sample_size, len(made.secondary_sources)) == (4, 4, 1)
    assert page.faults == []
