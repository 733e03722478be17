"""The page of a sheet that says which columns look like sensitive data, and leads to the form that tags them."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse

from governance.changing import CHANGE_USES
from sheets.models import Sheet
from sheets.suggesting import LOOKED_AT, Suggestion, suggestions
from workbench.admin_base import page_of
from workbench.problems import Problem


def sensitive_page(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Return the suggestions; whoever may limit uses can follow one."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    sheet = get_object_or_404(Sheet.objects.visible_to(request.user), pk=object_id)
    problem: Problem | None = None
    offered: list[Suggestion] = []
    try:
        offered = suggestions(sheet)
    except Problem as unread:
        problem = unread
    context = {
        **admin.admin_site.each_context(request),
        "title": f"Sensitive data in {sheet.name}",
        "sheet": sheet, "sheet_url": page_of(admin.opts, object_id), "looked_at": LOOKED_AT,
        "suggestions": offered, "may_tag": request.user.has_perm(CHANGE_USES), "problem": problem,
    }  # fmt: skip
    return TemplateResponse(request, "sheets/sensitive.html", context, status=400 if problem else 200)
