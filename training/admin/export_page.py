"""The page that exports a training sheet: what would leave, what stays and why, and the file."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from governance.uses import USES
from training.actions.export import export_summary, open_export
from training.admin.showing import pairs_url
from training.models import Export, TrainingSheet
from training.views import jsonl_response
from workbench.admin_base import page_of
from workbench.problems import Problem
from workbench.sheet_rights import need_work


def export_page(admin: Any, request: HttpRequest, object_id: str) -> HttpResponseBase:
    """Return the summary for a use; on POST the file, the same bytes as the API gives."""
    if not admin.has_export_permission(request):
        raise PermissionDenied
    training_sheet = TrainingSheet.objects.visible_to(request.user).select_related("sheet").filter(pk=object_id).first()
    if training_sheet is None:
        raise Http404(f"There is no training sheet {object_id}.")
    need_work(request.user, training_sheet)
    asked = request.POST if request.method == "POST" else request.GET
    use = asked.get("use", "training")
    if request.method == "POST":
        try:
            return jsonl_response(
                open_export(training_sheet, actor=request.user.get_username(), channel="admin", use=use)
            )
        except Problem as problem:
            return _page(admin, request, training_sheet, use, problem)
    return _page(admin, request, training_sheet, use)


def _page(
    admin: Any, request: HttpRequest, training_sheet: TrainingSheet, use: str, problem: Problem | None = None
) -> TemplateResponse:
    summary = None
    if problem is None:
        try:
            summary = export_summary(training_sheet, use=use)
        except Problem as error:
            problem = error
    context = {
        **admin.admin_site.each_context(request),
        "title": f"Export {training_sheet.name}",
        "training_sheet": training_sheet,
        "page": page_of(admin.opts, training_sheet.pk),
        "pairs": pairs_url(training_sheet.pk),
        "uses": USES,
        "use": use,
        "summary": summary,
        "problem": problem,
        "earlier": Export.objects.filter(training_sheet_id=training_sheet.pk)[:5],
    }
    return TemplateResponse(request, "training/export.html", context, status=problem.status if problem else 200)
