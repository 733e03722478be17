from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.lakehouse.engines import local

from .conftest import Run

COLUMNS = (
    "s STRING, i INT, l BIGINT, h SMALLINT, b BOOLEAN, d DOUBLE, m DECIMAL(20,7), x BINARY, "
    "day DATE, at TIMESTAMP, tags ARRAY<STRING>"
)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
ROW = st.tuples(
    st.none() | TEXT,
    st.none() | st.integers(-(2**31), 2**31 - 1),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.integers(-(2**15), 2**15 - 1),
    st.none() | st.booleans(),
    st.none() | st.floats(),
    st.none() | st.decimals(-(10**13) + 1, 10**13 - 1, places=7),
    st.none() | st.binary(max_size=20),
    st.none() | st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31)),
    st.none() | st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2262, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001
    st.none() | st.lists(TEXT, max_size=3),
)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    return bool(one == other) and type(one) is type(other)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=1, max_size=4))
def test_every_type_comes_back_here_and_in_polars(sql: Run, directory: Path, rows: list[tuple[Any, ...]]) -> None:
    sql("DROP TABLE IF EXISTS t")
    sql(f"CREATE TABLE t (n INT, {COLUMNS})")
    for number, row in enumerate(rows):
        sql(f"INSERT INTO t VALUES (?{', ?' * len(row)})", number, *row)
    ours = [row[1:] for row in sql("SELECT * FROM t ORDER BY n")]
    polars = [row[1:] for row in pl.read_delta(str(directory / "main" / "work" / "t")).sort("n").rows()]
    for expected, here, there in zip(rows, ours, polars, strict=True):
        assert all(map(same, expected, here)), (expected, here)
        assert all(same(e, t) or e == t for e, t in zip(expected, there, strict=True)), (expected, there)


def test_a_small_decimal_keeps_its_value(sql: Run) -> None:
    sql("CREATE TABLE t (m DECIMAL(20,10))")
    sql("INSERT INTO t VALUES (?)", Decimal("1E-7"))
    assert sql("SELECT m FROM t WHERE m = ?", Decimal("1E-7")) == [(Decimal("0.0000001000"),)]


def test_a_naive_datetime_is_utc_and_the_column_is_timestamp(sql: Run, directory: Path) -> None:
    sql("CREATE TABLE t (at TIMESTAMP)")
    sql("INSERT INTO t VALUES (?)", dt.datetime(2024, 1, 1, 12, 0, 0, 1))  # noqa: DTZ001
    assert sql("SELECT at FROM t") == [(dt.datetime(2024, 1, 1, 12, 0, 0, 1, tzinfo=dt.UTC),)]
    assert pl.read_delta(str(directory / "main" / "work" / "t")).schema["at"] == pl.Datetime("us", "UTC")


def test_another_zone_is_the_same_instant(sql: Run) -> None:
    moment = dt.datetime(2024, 1, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=5)))
    assert sql("SELECT CAST(? AS TIMESTAMP)", moment) == [(moment,)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("INT", 2**31),
        ("SMALLINT", 40_000),
        ("BIGINT", 2**63),
        ("BIGINT", 2**200),
        ("DECIMAL(4,2)", Decimal("100")),
        ("DECIMAL(4,2)", Decimal("NaN")),
        ("INT", "twelve"),
        ("DATE", "2024-13-01"),
        ("TIMESTAMP", "soon"),
        ("BOOLEAN", "perhaps"),
    ],
)
def test_a_value_that_does_not_fit_changes_nothing(sql: Run, kind: str, value: Any) -> None:
    sql(f"CREATE TABLE t (v {kind})")
    with pytest.raises(local.DataError):
        sql("INSERT INTO t VALUES (?)", value)
    assert sql("SELECT * FROM t") == []


def test_description_names_databricks_types(connection: local.Connection) -> None:
    cursor = connection.cursor().execute(
        "SELECT 'a' AS s, CAST(1 AS BIGINT) AS l, 1.5BD AS m, current_timestamp() AS t, array(1) AS a, true AS b, "
        "CAST(1 AS INT) AS i, 1.5D AS d, current_date() AS dd, "
        "unhex('00') AS x, map('a', 1) AS mm, named_struct('q', 1) AS st"
    )
    assert [(d[0], d[1]) for d in cursor.description or ()] == [
        ("s", "STRING"), ("l", "BIGINT"), ("m", "DECIMAL"), ("t", "TIMESTAMP"), ("a", "ARRAY"), ("b", "BOOLEAN"),
        ("i", "INT"), ("d", "DOUBLE"), ("dd", "DATE"), ("x", "BINARY"), ("mm", "MAP"), ("st", "STRUCT"),
    ]  # fmt: skip


def test_a_sum_of_whole_numbers_is_whole(sql: Run) -> None:
    assert sql("SELECT sum(x) FROM (SELECT explode(array(1, 2)) AS x)") == [(3,)]


@pytest.mark.parametrize("kind", ["VARIANT", "INTERVAL", "TEXT", "VARCHAR(10)"])
def test_a_type_that_delta_readers_do_not_share_is_refused(sql: Run, kind: str) -> None:
    with pytest.raises(local.DatabaseError):
        sql(f"CREATE TABLE t (v {kind})")


def test_fields_of_a_struct_have_any_name(sql: Run, directory: Path) -> None:
    write_deltalake(directory / "main/work/odd", pa.table({"s": [{'a"b': 1, "c`d": 2}]}))
    assert sql("SELECT * FROM odd") == [({'a"b': 1, "c`d": 2},)]
