"""Which template makes the form of a label type."""

from __future__ import annotations

from collections.abc import Iterable

from templates_app import versions
from templates_app.models import PromptTemplate


def templates_for(label_type: str) -> list[PromptTemplate]:
    """Return the published templates of a label type, the one that is taken unless another is chosen first.

    That is the one published latest; of one name only the highest version is offered.
    """
    found: dict[str, PromptTemplate] = {}
    published = PromptTemplate.objects.filter(label_type=label_type, status=PromptTemplate.Status.PUBLISHED)
    for template in published.order_by("-updated_at", "-id"):
        other = found.get(template.name)
        if other is None or versions.order(template.version) > versions.order(other.version):
            found[template.name] = template
    return sorted(found.values(), key=lambda template: template.updated_at, reverse=True)


def by_table(templates: Iterable[PromptTemplate]) -> dict[str, set[str]]:
    """Return the label types that templates are made for, by the table that they name as their source."""
    found: dict[str, set[str]] = {}
    for template in templates:
        table = ".".join((template.source_catalog, template.source_schema, template.source_table))
        found.setdefault(table, set()).add(template.label_type)
    return found
