"""The limits on uses of single items of a sheet, which all made from such an item has, whenever it was made.

They hold for every sheet over the same items, so that a second sheet is no way round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from governance.models import Withdrawal
from governance.uses import USES, Limit
from sheets.alike import ELSEWHERE, Alike, alike_of, by_any_name
from sheets.models import Sheet

ItemLimits = Mapping[str, Sequence[Limit]]
# Takes the sheets over the items and, where not all are asked for, the items; gives the limit of each that has one.
Source = Callable[[Alike, Sequence[str] | None], Mapping[str, Limit]]


def withdrawn(alike: Alike, item_refs: Sequence[str] | None = None) -> dict[str, Limit]:
    """Return what the withdrawn items are limited by, in one query for each column that names items."""
    return by_any_name(_withdrawn, alike, item_refs)


def _withdrawn(alike: Alike, item_refs: Sequence[str] | None) -> dict[str, Limit]:
    said: dict[str, str] = {}
    for sheet_id, ref, reason in Withdrawal.objects.in_force(alike.sheet_ids, item_refs):
        # Of several reasons one that may be named.
        if sheet_id not in alike.restricted:
            said[ref] = f"item withdrawn: {reason}"
        said.setdefault(ref, f"item withdrawn in {ELSEWHERE}")
    return {ref: Limit("withdrawn item", words, frozenset(), frozenset(USES), where=ref) for ref, words in said.items()}


SOURCES: list[Source] = [withdrawn]


def add_source(source: Source) -> None:
    """Ask this one too, once however often it is added: later apps add theirs when they are ready."""
    if source not in SOURCES:
        SOURCES.append(source)


def limits_of_items(sheet: Sheet, item_refs: Sequence[str] | None = None) -> ItemLimits:
    """Return the limits of those items of a sheet that have any, by item_ref: as many as they are, whatever its size."""
    return _limits(alike_of(sheet), item_refs)


def limits_of_others(sheet: Sheet) -> ItemLimits:
    """Return the limits that items have without this sheet: by the others over the same items."""
    alike = alike_of(sheet)
    return _limits(replace(alike, sheet_ids=[key for key in alike.sheet_ids if key != sheet.pk]), None)


def _limits(alike: Alike, item_refs: Sequence[str] | None) -> ItemLimits:
    found: dict[str, list[Limit]] = {}
    for source in SOURCES:
        for item_ref, limit in source(alike, item_refs).items():
            found.setdefault(item_ref, []).append(limit)
    return found
