"""The lease: one worker at a time, and another after the first was not heard of."""

from __future__ import annotations

from datetime import timedelta
from threading import Event, Semaphore

import pytest
from django.conf import settings
from django.utils import timezone

from training.jobs import watching
from training.jobs.lease import give_back, renew, take
from training.jobs.watching import JobWatch
from training.models import JobRun, LiveJob
from training.watch import Progress


def go_silent(job: JobRun) -> None:
    """Let the worker's last heartbeat be too long ago."""
    LiveJob.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - timedelta(seconds=settings.JOB_LEASE + 1))


def test_a_second_worker_gets_nothing(job: JobRun) -> None:
    assert take(job.pk)
    assert take(job.pk) is None


def test_a_silent_worker_loses_the_job_to_the_next(job: JobRun) -> None:
    first = take(job.pk)
    go_silent(job)
    second = take(job.pk)
    assert first and second and first.token != second.token
    assert renew(first, done=7) is None
    assert not give_back(first, "finish")
    assert (LiveJob.objects.get().done, LiveJob.objects.get().status) == (0, "running")


def test_a_heartbeat_keeps_the_lease_and_hears_what_people_want(job: JobRun) -> None:
    held = take(job.pk)
    assert held
    go_silent(job)
    assert renew(held, done=7) == ""
    LiveJob.objects.update(wish="pause")
    assert renew(held) == "pause"
    assert take(job.pk) is None


def test_a_warehouse_that_wakes_up_holds_up_no_heartbeat(job: JobRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "JOB_LEASE", 0.1)
    beats, awake = Semaphore(0), Event()
    monkeypatch.setattr(watching, "renew", lambda *_, **__: beats.release() or "")
    monkeypatch.setattr(watching, "first_errors", lambda _: [awake.wait(30)][:0])
    watch = JobWatch(LiveJob.objects.get(), str(job.training_sheet_id))
    watch.progress(Progress(1, 50, failed=1))
    with watch:
        assert all(beats.acquire(timeout=10) for _ in range(3))
        awake.set()


@pytest.mark.parametrize("status", ["paused", "succeeded", "failed", "cancelled"])
def test_only_a_queued_job_is_taken(job: JobRun, status: str) -> None:
    LiveJob.objects.update(status=status)
    assert take(job.pk) is None
