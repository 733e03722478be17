from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from workbench.lakehouse.engines import local

from .conftest import Run


def columns(sql: Run, table: str = "pairs") -> list[tuple[str, str]]:
    return [row[:2] for row in sql(f"DESCRIBE TABLE {table}") if row[0] and not row[0].startswith("#")][:9]


def test_create_keeps_comments_keys_and_properties(sql: Run, directory: Path) -> None:
    sql(
        "CREATE TABLE t (id STRING NOT NULL COMMENT 'it\\'s the key', d DECIMAL(10, 2) DEFAULT 1.5, "
        "CONSTRAINT t_pk PRIMARY KEY (id), CONSTRAINT t_u UNIQUE (id, d)) USING DELTA CLUSTER BY (id) COMMENT 'a table' TBLPROPERTIES ('owner' = 'Omar')"
    )
    table = DeltaTable(directory / "main" / "work" / "t")
    assert table.metadata().description == "a table"
    assert table.metadata().configuration["owner"] == "Omar"
    assert table.protocol().min_writer_version == 2
    assert sql("DESCRIBE t")[0] == ("id", "string", "it's the key")


@pytest.mark.parametrize(
    ("kind", "value"),
    [("STRING", "REPEAT('x', 100)"), ("INT", "7"), ("STRING", "NULL"), ("ARRAY<STRING>", "ARRAY('x')")],
)
def test_a_new_column_keeps_the_rows_whatever_the_first_column_is(kind: str, value: str, sql: Run) -> None:
    sql(f"CREATE TABLE t (first {kind}, id INT)")
    sql(f"INSERT INTO t VALUES ({value}, 1), ({value}, 2)")
    sql("ALTER TABLE t ADD COLUMN more INT")
    assert sql("SELECT id, more FROM t ORDER BY id") == [(1, None), (2, None)]


def test_create_twice(sql: Run) -> None:
    sql("CREATE TABLE t (id STRING)")
    sql("CREATE TABLE IF NOT EXISTS t (other INT)")
    with pytest.raises(local.ProgrammingError, match="ALREADY_EXISTS"):
        sql("CREATE TABLE t (id STRING)")
    assert columns(sql, "t") == [("id", "string")]


def test_create_as_select_and_replace(pairs: Run) -> None:
    pairs("CREATE TABLE big AS SELECT sheet, sum(n) AS total FROM pairs GROUP BY sheet")
    pairs("CREATE OR REPLACE TABLE big COMMENT 'now' AS SELECT id, n FROM pairs WHERE n > 1")
    assert pairs("SELECT * FROM big ORDER BY id") == [("b", 2), ("c", 3)]
    assert pairs("SELECT count(*) FROM big VERSION AS OF 1") == [(2,)]


def test_a_failed_create_as_select_leaves_no_table(pairs: Run) -> None:
    with pytest.raises(local.DataError):
        pairs("CREATE TABLE broken AS SELECT CAST(id AS INT) AS n FROM pairs")
    assert ("work", "broken", False) not in pairs("SHOW TABLES")


def test_add_column_to_a_table_with_rows(pairs: Run, directory: Path) -> None:
    pairs("ALTER TABLE pairs ADD COLUMNS (score DOUBLE COMMENT 'how good', tags ARRAY<STRING>)")
    assert pairs("SELECT id, score, tags FROM pairs WHERE sheet = 'invoices'") == [("c", None, None)]
    pairs("UPDATE pairs SET score = 0.5 WHERE id = 'a'")
    assert pairs("SELECT id FROM pairs WHERE score IS NOT NULL") == [("a",)]
    assert pl.read_delta(str(directory / "main" / "work" / "pairs"))["score"].null_count() == 2


def test_columns_are_dropped_renamed_and_retyped(pairs: Run) -> None:
    pairs("ALTER TABLE pairs RENAME COLUMN n TO amount")
    pairs("ALTER TABLE pairs ALTER COLUMN amount TYPE DECIMAL(10,2)")
    assert pairs("SELECT id, CAST(amount AS STRING) FROM pairs WHERE id = 'a'") == [("a", "1.00")]
    pairs("ALTER TABLE pairs DROP COLUMN amount")
    assert columns(pairs)[:2] == [("id", "string"), ("sheet", "string")]
    with pytest.raises(local.ProgrammingError, match="in a constraint"):
        pairs("ALTER TABLE pairs DROP COLUMN id")


def test_not_null_is_set_and_dropped(pairs: Run) -> None:
    pairs("INSERT INTO pairs VALUES ('d', 'pcb', NULL)")
    with pytest.raises(local.IntegrityError, match="1 rows"):
        pairs("ALTER TABLE pairs ALTER COLUMN n SET NOT NULL")
    pairs("DELETE FROM pairs WHERE n IS NULL")
    pairs("ALTER TABLE pairs ALTER COLUMN n SET NOT NULL")
    with pytest.raises(local.IntegrityError):
        pairs("INSERT INTO pairs (id, sheet) VALUES ('d', 'pcb')")
    pairs("ALTER TABLE pairs ALTER COLUMN n DROP NOT NULL")
    assert pairs("INSERT INTO pairs (id, sheet) VALUES ('d', 'pcb')") == 1


def test_defaults_are_set_and_dropped(pairs: Run) -> None:
    pairs("ALTER TABLE pairs ALTER COLUMN n SET DEFAULT 40 + 2")
    pairs("INSERT INTO pairs (id, sheet) VALUES ('d', 'pcb')")
    pairs("ALTER TABLE pairs ALTER COLUMN n DROP DEFAULT")
    pairs("INSERT INTO pairs (id, sheet) VALUES ('e', 'pcb')")
    assert pairs("SELECT n FROM pairs WHERE id IN ('d', 'e') ORDER BY id") == [(42,), (None,)]


