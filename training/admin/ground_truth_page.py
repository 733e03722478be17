"""The page of ground truth: how much there is, which fields are corrected most, and the file."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from governance.uses import USES
from training.actions.ground_truth import ground_truth_summary, open_ground_truth
from training.ground_truth.serializers import GroundTruthSerializer
from training.ground_truth.stats import stats_of
from training.ground_truth.views import ground_truth_response
from training.models import TrainingSheet
from workbench.api.errors import flattened
from workbench.problems import Invalid, Problem
from workbench.sheet_rights import rights_of

NAMES = ("training_sheet", "approved_only", "has_corrections", "since", "until", "use")


def ground_truth_page(admin: Any, request: HttpRequest) -> HttpResponseBase:
    """Return what there is, with `?count` also what would leave under the filters; on POST the file."""
    if not admin.has_ground_truth_permission(request):
        raise PermissionDenied
    asked = request.POST if request.method == "POST" else request.GET
    given = {name: asked[name] for name in NAMES if asked.get(name)}
    problem: Problem | None = None
    summary = None
    try:
        options = _options(given, request)
        if request.method == "POST":
            actor = request.user.get_username()
            found = open_ground_truth(options.training_sheets(), options.wanted(), actor=actor, channel="admin")
            return ground_truth_response(found)
        if "count" in asked:
            summary = ground_truth_summary(options.training_sheets(), options.wanted())
    except Problem as refused:
        problem = refused
    seen, workable = TrainingSheet.objects.visible_to(request.user), TrainingSheet.objects.workable_by(request.user)
    context = {
        **admin.admin_site.each_context(request),
        "title": "Ground truth",
        "stats": stats_of(list(seen) if rights_of(request.user).hidden else None),
        "summary": summary,
        "problem": problem,
        "given": {"approved_only": "true", "use": "training", **given},
        "training_sheets": workable.order_by("-id").values_list("pk", "name")[:500],
        "uses": USES,
    }
    return TemplateResponse(request, "training/ground_truth.html", context, status=problem.status if problem else 200)


def _options(given: dict[str, str], request: HttpRequest) -> GroundTruthSerializer:
    options = GroundTruthSerializer(data=given, context={"request": request})
    if not options.is_valid():
        raise Invalid.of_fields("The filters are not accepted.", flattened(options.errors))
    return options
