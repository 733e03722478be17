"""Sensitive data that was found in pairs: where and what, with masked evidence, and who looked at it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from governance.sensitive.detectors import CHOICES
from training.models.sheets import QAPair, TrainingSheet
from training.querysets import FindingQuerySet
from workbench.lakehouse.fields import ChoiceField, KeyField
from workbench.lakehouse.indexes import ClusterBy


class Finding(models.Model):
    """One finding in the item, prompt or answer of a pair; its id is of pair, place and span, so that it is there once.

    The value itself is never kept: `start` and `end` say where it stands in the text at `place`.
    """

    of_sheet: ClassVar[str] = "training_sheet__sheet_id"

    id = KeyField()
    training_sheet = models.ForeignKey(TrainingSheet, on_delete=models.PROTECT, related_name="findings")
    qa_pair = models.ForeignKey(QAPair, on_delete=models.PROTECT, related_name="findings")
    item_ref = models.CharField(max_length=1024)
    place = models.CharField(max_length=1024, help_text="item.column, messages[1], answer.field or file.name")
    kind = ChoiceField(max_length=12, choices=CHOICES)
    start = models.BigIntegerField(help_text="Of the value in the text at the place, in characters.")
    end = models.BigIntegerField()
    excerpt = models.CharField(max_length=64, help_text="The value's form, with all but its end hidden.")
    why = models.CharField(max_length=255, help_text="What makes it one.")
    detector_version = models.CharField(max_length=16)
    found_at = models.DateTimeField()
    dismissed_by = models.CharField(max_length=254, blank=True, default="")
    dismissed_at = models.DateTimeField(null=True)
    dismissed_reason = models.TextField(blank=True, default="")

    objects = FindingQuerySet.as_manager()

    class Meta:
        db_table = "findings"
        db_table_comment = "Personal data and secrets found in pairs, with masked evidence"
        ordering = ["training_sheet_id", "qa_pair_id", "place", "start"]
        indexes = [ClusterBy("training_sheet", name="findings_cluster", keys_within=True)]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} in {self.place}"
