"""What was found in the pairs that come next, read before they are on a screen, so that no reviewer waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.core.cache import caches

from sheets.item_page import AHEAD_FOR
from training.models import Finding, ReviewPair
from training.review.kept import forget_lists

# What a screen says of one pair.
MOST_FOUND = 30


def findings_of(pair: ReviewPair) -> list[Finding]:
    """Return the findings of a pair that stand, as they were read ahead where they were; the first few of many."""
    ahead: list[Finding] | None = caches["ahead"].get(_key(pair.pk))
    if ahead is not None:
        return ahead
    found = Finding.objects.standing().filter(training_sheet_id=pair.training_sheet_id, qa_pair_id=pair.pk)
    return list(found[:MOST_FOUND])


def read_findings_ahead(training_sheet_id: str, pair_ids: Sequence[str]) -> None:
    """Read the findings of those of the pairs that nobody has read ahead yet, in one query."""
    missing: dict[str, list[Finding]] = {key: [] for key in pair_ids if not caches["ahead"].has_key(_key(key))}
    if missing:
        found = Finding.objects.standing().filter(training_sheet_id=training_sheet_id, qa_pair_id__in=list(missing))
        for finding in found:
            missing[finding.qa_pair_id].append(finding)
    for key, findings in missing.items():
        caches["ahead"].set(_key(key), findings[:MOST_FOUND], AHEAD_FOR)


def forget_findings(training_sheet_id: str, pair_ids: Iterable[str]) -> None:
    """Have the findings of these pairs of a training sheet read anew: some were found or dismissed."""
    caches["ahead"].delete_many([_key(key) for key in pair_ids])
    forget_lists(training_sheet_id)


def _key(pair_id: str) -> str:
    return f"findings-{pair_id}"
