"""The chain of the audit: the hash of a row, and what is wrong with a chain. No database inside."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.canonical import canonical_bytes

Row = Mapping[str, Any]


def hash_of(row: Row) -> str:
    """Return the SHA-256, in hex, of the canonical JSON of all columns but `row_hash`."""
    return hashlib.sha256(
        canonical_bytes({name: value for name, value in row.items() if name != "row_hash"})
    ).hexdigest()


@dataclass(frozen=True)
class Head:
    """The newest row that the default database knows, and the hashes of rows that processes announced after it."""

    sequence: int = 0
    row_hash: str = ""
    announced: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Fault:
    """What is wrong at a place of the chain; `id` is the row's, where there is one."""

    sequence: int | None
    id: str
    words: str

    def __str__(self) -> str:
        place = "Without a place" if self.sequence is None else f"Row {self.sequence:,}"
        return f"{place}{f' ({self.id})' if self.id else ''}: {self.words}"


def faults(rows: Iterable[Row], head: Head, head_after: Callable[[], Head] | None = None) -> Iterator[Fault]:
    """Yield every fault of the chain; `rows` are in the order of `sequence`, those without one first.

    A row is whole when its hash is that of its columns; the chain is when each row carries the hash of the one before
    and the places count from 1; the end is when it is the one that the default database knows, as `head` before the rows
    were read or as `head_after` gives it once they are: others may append meanwhile.
    """
    place, previous, last = 0, "", ""
    for row in rows:
        at = row["sequence"]
        if at is None:
            yield Fault(None, row["id"], "was slipped in: it is not part of the chain.")
            continue
        if at <= place:
            yield Fault(at, row["id"], "was slipped in: its place was taken already.")
            continue
        if at > place + 1:
            missing = f"row {place + 1:,} was" if at == place + 2 else f"rows {place + 1:,} to {at - 1:,} were"
            yield Fault(at, row["id"], f"{missing} removed before it.")
        elif row["previous_hash"] != previous:
            yield Fault(at, row["id"], "does not carry the hash of the row before: that one was replaced, or this one.")
        if hash_of(row) != row["row_hash"]:
            yield Fault(at, row["id"], "was changed: its hash is not that of its columns.")
        if at == head.sequence and row["row_hash"] != head.row_hash:
            yield Fault(at, row["id"], "is not the row that the default database knows at this place: it was replaced.")
        place, previous, last = at, row["row_hash"], row["id"]
    yield from _end_faults(place, previous, last, head, head_after() if head_after else head)


def _end_faults(place: int, row_hash: str, last: str, head: Head, after: Head) -> Iterator[Fault]:
    if place < head.sequence:
        yield Fault(
            head.sequence,
            "",
            f"was removed: the table ends with row {place:,}, and the default database knows this one.",
        )
    if place > after.sequence and row_hash not in head.announced | after.announced:
        yield Fault(
            place,
            last,
            f"was slipped in, or the default database is older than the table: that knows {after.sequence:,} rows. "
            "After restoring it from a backup, look at the rows since, then take them as the truth with "
            "`manage.py verify_audit --adopt`.",
        )
