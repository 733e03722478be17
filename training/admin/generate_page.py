"""The page that generates a training sheet: choose, see what would happen, do it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from sheets.models import Sheet
from sheets.reading import columns_of
from templates_app.models import PromptTemplate
from templates_app.preflight import preflight
from training.actions.generate import IN_REQUEST, STATISTICS
from training.actions.start import Started, start
from training.admin.expectations import expect
from training.models import TrainingSheet
from workbench.admin_base import page_of
from workbench.problems import Problem
from workbench.sheet_rights import need_work

MODES = {
    "ai_generated": "Draft by a model, for review",
    "manual": "Leave empty, for a person to write",
    "existing_column": "Take from a column of the sheet",
}
# What becomes of an item without a label, beside its count.
WITHOUT_LABEL = {
    "ai_generated": "to review: no label yet",
    "manual": "for a person to write: no label yet",
    "existing_column": "from the column: no label yet",
}
CONFIG = ("response_column", "trusted", "limit")


class GenerateForm(forms.Form):
    """What to generate. Canonical labels come first in every mode."""

    sheet = forms.ModelChoiceField(
        Sheet.objects.order_by("name"), widget=UnfoldAdminSelectWidget, empty_label="Choose a sheet"
    )
    template = forms.ModelChoiceField(
        PromptTemplate.objects.filter(status="published").order_by("name", "-version"),
        widget=UnfoldAdminSelectWidget,
        empty_label="Choose a published template",
    )
    mode = forms.ChoiceField(
        choices=list(MODES.items()),
        label="Items without a canonical label",
        initial="ai_generated",
        widget=UnfoldAdminSelectWidget,
    )
    response_column = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"list": "columns"}),
        help_text="Only for answers from a column: its name.",
    )
    trusted = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Only for answers from a column: approve those that fit the template.",
    )
    name = forms.CharField(
        required=False,
        max_length=255,
        widget=UnfoldAdminTextInputWidget,
        help_text="Name of the training sheet; empty: sheet and template.",
    )
    limit = forms.IntegerField(
        required=False,
        min_value=1,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Take only the first items.",
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sheets: Any = self.fields["sheet"]
        sheets.queryset = Sheet.objects.visible_to(user).order_by("name")

    def config(self) -> dict[str, Any]:
        """Return the generation config that was asked for."""
        asked = {name: self.cleaned_data[name] for name in CONFIG if self.cleaned_data[name]}
        if self.cleaned_data["mode"] != TrainingSheet.Mode.EXISTING_COLUMN:
            asked = {name: value for name, value in asked.items() if name == "limit"}
        return asked

    def refuse(self, problem: Problem) -> None:
        """Show the problem, at its field where the form has it."""
        if not problem.fields:
            self.add_error(None, problem.message)
        for path, faults in problem.fields.items():
            name = path.rsplit(".", 1)[-1]
            self.add_error({"labeling_mode": "mode"}.get(name, name if name in self.fields else None), faults)


def generate_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """Return the form, or go to the page of the new training sheet, or of its job where that is not done or failed."""
    _allowed(admin, request)
    form = GenerateForm(request.POST or None, initial=request.GET.dict(), user=request.user)
    if request.method == "POST" and form.is_valid() and (started := _start(request, form)):
        made = started.training_sheet
        if not started.is_done:
            admin.log_addition(request, made, "Started to generate.")
            return redirect("admin:training_jobrun_change", started.run.pk)
        counted = ((made.statistics[name], name.replace("_", " ")) for name in STATISTICS)
        counts = ", ".join(f"{count:,} {name}" for count, name in counted if count)
        admin.log_addition(request, made, "Generated.")
        admin.message_user(request, f"Generated {made.name}: {counts}.", messages.SUCCESS)
        return redirect(page_of(admin.opts, made.pk))
    context = {**admin.admin_site.each_context(request), "title": "Generate training sheet", "form": form}
    return TemplateResponse(request, "training/generate.html", context)


def counts_panel(admin: Any, request: HttpRequest) -> HttpResponse:
    """Return what generating would do with the chosen sheet and template, as a piece of the page."""
    _allowed(admin, request)
    sheet = Sheet.objects.visible_to(request.user).filter(pk=request.GET.get("sheet")).first()
    template = PromptTemplate.objects.filter(pk=request.GET.get("template")).first()
    mode = request.GET.get("mode", "ai_generated")
    context: dict[str, Any] = {"sheet": sheet, "template": template, "most": IN_REQUEST}
    context["without_label"] = WITHOUT_LABEL.get(mode, WITHOUT_LABEL["ai_generated"])
    try:
        limit = forms.IntegerField(required=False, min_value=1).clean(request.GET.get("limit", ""))
        if sheet:
            context["columns"] = list(columns_of(sheet))
        if sheet and template:
            context["counts"] = counts = preflight(
                template, sheet, limit=limit, asks_model=mode not in ("manual", "existing_column")
            )
            context["expected"] = expect(counts)
    except Problem as problem:
        context["problem"] = str(problem)
    except ValidationError as error:
        context["problem"] = f"Limit: {' '.join(error.messages)}"
    return TemplateResponse(request, "training/generate_counts.html", context)


def _allowed(admin: Any, request: HttpRequest) -> None:
    if not admin.has_generate_permission(request):
        raise PermissionDenied


def _start(request: HttpRequest, form: GenerateForm) -> Started | None:
    """Return the new training sheet with its job, or None with the reason on the form."""
    given, actor = form.cleaned_data, request.user.get_username()
    need_work(request.user, given["sheet"])
    try:
        return start(
            sheet=given["sheet"],
            template=given["template"],
            mode=given["mode"],
            name=given["name"],
            config=form.config(),
            actor=actor,
        )
    except Problem as problem:
        form.refuse(problem)
        return None
