"""Filters of lists by a related row: one that the user may not see is refused as one that does not exist."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request

from workbench.sheet_rights import visible_to


class VisibleFilterBackend(DjangoFilterBackend):  # type: ignore[misc]  # django-filter has no types
    """The filters of a view; related rows are chosen among those of the sheets that the user sees."""

    def get_filterset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        filterset = super().get_filterset(request, queryset, view)
        return filterset and among_visible(filterset, request.user)


def among_visible(filterset: Any, user: Any) -> Any:
    """Return the filter set, whose filters are its own copies, with related rows that the user sees."""
    for each in filterset.filters.values():
        if isinstance(rows := getattr(each, "queryset", None), QuerySet):
            each.queryset = visible_to(user, rows)
    return filterset
