from __future__ import annotations

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters

from templates_app.models import PromptTemplate


class TemplateFilter(filters.FilterSet):
    """By exact name, version, status or label type, or by a word in name or description."""

    search = filters.CharFilter(method="by_word", help_text="Part of the name or the description.")

    class Meta:
        model = PromptTemplate
        fields = ("name", "version", "status", "label_type")

    def by_word(self, queryset: QuerySet[PromptTemplate], _name: str, value: str) -> QuerySet[PromptTemplate]:
        """Return the templates with the word in name or description, whatever its case."""
        return queryset.filter(Q(name__icontains=value) | Q(description__icontains=value))
