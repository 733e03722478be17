"""Words and colours of training sheets and pairs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.urls import reverse
from django.utils.html import format_html

from training.models import QAPair, TrainingSheet
from workbench.admin_fields import pretty
from workbench.concepts import short

STATUSES = {"unlabeled": "warning", "labeled": "success", "rejected": "danger", "flagged": "info"}
MODES = {"canonical": "success", "AI draft": "primary", "by hand": "default", "column": "info"}
MODE_WORDS = {
    "canonical": "canonical", "ai_generated": "AI draft", "manual": "by hand", "existing_column": "column",
}  # fmt: skip
SHEET_STATUSES = {
    "generating": "info", "review": "warning", "approved": "success", "trained": "primary", "failed": "danger",
}  # fmt: skip
# A counter, its words, and what the list of pairs is filtered by.
COUNTERS = (
    ("pre_approved_pairs", "pre-approved", "&review=pre_approved&status__exact=labeled"),
    ("labeled_pairs", "labeled", "&status__exact=labeled"),
    ("unlabeled_pairs", "to review", "&status__exact=unlabeled"),
    ("flagged_pairs", "flagged", "&status__exact=flagged"),
    ("rejected_pairs", "rejected", "&status__exact=rejected"),
)


def pairs_url(training_sheet_id: str, query: str = "") -> str:
    """Return the address of the training sheet's pairs, in the order of their items."""
    return f"{reverse('admin:training_qapair_changelist')}?training_sheet__id__exact={training_sheet_id}{query}"


def sheet_link(training_sheet: TrainingSheet) -> str:
    """Return a link to the training sheet that stands on one line of a list."""
    page = reverse("admin:training_trainingsheet_change", args=[training_sheet.pk])
    name = training_sheet.name
    return format_html('<a href="{}" class="wb-link" title="{}">{}</a>', page, name, short(name, 28))


def counter_links(training_sheet: Any) -> list[tuple[str, int, str]]:
    """Return (words, count, address of those pairs) for each counter of a training sheet that has them."""
    return [
        (words, getattr(training_sheet, name), pairs_url(training_sheet.pk, query)) for name, words, query in COUNTERS
    ]


def shares(training_sheet: Any) -> list[tuple[str, float, int]]:
    """Return (status, percent, count) for the bar that shows how far a training sheet is."""
    total = training_sheet.total_pairs or 1
    counts = {
        "pre-approved": training_sheet.pre_approved_pairs,
        "reviewed": training_sheet.labeled_pairs - training_sheet.pre_approved_pairs,
        "flagged": training_sheet.flagged_pairs,
        "rejected": training_sheet.rejected_pairs,
    }
    return [(status, round(100 * count / total, 2), count) for status, count in counts.items() if count]


def conversation(pair: QAPair) -> Iterator[dict[str, Any]]:
    """Yield each message with its text, which is unfolded where it is JSON; the last answer says what it is."""
    last = len(pair.messages) - 1
    for at, message in enumerate(pair.messages):
        content = message["content"]
        yield {
            "role": message["role"],
            "text": pretty(content) if _is_json(content) else content,
            "is_json": _is_json(content),
            "note": _note(pair) if at == last else ("few-shot example" if 0 < at < last - 1 else ""),
        }


def _note(pair: QAPair) -> str:
    if pair.status == QAPair.Status.LABELED:
        return f"approved by {pair.reviewed_by}" if pair.reviewed_by else "approved"
    if not pair.model:
        return "not approved"
    sure = "" if pair.ai_confidence is None else f", confidence {pair.ai_confidence:.0%}"
    return f"draft by {pair.model}{sure}"


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
