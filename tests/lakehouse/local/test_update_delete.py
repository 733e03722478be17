from __future__ import annotations

import pytest

from workbench.lakehouse.engines import local

from .conftest import Run


def test_update_counts_the_rows_it_matched(pairs: Run) -> None:
    assert pairs("UPDATE pairs SET n = n + ? WHERE sheet = ?", 10, "pcb") == 2
    assert pairs("SELECT id, n FROM pairs ORDER BY id") == [("a", 11), ("b", 12), ("c", 3)]


def test_update_leaves_files_of_other_partitions_alone(pairs: Run) -> None:
    before = dict(pairs("SELECT sheet, count(*) FROM pairs GROUP BY sheet"))
    pairs("UPDATE pairs SET n = 0 WHERE id = 'a'")
    assert dict(pairs("SELECT sheet, count(*) FROM pairs GROUP BY sheet")) == before


def test_update_of_nothing_makes_no_commit(pairs: Run) -> None:
    assert pairs("UPDATE pairs SET n = 1 WHERE id = 'nobody'") == 0
    assert pairs("DESCRIBE HISTORY pairs")[0][0] == 1


def test_update_moves_a_row_to_another_partition(pairs: Run) -> None:
    pairs("UPDATE pairs SET sheet = 'new', id = 'z' WHERE id = 'a'")
    assert pairs("SELECT * FROM pairs WHERE sheet = 'new'") == [("z", "new", 1)]
    assert pairs("SELECT count(*) FROM pairs") == [(3,)]


def test_update_by_correlated_subquery(pairs: Run) -> None:
    pairs(
        "UPDATE pairs p SET n = (SELECT max(q.n) FROM pairs q WHERE q.sheet = p.sheet) "
        "WHERE p.id IN (SELECT id FROM pairs)"
    )
    assert pairs("SELECT id, n FROM pairs ORDER BY id") == [("a", 2), ("b", 2), ("c", 3)]


def test_update_swaps_columns_by_their_old_values(sql: Run) -> None:
    sql("CREATE TABLE t (a INT, b INT)")
    sql("INSERT INTO t VALUES (1, 2)")
    sql("UPDATE t SET a = b, b = a")
    assert sql("SELECT * FROM t") == [(2, 1)]


def test_update_to_null_of_a_not_null_column(pairs: Run) -> None:
    with pytest.raises(local.IntegrityError, match="NOT NULL"):
        pairs("UPDATE pairs SET sheet = NULL WHERE id = 'a'")


def test_update_names_a_near_column(pairs: Run) -> None:
    with pytest.raises(local.ProgrammingError, match="did you mean sheet"):
        pairs("UPDATE pairs SET sheat = 'x'")


def test_duplicate_rows_are_told_apart(sql: Run) -> None:
    sql("CREATE TABLE t (a INT, b INT)")
    sql("INSERT INTO t VALUES (1, 1), (1, 1), (1, 1)")
    assert sql("UPDATE t SET b = 2 WHERE a = 1") == 3
    assert sql("SELECT * FROM t") == [(1, 2)] * 3


def test_delete_counts_and_keeps_the_rest(pairs: Run) -> None:
    assert pairs("DELETE FROM pairs WHERE n IN (SELECT max(n) FROM pairs) OR id = ?", "a") == 2
    assert pairs("SELECT id FROM pairs") == [("b",)]


def test_delete_keeps_rows_whose_condition_is_null(sql: Run) -> None:
    sql("CREATE TABLE t (a INT)")
    sql("INSERT INTO t VALUES (1), (NULL)")
    assert sql("DELETE FROM t WHERE a > 0") == 1
    assert sql("SELECT * FROM t") == [(None,)]


def test_delete_everything_and_truncate(pairs: Run) -> None:
    assert pairs("DELETE FROM pairs") == 3
    assert pairs("DELETE FROM pairs") == 0
    pairs("INSERT INTO pairs VALUES ('a', 'pcb', 1)")
    assert pairs("TRUNCATE TABLE pairs") == 1
    assert pairs("SELECT * FROM pairs") == []


def test_history_names_the_statement(pairs: Run) -> None:
    pairs("DELETE FROM pairs WHERE id = 'a'")
    pairs("UPDATE pairs SET n = 0")
    assert [row[2] for row in pairs("DESCRIBE HISTORY pairs LIMIT 3")] == ["UPDATE", "DELETE", "INSERT"]


def test_an_older_version_can_be_read(pairs: Run) -> None:
    pairs("DELETE FROM pairs")
    assert pairs("SELECT count(*) FROM pairs VERSION AS OF 1") == [(3,)]
