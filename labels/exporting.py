"""Canonical labels as JSONL, COCO or YOLO: the same bytes for the API and the command."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from types import SimpleNamespace

from governance import audit
from labels.coco import coco_file
from labels.letting_out import LettingOut
from labels.marked import MarkedFile, marked_of
from labels.models import CanonicalLabel
from labels.yolo import yolo_file
from sheets.models import Sheet
from workbench.canonical import canonical_bytes
from workbench.files import written_whole
from workbench.problems import Conflict, NotFound

COLUMNS = (
    "id", "sheet_id", "item_ref", "label_type", "label_data", "confidence", "notes",
    "allowed_uses", "prohibited_uses", "usage_reason", "data_classification",
    "labeled_by", "labeled_at", "last_modified_by", "last_modified_at", "version", "template_id", "item_hash",
    "decided_by", "opinions_by", "opinion_id",
)  # fmt: skip
BLOCK = 500


def label_blocks(sheet: Sheet, label_type: str = "", use: str = "", blind: Collection[str] = ()) -> Iterator[bytes]:
    """Return blocks of lines, a label each, by item and label type; NotFound when there is none to export.

    With a `use` the gate leaves out the labels that may not be used for it, and Conflict says why where none is left;
    without, this is the whole record, each label with its limits. What is `blind` for who asks (`labels.opinions.due`) is
    left out. A line is canonical JSON with the names of `COLUMNS`;
    times are UTC with `Z`. Memory is constant.
    """
    letting_out = LettingOut(sheet, use, blind)
    lines = _lines(sheet, label_type, letting_out)
    first = next(lines, None)
    if first is None:
        letting_out.expect_some()
        kind = f" of type {label_type!r}" if label_type else ""
        raise NotFound(f"Nothing to export: the sheet {sheet.name!r} has no canonical labels{kind}. Label items first.")
    return _blocks(chain([first], lines))


@dataclass(frozen=True)
class Format:
    """One way to write labels: its blocks for a sheet, a label type, a use and what is blind, and how such a file is called."""

    blocks: Callable[[Sheet, str, str, Collection[str]], Iterable[bytes]]
    content_type: str
    suffix: str


FORMATS = {
    "jsonl": Format(label_blocks, "application/jsonl", "jsonl"),
    "coco": Format(lambda *which: coco_file(marked_of(*which)), "application/json", "coco.json"),
    "yolo": Format(lambda *which: yolo_file(marked_of(*which)), "application/zip", "yolo.zip"),
}


def leaving(
    form: str, sheet: Sheet, label_type: str, use: str, *,
    actor: str, channel: str, blind: Collection[str] = (), head: bool = False,
) -> Iterable[bytes]:  # fmt: skip
    """Return the blocks of a format; the audit has a row before the first one, also where the gate lets none out.

    Asking for the `head` alone takes nothing: no block, and no row unless it is refused.
    """
    about = f"sheet {sheet.pk}"
    try:
        blocks = FORMATS[form].blocks(sheet, label_type, use, blind)
    except Conflict as problem:
        audit.refused(problem, actor=actor, subject=about)
        raise
    if head:
        return ()
    said = f"{_left(label_type)} {f'for {use}' if use else 'as the whole record'} as {form} ({channel})"
    audit.append([audit.entry("export", about, reason=said, actor=actor)])
    return blocks


def may_have(said: str, label_type: str) -> bool:
    """Return whether the export of which the audit says this may have labels of the type."""
    return said.startswith((f"{_left(label_type)} ", f"{_left('')} "))


def _left(label_type: str) -> str:
    return f"Labels of type {label_type} left" if label_type else "Labels left"


def export_to_file(
    sheet: Sheet, target: Path, label_type: str = "", use: str = "", *, form: str = "jsonl", actor: str
) -> tuple[int, int]:
    """Write the labels to `target` in one step and return how many, and how many are left out as they have no shapes.

    Errors as for the blocks of the format.
    """
    blocks = leaving(form, sheet, label_type, use, actor=actor, channel="command")
    lines = 0
    with written_whole(target) as file:
        for block in blocks:
            lines += block.count(b"\n")
            file.write(block)
    return (blocks.labels, blocks.left_out) if isinstance(blocks, MarkedFile) else (lines, 0)


def _lines(sheet: Sheet, label_type: str, letting_out: LettingOut) -> Iterator[bytes]:
    labels = CanonicalLabel.objects.filter(sheet=sheet)
    if label_type:
        labels = labels.filter(label_type=label_type)
    for row in labels.order_by("item_ref", "label_type", "id").values(*COLUMNS).iterator():
        if letting_out.permits(SimpleNamespace(**row)):
            yield canonical_bytes(row) + b"\n"


def _blocks(lines: Iterator[bytes]) -> Iterator[bytes]:
    while block := b"".join(islice(lines, BLOCK)):
        yield block
