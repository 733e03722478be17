"""How far the review of a training sheet is: counted in the lakehouse now and then, with what was decided since over it.

Who asks for a count that is a few seconds old is given it, and it is counted anew after the answer: only generation and the
like write pairs past the journal, and nobody waits for a warehouse to see them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from django.core.cache import caches
from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from training.models import QAPair, ReviewAction, ReviewSheet
from training.review.frames import frame_of
from training.review.states import is_pre_approved
from workbench.after_answer import after_answer
from workbench.pace import LATELY, minutes_left

# Seconds after which a count is made anew, one that may be wrong sooner, and after which it is not shown any more.
FRESH, DOUBTED, SHOWN = 5, 1, 60
# How often a first count is made again because something was applied meanwhile, and seconds between.
TRIES, TURN = 3, 0.1

# Status, whether the label that it was made from approved it, and the reviewer.
Bucket = tuple[str, bool, str]


@dataclass(frozen=True)
class Counted:
    """What the lakehouse said, at a time in seconds, and where the journal stood: its newest action and what waited.

    It is not `sure` where decisions were applied while the lakehouse counted, which may be in it and in the journal.
    """

    buckets: dict[Bucket, int]
    newest: int
    waiting: list[int]
    at: float
    sure: bool = True


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
    counted = _counted(training_sheet_id)
    counts = Counter(counted.buckets)
    for before, now in _since(training_sheet_id, counted):
        counts[before] -= 1
        counts[now] += 1
    by_kind: Counter[str] = Counter()
    for (status, pre_approved, reviewer), count in counts.items():
        by_kind[_kind(status, pre_approved, reviewer == actor)] += count
    left = by_kind["left"]
    return Progress(
        total=sum(by_kind.values()),
        minutes_left=_minutes(training_sheet_id, actor, left),
        **{
            name: by_kind[name]
            for name in ("pre_approved", "approved_by_me", "approved_by_others", "flagged", "rejected", "left")
        },
    )


def _kind(status: str, pre_approved: bool, is_mine: bool) -> str:
    if status in ("flagged", "rejected"):
        return status
    if status == "unlabeled":
        return "left"
    if pre_approved:
        return "pre_approved"
    return "approved_by_me" if is_mine else "approved_by_others"


def _counted(training_sheet_id: str) -> Counted:
    found: Counted | None = caches["pages"].get(_key(training_sheet_id))
    if found is None:
        return _count(training_sheet_id)
    if time.monotonic() - found.at > (FRESH if found.sure else DOUBTED):
        after_answer(("count", training_sheet_id), partial(_count, training_sheet_id))
    return found


def _count(training_sheet_id: str) -> Counted:
    """Count in the lakehouse, and remember it.

    What is applied while the lakehouse counts would be counted twice, so such a count is left for an older one: with the
    journal over it that one is right as well. Where there is none, it is shown until the next count, for which nobody waits.
    """
    for _ in range(TRIES):
        before = _applied(training_sheet_id)
        found = _count_once(training_sheet_id)
        if before is not None and before == _applied(training_sheet_id):
            caches["pages"].set(_key(training_sheet_id), found, SHOWN)
            return found
        kept: Counted | None = caches["pages"].get(_key(training_sheet_id))
        if kept and kept.sure:
            caches["pages"].set(_key(training_sheet_id), kept, SHOWN)
            return kept
        time.sleep(TURN)
    found = replace(found, sure=False)
    caches["pages"].set(_key(training_sheet_id), found, SHOWN)
    return found


def _count_once(training_sheet_id: str) -> Counted:
    newest = ReviewAction.objects.filter(training_sheet_id=training_sheet_id).aggregate(last=Max("id"))["last"] or 0
    waiting = list(_waiting(training_sheet_id).values_list("pk", flat=True))
    pairs = QAPair.objects.filter(training_sheet_id=training_sheet_id).order_by()
    rows = pairs.values_list("status", "reviewed_by").annotate(
        count=Count("pk"), made_so=Count("pk", filter=pairs.pre_approved)
    )
    buckets: dict[Bucket, int] = {}
    for status, reviewer, count, made_so in rows:
        buckets |= {(status, True, reviewer): made_so, (status, False, reviewer): count - made_so}
    return Counted(buckets, newest, waiting, time.monotonic())


def _applied(training_sheet_id: str) -> int | None:
    """Return how many decisions are in the lakehouse, None while a process is writing some."""
    if ReviewSheet.objects.filter(pk=training_sheet_id, held_until__gt=timezone.now()).exists():
        return None
    return ReviewAction.objects.filter(training_sheet_id=training_sheet_id).exclude(applied_at=None).count()


def _key(training_sheet_id: str) -> str:
    return f"progress-{training_sheet_id}"


def _waiting(training_sheet_id: str) -> QuerySet[ReviewAction]:
    return ReviewAction.objects.filter(training_sheet_id=training_sheet_id, applied_at=None)


def _since(training_sheet_id: str, counted: Counted) -> Iterator[tuple[Bucket, Bucket]]:
    """Yield what each pair was for the lakehouse and what it is now, for those decided about since it counted."""
    later = Q(pk__gt=counted.newest) | Q(pk__in=counted.waiting)
    actions = ReviewAction.objects.filter(later, training_sheet_id=training_sheet_id).order_by("id")
    before = ("before__status", "before__reviewed_by", "before__reviewed_at")
    now = ("pair__status", "pair__state__reviewed_by", "pair__state__reviewed_at")
    made, seen = ("pair__state__labeling_mode", "pair__state__created_at"), set()
    for key, mode, created_at, *found in actions.values_list("pair_id", *made, *before, *now):
        if key not in seen:
            seen.add(key)
            yield _bucket(mode, created_at, *found[:3]), _bucket(mode, created_at, *found[3:])


def _bucket(mode: str, created_at: str | None, status: str, reviewer: str | None, reviewed_at: str | None) -> Bucket:
    return status, is_pre_approved(status, mode, reviewed_at, created_at), reviewer or ""


def _minutes(training_sheet_id: str, actor: str, left: int) -> int | None:
    """Return the minutes left at the pace of single decisions: what is done as a batch says nothing of it."""
    mine = ReviewAction.objects.filter(training_sheet_id=training_sheet_id, actor=actor, batch_id="").exclude(
        action__in=("undo", "uses")
    )
    return minutes_left(mine.order_by("-id").values_list("created_at", flat=True)[:LATELY], left)
