"""Checks a file against its manifest, line by line, and a manifest against the tables, pair by pair.

Both at constant memory: file and manifest are read side by side, the tables in windows.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from training.chat import chat_line
from training.exporting import Size, Window, batches, windows
from training.exports.run import ExportRun
from training.models import QAPair
from training.progress_bar import telling

MOST = 10
# Lines that are looked through on both sides for where a file and its manifest agree again.
AHEAD = 32
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


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as whole:
        return hashlib.file_digest(whole, "sha256").hexdigest()


class ManifestFile:
    """A manifest in a file, every byte of which is as it was written: its head, its lines once, and then its tail."""

    def __init__(self, path: Path) -> None:
        self.tail: dict[str, Any] = {}
        self._file = path.open("rb")
        self.head: dict[str, Any] = orjson.loads(self._file.readline() + b"]}")

    def lines(self) -> Iterator[Line]:
        """Yield the line of each pair; the tail is known afterwards."""
        with self._file:
            for text in self._file:
                if text.startswith(b"]"):
                    self.tail = orjson.loads(b"{" + text.removeprefix(b"],"))
                elif text.strip():
                    yield orjson.loads(text.rstrip().removesuffix(b","))


def check_file(file: Path, manifest: ManifestFile, between: Callable[[int], None] = lambda _read: None) -> Findings:
    """Compare every line of a file with its digest, and the whole with the file's; `between` is told of lines that were."""
    found, at = Findings(), manifest.head["header_lines"]
    read = READERS.get(manifest.head["format"], _text_digests)(file, at)
    for words in _differences(_told(read, found), telling(manifest.lines(), between), at + 1):
        found.add(words)
    if digest_of(file) != manifest.tail["sha256"] and not found.count:
        where = "line 1, the header, is" if at else "other bytes of the file are"
        found.add(f"{where} not what was exported; the lines of the pairs are")
    return found


def _differences(digests: Iterator[str], entries: Iterator[Line], first: int) -> Iterator[str]:
    """Yield in words where the lines of a file, from the number `first` on, are not those of its manifest.

    Behind lines that are missing or were added both go on where they agree again. A missing line has the number that it was
    exported with, the others have the one that they have now.
    """
    there: deque[str] = deque()
    told: deque[Line] = deque()
    at = exported_at = first
    while True:
        there.extend(islice(digests, AHEAD - len(there)))
        told.extend(islice(entries, AHEAD - len(told)))
        if not there and not told:
            return
        added, missing = _out_of_step(there, told)
        if there and told and not added and not missing:
            if there[0] != told[0]["sha256"]:
                yield f"line {at} is not what was exported: pair {told[0]['pair_id']}"
            there.popleft()
            told.popleft()
            at, exported_at = at + 1, exported_at + 1
        for _ in range(missing):
            yield f"line {exported_at} is missing: pair {told.popleft()['pair_id']}"
            exported_at += 1
        for _ in range(added):
            there.popleft()
            yield f"line {at} is not in the manifest"
            at += 1


def _out_of_step(there: Sequence[str], told: Sequence[Line]) -> tuple[int, int]:
    """Return how many lines were added, or are missing, before the next that both have; none where one was changed."""
    if not there or not told:
        return len(there), len(told)
    if there[0] == told[0]["sha256"]:
        return 0, 0
    exported = [entry["sha256"] for entry in told]
    missing = exported.index(there[0]) if there[0] in exported else AHEAD
    added = there.index(exported[0]) if exported[0] in there else AHEAD
    if missing == added == AHEAD:
        return 0, 0
    return (0, missing) if missing <= added else (added, 0)


@dataclass
class Since:
    """What became of the pairs of an export: changed or withdrawn, and how many still stand as they left.

    Of these, `older` were made from a label that was changed before they left; `relabeled` are the changed ones of which the
    label alone was: who exports again has the same lines.
    """

    changed: Findings = field(default_factory=Findings)
    withdrawn: Findings = field(default_factory=Findings)
    same: int = 0
    older: int = 0
    relabeled: int = 0

    @property
    def is_current(self) -> bool:
        return not self.changed.count and not self.withdrawn.count


@dataclass(slots=True)
class State:
    """A pair as it is: its versions, what forbids its use, and the digest of its line: None where that is not asked."""

    version: int
    label_version: int | None
    reason: str | None
    sha256: str | None


