"""What left, and the models that were trained on it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from sheets.models import Sheet
from training.models.sheets import TrainingSheet
from workbench.concepts import Concept
from workbench.lakehouse.fields import ArrayField, KeyField
from workbench.lakehouse.indexes import ClusterBy
from workbench.sheet_rights import OfSheetQuerySet


class Export(Concept):
    """What left, when, for which use, and the digest of its bytes."""

    of_sheet: ClassVar[str] = "training_sheet__sheet_id"

    training_sheet = models.ForeignKey(TrainingSheet, on_delete=models.PROTECT, related_name="exports")
    format = models.CharField(max_length=20, default="chat")
    use = models.CharField(max_length=10, default="training")
    split = models.CharField(max_length=10, blank=True, default="", help_text="train, validation or, empty, all.")
    validation_percent = models.PositiveIntegerField(null=True, help_text="Validation's share, where it was split.")
    stratify_by = models.CharField(max_length=255, blank=True, default="", help_text="The field that made the strata.")
    profile = models.CharField(max_length=20, blank=True, default="", help_text="The trainer whose limits were kept.")
    since = models.CharField(max_length=36, blank=True, default="", help_text="The export that this one goes on from.")
    total_pairs = models.BigIntegerField()
    exported_pairs = models.BigIntegerField()
    excluded_pairs = models.BigIntegerField()
    exclusions = models.JSONField(default=list, help_text='[{"reason", "count"}, …]')
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    manifest_sha256 = models.CharField(max_length=64, blank=True, default="")
    path = models.CharField(
        max_length=1024, blank=True, default="", help_text="The file in its volume, where it is kept."
    )
    is_complete = models.BooleanField(help_text="False when the reader went away before the end.")
    channel = models.CharField(max_length=10, help_text="api, command or admin")

    objects = OfSheetQuerySet.as_manager()

    class Meta:
        db_table = "exports"
        db_table_comment = "Every export: counts, exclusions, digest, who"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.exported_pairs} pairs for {self.use}"


class ExportPart(models.Model):
    """A piece of an export's manifest, in order: together they are its text. Rows are only ever added.

    `pair_ids` are the pairs of its lines, so that one question finds every export that a pair reached.
    """

    id = KeyField()
    export_id = models.CharField(max_length=36, help_text="Written before the export's own row, which is the last.")
    number = models.PositiveIntegerField()
    pair_ids = ArrayField()
    first_position = models.BigIntegerField(null=True, help_text="Of the pairs of its lines; no lines, no position.")
    last_position = models.BigIntegerField(null=True)
    text = models.TextField()

    class Meta:
        db_table = "export_parts"
        db_table_comment = "The manifests of exports, in pieces"
        ordering = ["export_id", "number"]
        indexes = [ClusterBy("export_id", name="export_parts_cluster", keys_within=True)]

    def __str__(self) -> str:
        return f"{self.export_id} {self.number}"


class SheetSplit(models.Model):
    """How a sheet is split, for good: written once, before the first item leaves by it, so that two exports at once agree."""

    lives_in: ClassVar[str] = "default"

    sheet_id = models.CharField(primary_key=True, max_length=36)
    validation_percent = models.PositiveIntegerField(help_text="Validation's share.")
    stratify_by = models.CharField(max_length=255, blank=True, default="", help_text="The field that makes the strata.")
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "sheet_splits"

    def __str__(self) -> str:
        return f"{self.sheet_id} {self.validation_percent} %"


class SplitItem(models.Model):
    """The side on which an item of a stratified sheet stands, for good; rows are only ever added."""

    id = KeyField()
    sheet = models.ForeignKey(Sheet, on_delete=models.PROTECT, related_name="+")
    item_ref = models.CharField(max_length=1024)
    side = models.CharField(max_length=10, help_text="train or validation")
    stratum = models.TextField(help_text="The value by which it was put there, as it was then.")

    class Meta:
        db_table = "split_items"
        db_table_comment = "Sides of the items of stratified splits"
        ordering = ["sheet_id", "item_ref"]
        indexes = [ClusterBy("sheet", name="split_items_cluster", keys_within=True)]

    def __str__(self) -> str:
        return f"{self.item_ref} {self.side}"


class ModelTrainingLineage(Concept):
    """Which model came from which training sheet, from exactly which pairs; rows are only ever added."""

    model_id = models.CharField(max_length=255, help_text="The model's id in Unity Catalog.")
    model_name = models.CharField(max_length=767, help_text="catalog.schema.model")
    model_version = models.CharField(max_length=32)
    training_sheet = models.ForeignKey(TrainingSheet, on_delete=models.PROTECT, related_name="trained_models")
    training_sheet_version = models.PositiveIntegerField(default=1, help_text="The version that was trained on.")
    qa_pair_ids = ArrayField(help_text="The pairs that were used; all were labeled.")
    train_pair_count = models.BigIntegerField()
    val_pair_count = models.BigIntegerField(default=0)
    training_config = models.JSONField(default=dict, help_text='{"base_model", "temperature", …}')
    mlflow_run_id = models.CharField(max_length=64, blank=True, default="")
    fmapi_job_id = models.CharField(max_length=255, blank=True, default="", help_text="The run that trained, anywhere.")
    trained_at = models.DateTimeField()

    class Meta:
        db_table = "model_training_lineage"
        db_table_comment = "Models and the training sheet and pairs that they were trained on"
        ordering = ["-trained_at", "-id"]
        verbose_name = "trained model"

    def __str__(self) -> str:
        return f"{self.model_name} v{self.model_version}"


class ModelEvaluation(Concept):
    """How well one model answered; rows are only ever added."""

    model_id = models.CharField(max_length=255, help_text="As in the model's lineage.")
    model_version = models.CharField(max_length=32)
    training_sheet = models.ForeignKey(
        TrainingSheet,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="evaluations",
        help_text="Where the questions came from.",
    )
    accuracy = models.FloatField(null=True, help_text="0 to 1.")
    f1_score = models.FloatField(null=True, help_text="0 to 1.")
    metrics = models.JSONField(default=dict, help_text="Whatever else was measured.")
    mlflow_run_id = models.CharField(max_length=64, blank=True, default="")
    evaluated_at = models.DateTimeField()

    class Meta:
        db_table = "model_evaluations"
        db_table_comment = "Measured quality of models"
        ordering = ["-evaluated_at", "-id"]

    def __str__(self) -> str:
        return f"{self.model_id} v{self.model_version}"
