"""What the queue calls."""

from __future__ import annotations

from training.jobs.work import run
from training.review.waking import apply_soon


def run_job(job_id: str) -> str:
    """Run a job and return its state, for the queue's log."""
    job = run(job_id)
    return job.status if job else "nothing to do, or another worker is at it"


def apply_reviews(training_sheet_id: str | None = None) -> int:
    """Apply what waits in the journal of a training sheet, or of all, and return how many actions."""
    return apply_soon(training_sheet_id)
