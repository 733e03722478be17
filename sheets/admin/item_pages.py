"""The pages of a sheet's items: by pages, and one with its row, files and labels."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from rest_framework.exceptions import ValidationError

from sheets import cursors
from sheets.admin.showing import file_shown, item_url, items_table, need
from sheets.models import Sheet
from sheets.reading import get_item, iter_items, ref_before
from workbench.admin_base import page_of
from workbench.admin_fields import pretty
from workbench.problems import NotFound, Problem

PAGE = 25
# Longer values take the width of the page.
LONG = 40


def items_page(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Return one page of items from its cursor; with `?find=` go to the item of that name."""
    need(request, "sheets.view_sheet")
    sheet = get_object_or_404(Sheet.objects.visible_to(request.user), pk=object_id)
    if wanted := request.GET.get("find", "").strip():
        return redirect(item_url(sheet.pk, wanted))
    context = {
        **admin.admin_site.each_context(request),
        "title": f"Items of {sheet.name}",
        "sheet": sheet,
        "sheet_url": page_of(admin.opts, sheet.pk),
    }
    status = 200
    try:
        context |= _page(sheet, request.GET.get("cursor", ""))
    except Problem as problem:
        context |= {"problem": str(problem)}
        status = problem.status
    return TemplateResponse(request, "sheets/items.html", context, status=status)


def _page(sheet: Sheet, cursor: str) -> dict[str, Any]:
    try:
        after, position = cursors.decoded(cursor) if cursor else (None, 0)
    except ValidationError as error:
        raise Http404 from error
    # One more than the page, to know whether another follows.
    found = list(islice(iter_items(sheet, after=after, limit=PAGE + 1, first_position=position), PAGE + 1))
    page = found[:PAGE]
    here = reverse("admin:sheets_sheet_items", args=[sheet.pk])
    links = {}
    if len(found) > PAGE:
        links["next_url"] = f"{here}?cursor={cursors.encoded(page[-1].ref, position + PAGE)}"
    if position:
        before = ref_before(sheet, page[0].ref if page else str(after), PAGE + 1)
        links["previous_url"] = f"{here}?cursor={cursors.encoded(before, position - PAGE)}" if before else here
    return {
        **links,
        "items": items_table(page, sheet.item_ref_name, sheet.pk),
        "key": sheet.item_ref_name,
        "first": position + 1,
        "last": position + len(page),
    }


def item_page(admin: Any, request: HttpRequest, object_id: str, item_ref: str) -> HttpResponse:
    """Return one item: its row, its files as the browser can show them, and its labels."""
    need(request, "sheets.view_sheet")
    sheet = get_object_or_404(Sheet.objects.visible_to(request.user), pk=object_id)
    context = {
        **admin.admin_site.each_context(request),
        "title": "Item",
        "subtitle": item_ref,
        "item_ref": item_ref,
        "sheet": sheet,
        "sheet_url": page_of(admin.opts, sheet.pk),
        "items_url": reverse("admin:sheets_sheet_items", args=[sheet.pk]),
    }
    status = 200
    try:
        context |= _item(sheet, item_ref)
    except Problem as problem:
        context |= {"problem": str(problem)}
        status = 404 if isinstance(problem, NotFound) else problem.status
    if request.user.has_perm("labels.view_canonicallabel"):
        context["labels"] = [
            (label, pretty(label.label_data), reverse("admin:labels_canonicallabel_change", args=[label.pk]))
            for label in sheet.labels.filter(item_ref=item_ref).order_by("label_type")
        ]
    return TemplateResponse(request, "sheets/item.html", context, status=status)


def _item(sheet: Sheet, item_ref: str) -> dict[str, Any]:
    item = get_item(sheet, item_ref)
    following = next(iter_items(sheet, after=item_ref, limit=1), None)
    before = ref_before(sheet, item_ref, 1)
    return {
        "item": item,
        "place": item.position + 1,
        "row": [(name, _words(value), len(str(value)) > LONG) for name, value in item.row.items()],
        "files": [file_shown(file.path, file.size) for file in item.files],
        "next_url": item_url(sheet.pk, following.ref) if following else "",
        "previous_url": item_url(sheet.pk, before) if before else "",
    }


def _words(value: Any) -> str | None:
    return pretty(value) if isinstance(value, str | dict | list) else None if value is None else str(value)
