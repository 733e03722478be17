from __future__ import annotations

import pytest

from workbench.lakehouse.engines import local

from .conftest import Run


def test_upsert_is_one_commit(pairs: Run) -> None:
    statement = (
        "MERGE INTO pairs AS t USING (SELECT ? AS id, ? AS sheet, ? AS n UNION ALL SELECT 'd', 'pcb', 4) AS s "
        "ON t.id = s.id AND t.sheet = s.sheet WHEN MATCHED THEN UPDATE SET n = s.n "
        "WHEN NOT MATCHED THEN INSERT (id, sheet, n) VALUES (s.id, s.sheet, s.n)"
    )
    assert pairs(statement, "a", "pcb", 100) == 2
    assert pairs("SELECT id, n FROM pairs ORDER BY id") == [("a", 100), ("b", 2), ("c", 3), ("d", 4)]
    assert pairs("DESCRIBE HISTORY pairs")[0][0] == 2


def test_first_clause_that_holds_wins(pairs: Run) -> None:
    changed = pairs(
        "MERGE INTO pairs t USING pairs s ON t.id = s.id WHEN MATCHED AND t.n = 1 THEN DELETE "
        "WHEN MATCHED AND t.n < 3 THEN UPDATE SET t.n = s.n + 40"
    )
    assert changed == 2
    assert pairs("SELECT id, n FROM pairs ORDER BY id") == [("b", 42), ("c", 3)]


def test_star_clauses(pairs: Run) -> None:
    pairs(
        "CREATE TABLE news AS SELECT 'a' AS id, 'pcb' AS sheet, CAST(9 AS BIGINT) AS n UNION ALL SELECT 'z', 'pcb', 8"
    )
    pairs(
        "MERGE INTO pairs USING news ON pairs.id = news.id "
        "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
    )
    assert pairs("SELECT id, n FROM pairs ORDER BY id") == [("a", 9), ("b", 2), ("c", 3), ("z", 8)]


def test_rows_that_the_source_lacks(pairs: Run) -> None:
    pairs(
        "MERGE INTO pairs t USING (SELECT 'a' AS id) s ON t.id = s.id "
        "WHEN NOT MATCHED BY SOURCE AND t.n = 2 THEN DELETE WHEN NOT MATCHED BY SOURCE THEN UPDATE SET n = 0"
    )
    assert pairs("SELECT id, n FROM pairs ORDER BY id") == [("a", 1), ("c", 0)]


def test_null_keys_never_match(sql: Run) -> None:
    sql("CREATE TABLE t (k STRING, n INT)")
    sql("INSERT INTO t VALUES (NULL, 1)")
    sql(
        "MERGE INTO t USING (SELECT CAST(NULL AS STRING) AS k) s ON t.k = s.k WHEN MATCHED THEN DELETE "
        "WHEN NOT MATCHED THEN INSERT (k, n) VALUES (s.k, 2)"
    )
    assert sql("SELECT n FROM t ORDER BY n") == [(1,), (2,)]


def test_two_source_rows_for_one_row_are_an_error(pairs: Run) -> None:
    with pytest.raises(local.DatabaseError, match="MULTIPLE_SOURCE_ROW"):
        pairs(
            "MERGE INTO pairs t USING (SELECT 'a' AS id, 1 AS n UNION ALL SELECT 'a', 2) s ON t.id = s.id "
            "WHEN MATCHED THEN UPDATE SET n = s.n"
        )
    assert pairs("SELECT n FROM pairs WHERE id = 'a'") == [(1,)]


def test_a_lone_delete_may_match_twice(pairs: Run) -> None:
    source = "(SELECT 'a' AS id UNION ALL SELECT 'a')"
    assert pairs(f"MERGE INTO pairs t USING {source} s ON t.id = s.id WHEN MATCHED THEN DELETE") == 1


def test_raise_error_aborts_the_whole_statement(pairs: Run) -> None:
    statement = (
        "MERGE INTO pairs t USING (SELECT 'a' AS id UNION ALL SELECT 'new') s ON t.id = s.id "
        "WHEN MATCHED THEN UPDATE SET id = raise_error('duplicate key in pairs') "
        "WHEN NOT MATCHED THEN INSERT (id, sheet) VALUES (s.id, 'pcb')"
    )
    with pytest.raises(local.IntegrityError, match="duplicate key in pairs"):
        pairs(statement)
    assert pairs("SELECT count(*) FROM pairs") == [(3,)]


def test_an_insert_only_merge_of_known_rows_makes_no_commit(pairs: Run) -> None:
    assert pairs("MERGE INTO pairs t USING pairs s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *") == 0
    assert pairs("DESCRIBE HISTORY pairs")[0][0] == 1


def test_a_source_with_a_common_table_expression(pairs: Run) -> None:
    pairs(
        "MERGE INTO main.work.pairs USING (WITH x AS (SELECT 'a' AS id, 7 AS n) SELECT * FROM x) s "
        "ON main.work.pairs.id = s.id WHEN MATCHED THEN UPDATE SET n = s.n"
    )
    assert pairs("SELECT n FROM pairs WHERE id = 'a'") == [(7,)]
