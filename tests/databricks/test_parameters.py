from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.databricks.loopback import Loopback
from workbench.lakehouse.engines.databricks import DatabaseError, DataError, bound, fits

AT = dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.timezone(dt.timedelta(hours=2)))


@pytest.mark.parametrize(
    ("value", "marker", "kind", "text"),
    [
        (Decimal("1E-7"), "CAST(? AS DECIMAL(7,7))", "STRING", "0.0000001"),
        (Decimal("-12"), "CAST(? AS DECIMAL(2,0))", "STRING", "-12"),
        (b"\x00\xff", "UNHEX(?)", "STRING", "00ff"),
        (AT, "?", "TIMESTAMP", "2026-01-02 01:04:05.000006+00:00"),
        (dt.date(2026, 1, 2), "?", "DATE", "2026-01-02"),
        (["ä", None], "FROM_JSON(?, 'ARRAY<STRING>')", "STRING", '["ä", null]'),
        ([], "FROM_JSON(?, 'ARRAY<STRING>')", "STRING", "[]"),
        ([1, 2], "FROM_JSON(?, 'ARRAY<BIGINT>')", "STRING", "[1, 2]"),
        (None, "?", "VOID", None),
        (True, "?", "BOOLEAN", "True"),
        (7, "?", "INT", "7"),
        (2**40, "?", "BIGINT", "1099511627776"),
        (0.1, "?", "DOUBLE", "0.1"),
        ("100% of ? 'x'\\", "?", "STRING", "100% of ? 'x'\\"),
    ],
)
def test_a_value_goes_out_typed_and_comes_back_equal(
    value: Any, marker: str, kind: str, text: str | None, warehouse: Loopback, run: Any
) -> None:
    written, parameter = bound(value)
    assert run(f"SELECT {written}", parameter) == [(value,)]
    assert written == marker and warehouse.statements[-1].parameters == [(kind, text)]


def test_a_decimal_of_39_digits_is_refused() -> None:
    with pytest.raises(DataError, match="39 digits"):
        bound(Decimal("1" * 39))


def test_255_markers_and_a_megabyte_fit() -> None:
    assert fits([1] * 255) and not fits([1] * 256)
    assert fits(["x" * 999_000]) and not fits(["ä" * 600_000])


@pytest.mark.parametrize("values", [[1] * 256, ["x" * 600_000] * 2], ids=["256 markers", "1.2 MB"])
def test_the_server_refuses_what_does_not_fit(values: list[Any], run: Any) -> None:
    with pytest.raises(DatabaseError, match="TOO_MANY_PARAMETERS"):
        run(f"SELECT {', '.join('?' * len(values))}", *values)
