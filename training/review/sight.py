"""Whether one who reviews sees a training sheet or pairs that are named by key, asked where review remembers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training.models import ReviewAction, ReviewPair
from training.review.frames import frame_of
from training.review.states import know
from workbench.problems import NotFound
from workbench.sheet_rights import need_work, rights_of, sees

TOGETHER = 500


def need_training_sheet(user: Any, training_sheet_id: str, *, to_work: bool = False) -> None:
    """Raise NotFound where there is none or the user does not see it, PermissionDenied where they may only look."""
    frame = frame_of(training_sheet_id)
    if not sees(user, frame):
        raise NotFound(f"There is no training sheet {training_sheet_id}.")
    if to_work:
        need_work(user, frame)


def need_pairs(user: Any, ids: Sequence[str]) -> None:
    """Raise NotFound where the user does not see one of the pairs, PermissionDenied where they may only look at it.

    So what is asked for many is refused as a whole, and nothing changes.
    """
    if not _is_limited(user):
        return
    for at in range(0, len(ids), TOGETHER):
        some = ids[at : at + TOGETHER]
        know(some)
        for pair_id, training_sheet_id in ReviewPair.objects.filter(pk__in=some).values_list("pk", "training_sheet_id"):
            frame = frame_of(training_sheet_id)
            if not sees(user, frame):
                raise NotFound(f"There is no pair {pair_id}.")
            need_work(user, frame)


def need_batch(user: Any, batch_id: str) -> None:
    """Raise as `need_pairs` does for the pairs of a batch."""
    need_pairs(user, list(ReviewAction.objects.filter(batch_id=batch_id).values_list("pair_id", flat=True)))


def _is_limited(user: Any) -> bool:
    rights = rights_of(user)
    return bool(rights.hidden or rights.read_only)
