"""Submit a generation as a job, and pause, resume, cancel a job or retry what failed."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.utils import timezone

from training.actions.generate import items_of, statistics_of
from training.jobs.dispatch import dispatch
from training.jobs.record import live_of, record
from training.jobs.runs import call_off
from training.jobs.states import STEPS, UNDER_WAY, after_of, refusal
from training.models import JobRun, LiveJob, TrainingSheet
from training.review.steps import restate_sheet
from workbench.problems import Conflict

GENERATE = "generate"
log = logging.getLogger(__name__)


def submit(training_sheet: TrainingSheet, items: int, *, actor: str, elsewhere: bool = True, reads: str = "") -> JobRun:
    """Return a new job that writes the training sheet's missing pairs; `elsewhere=False` leaves running it to the caller.

    `reads` is the hash of the sheet's pointers that the present pairs were made by, where there are some.
    """
    run = JobRun.objects.create(
        job_type=GENERATE,
        training_sheet=training_sheet,
        asked={"reads": reads or training_sheet.sheet.pointers_hash()},
        progress={"done": 0, "total": items},
        created_by=actor,
    )
    with transaction.atomic("default"):
        LiveJob.objects.create(pk=run.pk, total=items)
        if elsewhere:
            dispatch(run.pk)
    return run


def pause_job(run: JobRun, *, actor: str) -> LiveJob:
    """Return the job, paused or about to be: its worker writes what was answered first."""
    return _stop(run, "pause", f"Paused by {actor}.")


def cancel_job(run: JobRun, *, actor: str) -> LiveJob:
    """Return the job, cancelled or about to be; the pairs that were written stay and can be reviewed."""
    job = _stop(run, "cancel", f"Cancelled by {actor}.")
    if job.status == JobRun.Status.CANCELLED and run.job_type == GENERATE and run.training_sheet:
        leave_unfinished(run.training_sheet)
    return job


def resume_job(run: JobRun, *, actor: str, elsewhere: bool = True) -> LiveJob:
    """Return the job, queued again; items that have their pair are skipped."""
    return _requeue(run, "resume", actor, elsewhere)


def retry_job(run: JobRun, *, actor: str) -> LiveJob:
    """Return the job, queued to ask again for the items that have an error; Conflict where none has."""
    job = live_of(run)
    if job.status == JobRun.Status.SUCCEEDED and not job.failed:
        raise Conflict("No item of the job failed, so there is nothing to retry.")
    return _requeue(run, "retry", actor, retry_failed=True, errors=[], failed=0)


def unfinished_job(training_sheet: TrainingSheet, *, actor: str) -> JobRun:
    """Return the job to run here that finishes the training sheet: its last one where that can go on, else a new one.

    Raises Conflict where a worker is at it.
    """
    last = JobRun.objects.filter(training_sheet=training_sheet, job_type=GENERATE).first()
    if last and LiveJob.objects.leased().filter(pk=last.pk).exists():
        raise Conflict(f"A worker generates {training_sheet} already: pause its job {last.pk} first, or let it finish.")
    if last and (status := live_of(last).status) not in ("succeeded", "cancelled"):
        if status in STEPS["resume"]:
            resume_job(last, actor=actor, elsewhere=False)
        return last
    reads = last.asked.get("reads", "") if last else ""
    return submit(training_sheet, items_of(training_sheet), actor=actor, elsewhere=False, reads=reads)


VERBS = {"pause": pause_job, "resume": resume_job, "retry": retry_job, "cancel": cancel_job}


def leave_unfinished(training_sheet: TrainingSheet) -> None:
    """Let the pairs that a cancelled job wrote be reviewed as they are."""
    counted = statistics_of(training_sheet)
    training_sheet.statistics, training_sheet.status = counted, TrainingSheet.Status.REVIEW
    training_sheet.error = f"Cancelled after {counted['items']:,} items."
    training_sheet.generation_completed_at = training_sheet.updated_at = timezone.now()
    training_sheet.save()
    if counted["items"]:
        # All of them may be decided by now.
        restate_sheet(training_sheet.pk)


def _stop(run: JobRun, step: str, note: str) -> LiveJob:
    """Tell the worker where there is one; else the job stops here and now."""
    job = live_of(run)
    same = LiveJob.objects.filter(pk=run.pk)
    at_work = same.leased().filter(status="running")
    if step == "pause" and at_work.filter(wish="cancel").exists():
        raise Conflict("The job is being cancelled, so it cannot be paused any more.")
    if not at_work.update(wish=step, wished_at=timezone.now(), error=note):
        idle = same.free().filter(status__in=STEPS[step])
        if not idle.update(status=after_of(step), wish="", token="", error=note):
            job.refresh_from_db()
            raise refusal(step, job.status)
        if job.status in UNDER_WAY:
            call_off(job)
        job.refresh_from_db()
        record(job)
    job.refresh_from_db()
    return job


def _requeue(run: JobRun, step: str, actor: str, elsewhere: bool = True, **changes: Any) -> LiveJob:
    job = live_of(run)
    with transaction.atomic("default"):
        waiting = LiveJob.objects.filter(pk=run.pk, status__in=STEPS[step])
        again = {"status": after_of(step), "queued_at": timezone.now(), "wish": "", "error": ""}
        if not waiting.update(**again, run_id=None, run_url="", **changes):
            job.refresh_from_db()
            raise refusal(step, job.status)
        if elsewhere:
            dispatch(run.pk)
    log.info("Job %s: %s by %s", run.pk, step, actor)
    job.refresh_from_db()
    record(job)
    return job
