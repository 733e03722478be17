"""The queue of django-q2 in the default database; its only user."""

from __future__ import annotations

from django.utils import timezone
from django_q.cluster import Cluster
from django_q.models import OrmQ
from django_q.tasks import async_task

__all__ = ["Cluster", "enqueue", "has_waiting"]


def enqueue(job_id: str) -> None:
    """Add the job's task, in the transaction of the caller where there is one.

    Without a timeout, because ten million items take hours. A failed task is not repeated by the queue: its job is
    taken back when its lease ends.
    """
    async_task("training.tasks.run_job", job_id, task_name=f"job {job_id}", timeout=-1, ack_failure=True)


def has_waiting() -> bool:
    """Return whether a task waits that no worker has fetched."""
    return bool(OrmQ.objects.filter(lock__lte=timezone.now()).exists())
