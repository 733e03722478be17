from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from workbench.lakehouse.engines import local

from .conftest import Run

KEYS = [["id"], ["sheet", "n"]]


def rows(*found: tuple[Any, ...]) -> pa.Table:
    return pa.table(
        {name: list(values) for name, values in zip(("id", "sheet", "n"), zip(*found, strict=True), strict=True)}
    )


def test_new_rows_are_one_commit(pairs: Run, connection: local.Connection) -> None:
    assert connection.append_unique("pairs", rows(("d", "pcb", 9), ("e", "new", None)), KEYS) == 2
    assert pairs("SELECT count(*) FROM pairs") == [(5,)]
    assert pairs("DESCRIBE HISTORY pairs")[0][0] == 2


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([("d", "x", 1), ("a", "x", 2)], r"main\.work\.pairs \(id\) = \('a'\) exists already"),
        ([("d", "pcb", 2)], r"\(sheet, n\) = \('pcb', 2\) exists already"),
        ([("d", "x", 1), ("d", "x", 2)], r"\(id\) = \('d'\) comes twice"),
    ],
)
def test_a_clash_names_table_columns_and_value(
    pairs: Run, connection: local.Connection, found: list[tuple[Any, ...]], words: str
) -> None:
    with pytest.raises(local.IntegrityError, match=words):
        connection.append_unique(("main", "work", "pairs"), rows(*found), KEYS)
    assert pairs("SELECT count(*) FROM pairs") == [(3,)]


def test_nulls_do_not_clash(pairs: Run, connection: local.Connection) -> None:
    for name in "de":
        assert connection.append_unique("pairs", rows((name, "pcb", None), (name * 2, "pcb", None)), KEYS) == 2


def test_ignore_skips_rows_that_clash(pairs: Run, connection: local.Connection) -> None:
    found = rows(("a", "z", 1), ("d", "pcb", 1), ("e", "z", 5), ("f", "z", 5), ("e", "z", 6))
    assert connection.append_unique("pairs", found, KEYS, "ignore") == 1
    assert pairs("SELECT id, sheet, n FROM pairs WHERE id NOT IN ('a', 'b', 'c')") == [("e", "z", 5)]


def test_update_changes_the_named_columns_only(pairs: Run, connection: local.Connection) -> None:
    found = rows(("a", "elsewhere", 70), ("d", "pcb", 4))
    assert connection.append_unique("pairs", found, [["id"]], "update", ["n"], ["id"]) == 2
    assert pairs("SELECT * FROM pairs ORDER BY id") == [
        ("a", "pcb", 70),
        ("b", "pcb", 2),
        ("c", "invoices", 3),
        ("d", "pcb", 4),
    ]


def test_update_still_refuses_a_clash_on_another_key(pairs: Run, connection: local.Connection) -> None:
    with pytest.raises(local.IntegrityError, match=r"\(sheet, n\)"):
        connection.append_unique("pairs", rows(("new", "pcb", 2)), KEYS, "update", ["n"], ["id"])
    with pytest.raises(local.IntegrityError, match=r"\(sheet, n\)"):
        connection.append_unique("pairs", rows(("a", "pcb", 2)), KEYS, "update", ["n"], ["id"])
    assert connection.append_unique("pairs", rows(("a", "pcb", 1)), KEYS, "update", ["n"], ["id"]) == 1


def test_a_plain_insert_is_not_guarded(pairs: Run) -> None:
    assert pairs("INSERT INTO pairs VALUES ('a', 'pcb', 1)") == 1


def test_append_streams_batches_and_fills_columns(pairs: Run, connection: local.Connection) -> None:
    batches = [pa.record_batch({"id": [f"r{i}"], "sheet": ["big"]}) for i in range(100)]
    reader = pa.RecordBatchReader.from_batches(batches[0].schema, batches)
    assert connection.append("pairs", reader) == 100
    assert pairs("SELECT count(*), max(n) FROM pairs WHERE sheet = 'big'") == [(100, None)]


def test_append_checks_columns_and_constraints(pairs: Run, connection: local.Connection) -> None:
    with pytest.raises(local.ProgrammingError, match="did you mean sheet"):
        connection.append("pairs", pa.table({"id": ["x"], "sheeet": ["y"]}))
    with pytest.raises(local.IntegrityError, match="NOT NULL"):
        connection.append("pairs", pa.table({"id": ["x"]}))
    with pytest.raises(local.DataError):
        connection.append("pairs", pa.table({"id": ["x"], "sheet": ["y"], "n": ["many"]}))


def test_an_unknown_action_is_refused(pairs: Run, connection: local.Connection) -> None:
    with pytest.raises(local.ProgrammingError, match="allowed: error, ignore, or update"):
        connection.append_unique("pairs", rows(("x", "y", 1)), KEYS, "overwrite")
