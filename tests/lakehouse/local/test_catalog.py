from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from workbench.lakehouse.engines import local
from workbench.lakehouse.engines.local import volumes

from .conftest import Run


@pytest.fixture
def medical(sql: Run) -> Run:
    """The catalog `med` with a schema, a volume and a table, tagged and commented."""
    sql("CREATE CATALOG med COMMENT 'hospital'")
    sql("CREATE SCHEMA IF NOT EXISTS med.raw COMMENT 'as it came'")
    sql("CREATE VOLUME med.raw.scans")
    sql("CREATE TABLE med.raw.invoices (id STRING NOT NULL, total DECIMAL(10,2) COMMENT 'in euro', tags ARRAY<STRING>)")
    sql("ALTER TABLE med.raw.invoices SET TAGS ('data_classification' = 'phi', 'reviewed')")
    sql("ALTER TABLE med.raw.invoices ALTER COLUMN total SET TAGS ('unit' = 'EUR')")
    return sql


def test_columns_are_described(medical: Run) -> None:
    names = "column_name, ordinal_position, full_data_type, data_type, is_nullable, comment"
    text = f"SELECT {names} FROM med.information_schema.columns"
    assert medical(text) == [
        ("id", 1, "string", "STRING", "NO", None),
        ("total", 2, "decimal(10,2)", "DECIMAL", "YES", "in euro"),
        ("tags", 3, "array<string>", "ARRAY", "YES", None),
    ]


def test_tags_join_with_tables(medical: Run) -> None:
    text = (
        "SELECT t.table_name, g.tag_name, g.tag_value FROM system.information_schema.tables AS t "
        "JOIN system.information_schema.table_tags AS g ON t.table_catalog = g.catalog_name AND t.table_name = g.table_name WHERE t.table_schema = ? ORDER BY 2"
    )
    assert medical(text, "raw") == [("invoices", "data_classification", "phi"), ("invoices", "reviewed", "")]
    assert medical("SELECT column_name, tag_value FROM med.information_schema.column_tags") == [("total", "EUR")]


def test_tags_of_everything_else(medical: Run) -> None:
    for kind, name in (("CATALOG", "med"), ("SCHEMA", "med.raw"), ("VOLUME", "med.raw.scans")):
        medical(f"ALTER {kind} {name} SET TAGS ('k' = 'v')")
        assert medical(f"SELECT tag_name, tag_value FROM med.information_schema.{kind.lower()}_tags") == [("k", "v")]
    medical("SET TAG ON TABLE med.raw.invoices owner = 'omar'")
    medical("ALTER TABLE med.raw.invoices UNSET TAGS ('reviewed', 'owner')")
    assert medical("SELECT tag_name FROM med.information_schema.table_tags") == [("data_classification",)]


def test_comments(medical: Run) -> None:
    medical("COMMENT ON TABLE med.raw.invoices IS 'one page each'")
    medical("COMMENT ON COLUMN med.raw.invoices.id IS 'the \"id\"'")
    assert medical("SELECT comment FROM med.information_schema.tables") == [("one page each",)]
    assert medical("SELECT comment FROM med.information_schema.columns WHERE column_name = 'id'") == [('the "id"',)]
    assert medical("SELECT catalog_name, comment FROM system.information_schema.catalogs ORDER BY 1")[1] == (
        "med",
        "hospital",
    )
    assert medical("SELECT schema_name, comment FROM med.information_schema.schemata") == [("raw", "as it came")]


def test_keys_are_listed(pairs: Run) -> None:
    assert pairs("SELECT constraint_name, table_name, column_name FROM main.information_schema.key_column_usage") == [
        ("pairs_pk", "pairs", "id")
    ]
    assert pairs("SELECT column_name, constraint_name FROM information_schema.constraint_column_usage") == [
        ("id", "pairs_pk")
    ]
    assert pairs("SELECT partition_index FROM information_schema.columns WHERE column_name = 'sheet'") == [(1,)]


def test_show_and_use(medical: Run) -> None:
    assert medical("SHOW CATALOGS") == [("main",), ("med",)]
    assert medical("SHOW SCHEMAS IN med") == [("raw",)]
    assert medical("SHOW TABLES IN med.raw") == [("raw", "invoices", False)]
    medical("USE CATALOG med")
    medical("USE SCHEMA raw")
    assert medical("SHOW COLUMNS IN invoices") == [("id",), ("total",), ("tags",)]
    assert medical("SHOW VOLUMES") == [("raw", "scans")]


def test_drop_wants_cascade_for_what_is_not_empty(medical: Run) -> None:
    with pytest.raises(local.ProgrammingError, match="add CASCADE"):
        medical("DROP SCHEMA med.raw")
    medical("DROP VOLUME med.raw.scans")
    medical("DROP SCHEMA med.raw CASCADE")
    medical("DROP CATALOG med")
    medical("DROP CATALOG IF EXISTS med")
    assert medical("SHOW CATALOGS") == [("main",)]
    assert medical("SELECT * FROM system.information_schema.table_tags") == []


