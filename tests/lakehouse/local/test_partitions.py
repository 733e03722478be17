"""What a table is partitioned by is read alike by every reader."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from workbench.lakehouse.engines import local

from .conftest import Run


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("TIMESTAMP", "TIMESTAMP'2024-01-01 03:04:05'"),
        ("TIMESTAMP", "TIMESTAMP'2024-01-01 03:04:05.25'"),
        ("TIMESTAMP", "NULL"),
        ("TIMESTAMP_NTZ", "TIMESTAMP_NTZ'2024-01-01 03:04:05.000001'"),
        ("DATE", "DATE'2024-01-01'"),
        ("DOUBLE", "1.5e20"),
        ("BIGINT", "-5"),
        ("BOOLEAN", "true"),
        ("STRING", "'a/..\\nb'"),
    ],
)
def test_partitions_of_every_type_are_read_by_others(kind: str, value: str, sql: Run, directory: Path) -> None:
    sql(f"CREATE TABLE t (p {kind}, v INT) PARTITIONED BY (p)")
    sql(f"INSERT INTO t VALUES ({value}, 1), ({value}, 2)")
    sql("UPDATE t SET v = 3 WHERE v = 2")
    sql("OPTIMIZE t")
    theirs = DeltaTable(directory / "main" / "work" / "t").to_pyarrow_table().sort_by("v")
    assert theirs["v"].to_pylist() == [1, 3]
    assert sql("SELECT p FROM t ORDER BY v") == [(p,) for p in theirs["p"].to_pylist()]
    assert sql(f"DELETE FROM t WHERE p <=> {value}") == 2


def test_binary_partitions_are_refused_before_anything_is_written(sql: Run, directory: Path) -> None:
    with pytest.raises(local.NotSupportedError, match="BINARY as a partition"):
        sql("CREATE TABLE t (p BINARY, v INT) PARTITIONED BY (p)")
    path = directory / "main" / "work" / "theirs"
    write_deltalake(path, pa.table({"p": [b"\x00\xff"], "v": [1]}), partition_by=["p"])
    with pytest.raises(local.NotSupportedError, match="BINARY as a partition"):
        sql("INSERT INTO theirs VALUES (X'00', 2)")
    assert DeltaTable(path).version() == 0
