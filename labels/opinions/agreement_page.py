"""The page of agreement: by field, the worst first, by pairs of experts, and the items that differ."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from labels.labeling.sight import expect_sheet
from labels.opinions.reporting import agreement_of
from labels.opinions.rules import rule_of
from labels.opinions.views import DECIDE
from workbench.csp import strict


@strict
@never_cache
@login_required
@require_GET
def page(request: HttpRequest, sheet_id: str, label_type: str) -> HttpResponse:
    """Return the agreement of a sheet's experts for a label type."""
    sheet = expect_sheet(request.user, sheet_id)
    context = {
        "sheet": sheet,
        "label_type": label_type,
        "rule": rule_of(sheet, label_type),
        "found": agreement_of(sheet, label_type),
        "may_decide": request.user.has_perm(DECIDE),
        "may_ask": request.user.is_staff and request.user.has_perm("labels.add_secondopinion"),
    }
    return render(request, "labels/agreement.html", context)
