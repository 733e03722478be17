"""The studio's answer of the model; it is here because only generation knows the models."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.template.loader import render_to_string

from templates_app.admin.studio_form import studio_form
from training.trial import try_on_item
from workbench.admin_fields import pretty
from workbench.problems import Problem


def trial_panel(admin: Any, request: HttpRequest) -> JsonResponse:
    """Return `{"html"}`: what the model answers to the draft that is typed, for the chosen row; saves nothing.

    An answer may cost money, so it needs the right to write templates.
    """
    may = ("templates_app.add_prompttemplate", "templates_app.change_prompttemplate")
    if request.method != "POST" or not any(request.user.has_perm(each) for each in may):
        raise PermissionDenied
    form = studio_form(admin, request, None)
    draft, sheet, row = form.draft(), form.cleaned_data.get("sheet"), form.data.get("row", "")
    context: dict[str, Any] = {}
    try:
        if faults := form.faults().keys() & {"input_schema", "output_schema", "examples"}:
            context["problem"] = f"{', '.join(sorted(faults))} cannot be read: see its mark."
        elif sheet is None or not row:
            context["problem"] = "Choose a sheet and a row first."
        else:
            trial = try_on_item(draft, sheet, row)
            context = {"trial": trial, "text": pretty(trial.answer.text)}
    except Problem as problem:
        context["problem"] = str(problem)
    return JsonResponse({"html": render_to_string("training/trial.html", context)})
