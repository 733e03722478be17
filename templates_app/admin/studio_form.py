"""The form of the studio: all of a template, and beside it the sheet and row that it is tried on."""

from __future__ import annotations

from copy import copy
from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.forms import modelform_factory
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from unfold.widgets import UnfoldAdminSelectWidget

from sheets.models import Sheet
from templates_app.actions import FIELDS
from templates_app.admin.template_form import TemplateForm
from templates_app.drafts import Fields
from templates_app.models import PromptTemplate
from workbench.problems import Problem

TEXTS = ("system_prompt", "user_prompt_template", "guidelines", "description")
JSON_FIELDS = ("input_schema", "output_schema", "examples")


class StudioForm(TemplateForm):
    """A draft as it is being written; a question may still be missing."""

    sheet = forms.ModelChoiceField(
        Sheet.objects.order_by("name"),
        required=False,
        label="Try it on",
        empty_label="No sheet",
        widget=UnfoldAdminSelectWidget,
    )
    row = forms.CharField(required=False, widget=forms.HiddenInput)
    # When the draft was read, so that what another saved meanwhile is not written over.
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, editable: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user_prompt_template"].required = False
        for name in TEXTS:
            self.fields[name].strip = False  # type: ignore[attr-defined]  # a blank first line counts as a line
        for name in FIELDS:
            self.fields[name].disabled = not editable

    def clean(self) -> dict[str, Any]:
        """Return the fields with the line ends that the tables hold: a browser sends CR LF."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        for name in TEXTS:
            given[name] = (given.get(name) or "").replace("\r\n", "\n")
        return given

    @property
    def seen_at(self) -> datetime | None:
        try:
            return parse_datetime(self.cleaned_data.get("seen") or "")
        except ValueError:  # the form of a time, of a day that does not exist
            return None

    def draft(self) -> PromptTemplate:
        """Return the template as it is typed, unsaved; a field that does not read is as it was saved."""
        if self.is_bound:
            self.is_valid()
        draft: PromptTemplate = copy(self.instance)
        blank = PromptTemplate()
        for name in FIELDS:
            if getattr(draft, name) is None:
                setattr(draft, name, getattr(blank, name))
        return draft

    def faults(self) -> Fields:
        """Return what the form itself cannot read, by field."""
        return {name: [str(words) for words in faults] for name, faults in self.errors.items() if name in FIELDS}

    def refuse(self, problem: Problem) -> None:
        """Show what a verb refused, at its fields."""
        self.problem = problem  # type: ignore[misc]
        self.full_clean()


def studio_form(
    admin: Any, request: HttpRequest, template: PromptTemplate | None, *, editable: bool = True, **initial: Any
) -> StudioForm:
    """Return the form with what was posted, else with the template; the widgets are those of the admin.

    Sheets, whose rows it shows, are offered to those who may view them.
    """
    made: Any = modelform_factory(
        PromptTemplate,
        form=StudioForm,
        fields=FIELDS,
        formfield_callback=partial(admin.formfield_for_dbfield, request=request),
    )
    posted = request.POST if request.method == "POST" else None
    form: StudioForm = made(posted, instance=template, initial=initial, editable=editable)
    seen = (
        Sheet.objects.visible_to(request.user) if request.user.has_perm("sheets.view_sheet") else Sheet.objects.none()
    )
    form.fields["sheet"].queryset = seen.order_by("name")  # type: ignore[attr-defined]
    return form
