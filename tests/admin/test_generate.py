"""The page that generates: what would happen, then the training sheet, or every reason why not."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from tests.training.chat_server import chat_server
from training.models import JobRun, TrainingSheet

pytestmark = pytest.mark.usefixtures("beats_in_vain")
PAGE = "/admin/training/trainingsheet/generate/"


def given(boards: TrainingSheet, **more: Any) -> dict[str, Any]:
    return {"sheet": boards.sheet_id, "template": boards.template_id, "mode": "ai_generated", **more}


def test_generates_and_shows_the_training_sheet(admin: Client, boards: TrainingSheet) -> None:
    response: Any = admin.post(PAGE, given(boards, name="Boards again"), follow=True)
    made = TrainingSheet.objects.with_counters().get(name="Boards again")
    assert (made.total_pairs, made.pre_approved_pairs, made.created_by) == (50, 10, "rosa")
    assert response.redirect_chain[-1][0] == reverse("admin:training_trainingsheet_change", args=[made.pk])
    assert "Generated Boards again: 50 items" in response.content.decode()
    assert LogEntry.objects.get().object_id == made.pk


def test_takes_a_limit_and_a_mode(admin: Client, boards: TrainingSheet) -> None:
    admin.post(PAGE, given(boards, name="Few", mode="manual", limit="3"))
    made = TrainingSheet.objects.get(name="Few")
    assert (made.labeling_mode, made.pairs.count()) == ("manual", 3)


def test_tells_beforehand_what_would_happen(admin: Client, boards: TrainingSheet) -> None:
    page = admin.get(f"{PAGE}counts/", {"sheet": boards.sheet_id, "template": boards.template_id}).content.decode()
    assert "<dt>50</dt>" in page
    assert ">10</dt><dd>pre-approved" in page
    assert '<option value="board_serial">' in page


def test_the_limit_and_the_mode_change_what_would_happen(admin: Client, boards: TrainingSheet) -> None:
    chosen = {"sheet": boards.sheet_id, "template": boards.template_id, "limit": "5"}
    assert "<dt>5</dt>" in (page := admin.get(f"{PAGE}counts/", chosen).content.decode()) and "tokens" in page
    page = admin.get(f"{PAGE}counts/", chosen | {"mode": "manual"}).content.decode()
    assert "for a person to write" in page and "tokens" not in page
    assert "Limit: " in admin.get(f"{PAGE}counts/", chosen | {"limit": "0"}).content.decode()


def test_a_column_that_does_not_exist_is_named_at_its_field(admin: Client, boards: TrainingSheet) -> None:
    response = admin.post(PAGE, given(boards, mode="existing_column", response_column="defekt"))
    assert "no column 'defekt'" in response.context["form"].errors["response_column"][0]
    assert TrainingSheet.objects.count() == 2


def test_an_archived_template_cannot_be_chosen(admin: Client, boards: TrainingSheet) -> None:
    boards.template.status = "archived"
    boards.template.save()
    assert "template" in admin.post(PAGE, given(boards)).context["form"].errors
    assert TrainingSheet.objects.count() == 2


def test_a_broken_sheet_is_a_message_and_nothing_half_done(admin: Client, boards: TrainingSheet) -> None:
    boards.sheet.primary_table = "mirion_vital.samples.gone"
    boards.sheet.save()
    response = admin.post(PAGE, given(boards))
    assert response.status_code == 200
    assert "gone" in str(response.context["form"].errors)
    assert TrainingSheet.objects.count() == 2


def test_a_generation_that_failed_leads_to_its_job(admin: Client, boards: TrainingSheet, settings: Settings) -> None:
    with chat_server(lambda *_: (401, {}, b"no key")) as server:
        settings.LLM_URL, settings.LLM_MODEL = server.url, "tiny"
        page: Any = admin.post(PAGE, given(boards), follow=True)
    assert page.redirect_chain[-1][0] == reverse("admin:training_jobrun_change", args=[JobRun.objects.get().pk])
    assert "401: no key" in page.content.decode() and "Resume" in page.content.decode()


def test_a_sheet_leads_here(admin: Client, boards: TrainingSheet) -> None:
    there = f"{PAGE}?sheet={boards.sheet_id}"
    button: Any = admin.get(f"/admin/sheets/sheet/{boards.sheet_id}/generate/")
    listed: Any = admin.post(
        "/admin/sheets/sheet/", {"action": "generate_selected", "_selected_action": [boards.sheet_id]}
    )
    assert button.url == listed.url == there
    assert f'value="{boards.sheet_id}" selected' in admin.get(there).content.decode()
