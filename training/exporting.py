"""Reads a training sheet's pairs in windows, asks both gates for each, and yields JSONL.

Memory is constant: a window of pairs is read, judged and let go before the next one. The gates are asked once for
all pairs of a batch that carry the same limits, and only messages that pass become Python values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyarrow as pa
from django.db import connections
from django.db.models import Case, Count, F, Func, TextField, When

from governance.uses import Limit, decide
from sheets import source_uses
from training.chat_lines import ChatLines
from training.ledger import Ledger, bucket
from training.models import QAPair, TrainingSheet
from training.querysets import QAPairQuerySet
from workbench.router import LAKEHOUSE

WINDOW = 50_000
BLOCK = 1_000
TEXTS = {
    "status": "status",
    "usage_reason": "usage_reason",
    "data_classification": "data_classification",
    "label_reason": "canonical_label__usage_reason",
    "label_classification": "canonical_label__data_classification",
}
LISTS = {
    "allowed_uses": "allowed_uses",
    "prohibited_uses": "prohibited_uses",
    "label_allowed": "canonical_label__allowed_uses",
    "label_prohibited": "canonical_label__prohibited_uses",
}

Row = Mapping[str, Any]


@dataclass
class ExportRun:
    """One pass over the pairs: what was written so far, its digest, and why the rest stayed.

    `source_limits` are those of the sheet's sources, which every pair has beside its own.
    """

    training_sheet_id: str
    use: str
    source_limits: Sequence[Limit]
    ledger: Ledger = field(default_factory=Ledger)
    size_bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def lines(self) -> Iterator[bytes]:
        """Yield a block of JSONL for each batch that has exported pairs; every line obeys the strict chat rules."""
        lines = ChatLines(self.ledger)
        for batch in batches(QAPair.objects.of(self.training_sheet_id)):
            written = [line for stored in self._passed(batch) if (line := lines.line(stored))]
            if written:
                block = b"".join(written)
                self.ledger.add(None, len(written))
                self.digest.update(block)
                self.size_bytes += len(block)
                yield block

    def _passed(self, batch: pa.RecordBatch) -> list[bytes]:
        """Return the stored messages of the pairs that pass both gates, in their order, and count the others."""
        limits = pa.Table.from_batches([batch]).drop_columns("messages")
        rows = limits.append_column("row", pa.array(range(batch.num_rows)))
        passed: list[int] = []
        for group in rows.group_by([*TEXTS, *LISTS], use_threads=False).aggregate([("row", "list")]).to_pylist():
            if reason := self._reason(group):
                self.ledger.add(reason, len(group["row_list"]))
            else:
                passed += group["row_list"]
        messages: list[bytes] = (
            batch["messages"].cast(pa.binary()).take(pa.array(sorted(passed), pa.int64())).to_pylist()
        )
        return messages

    def _reason(self, group: Row) -> str | None:
        row = {name: orjson.loads(value) if name in LISTS and value else value for name, value in group.items()}
        decision = decide([*self.source_limits, *limits_of(row)])
        return bucket(row["status"], decision, self.use, answer="looked at later, line by line")


def run_of(training_sheet: TrainingSheet, use: str = "training") -> ExportRun:
    """Return a pass over the pairs under the tags of their sources as they are now: a tag set today stops it today."""
    return ExportRun(training_sheet.pk, use, source_uses.limits_of(training_sheet.sheet))


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


def batches(pairs: QAPairQuerySet) -> Iterator[pa.RecordBatch]:
    """Yield the pairs in the order of their items; past the model layer, only the gates' columns and the messages."""
    # Lists travel as JSON text, because Arrow groups rows by text but not by lists.
    lists = {f"_{name}": Func(F(path), function="TO_JSON", output_field=TextField()) for name, path in LISTS.items()}
    labeled = When(status=QAPair.Status.LABELED, then=F("messages"))  # no other pair passes the first gate
    read: dict[str, Any] = {"_messages": Case(labeled, output_field=TextField())}
    read |= {f"_{name}": F(path) for name, path in TEXTS.items()} | lists
    for start, end in windows(pairs):
        rows = pairs.filter(position__gte=start, position__lt=end).annotate(**read).values_list(*read)
        with connections[LAKEHOUSE].cursor() as cursor:
            cursor.execute(*rows.query.get_compiler(LAKEHOUSE).as_sql())
            for batch in cursor.fetch_arrow_batches():
                yield batch.rename_columns([name.removeprefix("_") for name in read])


def windows(pairs: QAPairQuerySet) -> list[tuple[int, int]]:
    """Return ranges of positions, each with WINDOW pairs or a few more, however large the gaps between positions."""
    blocks = pairs.order_by().annotate(block=F("position") - F("position") % BLOCK).values_list("block")
    found: list[tuple[int, int]] = []
    start = end = held = 0
    for block, count in blocks.annotate(n=Count("pk")).order_by("block"):
        end, held = block + BLOCK, held + count
        if held >= WINDOW:
            found.append((start, end))
            start, held = end, 0
    return [*found, (start, end)] if held else found
