"""Tables that another tool put there, with what is odd about them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from workbench.lakehouse.engines import local

from .conftest import Run


@pytest.fixture
def work(directory: Path) -> Path:
    return directory / "main" / "work"


def test_names_of_directories_are_compared_without_case(sql: Run, directory: Path) -> None:
    write_deltalake(directory / "Sales" / "Raw" / "Orders", pa.table({"id": ["a"]}))
    assert sql("SELECT * FROM sales.RAW.Orders") == [("a",)]
    assert sql("SHOW TABLES IN sales.raw") == [("raw", "orders", False)]
    sql("ALTER TABLE sales.raw.orders RENAME TO sales.raw.old_orders")
    assert sql("UPDATE sales.raw.old_orders SET id = 'b'") == 1
    with pytest.raises(local.ProgrammingError, match="exists already"):
        sql("CREATE SCHEMA sales.raw")
    sql("DROP SCHEMA sales.raw CASCADE")
    assert sql("SHOW SCHEMAS IN sales") == []


def test_names_that_differ_by_case_only_are_refused(sql: Run, work: Path) -> None:
    for name in ("orders", "Orders"):
        write_deltalake(work / name, pa.table({"id": [name]}))
    with pytest.raises(local.ProgrammingError, match="Orders and orders"):
        sql("SELECT * FROM orders")
    assert sql("SELECT table_name, is_insertable_into FROM information_schema.tables") == [("orders", "NO")]


def test_a_column_of_nothing_but_null(sql: Run, work: Path) -> None:
    write_deltalake(work / "theirs", pd.DataFrame({"id": ["a"], "note": [None]}))
    assert sql("INSERT INTO theirs (id) VALUES ('b')") == 1
    with pytest.raises(local.DataError, match="VOID"):
        sql("UPDATE theirs SET note = 'x'")
    assert sql("SELECT * FROM theirs ORDER BY id") == [("a", None), ("b", None)]
    sql("ALTER TABLE theirs ALTER COLUMN note TYPE STRING")
    sql("UPDATE theirs SET note = 'x'")
    assert DeltaTable(work / "theirs").to_pyarrow_table()["note"].to_pylist() == ["x", "x"]


def test_decimals_in_partitions_and_arrays(sql: Run, work: Path) -> None:
    kind = pa.decimal128(10, 2)
    rows: dict[str, Any] = {"p": pa.array([Decimal("1.50")], kind), "l": pa.array([[Decimal("2.50")]], pa.list_(kind))}
    write_deltalake(work / "theirs", pa.table(rows | {"v": [1]}), partition_by=["p"])
    sql("UPDATE theirs SET v = 2")
    assert sql("SELECT * FROM theirs") == [(Decimal("1.50"), [Decimal("2.50")], 2)]


def test_a_table_that_takes_new_rows_only_says_so(sql: Run, work: Path) -> None:
    write_deltalake(work / "theirs", pa.table({"id": ["a"]}), configuration={"delta.appendOnly": "true"})
    for statement in ("DELETE FROM theirs WHERE id = 'a'", "UPDATE theirs SET id = 'c'", "TRUNCATE TABLE theirs"):
        with pytest.raises(local.NotSupportedError, match="new rows only"):
            sql(statement)
    assert sql("INSERT INTO theirs VALUES ('b')") == 1
