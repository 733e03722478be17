"""The page of a job, and the way to it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from training.actions.jobs import submit
from training.jobs.lease import take
from training.models import JobRun, LiveJob, TrainingSheet


@pytest.fixture
def job(boards: TrainingSheet) -> JobRun:
    """A queued job over the boards."""
    return submit(boards, 50, actor="omar")


def url(job: JobRun, page: str) -> str:
    return reverse(f"admin:training_jobrun_{page}", args=[job.pk])


def text(admin: Client, address: str) -> str:
    return admin.get(address).content.decode()


def test_more_than_a_request_can_carry_goes_to_its_job(
    admin: Client, boards: TrainingSheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.actions.start.IN_REQUEST", 10)
    given = {"sheet": boards.sheet_id, "template": boards.template_id, "mode": "ai_generated"}
    response: Any = admin.post("/admin/training/trainingsheet/generate/", given)
    job = JobRun.objects.get()
    assert response.url == url(job, "change")
    assert (job.created_by, LiveJob.objects.get().total, OrmQ.objects.count()) == ("rosa", 50, 1)


def test_shows_how_far_it_is_and_asks_again(admin: Client, job: JobRun) -> None:
    take(job.pk)
    LiveJob.objects.update(
        done=1_000, total=4_000, rate=50, failed=1, errors=[{"item_ref": "b7", "error": "too <long>"}]
    )
    page = text(admin, url(job, "change"))
    for words in ('<b id="job-done">1,000</b> of 4,000 items, 50/s, about 1 min left', "b7", "too &lt;long&gt;"):
        assert words in page
    assert 'hx-trigger="every 1s"' in page


def test_the_buttons_come_anew_only_when_the_state_changed(admin: Client, job: JobRun) -> None:
    assert "hx-swap-oob" not in text(admin, f"{url(job, 'now')}?state=queued")
    LiveJob.objects.update(status="paused")
    after = text(admin, f"{url(job, 'now')}?state=queued")
    assert "hx-swap-oob" in after
    assert "Resume" in after
    assert "hx-trigger" not in after


def test_a_button_asks_and_is_logged(admin: Client, job: JobRun) -> None:
    response: Any = admin.post(url(job, "ask"), {"verb": "pause"}, follow=True)
    assert LiveJob.objects.get().status == "paused"
    assert "Paused by rosa." in response.content.decode()
    assert LogEntry.objects.get().object_id == job.pk


def test_what_cannot_be_asked_now_is_said(admin: Client, job: JobRun) -> None:
    response: Any = admin.post(url(job, "ask"), {"verb": "resume"}, follow=True)
    assert "queued → queued" in response.content.decode()


def test_who_may_only_look_sees_no_buttons_and_asks_nothing(client: Client, nils: User, job: JobRun) -> None:
    nils.is_staff = True
    nils.save()
    nils.user_permissions.add(Permission.objects.get(codename="view_jobrun"))
    client.force_login(nils)
    assert '<form method="post" action="' + url(job, "ask") not in text(client, url(job, "change"))
    assert client.post(url(job, "ask"), {"verb": "cancel"}).status_code == 403
    assert client.get(url(job, "ask")).status_code == 405
    assert LiveJob.objects.get().status == "queued"


def test_the_training_sheet_leads_to_its_job(admin: Client, job: JobRun, boards: TrainingSheet) -> None:
    page = text(admin, reverse("admin:training_trainingsheet_change", args=[boards.pk]))
    assert f'href="{url(job, "change")}"' in page
    assert "queued: 0 of 50 items" in page


def test_the_list_shows_what_jobs_do_now(admin: Client, job: JobRun) -> None:
    take(job.pk)
    LiveJob.objects.update(done=7)
    assert "7 / 50" in text(admin, reverse("admin:training_jobrun_changelist"))


def test_cost_and_time_are_told_beforehand(admin: Client, boards: TrainingSheet, settings: Any) -> None:
    settings.LLM_URL = "http://127.0.0.1:9/v1"
    settings.LLM_MODEL, settings.LLM_PRICE_PROMPT, settings.LLM_PRICE_COMPLETION = "tiny", Decimal(10), Decimal(20)
    for items, rate in ((400, 2), (4, 0.1)):  # the short one tells how long it takes to begin
        result, progress = {"rate": rate, "model": "tiny"}, {"done": items, "total": items}
        JobRun.objects.create(
            job_type="generate", status="succeeded", result=result, progress=progress, created_by="omar"
        )
    page = text(
        admin, f"/admin/training/trainingsheet/generate/counts/?sheet={boards.sheet_id}&template={boards.template_id}"
    )
    assert "of answers: $" in page
    assert "≈ 20 s</dt>" in page
