"""Who runs jobs is named by a setting."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.training.jobs.test_lease import go_silent
from training.checks import check_jobs
from training.jobs.dispatch import dispatch
from training.jobs.lease import take
from training.jobs.upkeep import hand_back_own, take_back_lost
from training.models import JobRun, LiveJob


def test_an_unknown_name_is_found_before_anything_runs(settings: Any) -> None:
    assert check_jobs() == []
    settings.JOBS = "quue"
    (error,) = check_jobs()
    assert (error.id, error.hint) == ("training.E001", "Set WORKBENCH_JOBS to databricks, queue.")
    with pytest.raises(ImproperlyConfigured, match="'quue' is not known"):
        dispatch("x")


def test_a_lost_job_is_queued_once(job: JobRun) -> None:
    take(job.pk)
    assert take_back_lost() == 0
    go_silent(job)
    assert [take_back_lost(), take_back_lost()] == [1, 0]
    assert LiveJob.objects.get().status == "queued"


def test_a_worker_that_ends_asks_only_its_own_jobs_back(job: JobRun) -> None:
    take(job.pk)
    hand_back_own()
    assert LiveJob.objects.get().wish == "hand back"
    LiveJob.objects.update(wish="", worker="elsewhere/7")
    hand_back_own()
    assert LiveJob.objects.get().wish == ""
