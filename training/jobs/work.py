"""What runs when a job runs: the same for the queue, the command and whoever else is told to."""

from __future__ import annotations

import logging
import time

from django.db import DatabaseError
from django.utils import timezone

from training.jobs.dispatch import dispatch
from training.jobs.kinds import KINDS, Kind
from training.jobs.lease import give_back, take
from training.jobs.record import record
from training.jobs.states import after_of
from training.jobs.watching import JobWatch
from training.models import JobRun, LiveJob
from training.watch import LOST, Stopped, Watch
from workbench.problems import Problem

log = logging.getLogger(__name__)

# Their words say what to do; of others the type tells more.
_FORESEEN = (Problem, DatabaseError, OSError)


def run(job_id: str, *, also: Watch | None = None, raises: bool = False) -> LiveJob | None:
    """Do the job until it ends or is stopped, and return it; None at once where another does it or it is over.

    Safe to call twice at once, after a crash, or for a job that is done: one lease, and what is written stays.
    `also` watches beside the job and may stop it. With `raises`, what the job failed with is raised once it is kept.
    """
    if (job := take(job_id)) is None:
        return None
    wanted = JobRun.objects.select_related("training_sheet__sheet", "training_sheet__template").get(pk=job_id)
    kind = KINDS[wanted.job_type]
    # Open around all that reads or writes the lakehouse: a warehouse that wakes up may take longer than the lease.
    with JobWatch(job, str(wanted.training_sheet_id), also) as watch:
        record(job, started_at=timezone.now(), completed_at=None)
        kind.begin(wanted)
        began = time.monotonic()
        step, error = _worked(kind, wanted, job, watch)
        if step != LOST:
            _settle(kind, wanted, job, watch, step, error, time.monotonic() - began)
    if raises and error:
        raise error
    return LiveJob.objects.get(pk=job_id)


def _worked(kind: Kind, wanted: JobRun, job: LiveJob, watch: JobWatch) -> tuple[str, Exception | None]:
    """Return the step that ends the lease, and what stopped the work."""
    try:
        kind.work(wanted, job, watch)
    except Stopped as stopped:
        return stopped.reason, None
    except _FORESEEN as error:
        return "fail", error
    except Exception as error:
        log.exception("Job %s failed", job.pk)
        return "fail", error
    return "finish", None


def _settle(
    kind: Kind, wanted: JobRun, job: LiveJob, watch: JobWatch, step: str, error: Exception | None, seconds: float
) -> None:
    """Write how it ended: to the lakehouse first, so that a crash in between leaves a lease that ends, and work to repeat."""
    outcome = watch.counts()
    if error:
        outcome["error"] = str(error) if isinstance(error, _FORESEEN) else f"{type(error).__name__}: {error}"
    if step == "hand back":
        give_back(job, step, then=dispatch, **outcome)
        return
    if step == "finish":
        outcome |= kind.finished(wanted, job)
    if step == "cancel":
        kind.cancelled(wanted)
    rate = max(0, outcome["done"] - job.done) / seconds
    job.refresh_from_db()
    for name, value in {**outcome, "status": after_of(step)}.items():
        setattr(job, name, value)
    record(job, completed_at=timezone.now(), result={**kind.result(wanted), "rate": rate})
    give_back(job, step, **outcome)