def check_tables(run: ExportRun, lines: Iterable[Line], *, contents: bool = True) -> Since:
    """Compare an export's lines with the pairs as they are, and ask the gates for each again.

    Without `contents` versions alone are compared, and no messages are read.
    """
    since, ahead, size = Since(), _Ahead(lines), Size()
    pairs = QAPair.objects.of(run.training_sheet_id)
    more = run.format.columns if contents else {}
    for window in windows(pairs, size):
        if entries := ahead.before(window[1]):
            ready = batches(pairs, window, more, messages=contents)
            size.learn(ready)
            _compare(_states(run, window, ready, {entry["pair_id"] for entry in entries}, contents), entries, since)
    for entry in ahead.before(None):
        since.withdrawn.add(f"pair {entry['pair_id']} does not exist any more")
    return since


def _compare(states: Mapping[str, State], entries: list[Line], since: Since) -> None:
    for entry in entries:
        pair = entry["pair_id"]
        state = states.get(pair)
        # Manifests had only the version that the pair was made from, once.
        label_version = entry.get("label_latest", entry["label_version"])
        if state is None:
            since.withdrawn.add(f"pair {pair} does not exist any more")
        elif state.reason:
            since.withdrawn.add(f"pair {pair}: {state.reason}")
        elif state.version != entry["pair_version"]:
            since.changed.add(f"pair {pair} left with version {entry['pair_version']} and has {state.version}")
        elif label_version is not None and state.label_version != label_version:
            since.changed.add(
                f"pair {pair} left when its label was at version {label_version}; its label is at {state.label_version}"
            )
            since.relabeled += 1
        elif state.sha256 not in (None, entry["sha256"]):
            since.changed.add(f"pair {pair} has the version that it left with, but another line than the file")
        else:
            since.same += 1
            since.older += label_version is not None and entry["label_version"] < label_version


def _states(
    run: ExportRun, window: Window, ready: Iterable[pa.Table], asked: Collection[str], contents: bool
) -> dict[str, State]:
    """Return the states of those pairs of a window that are asked for."""
    found: dict[str, State] = {}
    passed: list[pa.Table] = []
    unlike_any = "" if contents else None
    for table in ready:
        ids, versions, labels = (table[name].to_pylist() for name in ("id", "version", "label_latest"))
        rows = [row for row, pair in enumerate(ids) if pair in asked]
        verdicts = run.verdicts(table)
        found |= {ids[row]: State(versions[row], labels[row], verdicts[row], unlike_any) for row in rows}
        if contents:
            passed.append(table.take(pa.array([row for row in rows if verdicts[row] is None], pa.int64())))
    for pair, line in run.lines(window, passed) if contents else ():
        found[pair].sha256 = hashlib.sha256(line).hexdigest()
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


def _told(digests: Iterator[str], found: Findings) -> Iterator[str]:
    """Yield the digests, and find it where a table cannot be read any further."""
    try:
        yield from digests
    except (pa.ArrowException, OSError, ValueError) as error:
        found.add(f"the file cannot be read: {error}")


def _text_digests(file: Path, _header_lines: int) -> Iterator[str]:
    with file.open("rb") as lines:
        for line in lines:
            yield hashlib.sha256(line).hexdigest()


def _csv_digests(file: Path, header_lines: int) -> Iterator[str]:
    """Yield the digests of the records of a CSV file; one whose text has a newline goes on while a quote is open."""
    with file.open("rb") as lines:
        for _ in range(header_lines):
            next(lines, None)
        record, is_open = hashlib.sha256(), False
        for line in lines:
            record.update(line)
            is_open ^= line.count(b'"') % 2 == 1
            if not is_open:
                yield record.hexdigest()
                record = hashlib.sha256()
        if is_open:
            yield record.hexdigest()


def _parquet_digests(file: Path, _header_lines: int) -> Iterator[str]:
    """Yield the digest of each row's chat line."""
    with pq.ParquetFile(file) as rows:
        if "messages" not in rows.schema_arrow.names:
            raise ValueError(f"it has no column messages, but {', '.join(rows.schema_arrow.names)}")
        for batch in rows.iter_batches(columns=["messages"]):
            # What is read is not checked otherwise, and text that is no UTF-8 can be no text here.
            batch.validate(full=True)
            for messages in batch["messages"].to_pylist():
                yield hashlib.sha256(_row_line(messages)).hexdigest()


def _row_line(messages: Any) -> bytes:
    """Return the chat line of a row, and b"" for what makes none: no line that was exported is empty."""
    try:
        return chat_line(messages)
    except (KeyError, TypeError, ValueError):
        return b""


READERS: dict[str, Callable[[Path, int], Iterator[str]]] = {"csv": _csv_digests, "parquet": _parquet_digests}
