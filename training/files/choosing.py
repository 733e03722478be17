"""Conversations that a training file could take: chosen by quality and scaffolding, and so that it stays balanced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.files.balancing import suggested
from training.files.gate import OWN, forbidden
from training.files.quality import TIERS
from training.models import Conversation, TrainingFile, TrainingFileConversation

# Of more candidates the best are looked at.
LOOKED_AT = 20_000
COLUMNS = (
    "id", "source_file", "quality_score", "quality_tier", "training_pairs", "human_reviewed_pairs", "persona_key",
    "persona_name", "emotional_arc_key", "emotional_arc", "training_topic_key", "training_topic", "qa_pair_id",
    "training_sheet_id", *OWN,
)  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """Which conversations come into question; empty is any, but for those of the tier `rejected`, which a bound of quality brings in."""

    min_quality: float | None = None
    max_quality: float | None = None
    persona_key: str = ""
    emotional_arc_key: str = ""
    training_topic_key: str = ""
    batch_id: str = ""

    def conditions(self) -> dict[str, Any]:
        bounds: dict[str, Any] = {"quality_score__gte": self.min_quality, "quality_score__lte": self.max_quality}
        names = ("persona_key", "emotional_arc_key", "training_topic_key", "batch_id")
        given = {name: value for name in names if (value := getattr(self, name))}
        bounded = {name: bound for name, bound in bounds.items() if bound is not None}
        return given | (bounded or {"quality_tier__in": [tier for tier, _ in TIERS if tier != "rejected"]})


def suggestions(row: TrainingFile | None, choice: Choice, most: int, *, user: Any) -> list[dict[str, Any]]:
    """Return up to `most` of those that fit: those that balance the training file best, or a new one, the best first."""
    return balanced(row, fitting(row, choice, user=user), most)


def balanced(row: TrainingFile | None, fits: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Return up to `most` conversations that balance the training file best, or a new one, the best first."""
    return [dict(each) for each in suggested(row.scaffolding_distribution if row else {}, fits, most)]


def fitting(row: TrainingFile | None, choice: Choice, *, user: Any) -> list[dict[str, Any]]:
    """Return the conversations that the training file, or a new one, could take, at most LOOKED_AT, those of best quality first.

    They are enriched, have answers, may be trained on, are not in it, and came from sheets that the user may work on.
    """
    found = Conversation.objects.workable_by(user).filter(
        enrichment_status=Conversation.Enrichment.COMPLETED,
        enriched_file_path__isnull=False,
        training_pairs__gt=0,
        **choice.conditions(),
    )
    inside: set[str] = set()
    if row is not None:
        members = TrainingFileConversation.objects.filter(training_file_id=row.pk, build=row.build)
        inside = set(members.values_list("conversation_id", flat=True))
    candidates = list(found.order_by("-quality_score", "id").values(*COLUMNS)[: LOOKED_AT + len(inside)])
    closed = forbidden(candidates)
    return [each for each in candidates if each["id"] not in inside and each["id"] not in closed][:LOOKED_AT]
