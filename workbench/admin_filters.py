"""Filters of lists: by day, and by a related row that the user sees."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateFilter, RelatedDropdownFilter

from workbench.sheet_rights import rights_of


class DayRange(RangeDateFilter):  # type: ignore[misc]  # unfold has no types
    """Rows of these days, both included, in UTC; unfold's own compares with times that have no zone."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = (_day(self.used_parameters.get(f"{self.parameter_name}_{end}")) for end in ("from", "to"))
        if first:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": first})
        if last:
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": last + timedelta(days=1)})
        return queryset


class VisibleRelated(RelatedDropdownFilter):  # type: ignore[misc]  # unfold has no types
    """By a related row; those of sheets that the user does not see are not offered."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        path, hidden = getattr(field.remote_field.model, "of_sheet", ""), rights_of(request.user).hidden
        if not (path and hidden):
            return super().field_choices(field, request, model_admin)
        ordering = self.field_admin_ordering(field, request, model_admin)
        return field.get_choices(include_blank=False, ordering=ordering, limit_choices_to=~Q(**{f"{path}__in": hidden}))


def _day(text: Any) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except (TypeError, ValueError):
        return None
