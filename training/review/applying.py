"""Applies the journal to the lakehouse: in the order of the actions, in batches, and every step may be repeated.

A round takes at most one action of each pair through `STEPS`. Killed after any of them, the next round does them all
again and finds done what was done: a label is written from one version to the next only, a pair only to a newer one,
events by ids that follow from their action. The mark that an action was applied comes last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import orjson
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from labels.models import CanonicalLabel
from labels.recording import record_labels
from training.models import QAPair, ReviewAction, ReviewEvent, ReviewPair, ReviewSheet, TrainingSheet
from training.review.frames import Frame, frame_of
from training.review.label_plans import changed_pair, label_after, plan_of, touches_label
from workbench.lakehouse.bulk import update_newer
from workbench.lakehouse.ids import uuid5_of
from workbench.problems import Conflict

MOST = 500
# A warehouse takes one megabyte of parameters; the messages of a round are its largest.
MOST_BYTES = 600_000
ATTEMPTS = 5
LEASE = timedelta(seconds=20)
CHANGED = ("status", "messages", "misfits", "reviewed_by", "reviewed_at", "review_notes", "version", "updated_at")
LINK = ("canonical_label_id", "canonical_label_version")


@dataclass
class Round:
    """The actions that go through the steps together, with the labels that stand now."""

    frame: Frame
    actions: list[ReviewAction]
    present: dict[str, CanonicalLabel] = field(default_factory=dict)


def apply_waiting(training_sheet_id: str) -> int:
    """Apply what waits of a training sheet and return how many actions; 0 where another process is at it."""
    applied = 0
    with _lease(training_sheet_id) as renew:
        while renew and (actions := _next_actions(training_sheet_id)):
            applied += _apply(Round(frame_of(training_sheet_id), actions))
            if not renew():
                return applied
    if applied:
        _restate(training_sheet_id)
    return applied


def apply_all() -> int:
    """Apply what waits of every training sheet; returns how many actions."""
    waiting = ReviewAction.objects.filter(applied_at=None).order_by().values_list("training_sheet_id", flat=True)
    return sum(apply_waiting(key) for key in waiting.distinct())


def _next_actions(training_sheet_id: str) -> list[ReviewAction]:
    """Return the oldest waiting action of each pair, up to a round's size."""
    waiting = ReviewAction.objects.filter(training_sheet_id=training_sheet_id, applied_at=None)
    taken: dict[str, ReviewAction] = {}
    size = 0
    for action in waiting.select_related("pair", "undoes")[:MOST]:
        if action.pair_id in taken:
            continue
        size += len(orjson.dumps(action.after))
        if taken and size > MOST_BYTES:
            break
        taken[action.pair_id] = action
    return list(taken.values())


def _apply(round_: Round) -> int:
    for step in STEPS:
        step(round_)
    return len(round_.actions)


def plan(round_: Round) -> None:
    """Look at the labels that stand and fix in the journal what becomes of them."""
    frame, touching = round_.frame, [action for action in round_.actions if touches_label(action)]
    refs = [action.pair.item_ref for action in touching]
    labels = CanonicalLabel.objects.filter(sheet_id=frame.sheet_id, label_type=frame.label_type, item_ref__in=refs)
    round_.present = {label.item_ref: label for label in labels} if refs else {}
    unplanned = [action for action in touching if action.label_plan is None]
    for action in unplanned:
        action.label_plan = plan_of(action, frame, round_.present.get(action.pair.item_ref))
    ReviewAction.objects.bulk_update(unplanned, ["label_plan"], batch_size=100)


def write_labels(round_: Round) -> None:
    """Write the planned labels with their versions; one that another changed meanwhile is planned anew."""
    for _ in range(ATTEMPTS):
        lost = _write_labels(round_)
        if not lost:
            return
        for action in lost:
            action.label_plan = None
        ReviewAction.objects.bulk_update(lost, ["label_plan"], batch_size=100)
        plan(round_)
    raise Conflict(f"Others keep changing the label of {lost[0].pair.item_ref!r}: the reviews wait in the journal.")


