"""Why pairs stayed out of exports, over time: the exclusions that every export keeps, summed by day and reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from training.models import Export

DAYS = 30
# Reasons that are told apart; the others are one.
MOST = 6
OTHERS = "other reasons"


@dataclass(frozen=True)
class OfDay:
    """The exports of a day, the pairs that left in them, and how many stayed for each of the reasons."""

    day: date
    exports: int
    exported: int
    counts: Sequence[int]


@dataclass(frozen=True)
class Exclusions:
    """`reasons`, the most frequent first, name the counts of each of the `days` that had an export."""

    reasons: Sequence[str]
    totals: Sequence[int]
    days: Sequence[OfDay]

    @property
    def by_reason(self) -> list[tuple[str, int]]:
        return list(zip(self.reasons, self.totals, strict=True))


def exclusions_by_day(user: Any, days: int = DAYS, training_sheet: str = "", use: str = "") -> Exclusions:
    """Return the exclusions of the exports of the last days that the user sees, in one query.

    A pair that stayed out of two exports counts twice, as each export asked anew.
    """
    rows = Export.objects.visible_to(user).filter(created_at__gte=timezone.now() - timedelta(days=days))
    asked = {name: value for name, value in (("training_sheet_id", training_sheet), ("use", use)) if value}
    columns = ("created_at", "exported_pairs", "exclusions")
    by_day: dict[date, list[tuple[int, Counter[str]]]] = {}
    for at, exported, exclusions in rows.filter(**asked).order_by("created_at").values_list(*columns):
        counts = Counter[str]()
        for each in exclusions:
            counts[each["reason"]] += each["count"]
        by_day.setdefault(at.date(), []).append((exported, counts))
    return _summed(by_day)


def _summed(by_day: dict[date, list[tuple[int, Counter[str]]]]) -> Exclusions:
    totals = sum((counts for found in by_day.values() for _, counts in found), Counter[str]())
    named = [reason for reason, _ in sorted(totals.items(), key=lambda each: (-each[1], each[0]))[:MOST]]
    rest = totals.total() - sum(totals[reason] for reason in named)
    reasons = [*named, OTHERS] if rest else named
    days = []
    for day, found in by_day.items():
        counts = sum((each for _, each in found), Counter[str]())
        own = [counts[reason] for reason in named]
        others = [counts.total() - sum(own)] if rest else []
        days.append(OfDay(day, len(found), sum(exported for exported, _ in found), [*own, *others]))
    return Exclusions(reasons, [*(totals[reason] for reason in named), *([rest] if rest else [])], days)
