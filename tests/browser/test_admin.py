"""From sign-in to the downloaded file, as a person does it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from training.chat import validate_file
from training.models import Export, TrainingSheet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])


def test_generate_then_export(page: Any, boards: TrainingSheet, tmp_path: Path) -> None:
    page.goto("/admin/")
    assert page.locator(".wb-stage").count() == 4
    page.click(".wb-stage >> text=Generate >> nth=-1")
    page.select_option("#id_sheet", boards.sheet_id)
    page.select_option("#id_template", boards.template_id)
    page.locator("#counts >> text=pre-approved").wait_for()
    page.fill("#id_limit", "5")
    page.locator("#counts dt >> text=/^5$/").first.wait_for()
    page.fill("#id_limit", "")
    page.locator("#counts dt >> text=/^50$/").first.wait_for()
    page.fill("#id_name", "Made in a browser")
    page.click("#generate-form button[type=submit]")
    page.locator("text=Generated Made in a browser").wait_for()
    page.click("text=Export JSONL")
    with page.expect_download() as download:
        page.click("#download")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    made = TrainingSheet.objects.get(name="Made in a browser")
    assert file.name == f"training_sheet_{made.pk}.jsonl"
    assert [list(json.loads(line)) for line in file.read_text().splitlines()] == [["messages"]] * 10
    assert not validate_file(file).problems
    assert Export.objects.get().is_complete
    assert page.faults == []


def test_publishing_asks_first(page: Any, boards: TrainingSheet) -> None:
    template = boards.template
    page.goto(f"/admin/templates_app/prompttemplate/{template.pk}/change/")
    page.click("text=Duplicate")
    page.click("#modal-content button[type=submit]")
    page.locator("text=Made the draft").wait_for()
    page.click("text=Publish >> nth=0")
    page.locator("text=Publish this template?").wait_for()
    page.click("#modal-content button[type=submit]")
    page.locator(f"text=Published {template.name} 1.1.0").wait_for()
    assert page.faults == []


def test_a_chosen_file_is_no_reason_against_a_use(page: Any, tmp_path: Path) -> None:
    file = tmp_path / "clients.json"
    file.write_text("[]")
    page.goto("/admin/training/conversation/bring_in/")
    page.set_input_files("[name=uploads]", file)
    assert page.input_value("[name=reason]") == ""
    page.check("[name=prohibited][value=training]")
    page.click("button:has-text('Import')")
    page.locator("text=Say why a use is prohibited.").wait_for()
    assert page.input_value("[name=reason]") == ""
    assert page.faults == []
