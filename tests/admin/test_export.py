"""The page that exports: the summary, and a file with the bytes that the API gives."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from training.jobs.work import run
from training.models import Export, JobRun, QAPair, TrainingSheet


def page(training_sheet: TrainingSheet) -> str:
    return reverse("admin:training_trainingsheet_export", args=[training_sheet.pk])


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_summary_names_each_exclusion(admin: Client, invoices: TrainingSheet) -> None:
    text = admin.get(page(invoices)).content.decode()
    assert ">5</dt><dd>exported for training" in text
    assert "<b>22</b> unlabeled: waiting for review" in text
    assert "<b>3</b> training prohibited: Contains PHI - HIPAA" in text


def test_another_use_has_another_summary(admin: Client, invoices: TrainingSheet) -> None:
    assert admin.get(page(invoices), {"use": "evaluation"}).context["summary"]["exported"] == 8


def test_the_file_is_that_of_the_api(admin: Client, api: APIClient, boards: TrainingSheet) -> None:
    response: Any = admin.post(page(boards), {"use": "training"})
    assert response["Content-Type"] == "application/jsonl"
    assert f"training_sheet_{boards.pk}.jsonl" in response["Content-Disposition"]
    exported = body(response)
    assert exported == body(api.get(f"/api/v1/training-sheets/{boards.pk}/export/jsonl"))
    assert len(exported.splitlines()) == 10
    assert {row.channel for row in Export.objects.all()} == {"admin", "api"}


def test_nothing_to_export_is_said(admin: Client, boards: TrainingSheet) -> None:
    QAPair.objects.of(boards.pk).update(status="rejected")
    text = admin.get(page(boards)).content.decode()
    assert "Nothing to export for training" in text
    assert 'id="download" disabled' in text
    response = admin.post(page(boards), {"use": "training"})
    assert response.status_code == 409
    assert "50 pairs: rejected" in response.content.decode()
    assert not Export.objects.exists()


def test_an_unknown_use_is_named(admin: Client, boards: TrainingSheet) -> None:
    response = admin.get(page(boards), {"use": "trainning"})
    assert response.status_code == 400
    assert "training" in response.content.decode()


def test_the_list_leads_here_for_one(admin: Client, boards: TrainingSheet, invoices: TrainingSheet) -> None:
    url, action = reverse("admin:training_trainingsheet_changelist"), {"action": "export_selected"}
    one: Any = admin.post(url, action | {"_selected_action": [boards.pk]})
    assert one.url == page(boards)
    both = admin.post(url, action | {"_selected_action": [boards.pk, invoices.pk]}, follow=True)
    assert "Choose one training sheet" in both.content.decode()


def test_options_are_part_of_the_address(admin: Client, boards: TrainingSheet) -> None:
    asked = {"split": "train", "format": "csv", "validation_percent": "30"}
    response = admin.get(page(boards), asked)
    assert response.context["summary"]["format"] == "csv"
    text = response.content.decode()
    assert "held back for validation: 30 % validation" in text and 'name="stratify_by"' in text
    response = admin.post(page(boards), asked)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert b"".join(response.streaming_content).startswith(b"messages,pair_id,")  # type: ignore[attr-defined]


def test_what_a_trainer_would_refuse_cannot_be_downloaded(admin: Client, invoices: TrainingSheet) -> None:
    text = admin.get(page(invoices), {"profile": "openai"}).content.decode()
    assert "5 lines; it takes 10 at least" in text and 'id="download" disabled' in text


def test_a_kept_export_is_fetched_from_its_page(admin: Client, boards: TrainingSheet) -> None:
    kept: Any = admin.post(page(boards), {"keep": "1"})
    row = Export.objects.get()
    assert kept.url == reverse("admin:training_export_change", args=[row.pk])
    got: Any = admin.get(reverse("admin:training_export_download", args=[row.pk]), follow=True)
    exported = body(got)
    assert len(exported.splitlines()) == 10
    url = reverse("admin:training_export_manifest", args=[row.pk])
    assert url in admin.get(kept.url).text
    manifest: Any = admin.get(url, follow=True)
    assert json.loads(body(manifest))["sha256"] == hashlib.sha256(exported).hexdigest()


def test_the_page_of_an_export_job_leads_to_its_file(
    admin: Client, boards: TrainingSheet, settings: Any, beats_in_vain: None
) -> None:
    settings.EXPORT_JOB_PAIRS = 10
    started: Any = admin.post(page(boards), {"keep": "1"})
    job = JobRun.objects.get()
    waiting = admin.get(started.url).text
    assert "waiting for a worker" in waiting and "Open the export" not in waiting
    assert "<dt>Tokens" not in waiting and "Open in review" not in waiting
    run(job.pk)
    row = reverse("admin:training_export_change", args=[Export.objects.get().pk])
    moved = admin.get(reverse("admin:training_jobrun_now", args=[job.pk]), {"state": "queued"}).text
    assert f'href="{row}"' in moved and f'href="{row}"' in admin.get(started.url).text


def test_earlier_exports_are_gone_on_from(admin: Client, boards: TrainingSheet) -> None:
    body(admin.post(page(boards), {}))
    row = Export.objects.get()
    assert f"since={row.pk}" in admin.get(page(boards)).content.decode()
    assert "unchanged since the export" in admin.get(page(boards), {"since": row.pk}).content.decode()


def test_the_first_stratified_split_is_exported_for_a_trainer(admin: Client, boards: TrainingSheet) -> None:
    asked = {"split": "train", "stratify_by": "defect_type", "validation_percent": "30", "profile": "trl"}
    text = admin.get(page(boards), asked).content.decode()
    assert "The export decides the sides of 10 pairs" in text and 'id="download" disabled' not in text
    assert len(body(admin.post(page(boards), asked)).splitlines()) == Export.objects.get().exported_pairs > 5
    assert "The export decides" not in admin.get(page(boards), asked).content.decode()


def test_lines_are_checked_against_a_limit_of_tokens(admin: Client, boards: TrainingSheet) -> None:
    text = admin.get(page(boards), {"checks": "1", "max_tokens": "10"}).content.decode()
    assert "10 lines have more than 10 tokens" in text and 'id="download" disabled' not in text
    text = admin.get(page(boards), {"checks": "1", "max_tokens": "10", "profile": "openai"}).content.decode()
    assert "10 lines have more than 10 tokens" in text and 'id="download" disabled' not in text
    assert "Found &#x27;many&#x27;: use 1 or more" in admin.get(page(boards), {"max_tokens": "many"}).content.decode()
