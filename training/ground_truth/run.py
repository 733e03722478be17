"""One pass over the reviewed pairs of some training sheets: what may leave as ground truth, and why the rest stays."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

import orjson

from governance.uses import Decision, Limit, decide
from sheets import source_uses
from sheets.item_limits import ItemLimits, limits_of_items
from templates_app.schemas import checker
from training.answerers import as_answer
from training.exporting import LISTS, TEXTS, limits_of
from training.ground_truth.history import Event, standing
from training.ground_truth.lines import Row, has_corrections, line_of
from training.ground_truth.reading import ALWAYS, Span, pairs_with_events
from training.ledger import WAITING, Exclusion, Ledger, answer_in, bucket
from training.models import TrainingSheet
from training.progress_bar import telling
from training.review.frames import frame_of

BLOCK = 200
BY_NOBODY = Exclusion("taken from a trusted column: nobody reviewed it", "quality", "reviewed_by")


@dataclass(frozen=True)
class Wanted:
    """Which reviewed pairs: approved ones alone or all, with or without corrections (None: both), and for which use."""

    approved_only: bool = True
    has_corrections: bool | None = None
    span: Span = ALWAYS
    use: str = "training"


@dataclass
class SheetRun:
    """The part of one training sheet: its lines so far, their digest, and why the other pairs stayed.

    `between` is told now and then how many more pairs were read.
    """

    training_sheet: TrainingSheet
    wanted: Wanted
    between: Callable[[int], None] = lambda _read: None
    ledger: Ledger = field(default_factory=Ledger)
    size_bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def blocks(self) -> Iterator[bytes]:
        """Yield blocks of lines, in the order of the items."""
        lines = self._lines()
        while block := b"".join(islice(lines, BLOCK)):
            self.digest.update(block)
            self.size_bytes += len(block)
            yield block

    def _lines(self) -> Iterator[bytes]:
        fits = checker(frame_of(self.training_sheet.pk).output_schema)
        items = limits_of_items(self.training_sheet.sheet)
        decided = _gate(source_uses.limits_of(self.training_sheet.sheet), items)
        for row, events in telling(pairs_with_events(self.training_sheet.pk, self.wanted.span), self.between):
            text = answer_in(row["messages"])
            flaw = text if isinstance(text, Exclusion) else None
            stands = standing(events)
            reason = self._reason(row, stands, text, decided(_limits_in(row, items))) or flaw
            if reason is not None:
                self.ledger.add(reason)
                continue
            final = as_answer(text, fits)
            if self.wanted.has_corrections in (None, has_corrections(row, final, stands)):
                self.ledger.add(None)
                yield line_of(row, final, stands)

    def _reason(self, row: Row, stands: Sequence[Event], text: str | None, decision: Decision) -> str | None:
        is_open = row["status"] == "unlabeled"
        # Who changes what a pair may be used for says nothing of its answer.
        reviewed = (bool(row["reviewed_by"]) and not is_open) or any(each["action"] != "uses" for each in stands)
        if self.wanted.approved_only:
            return bucket(row["status"], decision, self.wanted.use, text) or (None if reviewed else BY_NOBODY)
        if not reviewed:
            return WAITING if is_open else BY_NOBODY
        return decision.why_not(self.wanted.use) or None


def _limits_in(row: Row, items: ItemLimits) -> tuple[Any, ...]:
    """Return the columns of TEXTS and LISTS, and the item where it has limits of its own."""
    return *(row[name] for name in (*TEXTS, *LISTS)), row["item_ref"] if row["item_ref"] in items else None


def _gate(source_limits: Sequence[Limit], items: ItemLimits) -> Any:
    """Return the gate for what `_limits_in` returns; most pairs carry the same few limits."""

    @lru_cache(maxsize=4096)
    def decided(values: tuple[Any, ...]) -> Decision:
        *columns, item_ref = values
        row = dict(zip((*TEXTS, *LISTS), columns, strict=True))
        lists = {name: orjson.loads(row[name]) if row[name] else row[name] for name in LISTS}
        return decide([*source_limits, *items.get(item_ref, ()), *limits_of(row | lists)])

    return decided
