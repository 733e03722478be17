"""The durable record of a job in the lakehouse, and the job as people see it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from training.models import JobRun, LiveJob

COUNTS = ("done", "total", "failed", "cached", "prompt_tokens", "completion_tokens")


def record(job: LiveJob, **more: Any) -> None:
    """Write the job's state to its run."""
    progress = {name: getattr(job, name) for name in COUNTS}
    JobRun.objects.filter(pk=job.pk).update(status=job.status, progress=progress, error=job.error, **more)


def with_live(runs: Iterable[JobRun]) -> list[JobRun]:
    """Return the runs, each with its `live` job, whose state is the present one.

    Where `default` was lost, `live` is made of the record: a run that was under way counts as failed, to be resumed.
    """
    runs = list(runs)
    live = LiveJob.objects.in_bulk([run.pk for run in runs])
    for run in runs:
        run.live = live.get(run.pk) or _of_record(run)
        run.status, run.error = run.live.status, run.live.error
    return runs


def live_of(run: JobRun) -> LiveJob:
    """Return the live job of a run; it is written anew where `default` was lost."""
    present = LiveJob.objects.filter(pk=run.pk).first()
    if present:
        return present
    made = _of_record(run)
    return LiveJob.objects.get_or_create(
        pk=run.pk, defaults={name: getattr(made, name) for name in (*COUNTS, "status", "error")}
    )[0]


def _of_record(run: JobRun) -> LiveJob:
    under_way = run.status in ("queued", "running")
    error = "The queue was lost while the job was under way: resume it." if under_way else run.error
    counts = {name: run.progress.get(name, 0) for name in COUNTS}
    return LiveJob(pk=run.pk, status="failed" if under_way else run.status, error=error, **counts)
