"""On which side of a split an item stands: always the same one, in every export and however the sheet grows.

Plain splits follow from a hash of sheet and item alone. In stratified ones each stratum has its share, which no hash
can promise, so an item's side is decided when it is first split and kept in `split_items`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

# Each side and the use that the gate is asked for it.
SIDES = {"train": "training", "validation": "validation"}
PERCENT = 10
WHOLE = "$"


@dataclass(frozen=True)
class Split:
    """How a sheet is split: the share of validation, and the answer's field that makes the strata ("$": the answer)."""

    percent: int = PERCENT
    stratify_by: str = ""

    def __str__(self) -> str:
        by = f", by {self.stratify_by}" if self.stratify_by else ""
        return f"{self.percent} % validation{by}"


def place(sheet_id: str, item_ref: str) -> float:
    """Return the item's place between 0 and 1, from SHA-256 of its sheet and its reference."""
    found = hashlib.sha256(f"{sheet_id}\n{item_ref}".encode()).digest()
    return int.from_bytes(found[:8]) / 2**64


def side_of(sheet_id: str, item_ref: str, split: Split) -> str:
    """Return the side of a plain split; a larger share of validation only moves items there."""
    return "validation" if place(sheet_id, item_ref) < split.percent / 100 else "train"


@dataclass
class Strata:
    """The items of each stratum on each side so far; deciding counts, so the order of the items is part of the outcome."""

    sheet_id: str
    split: Split
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def decide(self, stratum: str, item_ref: str) -> str:
        """Return the side of one more item: validation's share of a stratum is exact within one item."""
        held, total = (
            self.counts[stratum, "validation"],
            self.counts[stratum, "validation"] + self.counts[stratum, "train"],
        )
        due = self.split.percent / 100 * (total + 1) - held
        side = "validation" if due > place(self.sheet_id, item_ref) else "train"
        self.counts[stratum, side] += 1
        return side


def stratum_of(answer: str, stratify_by: str) -> str:
    """Return the value of an answer's field as text, "" where the answer has no such field; the answer itself for "$"."""
    if stratify_by == WHOLE:
        return answer
    try:
        value: Any = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return ""
    for name in stratify_by.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()


def sides_of(sheet_id: str, item_refs: Iterable[str], split: Split) -> list[str]:
    """Return the sides of items in a plain split."""
    return [side_of(sheet_id, item_ref, split) for item_ref in item_refs]
