"""The lease of a job: who holds its token works on it, alone, for as long as heartbeats come."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from training.jobs.states import STEPS, after_of
from training.models import LiveJob


def worker_name() -> str:
    """Return host and process group, which a worker's command shares with the processes that it starts."""
    return f"{socket.gethostname()}/{os.getpgrp()}"


def take(job_id: str) -> LiveJob | None:
    """Return the job, now running with a token of one's own; None where another holds it or nothing is to be done."""
    token = str(uuid4())
    open_to = LiveJob.objects.free().filter(pk=job_id, status__in=STEPS["take"])
    # One UPDATE with its condition, so that of two who try at the same moment one gets it.
    taken = open_to.update(status="running", token=token, worker=worker_name(), heartbeat_at=timezone.now(), rate=0)
    return LiveJob.objects.get(pk=job_id) if taken else None


def renew(job: LiveJob, **progress: Any) -> str | None:
    """Write a heartbeat with the progress and return what the worker shall do; None when the lease is another's now."""
    held = LiveJob.objects.filter(pk=job.pk, token=job.token)
    if not held.update(heartbeat_at=timezone.now(), **progress):
        return None
    return held.values_list("wish", flat=True).first()


def give_back(job: LiveJob, step: str, *, then: Callable[[str], None] | None = None, **outcome: Any) -> bool:
    """End the lease by the step; `then` happens in the same transaction. False when the lease is another's now."""
    held = LiveJob.objects.filter(pk=job.pk, token=job.token, status__in=STEPS[step])
    with transaction.atomic("default"):
        ended = held.update(status=after_of(step), token="", wish="", queued_at=timezone.now(), **outcome)
        if ended and then:
            then(job.pk)
    return bool(ended)
