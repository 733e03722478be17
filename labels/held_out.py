"""Which items of a sheet are held out: reserved by hand, or by a label or pair that may only be used to evaluate.

It holds for every sheet over the same items (`sheets.alike`), and for every label type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import CharField, F, QuerySet, Value

from governance.held_out import held_out_limit, reserving
from governance.models import HeldOutItem
from governance.uses import Limit
from labels.models import CanonicalLabel
from sheets.alike import ELSEWHERE, Alike, alike_of, by_any_name
from sheets.models import Sheet


@dataclass(frozen=True)
class HeldOut:
    """The items that are held out, with what reserves each; as large as they are many, whatever the sheet's size."""

    by: Mapping[str, str] = field(default_factory=dict)

    def on(self, item_ref: str) -> tuple[Limit, ...]:
        """Return the limit on all that is made from the item, where it is held out."""
        by = self.by.get(item_ref)
        return (held_out_limit(by),) if by else ()


def held_out_of(sheet: Sheet, item_refs: Sequence[str] | None = None) -> HeldOut:
    """Return what is held out of the sheet, or of these items, in one query after that for the sheets over its table.

    One more where sheets over it name items by another column, and one of the table where those hold out some.
    """
    return HeldOut(by_any_name(_held_out, alike_of(sheet), item_refs))


def held_out_limits(alike: Alike, item_refs: Sequence[str] | None = None) -> dict[str, Limit]:
    """Return the limit of each item that is held out, as one source of `sheets.item_limits`."""
    return {ref: held_out_limit(by) for ref, by in by_any_name(_held_out, alike, item_refs).items()}


def _held_out(alike: Alike, item_refs: Sequence[str] | None) -> dict[str, str]:
    first, *rest = (
        rows.order_by()
        .annotate(_by=Value(by, CharField()), _name=F(name), _sheet=F(rows.model.of_sheet))
        .values_list("item_ref", "_by", "_name", "_sheet")
        .distinct()
        for rows, by, name in _sources(alike.sheet_ids, item_refs)
    )
    # Sorted, so that of several the same one is named each time, and one that may be named before another.
    found = sorted((ref, key in alike.restricted, by, name) for ref, by, name, key in first.union(*rest, all=True))
    return {ref: ELSEWHERE if unnamed else f"{by} {name!r}" for ref, unnamed, by, name in reversed(found)}


def _sources(sheet_ids: Iterable[str], item_refs: Sequence[str] | None = None) -> list[tuple[QuerySet[Any], str, str]]:
    """Return the rows that reserve items, what such a row is called, and the lookup of its name."""
    ids, only = list(sheet_ids), {} if item_refs is None else {"item_ref__in": list(item_refs)}
    pairs = apps.get_model("training.QAPair")._default_manager  # of a later app
    return [
        (HeldOutItem.objects.filter(sheet_id__in=ids, **only), "hand:", "reason"),
        (CanonicalLabel.objects.filter(reserving(), sheet_id__in=ids, **only), "the label", "label_type"),
        (
            pairs.filter(reserving(), training_sheet__sheet_id__in=ids, **only),
            "a pair of the training sheet",
            "training_sheet__name",
        ),
    ]
