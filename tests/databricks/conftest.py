"""A loopback warehouse with one table, and connections to it through the unmodified connector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from tests.databricks.loopback import TOKEN, Loopback
from workbench import databases
from workbench.lakehouse.base import DatabaseWrapper
from workbench.lakehouse.engines import databricks
from workbench.router import LAKEHOUSE

Connect = Callable[..., Any]
COLUMNS = (
    "id STRING NOT NULL, n INT, price DECIMAL(12,7), raw BINARY, at TIMESTAMP, day DATE, tags ARRAY<STRING>, x DOUBLE"
)


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """A warehouse with the empty table `parts`."""
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    with Loopback(tmp_path / "lakehouse") as server:
        with server.local() as connection:
            cursor = connection.cursor()
            cursor.execute(f"CREATE TABLE parts ({COLUMNS}) USING DELTA")
            cursor.execute("ALTER TABLE parts ADD CONSTRAINT positive CHECK (n IS NULL OR n > 0)")
        yield server


@pytest.fixture
def connect(warehouse: Loopback) -> Iterator[Connect]:
    """Opens connections; arguments override those of the connector."""
    with ExitStack() as stack:

        def opened(server: Loopback = warehouse, most_seconds: float = 5, **connector: Any) -> databricks.Connection:
            settings = {"HOST": "", "PORT": "", **databases.lakehouse(server.url)}
            settings["OPTIONS"]["connector"] = connector
            connection = databricks.connect(**databricks.options(settings), most_seconds=most_seconds)
            stack.callback(connection.close)
            return connection

        yield opened


@pytest.fixture
def run(connect: Connect) -> Callable[..., list[tuple[Any, ...]]]:
    """Executes one statement and returns its rows."""
    connection = connect()

    def execute(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall()) if cursor.description else [(cursor.rowcount,)]

    return execute


@pytest.fixture
def backend(warehouse: Loopback, db: None) -> Iterator[DatabaseWrapper]:
    """Django's connection to the warehouse, as the settings' URL makes it."""
    wrapper = DatabaseWrapper(connections.settings[LAKEHOUSE] | databases.lakehouse(warehouse.url), "warehouse")
    yield wrapper
    wrapper.close()
