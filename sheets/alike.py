"""Sheets over the same items: rows of the same table under the same name. What limits an item holds in all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sheets.models import Sheet
from workbench.models import SheetGrant

ELSEWHERE = "another sheet"


@dataclass(frozen=True)
class Alike:
    """The sheets whose items are a sheet's own: its key first.

    Of those that are `restricted` nothing is named: what limits an item is kept in words with exports, for everybody who
    sees the one sheet.
    """

    sheet_ids: Sequence[str]
    restricted: frozenset[str] = frozenset()


def alike_of(sheet: Sheet) -> Alike:
    """Return the sheets whose items are the same, by one query of the lakehouse."""
    there = Sheet.objects.filter(primary_table__iexact=sheet.primary_table)
    others = [each.pk for each in there if each.pk != sheet.pk and _same_name(each, sheet)]
    if not others:
        return Alike([sheet.pk])
    grants = SheetGrant.objects.filter(sheet_id__in=others).order_by().values_list("sheet_id", flat=True)
    return Alike([sheet.pk, *others], frozenset(grants))


def _same_name(one: Sheet, other: Sheet) -> bool:
    return one.item_ref_name.casefold() == other.item_ref_name.casefold()
