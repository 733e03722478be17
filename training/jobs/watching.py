"""Watches a run for its job: heartbeats in a thread, so that neither a slow model nor a slow commit ends the lease.

What is read and written of the lakehouse beside them has a thread of its own, as a warehouse that wakes up takes longer
than a lease.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.db import DatabaseError, connections

from training.jobs.lease import renew
from training.models import JobRun, LiveJob, QAPair
from training.watch import LOST, Progress, Watch

log = logging.getLogger(__name__)

FIRST_ERRORS = 5
RATE_SECONDS = 15
# A write on a warehouse takes a second, and the record is only read where the live job is gone.
RECORD_SECONDS = 60


class JobWatch:
    """Keeps the lease while it is open; takes the progress and tells the run to stop when people, or the lease, say so."""

    def __init__(self, job: LiveJob, training_sheet_id: str, also: Watch | None = None) -> None:
        self.job, self.also, self.training_sheet_id = job, also, training_sheet_id
        self.now = Progress(job.done, job.total)
        self.wish: str = job.wish
        self._before = {} if job.retry_failed else {"failed": job.failed, "errors": job.errors}
        self._errors: list[dict[str, str]] = self._before.get("errors", [])
        self._seen = deque([(time.monotonic(), job.done)])
        self._recorded = time.monotonic()
        self._ended = Event()
        self._threads = [self._every_second(self._beat, "heartbeat"), self._every_second(self._report, "report")]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def progress(self, now: Progress) -> None:
        self.now = now
        if self.also:
            self.also.progress(now)

    def stop(self) -> str | None:
        return self.wish or (self.also.stop() if self.also else None) or None

    def counts(self) -> dict[str, Any]:
        """Return the columns of the progress; tokens and failures include those of the job's earlier runs."""
        now, job = self.now, self.job
        return {
            "done": now.done,
            "total": now.total,
            "failed": now.failed + self._before.get("failed", 0),
            "cached": now.cached + job.cached,
            "prompt_tokens": now.prompt_tokens + job.prompt_tokens,
            "completion_tokens": now.completion_tokens + job.completion_tokens,
            "errors": self._errors,
        }

    def _every_second(self, step: Callable[[], None], name: str) -> Thread:
        def go_on() -> None:
            try:
                while not self._ended.wait(min(1.0, settings.JOB_LEASE / 4)):
                    try:
                        step()
                    except (DatabaseError, OSError):
                        # The next beat may do better; if none does, the lease ends and another worker goes on.
                        log.warning("A %s of job %s failed", name, self.job.pk, exc_info=True)
            finally:
                connections.close_all()

        return Thread(target=go_on, name=f"{name} of job {self.job.pk}", daemon=True)

    def _beat(self) -> None:
        wish = renew(self.job, rate=self._rate(), **self.counts())
        self.wish = LOST if wish is None else wish

    def _report(self) -> None:
        if len(self._errors) < min(FIRST_ERRORS, self.now.failed):
            self._errors = first_errors(self.training_sheet_id)
        if time.monotonic() - self._recorded > RECORD_SECONDS and self.wish != LOST:
            self._recorded = time.monotonic()
            JobRun.objects.filter(pk=self.job.pk).update(progress=self.counts())

    def _rate(self) -> float:
        moment, done = time.monotonic(), self.now.done
        self._seen.append((moment, done))
        while len(self._seen) > 2 and moment - self._seen[0][0] > RATE_SECONDS:
            self._seen.popleft()
        then, before = self._seen[0]
        return max(0.0, (done - before) / (moment - then))


def first_errors(training_sheet_id: str) -> list[dict[str, str]]:
    """Return item and message of the first few pairs that could not be answered."""
    failed = QAPair.objects.of(training_sheet_id).exclude(error="")[:FIRST_ERRORS]
    return [{"item_ref": pair.item_ref, "error": pair.error} for pair in failed]
