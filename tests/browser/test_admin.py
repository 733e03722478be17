"""From sign-in to the downloaded file, as a person does it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from training.chat import validate_file
from training.models import Export, TrainingSheet

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "lakehouse"])


@pytest.fixture
def page(boards: TrainingSheet, rosa: User, live_server: Any, chromium: Any) -> Iterator[Any]:
    """A page on which Rosa has signed in; it notes every request that leaves the machine and every error."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("request", lambda request: _stays(request.url, live_server.url) or page.faults.append(request.url))
    page.goto(f"{live_server.url}/admin/")
    page.fill("#id_username", "rosa")
    page.fill("#id_password", "rosa's password")
    page.click("button[type=submit]")
    yield page
    context.close()


def _stays(url: str, server: str) -> bool:
    return url.startswith((server, "data:", "blob:"))


def test_generate_then_export(page: Any, boards: TrainingSheet, tmp_path: Path) -> None:
    assert page.locator(".wb-stage").count() == 4
    page.click(".wb-stage >> text=Generate >> nth=-1")
    page.select_option("#id_sheet", boards.sheet_id)
    page.select_option("#id_template", boards.template_id)
    page.locator("#counts >> text=pre-approved").wait_for()
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
    page.goto(page.url.split("/admin/")[0] + f"/admin/templates_app/prompttemplate/{template.pk}/change/")
    page.click("text=Duplicate")
    page.click("#modal-content button[type=submit]")
    page.locator("text=Made the draft").wait_for()
    page.click("text=Publish >> nth=0")
    page.locator("text=Publish this template?").wait_for()
    page.click("#modal-content button[type=submit]")
    page.locator(f"text=Published {template.name} 1.1.0").wait_for()
    assert page.faults == []