def _write_labels(round_: Round) -> list[ReviewAction]:
    new, changed, before, by_label = [], [], [], {}
    for action in round_.actions:
        wanted, present = action.label_plan or {}, round_.present.get(action.pair.item_ref)
        if wanted.get("write") == "new":
            new.append(label_after(action, round_.frame, None))
            by_label[wanted["id"]] = action
        elif wanted.get("write") == "next" and present is not None:
            changed.append(label_after(action, round_.frame, present))
            before.append(present)
            by_label[wanted["id"]] = action
        elif wanted.get("write") == "gone":
            # Past the collector, which would ask every table that points at labels.
            CanonicalLabel.objects.filter(pk=wanted["id"], version=wanted["version"])._raw_delete("lakehouse")
    if not by_label:
        return []
    written = record_labels(new, changed, before=before)
    return [action for key, action in by_label.items() if key not in written]


def write_pairs(round_: Round) -> None:
    """Bring the pairs to their new versions."""
    linked = [changed_pair(action) for action in round_.actions if action.label_plan]
    others = [changed_pair(action) for action in round_.actions if not action.label_plan]
    if linked:
        update_newer(linked, (*CHANGED, *LINK))
    if others:
        update_newer(others, CHANGED)


def write_events(round_: Round) -> None:
    """Add the review events."""
    ReviewEvent.objects.bulk_create([_event(action) for action in round_.actions], ignore_conflicts=True)


def _event(action: ReviewAction) -> ReviewEvent:
    return ReviewEvent(
        id=uuid5_of("review_event", action.action_id),
        action_id=action.action_id,
        qa_pair_id=action.pair_id,
        training_sheet_id=action.training_sheet_id,
        action=action.action,
        old_status=action.before["status"],
        new_status=action.after["status"],
        pair_version=action.pair_version,
        changes=action.changes,
        reason=action.reason,
        actor=action.actor,
        created_at=action.created_at,
    )


def mark(round_: Round) -> None:
    """Say in the journal that the actions are in the lakehouse."""
    with transaction.atomic("default"):
        for action in round_.actions:
            # Only the process that marks it counts it, should two have been at it.
            if ReviewAction.objects.filter(pk=action.pk, applied_at=None).update(applied_at=timezone.now()):
                ReviewPair.objects.filter(pk=action.pair_id).update(waiting=F("waiting") - 1)


STEPS: tuple[Callable[[Round], None], ...] = (plan, write_labels, write_pairs, write_events, mark)


def _restate(training_sheet_id: str) -> None:
    """Set the training sheet to approved when nothing waits for review any more, and back."""
    stands = TrainingSheet.objects.filter(pk=training_sheet_id, status__in=("review", "approved"))
    waits = QAPair.objects.filter(training_sheet_id=training_sheet_id).exclude(status__in=("labeled", "rejected"))
    status = "review" if waits.exists() else "approved"
    if stands.exclude(status=status).exists():
        stands.update(status=status, updated_at=timezone.now())


@contextmanager
def _lease(training_sheet_id: str) -> Iterator[Callable[[], bool] | None]:
    """Hold the right to apply a training sheet's journal; gives None where another process has it."""
    token, now = str(uuid4()), timezone.now()
    ReviewSheet.objects.get_or_create(pk=training_sheet_id)
    free = Q(held_until=None) | Q(held_until__lt=now)
    if not ReviewSheet.objects.filter(free, pk=training_sheet_id).update(token=token, held_until=now + LEASE):
        yield None
        return
    mine = ReviewSheet.objects.filter(pk=training_sheet_id, token=token)
    try:
        yield lambda: bool(mine.update(held_until=timezone.now() + LEASE))
    finally:
        mine.update(token="", held_until=None)
