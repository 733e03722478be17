"""What the queue calls."""

from __future__ import annotations

from training.jobs.work import run


def run_job(job_id: str) -> str:
    """Run a job and return its state, for the queue's log."""
    job = run(job_id)
    return job.status if job else "nothing to do, or another worker is at it"
