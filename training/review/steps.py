"""What applying does, step by step. Each may be repeated, by this process or, after a crash, by the next one.

A round takes at most one action of each pair through `STEPS`. Killed after any of them, the next round does them all
again and finds done what was done: a label is written from one version to the next only, a pair only to a newer one,
events by ids that follow from their action. The mark that an action was applied comes last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from django.db import transaction
from django.db.models import Exists, F, QuerySet
from django.utils import timezone

from governance import audit
from governance.models import UsageConstraintAudit
from labels.models import CanonicalLabel
from labels.recording import record_labels
from training.models import QAPair, ReviewAction, ReviewEvent, ReviewPair, ReviewSheet, TrainingSheet
from training.review.frames import Frame
from training.review.label_plans import (
    USES,
    Plan,
    approval_plan,
    changed_pair,
    label_after,
    limits_pair,
    restores,
    touches_label,
    undo_plan,
)  # fmt: skip
from training.review.risk import with_risk
from training.review.states import LINK, lock_pairs, state_of
from workbench.lakehouse.bulk import update_newer
from workbench.lakehouse.ids import uuid5_of
from workbench.problems import Conflict

ATTEMPTS = 5
CHANGED = ("status", "messages", "misfits", "reviewed_by", "reviewed_at", "review_notes", "version", "updated_at")


@dataclass
class Round:
    """The actions that go through the steps together, with the labels that stand now; `keep` renews the lease or raises."""

    frame: Frame
    actions: list[ReviewAction]
    keep: Callable[[], None]
    present: dict[str, CanonicalLabel] = field(default_factory=dict)


def plan(round_: Round) -> None:
    """Look at the labels that stand and fix in the journal what becomes of them."""
    frame, touching = round_.frame, [action for action in round_.actions if touches_label(action)]
    refs = [action.pair.item_ref for action in touching]
    labels = CanonicalLabel.objects.filter(sheet_id=frame.sheet_id, label_type=frame.label_type, item_ref__in=refs)
    round_.present = {label.item_ref: label for label in labels} if refs else {}
    unplanned = [action for action in touching if action.label_plan is None]
    if not unplanned:
        return
    fields = ("id", "item_hash", *USES, *LINK)
    pairs = QAPair.objects.filter(
        training_sheet_id=unplanned[0].training_sheet_id, pk__in=[action.pair_id for action in unplanned]
    )
    stored = {row["id"]: row for row in pairs.values(*fields)}
    _expect_all(unplanned, stored)
    relied_on = _relied_on(unplanned, round_.present)
    for action in unplanned:
        present = round_.present.get(action.pair.item_ref)
        if action.undoes:
            held = present is not None and present.pk in relied_on
            action.label_plan = undo_plan(action, _since(action), present, stored[action.pair_id], relied_on=held)
        else:
            action.label_plan = approval_plan(action, frame, present, stored[action.pair_id])
    with transaction.atomic("default"):
        # Until the plans are kept nobody else takes the lease, whose plans would name another label.
        round_.keep()
        ReviewAction.objects.bulk_update(unplanned, ["label_plan"], batch_size=100)


def _since(undo: ReviewAction) -> list[Plan]:
    """Return the plans of the pair from the undone action to the one before the undo."""
    between = ReviewAction.objects.filter(pair_id=undo.pair_id, pk__gte=undo.undoes_id, pk__lt=undo.pk).order_by("id")
    return [found for found in between.values_list("label_plan", flat=True) if found]


def _relied_on(actions: Sequence[ReviewAction], present: dict[str, CanonicalLabel]) -> set[str]:
    """Return the labels that undoing would delete, though a pair elsewhere was made from them, or may be by now."""
    made = {
        present[action.pair.item_ref]
        for action in actions
        if action.undoes and (action.undoes.label_plan or {}).get("write") == "new" and action.pair.item_ref in present
    }
    if not made:
        return set()
    # What is being generated has read labels whose pairs are not written yet.
    generating = TrainingSheet.objects.filter(sheet_id__in={label.sheet_id for label in made}, status="generating")
    if generating.exclude(pk=actions[0].training_sheet_id).exists():
        return {label.pk for label in made}
    linked = _linked_elsewhere({label.pk for label in made}, {action.pair_id for action in actions})
    return set(linked.values_list("canonical_label_id", flat=True))


def _linked_elsewhere(labels: Collection[str], own: Collection[str]) -> QuerySet[QAPair]:
    return QAPair.objects.filter(canonical_label_id__in=labels).exclude(pk__in=own)


def write_labels(round_: Round) -> None:
    """Write the planned labels with their versions; one that another changed meanwhile is planned anew."""
    for _ in range(ATTEMPTS):
        lost = _write_labels(round_)
        if not lost:
            return
        for action in lost:
            action.label_plan = None
        plan(round_)
    raise Conflict(f"Others keep changing the label of {lost[0].pair.item_ref!r}.")


def _write_labels(round_: Round) -> list[ReviewAction]:
    """Return the actions whose label is not as their plan expects."""
    new, changed, before, lost = [], [], [], []
    by_label: dict[str, ReviewAction] = {}
    for action in round_.actions:
        wanted, present = action.label_plan or {}, round_.present.get(action.pair.item_ref)
        write, standing = wanted.get("write"), present if present and present.pk == wanted.get("id") else None
        if write == "new":
            new.append(label_after(action, round_.frame, None))
            by_label[wanted["id"]] = action
        elif write == "next" and standing:
            changed.append(label_after(action, round_.frame, standing))
            before.append(standing)
            by_label[wanted["id"]] = action
        elif (write in ("next", "same") and not standing) or (
            write == "gone" and standing and not _delete(action, standing)
        ):
            lost.append(action)
    if not by_label:
        return lost
    restored = {key for key, action in by_label.items() if restores(action)}
    written = record_labels(new, changed, before=before, restored=restored)
    return [*lost, *(action for key, action in by_label.items() if key not in written)]


def _delete(undo: ReviewAction, label: CanonicalLabel) -> bool:
    """Delete the label that the undo takes back; False where it has to stand, because a pair elsewhere is made from it now."""
    linked = _linked_elsewhere([label.pk], [undo.pair_id])
    stands = CanonicalLabel.objects.filter(~Exists(linked), pk=label.pk, version=(undo.label_plan or {})["version"])
    # Past the collector, which would ask every table that points at labels.
    if not stands._raw_delete("lakehouse"):
        return False
    if not _relied_on([undo], {label.item_ref: label}):
        return True
    # It came while the statement ran. The rows of its versions are there still.
    CanonicalLabel.objects.bulk_create([label], ignore_conflicts=True)
    return False


def write_pairs(round_: Round) -> None:
    """Bring the pairs to their new versions; a decision comes after what something else wrote meanwhile."""
    linked = [action for action in round_.actions if action.label_plan]
    limited = [action for action in round_.actions if limits_pair(action)]
    others = [action for action in round_.actions if not (action.label_plan or limits_pair(action))]
    # Who limits a pair says nothing about its answer, which something else may have written since.
    uses = ("version", "updated_at", *USES)
    for actions, columns in ((linked, (*CHANGED, *LINK)), (limited, uses), (others, CHANGED)):
        left = actions
        for _ in range(ATTEMPTS):
            if not left or update_newer([changed_pair(action) for action in left], columns) == len(left):
                break
            left = _overtaken(left)
        else:
            raise Conflict(f"Something else keeps changing the pair {left[0].pair.item_ref!r}.")


def keep_labels(round_: Round) -> None:
    """Write those labels again on which the pairs rest as they stood: an undo elsewhere may have deleted them since."""
    resting = [action for action in round_.actions if (action.label_plan or {}).get("write") == "same"]
    labels = {label.pk: label for action in resting if (label := round_.present.get(action.pair.item_ref))}
    if labels:
        stand = set(CanonicalLabel.objects.filter(pk__in=labels).values_list("pk", flat=True))
        CanonicalLabel.objects.bulk_create(
            [label for key, label in labels.items() if key not in stand], ignore_conflicts=True
        )


def _overtaken(actions: Sequence[ReviewAction]) -> list[ReviewAction]:
    """Return the actions whose pair something else wrote since, now with a version after that."""
    pairs = with_risk(
        QAPair.objects.filter(
            training_sheet_id=actions[0].training_sheet_id, pk__in=[action.pair_id for action in actions]
        )
    )
    stored = {pair.pk: pair for pair in pairs}
    _expect_all(actions, stored)
    behind = []
    for action in actions:
        pair = stored[action.pair_id]
        written = (pair.version, pair.updated_at) == (action.pair_version, action.created_at)
        if written and action.label_plan:
            _link(action, pair)
        if pair.version >= action.pair_version and not written and _renumber(action, pair):
            behind.append(action)
    return behind


def _link(action: ReviewAction, pair: QAPair) -> None:
    """Point a pair that is written already at the label of its plan, which was made anew since."""
    label, version = (action.label_plan or {})["link"]
    if (pair.canonical_label_id, pair.canonical_label_version) != (label, version):
        here = QAPair.objects.filter(training_sheet_id=pair.training_sheet_id, pk=pair.pk, version=pair.version)
        here.update(canonical_label_id=label, canonical_label_version=version)


def _renumber(action: ReviewAction, pair: QAPair) -> bool:
    """Give the action, those after it and what review knows of the pair versions after the stored one.

    False where it is applied by now.
    """
    shift = pair.version + 1 - action.pair_version
    with transaction.atomic("default"):
        known = ReviewPair.objects.select_for_update().get(pk=action.pair_id)
        if not ReviewAction.objects.filter(pk=action.pk, applied_at=None).exists():
            return False
        waiting = ReviewAction.objects.filter(pair_id=action.pair_id, applied_at=None)
        waiting.update(pair_version=F("pair_version") + shift)
        changes: dict[str, Any] = {"version": known.version + shift}
        if limits_pair(action) and known.waiting == 1:
            # The version that review has from now on is of an answer that it has not seen yet.
            limits = {name: known.state.get(name, []) for name in USES}
            changes |= {"status": pair.status, "risk": cast(Any, pair).risk, "state": state_of(pair) | limits}
        ReviewPair.objects.filter(pk=action.pair_id).update(**changes)
    action.pair_version = pair.version + 1
    return True


def _expect_all(actions: Sequence[ReviewAction], stored: Container[str]) -> None:
    for action in actions:
        if action.pair_id not in stored:
            raise Conflict(f"The pair {action.pair_id} ({action.pair.item_ref!r}) is not in the lakehouse any more.")


def write_audit(round_: Round) -> None:
    """Add the audit rows of changed uses, in the order of the decisions."""
    if limited := [action for action in round_.actions if limits_pair(action)]:
        audit.append([_audited(action) for action in limited])


def _audited(action: ReviewAction) -> UsageConstraintAudit:
    old, new = action.before, action.after
    said = f"Undone: {action.undoes.reason}" if action.undoes else action.reason
    return UsageConstraintAudit(
        id=uuid5_of("usage_constraint_audit", action.action_id),
        qa_pair_id=action.pair_id,
        old_allowed_uses=old["allowed_uses"],
        new_allowed_uses=new["allowed_uses"],
        old_prohibited_uses=old["prohibited_uses"],
        new_prohibited_uses=new["prohibited_uses"],
        old_data_classification=old["data_classification"],
        new_data_classification=new["data_classification"],
        reason=said,
        modified_by=action.actor,
        modified_at=action.created_at,
    )


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


def restate(round_: Round) -> None:
    """Say of the training sheet whether it is approved now."""
    restate_sheet(round_.actions[0].training_sheet_id)


def restate_sheet(key: str) -> None:
    """Set a training sheet to approved when nothing waits for review any more, and back; one that is being generated stays."""
    waits = QAPair.objects.filter(training_sheet_id=key).exclude(status__in=("labeled", "rejected"))
    status = "review" if waits.exists() else "approved"
    stands = TrainingSheet.objects.filter(pk=key, status__in=("review", "approved")).exclude(status=status)
    if stands.exists():
        stands.update(status=status, updated_at=timezone.now())


def mark(round_: Round) -> None:
    """Say in the journal that the actions are in the lakehouse."""
    with transaction.atomic("default"):
        lock_pairs([action.pair_id for action in round_.actions])
        # Only the process that marks an action counts it, should two have been at it. A round has one of each pair.
        left = ReviewAction.objects.filter(pk__in=[action.pk for action in round_.actions], applied_at=None)
        pairs = list(left.select_for_update().values_list("pair_id", flat=True))
        left.update(applied_at=timezone.now(), error="")
        ReviewPair.objects.filter(pk__in=pairs).update(waiting=F("waiting") - 1)
    ReviewSheet.objects.filter(pk=round_.actions[0].training_sheet_id).update(failed=0, retry_at=None)


STEPS: tuple[Callable[[Round], None], ...] = (
    plan, write_labels, write_pairs, keep_labels, write_audit, write_events, restate, mark,
)  # fmt: skip
