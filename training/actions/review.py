"""Review: what an expert decides about pairs, one or many, and that it reaches the lakehouse."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.conf import settings
from django.db import DatabaseError, transaction

from training.models import ReviewAction
from training.review.applying import apply_waiting
from training.review.journal import Decision, record
from training.review.states import known_pairs
from workbench.problems import Problem

log = logging.getLogger(__name__)


def review(decision: Decision, *, actor: str) -> ReviewAction:
    """Return the action once the journal has it, and apply it where the settings say so.

    Errors are those of `training.review.journal.record`. A lakehouse that cannot be reached is none: the journal holds
    the action, every reading shows it, and it is applied later.
    """
    action = record(decision, actor=actor)
    apply_now([action])
    return action


def apply_now(actions: Sequence[ReviewAction]) -> None:
    """Apply what waits of the actions' training sheets, unless a worker does it."""
    if settings.REVIEW_APPLY != "inline":
        return
    for key in {action.training_sheet_id for action in actions}:
        try:
            apply_waiting(key)
        except DatabaseError:
            log.warning("The journal of training sheet %s waits: the lakehouse cannot be reached.", key, exc_info=True)


def review_many(
    decisions: Sequence[Decision], *, actor: str, dry_run: bool = False
) -> tuple[list[ReviewAction], list[tuple[Decision, Problem]]]:
    """Return the actions that were recorded, in one transaction, and the decisions that were refused with why.

    With `dry_run` the same is returned and nothing is kept.
    """
    done, refused = [], []
    known_pairs([decision.pair_id for decision in decisions])
    with transaction.atomic("default"):
        for decision in decisions:
            try:
                done.append(record(decision, actor=actor))
            except Problem as problem:
                refused.append((decision, problem))
        transaction.set_rollback(dry_run, using="default")
    if not dry_run:
        apply_now(done)
    return done, refused
