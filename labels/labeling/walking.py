"""The items of a sheet in the order in which they are labeled: gaps, all, what changed since, what waits for a second opinion."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice

from django.db.models import F

from labels.models import CanonicalLabel
from labels.opinions.due import due_refs
from sheets.models import Sheet
from sheets.reading import Item, iter_items, refs_without
from workbench.router import LAKEHOUSE

ORDERS = ("gaps", "all", "stale", "second")
CHUNK = 200
# One answer reads so many items at most; whoever asked goes on behind the last one.
READ_AT_MOST = 5_000


@dataclass(frozen=True, slots=True)
class Stop:
    """An item on the way: the version of its label, 0 for none, and whether it changed since it was labeled."""

    item_ref: str
    version: int
    is_stale: bool


@dataclass(frozen=True, slots=True)
class Walk:
    """The next stops; `after` is where to go on, None at the end of the sheet."""

    stops: list[Stop]
    after: str | None


def walk(
    sheet: Sheet,
    label_type: str,
    *,
    order: str = "gaps",
    text: str = "",
    after: str | None = None,
    limit: int = 30,
    without: Collection[str] = (),
    actor: str = "",
) -> Walk:
    """Return up to `limit` stops behind the item `after`: `gaps` have no label, `stale` changed since, `all` are all;
    `second` wait for the second opinion of the actor.

    `text` is looked for in the item_ref and the row, whatever its case. Items of `without` are left out. Raises Invalid
    where the sheet does not resolve.
    """
    if order == "gaps" and not text:
        return _gaps(sheet, label_type, after, limit, without)
    stops: list[Stop] = []
    most = READ_AT_MOST if text or without or order != "all" else limit
    read, last = 0, after
    for item, stop, is_due in _judged(sheet, label_type, iter_items(sheet, after=after, limit=most), order, actor):
        read, last = read + 1, item.ref
        is_wanted = is_due if order == "second" else _is_wanted(stop, order)
        if stop.item_ref not in without and is_wanted and _has(item, text.casefold()):
            stops.append(stop)
            if len(stops) == limit:
                return Walk(stops, last)
    return Walk(stops, last if read == most else None)


def _gaps(sheet: Sheet, label_type: str, after: str | None, limit: int, without: Collection[str]) -> Walk:
    """Return the next stops without a label in one statement, which looks at names alone, however many were labeled."""
    labels = CanonicalLabel.objects.filter(sheet_id=sheet.pk, label_type=label_type).order_by()
    known = labels.values(ref=F("item_ref")).query.get_compiler(LAKEHOUSE).as_sql()
    most = limit + len(without)
    found = refs_without(sheet, known, after=after, limit=most)
    stops = [Stop(ref, version=0, is_stale=False) for ref in found if ref not in without]
    is_end = len(found) < most and len(stops) <= limit
    return Walk(stops[:limit], None if is_end else stops[limit - 1].item_ref)


def _judged(
    sheet: Sheet, label_type: str, items: Iterator[Item], order: str, actor: str
) -> Iterator[tuple[Item, Stop, bool]]:
    """Yield each item with its stop, and whether it waits for a second opinion, where that is asked."""
    while chunk := list(islice(items, CHUNK)):
        labels = CanonicalLabel.objects.filter(
            sheet_id=sheet.pk, label_type=label_type, item_ref__in=[item.ref for item in chunk]
        )
        known = {
            ref: (version, hash_) for ref, version, hash_ in labels.values_list("item_ref", "version", "item_hash")
        }
        due = due_refs(sheet, label_type, list(known), actor=actor) if order == "second" else ()
        for item in chunk:
            version, hash_ = known.get(item.ref, (0, ""))
            yield item, Stop(item.ref, version, bool(hash_) and hash_ != item.hash), item.ref in due


def _is_wanted(stop: Stop, order: str) -> bool:
    return order == "all" or (stop.is_stale if order == "stale" else not stop.version)


def _has(item: Item, text: str) -> bool:
    return not text or text in item.ref.casefold() or any(text in str(value).casefold() for value in item.row.values())
