"""Filters of lists by use and by time, for every concept that is governed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter

from governance.uses import CLASSIFICATIONS, USES

DAYS = (1, 7, 30, 90)


class ProhibitedUse(DropdownFilter):  # type: ignore[misc]  # unfold has no types
    """Rows that prohibit a use themselves."""

    title = "prohibited use"
    parameter_name = "prohibited"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(use, use) for use in USES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(prohibited_uses__contains=[value]) if value in USES else queryset


class ChangedWithin(DropdownFilter):  # type: ignore[misc]  # unfold has no types
    """Changes of the last days."""

    title = "when"
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(days), "last 24 hours" if days == 1 else f"last {days} days") for days in DAYS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value not in map(str, DAYS):
            return queryset
        return queryset.filter(modified_at__gte=timezone.now() - timedelta(days=int(value)))


class ClassificationChanged(admin.SimpleListFilter):
    """Changes that moved a row to another classification."""

    title = "classification"
    parameter_name = "classification"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("changed", "changed"), ("same", "stayed the same")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        same = {"old_data_classification": F("new_data_classification")}
        match self.value():
            case "changed":
                return queryset.exclude(**same)
            case "same":
                return queryset.filter(**same, kind="uses")
        return queryset


class UseChanged(DropdownFilter):  # type: ignore[misc]  # unfold has no types
    """Changes by which something may be used for a use no more, or again."""

    title = "use"
    parameter_name = "use"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(f"{verb}-{use}", f"{use} {verb}") for verb in ("lost", "gained") for use in USES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        verb, _, use = (self.value() or "").partition("-")
        if verb not in ("lost", "gained") or use not in USES:
            return queryset
        found: QuerySet[Any] = queryset.gained_or_lost(use, gained=verb == "gained")  # type: ignore[attr-defined]
        return found


class _Classification(DropdownFilter):  # type: ignore[misc]  # unfold has no types
    column = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in CLASSIFICATIONS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.column: self.value()}) if self.value() in CLASSIFICATIONS else queryset


class ClassifiedFrom(_Classification):
    title, parameter_name, column = "classification before", "from", "old_data_classification"


class ClassifiedTo(_Classification):
    title, parameter_name, column = "classification after", "to", "new_data_classification"
