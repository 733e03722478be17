"""The queue of django-q2 in the default database; its only user."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django_q.cluster import Cluster
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

__all__ = ["Cluster", "enqueue", "enqueue_review", "every_minute", "has_waiting"]


def enqueue(job_id: str) -> None:
    """Add the job's task, in the transaction of the caller where there is one.

    Without a timeout, because ten million items take hours. A failed task is not repeated by the queue: its job is
    taken back when its lease ends.
    """
    async_task("training.tasks.run_job", job_id, task_name=f"job {job_id}", timeout=-1, ack_failure=True)


def enqueue_review(training_sheet_id: str) -> None:
    """Add the task that applies a training sheet's reviews; a failed one is not repeated, the next minute's looks again."""
    async_task(
        "training.tasks.apply_reviews", training_sheet_id, task_name="apply reviews", ack_failure=True, save=False
    )


def every_minute(name: str, task: str) -> None:
    """Have the workers run the task each minute; the same name again changes nothing."""
    # Names of schedules are not unique: of two processes at the same moment both may add one, which does no harm.
    with transaction.atomic("default"):
        if not Schedule.objects.filter(name=name).exists():
            Schedule.objects.create(name=name, func=task, schedule_type=Schedule.MINUTES, minutes=1, repeats=-1)


def has_waiting() -> bool:
    """Return whether a task waits that no worker has fetched."""
    return bool(OrmQ.objects.filter(lock__lte=timezone.now()).exists())
