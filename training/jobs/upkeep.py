"""What a worker does beside the work: take back jobs from workers that died, and hand back its own before it ends."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from training.jobs.dispatch import dispatch
from training.jobs.lease import worker_name
from training.jobs.queue import has_waiting
from training.models import LiveJob
from training.querysets import LiveJobQuerySet

# A task that a dead worker had fetched waits for the queue's own retry for an hour.
FORGOTTEN = timedelta(minutes=1)


def take_back_lost() -> int:
    """Queue again the jobs that run by nobody, and those whose task was lost; returns how many.

    What people wished for meanwhile stays with the job: the worker that takes it stops at once.
    """
    lost = LiveJob.objects.filter(status="running").free()
    forgotten = LiveJob.objects.filter(status="queued", queued_at__lt=timezone.now() - FORGOTTEN)
    found = _queued(lost)
    return found if has_waiting() else found + _queued(forgotten)


def _queued(jobs: LiveJobQuerySet) -> int:
    count = 0
    for key in list(jobs.values_list("pk", flat=True)):
        with transaction.atomic("default"):
            # Asked again in the UPDATE: of two workers that look at the same moment one queues it.
            if jobs.filter(pk=key).update(status="queued", token="", queued_at=timezone.now()):
                dispatch(key)
                count += 1
    return count


def hand_back_own() -> None:
    """Ask the jobs that this worker's processes run to stop and queue themselves, unless people want something else."""
    own = LiveJob.objects.leased().filter(status="running", worker=worker_name(), wish="")
    own.update(wish=LiveJob.Wish.HAND_BACK)
