"""Checks a file against its manifest, line by line, and a manifest against the tables, pair by pair.

Both at constant memory: file and manifest are read side by side, the tables in windows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from training.chat import chat_line
from training.exporting import Window, batches, windows
from training.exports.run import ExportRun
from training.models import QAPair
from workbench.problems import Invalid

MOST = 10
Line = dict[str, Any]


@dataclass
class Findings:
    """What was found: how many, and the first few in words."""

    count: int = 0
    words: list[str] = field(default_factory=list)

    def add(self, words: str) -> None:
        self.count += 1
        if len(self.words) < MOST:
            self.words.append(words)


class ManifestFile:
    """A manifest in a file: what its head says, its lines once, then what its tail says. Invalid where it is none."""

    def __init__(self, path: Path) -> None:
        self.path, self.digest = path, hashlib.sha256()
        self.tail: dict[str, Any] = {}
        try:
            self._file = path.open("rb")
        except OSError as error:
            words = f"The manifest {str(path)!r} cannot be read: {error.strerror}. Name it with --manifest."
            raise Invalid(words) from error
        self._number = 0
        self.head = self._parsed(self._next() + b"]}")
        if "workbench_manifest" not in self.head:
            raise Invalid(f"The file {str(path)!r} is no manifest of an export.")

    def lines(self) -> Iterator[Line]:
        """Yield the line of each pair; the tail is known afterwards."""
        with self._file:
            while text := self._next():
                if text.startswith(b"]"):
                    self.tail = self._parsed(b"{" + text.removeprefix(b"],"))
                    return
                if text.strip():
                    yield self._parsed(text.rstrip().removesuffix(b","))
        raise Invalid(f"The manifest {str(self.path)!r} breaks off at line {self._number}.")

    def _next(self) -> bytes:
        text = self._file.readline()
        self._number += 1
        self.digest.update(text)
        return text

    def _parsed(self, text: bytes) -> Any:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise Invalid(f"Line {self._number} of the manifest {str(self.path)!r} is not valid: {error}.") from error


def check_file(file: Path, manifest: ManifestFile) -> Findings:
    """Compare every line of a file with its digest, and the whole with the file's."""
    found, at = Findings(), int(manifest.head["header_lines"])
    read = READERS.get(manifest.head["format"], _text_lines)(file, at)
    for number, (line, entry) in enumerate(zip_longest(_told(read, found), manifest.lines()), at + 1):
        if line is None:
            found.add(f"line {number} is missing: pair {entry['pair_id']}")
        elif entry is None:
            found.add(f"line {number} is not in the manifest")
        elif hashlib.sha256(line).hexdigest() != entry["sha256"]:
            found.add(f"line {number} is not what was exported: pair {entry['pair_id']}")
    with file.open("rb") as whole:
        digest = hashlib.file_digest(whole, "sha256").hexdigest()
    if digest != manifest.tail["sha256"] and not found.count:
        found.add("the lines are as they were exported, but other bytes of the file are not")
    return found


@dataclass
class Since:
    """What became of the pairs of an export: changed or withdrawn, and how many still stand as they left."""

    changed: Findings = field(default_factory=Findings)
    withdrawn: Findings = field(default_factory=Findings)
    same: int = 0

    @property
    def is_current(self) -> bool:
        return not self.changed.count and not self.withdrawn.count


def check_tables(run: ExportRun, lines: Iterable[Line]) -> Since:
    """Compare the versions of an export's lines with the pairs as they are, and ask the gates for each again."""
    since, ahead = Since(), _Ahead(lines)
    for window in windows(QAPair.objects.of(run.training_sheet_id)):
        if entries := ahead.before(window[1]):
            _compare(run, window, entries, since)
    for entry in ahead.before(None):
        since.withdrawn.add(f"pair {entry['pair_id']} does not exist any more")
    return since


def _compare(run: ExportRun, window: Window, entries: list[Line], since: Since) -> None:
    state = _states(run, window)
    for entry in entries:
        pair = entry["pair_id"]
        version, label_version, reason = state.get(pair, (None, None, "does not exist any more"))
        if reason:
            since.withdrawn.add(f"pair {pair}: {reason}")
        elif version != entry["pair_version"]:
            since.changed.add(f"pair {pair} left with version {entry['pair_version']} and has {version}")
        elif entry["label_version"] is not None and label_version != entry["label_version"]:
            since.changed.add(
                f"pair {pair} has label version {entry['label_version']}; its label is at {label_version}"
            )
        else:
            since.same += 1


def _states(run: ExportRun, window: Window) -> dict[str, tuple[int, int | None, str | None]]:
    """Return version of pair and label, and what forbids it now, of the pairs of a window."""
    found: dict[str, tuple[int, int | None, str | None]] = {}
    more = {"label_now": "canonical_label__version"}
    for batch in batches(QAPair.objects.of(run.training_sheet_id), window, more):
        table = pa.Table.from_batches([batch])
        ids, versions, labels = (table[name].to_pylist() for name in ("id", "version", "label_now"))
        for reason, rows in run.verdicts(table):
            found |= {ids[row]: (versions[row], labels[row], reason) for row in rows}
    return found


class _Ahead:
    """The lines of a manifest, taken in the order of their positions."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = iter(lines)

    def before(self, position: int | None) -> list[Line]:
        """Return the next lines whose pairs stand before a position, or all that are left."""
        taken: list[Line] = []
        for line in self._lines:
            if position is not None and line["position"] >= position:
                self._lines = chain([line], self._lines)
                break
            taken.append(line)
        return taken


def _told(lines: Iterator[bytes], found: Findings) -> Iterator[bytes]:
    """Yield the lines, and find it where a table cannot be read any further."""
    try:
        yield from lines
    except (pa.ArrowException, OSError) as error:
        found.add(f"the file cannot be read: {error}")


def _text_lines(file: Path, _header_lines: int) -> Iterator[bytes]:
    with file.open("rb") as lines:
        yield from lines


def _csv_lines(file: Path, header_lines: int) -> Iterator[bytes]:
    """Yield the records of a CSV file; one whose text has a newline goes on while a quote is open."""
    with file.open("rb") as lines:
        for _ in range(header_lines):
            next(lines, None)
        record = b""
        for line in lines:
            record += line
            if record.count(b'"') % 2 == 0:
                yield record
                record = b""
        if record:
            yield record


def _parquet_lines(file: Path, _header_lines: int) -> Iterator[bytes]:
    """Yield the chat line of each row."""
    for batch in pq.ParquetFile(file).iter_batches(columns=["messages"]):
        for messages in batch["messages"].to_pylist():
            yield chat_line(messages)


READERS: dict[str, Callable[[Path, int], Iterator[bytes]]] = {"csv": _csv_lines, "parquet": _parquet_lines}
