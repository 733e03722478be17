"""What lists of pairs show, kept for a minute and read before it is asked for: who pages never waits for the lakehouse.

Decisions lie over it as they do over the lakehouse, see `overlay`. Each decision of the reader's own has it read anew, and
once more when it is applied, since only then pairs have their label and their place; who looks at a list that no decision adds
to or takes from does not wait for that. Of what others decided, pairs that fit no more are left out of a page, and those that
fit now are there after the minute.
Whoever else writes pairs, or changes a label, has what is kept read anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast
from uuid import uuid4

from django.core.cache import caches

from labels.lately import TOLD_FOR, last_change
from training.models import ReviewAction
from training.review.frames import frame_of
from workbench.after_answer import after_answer
from workbench.canonical import canonical_json

T = TypeVar("T")

# Seconds.
KEPT_FOR = 60


@dataclass(frozen=True)
class Decided:
    """The number of a reader's last decision in a training sheet, 0 where there is none, and whether it is applied."""

    # All who have decided nothing there are shown the same.
    reader: str = field(compare=False)
    last: int
    applied: bool


def kept(
    training_sheet_id: str,
    about: object,
    read: Callable[[], T],
    *,
    decided: Decided,
    may_lag: bool = False,
    lasts: bool = False,
) -> T:
    """Return what was kept `about` a list of the training sheet, else what `read` returns, which is kept from now on.

    `about` is fit for JSON and says all that the answer depends on, the reader's rights included. With `may_lag` what was
    kept while the last decision was not applied is given once more, and read anew after the answer: who turns pages never
    waits. What `lasts` has the same pairs whatever is decided, so that what was kept before a decision is given so as well.
    """
    cache = caches["pages"]
    written, labeled = cache.get(_stamp(training_sheet_id)), last_change(frame_of(training_sheet_id).sheet_id)
    said = canonical_json([written, labeled, about, decided.reader if lasts else decided.last])
    key = f"{training_sheet_id}-{hashlib.sha256(said.encode()).hexdigest()}"

    def read_anew() -> T:
        found = read()
        cache.set(key, (decided, found), KEPT_FOR)
        return found

    before, found = cast(tuple[Decided | None, T], cache.get(key, (None, None)))
    if before == decided:
        return found
    if before and (may_lag or lasts):
        after_answer(("list anew", key), read_anew)
        return found
    return read_anew()


def forget_lists(training_sheet_id: str) -> None:
    """Have the lists of the training sheet read anew: its pairs were written past the journal, or something found in them."""
    # What somebody reads at this moment is kept under the old stamp, which nobody asks for any more.
    caches["pages"].set(_stamp(training_sheet_id), str(uuid4()), TOLD_FOR)


def decided_by(training_sheet_id: str, actor: str) -> Decided:
    """Return the actor's last decision there. Those before it are applied by then, but for what the lakehouse refuses."""
    mine = ReviewAction.objects.filter(training_sheet_id=training_sheet_id, actor=actor)
    last, applied_at = mine.order_by("-id").values_list("id", "applied_at").first() or (0, None)
    return Decided(actor, last, applied_at is not None)


def _stamp(training_sheet_id: str) -> str:
    return f"stamp-{training_sheet_id}"
