"""What should be looked at first: the smallest risk. One place for the lakehouse's order and for what is remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Case, F, FloatField, Q, Value, When

if TYPE_CHECKING:
    from training.querysets import QAPairQuerySet

FAILED, MISFIT, DISAGREES = -2.0, -1.0, -0.5
# Neither sure nor unsure: what nobody drafted.
UNKNOWN = 0.5


def with_risk(pairs: QAPairQuerySet) -> QAPairQuerySet:
    """Return the pairs with `risk`: without an answer first, then misfits, then disagreement, then by confidence.

    A further reason to look at a pair is a further `When`; between 0 and 1 the drafter's confidence orders.
    """
    return pairs.annotate(
        risk=Case(
            When(~Q(error=""), then=Value(FAILED)),
            When(misfits__len__gt=0, then=Value(MISFIT)),
            # The answer came from a canonical label that says something newer by now.
            When(canonical_label_version__lt=F("canonical_label__version"), then=Value(DISAGREES)),
            When(ai_confidence__isnull=False, then=F("ai_confidence")),
            default=Value(UNKNOWN),
            output_field=FloatField(),
        )
    )
