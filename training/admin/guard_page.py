"""The page of a training sheet on what should not be in it: sensitive data, held-out items, and what is nearly one."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from governance.sensitive.detectors import KINDS
from labels.held_out import held_out_of
from training.actions.findings import find
from training.findings.marking import place_in_words
from training.models import Finding
from training.near_held_out import near_held_out
from workbench.sheet_rights import need_work

SHOWN = 100


def guard_page(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Return what was found so far; POST looks for sensitive data, `?near=1` compares with the held-out items."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    training_sheet = admin.get_object(request, object_id)
    if training_sheet is None:
        raise Http404(f"There is no training sheet {object_id}.")
    if request.method == "POST":
        if not request.user.has_perm("training.change_qapair"):
            raise PermissionDenied
        need_work(request.user, training_sheet)
        if job := find(training_sheet, actor=request.user.get_username()):
            return redirect("admin:training_jobrun_change", object_id=job.pk)
        messages.success(request, "All pairs were looked at.")
        return redirect(request.path)
    standing = Finding.objects.standing().filter(training_sheet=training_sheet)
    counts: Counter[tuple[str, str]] = Counter()
    for kind, place, n in standing.order_by().values_list("kind", "place").annotate(n=Count("pk")):
        counts[kind, "the item's files" if place.startswith("file.") else place_in_words(place)] += n
    listed = f"{reverse('admin:training_finding_changelist')}?training_sheet__id__exact={object_id}&standing=yes"
    context = {
        **admin.admin_site.each_context(request),
        "title": f"Held out and sensitive in {training_sheet.name}",
        "training_sheet": training_sheet,
        "may_look": request.user.has_perm("training.change_qapair"),
        "counts": [
            (KINDS[kind], place, n, f"{listed}&kind__exact={kind}") for (kind, place), n in counts.most_common(SHOWN)
        ],
        "held_out": sorted(held_out_of(training_sheet.sheet).by.items())[:SHOWN],
        "report": near_held_out(training_sheet, most=SHOWN) if "near" in request.GET else None,
    }
    return TemplateResponse(request, "training/guard.html", context)
