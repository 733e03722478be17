from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import DataError, IntegrityError

from tests.databricks.loopback import Loopback
from workbench.lakehouse.base import DatabaseWrapper
from workbench.lakehouse.compiler import insert_sql
from workbench.lakehouse.rows import Rows

AT = dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
COLUMNS = [("id", "STRING"), ("n", "INT")]


def write(backend: DatabaseWrapper, values: list[list[Any]], columns: Any = COLUMNS, **more: Any) -> int:
    rows = Rows("parts", columns, values, **more)
    with backend.cursor() as cursor:
        cursor.execute(insert_sql(rows, backend.ops.quote_name), [rows])
        return int(cursor.rowcount)


def read(backend: DatabaseWrapper, sql: str, params: Any = None) -> list[tuple[Any, ...]]:
    with backend.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def test_rows_are_one_statement_with_one_json_parameter(backend: DatabaseWrapper, warehouse: Loopback) -> None:
    assert write(backend, [["a", 1], ["b", None]]) == 2
    (statement,) = warehouse.statements
    assert statement.sql.startswith("INSERT INTO `parts` (`id`, `n`) SELECT INLINE(FROM_JSON(?, ")
    ((kind, text),) = statement.parameters
    assert kind == "STRING" and json.loads(text or "") == [{"id": "a", "n": 1}, {"id": "b", "n": None}]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (("price", "DECIMAL(12,7)"), Decimal("0.0000001")),
        (("raw", "BINARY"), b"\x00\xff"),
        (("at", "TIMESTAMP"), AT),
        (("day", "DATE"), dt.date(2026, 1, 2)),
        (("tags", "ARRAY<STRING>"), ["ä", "'", None]),
        (("x", "DOUBLE"), 0.1),
        (("x", "DOUBLE"), float("inf")),
        (("id", "STRING"), "100% of ? \\ \"'\n\t\u2028"),
    ],
)
def test_a_value_arrives_exactly(column: tuple[str, str], value: Any, backend: DatabaseWrapper) -> None:
    columns, values = [("id", "STRING"), column], ["a", value]
    if column[0] == "id":
        columns, values = columns[1:], values[1:]
    write(backend, [values], columns)
    assert read(backend, f"SELECT `{column[0]}` FROM parts") == [(value,)]


def test_a_key_that_exists_refuses_the_whole_statement(backend: DatabaseWrapper) -> None:
    write(backend, [["a", 1]], keys=[["id"]])
    with pytest.raises(IntegrityError, match="duplicate key in parts"):
        write(backend, [["b", 2], ["a", 3]], keys=[["id"]])
    assert read(backend, "SELECT * EXCEPT (price, raw, at, day, tags, x) FROM parts") == [("a", 1)]


def test_a_key_that_comes_twice_is_found_before_anything_is_sent(backend: DatabaseWrapper, warehouse: Loopback) -> None:
    with pytest.raises(IntegrityError, match="comes twice"):
        write(backend, [["a", 1], ["a", 2]], keys=[["id"]])
    assert warehouse.statements == []
    assert write(backend, [["a", 1], ["a", 2]], keys=[["id"]], on_conflict="ignore") == 1


def test_an_upsert_updates_one_key_and_refuses_a_clash_on_another(backend: DatabaseWrapper) -> None:
    upsert = {"keys": [["id"], ["n"]], "on_conflict": "update", "update_columns": ["n"], "target": ["id"]}
    assert write(backend, [["a", 1], ["b", 2]], keys=[["id"], ["n"]]) == 2
    assert write(backend, [["a", 5], ["c", 6]], **upsert) == 2
    with pytest.raises(IntegrityError):
        write(backend, [["a", 2]], **upsert)
    assert read(backend, "SELECT id, n FROM parts ORDER BY id") == [("a", 5), ("b", 2), ("c", 6)]


def test_a_value_that_does_not_fit_is_refused_here(backend: DatabaseWrapper, warehouse: Loopback) -> None:
    with pytest.raises(DataError, match="parts"):
        write(backend, [["a", 2**40]])
    assert warehouse.statements == []


def test_more_than_255_values_are_written_into_the_statement(backend: DatabaseWrapper, warehouse: Loopback) -> None:
    write(backend, [[f"it's {n} %", n + 1] for n in range(300)])
    marks = ", ".join(["%s"] * 300)
    found = read(backend, f"SELECT COUNT(*) FROM parts WHERE id IN ({marks})", [f"it's {n} %" for n in range(300)])
    assert found == [(300,)] and warehouse.statements[-1].parameters == []
