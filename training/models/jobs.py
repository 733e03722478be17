"""Jobs: their record, and what they do now."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from training.models.sheets import TrainingSheet
from training.querysets import LiveJobQuerySet, lease_start
from workbench.concepts import Concept
from workbench.lakehouse.fields import ChoiceField
from workbench.sheet_rights import OfSheetQuerySet


class JobRun(Concept):
    """The record of long work: its state, progress and outcome as of the last change of state; `LiveJob` has them now."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        PAUSED = "paused"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    of_sheet: ClassVar[str] = "training_sheet__sheet_id"
    live: LiveJob  # set by `training.jobs.record.with_live`

    job_type = models.CharField(max_length=32)
    training_sheet = models.ForeignKey(
        TrainingSheet, null=True, blank=True, on_delete=models.PROTECT, related_name="jobs"
    )
    status = ChoiceField(max_length=9, choices=Status.choices, default=Status.QUEUED)
    asked = models.JSONField(default=dict, blank=True, help_text="What the job shall do, where its kind needs to know.")
    progress = models.JSONField(default=dict, help_text='{"done", "total"}')
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True, default="")
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    objects = OfSheetQuerySet.as_manager()

    class Meta:
        db_table = "job_runs"
        db_table_comment = "Runs of long work"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.job_type} {self.pk}"


class LiveJob(models.Model):
    """What a job does now: its state, the lease of the worker that does it, and how far it is.

    In the default database, because a worker renews it every second, and a lease is one conditional UPDATE.
    """

    lives_in: ClassVar[str] = "default"

    class Wish(models.TextChoices):
        PAUSE = "pause"
        CANCEL = "cancel"
        HAND_BACK = "hand back"

    id = models.CharField(primary_key=True, max_length=36, editable=False, help_text="The key of its job run.")
    status = models.CharField(max_length=9, choices=JobRun.Status.choices, default=JobRun.Status.QUEUED)
    wish = models.CharField(max_length=9, choices=Wish.choices, default="", help_text="What its worker shall do next.")
    retry_failed = models.BooleanField(default=False, help_text="Ask again for the items that have an error.")
    queued_at = models.DateTimeField(default=timezone.now)

    token = models.CharField(max_length=36, default="", help_text="Of the lease; empty where nobody has it.")
    worker = models.CharField(max_length=255, default="", help_text="Host and process group of who has the lease.")
    heartbeat_at = models.DateTimeField(null=True, help_text="The lease ends settings.JOB_LEASE seconds later.")

    attempt = models.PositiveIntegerField(default=0, help_text="How often it was handed to the workspace.")
    run_id = models.BigIntegerField(null=True, help_text="The run of the workspace that does it.")
    run_url = models.TextField(default="", help_text="That run's page.")
    asked_at = models.DateTimeField(null=True, help_text="When the workspace was last asked about the run.")
    wished_at = models.DateTimeField(null=True, help_text="When its worker was told.")

    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    cached = models.BigIntegerField(default=0)
    prompt_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    rate = models.FloatField(default=0, help_text="Items a second, lately.")
    errors = models.JSONField(default=list, help_text='The first few: [{"item_ref", "error"}, …]')
    error = models.TextField(default="", help_text="What stopped the job.")

    objects = LiveJobQuerySet.as_manager()

    class Meta:
        db_table = "live_jobs"

    def __str__(self) -> str:
        return f"{self.status}, {self.done} of {self.total}"

    @property
    def is_leased(self) -> bool:
        """Return whether a worker holds the lease and was heard of within its time."""
        return bool(self.token and self.heartbeat_at and self.heartbeat_at >= lease_start())

    @property
    def seconds_left(self) -> float | None:
        """Return how long the rest takes at the latest rate; None where no worker is at it."""
        return (self.total - self.done) / self.rate if self.rate and self.is_leased else None
