"""What every concept table shares: its key, who made it, when, and what it may be used for."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from workbench.lakehouse.fields import ArrayField, ChoiceField, KeyField


class Concept(models.Model):
    """A row with a UUIDv7 key and its maker."""

    id = KeyField()
    created_by = models.CharField(max_length=254, editable=False, db_comment="User or system identity")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True


class Confidence(models.TextChoices):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Classification(models.TextChoices):
    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


class Governed(models.Model):
    """What a row may be used for, why, and how secret it is."""

    allowed_uses = ArrayField(help_text="One a line: training, validation, evaluation, few_shot, testing.")
    prohibited_uses = ArrayField(help_text="Explicit exclusions; a prohibition wins over a permission.")
    usage_reason = models.TextField(blank=True, default="", help_text="The compliance or business reason.")
    data_classification = ChoiceField(max_length=12, choices=Classification.choices, default=Classification.INTERNAL)

    class Meta:
        abstract = True


def short(value: Any, length: int = 60) -> str:
    """Return the value as one line of at most `length` characters."""
    text = " ".join(str(value).split())
    return text if len(text) <= length else text[: length - 1] + "…"
