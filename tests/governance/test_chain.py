"""Whatever is done to rows of the audit past the workbench, the chain shows it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.chain import Head, faults, hash_of

Rows = list[dict[str, Any]]
NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


def chain(length: int) -> Rows:
    rows: Rows = []
    for place in range(1, length + 1):
        row = {
            "id": f"row-{place}", "sequence": place, "reason": "Contains PHI", "new_prohibited_uses": ["training"],
            "modified_at": NOW, "previous_hash": rows[-1]["row_hash"] if rows else "",
        }  # fmt: skip
        rows.append({**row, "row_hash": hash_of(row)})
    return rows


def head_of(rows: Rows) -> Head:
    return Head(rows[-1]["sequence"], rows[-1]["row_hash"])


def words(rows: Rows, head: Head) -> list[str]:
    return [str(fault) for fault in faults(rows, head)]


def test_a_whole_chain_has_no_fault() -> None:
    rows = chain(5)
    assert words(rows, head_of(rows)) == [] == words([], Head())


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 5),
    st.sampled_from(["id", "reason", "new_prohibited_uses", "modified_at", "previous_hash", "row_hash"]),
)
def test_a_changed_column_is_found(at: int, column: str) -> None:
    rows = chain(6)
    head = head_of(rows)
    changed = {"new_prohibited_uses": [], "modified_at": NOW.replace(microsecond=7)}.get(column, "another")
    rows[at] = {**rows[at], column: changed}
    assert any(f"Row {at + 1}" in each or f"Row {at + 2}" in each for each in words(rows, head))


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 6), st.integers(1, 6))
def test_a_removed_piece_is_found_wherever_it_was(start: int, length: int) -> None:
    rows = chain(6)
    assert words(rows[: start - 1] + rows[start - 1 + length :], head_of(rows))


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 6))
def test_a_rewritten_rest_is_found_by_the_head(at: int) -> None:
    """Who changes a row and hashes all the rest anew still does not have the hash that the default database knows."""
    rows = chain(6)
    head = head_of(rows)
    rows[at - 1]["reason"] = "another"
    for before, row in zip([{"row_hash": ""}, *rows], rows, strict=False):
        row["previous_hash"] = before["row_hash"]
        row["row_hash"] = hash_of(row)
    assert words(rows, head) == [f"Row 6 (row-6): {REPLACED}"]


REPLACED = "is not the row that the default database knows at this place: it was replaced."


@pytest.mark.parametrize(
    ("slipped", "said"),
    [
        ({"sequence": None}, "Without a place (new): was slipped in: it is not part of the chain."),
        ({"sequence": 3}, "Row 3 (new): was slipped in: its place was taken already."),
    ],
)
def test_a_row_beside_the_chain_is_named(slipped: dict[str, Any], said: str) -> None:
    rows = chain(3)
    new = {**rows[-1], "id": "new", **slipped}
    assert words([new, *rows] if new["sequence"] is None else [*rows, new], head_of(rows)) == [said]


def test_a_row_after_the_end_is_slipped_in_unless_its_process_announced_it() -> None:
    rows = chain(4)
    known = head_of(rows[:3])
    assert "was slipped in, or the default database is older" in words(rows, known)[0]
    assert words(rows, Head(known.sequence, known.row_hash, frozenset({rows[3]["row_hash"]}))) == []


def test_what_others_append_while_it_is_read_is_no_fault() -> None:
    rows = chain(4)
    assert list(faults(rows, head_of(rows[:2]), lambda: head_of(rows))) == []
    assert list(faults(rows, head_of(rows), lambda: head_of(chain(6)))) == []
