"""What runs when a job runs: the same for the queue, the command and whoever else is told to."""

from __future__ import annotations

import logging
import time

from django.db import DatabaseError
from django.utils import timezone

from training.actions.generate import resume, retry_failed
from training.actions.jobs import leave_unfinished
from training.jobs.dispatch import dispatch
from training.jobs.lease import give_back, take
from training.jobs.record import record
from training.jobs.states import after_of
from training.jobs.watching import LOST, JobWatch, first_errors
from training.models import LiveJob, TrainingSheet
from training.review.queue import fill
from training.watch import Stopped, Watch
from workbench.problems import Problem

log = logging.getLogger(__name__)


def run(job_id: str, *, also: Watch | None = None) -> LiveJob | None:
    """Do the job until it ends or is stopped, and return it; None at once where another does it or it is over.

    Safe to call twice at once, after a crash, or for a job that is done: one lease, and pairs that are written stay.
    `also` watches beside the job and may stop it.
    """
    if (job := take(job_id)) is None:
        return None
    training_sheet = TrainingSheet.objects.get(jobs__pk=job_id)
    # Open around all that reads or writes the lakehouse: a warehouse that wakes up may take longer than the lease.
    with JobWatch(job, training_sheet.pk, also) as watch:
        record(job, started_at=timezone.now(), completed_at=None)
        if training_sheet.status != TrainingSheet.Status.TRAINED:
            training_sheet.status, training_sheet.error = TrainingSheet.Status.GENERATING, ""
            training_sheet.save(update_fields=["status", "error"])
        began = time.monotonic()
        step, error = _worked(job, training_sheet, watch)
        if step != LOST:
            _settle(job, training_sheet, watch, step, error, time.monotonic() - began)
    return LiveJob.objects.get(pk=job_id)


def _worked(job: LiveJob, training_sheet: TrainingSheet, watch: JobWatch) -> tuple[str, str]:
    """Return the step that ends the lease, and what stopped the work."""
    try:
        (retry_failed if job.retry_failed else resume)(training_sheet, watch=watch)
    except Stopped as stopped:
        return stopped.reason, ""
    except (Problem, DatabaseError, OSError) as error:
        return "fail", str(error)
    except Exception as error:
        log.exception("Job %s failed", job.pk)
        return "fail", f"{type(error).__name__}: {error}"
    return "finish", ""


def _settle(
    job: LiveJob, training_sheet: TrainingSheet, watch: JobWatch, step: str, error: str, seconds: float
) -> None:
    """Write how it ended: to the lakehouse first, so that a crash in between leaves a lease that ends, and work to repeat."""
    outcome = watch.counts()
    if error:
        outcome["error"] = error
    if step == "hand back":
        give_back(job, step, then=dispatch, **outcome)
        return
    if step == "finish":
        _look_ahead(training_sheet)
        counted = training_sheet.statistics
        outcome |= {
            "done": counted["items"],
            "total": counted["items"],
            "failed": counted["failed"],
            "retry_failed": False,
        }
        outcome["errors"] = first_errors(training_sheet.pk) if counted["failed"] else []
    if step == "cancel":
        leave_unfinished(training_sheet)
    rate = max(0, outcome["done"] - job.done) / seconds
    job.refresh_from_db()
    for name, value in {**outcome, "status": after_of(step)}.items():
        setattr(job, name, value)
    model = training_sheet.generation_config.get("model", "")
    result = {"statistics": training_sheet.statistics, "model": model, "rate": rate}
    record(job, completed_at=timezone.now(), result=result)
    give_back(job, step, **outcome)


def _look_ahead(training_sheet: TrainingSheet) -> None:
    """Have the first pairs to review ready for who opens the review first."""
    try:
        fill(training_sheet.pk)
    except (DatabaseError, OSError):
        log.warning(
            "The first pairs of training sheet %s are fetched when asked for.", training_sheet.pk, exc_info=True
        )
