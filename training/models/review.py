"""What review keeps beside the lakehouse: pairs in their newest state, and the journal of decisions."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone

from training.models.sheets import QAPair, ReviewEvent
from training.querysets import ReviewPairQuerySet, ReviewViewQuerySet
from workbench.concepts import Confidence


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

    def minutes_held(self) -> int:
        """Return for how many minutes more its holder has it, at least one."""
        left = self.held_until - timezone.now() if self.held_until else timedelta()
        return max(1, round(left.total_seconds() / 60))

    def keeps_label(self) -> bool:
        """Return whether the pair is not approved and its item's canonical label stands all the same, as far as review knows."""
        if self.status == "labeled":
            return False
        if "canonical_label_id" in self.state:
            return bool(self.state["canonical_label_id"])
        writes = ("approve", "edit")
        wrote = self.actions.filter(models.Q(action__in=writes) | models.Q(undoes__action__in=writes)).order_by("-id")
        last = wrote.values_list("label_plan", "undoes").first()
        if last is None:
            return False
        plan, undone = last
        return bool(plan["link"][0]) if plan else undone is None


class ReviewSheet(models.Model):
    """The review of a training sheet: who applies its journal or fills its queue now, one process at a time."""

    lives_in: ClassVar[str] = "default"

    id = models.CharField(primary_key=True, max_length=36, help_text="The key of the training sheet.")
    closed = models.BooleanField(default=False, help_text="A model was trained on it, so its pairs stay as they are.")
    # Text, because a JSON column of PostgreSQL forgets the order of the fields, which is that of the form.
    frame = models.TextField(default="", help_text="Its `Frame` as JSON, once it was read from the lakehouse.")

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
    changes = models.JSONField(default=list, help_text="As in `templates_app.changes`.")
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
            models.Index(fields=["training_sheet_id", "actor", "id"], name="review_latest_of_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor}"


class ReviewView(models.Model):
    """A named choice of pairs: filters and their order, of one training sheet or for all, private or shared."""

    lives_in: ClassVar[str] = "default"

    name = models.CharField(max_length=80)
    owner = models.CharField(max_length=254)
    training_sheet_id = models.CharField(max_length=36, blank=True, default="", help_text="Empty: for all of them.")
    shared = models.BooleanField(default=False, help_text="Shown to all who review, not to its owner alone.")
    query = models.JSONField(default=dict, help_text="Filters and order, as parameters of a URL.")
    created_at = models.DateTimeField(default=timezone.now)

    objects = ReviewViewQuerySet.as_manager()

    class Meta:
        db_table = "review_views"
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "training_sheet_id", "name"], name="review_views_unique")
        ]

    def __str__(self) -> str:
        return self.name
