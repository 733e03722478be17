"""The admin of held-out items, and the action that holds the items of chosen labels or pairs out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import ChoicesDropdownFilter, FieldTextFilter
from unfold.decorators import display

from governance.changing import LOOSEN
from governance.models import HeldOutItem
from governance.reason_page import reason_page
from labels.reserving import release, reserve
from sheets.models import Sheet
from workbench.admin_base import ReadOnlyAdmin, link
from workbench.problems import Problem
from workbench.sheet_rights import need_work_on

MOST = 1_000


def reserve_selected(
    model_admin: Any, request: HttpRequest, keys: list[str], items: Iterable[tuple[str, str]]
) -> HttpResponse | None:
    """Return the page that says what reserving the items, (sheet, item_ref) each, would mean; once confirmed do it."""
    by_sheet = _by_sheet(items)
    sheets = Sheet.objects.visible_to(request.user).in_bulk(list(by_sheet))
    need_work_on(request.user, Sheet.objects.filter(pk__in=list(by_sheet)))
    if len(keys) > MOST or len(sheets) < len(by_sheet):
        model_admin.message_user(request, f"Choose {MOST:,} at most, of sheets that you see.", messages.ERROR)
        return None
    actor = request.user.get_username()

    def do(reason: str) -> str:
        done = [reserve(sheets[key], refs, reason, actor=actor) for key, refs in by_sheet.items()]
        return f"{sum(len(each.changed) for each in done):,} items are held out for evaluation now."

    try:
        looked = [reserve(sheets[key], refs, "preview", actor=actor, preview=True) for key, refs in by_sheet.items()]
    except Problem as problem:
        model_admin.message_user(request, str(problem), messages.ERROR)
        return None
    count = sum(len(each.changed) for each in looked)
    lines = [f"{count:,} items are held out: training, validation and few-shot use end, under every label type."]
    lines += [f"{sum(each.unchanged for each in looked):,} are held out already."]
    lines += [
        f"{pairs:,} approved pairs leave the exports of {name}." for each in looked for name, pairs in each.leaving
    ]
    return reason_page(
        model_admin, request, keys, do,
        title=f"Reserve {count:,} items for evaluation", button="Reserve for evaluation", action="reserve_selected", lines=lines,
    )  # fmt: skip


@admin.register(HeldOutItem)
class HeldOutItemAdmin(ReadOnlyAdmin):
    """Items that were reserved by hand."""

    when_empty = 'Items come here that are reserved with "Reserve for evaluation" in a list of pairs or labels.'
    actions = ("release_selected",)
    list_display = ("item_ref", "sheet", "use", "reason", "created_by", "created_at")
    list_filter = (("use", ChoicesDropdownFilter), ("sheet_id", FieldTextFilter), ("created_by", FieldTextFilter))
    search_fields = ("item_ref", "reason", "created_by")
    fields = ("item_ref", "sheet", "use", "reason", "created_by", "created_at")

    @display(description="sheet")
    def sheet(self, item: HeldOutItem) -> str:
        return link("sheet", "sheets_sheet_change", item.sheet_id)

    def has_release_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(LOOSEN))

    @admin.action(description="Release …", permissions=["release"])
    def release_selected(self, request: HttpRequest, queryset: QuerySet[HeldOutItem]) -> HttpResponse | None:
        need_work_on(request.user, queryset)
        chosen = list(queryset[:MOST])
        by_sheet = _by_sheet((item.sheet_id, item.item_ref) for item in chosen)
        sheets, actor = Sheet.objects.in_bulk(list(by_sheet)), request.user.get_username()

        def do(reason: str) -> str:
            done = [release(sheets[key], refs, reason, actor=actor) for key, refs in by_sheet.items()]
            return f"{sum(len(each.changed) for each in done):,} items are released."

        lines = [f"{len(chosen):,} items may be trained on again, as far as their labels and pairs allow it."]
        return reason_page(
            self, request, [item.pk for item in chosen], do,
            title=f"Release {len(chosen):,} held-out items", button="Release", action="release_selected", lines=lines,
        )  # fmt: skip


def _by_sheet(items: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for sheet, ref in items:
        found[sheet].append(ref)
    return found
