from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.canonical import canonical_json, read_json

# The first text drawn on a machine builds tables, which on a busy one looks like a slow test.
SLOW_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_keys_are_sorted_and_nothing_is_escaped_or_spaced() -> None:
    assert canonical_json({"b": [1, "é"], "a": None}) == '{"a":null,"b":[1,"é"]}'


def test_a_text_answer_stays_text_and_inside_it_is_quoted() -> None:
    assert canonical_json("scratch") == "scratch"
    assert canonical_json(["scratch"]) == '["scratch"]'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("285.50"), "285.5"),
        (Decimal("100.00"), "100"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("-0.00"), "0"),
        (Decimal("12345678901234567890123456789012345678.90"), "12345678901234567890123456789012345678.9"),
        (Decimal("1E+900"), "1E+900"),
        (date(1985, 3, 15), '"1985-03-15"'),
        (datetime(2026, 1, 15, 10, 30), '"2026-01-15T10:30:00Z"'),  # noqa: DTZ001
        (datetime(2026, 1, 15, 12, 30, 0, 5, timezone(timedelta(hours=2))), '"2026-01-15T10:30:00.000005Z"'),
        (datetime(2026, 1, 15, tzinfo=UTC), '"2026-01-15T00:00:00Z"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (b"\x00", '"AA=="'),
    ],
)
def test_types_of_the_lakehouse(value: Any, text: str) -> None:
    assert canonical_json([value]) == f"[{text}]"


@pytest.mark.parametrize(
    ("key", "text"),
    [(2, "2"), (date(1985, 3, 15), "1985-03-15"), (Decimal("1.50"), "1.5"), (True, "true"), (b"\x00", "AA==")],
)
def test_a_key_of_a_map_that_is_no_text_is_written_as_one(key: Any, text: str) -> None:
    assert canonical_json([{key: {key: Decimal(1)}}]) == f'[{{"{text}":{{"{text}":1}}}}]'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), object(), "\ud800"])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"JSON"):
        canonical_json({"a": [None, value]})


def test_the_place_of_a_nan_is_named() -> None:
    with pytest.raises(ValueError, match=r"^sensor\.temps\[1\] is NaN"):
        canonical_json({"sensor": {"temps": [1.0, float("nan")]}})


@settings(SLOW_MACHINE)
@given(plain.filter(lambda value: not isinstance(value, str)))
def test_reading_it_back_gives_the_value_and_the_same_text(value: Any) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


@pytest.mark.parametrize(
    "text", ["18446744073709551615", "-9223372036854775808", '"' + "9" * 30 + '"', '{"a\\"1":1e30}']
)
def test_numbers_are_read_as_they_are_written(text: str) -> None:
    assert read_json(text) == json.loads(text)


@pytest.mark.parametrize("number", ["18446744073709551616", "-9223372036854775809", "9" * 30])
def test_a_whole_number_beyond_64_bits_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match=f"found the whole number {number};"):
        read_json('{"a": "' + "1" * 30 + '", "b": [' + number + "]}")