def test_a_volume_path_stays_in_its_volume(
    medical: Run, connection: local.Connection, directory: Path, tmp_path: Path
) -> None:
    root = directory / "Volumes" / "med" / "raw" / "scans"
    assert volumes.resolve(connection.layout, "/Volumes/med/raw/scans/a/b.pdf") == root.resolve() / "a" / "b.pdf"
    (root / "out").symlink_to(tmp_path)
    for path in (
        "/Volumes/med/raw/scans/../../../x",
        "/Volumes/med/raw/scans/out/x",
        "/etc/passwd",
        "/Volumes/med/raw/scan/x",
    ):
        with pytest.raises(local.ProgrammingError):
            volumes.resolve(connection.layout, path)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("CREATE SCHEMA main.work", "exists already"),
        ("CREATE SCHEMA nowhere.x", "nowhere"),
        ("CREATE SCHEMA main.information_schema", "system"),
        ("ALTER TABLE main.work.nothing SET TAGS ('a' = 'b')", "nothing"),
        ("SELECT * FROM main.information_schema.tabels", "did you mean information_schema.tables"),
        ("USE CATALOG mian", "did you mean main"),
        ("SHOW TABLES IN main.wrok", "did you mean main.work"),
        ("DROP VOLUME main.work.none", "none"),
    ],
)
def test_unknown_names_are_explained(sql: Run, statement: str, words: str) -> None:
    with pytest.raises(local.ProgrammingError, match=words):
        sql(statement)


def test_a_command_takes_no_parameters(sql: Run) -> None:
    with pytest.raises(local.ProgrammingError, match="literals"):
        sql("CREATE SCHEMA main.x COMMENT ?", "y")


def test_a_question_about_one_table_opens_no_other(medical: Run, connection: local.Connection, directory: Path) -> None:
    write_deltalake(directory / "med/raw/theirs", pa.table({"a": [1]}))
    text = "SELECT column_name FROM med.information_schema.columns WHERE table_name = ? ORDER BY 1"
    assert medical(text, "invoices") == [("id",), ("tags",), ("total",)]
    assert medical(text, "nowhere") == []
    assert "theirs" not in {name.table for name in connection.engine._snapshots}
    assert medical(text, "theirs") == [("a",)]


def test_a_table_that_cannot_be_read_is_listed_with_its_reason(medical: Run, directory: Path) -> None:
    (directory / "med/raw/broken/_delta_log").mkdir(parents=True)
    (directory / "med/raw/broken/_delta_log/00000000000000000000.json").write_text("no log")
    text = (
        "SELECT table_name, is_insertable_into FROM med.information_schema.tables WHERE comment LIKE '%cannot be read%'"
    )
    assert medical(text) == [("broken", "NO")]
    assert medical("SELECT DISTINCT table_name FROM med.information_schema.columns") == [("invoices",)]


def test_one_statement_asks_about_two_tables(medical: Run) -> None:
    medical("CREATE TABLE med.raw.scans_of (id STRING, scan STRING)")
    one = "SELECT table_name, column_name FROM med.information_schema.columns WHERE table_name = '{}'"
    both = f"{one.format('scans_of')} UNION ALL {one.format('invoices')}"
    assert sorted(medical(both)) == [
        ("invoices", "id"), ("invoices", "tags"), ("invoices", "total"), ("scans_of", "id"), ("scans_of", "scan"),
    ]  # fmt: skip


def test_a_rename_steps_over_tables_that_cannot_be_read(pairs: Run, directory: Path) -> None:
    pairs("CREATE TABLE answers (pair STRING, CONSTRAINT to_pair FOREIGN KEY (pair) REFERENCES pairs (id))")
    (directory / "main" / "work" / "broken" / "_delta_log").mkdir(parents=True)
    pairs("ALTER TABLE pairs RENAME TO questions")
    pairs("ALTER TABLE questions RENAME COLUMN id TO name")
    text = (
        "SELECT r.constraint_name, k.table_name FROM information_schema.referential_constraints AS r "
        "JOIN information_schema.key_column_usage AS k ON r.unique_constraint_name = k.constraint_name"
    )
    assert pairs(text) == [("to_pair", "questions")]


def test_a_table_is_not_renamed_where_a_foreign_key_cannot_follow(pairs: Run, directory: Path) -> None:
    pairs("CREATE TABLE answers (pair STRING, CONSTRAINT to_pair FOREIGN KEY (pair) REFERENCES pairs (id))")
    feed = {"delta.enableChangeDataFeed": "true"}
    DeltaTable(directory / "main" / "work" / "answers").alter.set_table_properties(feed)
    with pytest.raises(local.NotSupportedError, match="answers"):
        pairs("ALTER TABLE pairs RENAME TO questions")
    assert pairs("SELECT count(*) FROM pairs") == [(3,)]
