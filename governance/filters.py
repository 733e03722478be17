from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import F
from django_filters.fields import IsoDateTimeField

from governance.models import UsageConstraintAudit
from governance.uses import USES

CHOICES = [(use, use) for use in USES]


class MomentField(IsoDateTimeField):
    """A time that there is in UTC too: the first and last years end earlier or begin later elsewhere."""

    def to_python(self, value: Any) -> datetime | None:
        found: datetime | None = super().to_python(value)
        try:
            return found and found.astimezone(UTC)
        except OverflowError as error:
            raise ValidationError(f"Found {value!r}, which is no time in UTC: use a year from 2 to 9998.") from error


class MomentFilter(django_filters.IsoDateTimeFilter):
    field_class = MomentField


class AuditFilter(django_filters.FilterSet):
    """Who changed it, when a classification changed, which use was lost or gained, and what changed since a day."""

    since = MomentFilter(field_name="modified_at", lookup_expr="gte")
    until = MomentFilter(field_name="modified_at", lookup_expr="lt")
    lost = django_filters.ChoiceFilter(choices=CHOICES, method="by_use", help_text="May be used for this no more.")
    gained = django_filters.ChoiceFilter(choices=CHOICES, method="by_use", help_text="May be used for this again.")
    reclassified = django_filters.BooleanFilter(method="by_class", help_text="Moved to another classification.")
    text = django_filters.CharFilter(method="by_text", help_text="Words of the reason, the subject or the actor.")

    class Meta:
        model = UsageConstraintAudit
        fields = [
            "kind",
            "subject",
            "qa_pair_id",
            "canonical_label_id",
            "modified_by",
            "new_data_classification",
            "old_data_classification",
        ]

    def by_use(self, rows: Any, name: str, use: str) -> Any:
        return rows.gained_or_lost(use, gained=name == "gained")

    def by_class(self, rows: Any, _name: str, changed: bool) -> Any:
        same = {"old_data_classification": F("new_data_classification")}
        return rows.exclude(**same) if changed else rows.filter(**same)

    def by_text(self, rows: Any, _name: str, words: str) -> Any:
        return rows.about_words(words)
