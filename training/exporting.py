"""Reads a training sheet's pairs in windows, asks both gates for each, and yields JSONL.

Memory is constant: a window of pairs is read, judged and let go before the next one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import connections
from django.db.models import F, Max, QuerySet

from governance.uses import Decision, Limit, decide
from training.chat import assistant_answer, chat_line, line_problems
from training.ledger import Ledger, bucket
from training.models import QAPair
from workbench.router import LAKEHOUSE

WINDOW = 10_000
COLUMNS = (
    "messages", "status", "allowed_uses", "prohibited_uses", "usage_reason", "data_classification",
    "label_allowed", "label_prohibited", "label_reason", "label_classification",
)  # fmt: skip
LABEL_COLUMNS = {
    "label_allowed": F("canonical_label__allowed_uses"),
    "label_prohibited": F("canonical_label__prohibited_uses"),
    "label_reason": F("canonical_label__usage_reason"),
    "label_classification": F("canonical_label__data_classification"),
}

Row = Mapping[str, Any]


@dataclass
class ExportRun:
    """One pass over the pairs: what was written so far, its digest, and why the rest stayed."""

    training_sheet_id: str
    use: str
    ledger: Ledger = field(default_factory=Ledger)
    size_bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def lines(self) -> Iterator[bytes]:
        """Yield a block of JSONL for each window that has exported pairs; every line obeys the strict chat rules."""
        judge = Judge(self.use)
        for rows in windows(self.training_sheet_id):
            block = b"".join(line for row in rows if (line := self._line(row, judge)))
            if block:
                self.digest.update(block)
                self.size_bytes += len(block)
                yield block

    def _line(self, row: Row, judge: Judge) -> bytes | None:
        messages = orjson.loads(row["messages"])
        reason = bucket(row["status"], judge.decision(row), self.use, assistant_answer(messages) or "")
        if reason is None and (problems := line_problems({"messages": messages})):
            reason = f"not a valid chat line: {problems[0]}"
        self.ledger.add(reason)
        return chat_line(messages) if reason is None else None


class Judge:
    """Asks the gate once for each distinct set of limits, because a sheet has few of them and many pairs."""

    def __init__(self, use: str) -> None:
        self.use = use
        self._known: dict[tuple[Any, ...], Decision] = {}

    def decision(self, row: Row) -> Decision:
        key = tuple(tuple(value) if isinstance(value, list) else value for value in (row[name] for name in COLUMNS[2:]))
        if key not in self._known:
            self._known[key] = decide(limits_of(row))
        return self._known[key]


def limits_of(row: Row) -> list[Limit]:
    """Return the rules that a pair and its canonical label carry; the label's is asked again at every use."""
    limits = [
        _limit("pair", row["allowed_uses"], row["prohibited_uses"], row["usage_reason"], row["data_classification"])
    ]
    if row["label_allowed"] is not None:
        limits.append(
            _limit(
                "canonical label",
                row["label_allowed"],
                row["label_prohibited"],
                row["label_reason"],
                row["label_classification"],
            )
        )
    return limits


def _limit(source: str, allowed: Sequence[str], prohibited: Sequence[str], reason: str, classification: str) -> Limit:
    return Limit(source, reason, frozenset(allowed), frozenset(prohibited), classification)


def windows(training_sheet_id: str) -> Iterator[list[Row]]:
    """Yield the pairs in the order of their items, at most WINDOW items at a time."""
    pairs = QAPair.objects.of(training_sheet_id)
    last = pairs.order_by().aggregate(last=Max("position"))["last"]
    for start in range(0, -1 if last is None else last + 1, WINDOW):
        rows = _rows(pairs.filter(position__gte=start, position__lt=start + WINDOW))
        if rows:
            yield rows


def _rows(pairs: QuerySet[QAPair]) -> list[Row]:
    """Read past the model layer: only the gate's columns and the messages as they are stored, by Arrow batches."""
    columns = pairs.annotate(**LABEL_COLUMNS, stored=F("messages")).values_list("stored", *COLUMNS[1:])
    sql, params = columns.query.get_compiler(LAKEHOUSE).as_sql()
    with connections[LAKEHOUSE].cursor() as cursor:
        cursor.execute(sql, params)
        return [dict(zip(COLUMNS, row, strict=True)) for row in cursor.fetchall()]
