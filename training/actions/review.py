"""Review: what an expert decides about pairs, one or many, and that it reaches the lakehouse."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from functools import partial
from typing import Unpack
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError, transaction

from governance import audit
from sheets.pictures import remembered_pictures
from training.models import ReviewAction
from training.review.applying import apply_waiting
from training.review.journal import USES, Basis, Decision, basis_of, read_pictures_of, record
from training.review.rights import Rights
from training.review.states import know, lock_pairs
from training.review.waking import keep_looking, wake
from workbench.after_answer import after_answer
from workbench.problems import Conflict, Forbidden, NotFound, Problem

log = logging.getLogger(__name__)

# Of a large batch so many are recorded in one transaction, because others wait for it on SQLite.
TOGETHER = 50
Refused = list[tuple[Decision, Problem]]


def review(decision: Decision, *, actor: str) -> ReviewAction:
    """Return the action once the journal has it, and apply it where the settings say so.

    Errors are those of `training.review.journal.record`. A lakehouse that cannot be reached is none: the journal holds
    the action, every reading shows it, and it is applied later.
    """
    try:
        action = record(decision, actor=actor)
    except Forbidden as problem:
        if decision.action == USES:
            audit.refused(problem, actor=actor, qa_pair_id=decision.pair_id)
        raise
    see_to([action])
    return action


def review_many(
    decisions: Sequence[Decision], *, actor: str, dry_run: bool = False
) -> tuple[list[ReviewAction], Refused]:
    """Return the actions that were recorded and the decisions that were refused, with why.

    With `dry_run` the same is returned and nothing is kept. Conflict for a `batch_id` of somebody else's decisions.
    """
    _expect_own({decision.batch_id for decision in decisions} - {""}, actor)
    done: list[ReviewAction] = []
    refused: Refused = []
    know([decision.pair_id for decision in decisions])
    try:
        for some in _together(decisions):
            done += _record_together(_based(some, refused), refused, actor, dry_run=dry_run)
    finally:
        if not dry_run:
            see_to(done)
    return done, refused


def _expect_own(batch_ids: Collection[str], actor: str) -> None:
    """Raise Conflict where somebody else has decided under one of the ids: what is undone as one is one person's."""
    others = ReviewAction.objects.filter(batch_id__in=batch_ids).exclude(actor=actor)
    if batch_ids and (found := others.values_list("batch_id", "actor").first()):
        raise Conflict(
            f"The batch_id {found[0]!r} is that of decisions by {found[1]}: use another one, or none, so that each "
            "batch can be taken back alone."
        )


def _record_together(
    based: Sequence[tuple[Decision, Basis]], refused: Refused, actor: str, *, dry_run: bool
) -> list[ReviewAction]:
    """Record the decisions in one transaction, and return the actions."""
    done: list[ReviewAction] = []
    with transaction.atomic("default"):
        lock_pairs([decision.pair_id for decision, _ in based])
        for decision, basis in based:
            try:
                done.append(record(decision, actor=actor, basis=basis))
            except Problem as problem:
                refused.append((decision, problem))
        transaction.set_rollback(dry_run, using="default")
    return done


def _based(decisions: Sequence[Decision], refused: Refused) -> list[tuple[Decision, Basis]]:
    """Return the decisions with what each is judged by; one whose pair does not exist is refused."""
    based = []
    read_pictures_of(decisions)
    for decision in decisions:
        try:
            based.append((decision, basis_of(decision, remembered_pictures)))
        except NotFound as problem:
            refused.append((decision, problem))
    return based


def undo_batch(
    batch_id: str, *, actor: str, dry_run: bool = False, **rights: Unpack[Rights]
) -> tuple[list[ReviewAction], Refused]:
    """Undo what was decided as one batch, as far as nothing came after it; returned as by `review_many`.

    `rights` are those of a `Decision`. NotFound for a batch that nobody made.
    """
    made = ReviewAction.objects.filter(batch_id=batch_id).exclude(action="undo")
    if not made.exists():
        raise NotFound(f"There is no batch {batch_id!r}.")
    undone_as = str(uuid4())
    decisions = [
        Decision(pair_id, "undo", undoes=action_id, batch_id=undone_as, **rights)
        for pair_id, action_id in made.filter(undone=False).order_by("-id").values_list("pair_id", "action_id")
    ]
    return review_many(decisions, actor=actor, dry_run=dry_run)


def see_to(actions: Sequence[ReviewAction]) -> None:
    """Have the actions applied: by this process once the answer is sent, or soon by a worker."""
    for key in {action.training_sheet_id for action in actions}:
        after_answer(("review", key), partial(_apply_now if settings.REVIEW_APPLY == "inline" else wake, key))


def _apply_now(training_sheet_id: str) -> None:
    # Where this process is killed first, the next decision, an export or the schedule applies it.
    keep_looking()
    try:
        # Another process that is at it now takes this one's actions along.
        apply_waiting(training_sheet_id)
    except (DatabaseError, Problem, OSError):
        log.warning("The journal of training sheet %s waits for the lakehouse.", training_sheet_id, exc_info=True)
        wake(training_sheet_id)


def _together(decisions: Sequence[Decision]) -> list[Sequence[Decision]]:
    return [decisions[at : at + TOGETHER] for at in range(0, len(decisions), TOGETHER)]