def test_check_is_enforced_for_every_write(pairs: Run, directory: Path) -> None:
    with pytest.raises(local.IntegrityError, match="violate"):
        pairs("ALTER TABLE pairs ADD CONSTRAINT small CHECK (n < 3)")
    pairs("ALTER TABLE pairs ADD CONSTRAINT positive CHECK (n > 0 AND id RLIKE '^[a-z]')")
    for statement in (
        "INSERT INTO pairs VALUES ('d', 'pcb', 0)",
        "UPDATE pairs SET n = -n",
        "INSERT INTO pairs VALUES ('1', 'x', 1)",
    ):
        with pytest.raises(local.IntegrityError, match="positive"):
            pairs(statement)
    assert "delta.constraints.positive" in DeltaTable(directory / "main" / "work" / "pairs").metadata().configuration
    pairs("ALTER TABLE pairs DROP CONSTRAINT positive")
    assert pairs("INSERT INTO pairs VALUES ('d', 'pcb', 0)") == 1


def test_keys_are_added_and_dropped(pairs: Run) -> None:
    pairs("ALTER TABLE pairs ADD CONSTRAINT pairs_u UNIQUE (sheet, n)")
    text = "SELECT constraint_name, constraint_type FROM information_schema.table_constraints ORDER BY 1"
    assert pairs(text) == [("pairs_pk", "PRIMARY KEY"), ("pairs_u", "UNIQUE")]
    pairs("ALTER TABLE pairs DROP CONSTRAINT pairs_u")
    pairs("ALTER TABLE pairs DROP PRIMARY KEY")
    assert pairs(text) == []


def test_a_table_is_renamed_and_dropped(pairs: Run) -> None:
    pairs("ALTER TABLE pairs SET TAGS ('pii' = 'no')")
    pairs("ALTER TABLE pairs RENAME TO old_pairs")
    assert pairs("SELECT count(*) FROM old_pairs") == [(3,)]
    assert pairs("SELECT table_name FROM information_schema.table_tags") == [("old_pairs",)]
    pairs("DROP TABLE old_pairs")
    pairs("DROP TABLE IF EXISTS old_pairs")
    with pytest.raises(local.ProgrammingError, match="old_pairs"):
        pairs("DROP TABLE old_pairs")
    assert pairs("SELECT * FROM information_schema.table_tags") == []


def test_a_table_dropped_and_made_again_is_the_new_one(pairs: Run, directory: Path) -> None:
    with local.connect(directory, catalog="main", schema="work") as other:
        cursor = other.cursor()
        for number in range(10):
            cursor.execute("DROP TABLE pairs")
            cursor.execute(f"CREATE TABLE pairs (x{number} INT NOT NULL)")
            cursor.execute("INSERT INTO pairs VALUES (?)", [number])
            assert pairs(f"SELECT x{number} FROM pairs") == [(number,)]


def test_another_tools_table_is_visible_at_once(sql: Run, directory: Path) -> None:
    pl.DataFrame({"a": [1, 2]}).write_delta(str(directory / "main" / "work" / "theirs"))
    assert sql("SELECT sum(a) FROM theirs") == [(3,)]
    pl.DataFrame({"a": [3]}).write_delta(str(directory / "main" / "work" / "theirs"), mode="append")
    assert sql("SELECT sum(a) FROM theirs") == [(6,)]
    assert sql("UPDATE theirs SET a = 0 WHERE a > 1") == 2


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("ALTER TABLE pairs ADD COLUMN n INT", "n already"),
        ("ALTER TABLE pairs ADD COLUMN x INT DEFAULT 1", "SET DEFAULT"),
        ("ALTER TABLE pairs ADD COLUMN x INT NOT NULL", "nullable"),
        ("ALTER TABLE pairs FROBNICATE", "does not know"),
        ("CREATE TABLE t (a INT, A INT)", "name each once"),
        ("CREATE TABLE t (a INT) TBLPROPERTIES ('workbench.localPartition' = 'b')", "no columns"),
        ("CREATE TABLE t (a INT) USING PARQUET", "USING DELTA"),
        ("CREATE TABLE nowhere.t (a INT)", "nowhere"),
        ("CREATE TABLE `../../x` (a INT)", "name"),
        ("CREATE VIEW v AS SELECT 1", "VIEW"),
        ("ALTER TABLE pairs ALTER COLUMN n SET DEFAULT frob(1)", "frob"),
    ],
)
def test_what_cannot_be_done_says_why(pairs: Run, statement: str, words: str) -> None:
    with pytest.raises(local.DatabaseError, match=words):
        pairs(statement)


def test_optimize_and_vacuum(pairs: Run, directory: Path, connection: local.Connection) -> None:
    for number in range(5):
        pairs("INSERT INTO pairs VALUES (?, 'pcb', 0)", f"x{number}")
    connection.optimize("pairs", retain_hours=0)
    table = directory / "main" / "work" / "pairs"
    assert len(list(table.glob("sheet=pcb/*.parquet"))) == 1
    assert (table / "_delta_log" / "_last_checkpoint").exists()
    assert pairs("SELECT count(*) FROM pairs") == [(8,)]
    pairs("OPTIMIZE pairs")
    pairs("VACUUM pairs RETAIN 0 HOURS")
    assert pairs("SELECT count(*) FROM pairs") == [(8,)]


def test_checkpoints_come_by_themselves(pairs: Run, directory: Path) -> None:
    for number in range(25):
        pairs("UPDATE pairs SET n = ? WHERE id = 'a'", number)
    assert (directory / "main" / "work" / "pairs" / "_delta_log" / "_last_checkpoint").exists()
