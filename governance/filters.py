from __future__ import annotations

import django_filters

from governance.models import UsageConstraintAudit


class AuditFilter(django_filters.FilterSet):
    """Who changed it, when a classification changed, and what changed since a day."""

    since = django_filters.IsoDateTimeFilter(field_name="modified_at", lookup_expr="gte")
    until = django_filters.IsoDateTimeFilter(field_name="modified_at", lookup_expr="lt")

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
