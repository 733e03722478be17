from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from workbench.lakehouse.engines import local

from .conftest import Run


def test_insert_counts_its_rows_and_is_one_commit(pairs: Run) -> None:
    assert pairs("INSERT INTO pairs VALUES (?, ?, ?), ('e', 'pcb', 5)", "d", "pcb", 4) == 2
    assert pairs("DESCRIBE HISTORY pairs")[0][0] == 2


def test_another_reader_sees_the_rows(pairs: Run, directory: Path) -> None:
    found = pl.read_delta(str(directory / "main" / "work" / "pairs"))
    assert sorted(found.select("id", "sheet", "n").rows()) == [("a", "pcb", 1), ("b", "pcb", 2), ("c", "invoices", 3)]


def test_a_column_left_out_takes_its_default(sql: Run) -> None:
    sql("CREATE TABLE t (id STRING, n INT DEFAULT 7, note STRING)")
    sql("INSERT INTO t (id) VALUES ('a')")
    sql("INSERT INTO t VALUES ('b', DEFAULT, 'x')")
    assert sql("SELECT * FROM t ORDER BY id") == [("a", 7, None), ("b", 7, "x")]


def test_insert_from_a_query(pairs: Run) -> None:
    assert (
        pairs("INSERT INTO pairs (n, id, sheet) SELECT n * 10, concat(id, '2'), sheet FROM pairs WHERE n > ?", 1) == 2
    )
    assert pairs("SELECT id, n FROM pairs WHERE n > 9 ORDER BY id") == [("b2", 20), ("c2", 30)]


def test_insert_from_one_json_parameter(pairs: Run) -> None:
    rows = '[{"id": "x", "sheet": "pcb", "n": 8}, {"id": "y", "sheet": "pcb", "n": null}]'
    statement = (
        "INSERT INTO pairs (id, sheet, n) SELECT id, sheet, n FROM "
        "(SELECT inline(from_json(?, 'ARRAY<STRUCT<id: STRING, sheet: STRING, n: BIGINT>>')))"
    )
    assert pairs(statement, rows) == 2
    assert pairs("SELECT id, n FROM pairs WHERE id >= 'x' ORDER BY id") == [("x", 8), ("y", None)]


def test_nothing_to_insert_makes_no_commit(pairs: Run) -> None:
    assert pairs("INSERT INTO pairs SELECT * FROM pairs WHERE false") == 0
    assert pairs("DESCRIBE HISTORY pairs")[0][0] == 1


def test_insert_overwrite_replaces_everything(pairs: Run) -> None:
    pairs("INSERT OVERWRITE pairs SELECT 'z', 'pcb', 9")
    assert pairs("SELECT * FROM pairs") == [("z", "pcb", 9)]


def test_null_in_a_not_null_column_changes_nothing(pairs: Run) -> None:
    with pytest.raises(local.IntegrityError, match=r"NULL for the column id of main\.work\.pairs"):
        pairs("INSERT INTO pairs VALUES ('d', 'pcb', 1), (NULL, 'pcb', 2)")
    assert pairs("SELECT count(*) FROM pairs") == [(3,)]


def test_an_empty_partition_value_is_refused(pairs: Run) -> None:
    with pytest.raises(local.DataError, match="empty string"):
        pairs("INSERT INTO pairs VALUES ('d', '', 1)")


def test_too_few_values(pairs: Run) -> None:
    with pytest.raises(local.ProgrammingError, match="2 values for 3 columns"):
        pairs("INSERT INTO pairs VALUES ('d', 'pcb')")


def test_too_many_columns(pairs: Run) -> None:
    with pytest.raises(local.ProgrammingError, match="3 columns for 1 columns"):
        pairs("INSERT INTO pairs (id) SELECT * FROM pairs")


ODD = [
    "a b/c",
    "ü%:=",
    "50%",
    "it's",
    "__x",
    "日本",
    "a\\b",
    "p=q",
    "NULL",
    "null",
    "true",
    "007",
    "2020-01-01",
    ".x",
    " y ",
]


@pytest.mark.parametrize("sheet", ODD)
def test_any_text_is_a_partition(pairs: Run, directory: Path, sheet: str) -> None:
    pairs("INSERT INTO pairs VALUES ('d', ?, 4)", sheet)
    assert pairs("UPDATE pairs SET n = 5 WHERE sheet = ?", sheet) == 1
    assert pairs("SELECT sheet, n FROM pairs WHERE sheet = ?", sheet) == [(sheet, 5)]
    assert sheet in pl.read_delta(str(directory / "main" / "work" / "pairs"))["sheet"].to_list()


def test_what_one_lakehouse_took_another_may_refuse(sql: Run, tmp_path: Path) -> None:
    statements = ("CREATE TABLE kept (id STRING, n INT)", "CREATE TABLE given (id STRING, n INT)")
    text = "INSERT INTO kept SELECT * FROM given"
    for statement in statements:
        sql(statement)
    assert sql(text) == 0
    (tmp_path / "other/main/work").mkdir(parents=True)
    with local.connect(tmp_path / "other", catalog="main", schema="work") as other:
        for statement in (statements[0], "CREATE TABLE given (id STRING, n INT, more INT)"):
            other.cursor().execute(statement)
        with pytest.raises(local.DatabaseError, match="Found 3 columns for 2 columns"):
            other.cursor().execute(text)
