"""What should be looked at first: the smallest risk. One place for the lakehouse's order and for what is remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Case, Count, F, FloatField, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from labels.models import LabelOpinion

if TYPE_CHECKING:
    from training.querysets import QAPairQuerySet

FAILED, MISFIT, DISAGREES = -2.0, -1.0, -0.5
# Neither sure nor unsure: what nobody drafted.
UNKNOWN = 0.5
# Second opinions on the item, for any type of task, that differed from the first. Counted, for Spark takes EXISTS only in a filter.
_DIFFERED = LabelOpinion.objects.exclude(status=LabelOpinion.Status.AGREED).filter(
    sheet_id=OuterRef("training_sheet__sheet_id"), item_ref=OuterRef("item_ref")
)
_DISPUTES = Coalesce(Subquery(_DIFFERED.order_by().values("item_ref").annotate(n=Count("pk")).values("n")), 0)


def with_risk(pairs: QAPairQuerySet) -> QAPairQuerySet:
    """Return the pairs with `risk`: without an answer first, then misfits, then disagreement, then by confidence.

    A further reason to look at a pair is a further `When`; between 0 and 1 the drafter's confidence orders.
    """
    return pairs.annotate(
        disputes=_DISPUTES,
        risk=Case(
            When(~Q(error=""), then=Value(FAILED)),
            When(misfits__len__gt=0, then=Value(MISFIT)),
            # The answer came from a canonical label that says something newer by now.
            When(canonical_label_version__lt=F("canonical_label__version"), then=Value(DISAGREES)),
            # Two experts answered differently about the item.
            When(disputes__gt=0, then=Value(DISAGREES)),
            When(ai_confidence__isnull=False, then=F("ai_confidence")),
            default=Value(UNKNOWN),
            output_field=FloatField(),
        ),
    )
