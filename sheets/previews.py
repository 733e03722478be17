"""A sheet before it is saved: its faults, its first items, and what is to know about all of them."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from sheets.actions import validate_sheet
from sheets.filters import FilterProblem, parse_filter
from sheets.models import Sheet
from sheets.reading import Findings, Item, columns_of, inspect, iter_items
from sheets.sources import Fields
from workbench.problems import Problem

ITEMS = 10


@dataclass(frozen=True, slots=True)
class SheetPreview:
    """The first items and the findings in all of them, or the faults by field; `mark` points at the filter's fault."""

    faults: Fields
    mark: str = ""
    items: list[Item] = field(default_factory=list)
    findings: Findings | None = None


def preview_sheet(data: Mapping[str, Any], *, with_items: bool = True) -> SheetPreview:
    """Return what a sheet of these fields would hold; nothing is written. A missing name is not a fault yet.

    Without items only the fields are checked, which costs no scan of the table.
    """
    sheet = Sheet(**{**data, "name": data.get("name") or "New sheet"})
    if faults := validate_sheet(sheet):
        return SheetPreview(faults, _mark(sheet) if "filter_condition" in faults else "")
    if not with_items:
        return SheetPreview({})
    try:
        return SheetPreview({}, items=_first(sheet), findings=inspect(sheet))
    except Problem as problem:
        return SheetPreview(problem.fields or {"": [problem.message]})


def _first(sheet: Sheet) -> list[Item]:
    """The items up to the first that cannot be told from another, which the findings name."""
    items = []
    try:
        for item in iter_items(sheet, limit=ITEMS):
            items.append(item)
    except Problem as problem:
        if problem.fields:
            raise
    return items


def _mark(sheet: Sheet) -> str:
    """The line of the filter that is at fault, and a caret below the place."""
    bare = copy(sheet)
    bare.filter_condition = None
    try:
        parse_filter(str(sheet.filter_condition), columns_of(bare))
    except FilterProblem as fault:
        line = (str(sheet.filter_condition).splitlines() or [""])[fault.line - 1 :][:1] or [""]
        return f"{line[0]}\n{' ' * (fault.column - 1)}^"
    except Problem:
        pass
    return ""
