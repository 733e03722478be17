"""Jobs as runs of one saved job of the Databricks workspace, whose task is `manage.py run_job ID`.

The saved job, made once from `databricks_job.json`, says where it runs, as whom and with which settings: nothing of
that is known here, so no secret passes through. What is asked of the workspace is asked outside of transactions.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from training.jobs.record import record
from training.jobs.states import STEPS, after_of
from training.models import LiveJob, TrainingSheet
from workbench.problems import Problem, Unavailable
from workbench.workspace import asking, workspace

log = logging.getLogger(__name__)

# The parameter of the saved job that takes the id of ours.
PARAMETER = "job"
# Between two questions about one run, whoever asks.
ASK_EVERY = timedelta(seconds=5)


def start(job_id: str) -> None:
    """Ask for a run of the job when the transaction of the caller is committed.

    Where this process dies in between, or the workspace is away, the worker's upkeep asks.
    """
    LiveJob.objects.filter(pk=job_id).update(attempt=F("attempt") + 1, run_id=None, run_url="", asked_at=None)
    transaction.on_commit(partial(send, job_id), using="default")


def send(job_id: str) -> None:
    """Ask for the run of the job's attempt and keep its id; an attempt has one run, however often it is asked for.

    A job whose request the workspace refuses fails with its reason.
    """
    job = LiveJob.objects.filter(pk=job_id, status="queued", run_id=None).first()
    if job is None:
        return
    given, token = {PARAMETER: job.pk}, f"{job.pk}-{job.attempt}"
    try:
        with asking(f"run of the job {settings.JOBS_ID}"):
            run = workspace().jobs.run_now(settings.JOBS_ID, job_parameters=given, idempotency_token=token)
    except Unavailable as away:
        log.warning("Job %s has no run yet: %s", job.pk, away)
    except Problem as refused:
        give_up(job, str(refused))
    else:
        LiveJob.objects.filter(pk=job.pk, attempt=job.attempt).update(run_id=run.run_id)


def call_off(job: LiveJob) -> None:
    """Cancel the job's run where it has one; a run that cannot be reached finds nothing to do when it starts."""
    if job.run_id is None:
        return
    try:
        with asking(f"end of the run {job.run_id}"):
            workspace().jobs.cancel_run(job.run_id)
    except Problem as problem:
        log.warning("Job %s: %s", job.pk, problem)


def may_ask(job: LiveJob) -> bool:
    """Return whether the workspace was not asked about the job for a while; True to one of those who ask at once."""
    before = Q(asked_at=None) | Q(asked_at__lt=timezone.now() - ASK_EVERY)
    return bool(LiveJob.objects.filter(before, pk=job.pk).update(asked_at=timezone.now()))


def give_up(job: LiveJob, error: str) -> None:
    """Let the job fail, and its training sheet, unless somebody works on it or it is over; both can be resumed."""
    if settle(job, "give up", error):
        TrainingSheet.objects.filter(jobs__pk=job.pk, status="generating").update(status="failed", error=error)


def settle(job: LiveJob, step: str, error: str) -> bool:
    """Take the step for a job of this attempt that nobody holds, and record it; False where it is another's or over."""
    idle = LiveJob.objects.free().filter(pk=job.pk, attempt=job.attempt, status__in=STEPS[step])
    if not idle.update(status=after_of(step), token="", wish="", error=error):
        return False
    job.refresh_from_db()
    record(job, completed_at=timezone.now())
    return True
