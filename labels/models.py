"""Canonical labels: an expert's ground truth for an item, once for each type of task."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from governance.uses import all_uses as all_uses  # the migrations name it here
from sheets.models import Sheet
from templates_app.models import PromptTemplate
from workbench.concepts import Classification, Concept, Confidence, Governed
from workbench.lakehouse.fields import ArrayField, ChoiceField, KeyField
from workbench.sheet_rights import OfSheetQuerySet


class CanonicalLabel(Governed):
    """The present version of a label; its key is (sheet, item_ref, label_type)."""

    of_sheet: ClassVar[str] = "sheet_id"

    id = KeyField()
    sheet = models.ForeignKey(Sheet, on_delete=models.PROTECT, related_name="labels")
    item_ref = models.CharField(max_length=1024)
    label_type = models.CharField(max_length=64)
    label_data = models.JSONField(help_text="The expert's answer; its shape depends on the label type.")
    confidence = ChoiceField(max_length=6, choices=Confidence.choices, default=Confidence.HIGH)
    notes = models.TextField(blank=True, default="")
    labeled_by = models.CharField(max_length=254)
    labeled_at = models.DateTimeField()
    last_modified_by = models.CharField(max_length=254)
    last_modified_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1, editable=False)
    template = models.ForeignKey(PromptTemplate, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    output_schema = models.JSONField(null=True, blank=True, help_text="The schema that the label was made under.")
    item_hash = models.CharField(
        max_length=64, blank=True, default="", help_text="Content of the item when it was labeled."
    )
    created_at = models.DateTimeField()
    decided_by = models.CharField(
        max_length=254, blank=True, default="", editable=False, help_text="Who decided between two opinions."
    )
    opinion_id = models.CharField(
        max_length=36, blank=True, default="", editable=False, help_text="The second opinion that it rests on too."
    )
    opinions_by = ArrayField(editable=False, help_text="Whose opinions it rests on, where there were two.")

    allowed_uses = ArrayField(default=all_uses)
    tag_prohibited_uses = ArrayField(help_text="What tags prohibited when the pair was made that the label comes from.")
    uses_change_reason = models.TextField(
        blank=True,
        default="",
        editable=False,
        help_text="Why uses changed with this version, for whoever adds the audit row.",
    )

    objects = OfSheetQuerySet.as_manager()

    class Meta:
        db_table = "canonical_labels"
        db_table_comment = "Expert ground truth, one label for an item and task"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "item_ref", "label_type"], name="canonical_labels_item_and_type")
        ]

    def __str__(self) -> str:
        return f"{self.item_ref} ({self.label_type})"


class CanonicalLabelVersion(models.Model):
    """A label as it was after one change; rows are only ever added."""

    of_sheet: ClassVar[str] = "canonical_label__sheet_id"

    id = KeyField()
    canonical_label = models.ForeignKey(CanonicalLabel, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    label_data = models.JSONField()
    confidence = ChoiceField(max_length=6, choices=Confidence.choices)
    notes = models.TextField(blank=True, default="")
    allowed_uses = ArrayField()
    prohibited_uses = ArrayField()
    usage_reason = models.TextField(blank=True, default="")
    data_classification = ChoiceField(max_length=12, choices=Classification.choices)
    modified_by = models.CharField(max_length=254)
    modified_at = models.DateTimeField()
    change_note = models.TextField(blank=True, default="")
    decided_by = models.CharField(max_length=254, blank=True, default="", help_text="Who decided between two opinions.")
    opinion_id = models.CharField(max_length=36, blank=True, default="", help_text="The second one of them.")

    objects = OfSheetQuerySet.as_manager()

    class Meta:
        db_table = "canonical_label_versions"
        db_table_comment = "Every version of every canonical label"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.canonical_label}, version {self.version}"


class SecondOpinion(Concept):
    """How many items of a sheet a second expert answers too, for one type of task, and when both answers are the same."""

    of_sheet: ClassVar[str] = "sheet_id"

    sheet = models.ForeignKey(Sheet, on_delete=models.PROTECT, related_name="+")
    label_type = models.CharField(max_length=64)
    share = models.PositiveSmallIntegerField(help_text="Percent of the items, from 0 to 100.")
    tolerance = models.FloatField(default=0.0, help_text="Numbers that differ by no more are the same.")
    min_iou = models.FloatField(default=0.5, help_text="Boxes and polygons that cover each other so far are the same.")
    updated_by = models.CharField(max_length=254, editable=False)
    updated_at = models.DateTimeField(editable=False)

    objects = OfSheetQuerySet.as_manager()

    class Meta:
        db_table = "second_opinions"
        db_table_comment = "Share of the items of a sheet that a second expert answers blind, by label type"
        ordering = ["-id"]
        verbose_name = "second opinion rule"
        constraints = [models.UniqueConstraint(fields=["sheet", "label_type"], name="second_opinions_sheet_and_type")]

    def __str__(self) -> str:
        return f"{self.share} % of {self.label_type}"


class LabelOpinion(models.Model):
    """A second expert's answer to an item, given without seeing the first: the label's version that it stands beside."""

    of_sheet: ClassVar[str] = "sheet_id"

    class Status(models.TextChoices):
        WAITING = "waiting"
        AGREED = "agreed"
        ADJUDICATED = "adjudicated"

    id = KeyField()
    sheet = models.ForeignKey(Sheet, on_delete=models.PROTECT, related_name="+")
    item_ref = models.CharField(max_length=1024)
    label_type = models.CharField(max_length=64)
    author = models.CharField(max_length=254)
    label_data = models.JSONField()
    confidence = ChoiceField(max_length=6, choices=Confidence.choices)
    notes = models.TextField(blank=True, default="")
    output_schema = models.JSONField(null=True, blank=True, help_text="The schema that the opinion was given under.")
    template_id = models.CharField(
        max_length=36, blank=True, default="", help_text="The template that the opinion was given under."
    )
    item_hash = models.CharField(max_length=64, blank=True, default="")
    made_at = models.DateTimeField()
    canonical_label_id = models.CharField(max_length=36)
    label_version = models.PositiveIntegerField(help_text="The version of the label that is the first opinion.")
    first_author = models.CharField(max_length=254)
    status = ChoiceField(max_length=11, choices=Status.choices, default=Status.WAITING)
    decided_by = models.CharField(max_length=254, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = OfSheetQuerySet.as_manager()

    class Meta:
        db_table = "label_opinions"
        db_table_comment = "Second experts' answers to items, given blind"
        ordering = ["-made_at", "-id"]

    def __str__(self) -> str:
        return f"{self.item_ref} ({self.label_type}) by {self.author}"


class LabelHold(models.Model):
    """Who has an item on the labeling screen: in the default database, where taking it is one conditional UPDATE."""

    lives_in: ClassVar[str] = "default"

    key = models.CharField(primary_key=True, max_length=64, help_text="SHA-256 of sheet, label type and item_ref.")
    sheet_id = models.CharField(max_length=36)
    label_type = models.CharField(max_length=64)
    item_ref = models.CharField(max_length=1024)
    holder = models.CharField(max_length=254)
    held_until = models.DateTimeField()

    class Meta:
        db_table = "label_holds"
        indexes = [models.Index(fields=["sheet_id", "label_type"], name="label_holds_by_task")]

    def __str__(self) -> str:
        return f"{self.item_ref} by {self.holder}"
