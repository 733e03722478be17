"""What lists of pairs show, kept for a minute and read before it is asked for: who pages never waits for the lakehouse.

Decisions lie over it as they do over the lakehouse, see `overlay`. Each decision of the reader's own has it read anew; of
what others decided, pairs that fit no more are left out of a page, and those that fit now are there after the minute.
Whoever else writes pairs, or changes a label, has what is kept read anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar, cast
from uuid import uuid4

from django.core.cache import caches

from labels.lately import last_change
from training.models import ReviewAction
from training.review.frames import frame_of
from workbench.canonical import canonical_json

T = TypeVar("T")

# Seconds.
KEPT_FOR = 60


def kept(training_sheet_id: str, about: object, read: Callable[[], T]) -> T:
    """Return what was kept `about` a list of the training sheet, else what `read` returns, which is kept from now on.

    `about` is fit for JSON and says all that the answer depends on, the reader's rights included.
    """
    cache = caches["pages"]
    written, labeled = cache.get(_stamp(training_sheet_id)), last_change(frame_of(training_sheet_id).sheet_id)
    key = hashlib.sha256(canonical_json([written, labeled, about]).encode()).hexdigest()
    found = cache.get(f"{training_sheet_id}-{key}")
    if found is None:
        found = read()
        cache.set(f"{training_sheet_id}-{key}", found, KEPT_FOR)
    return cast(T, found)


def forget_lists(training_sheet_id: str) -> None:
    """Have the lists of the training sheet read anew: its pairs were written past the journal, or something found in them."""
    # What somebody reads at this moment is kept under the old stamp, which nobody asks for any more.
    caches["pages"].set(_stamp(training_sheet_id), str(uuid4()), 2 * KEPT_FOR)


def last_decision(training_sheet_id: str, actor: str) -> int:
    """Return the number of the actor's last decision there, 0 where there is none."""
    mine = ReviewAction.objects.filter(training_sheet_id=training_sheet_id, actor=actor)
    return mine.order_by("-id").values_list("id", flat=True).first() or 0


def _stamp(training_sheet_id: str) -> str:
    return f"stamp-{training_sheet_id}"
