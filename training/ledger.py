from __future__ import annotations

from collections import Counter
from typing import Any

from governance.uses import Decision

WAITING = "unlabeled: waiting for review"
EMPTY = "empty answer"
_BY_STATUS = {"labeled": None, "unlabeled": WAITING, "rejected": "rejected", "flagged": "flagged"}


def bucket(pair_status: str, decision: Decision, use: str, answer: str | None) -> str | None:
    """None for a pair that passes both gates and is exported for `use`, else the one exclusion it is counted under.

    Quality is asked first, then governance, then whether there is an answer at all. Raises ValueError for a status or
    use that does not exist.
    """
    if pair_status not in _BY_STATUS:
        raise ValueError(f"Unknown pair status '{pair_status}'. Allowed: {', '.join(_BY_STATUS)}.")
    forbidden = decision.why_not(use)
    return _BY_STATUS[pair_status] or forbidden or (None if answer and answer.strip() else EMPTY)


class Ledger:
    """Counts of an export. Every pair is added once, so total is always exported and excluded together."""

    def __init__(self) -> None:
        self._counts: Counter[str | None] = Counter()

    def add(self, exclusion: str | None, pairs: int = 1) -> None:
        """Counts pairs under what `bucket` said of them."""
        self._counts[exclusion] += pairs

    def include(self, other: Ledger) -> None:
        """Count what the other has counted as well."""
        self._counts.update(other._counts)

    @property
    def total(self) -> int:
        return self._counts.total()

    @property
    def exported(self) -> int:
        return self._counts[None]

    @property
    def excluded(self) -> int:
        return self.total - self.exported

    def summary(self) -> dict[str, Any]:
        """`{"total", "exported", "excluded", "exclusions": [{"reason", "count"}, …]}`, the largest exclusion first."""
        exclusions = [(words, count) for words, count in self._counts.items() if words is not None and count]
        ordered = sorted(exclusions, key=lambda entry: (-entry[1], entry[0]))
        return {
            "total": self.total,
            "exported": self.exported,
            "excluded": self.excluded,
            "exclusions": [{"reason": words, "count": count} for words, count in ordered],
        }
