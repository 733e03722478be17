"""Pause, resume, cancel and retry: from which state to which, by whom, and what the API says."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django_q.models import OrmQ
from rest_framework.test import APIClient

from tests.training.jobs.test_lease import go_silent
from training.jobs.lease import take
from training.jobs.states import ASKED, STEPS
from training.models import JobRun, LiveJob, TrainingSheet

STATUSES = tuple(JobRun.Status.values)


def post(api: APIClient, job: JobRun, verb: str) -> Any:
    return api.post(f"/api/v1/jobs/{job.pk}/{verb}")


@pytest.mark.parametrize("verb", ASKED)
@pytest.mark.parametrize("status", STATUSES)
def test_each_verb_leads_where_the_table_says(api: APIClient, job: JobRun, verb: str, status: str) -> None:
    LiveJob.objects.update(status=status, failed=1)
    answer = post(api, job, verb)
    after = STEPS[verb].get(status)
    assert answer.status_code == (200 if after else 409)
    assert LiveJob.objects.get().status == (after or status)
    if after:
        assert (answer.json()["status"], JobRun.objects.get().status) == (after, after)
    else:
        assert f"{status} →" in answer.json()["error"]["message"]


def test_a_worker_is_told_and_not_overruled(api: APIClient, job: JobRun) -> None:
    take(job.pk)
    answer = post(api, job, "pause").json()
    assert (answer["status"], answer["wish"], answer["worker_is_alive"]) == ("running", "pause", True)
    assert post(api, job, "cancel").json()["wish"] == "cancel"
    assert post(api, job, "pause").status_code == 409


def test_a_job_whose_worker_died_is_paused_at_once(api: APIClient, job: JobRun) -> None:
    take(job.pk)
    go_silent(job)
    assert post(api, job, "pause").json()["status"] == "paused"


def test_of_two_who_resume_one_does(api: APIClient, job: JobRun) -> None:
    LiveJob.objects.update(status="paused")
    assert [post(api, job, "resume").status_code for _ in range(2)] == [200, 409]
    assert OrmQ.objects.count() == 2  # the first of them is from the start


def test_cancelling_lets_the_pairs_be_reviewed(api: APIClient, job: JobRun) -> None:
    post(api, job, "cancel")
    training_sheet = TrainingSheet.objects.get()
    assert (training_sheet.status, training_sheet.error) == ("review", "Cancelled after 0 items.")
    assert api.get(f"/api/v1/jobs/{job.pk}").json()["error"] == "Cancelled by rosa."


def test_nothing_failed_so_nothing_is_retried(api: APIClient, job: JobRun) -> None:
    LiveJob.objects.update(status="succeeded")
    assert "No item of the job failed" in post(api, job, "retry").json()["error"]["message"]


@pytest.mark.parametrize("verb", ASKED)
def test_nils_may_only_look(nils: User, job: JobRun, verb: str) -> None:
    client = APIClient()
    client.force_authenticate(nils)
    assert client.get(f"/api/v1/jobs/{job.pk}").status_code == 200
    assert post(client, job, verb).status_code == 403
    assert LiveJob.objects.get().status == "queued"


def test_a_job_outlives_its_queue(api: APIClient, job: JobRun) -> None:
    LiveJob.objects.all().delete()
    lost = api.get(f"/api/v1/jobs/{job.pk}").json()
    assert (lost["status"], lost["total"], lost["worker_is_alive"]) == ("failed", 50, False)
    assert post(api, job, "resume").json()["status"] == "queued"
    assert LiveJob.objects.get().pk == job.pk
