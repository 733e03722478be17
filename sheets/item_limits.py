"""The limits on uses of single items of a sheet, which all made from such an item has, whenever it was made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from governance.models import Withdrawal
from governance.uses import Limit
from sheets.models import Sheet

ItemLimits = Mapping[str, Sequence[Limit]]
# Takes a sheet and, where not all are asked for, the items; gives the limit of each of them that has one.
Source = Callable[[Sheet, Sequence[str] | None], Mapping[str, Limit]]


def withdrawn(sheet: Sheet, item_refs: Sequence[str] | None = None) -> dict[str, Limit]:
    """Return what the withdrawn items are limited by."""
    return Withdrawal.objects.in_force(sheet.pk, item_refs)


SOURCES: list[Source] = [withdrawn]


def add_source(source: Source) -> None:
    """Ask this one too, once however often it is added: later apps add theirs when they are ready."""
    if source not in SOURCES:
        SOURCES.append(source)


def limits_of_items(sheet: Sheet, item_refs: Sequence[str] | None = None) -> ItemLimits:
    """Return the limits of those items of a sheet that have any, by item_ref: as many as they are, whatever its size."""
    found: dict[str, list[Limit]] = {}
    for source in SOURCES:
        for item_ref, limit in source(sheet, item_refs).items():
            found.setdefault(item_ref, []).append(limit)
    return found
