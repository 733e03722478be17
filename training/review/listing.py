"""Pairs by pages: a page follows from the last pair of the one before, so that the last page costs what the first does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from django.utils import timezone

from templates_app.answer_words import text_words
from training.chat import assistant_answer
from training.models import Finding, QAPair, ReviewPair
from training.review.chosen import Choice
from training.review.filters import matching
from training.review.kept import Decided, decided_by, kept
from training.review.orders import order_named
from training.review.overlay import newest
from training.review.transitions import STATUS_WORDS
from workbench.after_answer import after_answer
from workbench.concepts import short

T = TypeVar("T")

SIZE = 50
TONES = {"unlabeled": "plain", "labeled": "good", "rejected": "bad", "flagged": "info"}
SOURCES = {"canonical": "canonical label", "ai_generated": "draft", "manual": "by hand", "existing_column": "column"}


@dataclass(frozen=True)
class Row:
    """A pair in the list, who has it on the screen and for how long, and in how many places sensitive data stands in it."""

    pair: QAPair
    held: str
    findings: int = 0

    @property
    def answer(self) -> str:
        return answer_in_words(self.pair.messages)

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
    """Return the page after or before a cursor, else the first, as it is kept; the one that follows is read then.

    Four statements on the lakehouse where nothing is kept: the pairs, their labels, what was found in them, how many match.
    """
    decided, is_further = decided_by(training_sheet_id, reader), bool(after or before)
    asked = _Asked(training_sheet_id, choice, reader, decided, is_further)
    order = order_named(choice.order)
    more, pairs, found = asked.pairs(after, before, size)
    ends = [order.cursor(pair) for pair in (pairs[0], pairs[-1])] if pairs else ["", ""]
    page = Page(
        rows=_rows(choice, pairs, found),
        total=asked.total(),
        before=ends[0] if (more if before else after) else "",
        after=ends[1] if (more or before) else "",
    )
    if page.after:
        after_answer(("page of pairs", training_sheet_id), partial(asked.pairs, page.after, "", size))
    return page


def count_of(training_sheet_id: str, choice: Choice, *, reader: str) -> int:
    """Return how many pairs match now."""
    return matching(training_sheet_id, choice.filters, reader=reader).count()


def keys_of(training_sheet_id: str, choice: Choice, *, reader: str, most: int) -> list[str]:
    """Return the keys of the first pairs that match, in the order of the choice."""
    pairs = order_named(choice.order).of(matching(training_sheet_id, choice.filters, reader=reader))
    return list(pairs.values_list("pk", flat=True)[:most])


@dataclass(frozen=True)
class _Asked:
    """A list as a reader asks for it after their last decision, `decided`; `is_further` for another than the first page."""

    training_sheet_id: str
    choice: Choice
    reader: str
    decided: Decided
    is_further: bool

    def pairs(self, after: str, before: str, size: int) -> tuple[bool, list[QAPair], dict[str, int]]:
        """Return whether there are more, the pairs of a page in their order, and how much was found in each, as it is kept."""
        return self._kept([after, before, size], lambda: self._read(after, before, size))

    def total(self) -> int:
        return self._kept("total", lambda: count_of(self.training_sheet_id, self.choice, reader=self.reader))

    def _kept(self, what: object, read: Callable[[], T]) -> T:
        reader = self.reader if self.choice.filters.mine else ""
        about = [what, self.choice.query, reader]
        may = {"may_lag": self.is_further, "lasts": self.choice.lasts}
        return kept(self.training_sheet_id, about, read, decided=self.decided, **may)

    def _read(self, after: str, before: str, size: int) -> tuple[bool, list[QAPair], dict[str, int]]:
        order, cursor = order_named(self.choice.order), before or after
        pairs = matching(self.training_sheet_id, self.choice.filters, reader=self.reader)
        found = order.beyond(pairs, cursor, reverse=bool(before)) if cursor else order.of(pairs)
        read = list(found.with_label_versions()[: size + 1])
        shown = read[:size][:: -1 if before else 1]
        ids = [pair.pk for pair in shown]
        return len(read) > size, shown, Finding.objects.count_by_pair(self.training_sheet_id, ids) if ids else {}


def _rows(choice: Choice, pairs: list[QAPair], found: dict[str, int]) -> list[Row]:
    held = ReviewPair.objects.filter(pk__in=[pair.pk for pair in pairs], held_until__gte=timezone.now())
    holders = {pair.pk: f"held by {pair.holder}, {pair.minutes_held()} min more" for pair in held.exclude(holder="")}
    statuses = choice.filters.status or QAPair.Status.values
    return [
        Row(pair, holders.get(pair.pk, ""), found.get(pair.pk, 0)) for pair in newest(pairs) if pair.status in statuses
    ]


def answer_in_words(messages: list[dict[str, Any]]) -> str:
    """Return the answer of a pair for a row, "" for none; cut where it is long."""
    return short(text_words(assistant_answer(messages) or ""), 90)
