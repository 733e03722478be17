"""The manifest of an export: which pairs it has, from which versions, under which rules, and the digest of every line.

It is one JSON object whose lines stand on lines of their own, so that it is written, and can be read, at constant
memory: a head up to `"lines":[`, a line for each pair, and a tail with the counts and the digest of the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from training.exports.batches import Block
from training.models import ExportPart
from workbench.lakehouse.bulk import append_arrow
from workbench.lakehouse.ids import uuid5_of

VERSION = 1
PART_LINES = 2_000
# Parts are written many at once, because each write is a commit, and into files so large that no later write tidies them.
MOST_WAITING = 20
SEPARATOR = b",\n"


@dataclass
class Manifest:
    """Makes a manifest piece by piece while the export is written, and keeps it in `export_parts`."""

    export_id: str
    digest: Any = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        self._number = 0
        # Of the part that is being made: its lines so far, and the ids and positions of their pairs.
        self._texts: list[bytes] = []
        self._ids: list[pa.ChunkedArray] = []
        self._positions: list[pa.ChunkedArray] = []
        self._waiting: list[pa.Table] = []
        self._begun = False

    def head(self, about: Mapping[str, Any]) -> bytes:
        """Return the beginning, with what is known before the first pair is read."""
        text = orjson.dumps({"workbench_manifest": VERSION, "export_id": self.export_id, **about})
        return self._part(text.removesuffix(b"}") + b',"lines":[\n')

    def add(self, block: Block) -> bytes:
        """Return the lines of a block."""
        if not block.lines:
            return b""
        lines = _lines(block)
        self._texts.append(lines)
        self._ids.append(block.pairs["id"])
        self._positions.append(block.pairs["position"])
        text = (SEPARATOR if self._begun else b"") + lines
        self._begun = True
        self.digest.update(text)
        if sum(map(len, self._ids)) >= PART_LINES:
            self._close()
        return text

    def tail(self, counts: Mapping[str, Any]) -> bytes:
        """Return the end, with what is known after the last pair; everything is kept then."""
        self._close()
        text = self._part(b"\n]," + orjson.dumps(counts).removeprefix(b"{") + b"\n")
        self.flush(least=1)
        return text

    @property
    def is_kept(self) -> bool:
        """Whether the lakehouse has all that was added."""
        return not (self._texts or self._waiting)

    def keep(self) -> None:
        """Write all that was added."""
        self._close()
        self.flush(least=1)

    def flush(self, least: int = MOST_WAITING) -> None:
        """Write the parts that wait, where there are that many."""
        if len(self._waiting) >= least:
            parts, self._waiting = pa.concat_tables(self._waiting), []
            append_arrow(ExportPart, parts)

    def _part(self, text: bytes) -> bytes:
        self.digest.update(text)
        self._keep(text)
        return text

    def _close(self) -> None:
        if self._texts:
            separator = SEPARATOR if self._number > 1 else b""
            self._keep(separator + SEPARATOR.join(self._texts), self._ids, self._positions)
            self._texts, self._ids, self._positions = [], [], []

    def _keep(
        self, text: bytes, ids: Sequence[pa.ChunkedArray] = (), positions: Sequence[pa.ChunkedArray] = ()
    ) -> None:
        pairs = (
            pa.concat_arrays([chunk for array in ids for chunk in array.chunks]) if ids else pa.array([], pa.string())
        )
        part = {
            "id": [uuid5_of("export_part", self.export_id, str(self._number))],
            "export_id": [self.export_id],
            "number": [self._number],
            "pair_ids": pa.ListArray.from_arrays([0, len(pairs)], pairs),
            "first_position": pa.array([positions[0][0].as_py() if positions else None], pa.int64()),
            "last_position": pa.array([positions[-1][-1].as_py() if positions else None], pa.int64()),
            "text": pa.array([text], pa.binary()).cast(pa.string()),
        }
        self._waiting.append(pa.table(part))
        self._number += 1


def _lines(block: Block) -> bytes:
    """Return what the manifest says of each line of a block: `{"pair_id", "pair_version", "label_id", …, "sha256"}`."""
    said = {
        "pair_id": _quoted(block.pairs["id"]),
        "pair_version": block.pairs["version"],
        "label_id": _quoted(block.pairs["canonical_label_id"]),
        "label_version": block.pairs["canonical_label_version"],
        "label_latest": block.pairs["label_latest"],
        "position": block.pairs["position"],
    }
    pieces: list[Any] = []
    for name, column in said.items():
        pieces += [f'{"," if pieces else "{"}"{name}":', column.cast(pa.string()).fill_null("null")]
    digests = pa.array([hashlib.sha256(line).hexdigest() for line in block.lines], pa.string())
    lines = pc.binary_join_element_wise(
        *pieces, ',"sha256":"', digests, f'"}}{SEPARATOR.decode()}', ""
    ).combine_chunks()
    # Arrow has them one after the other in one piece of memory.
    _, offsets, data = lines.buffers()
    at = memoryview(offsets).cast("i")[lines.offset : lines.offset + len(lines) + 1]
    return bytes(memoryview(data)[at[0] : at[-1]]).removesuffix(SEPARATOR)


def _quoted(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts as JSON writes them, and null for null; most are ids, in which nothing needs an escape."""
    if pc.any(pc.match_substring_regex(texts, r'["\\\x00-\x1f]')).as_py():
        escaped = [None if text is None else orjson.dumps(text).decode() for text in texts.to_pylist()]
        return pa.chunked_array([pa.array(escaped, pa.string())])
    return pc.binary_join_element_wise('"', texts, '"', "")


def text_of(export_id: str) -> Iterator[bytes]:
    """Yield the manifest of an export as it was written, piece by piece."""
    parts, at = ExportPart.objects.filter(export_id=export_id).order_by("number"), 0
    while found := list(parts.filter(number__gte=at, number__lt=at + MOST_WAITING).values_list("text", flat=True)):
        yield from (text.encode() for text in found)
        at += MOST_WAITING


def forget(export_id: str) -> None:
    """Remove what a broken-off attempt kept, before the export is made again."""
    ExportPart.objects.filter(export_id=export_id)._raw_delete("lakehouse")


def lines_of(text: str) -> list[dict[str, Any]]:
    """Return the lines of a part."""
    found: list[dict[str, Any]] = orjson.loads("[" + text.strip().strip(",") + "]")
    return found


def counts_of(export_id: str) -> dict[str, Any]:
    """Return what the tail of a manifest says."""
    text = ExportPart.objects.filter(export_id=export_id).order_by("-number").values_list("text", flat=True)[0]
    found: dict[str, Any] = orjson.loads("{" + text.strip().removeprefix("],"))
    return found


def rules_of(limits: Iterable[Any], use: str) -> list[dict[str, Any]]:
    """Return the limits of the sources in force, as a manifest tells them."""
    return [
        {
            "source": limit.source,
            "where": limit.where,
            "reason": limit.reason,
            "prohibited": sorted(limit.prohibited),
            "allowed": None if limit.allowed is None else sorted(limit.allowed),
            "forbids": limit.forbids(use),
        }
        for limit in limits
    ]
