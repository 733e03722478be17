"""Looks for sensitive data in the pairs of a training sheet: in the item's row and documents, the prompt and the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import orjson
from django.utils import timezone

from governance.sensitive.detectors import VERSION, Found
from governance.sensitive.scanning import masked, scan, scan_field, texts_in
from sheets.reading import Item, items_of
from training.attachments import documents_of
from training.chat import assistant_answer
from training.findings.ahead import forget_findings
from training.models import Finding, QAPair, TrainingSheet
from workbench.lakehouse.ids import uuid5_of

CHUNK = 500
# Of one pair: a table of a thousand addresses says no more than its first hundred.
MOST = 100


def look(training_sheet: TrainingSheet, *, first: int = 0, between: Callable[[int], None] = lambda _done: None) -> int:
    """Write what is found in the pairs after the `first` ones, and return how many pairs were looked at.

    Safe to repeat: a finding is of pair, place and span. `between` is called after each written chunk with how many pairs
    are done. Memory is that of a chunk.
    """
    done, after = first, _position_after(training_sheet.pk, first)
    while chunk := list(QAPair.objects.of(training_sheet.pk).filter(position__gt=after)[:CHUNK]):
        items = {item.ref: item for item in items_of(training_sheet.sheet, {p.item_ref: p.position for p in chunk})}
        found = [one for pair in chunk for one in islice(findings_in(pair, items.get(pair.item_ref)), MOST)]
        Finding.objects.bulk_create(found, ignore_conflicts=True)
        forget_findings(training_sheet.pk, {finding.qa_pair_id for finding in found})
        done, after = done + len(chunk), chunk[-1].position
        between(done)
    return done


def findings_in(pair: QAPair, item: Item | None) -> Iterator[Finding]:
    """Yield what is found in a pair and its item, which is None where it left the sheet."""
    now = timezone.now()
    for place, text, found in _found(pair, item):
        yield Finding(
            id=uuid5_of("finding", pair.pk, place, found.kind, str(found.start), str(found.end)),
            training_sheet_id=pair.training_sheet_id, qa_pair_id=pair.pk, item_ref=pair.item_ref, place=place[:1024],
            kind=found.kind, start=found.start, end=found.end, excerpt=masked(text[found.start : found.end]),
            why=found.why, detector_version=VERSION, found_at=now,
        )  # fmt: skip


def _found(pair: QAPair, item: Item | None) -> Iterator[tuple[str, str, Found]]:
    answer = assistant_answer(pair.messages)
    for path, text in texts_in(_structured(answer or "")):
        yield from ((f"answer.{path}" if path else "answer", text, each) for each in scan_field(path, text))
    for at, message in enumerate(pair.messages[:-1] if answer is not None else pair.messages):
        yield from ((f"messages[{at}]", message["content"], each) for each in scan(message["content"]))
    if item is None:
        return
    for path, text in texts_in(item.row):
        yield from ((f"item.{path}", text, each) for each in scan_field(path, text))
    for name, text in documents_of(item.files):
        yield from ((f"file.{name}", text, each) for each in scan(text))


def _structured(answer: str) -> Any:
    try:
        value = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return answer
    return value if isinstance(value, dict | list) else answer


def _position_after(training_sheet_id: str, done: int) -> int:
    """Return the position of the last of the first pairs, which an earlier run looked at."""
    if not done:
        return -1
    positions = QAPair.objects.of(training_sheet_id).values_list("position", flat=True)
    return int(positions[done - 1])
