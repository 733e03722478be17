"""How far the labels of a sheet are for one type of task, and what was labeled before its item changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count, Q

from labels.models import CanonicalLabel
from sheets.models import Sheet
from sheets.reading import count_items, iter_items
from workbench.pace import LATELY, minutes_left

READ_FOR = 60  # seconds
# What is stale takes reading every item; a bigger sheet is asked for its stale labels, not counted.
COUNTED = 20_000


@dataclass(frozen=True, slots=True)
class Progress:
    """Items by their label; `stale` are among the labeled, None where the sheet is too big to count them."""

    total: int
    mine: int
    others: int
    gaps: int
    stale: int | None
    minutes_left: int | None


def progress_of(sheet: Sheet, label_type: str, *, actor: str) -> Progress:
    """Return the progress as the actor sees it; Invalid where the sheet does not resolve."""
    labels = CanonicalLabel.objects.filter(sheet_id=sheet.pk, label_type=label_type)
    hashes = _hashes(sheet)
    if hashes is None:
        counts = labels.aggregate(all=Count("pk"), mine=Count("pk", filter=Q(labeled_by=actor)))
        total, labeled, mine, stale = count_items(sheet), counts["all"], counts["mine"], None
    else:
        # A label whose item is gone labels nothing that is here.
        rows = [row for row in labels.values_list("item_ref", "item_hash", "labeled_by") if row[0] in hashes]
        total, labeled = len(hashes), len(rows)
        mine = sum(by == actor for _, _, by in rows)
        stale = sum(bool(hash_) and hash_ != hashes[ref] for ref, hash_, _ in rows)
    gaps = max(0, total - labeled)
    times = (
        labels.filter(last_modified_by=actor).order_by("-last_modified_at").values_list("last_modified_at", flat=True)
    )
    return Progress(total, mine, labeled - mine, gaps, stale, minutes_left(times[:LATELY], gaps))


def counts_of(sheet_ids: Iterable[str], *, actor: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Return the labels by sheet and label type, all and the actor's, in one statement."""
    labels = CanonicalLabel.objects.filter(sheet_id__in=list(sheet_ids)).order_by()
    found = labels.values_list("sheet_id", "label_type").annotate(
        all=Count("pk"), mine=Count("pk", filter=Q(labeled_by=actor))
    )
    return {(sheet_id, label_type): (count, mine) for sheet_id, label_type, count, mine in found}


def _hashes(sheet: Sheet) -> dict[str, str] | None:
    """Return the present content of each item, remembered for a minute; None where there are too many."""
    key = f"item-hashes-{sheet.pk}-{sheet.updated_at.timestamp()}"
    found: dict[str, str] | None = cache.get(key)
    if found is None:
        if count_items(sheet) > COUNTED:
            return None
        found = {item.ref: item.hash for item in iter_items(sheet)}
        cache.set(key, found, READ_FOR)
    return found
