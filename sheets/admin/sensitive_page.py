"""The page of a sheet that says which columns look like sensitive data, and sets the tag that says so."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse

from sheets.models import Sheet
from sheets.suggesting import LOOKED_AT, SET_TAGS, Suggestion, suggestions, tag_column
from workbench.admin_base import page_of
from workbench.problems import Problem
from workbench.sheet_rights import need_work


def sensitive_page(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Return the suggestions; a posted one is set, with its reason, by whoever may change what tags mean."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    sheet = get_object_or_404(Sheet.objects.visible_to(request.user), pk=object_id)
    may_tag = request.user.has_perm(SET_TAGS)
    problem: Problem | None = None
    offered: list[Suggestion] = []
    if request.method == "POST":
        if not may_tag:
            raise PermissionDenied
        need_work(request.user, sheet)
        column, tag, reason = (request.POST.get(name, "") for name in ("column", "tag", "reason"))
        try:
            tag_column(sheet, column, tag, reason, actor=request.user.get_username())
        except Problem as refused:
            problem = refused
        else:
            messages.success(request, f"The column {column} is tagged {tag} now.")
            return redirect(request.path)
    try:
        offered = suggestions(sheet)
    except Problem as unread:
        problem = unread
    context = {
        **admin.admin_site.each_context(request),
        "title": f"Sensitive data in {sheet.name}",
        "sheet": sheet, "sheet_url": page_of(admin.opts, object_id), "looked_at": LOOKED_AT,
        "suggestions": offered, "may_tag": may_tag, "problem": problem,
    }  # fmt: skip
    return TemplateResponse(request, "sheets/sensitive.html", context, status=400 if problem else 200)
