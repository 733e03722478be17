"""How far the review of a training sheet is: counted once in the lakehouse, with what the journal holds over it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from math import ceil
from statistics import median
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Max

from training.models import QAPair, ReviewAction
from training.review.frames import frame_of

FRESH = 5  # seconds
LATELY = 50
# A longer break between two decisions is not part of the pace.
BREAK = timedelta(minutes=5)

Bucket = tuple[str, str, str]


@dataclass(frozen=True)
class Progress:
    """Pairs by what became of them; `minutes_left` at the actor's own pace, None before there is one."""

    total: int
    pre_approved: int
    approved_by_me: int
    approved_by_others: int
    flagged: int
    rejected: int
    left: int
    minutes_left: int | None


def progress_of(training_sheet_id: str, *, actor: str) -> Progress:
    """Return the progress as the actor sees it: what waits in the journal counts, drafts do not.

    NotFound for a training sheet that does not exist.
    """
    frame_of(training_sheet_id)
    counts = Counter(_counted(training_sheet_id))
    for action, is_first in _waiting(training_sheet_id):
        if is_first:
            counts[_bucket(action.before, action.pair.state)] -= 1
            counts[_bucket({**action.pair.state, "status": action.pair.status}, action.pair.state)] += 1
    by_kind: Counter[str] = Counter()
    for (status, mode, reviewer), count in counts.items():
        by_kind[_kind(status, mode, reviewer == actor)] += count
    left = by_kind["left"]
    return Progress(
        total=sum(by_kind.values()),
        minutes_left=_minutes(training_sheet_id, actor, left),
        **{
            name: by_kind[name]
            for name in ("pre_approved", "approved_by_me", "approved_by_others", "flagged", "rejected", "left")
        },
    )


def _kind(status: str, mode: str, is_mine: bool) -> str:
    if status in ("flagged", "rejected"):
        return status
    if status == "unlabeled":
        return "left"
    if mode == QAPair.Mode.CANONICAL:
        return "pre_approved"
    return "approved_by_me" if is_mine else "approved_by_others"


def _bucket(state: Any, kept: Any) -> Bucket:
    return state["status"], kept["labeling_mode"], state["reviewed_by"] or ""


def _counted(training_sheet_id: str) -> dict[Bucket, int]:
    """Return the counts of the lakehouse, remembered for a moment and until more of the journal is applied."""
    actions = ReviewAction.objects.filter(training_sheet_id=training_sheet_id)
    applied = actions.exclude(applied_at=None).aggregate(last=Max("id"))["last"]
    key = f"progress-{training_sheet_id}-{applied}"
    found: dict[Bucket, int] | None = cache.get(key)
    if found is None:
        pairs = QAPair.objects.filter(training_sheet_id=training_sheet_id).order_by()
        rows = pairs.values_list("status", "labeling_mode", "reviewed_by").annotate(count=Count("pk"))
        found = {(status, mode, reviewer): count for status, mode, reviewer, count in rows}
        cache.set(key, found, FRESH)
    return found


def _waiting(training_sheet_id: str) -> list[tuple[ReviewAction, bool]]:
    """Return what is not applied yet, oldest first, and whether each is the first of its pair."""
    waiting = ReviewAction.objects.filter(training_sheet_id=training_sheet_id, applied_at=None)
    seen: set[str] = set()
    found = []
    for action in waiting.select_related("pair").order_by("id"):
        found.append((action, action.pair_id not in seen))
        seen.add(action.pair_id)
    return found


def _minutes(training_sheet_id: str, actor: str, left: int) -> int | None:
    """Return the minutes left at the pace of single decisions: what is done as a batch says nothing of it."""
    mine = ReviewAction.objects.filter(training_sheet_id=training_sheet_id, actor=actor, batch_id="").exclude(
        action__in=("undo", "uses")
    )
    times = list(mine.order_by("-id").values_list("created_at", flat=True)[:LATELY])
    gaps = [gap for later, earlier in pairwise(times) if (gap := later - earlier) < BREAK]
    if len(gaps) < 3:
        return None
    return ceil(left * median(gap.total_seconds() for gap in gaps) / 60)
