"""Which items of a sheet are held out: reserved by hand, or by a label or pair that may only be used to evaluate.

It holds for every sheet over the same items (`sheets.alike`), and for every label type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import CharField, F, QuerySet, Value

from governance.held_out import held_out_limit, reserving
from governance.models import HeldOutItem
from governance.uses import Limit
from labels.models import CanonicalLabel
from sheets.alike import ELSEWHERE, Alike, alike_of, by_any_name
from sheets.models import Sheet


@dataclass(frozen=True)
class Reserving:
    """Rows that reserve items by their own rule: what such a row is called in words, and the lookup of its name."""

    rows: QuerySet[Any]
    called: str
    name: str


# Takes keys of sheets, and the lookups that keep to some items.
Source = Callable[[Sequence[str], Mapping[str, Any]], Reserving]


@dataclass(frozen=True)
class HeldOut:
    """The items that are held out, with what reserves each; as large as they are many, whatever the sheet's size."""

    by: Mapping[str, str] = field(default_factory=dict)

    def on(self, item_ref: str) -> tuple[Limit, ...]:
        """Return the limit on all that is made from the item, where it is held out."""
        by = self.by.get(item_ref)
        return (held_out_limit(by),) if by else ()


def held_out_of(sheet: Sheet, item_refs: Sequence[str] | None = None) -> HeldOut:
    """Return what is held out of the sheet, or of these items, by two queries.

    Up to two more for each other column by which sheets over the same table name its items.
    """
    return HeldOut(by_any_name(_held_out, alike_of(sheet), item_refs))


def held_out_limits(alike: Alike, item_refs: Sequence[str] | None = None) -> dict[str, Limit]:
    """Return the limit of each item that is held out, as one source of `sheets.item_limits`."""
    return {ref: held_out_limit(by) for ref, by in by_any_name(_held_out, alike, item_refs).items()}


def _held_out(alike: Alike, item_refs: Sequence[str] | None) -> dict[str, str]:
    only = {} if item_refs is None else {"item_ref__in": list(item_refs)}
    first, *rest = (
        each.rows.order_by()
        .annotate(_by=Value(each.called, CharField()), _name=F(each.name), _sheet=F(each.rows.model.of_sheet))
        .values_list("item_ref", "_by", "_name", "_sheet")
        .distinct()
        for each in (source(alike.sheet_ids, only) for source in SOURCES)
    )
    # Sorted, so that of several the same one is named each time, and one that may be named before another.
    found = sorted((ref, key in alike.restricted, by, name) for ref, by, name, key in first.union(*rest, all=True))
    return {ref: ELSEWHERE if unnamed else f"{by} {name!r}" for ref, unnamed, by, name in reversed(found)}


def by_hand(sheet_ids: Sequence[str], only: Mapping[str, Any]) -> Reserving:
    """Return what was reserved by hand."""
    return Reserving(HeldOutItem.objects.filter(sheet_id__in=list(sheet_ids), **only), "hand:", "reason")


def by_label(sheet_ids: Sequence[str], only: Mapping[str, Any]) -> Reserving:
    """Return the labels that may only be used to evaluate or test."""
    labels = CanonicalLabel.objects.filter(reserving(), sheet_id__in=list(sheet_ids), **only)
    return Reserving(labels, "the label", "label_type")


SOURCES: list[Source] = [by_hand, by_label]


def add_reserving(source: Source) -> None:
    """Ask this one too, once however often it is added: later apps add theirs when they are ready."""
    if source not in SOURCES:
        SOURCES.append(source)
