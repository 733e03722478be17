"""A table is refused for what it uses, and no statement of ours makes one that is."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from workbench.lakehouse.engines import local

from .conftest import Run


def edit_log(table: Path, kind: str, change: dict[str, Any]) -> None:
    """Change the actions of a kind in a table's first commit."""
    log = table / "_delta_log" / f"{0:020d}.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    for action in actions:
        if kind in action:
            action[kind] |= change
    log.write_text("\n".join(map(json.dumps, actions)))


@pytest.fixture
def theirs(directory: Path) -> Path:
    """A table of another tool that declares the features of today."""
    path = directory / "main" / "work" / "theirs"
    write_deltalake(path, pa.table({"a": [1, 2]}), configuration={"delta.enableDeletionVectors": "true"})
    features = ["columnMapping", "deletionVectors", "variantType"]
    edit_log(path, "protocol", {"readerFeatures": features, "writerFeatures": features})
    return path


@pytest.mark.parametrize(
    "check",
    ["LENGTH(id) > 0", "SIZE(tags) > 0", "ARRAY_CONTAINS(tags, 'x')", "id IN ('it\\'s')", "id RLIKE '^[a-z]'", "n > 0"],
)
@pytest.mark.parametrize("column", ["n INT", "n INT, at TIMESTAMP_NTZ"])
def test_a_table_with_a_check_stays_readable(check: str, column: str, sql: Run, directory: Path) -> None:
    sql(f"CREATE TABLE t (id STRING, tags ARRAY<STRING>, {column})")
    sql(f"ALTER TABLE t ADD CONSTRAINT c CHECK ({check})")
    with pytest.raises(local.IntegrityError):
        sql("INSERT INTO t (id, tags, n) VALUES ('', ARRAY(), 0)")
    assert sql("INSERT INTO t (id, tags, n) VALUES ('it\\'s', ARRAY('x'), 1)") == 1
    assert pl.read_delta(str(directory / "main" / "work" / "t")).height == 1


def test_a_check_asks_no_more_of_readers(sql: Run, directory: Path) -> None:
    sql("CREATE TABLE t (id STRING)")
    sql("ALTER TABLE t ADD CONSTRAINT c CHECK (LENGTH(id) > 0)")
    protocol = DeltaTable(directory / "main" / "work" / "t").protocol()
    assert (protocol.min_reader_version, protocol.min_writer_version) == (1, 3)


def test_properties_of_a_table_with_local_times(sql: Run) -> None:
    sql("CREATE TABLE t (id STRING NOT NULL, at TIMESTAMP_NTZ)")
    sql("ALTER TABLE t SET TBLPROPERTIES ('owner' = 'Omar')")
    sql("ALTER TABLE t ADD CONSTRAINT t_pk PRIMARY KEY (id)")
    assert sql("INSERT INTO t VALUES ('a', TIMESTAMP_NTZ'2024-01-01')") == 1
    assert sql("SELECT CAST(at AS DATE) FROM t") == [(dt.date(2024, 1, 1),)]


def test_features_that_nothing_uses_are_no_obstacle(sql: Run, theirs: Path) -> None:
    assert sql("UPDATE theirs SET a = 3 WHERE a = 1") == 1
    assert sql("SELECT a FROM theirs ORDER BY a") == [(2,), (3,)]


def test_deletion_vectors_are_refused(sql: Run, theirs: Path) -> None:
    vector = {"storageType": "p", "pathOrInlineDv": "file:///x.bin", "offset": 1, "sizeInBytes": 40, "cardinality": 1}
    edit_log(theirs, "add", {"deletionVector": vector})
    with pytest.raises(local.NotSupportedError, match="purge"):
        sql("SELECT * FROM theirs")


def test_mapped_columns_are_refused(sql: Run, theirs: Path) -> None:
    edit_log(theirs, "metaData", {"configuration": {"delta.columnMapping.mode": "name"}})
    with pytest.raises(local.DatabaseError, match=r"columnMapping|column mapping"):
        sql("SELECT * FROM theirs")


def test_computed_columns_are_not_written(sql: Run, theirs: Path) -> None:
    field = {"name": "a", "type": "long", "nullable": True, "metadata": {"delta.generationExpression": "1 + 1"}}
    edit_log(theirs, "metaData", {"schemaString": json.dumps({"type": "struct", "fields": [field]})})
    assert sql("SELECT count(*) FROM theirs") == [(2,)]
    with pytest.raises(local.NotSupportedError, match="generatedColumns"):
        sql("UPDATE theirs SET a = 3")


@pytest.mark.parametrize("value", ["'delta.columnMapping.mode' = 'name'", "'delta.enableChangeDataFeed' = 'true'"])
def test_no_property_takes_a_table_out_of_reach(pairs: Run, value: str) -> None:
    with pytest.raises(local.DatabaseError):
        pairs(f"ALTER TABLE pairs SET TBLPROPERTIES ({value})")
    assert pairs("DELETE FROM pairs WHERE id = 'a'") == 1


def test_a_broken_log_is_told_from_a_feature(sql: Run, theirs: Path) -> None:
    (theirs / "_delta_log" / f"{0:020d}.json").write_text("{")
    with pytest.raises(local.NotSupportedError, match=r"log of main\.work\.theirs cannot be read"):
        sql("SELECT * FROM theirs")
