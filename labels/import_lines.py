"""The lines of an import, read one by one: each a label to record, or the reasons why it cannot be one."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from labels.exporting import COLUMNS
from workbench.canonical import read_json, storing_faults
from workbench.concepts import Confidence
from workbench.near import listed, near_misses

# What a line may say; the rest of an export is the history of the label there, which is not this one's.
GIVEN = (
    "item_ref", "label_type", "label_data", "confidence", "notes", "allowed_uses", "prohibited_uses", "usage_reason",
    "data_classification", "template_id",
)  # fmt: skip
NEEDED = ("item_ref", "label_type", "label_data")
LONGEST_LINE = 4_000_000  # bytes, more than a request holds that records one label
DEEPEST = 32
_TEXTS = ("item_ref", "label_type", "confidence", "notes", "usage_reason", "data_classification")
_USES = ("allowed_uses", "prohibited_uses")


@dataclass(frozen=True, slots=True)
class Line:
    """A line by its number from 1; `given` has the names of `GIVEN`, and is empty where there are `faults`."""

    number: int
    given: Mapping[str, Any]
    faults: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.given.get("item_ref", ""), self.given.get("label_type", "")


def read_lines(lines: Iterable[bytes]) -> Iterator[Line]:
    """Yield the lines of a JSONL file; empty ones are left out, and a second one for the same label is refused."""
    seen: dict[tuple[str, str], int] = {}
    for number, text in enumerate(lines, 1):
        if number == 1:
            # Which programs of Windows write before it.
            text = text.removeprefix(BOM_UTF8)
        if not text.strip():
            continue
        line = _read(number, text)
        if not line.faults and (first := seen.setdefault(line.key, number)) != number:
            line = Line(number, {}, (f"The same item and label type as line {first}: keep one of them.",))
        yield line


def _read(number: int, text: bytes) -> Line:
    if len(text) > LONGEST_LINE:
        return Line(number, {}, (f"Found {len(text):,} bytes: a line has at most {LONGEST_LINE:,}.",))
    try:
        row = read_json(text)
    except orjson.JSONDecodeError as error:
        return Line(number, {}, (f"No JSON: {error}. A line is one object.",))
    except ValueError as error:
        return Line(number, {}, (f"Not kept: {error}.",))
    if not isinstance(row, dict):
        return Line(number, {}, (f"Found {type(row).__name__}: a line is one object.",))
    if faults := tuple(_faults(row)):
        return Line(number, {}, faults)
    return Line(number, {name: row[name] for name in GIVEN if row.get(name) is not None})


def _faults(row: Mapping[str, Any]) -> Iterator[str]:
    for name in row:
        if name not in COLUMNS:
            yield f"Found {name!r}: a label has {listed(COLUMNS)}.{near_misses(name, COLUMNS)}"
    for name in NEEDED:
        if row.get(name) in (None, ""):
            yield f"{name} is missing."
    for name in _TEXTS:
        if not isinstance(row.get(name, ""), str | None):
            yield f"{name} is no text."
        else:
            yield from (f"{name}: {fault}" for fault in storing_faults(row.get(name)))
    for name in _USES:
        uses = row.get(name)
        if uses is not None and not (isinstance(uses, list) and all(isinstance(use, str) for use in uses)):
            yield f"{name} is no list of uses."
    if row.get("confidence") not in (None, *Confidence.values):
        yield f"confidence: found {row['confidence']!r}, use {listed(Confidence.values)}."
    if _levels(row.get("label_data")) > DEEPEST:
        yield f"label_data is nested more than {DEEPEST} levels deep."


def _levels(value: Any) -> int:
    level, depth = [value], 0
    while level and depth <= DEEPEST:
        level = [
            child
            for each in level
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
        ]
        depth += 1
    return depth
