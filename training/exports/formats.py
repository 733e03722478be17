"""The formats of an export: each a shape of its records and a writer, which makes bytes of them batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import orjson

from training.exports import shapes
from training.exports.batches import Block, Kept
from training.exports.tables import PROVENANCE, csv_rows, parquet

Writer = Callable[[Iterable[Kept], Mapping[str, str]], Iterator[Block]]


@dataclass(frozen=True)
class Format:
    """One format. `columns` are those read beside the messages; one that `compares` needs the drafts of edits.

    Of one that `is_plain` each record is a line, in which contents stand as they are.
    """

    shape: shapes.Shape
    write: Writer
    suffix: str = "jsonl"
    content_type: str = "application/jsonl"
    columns: Mapping[str, str] = field(default_factory=dict)
    compares: bool = False
    is_plain: bool = False
    header_lines: int = 0


def json_lines(kept: Iterable[Kept], _constants: Mapping[str, str]) -> Iterator[Block]:
    """Write a record a line."""
    for each in kept:
        lines = each.lines or [line_of(record) for record in each.records]
        yield Block(b"".join(lines), lines, each.pairs)


def line_of(record: shapes.Record) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


FORMATS: Mapping[str, Format] = {
    "chat": Format(shapes.chat, json_lines, is_plain=True),
    "prompt_completion": Format(shapes.prompt_completion, json_lines, is_plain=True),
    "sharegpt": Format(shapes.sharegpt, json_lines, is_plain=True),
    "alpaca": Format(shapes.alpaca, json_lines, is_plain=True),
    "dpo": Format(shapes.dpo, json_lines, compares=True),
    "parquet": Format(shapes.chat, parquet, "parquet", "application/vnd.apache.parquet", PROVENANCE),
    "csv": Format(shapes.chat, csv_rows, "csv", "text/csv; charset=utf-8", PROVENANCE, header_lines=1),
}
