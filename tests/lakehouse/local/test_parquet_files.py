from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.lakehouse.engines import local

from .conftest import Run

FILE = "/Volumes/main/work/staging/rows.parquet"


@pytest.fixture
def staged(sql: Run, directory: Path) -> Run:
    """A volume with one Parquet file of two rows."""
    sql("CREATE VOLUME staging")
    pq.write_table(pa.table({"id": ["a", "b"], "n": [1, None]}), directory / FILE.lstrip("/"))
    return sql


def test_a_parquet_file_of_a_volume_is_a_source(staged: Run) -> None:
    assert staged(f"SELECT id, n FROM parquet.`{FILE}` WHERE n IS NULL") == [("b", None)]


def test_its_rows_are_merged_in_one_commit(staged: Run) -> None:
    staged("CREATE TABLE parts (id STRING, n BIGINT) USING DELTA")
    changed = staged(
        f"MERGE INTO parts AS t USING (SELECT `id`, `n` FROM parquet.`{FILE}`) AS s ON t.id = s.id "
        "WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id, s.n)"
    )
    assert changed == 2 and staged("DESCRIBE HISTORY parts")[0][0] == 1


@pytest.mark.parametrize("path", [f"{FILE}.gone", "/Volumes/main/work/other/a.parquet", "/etc/passwd"])
def test_a_file_that_is_not_in_a_volume_is_refused(path: str, staged: Run) -> None:
    with pytest.raises(local.ProgrammingError, match=r"path|volume"):
        staged(f"SELECT * FROM parquet.`{path}`")
