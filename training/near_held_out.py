"""Items that a training sheet trains on and that are nearly the same as a held-out one: the test would be known before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from labels.held_out import held_out_of
from labels.near.pictures import ALIKE, hashes_of
from labels.near.words import NearTexts
from sheets.models import Sheet
from sheets.reading import Item, items_of
from training.models import QAPair, TrainingSheet
from training.querysets import QAPairQuerySet

CHUNK = 500
# Held-out items that are compared; a set of more is looked at in part, and the report says so.
MOST_HELD = 20_000
MOST_FOUND = 1_000


@dataclass(frozen=True)
class NearHeldOut:
    """A pair whose item is nearly a held-out one: how alike from 0 to 1, and what was compared."""

    pair_id: str
    item_ref: str
    held_out: str
    alike: float
    by: str


@dataclass(frozen=True)
class NearReport:
    """What was compared, and the first that were found."""

    held_out: int
    compared: int
    items: int
    found: list[NearHeldOut]


def near_held_out(training_sheet: TrainingSheet, *, most: int = MOST_FOUND) -> NearReport:
    """Return which pairs that may be trained on are nearly a held-out item. Memory is that of the held-out items.

    Rows are compared by their words without the item's name, pictures by what is bright and dark in them.
    """
    sheet = training_sheet.sheet
    held_out = held_out_of(sheet)
    refs = sorted(held_out.by)[:MOST_HELD]
    if not refs:
        return NearReport(0, 0, 0, [])
    pairs = QAPair.objects.of(training_sheet.pk).permitted("training").filter(status=QAPair.Status.LABELED)
    held = list(_items(sheet, refs))
    sample = [_words(item, sheet) for chunk in islice(_chunks(sheet, pairs), 1) for _, item in chunk]
    texts = NearTexts(((item.ref, _words(item, sheet)) for item in held), sample)
    pictures = [(bits, item.ref) for item in held for bits in hashes_of(item.files)]
    looked, found = 0, []
    for chunk in _chunks(sheet, pairs):
        looked += len(chunk)
        found += [near for pair, item in chunk for near in _near(pair, item, sheet, texts, pictures)]
        if len(found) >= most:
            break
    return NearReport(len(held_out.by), len(refs), looked, found[:most])


def near_problems(report: NearReport) -> list[dict[str, Any]]:
    """Return what the check of an export says of them: one warning, with the first few as its evidence."""
    if not report.found:
        return []
    pairs = list(dict.fromkeys(near.pair_id for near in report.found))
    first = ", ".join(f"{near.item_ref} as {near.held_out} ({near.alike:.0%}, {near.by})" for near in report.found[:3])
    message = f"{len(pairs):,} lines are nearly held-out items, which a test would find known: {first}."
    return [{"level": "warning", "code": "near_held_out", "message": message, "pair_ids": pairs[:5]}]


def _near(
    pair: str, item: Item, sheet: Sheet, texts: NearTexts, pictures: Sequence[tuple[int, str]]
) -> Iterator[NearHeldOut]:
    for ref, alike in islice(texts.near(_words(item, sheet)), 1):
        yield NearHeldOut(pair, item.ref, ref, round(alike, 3), "words")
    for bits in hashes_of(item.files) if pictures else ():
        away, ref = min(((bits ^ other).bit_count(), name) for other, name in pictures)
        if away <= ALIKE:
            yield NearHeldOut(pair, item.ref, ref, round(1 - away / 256, 3), "picture")


def _chunks(sheet: Sheet, pairs: QAPairQuerySet) -> Iterator[list[tuple[str, Item]]]:
    after = -1
    while rows := list(pairs.filter(position__gt=after).values_list("position", "pk", "item_ref")[:CHUNK]):
        ids = {ref: key for _, key, ref in rows}
        yield [(ids[item.ref], item) for item in items_of(sheet, {ref: at for at, _, ref in rows})]
        after = rows[-1][0]


def _items(sheet: Sheet, refs: Sequence[str]) -> Iterator[Item]:
    for at in range(0, len(refs), CHUNK):
        yield from items_of(sheet, dict.fromkeys(refs[at : at + CHUNK], 0))


def _words(item: Item, sheet: Sheet) -> str:
    """Return the words of the row; keys and paths name the item and say nothing else."""
    named = {sheet.item_ref_name, *sheet.join_keys}
    kept = (value for name, value in item.row.items() if isinstance(value, str) and name not in named)
    return " ".join(value for value in kept if not value.startswith("/Volumes/"))
