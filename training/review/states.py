"""A pair as review keeps it beside the lakehouse: what it shows, and what an action may change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from django.utils.dateparse import parse_datetime

from governance.changing import BY_TAG, LIMITS
from training.models import QAPair, ReviewPair
from training.review.frames import frame_of
from training.review.risk import FAILED, with_risk
from workbench.problems import NotFound

# What an action may change, next to status and version; `LIMITED` only by the action "uses".
CHANGED = ("messages", "misfits", "reviewed_by", "reviewed_at", "review_notes")
LIMITED = (*LIMITS, BY_TAG)
SHOWN = ("labeling_mode", "model", "ai_confidence", "error", "item_hash", *LIMITED)
# The label that the answer was made from, until a decision may have made it from another.
LINK = ("canonical_label_id", "canonical_label_version")

State = Mapping[str, Any]


def state_of(pair: QAPair) -> dict[str, Any]:
    """Return the state of a pair of the lakehouse, fit for JSON."""
    state = {name: getattr(pair, name) for name in (*CHANGED, *SHOWN, *LINK)}
    state["messages"] = [_kept(message) for message in pair.messages]
    reviewed_at = pair.reviewed_at.isoformat() if pair.reviewed_at else None
    return {**state, "reviewed_at": reviewed_at, "created_at": pair.created_at.isoformat()}


def _kept(message: dict[str, str]) -> dict[str, str]:
    """Return the message with U+0000, which text from files may hold and PostgreSQL does not, as U+FFFD."""
    return {name: text.replace("\0", "\ufffd") for name, text in message.items()}


def is_pre_approved(status: str, mode: str, reviewed_at: str | None, created_at: str | None) -> bool:
    """Return whether a pair is approved by the label that it was made from, and by nobody since; times as in its state.

    One that review knows from before it kept `created_at` counts as reviewed, until it is counted in the lakehouse.
    """
    made_so = mode == QAPair.Mode.CANONICAL and bool(reviewed_at and created_at and reviewed_at <= created_at)
    return status == QAPair.Status.LABELED and made_so


def show(pair: QAPair, known: ReviewPair) -> QAPair:
    """Set the newest state on a pair that was read from the lakehouse, and return it."""
    if known.version < pair.version:
        return pair
    pair.status, pair.version = known.status, known.version
    for name in (*CHANGED, *LIMITED):
        setattr(pair, name, known.state.get(name, getattr(pair, name)))
    pair.reviewed_at = parse_datetime(known.state["reviewed_at"]) if known.state["reviewed_at"] else None
    return pair


def know(ids: Sequence[str]) -> None:
    """Have review know those of the pairs that exist, fetching what it does not know yet in one statement."""
    known = set(ReviewPair.objects.filter(pk__in=ids).values_list("pk", flat=True))
    if missing := [key for key in ids if key not in known]:
        remembered(with_risk(QAPair.objects.filter(pk__in=missing)))


def expect_known(pair_id: str, *, within: str = "") -> ReviewPair:
    """Return the pair, which review knows from now on; NotFound for one that does not exist.

    `within` is its training sheet where that is known: the files of no other are opened then.
    """
    if known := ReviewPair.objects.filter(pk=pair_id).first():
        return known
    place = {"training_sheet_id": within} if within else {}
    if fetched := remembered(with_risk(QAPair.objects.filter(pk=pair_id, **place))):
        return fetched[pair_id]
    raise NotFound(f"There is no pair {pair_id}.")


def lock_pairs(ids: Sequence[str]) -> None:
    """Keep the pairs to this transaction: before their actions, and always in one order, so that no two wait for each other."""
    list(ReviewPair.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))


def place_of(pair_id: str) -> tuple[str, str]:
    """Return the training sheet and the item of a pair, which never change; else as `expect_known`."""
    places = ReviewPair.objects.filter(pk=pair_id).values_list("training_sheet_id", "item_ref")
    if known := places.first():
        return known
    fetched = expect_known(pair_id)
    return fetched.training_sheet_id, fetched.item_ref


def catch_up(training_sheet_id: str) -> None:
    """Look again at the pairs that failed and that review knows, after others may have been drafted for them."""
    known = ReviewPair.objects.filter(training_sheet_id=training_sheet_id, status="unlabeled", waiting=0)
    failed = list(known.filter(risk=FAILED).values_list("pk", flat=True))
    if failed:
        remembered(with_risk(QAPair.objects.filter(training_sheet_id=training_sheet_id, pk__in=failed)))


def remembered(pairs: Iterable[QAPair], **queue: bool) -> dict[str, ReviewPair]:
    """Return what review knows of the pairs from now on; what it knew before stays where it is ahead.

    The pairs have their `risk`, by `with_risk`, and keep their order. `queue` marks for which order they were fetched:
    `by_risk=True` or `in_sequence=True`.
    """
    fresh = [_fresh(pair, **queue) for pair in pairs]
    for training_sheet_id in {pair.training_sheet_id for pair in fresh}:
        # A pair that is known can be decided about while the lakehouse is away.
        frame_of(training_sheet_id)
    ReviewPair.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=500)
    found = ReviewPair.objects.in_bulk([pair.pk for pair in fresh])
    for pair in fresh:
        known = found[pair.pk]
        if known.version < pair.version and not known.waiting:
            # Something else wrote the pair: what was generated again after a failure, for one.
            newer = {name: getattr(pair, name) for name in ("status", "version", "risk", "state")}
            ReviewPair.objects.filter(pk=pair.pk, version=known.version, waiting=0).update(**newer)
    if queue:
        ReviewPair.objects.filter(pk__in=found).update(**queue)
    newest = ReviewPair.objects.in_bulk(list(found))
    return {pair.pk: newest[pair.pk] for pair in fresh}


def _fresh(pair: QAPair, **queue: bool) -> ReviewPair:
    return ReviewPair(
        id=pair.pk,
        training_sheet_id=pair.training_sheet_id,
        item_ref=pair.item_ref,
        position=pair.position,
        risk=cast(Any, pair).risk,
        status=pair.status,
        version=pair.version,
        state=state_of(pair),
        **queue,
    )
