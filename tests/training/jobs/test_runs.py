"""Jobs as runs of a saved job of the workspace, which is on loopback; the run here is any command that stays or ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from databricks.sdk.service.jobs import JobSettings
from django.utils import timezone
from rest_framework.test import APIClient

from tests.conftest import at
from tests.databricks.workspace import Workspace
from tests.databricks.workspace_jobs import Jobs
from tests.training.jobs.test_lease import go_silent
from training.checks import check_jobs
from training.jobs.lease import take
from training.jobs.runs import start
from training.jobs.upkeep import look_after
from training.models import JobRun, LiveJob, TrainingSheet

Committed = Callable[..., Any]
SAVED = 7
STAYS, ENDS = "import time; time.sleep(600)", "import sys; sys.exit('no memory')"


@pytest.fixture
def workspace(job: JobRun, lakehouse: Path, settings: Any) -> Iterator[Workspace]:
    """The workspace; the job that is saved runs the file `run.py`."""
    settings.JOBS, settings.JOBS_ID = "databricks", SAVED
    file = lakehouse.parent / "run.py"
    file.write_text(STAYS)
    task = {"task_key": "t", "spark_python_task": {"python_file": str(file), "parameters": ["{{job.parameters.job}}"]}}
    with at(lakehouse, warehouse=True) as stage:
        saved = {"name": "w", "parameters": [{"name": "job", "default": ""}], "tasks": [task]}
        stage.server.workspace.jobs.saved[SAVED] = JobSettings.from_dict(saved)
        yield stage.server.workspace


@pytest.fixture
def runs(workspace: Workspace) -> Jobs:
    return workspace.jobs


@pytest.fixture
def started(
    workspace: Workspace, job: JobRun, lakehouse: Path, django_capture_on_commit_callbacks: Committed
) -> Callable[..., LiveJob]:
    """Starts the job with this code as its command, and returns it."""

    def begin(code: str = STAYS) -> LiveJob:
        (lakehouse.parent / "run.py").write_text(code)
        with django_capture_on_commit_callbacks(execute=True):
            start(job.pk)
        return LiveJob.objects.get()

    return begin


def later() -> None:
    """Let time pass for whoever looks at the job."""
    then = timezone.now() - timedelta(hours=1)
    LiveJob.objects.update(queued_at=then, asked_at=then, wished_at=then)


def asked(api: APIClient, job: JobRun, verb: str) -> Any:
    return api.post(f"/api/v1/jobs/{job.pk}/{verb}").json()


def test_a_lost_answer_does_not_start_a_second_run(runs: Jobs, started: Callable[..., LiveJob]) -> None:
    runs.lost = 1
    live = started()
    assert (live.status, [live.run_id]) == ("queued", list(runs.runs))
    first, second = (given["idempotency_token"] for given in runs.submissions)
    assert first == second and len(first) <= 64


def test_a_process_that_died_before_it_asked_is_made_up_for(runs: Jobs, job: JobRun) -> None:
    start(job.pk)  # the commit came, and nothing after it
    look_after()
    assert not runs.runs
    later()
    look_after()
    look_after()
    assert list(runs.runs) == [LiveJob.objects.get().run_id] and len(runs.submissions) == 1
    assert runs.submissions[0]["job_parameters"] == {"job": job.pk}


def test_a_workspace_that_is_away_is_asked_again(workspace: Workspace, started: Callable[..., LiveJob]) -> None:
    workspace.fail(500)
    live = started()
    assert (live.status, live.run_id) == ("queued", None)
    later()
    look_after()
    assert LiveJob.objects.get().run_id in workspace.jobs.runs


def test_a_run_that_dies_ends_the_job_with_its_reason(
    runs: Jobs, started: Callable[..., LiveJob], job: JobRun, api: APIClient, django_capture_on_commit_callbacks: Any
) -> None:
    runs.runs[started(ENDS).run_id or 0].process.wait()
    look_after()
    found = api.get(f"/api/v1/jobs/{job.pk}").json()
    assert found["status"] == "failed" and found["run_url"] == "https://loopback/jobs/runs/1000"
    assert found["error"].startswith("The run 1000 ended before the job did: RUN_EXECUTION_ERROR, The command ended")
    assert TrainingSheet.objects.get().status == "failed"
    with django_capture_on_commit_callbacks(execute=True):
        assert asked(api, job, "resume")["status"] == "queued"
    assert list(runs.runs) == [1000, 1010] and LiveJob.objects.get().run_id == 1010


def test_a_run_that_is_refused_fails_at_once(started: Callable[..., LiveJob], settings: Any) -> None:
    settings.JOBS_ID = 8
    live = started()
    assert live.status == "failed" and "Job 8 does not exist" in live.error


def test_the_workspace_is_not_asked_all_the_time(
    workspace: Workspace, started: Callable[..., LiveJob], job: JobRun, api: APIClient
) -> None:
    started()
    for _ in range(3):
        assert api.get(f"/api/v1/jobs/{job.pk}").json()["run_id"] == 1000
    look_after()
    assert [request.path for request in workspace.requests].count("/api/2.2/jobs/runs/get") == 1


@pytest.mark.parametrize(("verb", "status"), [("pause", "paused"), ("cancel", "cancelled")])
def test_a_run_that_waits_is_called_off(
    runs: Jobs, started: Callable[..., LiveJob], job: JobRun, api: APIClient, verb: str, status: str
) -> None:
    run = runs.runs[started().run_id or 0]
    assert asked(api, job, verb)["status"] == status
    assert run.cancelled and run.process.wait() != 0


def test_a_run_that_does_not_end_by_itself_is_ended(
    runs: Jobs, started: Callable[..., LiveJob], job: JobRun, api: APIClient
) -> None:
    run = runs.runs[started().run_id or 0]
    take(job.pk)
    assert asked(api, job, "cancel")["wish"] == "cancel"
    look_after()
    assert not run.cancelled
    later()
    look_after()
    assert run.cancelled and LiveJob.objects.get().status == "running"
    go_silent(job)
    later()
    look_after()
    assert (LiveJob.objects.get().status, TrainingSheet.objects.get().status) == ("cancelled", "review")


def test_the_job_page_links_the_run(started: Callable[..., LiveJob], job: JobRun, omar: Any, client: Any) -> None:
    started()
    client.force_login(omar)
    page = client.get(f"/admin/training/jobrun/{job.pk}/change/").content.decode()
    assert 'href="https://loopback/jobs/runs/1000"' in page and "waiting for its run to start" in page


def test_what_it_needs_is_checked_at_the_start(settings: Any, db: None) -> None:
    settings.JOBS = "databricks"
    found = {error.id: error.hint or "" for error in check_jobs()}
    assert found["training.E002"].startswith("Set WORKBENCH_DATABASE_URL to postgresql://… or lakebase://…")
    assert "WORKBENCH_JOBS_ID" in found["training.E004"]
