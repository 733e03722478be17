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
    """One format. `columns` are those read beside the messages; one that `compares` needs the drafts of edits."""

    shape: shapes.Shape
    write: Writer
    suffix: str = "jsonl"
    content_type: str = "application/jsonl"
    columns: Mapping[str, str] = field(default_factory=dict)
    compares: bool = False
    header_lines: int = 0


def json_lines(kept: Iterable[Kept], _constants: Mapping[str, str]) -> Iterator[Block]:
    """Write a record a line."""
    dumps, option = orjson.dumps, orjson.OPT_APPEND_NEWLINE
    for each in kept:
        lines = [dumps(record, option=option) for record in each.records]
        yield Block(b"".join(lines), lines, each.pairs)


FORMATS: Mapping[str, Format] = {
    "chat": Format(shapes.chat, json_lines),
    "prompt_completion": Format(shapes.prompt_completion, json_lines),
    "sharegpt": Format(shapes.sharegpt, json_lines),
    "alpaca": Format(shapes.alpaca, json_lines),
    "dpo": Format(shapes.dpo, json_lines, compares=True),
    "parquet": Format(shapes.chat, parquet, "parquet", "application/vnd.apache.parquet", PROVENANCE),
    "csv": Format(shapes.chat, csv_rows, "csv", "text/csv; charset=utf-8", PROVENANCE, header_lines=1),
}
