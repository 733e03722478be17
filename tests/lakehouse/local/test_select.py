from __future__ import annotations

from pathlib import Path

import pytest

from workbench.lakehouse.engines import local

from .conftest import Run


@pytest.fixture
def arrays(sql: Run) -> Run:
    sql("CREATE TABLE items (id STRING, tags ARRAY<STRING>, m MAP<STRING, INT>, s STRUCT<x: INT, y: STRING>)")
    sql("INSERT INTO items SELECT 'a', array('p', 'q'), map('k', 1), named_struct('x', 1, 'y', 'z')")
    sql("INSERT INTO items SELECT 'b', from_json('[]', 'ARRAY<STRING>'), NULL, NULL")
    return sql


def test_lateral_view_explode(arrays: Run) -> None:
    found = arrays("SELECT id, tag FROM items LATERAL VIEW explode(tags) e AS tag WHERE id = ? ORDER BY tag", "a")
    assert found == [("a", "p"), ("a", "q")]


def test_one_thread_gives_rows_in_one_order(directory: Path) -> None:
    with local.connect(directory, catalog="main", schema="work", threads=1) as connection:
        cursor = connection.cursor().execute("CREATE TABLE n (id INT)")
        for number in range(6):
            cursor.execute("INSERT INTO n VALUES (?)", [number])
        found = {str(cursor.execute("SELECT a.id FROM n a JOIN n b ON a.id = b.id").fetchall()) for _ in range(10)}
    assert len(found) == 1


def test_a_plan_is_one_row_and_a_write_has_none(arrays: Run) -> None:
    ((plan,),) = arrays("EXPLAIN FORMATTED SELECT id FROM items WHERE id = ?", "a")
    assert "items" in plan or "READ_PARQUET" in plan
    with pytest.raises(local.NotSupportedError, match="Explain the query in it"):
        arrays("EXPLAIN DELETE FROM items WHERE id = 'a'")


def test_lateral_view_outer_keeps_empty_arrays(arrays: Run) -> None:
    found = arrays("SELECT id, pos, tag FROM items LATERAL VIEW OUTER posexplode(tags) e AS pos, tag ORDER BY id, pos")
    assert found == [("a", 0, "p"), ("a", 1, "q"), ("b", None, None)]


def test_lateral_view_of_a_map_and_of_structs(arrays: Run) -> None:
    assert arrays("SELECT k, v FROM items LATERAL VIEW explode(m) e AS k, v") == [("k", 1)]
    inline = "inline(from_json(?, 'ARRAY<STRUCT<a: INT, b: STRING>>'))"
    text = f"SELECT i.a, i.b FROM items LATERAL VIEW {inline} i AS a, b WHERE id = 'a'"
    assert arrays(text, '[{"a": 1, "b": "x"}]') == [(1, "x")]


def test_explode_in_the_select_list(arrays: Run) -> None:
    assert arrays("SELECT explode(tags) FROM items ORDER BY 1") == [("p",), ("q",)]
    assert arrays("SELECT id FROM items WHERE id IN (SELECT explode(from_json(?, 'ARRAY<STRING>')))", '["b"]') == [
        ("b",)
    ]


def test_structs_and_maps_come_as_dicts(arrays: Run) -> None:
    assert arrays("SELECT s, m, s.y FROM items WHERE id = 'a'") == [({"x": 1, "y": "z"}, {"k": 1}, "z")]


def test_common_table_expressions_shadow_tables(pairs: Run) -> None:
    assert pairs("WITH pairs AS (SELECT 1 AS one) SELECT * FROM pairs") == [(1,)]


def test_joins_and_set_operations(pairs: Run) -> None:
    assert pairs("SELECT p.id FROM pairs p LEFT ANTI JOIN pairs q ON p.id = q.id AND q.n > 1 ORDER BY 1") == [("a",)]
    assert pairs("SELECT id FROM pairs UNION SELECT 'z' EXCEPT SELECT 'a' ORDER BY id") == [("b",), ("c",), ("z",)]
    assert pairs("(SELECT id FROM pairs ORDER BY n DESC LIMIT 1) UNION ALL (SELECT 'x') ORDER BY 1") == [("c",), ("x",)]


