"""The page that makes a sheet from a table: choose keys and sources, see the items, save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from sheets import catalog
from sheets.actions import create_sheet
from sheets.admin.showing import items_table, need
from sheets.hidden_sources import need_source, need_sources, tables_seen, volumes_seen
from sheets.models import Sheet
from sheets.names import TableName
from sheets.previews import SheetPreview, preview_sheet
from sheets.sources import REF_TYPES
from workbench.admin_base import page_of
from workbench.admin_fields import CodeWidget
from workbench.problems import Problem

MOST_SOURCES = 20


class SourceForm(forms.Form):
    """One table or volume that is joined to the primary table."""

    source = forms.CharField(
        required=False,
        label="Table or volume",
        widget=UnfoldAdminTextInputWidget(
            attrs={"list": "neighbours", "placeholder": "catalog.schema.table or /Volumes/…"}
        ),
    )
    join_key = forms.ChoiceField(required=False, label="Matched by", widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, columns: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["join_key"].choices = [("", "the join key"), *((name, name) for name in columns)]  # type: ignore[attr-defined]


class SourceFormSet(forms.BaseFormSet[SourceForm]):
    """The joined tables and volumes; rows left empty do not count."""

    def sources(self) -> list[dict[str, str]]:
        """Return the rows that are filled in, as a sheet keeps its secondary sources."""
        return [_source(**form.cleaned_data) for form in self if form.cleaned_data.get("source", "").strip()]


def _source(source: str, join_key: str) -> dict[str, str]:
    given = source.strip()
    kind = {"type": "volume", "path": given.rstrip("/")} if given.startswith("/") else {"type": "table", "table": given}
    return kind | ({"join_key": join_key} if join_key else {})


SOURCES = forms.formset_factory(SourceForm, SourceFormSet, extra=2, max_num=MOST_SOURCES, absolute_max=MOST_SOURCES)


class DefineForm(forms.Form):
    """A sheet over one table; the columns to choose from are the table's."""

    name = forms.CharField(max_length=255, widget=UnfoldAdminTextInputWidget)
    description = forms.CharField(required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))
    primary_table = forms.CharField(widget=forms.HiddenInput)
    join_key = forms.ChoiceField(
        widget=UnfoldAdminSelectWidget, help_text="The column that other tables and files are matched by."
    )
    item_ref_column = forms.ChoiceField(
        required=False,
        label="Item named by",
        widget=UnfoldAdminSelectWidget,
        help_text="A column of text or whole numbers whose value is unique.",
    )
    filter_condition = forms.CharField(
        required=False,
        label="Filter",
        strip=False,
        widget=CodeWidget(attrs={"rows": 2, "placeholder": "line = 'SMT-1' AND humidity_pct > 40"}),
        help_text="One true-or-false SQL expression over the columns; empty: every row.",
    )
    sample_size = forms.IntegerField(
        required=False,
        min_value=1,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Take this many items, always the same; empty: all.",
    )

    def __init__(self, *args: Any, columns: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        naming = [name for name, kind in columns.items() if REF_TYPES.fullmatch(kind)]
        self.fields["join_key"].choices = [(name, f"{name} · {kind}") for name, kind in columns.items()]  # type: ignore[attr-defined]
        self.fields["item_ref_column"].choices = [("", "the join key"), *((name, name) for name in naming)]  # type: ignore[attr-defined]

    def data_of(self, sources: SourceFormSet) -> dict[str, Any]:
        """Return the fields of the sheet as far as they were given; rows at fault were named before."""
        given = self.cleaned_data
        key = given.get("join_key", "")
        return {
            "name": given.get("name", ""),
            "description": given.get("description", ""),
            "primary_table": given.get("primary_table", ""),
            "secondary_sources": sources.sources(),
            "join_keys": [key] if key else [],
            "item_ref_column": given.get("item_ref_column", ""),
            "filter_condition": given.get("filter_condition") or None,
            "sample_size": given.get("sample_size"),
        }

    def refuse(self, fields: Mapping[str, Sequence[str]]) -> None:
        """Show what the lakehouse refused, each message at its field."""
        for name, faults in fields.items():
            at = {"join_keys": "join_key"}.get(name, name)
            self.add_error(at if at in self.fields else None, list(faults))


def define_page(admin: Any, request: HttpRequest) -> HttpResponse:
    """Return the form with its preview, or go to the page of the sheet that was saved."""
    need(request, "sheets.add_sheet")
    context = {**admin.admin_site.each_context(request), "title": "New sheet"}
    try:
        form, sources = _forms(request)
    except Problem as problem:
        context |= {"problem": str(problem)}
        return TemplateResponse(request, "sheets/define.html", context, status=problem.status)
    if "save" in request.POST and (made := _saved(request, form, sources)):
        admin.log_addition(request, made, "Made from the catalog.")
        admin.message_user(request, f"Made the sheet {made.name}: {made.row_count:,} items.", messages.SUCCESS)
        return redirect(page_of(admin.opts, made.pk))
    preview = _preview(request, form, sources) if request.method == "POST" else None
    if preview and "save" not in request.POST:
        form.refuse(preview.faults)
    context |= {
        "form": form,
        "sources": sources,
        "neighbours": _neighbours(form, request.user),
        "source_faults": form.non_field_errors(),
        **_panel(preview, form),
    }
    return TemplateResponse(request, "sheets/define.html", context)


def preview_panel(admin: Any, request: HttpRequest) -> HttpResponse:
    """Return `{"html", "faults", "mark"}`: the items as a piece of the page, and what is wrong by field; saves nothing.

    With `?check` only the faults, for a filter that is being typed.
    """
    need(request, "sheets.add_sheet")
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        form, sources = _forms(request)
    except Problem as problem:
        return JsonResponse({"html": "", "faults": {"primary_table": [str(problem)]}, "mark": ""})
    with_items = "check" not in request.GET
    preview = _preview(request, form, sources, with_items=with_items)
    faults = {name: errors for name, errors in form.errors.items() if name != "name"} | preview.faults
    faults["join_key"] = [*faults.pop("join_keys", []), *faults.get("join_key", [])]
    html = render_to_string("sheets/define_preview.html", _panel(preview, form)) if with_items else None
    return JsonResponse({"html": html, "faults": faults, "mark": preview.mark})


def _forms(request: HttpRequest) -> tuple[DefineForm, SourceFormSet]:
    """The forms over the columns of the table that is asked for; errors of `catalog.describe`."""
    asked = request.POST if request.method == "POST" else request.GET
    name = TableName.parse(asked.get("primary_table") or asked.get("table", ""))
    need_source(request.user, name)
    columns = {row["name"]: row["type"] for row in catalog.describe(name)}
    posted = request.POST if request.method == "POST" else None
    sources: Any = SOURCES(posted, form_kwargs={"columns": list(columns)}, prefix="sources")
    if posted is not None:
        return DefineForm(posted, columns=columns), sources
    first = {"primary_table": str(name), "name": _title(name), "join_key": _likely_key(columns)}
    return DefineForm(columns=columns, initial=first), sources


def _title(name: TableName) -> str:
    wanted = name.table.replace("_", " ").capitalize()
    return f"{wanted} ({name.schema})" if Sheet.objects.filter(name=wanted).exists() else wanted


def _likely_key(columns: Mapping[str, str]) -> str:
    """The first column that can name an item and is called an id, else the first that can."""
    naming = [name for name, kind in columns.items() if REF_TYPES.fullmatch(kind)]
    return next(
        (name for name in naming if name.lower() == "id" or name.lower().endswith("_id")), next(iter(naming), "")
    )


def _preview(
    request: HttpRequest, form: DefineForm, sources: SourceFormSet, *, with_items: bool = True
) -> SheetPreview:
    form.is_valid()
    if not sources.is_valid():
        return SheetPreview({"secondary_sources": _row_faults(sources)})
    try:
        need_sources(request.user, form.data_of(sources))
    except Problem as problem:
        return SheetPreview(problem.fields)
    return preview_sheet(form.data_of(sources), with_items=with_items)


def _row_faults(sources: SourceFormSet) -> list[str]:
    return [
        f"source {at}: {words}"
        for at, row in enumerate(sources, 1)
        for messages_of in row.errors.values()
        for words in messages_of
    ]


def _saved(request: HttpRequest, form: DefineForm, sources: SourceFormSet) -> Sheet | None:
    """Return the new sheet, or None with what is wrong on the forms."""
    if not (form.is_valid() and sources.is_valid()):
        return None
    try:
        need_sources(request.user, form.data_of(sources))
        return create_sheet(form.data_of(sources), actor=request.user.get_username())
    except Problem as problem:
        form.refuse(problem.fields or {"": [problem.message]})
        return None


def _panel(preview: SheetPreview | None, form: DefineForm) -> dict[str, Any]:
    if preview is None:
        return {"preview": None}
    key = form.cleaned_data.get("item_ref_column") or form.cleaned_data.get("join_key", "")
    return {"preview": preview, "key": key, "items": items_table(preview.items, key), "mark": preview.mark}


def _neighbours(form: DefineForm, user: Any) -> list[dict[str, str]]:
    """The other tables and the volumes of the table's schema, to be joined with a click."""
    name = TableName.parse(str(form["primary_table"].value()))
    tables = [row for row in tables_seen(user, name.catalog, name.schema) if row["name"] != name.table]
    found = [{"source": row["full_name"], "name": row["name"], "kind": "table"} for row in tables]
    return found + [
        {"source": row["path"], "name": row["name"], "kind": "volume"}
        for row in volumes_seen(user, name.catalog, name.schema)
    ]
