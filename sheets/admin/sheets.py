"""The admin of sheets: define, check, look at items, and go on to generate."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from unfold.contrib.filters.admin import FieldTextFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from governance.changing import CHANGE_USES, LIMITS, LOOSEN, Outcome
from governance.uses_page import uses_page
from sheets.actions import create_sheet, delete_sheet, revalidate_sheet, update_sheet
from sheets.admin.catalog_pages import catalog_page
from sheets.admin.define_page import define_page, preview_panel
from sheets.admin.item_pages import item_page, items_page
from sheets.admin.rights_page import rights_page
from sheets.admin.sensitive_page import sensitive_page
from sheets.admin.showing import items_table
from sheets.admin.tag_page import tag_page
from sheets.hidden_sources import need_sources
from sheets.limiting import change_uses
from sheets.models import Sheet
from sheets.reading import Findings, iter_items
from sheets.source_uses import uses_of
from workbench.admin_base import VerbAdmin, VerbForm, more, page_of
from workbench.admin_fields import CodeWidget
from workbench.admin_filters import DayRange
from workbench.problems import Problem
from workbench.sheet_rights import need_work

PREVIEWED = 5


class SheetForm(VerbForm):
    class Meta:
        model = Sheet
        fields = (
            "name", "description", "primary_table", "secondary_sources", "join_keys", "item_ref_column",
            "filter_condition", "sample_size",
        )  # fmt: skip
        widgets = {"filter_condition": CodeWidget(attrs={"rows": 2})}


@admin.register(Sheet)
class SheetAdmin(VerbAdmin):
    when_empty = "A sheet points at the tables and volumes that items come from."
    form = SheetForm
    list_display = ("name", "primary_table", "sources", "items", "created_by", "updated_at")
    list_filter = (
        ("primary_table", FieldTextFilter),
        ("created_by", FieldTextFilter),
        ("created_at", DayRange),
    )
    search_fields = ("name", "description", "primary_table")
    actions = ("generate_selected",)
    actions_list = ("browse",)
    actions_detail = (
        "generate", "label", "all_items", more("check_items", "find_sensitive", "change_uses", "who_sees"),
    )  # fmt: skip
    readonly_fields = (*LIMITS, "items", "created_by", "created_at", "updated_at")
    change_form_outer_after_template = "sheets/sheet.html"
    fieldsets = (
        (None, {"fields": ("name", "description")}),
        ("Where the items are", {"fields": ("primary_table", "secondary_sources", "join_keys", "item_ref_column")}),
        ("Which items", {"fields": ("filter_condition", "sample_size")}),
        (
            "What it may be used for",
            {"fields": ("allowed_uses", "prohibited_uses", "usage_reason", "data_classification")},
        ),
        ("Kept by the workbench", {"fields": (("items", "created_by"), ("created_at", "updated_at"))}),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        need_sources(request.user, form.cleaned_data)
        super().save_model(request, obj, form, change)

    def create(self, data: Mapping[str, Any], *, actor: str) -> Sheet:
        return create_sheet(data, actor=actor)

    def update_by(self, request: HttpRequest, row: Any, data: Mapping[str, Any]) -> Sheet:
        actor, may_loosen = request.user.get_username(), request.user.has_perm(LOOSEN)
        return update_sheet(row, data, actor=actor, may_loosen=may_loosen)

    def remove(self, row: Any, *, actor: str) -> None:
        delete_sheet(row, actor=actor)

    def get_urls(self) -> list[URLPattern]:
        """Return the admin's own addresses behind those of the catalog, of making a sheet, and of items."""
        pages = (
            ("catalog/", catalog_page, "catalog"),
            ("catalog/<str:catalog>/", catalog_page, "catalog"),
            ("catalog/<str:catalog>/<str:schema>/", catalog_page, "catalog"),
            ("catalog/<str:catalog>/<str:schema>/<str:table>/", catalog_page, "catalog"),
            ("catalog/<str:catalog>/<str:schema>/volumes/<str:volume>/", catalog_page, "volume"),
            ("tag/", tag_page, "tag"),
            ("define/", define_page, "define"),
            ("define/preview/", preview_panel, "define_preview"),
            ("<str:object_id>/rights/", rights_page, "rights"),
            ("<str:object_id>/sensitive/", sensitive_page, "sensitive"),
            ("<str:object_id>/items/", items_page, "items"),
            ("<str:object_id>/items/<item_ref:item_ref>/", item_page, "item"),
        )
        own = [
            path(route, self.admin_site.admin_view(partial(view, self)), name=f"sheets_sheet_{name}")
            for route, view, name in pages
        ]
        return [*own, *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if obj else fieldsets[:-2]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        sheet = Sheet.objects.visible_to(request.user).filter(pk=object_id).first()
        shown = {"items": items_of(sheet), "source_uses": uses_of(sheet)} if sheet else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    @display(description="items", ordering="row_count")
    def items(self, sheet: Sheet) -> str:
        return "—" if sheet.row_count is None else f"{sheet.row_count:,}"

    @display(description="joined with")
    def sources(self, sheet: Sheet) -> str:
        named = (source.get("table") or source.get("path") or "" for source in sheet.secondary_sources or ())
        return ", ".join(name.rsplit("/", 1)[-1] for name in named) or "—"

    def has_generate_permission(self, request: HttpRequest, _object_id: Any = None) -> bool:
        return bool(request.user.has_perm("training.add_trainingsheet"))

    @admin.action(description="Generate training sheet", permissions=["generate"])
    def generate_selected(self, request: HttpRequest, queryset: QuerySet[Sheet]) -> HttpResponse | None:
        chosen = list(queryset[:2])
        if len(chosen) > 1:
            self.message_user(request, "Choose one sheet: a training sheet comes from one sheet.", messages.WARNING)
            return None
        return redirect(generate_url(chosen[0].pk))

    @action(
        description="Generate training sheet",
        icon="auto_awesome",
        variant=ActionVariant.PRIMARY,
        permissions=["generate"],
    )
    def generate(self, _request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect(generate_url(object_id))

    @action(description="Label items", icon="edit_note", permissions=["view"])
    def label(self, _request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect(f"{reverse('label-entry')}?sheet={object_id}")

    @action(description="Make from the catalog", icon="account_tree", variant=ActionVariant.PRIMARY)
    def browse(self, _request: HttpRequest) -> HttpResponse:
        return redirect("admin:sheets_sheet_catalog")

    @action(description="All items", icon="view_list", url_path="all", permissions=["view"])
    def all_items(self, _request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect("admin:sheets_sheet_items", object_id=object_id)

    @action(description="Sensitive data", icon="visibility_off", url_path="find-sensitive", permissions=["view"])
    def find_sensitive(self, _request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect("admin:sheets_sheet_sensitive", object_id=object_id)

    def has_grant_permission(self, request: HttpRequest, _object_id: Any = None) -> bool:
        return bool(request.user.has_perm("workbench.change_sheetgrant"))

    @action(description="Who sees it", icon="lock_person", url_path="who", permissions=["grant"])
    def who_sees(self, _request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect("admin:sheets_sheet_rights", object_id=object_id)

    def has_limit_permission(self, request: HttpRequest, _object_id: Any = None) -> bool:
        return bool(request.user.has_perm(CHANGE_USES))

    @action(description="Change uses", icon="gavel", url_path="uses", permissions=["limit"])
    def change_uses(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask what all that is made from the sheet may be used for, say what will happen, and once confirmed do it."""
        sheet = get_object_or_404(Sheet.objects.visible_to(request.user), pk=object_id)
        need_work(request.user, sheet)

        def change(uses: dict[str, Any], reason: str, _batch_id: str, preview: bool) -> Outcome:
            return change_uses(sheet, uses, reason, actor=request.user.get_username(), preview=preview)

        page = page_of(self.opts, object_id)
        return uses_page(self, request, [object_id], change, back=page) or redirect(page)

    @action(description="Check items", icon="fact_check", url_path="check", permissions=["view"])
    def check_items(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say what is wrong with the sheet against the lakehouse as it is now."""
        sheet = self.get_object(request, object_id)
        if sheet is None:
            return redirect("admin:sheets_sheet_changelist")
        faults, findings = revalidate_sheet(sheet, actor=request.user.get_username())
        for name, found in faults.items():
            self.message_user(request, f"{name}: {' '.join(found)}", messages.ERROR)
        for level, words in said(findings):
            self.message_user(request, words, level)
        return redirect(page_of(self.opts, object_id))


def generate_url(sheet_id: str) -> str:
    """Return the address of the page that generates from the sheet; the screen belongs to a later app, so by name."""
    return f"{reverse('admin:training_trainingsheet_generate')}?sheet={sheet_id}"


def said(findings: Findings | None) -> list[tuple[int, str]]:
    """Return the findings as messages with their levels."""
    if findings is None:
        return []
    found = [(messages.ERROR, words) for words in findings.blocking]
    for what, missing in (("file", findings.missing_files), ("row", findings.missing_rows)):
        for source, few in missing.items():
            if few.count:
                first = ", ".join(map(str, few.first))
                found.append((messages.WARNING, f"{few.count:,} items have no {what} in {source} (first: {first})."))
    return found or [(messages.SUCCESS, f"{findings.row_count:,} items, each with its own item_ref; nothing is wrong.")]


def items_of(sheet: Sheet) -> dict[str, Any]:
    """Return the first items for the page, or why they cannot be read."""
    try:
        items = list(iter_items(sheet, limit=PREVIEWED))
    except Problem as problem:
        return {"problem": str(problem)}
    return items_table(items, sheet.item_ref_name, sheet.pk) | {"key": sheet.item_ref_name}
