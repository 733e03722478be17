"""How values, files and pages of the lakehouse appear on the screens of sheets."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import register_converter, reverse
from django.urls.converters import PathConverter

from sheets.file_views import SHOWN_IMAGES
from sheets.reading import Item
from workbench.canonical import with_text_keys

LONGEST_CELL = 160


def file_url(path: str) -> str:
    """Return the address of a volume's file, on this server."""
    return f"/api/v1/files{quote(path)}"


def file_shown(path: str, size: int) -> dict[str, Any]:
    """Return a file for a page: its name, size, address, and how a browser shows it (image, pdf, or neither)."""
    kind = mimetypes.guess_type(path)[0] or ""
    shown = "image" if kind in SHOWN_IMAGES else "pdf" if kind == "application/pdf" else ""
    return {"name": path.rpartition("/")[2], "size": size, "url": file_url(path), "shown": shown}


def cell(value: Any) -> str:
    """Return a value as the cell of a table: text as it is, objects and lists as JSON, cut where it is long."""
    holds = isinstance(value, Mapping | list)
    text = json.dumps(with_text_keys(value), ensure_ascii=False, default=str) if holds else str(value)
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"


def cells(values: Sequence[Any]) -> list[str | None]:
    """Return the cells of a row; None stays None, which a page shows apart from the text "None"."""
    return [None if value is None else cell(value) for value in values]


def items_table(items: Sequence[Item], key: str, sheet_id: str | None = None) -> dict[str, Any]:
    """Return items as a table: the names of its columns beside the key, and a row for each item."""
    columns = [name for name in (items[0].row if items else ()) if name != key]
    return {
        "columns": columns,
        "rows": [
            {
                "ref": item.ref,
                "url": item_url(sheet_id, item.ref) if sheet_id else "",
                "files": [file_shown(file.path, file.size) for file in item.files],
                "cells": cells([item.row[name] for name in columns]),
            }
            for item in items
        ],
    }


class ItemRefConverter(PathConverter):
    """Any text, also one of several lines."""

    regex = r"[\s\S]+"


register_converter(ItemRefConverter, "item_ref")


def item_url(sheet_id: str, item_ref: str) -> str:
    """Return the address of an item's page."""
    return reverse("admin:sheets_sheet_item", args=[sheet_id, item_ref])


def need(request: HttpRequest, permission: str) -> None:
    """Refuse one who lacks the permission."""
    if not request.user.has_perm(permission):
        raise PermissionDenied
