"""The page that says who sees a sheet."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminSelectWidget

from sheets.admin.showing import need
from sheets.models import Sheet
from sheets.restricting import grants_of, restrict_sheet
from workbench.admin_base import page_of
from workbench.models import SheetGrant
from workbench.problems import Problem
from workbench.refusals import told

MOST = 200


class GrantForm(forms.Form):
    """One user or group, and what they may; an empty one takes the row away."""

    who = forms.ChoiceField(required=False, label="Group or user", widget=UnfoldAdminSelectWidget)
    level = forms.ChoiceField(choices=SheetGrant.Level.choices, label="What they may", widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, who: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["who"].choices = who  # type: ignore[attr-defined]


FORMS = forms.formset_factory(GrantForm, extra=3, max_num=MOST, absolute_max=MOST)


def rights_page(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Return the form of a sheet's grants; on POST they are those of the form."""
    need(request, "workbench.change_sheetgrant")
    sheet = get_object_or_404(Sheet.objects.visible_to(request.user), pk=object_id)
    present = [{"who": _key(grant), "level": grant["level"]} for grant in grants_of(sheet)]
    posted = request.POST if request.method == "POST" else None
    rows: Any = FORMS(posted, initial=present, form_kwargs={"who": _choices()}, prefix="grants")
    status = 200
    if posted is not None and rows.is_valid():
        try:
            grants = restrict_sheet(sheet, _given(rows), actor=request.user.get_username())
        except Problem as problem:
            told(request, problem)
            messages.error(request, str(problem))
            status = problem.status
        else:
            admin.log_change(request, sheet, f"Restricted to: {grants or 'everybody'}.")
            said = f"{len(grants)} users and groups see {sheet}." if grants else f"Everybody sees {sheet}."
            messages.success(request, said)
            return redirect(page_of(admin.opts, sheet.pk))
    context = {
        **admin.admin_site.each_context(request),
        "title": f"Who sees {sheet.name}",
        "sheet": sheet,
        "sheet_url": page_of(admin.opts, sheet.pk),
        "rows": rows,
        "restricted": bool(present),
    }
    return TemplateResponse(request, "sheets/rights.html", context, status=status)


def _choices() -> list[Any]:
    groups = [(f"group:{name}", name) for name in Group.objects.order_by("name").values_list("name", flat=True)]
    names = User.objects.filter(is_active=True).order_by("username").values_list("username", flat=True)
    return [("", "nobody"), ("Groups", groups), ("Users", [(f"user:{name}", name) for name in names])]


def _key(grant: dict[str, str]) -> str:
    return f"user:{grant['user']}" if "user" in grant else f"group:{grant['group']}"


def _given(rows: Any) -> list[dict[str, str]]:
    given = (form.cleaned_data for form in rows if form.cleaned_data.get("who"))
    return [dict([row["who"].split(":", 1)]) | {"level": row["level"]} for row in given]
