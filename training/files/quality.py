"""Quality of conversations: the score of 0 to 10, its tier, and what many of them add up to. No database inside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# The lowest score of each tier, and the score that stands for a tier where only that is known.
TIERS = (("seed_dataset", 9.0), ("production", 7.0), ("experimental", 5.0), ("rejected", 0.0))
STANDS_FOR = {"seed_dataset": 9.5, "production": 8.0, "experimental": 6.0, "rejected": 2.5}
DIMENSIONS = {
    "personas": "persona_key", "emotional_arcs": "emotional_arc_key", "training_topics": "training_topic_key",
}  # fmt: skip

Row = Mapping[str, Any]


def tier_of(score: float) -> str:
    """Return the tier of a score."""
    return next(tier for tier, lowest in TIERS if score >= lowest)


def score_of(metadata: Row, training_pairs: Iterable[Row]) -> float | None:
    """Return the score: as given, else the mean of its pairs' scores, else None."""
    if (given := metadata.get("quality_score")) is not None:
        return float(given)
    found = [pair["training_metadata"].get("quality_score") for pair in training_pairs if "training_metadata" in pair]
    scores = [score for score in found if score is not None]
    return float(round(sum(scores) / len(scores), 2)) if scores else None


def totals(conversations: Sequence[Row]) -> dict[str, Any]:
    """Return the columns of a training file that follow from its conversations."""
    scores = [each["quality_score"] for each in conversations if each["quality_score"] is not None]
    return {
        "conversation_count": len(conversations),
        "total_training_pairs": sum(each["training_pairs"] for each in conversations),
        "human_reviewed_count": sum(each["human_reviewed_pairs"] for each in conversations),
        "avg_quality_score": round(sum(scores) / len(scores), 2) if scores else 0.0,
        "min_quality_score": min(scores, default=0.0),
        "max_quality_score": max(scores, default=0.0),
        "scaffolding_distribution": {
            name: dict(sorted(Counter(each[key] for each in conversations).items())) for name, key in DIMENSIONS.items()
        },
    }


def percentage(part: int, whole: int) -> float:
    """Return the share in percent with two digits; 0 of nothing."""
    return round(100 * part / whole, 2) if whole else 0.0