def test_window_functions(pairs: Run) -> None:
    windows = "row_number() OVER (PARTITION BY sheet ORDER BY n DESC) AS r, sum(n) OVER (PARTITION BY sheet)"
    text = f"SELECT id, {windows} FROM pairs ORDER BY id"
    assert pairs(text) == [("a", 2, 3), ("b", 1, 3), ("c", 1, 3)]
    assert pairs("SELECT id FROM pairs QUALIFY rank() OVER (ORDER BY n DESC) = 1") == [("c",)]


def test_names_have_one_to_three_parts_in_any_case(pairs: Run) -> None:
    for name in ("pairs", "work.pairs", "main.work.pairs", "`MAIN`.`Work`.`PAIRS`"):
        assert pairs(f"SELECT count(*) FROM {name} WHERE {name}.ID = 'a'") == [(1,)]


def test_markers_keep_their_order(pairs: Run) -> None:
    text = "WITH a AS (SELECT ? AS x) SELECT ?, x, '?' FROM a WHERE ? = 3 LIMIT 1"
    assert pairs(text, "first", "second", 3) == [("second", "first", "?")]


def test_grouping_and_having(pairs: Run) -> None:
    assert pairs("SELECT sheet, count(*) AS c FROM pairs GROUP BY sheet HAVING c > 1") == [("pcb", 2)]
    assert pairs("SELECT sheet, count(*) FROM pairs GROUP BY ALL ORDER BY 1") == [("invoices", 1), ("pcb", 2)]


def test_pruning_never_hides_a_row(pairs: Run) -> None:
    pairs("INSERT INTO pairs VALUES ('d', 'x', 9)")
    assert pairs(
        "SELECT p.id, q.id FROM pairs p JOIN pairs q ON p.n > q.n WHERE p.sheet = ? AND q.sheet IN (?, 'none')",
        "x",
        "invoices",
    ) == [("d", "c")]
    assert pairs("SELECT count(*) FROM pairs WHERE sheet = 'x' OR n = 1") == [(2,)]
    assert pairs("SELECT count(*) FROM pairs WHERE NOT sheet = 'x'") == [(3,)]
    assert pairs("SELECT count(*) FROM (SELECT * FROM pairs) q WHERE sheet = 'x'") == [(1,)]
    assert pairs("SELECT p.id FROM pairs p LEFT JOIN pairs q ON p.id = q.id AND q.sheet = 'x' ORDER BY 1")[0] == ("a",)
    assert pairs("SELECT count(*) FROM pairs WHERE sheet = ?", None) == [(0,)]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("SELECT 1; SELECT 2", local.ProgrammingError, "2 statements"),
        ("SELEC 1", local.ProgrammingError, "PARSE_SYNTAX_ERROR"),
        ("SELECT * FROM pair", local.ProgrammingError, "did you mean main.work.pairs"),
        ("SELECT * FROM wrok.pairs", local.ProgrammingError, "did you mean main.work"),
        ("SELECT * FROM mian.work.pairs", local.ProgrammingError, "did you mean main"),
        ("SELECT idd FROM pairs", local.ProgrammingError, "id"),
        ("SELECT ? FROM pairs", local.ProgrammingError, "0 parameters for 1 markers"),
        ("SELECT * FROM pairs TABLESAMPLE (5 ROWS)", local.NotSupportedError, "TABLESAMPLE"),
        ("SELECT * FROM parquet.`/etc/passwd`", local.ProgrammingError, "a volume path is"),
        ("COPY INTO pairs FROM '/x' FILEFORMAT = CSV", local.NotSupportedError, "COPY"),
        ("FROB pairs", local.DatabaseError, "FROB"),
    ],
)
def test_errors_say_what_and_what_instead(pairs: Run, text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        pairs(text)


def test_a_doubled_quote_is_refused_because_spark_versions_differ(sql: Run) -> None:
    with pytest.raises(local.NotSupportedError, match="versions"):
        sql("SELECT 'it''s'")
    assert sql(r"SELECT 'it\'s', 'a\\b', 'tab\t', r'\d', 'x' 'y'") == [("it's", "a\\b", "tab\t", "\\d", "xy")]


def test_a_common_table_expression_reads_the_table_of_its_own_name(pairs: Run) -> None:
    assert pairs("WITH pairs AS (SELECT id FROM pairs WHERE n = 1) SELECT * FROM pairs") == [("a",)]
