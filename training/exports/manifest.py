"""The manifest of an export: which pairs it has, from which versions, under which rules, and the digest of every line.

It is one JSON object whose lines stand on lines of their own, so that it is written, and can be read, at constant
memory: a head up to `"lines":[`, a line for each pair, and a tail with the counts and the digest of the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from training.exports.batches import Block
from training.models import ExportPart
from workbench.lakehouse.ids import uuid5_of

VERSION = 1
PART_LINES = 2_000
# Parts are written many at once, because each write is a commit.
MOST_WAITING = 25
# What a line says of its pair, in this order, and then the digest; a third of the time that dumping a dictionary takes.
COLUMNS = ("id", "version", "canonical_label_id", "canonical_label_version", "position")
LINE = b'{"pair_id":%b,"pair_version":%d,"label_id":%b,"label_version":%b,"position":%d,"sha256":"%b"}'


@dataclass
class Manifest:
    """Makes a manifest piece by piece while the export is written, and keeps it in `export_parts`."""

    export_id: str
    digest: Any = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        self._number = 0
        self._lines: list[bytes] = []
        self._ids: list[str] = []
        self._positions: list[int] = []
        self._waiting: list[ExportPart] = []
        self._begun = False

    def head(self, about: Mapping[str, Any]) -> bytes:
        """Return the beginning, with what is known before the first pair is read."""
        text = orjson.dumps({"workbench_manifest": VERSION, "export_id": self.export_id, **about})
        return self._part(text.removesuffix(b"}") + b',"lines":[\n')

    def add(self, block: Block) -> bytes:
        """Return the lines of a block."""
        if not block.lines:
            return b""
        sha256, dumps = hashlib.sha256, orjson.dumps
        columns = [block.pairs[name].to_pylist() for name in COLUMNS]
        lines = [
            LINE
            % (dumps(pair), version, dumps(label), dumps(label_version), position, sha256(line).hexdigest().encode())
            for line, pair, version, label, label_version, position in zip(block.lines, *columns, strict=True)
        ]
        self._lines += lines
        self._ids += columns[0]
        self._positions += columns[-1]
        text = (b",\n" if self._begun else b"") + b",\n".join(lines)
        self._begun = True
        self.digest.update(text)
        if len(self._lines) >= PART_LINES:
            self._close()
        return text

    def tail(self, counts: Mapping[str, Any]) -> bytes:
        """Return the end, with what is known after the last pair; everything is kept then."""
        self._close()
        text = self._part(b"\n]," + orjson.dumps(counts).removeprefix(b"{") + b"\n")
        self.flush(least=1)
        return text

    def flush(self, least: int = MOST_WAITING) -> None:
        """Write the parts that wait, where there are that many; not while a statement of the export is open."""
        if len(self._waiting) >= least:
            ExportPart.objects.bulk_create(self._waiting)
            self._waiting = []

    def _part(self, text: bytes) -> bytes:
        self.digest.update(text)
        self._keep(text, [], [])
        return text

    def _close(self) -> None:
        if self._lines:
            separator = b",\n" if self._number > 1 else b""
            self._keep(separator + b",\n".join(self._lines), self._ids, self._positions)
            self._lines, self._ids, self._positions = [], [], []

    def _keep(self, text: bytes, ids: list[str], positions: list[int]) -> None:
        ends = {"first_position": positions[0], "last_position": positions[-1]} if positions else {}
        key = uuid5_of("export_part", self.export_id, str(self._number))
        part = ExportPart(
            id=key, export_id=self.export_id, number=self._number, pair_ids=ids, text=text.decode(), **ends
        )
        self._waiting.append(part)
        self._number += 1


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
