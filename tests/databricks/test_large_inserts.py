from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, ProgrammingError

from tests.databricks.loopback import Loopback
from tests.databricks.test_inserts import read, write
from workbench.lakehouse.base import DatabaseWrapper
from workbench.lakehouse.engines.databricks.inserts import MOST_JSON_ROWS

MANY = [[f"p{n}", n + 1] for n in range(MOST_JSON_ROWS + 1)]
WIDE = [[f"{n}{'x' * 200_000}", n + 1] for n in range(10)]
UPSERT = {"keys": [["id"], ["n"]], "on_conflict": "update", "update_columns": ["n"], "target": ["id"]}


def files(warehouse: Loopback) -> list[Path]:
    return list((warehouse.directory / "Volumes/mirion_vital/workbench/staging").iterdir())


def version(warehouse: Loopback) -> int:
    """How many commits the table has had; the statement goes past the server."""
    with warehouse.local() as connection:
        return int(connection.cursor().execute("DESCRIBE HISTORY parts").fetchall()[0][0])


@pytest.mark.parametrize("rows", [MANY, WIDE], ids=["above 50,000 rows", "above 900 kB"])
def test_they_are_one_file_one_statement_and_one_commit(
    rows: list[list[Any]], backend: DatabaseWrapper, warehouse: Loopback
) -> None:
    before = version(warehouse)
    assert write(backend, rows) == len(rows)
    put, inserted, removed = warehouse.executed
    assert put.startswith("PUT '__input_stream__' INTO '/Volumes/mirion_vital/workbench/staging/")
    assert "INSERT INTO `parts` (`id`, `n`) SELECT `id`, `n` FROM parquet.`/Volumes/" in inserted
    assert removed.startswith("REMOVE '/Volumes/") and warehouse.staging.requests == ["PUT", "DELETE"]
    assert version(warehouse) == before + 1 and not files(warehouse)


def test_a_value_of_every_type_arrives_exactly(backend: DatabaseWrapper) -> None:
    columns = [("id", "STRING"), ("price", "DECIMAL(12,7)"), ("raw", "BINARY"), ("at", "TIMESTAMP"), ("day", "DATE")]
    columns += [("tags", "ARRAY<STRING>"), ("x", "DOUBLE")]
    at = dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
    values = ["x" * 900_000, Decimal("0.0000001"), b"\0\xff", at, dt.date(2026, 1, 2), ["ä", None], float("inf")]
    write(backend, [values, ["b", *[None] * 6]], columns)
    names = ", ".join(name for name, _ in columns)
    assert read(backend, f"SELECT {names} FROM parts ORDER BY x") == [("b", *[None] * 6), tuple(values)]


def test_a_key_that_exists_refuses_all_of_them(backend: DatabaseWrapper, warehouse: Loopback) -> None:
    write(backend, [[WIDE[3][0], 99]], keys=[["id"]])
    before = version(warehouse)
    with pytest.raises(IntegrityError, match="duplicate key in parts"):
        write(backend, WIDE, keys=[["id"]])
    assert version(warehouse) == before and not files(warehouse)
    assert write(backend, WIDE, keys=[["id"]], on_conflict="ignore") == len(WIDE) - 1


def test_an_upsert_keeps_its_meaning(backend: DatabaseWrapper) -> None:
    write(backend, [[WIDE[3][0], 99], ["other", 5]], keys=[["id"], ["n"]])
    with pytest.raises(IntegrityError):
        write(backend, WIDE, **UPSERT)
    assert write(backend, WIDE[:4] + WIDE[5:], **UPSERT) == 9
    assert read(backend, "SELECT COUNT(*), MAX(n) FROM parts") == [(10, 10)]


@pytest.mark.parametrize("failure", ["drop", "[DELTA_CONCURRENT_WRITE] x SQLSTATE: 2D521", "[IO] x SQLSTATE: 58030"])
def test_the_file_is_removed_also_when_the_insert_fails(
    failure: str, backend: DatabaseWrapper, warehouse: Loopback
) -> None:
    backend.ensure_connection()
    put = backend.connection.put

    def put_then_fail(path: str, content: bytes) -> None:
        put(path, content)
        warehouse.fail(*[failure] * (5 if "CONCURRENT" in failure else 1))

    backend.connection.put = put_then_fail
    with pytest.raises(OperationalError):
        write(backend, WIDE)
    assert not files(warehouse) and read(backend, "SELECT COUNT(*) FROM parts") == [(0,)]


def test_a_missing_volume_is_told_with_what_to_do(backend: DatabaseWrapper, warehouse: Loopback) -> None:
    with warehouse.local() as connection:
        connection.cursor().execute("DROP VOLUME staging")
    with pytest.raises(ProgrammingError, match=r"CREATE VOLUME mirion_vital\.workbench\.staging") as caught:
        write(backend, WIDE)
    assert "?volume=CATALOG.SCHEMA.VOLUME" in str(caught.value)
