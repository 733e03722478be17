"""The page that imports labels: a file, what it would do, and doing exactly that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from governance.changing import rights_of
from labels.import_plans import Plan, Terms, after_line
from labels.importing import MOST_BYTES, OUTCOMES, Imported, import_previewed, preview_import
from labels.labeling.past import diffs_between
from labels.labeling.sight import LOOK_ONLY, expect_sheet, may_label
from labels.labeling.uploads import keep, lines_of, remove
from labels.opinions.due import blind_of_sheet
from sheets.models import Sheet
from templates_app.answer_words import answer_words
from workbench.concepts import short
from workbench.csp import strict
from workbench.problems import Invalid, Problem


@strict
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def import_page(request: HttpRequest, sheet_id: str) -> HttpResponse:
    """Return the form; on POST the preview of the file, and with its digest the import, if it is still the same."""
    sheet = expect_sheet(request.user, sheet_id)
    if not may_label(request.user, sheet):
        raise PermissionDenied(LOOK_ONLY)
    if request.method == "GET":
        return _page(request, sheet)
    try:
        token = request.POST.get("token") or _uploaded(request)
        return _confirmed(request, sheet, token) if "confirm" in request.POST else _previewed(request, sheet, token)
    except Problem as problem:
        messages.error(request, problem.message)
        return _page(request, sheet, code=problem.status)


def _uploaded(request: HttpRequest) -> str:
    file = request.FILES.get("file")
    if file is None:
        raise Invalid("Choose a file of labels: JSONL, one label a line, as the export writes it.")
    return keep(file, actor=request.user.get_username())


def _previewed(request: HttpRequest, sheet: Sheet, token: str, code: int = 200) -> HttpResponse:
    name, lines = lines_of(token, actor=request.user.get_username())
    found = preview_import(sheet, lines, _terms(request, sheet))
    return _page(request, sheet, found=found, name=name, token=token, code=code)


def _confirmed(request: HttpRequest, sheet: Sheet, token: str) -> HttpResponse:
    actor, plan = request.user.get_username(), request.POST.get("digest", "")
    name, _ = lines_of(token, actor=actor)

    def read() -> Iterator[bytes]:
        return lines_of(token, actor=actor)[1]

    told = {"plan": plan, "actor": actor, "note": f"Imported from {name}"}
    try:
        done = import_previewed(sheet, read, _terms(request, sheet), **told)
    except Problem as problem:
        messages.error(request, problem.message)
        return _previewed(request, sheet, token, code=problem.status)
    remove(token)
    counts = ", ".join(f"{done.counts[outcome]} {outcome}" for outcome in OUTCOMES)
    messages.success(request, f"Imported {name}: {counts}.")
    return redirect("label-entry")


def _terms(request: HttpRequest, sheet: Sheet) -> Terms:
    return Terms(request.POST.get("reason", ""), blind_of_sheet(sheet, request.user), **rights_of(request.user))


def _shown(plan: Plan) -> dict[str, Any]:
    """Return what the preview says of a label: its answer where it is new, else what changes in it."""
    item_ref, label_type = plan.line.key
    diffs = list(diffs_between(plan.present, after_line(plan.present, plan.values))) if plan.present else []
    return {
        "line": plan.line.number,
        "item_ref": item_ref,
        "label_type": label_type,
        "outcome": plan.outcome,
        "answer": "" if plan.present else short(answer_words(plan.values["label_data"]), 120),
        "diffs": diffs,
    }


def _page(
    request: HttpRequest, sheet: Sheet, *, found: Imported | None = None, code: int = 200, **more: Any
) -> HttpResponse:
    context = {
        "sheet": sheet,
        "found": found,
        "counts": [(outcome, found.counts[outcome]) for outcome in OUTCOMES] if found else [],
        "written": [_shown(plan) for plan in found.written] if found else [],
        "writes": found.counts["new"] + found.counts["changed"] if found else 0,
        "reason": request.POST.get("reason", ""),
        "most": MOST_BYTES // (1024 * 1024),
        **more,
    }
    return render(request, "labels/import.html", context, status=code)
