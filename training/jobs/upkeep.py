"""What a worker does beside the work: take back jobs from workers that died, hand back its own before it ends, and sweep."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from labels.labeling import uploads
from training.files.building import sweep
from training.files.sweeping import sweep_conversations
from training.jobs.dispatch import dispatch
from training.jobs.following import follow
from training.jobs.lease import worker_name
from training.jobs.queue import has_waiting
from training.jobs.runs import call_off, may_ask, send
from training.jobs.states import UNDER_WAY
from training.models import LiveJob
from training.querysets import LiveJobQuerySet
from workbench.kept_files import forget_expired

# A task that a dead worker had fetched waits for the queue's own retry for an hour.
FORGOTTEN = timedelta(minutes=1)
# Who queues a job asks for its run at once; whoever is asked twice gives the same run.
UNSENT = timedelta(seconds=5)
# For the calls of a model that are under way when a run is told to cancel.
PATIENCE = timedelta(minutes=2)


def look_after() -> None:
    """Do what has to be done for jobs every few seconds, by who runs them, and remove files that count no more."""
    forget_expired()
    UPKEEP[settings.JOBS]()
    sweep()
    uploads.sweep()
    sweep_conversations()


def take_back_lost() -> int:
    """Queue again the jobs that run by nobody, and those whose task was lost; returns how many.

    What people wished for meanwhile stays with the job: the worker that takes it stops at once.
    """
    lost = LiveJob.objects.filter(status="running").free()
    forgotten = LiveJob.objects.filter(status="queued", queued_at__lt=timezone.now() - FORGOTTEN)
    found = _queued(lost)
    return found if has_waiting() else found + _queued(forgotten)


def look_after_runs() -> None:
    """Ask for runs that were not asked for, follow the others, and end those that do not end when they are told.

    A job that ran elsewhere, by a command, and lost its worker is queued again.
    """
    waiting = LiveJob.objects.filter(run_id=None)
    _queued(waiting.filter(status="running").free())
    for job in waiting.filter(status="queued", queued_at__lt=timezone.now() - UNSENT):
        send(job.pk)
    followed = LiveJob.objects.exclude(run_id=None)
    for job in followed.filter(status__in=UNDER_WAY).free():
        follow(job)
    for job in followed.leased().filter(wish="cancel", wished_at__lt=timezone.now() - PATIENCE):
        if may_ask(job):
            call_off(job)


UPKEEP: dict[str, Callable[[], object]] = {"queue": take_back_lost, "databricks": look_after_runs}


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
