"""Training sheets and their pairs, with the events of review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from governance.uses import Limit
from labels.models import CanonicalLabel, all_uses
from sheets import source_uses
from sheets.item_limits import limits_of_items
from sheets.models import Sheet
from templates_app.models import PromptTemplate
from training.querysets import QAPairQuerySet, TrainingSheetQuerySet
from workbench.concepts import Concept, Governed
from workbench.lakehouse.fields import ArrayField, ChoiceField, KeyField
from workbench.lakehouse.indexes import ClusterBy
from workbench.sheet_rights import OfSheetQuerySet


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

    of_sheet: ClassVar[str] = "sheet_id"

    name = models.CharField(max_length=255)
    sheet = models.ForeignKey(Sheet, on_delete=models.PROTECT, related_name="training_sheets")
    template = models.ForeignKey(PromptTemplate, on_delete=models.PROTECT, related_name="training_sheets")
    status = ChoiceField(max_length=10, choices=Status.choices, default=Status.GENERATING, editable=False)
    labeling_mode = ChoiceField(max_length=15, choices=Mode.choices, default=Mode.AI_GENERATED)
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

    of_sheet: ClassVar[str] = "training_sheet__sheet_id"

    id = KeyField()
    training_sheet = models.ForeignKey(TrainingSheet, on_delete=models.PROTECT, related_name="pairs")
    item_ref = models.CharField(max_length=1024)
    position = models.BigIntegerField(help_text="The item's place in the sheet's order, from 0.")
    item_hash = models.CharField(max_length=64, blank=True, default="")
    messages = models.JSONField(help_text='[{"role", "content"}, …]; content is text.')
    canonical_label = models.ForeignKey(
        CanonicalLabel, null=True, blank=True, on_delete=models.PROTECT, related_name="pairs"
    )
    canonical_label_version = models.PositiveIntegerField(null=True, blank=True)
    status = ChoiceField(max_length=9, choices=Status.choices, default=Status.UNLABELED)
    labeling_mode = ChoiceField(max_length=15, choices=Mode.choices)
    model = models.CharField(max_length=255, blank=True, default="", help_text="What drafted the answer.")
    ai_confidence = models.FloatField(null=True, blank=True, help_text="0 to 1, as the drafter states it.")
    files_shown = models.IntegerField(default=0, help_text="How many files of the item the model was shown.")
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
    based_on = ArrayField(help_text="The items of the sheet whose labels the draft was copied from.")
    tag_prohibited_uses = ArrayField(help_text="What tags of the sources prohibited when the pair was made.")

    objects = QAPairQuerySet.as_manager()

    class Meta:
        db_table = "qa_pairs"
        db_table_comment = "Question–answer pairs with status, uses and review"
        ordering = ["training_sheet_id", "position", "id"]
        indexes = [ClusterBy("training_sheet", name="qa_pairs_cluster", keys_within=True)]
        verbose_name = "pair"

    def __str__(self) -> str:
        return self.item_ref

    @cached_property
    def source_limits(self) -> Sequence[Limit]:
        """The limits of the item and of the sheet's sources, read once for this object: for showing, not for a gate."""
        sheet = self.training_sheet.sheet
        return [*source_uses.limits_of(sheet), *limits_of_items(sheet, [self.item_ref]).get(self.item_ref, ())]

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
        USES = "uses"

    of_sheet: ClassVar[str] = "training_sheet__sheet_id"

    id = KeyField()
    action_id = models.CharField(max_length=64, help_text="Given by the client; the same one twice happens once.")
    qa_pair = models.ForeignKey(QAPair, on_delete=models.PROTECT, related_name="events")
    training_sheet = models.ForeignKey(TrainingSheet, on_delete=models.PROTECT, related_name="events")
    action = ChoiceField(max_length=7, choices=Action.choices)
    old_status = ChoiceField(max_length=9, choices=QAPair.Status.choices)
    new_status = ChoiceField(max_length=9, choices=QAPair.Status.choices)
    pair_version = models.PositiveIntegerField(help_text="The pair's version after the action.")
    changes = models.JSONField(default=list, help_text='[{"field_path", "old_value", "new_value"}, …]')
    reason = models.TextField(blank=True, default="")
    actor = models.CharField(max_length=254)
    created_at = models.DateTimeField()

    objects = OfSheetQuerySet.as_manager()

    class Meta:
        db_table = "review_events"
        db_table_comment = "What reviewers did to pairs"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor}"
