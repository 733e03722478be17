"""Changing what many pairs may be used for, through the journal of review: instant, undone as one batch, audited each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Unpack

from governance import audit
from governance.changing import Fields, Outcome, UsesChange, survey
from training.actions.review import review_many
from training.models import ReviewPair
from training.review.journal import Decision
from training.review.rights import Rights
from training.review.states import LIMITED, know
from workbench.lakehouse.ids import uuid5_of

TOGETHER = 500


def change_uses(
    pair_ids: Sequence[str],
    uses: Mapping[str, Any],
    reason: str,
    *,
    actor: str,
    batch_id: str,
    preview: bool,
    **rights: Unpack[Rights],
) -> Outcome:
    """Return what became of the pairs, or with `preview` what would; the same `batch_id` again changes nothing more.

    `uses` and `reason` are as `UsesChange.of` takes them, `rights` those of a `Decision`. Invalid for a change that no
    pair could have; what single pairs refuse is in the outcome.
    """
    change = UsesChange.of(uses, reason)
    outcome = survey(_limits(pair_ids), change, may_loosen=rights.get("may_loosen", False))
    if preview:
        return outcome
    decisions = [
        Decision(key, "uses", uuid5_of(batch_id, key), uses=uses, reason=reason, batch_id=batch_id, **rights)
        for key in outcome.changed
    ]
    _, refused = review_many(decisions, actor=actor)
    for decision, problem in refused:
        outcome.changed.remove(decision.pair_id)
        outcome.refuse(decision.pair_id, problem.message)
    audit.refused_some(outcome, "pairs", actor=actor)
    return outcome


def _limits(pair_ids: Sequence[str]) -> Iterator[tuple[str, Fields]]:
    """Yield each pair with its limits as review knows them, which is ahead of the lakehouse."""
    for at in range(0, len(pair_ids), TOGETHER):
        some = pair_ids[at : at + TOGETHER]
        know(some)
        known = ReviewPair.objects.in_bulk(some)
        for key in some:
            yield key, {name: known[key].state.get(name, []) for name in LIMITED}
