from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.lakehouse.engines import local

Run = Callable[..., Any]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An empty lakehouse with the catalog `main` and its schema `work`."""
    (tmp_path / "lake" / "main" / "work").mkdir(parents=True)
    return tmp_path / "lake"


@pytest.fixture
def connection(directory: Path) -> Iterator[local.Connection]:
    with local.connect(directory, catalog="main", schema="work") as found:
        yield found


@pytest.fixture
def sql(connection: local.Connection) -> Run:
    """Runs one statement; gives the rows of a query and the row count of anything else."""

    def run(statement: str, *params: Any) -> Any:
        cursor = connection.cursor().execute(statement, params)
        return cursor.fetchall() if cursor.description else cursor.rowcount

    return run


@pytest.fixture
def pairs(sql: Run) -> Run:
    """A table of three pairs in two sheets, partitioned by sheet."""
    sql(
        "CREATE TABLE pairs (id STRING NOT NULL, sheet STRING NOT NULL, n BIGINT, "
        "CONSTRAINT pairs_pk PRIMARY KEY (id)) TBLPROPERTIES ('workbench.localPartition' = 'sheet')"
    )
    sql("INSERT INTO pairs VALUES ('a', 'pcb', 1), ('b', 'pcb', 2), ('c', 'invoices', 3)")
    return sql
