"""Pairs by pages: a page follows from the last pair of the one before, so that the last page costs what the first does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from django.utils import timezone

from training.chat import assistant_answer
from training.models import Finding, QAPair, ReviewPair
from training.review.chosen import Choice
from training.review.filters import matching
from training.review.orders import order_named
from training.review.overlay import newest
from training.review.transitions import STATUS_WORDS
from workbench.concepts import short

SIZE = 50
TONES = {"unlabeled": "plain", "labeled": "good", "rejected": "bad", "flagged": "info"}
SOURCES = {"canonical": "canonical label", "ai_generated": "draft", "manual": "by hand", "existing_column": "column"}


@dataclass(frozen=True)
class Row:
    """A pair in the list, who has it on the screen, and in how many places sensitive data stands in it."""

    pair: QAPair
    holder: str
    findings: int = 0

    @property
    def answer(self) -> str:
        text = assistant_answer(self.pair.messages) or ""
        return short(_in_words(text), 90)

    @property
    def status(self) -> str:
        return STATUS_WORDS[self.pair.status]

    @property
    def tone(self) -> str:
        return TONES[self.pair.status]

    @property
    def source(self) -> str:
        """What the answer is from: the model by its name."""
        return self.pair.model or SOURCES[self.pair.labeling_mode]

    @property
    def sure(self) -> str:
        return "" if self.pair.ai_confidence is None else f"{self.pair.ai_confidence:.0%}"

    @property
    def faults(self) -> list[str]:
        """What stands against the pair, in a word or two each."""
        said = {
            "no draft": self.pair.error,
            "does not fit": self.pair.misfits,
            "label changed": self.pair.is_from_older_label,
        }
        return [words for words, is_so in said.items() if is_so]


@dataclass(frozen=True)
class Page:
    """Rows with the cursors of the pages around them, empty where there is none, and how many pairs match in all."""

    rows: list[Row]
    total: int
    before: str
    after: str


def page_of(
    training_sheet_id: str, choice: Choice, *, reader: str, after: str = "", before: str = "", size: int = SIZE
) -> Page:
    """Return the page after or before a cursor, else the first; three statements on the lakehouse."""
    order = order_named(choice.order)
    pairs = matching(training_sheet_id, choice.filters, reader=reader)
    cursor = before or after
    found = order.beyond(pairs, cursor, reverse=bool(before)) if cursor else order.of(pairs)
    read = list(found.select_related("canonical_label")[: size + 1])
    more, shown = len(read) > size, read[:size]
    if before:
        shown.reverse()
    ends = [order.cursor(pair) for pair in (shown[0], shown[-1])] if shown else ["", ""]
    return Page(
        rows=_rows(training_sheet_id, shown),
        total=pairs.count(),
        before=ends[0] if (more if before else after) else "",
        after=ends[1] if (more or before) else "",
    )


def keys_of(training_sheet_id: str, choice: Choice, *, reader: str, most: int) -> list[str]:
    """Return the keys of the first pairs that match, in the order of the choice."""
    pairs = order_named(choice.order).of(matching(training_sheet_id, choice.filters, reader=reader))
    return list(pairs.values_list("pk", flat=True)[:most])


def _rows(training_sheet_id: str, pairs: list[QAPair]) -> list[Row]:
    found = Finding.objects.count_by_pair(training_sheet_id, [pair.pk for pair in pairs]) if pairs else {}
    held = ReviewPair.objects.filter(pk__in=[pair.pk for pair in pairs], held_until__gte=timezone.now())
    holders = dict(held.exclude(holder="").values_list("pk", "holder"))
    return [Row(pair, holders.get(pair.pk, ""), found.get(pair.pk, 0)) for pair in newest(pairs)]


def _in_words(text: str) -> str:
    try:
        value: Any = orjson.loads(text)
    except ValueError:
        return text
    values = value.values() if isinstance(value, dict) else [value]
    return " · ".join(each if isinstance(each, str) else orjson.dumps(each).decode() for each in values)
