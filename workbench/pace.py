"""How long somebody still needs, at the pace of what they did lately."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil
from statistics import median

LATELY = 50
FEWEST = 3
# A longer break between two decisions is not part of the pace.
BREAK = timedelta(minutes=5)


def minutes_left(times: Iterable[datetime], left: int) -> int | None:
    """Return the minutes that `left` more take, by the times of the latest decisions, newest first; None before a pace."""
    gaps = [gap for later, earlier in pairwise(times) if (gap := later - earlier) < BREAK]
    if len(gaps) < FEWEST:
        return None
    return ceil(left * median(gap.total_seconds() for gap in gaps) / 60)
