"""Two versions of a template side by side."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from templates_app import versions
from templates_app.comparing import compare
from templates_app.models import PromptTemplate

MOST = 500


def compare_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """Return what differs between `?old=` and `?new=`; with only one given, the other is its neighbour by version."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    choices = sorted(PromptTemplate.objects.all()[:MOST], key=lambda each: (each.name, versions.order(each.version)))
    by_key = {each.pk: each for each in choices}
    new = by_key.get(request.GET.get("new", ""))
    old = by_key.get(request.GET.get("old", "")) or _before(new, choices)
    context = {
        **admin.admin_site.each_context(request),
        "title": "Compare templates",
        "choices": choices,
        "old": old,
        "new": new,
        "parts": compare(old, new) if old and new else [],
    }
    return TemplateResponse(request, "templates_app/compare.html", context)


def _before(template: PromptTemplate | None, choices: list[PromptTemplate]) -> PromptTemplate | None:
    """The version before a template, else the one after it."""
    if template is None:
        return None
    same = [each for each in choices if each.name == template.name]
    at = next(at for at, each in enumerate(same) if each.pk == template.pk)
    return same[at - 1] if at else same[1] if len(same) > 1 else None
