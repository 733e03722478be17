"""Filters of lists by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateFilter


class DayRange(RangeDateFilter):  # type: ignore[misc]  # unfold has no types
    """Rows of these days, both included, in UTC; unfold's own compares with times that have no zone."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = (_day(self.used_parameters.get(f"{self.parameter_name}_{end}")) for end in ("from", "to"))
        if first:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": first})
        if last:
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": last + timedelta(days=1)})
        return queryset


def _day(text: Any) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except (TypeError, ValueError):
        return None
