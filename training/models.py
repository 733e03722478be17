"""Training sheets and their pairs, the events of review, jobs and exports."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from labels.models import CanonicalLabel, all_uses
from sheets.models import Sheet
from templates_app.models import PromptTemplate
from training.querysets import LiveJobQuerySet, QAPairQuerySet, ReviewPairQuerySet, TrainingSheetQuerySet, lease_start
from workbench.concepts import Concept, Confidence, Governed
from workbench.lakehouse.fields import ArrayField, KeyField
from workbench.lakehouse.indexes import ClusterBy


class TrainingSheet(Concept):
    """The question–answer pairs of one sheet under one template."""

    class Status(models.TextChoices):
        GENERATING = "generating"
        REVIEW = "review"
        APPROVED = "approved"
        TRAINED = "trained"
        FAILED = "failed"

    class Mode(models.TextChoices):
        AI_GENERATED = "ai_generated"
        MANUAL = "manual"
        EXISTING_COLUMN = "existing_column"

    name = models.CharField(max_length=255)
    sheet = models.ForeignKey(Sheet, on_delete=models.PROTECT, db_constraint=False, related_name="training_sheets")
    template = models.ForeignKey(
        PromptTemplate, on_delete=models.PROTECT, db_constraint=False, related_name="training_sheets"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.GENERATING, editable=False)
    labeling_mode = models.CharField(max_length=15, choices=Mode.choices, default=Mode.AI_GENERATED)
    generation_config = models.JSONField(default=dict, blank=True)
    statistics = models.JSONField(default=dict, blank=True, editable=False, help_text="Counts of the generation.")
    error = models.TextField(blank=True, default="", editable=False)
    generation_started_at = models.DateTimeField(null=True, editable=False)
    generation_completed_at = models.DateTimeField(null=True, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TrainingSheetQuerySet.as_manager()

    class Meta:
        db_table = "training_sheets"
        db_table_comment = "Q&A datasets: a sheet under a template"
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class QAPair(Governed):
    """One question–answer pair; its id is the UUIDv5 of training sheet and item."""

    class Status(models.TextChoices):
        UNLABELED = "unlabeled"
        LABELED = "labeled"
        REJECTED = "rejected"
        FLAGGED = "flagged"

    class Mode(models.TextChoices):
        AI_GENERATED = "ai_generated"
        MANUAL = "manual"
        EXISTING_COLUMN = "existing_column"
        CANONICAL = "canonical"

    id = KeyField()
    training_sheet = models.ForeignKey(
        TrainingSheet, on_delete=models.PROTECT, db_constraint=False, related_name="pairs"
    )
    item_ref = models.CharField(max_length=1024)
    position = models.BigIntegerField(help_text="The item's place in the sheet's order, from 0.")
    item_hash = models.CharField(max_length=64, blank=True, default="")
    messages = models.JSONField(help_text='[{"role", "content"}, …]; content is text.')
    canonical_label = models.ForeignKey(
        CanonicalLabel, null=True, blank=True, on_delete=models.PROTECT, db_constraint=False, related_name="pairs"
    )
    canonical_label_version = models.PositiveIntegerField(null=True, blank=True)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.UNLABELED)
    labeling_mode = models.CharField(max_length=15, choices=Mode.choices)
    model = models.CharField(max_length=255, blank=True, default="", help_text="What drafted the answer.")
    ai_confidence = models.FloatField(null=True, blank=True, help_text="0 to 1, as the drafter states it.")
    quality_score = models.FloatField(null=True, blank=True)
    misfits = ArrayField(help_text="Where the answer does not fit the template's output schema.")
    error = models.TextField(blank=True, default="", help_text="Why no answer could be drafted.")
    reviewed_by = models.CharField(max_length=254, blank=True, default="")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review_notes = models.TextField(blank=True, default="")
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    allowed_uses = ArrayField(default=all_uses)

    objects = QAPairQuerySet.as_manager()

    class Meta:
        db_table = "qa_pairs"
        db_table_comment = "Question–answer pairs with status, uses and review"
        ordering = ["training_sheet_id", "position", "id"]
        indexes = [ClusterBy("training_sheet", name="qa_pairs_cluster", keys_within=True)]
        verbose_name = "pair"

    def __str__(self) -> str:
        return self.item_ref

    @property
    def is_from_older_label(self) -> bool:
        """Return whether the canonical label was changed since the pair was made from it."""
        label = self.canonical_label
        return bool(label and self.canonical_label_version and self.canonical_label_version < label.version)


class ReviewEvent(models.Model):
    """One action of a reviewer on a pair; rows are only ever added."""

    class Action(models.TextChoices):
        APPROVE = "approve"
        EDIT = "edit"
        REJECT = "reject"
        FLAG = "flag"
        REOPEN = "reopen"
        UNDO = "undo"

    id = KeyField()
    action_id = models.CharField(max_length=64, help_text="Given by the client; the same one twice happens once.")
    qa_pair = models.ForeignKey(QAPair, on_delete=models.PROTECT, db_constraint=False, related_name="events")
    training_sheet = models.ForeignKey(
        TrainingSheet, on_delete=models.PROTECT, db_constraint=False, related_name="events"
    )
    action = models.CharField(max_length=7, choices=Action.choices)
    old_status = models.CharField(max_length=9, choices=QAPair.Status.choices)
    new_status = models.CharField(max_length=9, choices=QAPair.Status.choices)
    pair_version = models.PositiveIntegerField(help_text="The pair's version after the action.")
    changes = models.JSONField(default=list, help_text='[{"field_path", "old_value", "new_value"}, …]')
    reason = models.TextField(blank=True, default="")
    actor = models.CharField(max_length=254)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "review_events"
        db_table_comment = "What reviewers did to pairs"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor}"


class ReviewPair(models.Model):
    """A pair as review knows it: its newest state, ahead of the lakehouse while actions wait, and who holds it.

    In the default database, because a decision and a lease are each one transaction of milliseconds there.
    """

    lives_in: ClassVar[str] = "default"

    id = models.CharField(primary_key=True, max_length=36, help_text="The key of the pair.")
    training_sheet_id = models.CharField(max_length=36)
    item_ref = models.CharField(max_length=1024)
    position = models.BigIntegerField()
    risk = models.FloatField(help_text="What should be looked at first is small: failed, misfit, low confidence.")
    status = models.CharField(max_length=9, choices=QAPair.Status.choices)
    version = models.PositiveIntegerField()
    state = models.JSONField(help_text="The other fields of the pair that review shows or changes.")
    waiting = models.PositiveIntegerField(default=0, help_text="Actions that are not in the lakehouse yet.")
    by_risk = models.BooleanField(default=False, help_text="Fetched for the queue in the order of risk.")
    in_sequence = models.BooleanField(default=False, help_text="Fetched for the queue in the order of items.")

    holder = models.CharField(max_length=254, default="", help_text="Who has it on the screen.")
    held_until = models.DateTimeField(null=True)

    objects = ReviewPairQuerySet.as_manager()

    class Meta:
        db_table = "review_pairs"
        indexes = [models.Index(fields=["training_sheet_id", "status", "risk"], name="review_pairs_by_risk")]
        permissions = [("take_over_reviewpair", "Can take over what another holds, and undo another's review")]

    def __str__(self) -> str:
        return f"{self.item_ref} {self.status}"

    def is_held_by_another(self, actor: str) -> bool:
        """Return whether somebody else has it on the screen now."""
        return bool(self.holder and self.holder != actor and self.held_until and self.held_until > timezone.now())


class ReviewSheet(models.Model):
    """The review of a training sheet: who applies its journal or fills its queue now, one process at a time."""

    lives_in: ClassVar[str] = "default"

    id = models.CharField(primary_key=True, max_length=36, help_text="The key of the training sheet.")
    closed = models.BooleanField(default=False, help_text="A model was trained on it, so its pairs stay as they are.")

    token = models.CharField(max_length=36, default="", help_text="Of the process that applies the journal.")
    held_until = models.DateTimeField(null=True)
    enqueued_at = models.DateTimeField(null=True, help_text="When a worker was told that something waits.")
    failed = models.PositiveIntegerField(default=0, help_text="How often in a row the lakehouse could not be reached.")
    retry_at = models.DateTimeField(null=True, help_text="Workers leave the lakehouse alone until then.")

    filling_until = models.DateTimeField(null=True, help_text="A process fetches the queue's next window.")
    by_risk_drained_at = models.DateTimeField(null=True, help_text="When the lakehouse had no further window.")
    in_sequence_drained_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "review_sheets"

    def __str__(self) -> str:
        return self.pk


class ReviewAction(models.Model):
    """The journal: what a reviewer decided, acknowledged once it is here; then it is applied to the lakehouse in order."""

    lives_in: ClassVar[str] = "default"

    action_id = models.CharField(max_length=64, unique=True, help_text="Given by the client: the same twice is once.")
    batch_id = models.CharField(max_length=64, blank=True, default="", db_index=True)
    pair = models.ForeignKey(ReviewPair, on_delete=models.PROTECT, related_name="actions")
    training_sheet_id = models.CharField(max_length=36, db_index=True)
    action = models.CharField(max_length=7, choices=ReviewEvent.Action.choices)
    actor = models.CharField(max_length=254)
    reason = models.TextField(blank=True, default="")
    confidence = models.CharField(max_length=6, choices=Confidence.choices, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    pair_version = models.PositiveIntegerField(help_text="The pair's version after the action.")
    before = models.JSONField(help_text="Status and state of the pair before the action.")
    after = models.JSONField(help_text="Status and state of the pair after the action.")
    changes = models.JSONField(default=list, help_text="As in `training.changes`.")
    undone = models.BooleanField(default=False)
    undoes = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    label_plan = models.JSONField(
        null=True, help_text="What applying does to the canonical label, fixed before it does."
    )
    applied_at = models.DateTimeField(null=True)
    error = models.TextField(default="", help_text="Why the lakehouse refused it, if it did; it is tried again.")

    class Meta:
        db_table = "review_actions"
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["training_sheet_id", "id"], condition=models.Q(applied_at=None), name="review_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor}"


class JobRun(Concept):
    """The record of long work: its state, progress and outcome as of the last change of state; `LiveJob` has them now."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        PAUSED = "paused"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    live: LiveJob  # set by `training.jobs.record.with_live`

    job_type = models.CharField(max_length=32)
    training_sheet = models.ForeignKey(
        TrainingSheet, null=True, blank=True, on_delete=models.PROTECT, db_constraint=False, related_name="jobs"
    )
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.QUEUED)
    progress = models.JSONField(default=dict, help_text='{"done", "total"}')
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True, default="")
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "job_runs"
        db_table_comment = "Runs of long work"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.job_type} {self.status}"


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


class Export(Concept):
    """What left, when, for which use, and the digest of its bytes."""

    training_sheet = models.ForeignKey(
        TrainingSheet, on_delete=models.PROTECT, db_constraint=False, related_name="exports"
    )
    format = models.CharField(max_length=20, default="chat")
    use = models.CharField(max_length=10, default="training")
    split = models.CharField(max_length=10, blank=True, default="")
    total_pairs = models.BigIntegerField()
    exported_pairs = models.BigIntegerField()
    excluded_pairs = models.BigIntegerField()
    exclusions = models.JSONField(default=list, help_text='[{"reason", "count"}, …]')
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    is_complete = models.BooleanField(help_text="False when the reader went away before the end.")
    channel = models.CharField(max_length=10, help_text="api, command or admin")

    class Meta:
        db_table = "exports"
        db_table_comment = "Every export: counts, exclusions, digest, who"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.exported_pairs} pairs for {self.use}"
