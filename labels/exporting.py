"""Canonical labels as JSONL: the same bytes for the API and the command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from types import SimpleNamespace

from governance.uses import USES, gate
from labels.models import CanonicalLabel
from sheets.models import Sheet
from sheets.source_uses import limits_of
from workbench.canonical import canonical_bytes
from workbench.files import written_whole
from workbench.near import listed, near_misses
from workbench.problems import Conflict, Invalid, NotFound

COLUMNS = (
    "id", "sheet_id", "item_ref", "label_type", "label_data", "confidence", "notes",
    "allowed_uses", "prohibited_uses", "usage_reason", "data_classification",
    "labeled_by", "labeled_at", "last_modified_by", "last_modified_at", "version", "template_id", "item_hash",
)  # fmt: skip
BLOCK = 500


def label_blocks(sheet: Sheet, label_type: str = "", use: str = "") -> Iterator[bytes]:
    """Return blocks of lines, a label each, by item and label type; NotFound when there is none to export.

    With a `use` the gate leaves out the labels that may not be used for it, and Conflict says why where none is left;
    without, this is the whole record, each label with its limits. A line is canonical JSON with the names of `COLUMNS`;
    times are UTC with `Z`. Memory is constant.
    """
    if use and use not in USES:
        words = f"Found {use!r}: use {listed(USES)}.{near_misses(use, USES)}"
        raise Invalid.of_fields("The use is not accepted.", {"use": [words]})
    held_back: Counter[str] = Counter()
    lines = _lines(sheet, label_type, use, held_back)
    first = next(lines, None)
    if first is None and held_back:
        why = "; ".join(f"{count:,} labels: {words}" for words, count in held_back.most_common())
        raise Conflict(f"Nothing to export for {use}: {why}. Look at what limits their use.")
    if first is None:
        kind = f" of type {label_type!r}" if label_type else ""
        raise NotFound(f"Nothing to export: the sheet {sheet.name!r} has no canonical labels{kind}. Label items first.")
    return _blocks(chain([first], lines))


def export_to_file(sheet: Sheet, target: Path, label_type: str = "", use: str = "") -> int:
    """Write the labels to `target` in one step and return their number; errors as for `label_blocks`."""
    blocks = label_blocks(sheet, label_type, use)
    count = 0
    with written_whole(target) as file:
        for block in blocks:
            count += block.count(b"\n")
            file.write(block)
    return count


def _lines(sheet: Sheet, label_type: str, use: str, held_back: Counter[str]) -> Iterator[bytes]:
    limits = limits_of(sheet) if use else ()
    labels = CanonicalLabel.objects.filter(sheet=sheet)
    if label_type:
        labels = labels.filter(label_type=label_type)
    for row in labels.order_by("item_ref", "label_type", "id").values(*COLUMNS).iterator():
        why = gate(limits, label=SimpleNamespace(**row)).why_not(use) if use else ""
        if why:
            held_back[why] += 1
            continue
        yield canonical_bytes(row) + b"\n"


def _blocks(lines: Iterator[bytes]) -> Iterator[bytes]:
    while block := b"".join(islice(lines, BLOCK)):
        yield block
