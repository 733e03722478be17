"""Follows the run of a job: one that ended without its job ends the job as well."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from training.actions.jobs import GENERATE, leave_unfinished
from training.jobs.record import with_live
from training.jobs.runs import give_up, may_ask, settle
from training.jobs.states import UNDER_WAY
from training.models import JobRun, LiveJob, TrainingSheet
from workbench.problems import NotFound, Problem
from workbench.workspace import asking, workspace

if TYPE_CHECKING:
    from databricks.sdk.service.jobs import Run

log = logging.getLogger(__name__)


def seen(run: JobRun) -> JobRun:
    """Return the job as it is now, after a look at its run where that may tell something new."""
    (run,) = with_live([run])
    return with_live([run])[0] if follow(run.live) else run


def follow(job: LiveJob) -> bool:
    """Look at the run of a job that nobody holds, and return whether the workspace was asked.

    The end of the run is the end of the job: as its people wished, else as failed with the run's reason.
    """
    unheld = job.status in UNDER_WAY and not job.is_leased
    if job.run_id is None or not (unheld or not job.run_url) or not may_ask(job):
        return False
    try:
        with asking(f"run {job.run_id}"):
            run = workspace().jobs.get_run(job.run_id)
    except NotFound as gone:
        give_up(job, f"{gone} Resume the job to try again.")
    except Problem as problem:
        log.warning("Job %s: %s", job.pk, problem)
    else:
        LiveJob.objects.filter(pk=job.pk, attempt=job.attempt).update(run_url=run.run_page_url or "")
        if run.status and run.status.state and run.status.state.value == "TERMINATED":
            _end(job, run)
    return True


def _end(job: LiveJob, run: Run) -> None:
    wish = job.wish
    if wish not in ("pause", "cancel"):
        give_up(job, f"The run {job.run_id} ended before the job did: {_reason(run)} Resume the job to try again.")
    elif settle(job, wish, job.error) and wish == "cancel":
        for training_sheet in TrainingSheet.objects.filter(jobs__pk=job.pk, jobs__job_type=GENERATE):
            leave_unfinished(training_sheet)


def _reason(run: Run) -> str:
    details = run.status and run.status.termination_details
    words = (details and details.message) or (run.state and run.state.state_message) or "no reason is given."
    return f"{details.code.value}, {words}" if details and details.code else words
