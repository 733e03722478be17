"""How far the labels of a sheet are for one type of task, and what was labeled before its item changed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q

from labels.models import CanonicalLabel
from labels.opinions.due import due_items
from sheets.models import Sheet
from sheets.reading import count_items, iter_items
from workbench.after_answer import after_answer
from workbench.pace import LATELY, minutes_left

# Seconds after which the items are read anew, and after which what was read is not shown any more.
FRESH, SHOWN = 60, 600
# What is stale takes reading every item; a bigger sheet is asked for its stale labels, not counted.
COUNTED = 20_000


@dataclass(frozen=True, slots=True)
class Items:
    """The content hash of each item of a sheet, None for too many, as read at a time in seconds."""

    hashes: dict[str, str] | None
    at: float


@dataclass(frozen=True, slots=True)
class Progress:
    """Items by their label; `stale` are among the labeled, `due` wait for the actor's second opinion.

    Both are None where the sheet is too big to count them.
    """

    total: int
    mine: int
    others: int
    gaps: int
    stale: int | None
    due: int | None
    minutes_left: int | None


def progress_of(sheet: Sheet, label_type: str, *, user: Any) -> Progress:
    """Return the progress as the user sees it; Invalid where the sheet does not resolve."""
    actor = user.get_username()
    labels = CanonicalLabel.objects.filter(sheet_id=sheet.pk, label_type=label_type)
    hashes = _hashes(sheet)
    if hashes is None:
        counts = labels.aggregate(all=Count("pk"), mine=Count("pk", filter=Q(labeled_by=actor)))
        total, labeled, mine, stale = count_items(sheet), counts["all"], counts["mine"], None
        due = None
    else:
        # A label whose item is gone labels nothing that is here.
        rows = [row for row in labels.values_list("item_ref", "item_hash", "labeled_by") if row[0] in hashes]
        total, labeled = len(hashes), len(rows)
        mine = sum(by == actor for _, _, by in rows)
        stale = sum(bool(hash_) and hash_ != hashes[ref] for ref, hash_, _ in rows)
        due = len(due_items([sheet.pk], user).get((sheet.pk, label_type), set()) & hashes.keys())
    gaps = max(0, total - labeled)
    times = (
        labels.filter(last_modified_by=actor).order_by("-last_modified_at").values_list("last_modified_at", flat=True)
    )
    return Progress(total, mine, labeled - mine, gaps, stale, due, minutes_left(times[:LATELY], gaps))


def counts_of(sheet_ids: Iterable[str], *, actor: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Return the labels by sheet and label type, all and the actor's, in one statement."""
    labels = CanonicalLabel.objects.filter(sheet_id__in=list(sheet_ids)).order_by()
    found = labels.values_list("sheet_id", "label_type").annotate(
        all=Count("pk"), mine=Count("pk", filter=Q(labeled_by=actor))
    )
    return {(sheet_id, label_type): (count, mine) for sheet_id, label_type, count, mine in found}


def _hashes(sheet: Sheet) -> dict[str, str] | None:
    """Return the present content of each item; None where there are too many.

    Who asks for what was read a while ago is given it, and the items are read anew after the answer.
    """
    key = f"item-hashes-{sheet.pk}-{sheet.updated_at.timestamp()}"
    found: Items | None = cache.get(key)
    if found is None:
        return _read(sheet, key)
    if time.monotonic() - found.at > FRESH:
        after_answer(("items", sheet.pk), partial(_read, sheet, key))
    return found.hashes


def _read(sheet: Sheet, key: str) -> dict[str, str] | None:
    is_small = count_items(sheet) <= COUNTED
    found = Items({item.ref: item.hash for item in iter_items(sheet)} if is_small else None, time.monotonic())
    cache.set(key, found, SHOWN)
    return found.hashes
