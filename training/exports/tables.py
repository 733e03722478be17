"""The same rows as columns, with where each came from: Parquet and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from training.chat import chat_line
from training.exports.batches import Block, Kept

# Columns that are read for each pair, from their names to where they stand.
PROVENANCE = {name: name for name in ("labeling_mode", "model", "ai_confidence", "reviewed_by", "reviewed_at")}
_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
_USES = pa.list_(pa.string())
SCHEMA = pa.schema(
    [
        ("messages", pa.list_(_MESSAGE)),
        ("pair_id", pa.string()),
        ("pair_version", pa.int32()),
        ("item_ref", pa.string()),
        ("position", pa.int64()),
        ("training_sheet_id", pa.string()),
        ("sheet_id", pa.string()),
        ("template", pa.string()),
        ("template_version", pa.string()),
        ("canonical_label_id", pa.string()),
        ("canonical_label_version", pa.int32()),
        ("labeling_mode", pa.string()),
        ("model", pa.string()),
        ("ai_confidence", pa.float64()),
        ("reviewed_by", pa.string()),
        ("reviewed_at", pa.timestamp("us", tz="UTC")),
        ("allowed_uses", _USES),
        ("prohibited_uses", _USES),
        ("usage_reason", pa.string()),
        ("data_classification", pa.string()),
        ("use", pa.string()),
        ("split", pa.string()),
    ]
)
RENAMED = {"pair_id": "id", "pair_version": "version"}
# Of a fixed size, so that the bytes do not depend on how a lakehouse hands out its rows.
GROUP_ROWS = 10_000


def parquet(kept: Iterable[Kept], constants: Mapping[str, str]) -> Iterator[Block]:
    """Write a Parquet file; its bytes are the same wherever the same version of pyarrow writes it."""
    sink = _Drained()
    waiting: list[pa.Table] = []
    with pq.ParquetWriter(sink, SCHEMA, compression="zstd", compression_level=3) as writer:
        for each in kept:
            waiting.append(_table(each, constants))
            while sum(table.num_rows for table in waiting) >= GROUP_ROWS:
                whole = pa.concat_tables(waiting)
                _write_group(writer, whole.slice(0, GROUP_ROWS))
                waiting = [whole.slice(GROUP_ROWS)]
            lines = [chat_line(record["messages"]) for record in each.records]
            yield Block(sink.drain(), lines, each.pairs)
        rest = pa.concat_tables(waiting) if waiting else SCHEMA.empty_table()
        if rest.num_rows:
            _write_group(writer, rest)
    yield Block(sink.drain(), (), None)


def _write_group(writer: pq.ParquetWriter, rows: pa.Table) -> None:
    """Write a group of rows in one piece: Arrow begins pages and dictionaries anew with each piece it is given."""
    writer.write_table(rows.combine_chunks(), row_group_size=GROUP_ROWS)


def csv_rows(kept: Iterable[Kept], constants: Mapping[str, str]) -> Iterator[Block]:
    """Write a CSV file (RFC 4180, but lines end with a newline alone) with its header; lists are JSON text."""
    header = _csv_line(SCHEMA.names)
    for each in kept:
        columns = _table(each, constants).drop_columns("messages").to_pydict()
        rows = zip(*columns.values(), strict=True)
        lines = [_csv_line([record["messages"], *row]) for record, row in zip(each.records, rows, strict=True)]
        yield Block(header + b"".join(lines), lines, each.pairs)
        header = b""


def _table(kept: Kept, constants: Mapping[str, str]) -> pa.Table:
    columns = []
    for field in SCHEMA:
        if field.name == "messages":
            columns.append(pa.array([record["messages"] for record in kept.records], field.type))
        elif field.name in constants:
            columns.append(pa.repeat(pa.scalar(constants[field.name], field.type), len(kept.records)))
        else:
            found = kept.pairs[RENAMED.get(field.name, field.name)]
            if field.type == _USES:
                columns.append(pa.array([orjson.loads(text) for text in found.to_pylist()], field.type))
            else:
                columns.append(found.cast(field.type).combine_chunks())
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _csv_line(values: Iterable[Any]) -> bytes:
    line = io.StringIO()
    # What stands in the ending is quoted where a text has it: readers take a carriage return alone as the end of a row too.
    csv.writer(line, lineterminator="\r\n").writerow([_cell(value) for value in values])
    return line.getvalue().removesuffix("\r\n").encode() + b"\n"


def _cell(value: Any) -> Any:
    match value:
        case list():
            return orjson.dumps(value).decode()
        case datetime():
            return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    return value


class _Drained(io.RawIOBase):
    """A file that only knows how much was written to it, and hands out what came since it was last asked."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._at += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._at

    def drain(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
