"""What goes in by the ORM is what polars reads, for every kind of column."""

from __future__ import annotations

import datetime
import math
import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars
import pytest
from django.db import DataError, IntegrityError
from django.db.models import F, Sum
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.lakehouse.testapp.models import Part, Sample
from workbench.lakehouse.literals import literal

pytestmark = pytest.mark.usefixtures("lakehouse")

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SAMPLES = st.builds(
    Sample,
    text=st.none() | TEXT,
    flag=st.none() | st.booleans(),
    small=st.none() | st.integers(-(2**15), 2**15 - 1),
    whole=st.none() | st.integers(-(2**63), 2**63 - 1),
    real=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    exact=st.none() | st.decimals(-(10**19), 10**19, places=10, allow_nan=False),
    day=st.none() | st.dates(),
    moment=st.none() | st.datetimes(timezones=st.just(datetime.UTC)),
    time=st.none() | st.times(),
    took=st.none() | st.timedeltas(timedelta(days=-(10**8)), timedelta(days=10**8)),
    code=st.none() | st.uuids(),
    raw=st.none() | st.binary(),
)
PLAIN = ("text", "flag", "small", "whole", "real", "exact", "day", "moment", "raw")
RELAXED = settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@given(rows=st.lists(SAMPLES, min_size=1, max_size=20))
@RELAXED
def test_any_value_comes_back(rows: list[Sample], frame: Callable[[str], polars.DataFrame]) -> None:
    Sample.objects.all().delete()
    made = {row.pk: row for row in Sample.objects.bulk_create(rows)}
    fields = (*PLAIN, "time", "took", "code")
    for row in Sample.objects.all():
        assert [getattr(row, name) for name in fields] == [getattr(made[row.pk], name) for name in fields]
    for stored in frame("testapp_sample").iter_rows(named=True):
        assert [stored[name] for name in PLAIN] == [getattr(made[stored["id"]], name) for name in PLAIN]


@given(row=SAMPLES)
@RELAXED
def test_any_value_survives_an_update_and_is_found(row: Sample) -> None:
    made = Sample.objects.create()
    values: dict[str, Any] = {name: getattr(row, name) for name in (*PLAIN, "time", "took", "code")}
    Sample.objects.filter(pk=made.pk).update(**values)
    assert Sample.objects.filter(pk=made.pk, **values).count() == 1


def test_decimals_are_exact() -> None:
    Sample.objects.bulk_create([Sample(exact=Decimal("0.1")) for _ in range(30)])
    assert Sample.objects.aggregate(total=Sum("exact"))["total"] == Decimal("3")
    big, bigger = Decimal("12345678901234567890.0123456789"), Decimal("12345678901234567890.0123456790")
    made = Sample.objects.create(exact=big)
    Sample.objects.filter(pk=made.pk).update(exact=F("exact") + Decimal("0.0000000001"))
    assert Sample.objects.get(exact=bigger).pk == made.pk


def test_decimals_written_oddly() -> None:
    for value in ("1E-7", "1E+3", "-0", "0.10"):
        assert Sample.objects.get(pk=Sample.objects.create(exact=Decimal(value)).pk).exact == Decimal(value)


@pytest.mark.parametrize(
    "values", [{"small": 2**15}, {"whole": 2**63}, {"exact": Decimal(10) ** 25}, {"data": {"x": float("nan")}}]
)
def test_a_value_that_does_not_fit_writes_nothing(values: dict[str, Any]) -> None:
    with pytest.raises((DataError, ValueError, OverflowError, ArithmeticError)):
        Sample.objects.create(**values)
    assert not Sample.objects.exists()


def test_null_where_none_may_be_writes_nothing() -> None:
    with pytest.raises(IntegrityError, match="NOT NULL"):
        Part.objects.bulk_create([Part(name="bolt"), Part(name=None)])  # type: ignore[misc]
    assert not Part.objects.exists()


def test_uuids_addresses_and_bytes() -> None:
    code = uuid.uuid4()
    made = Sample.objects.create(code=code, address="2001:db8::1", raw=b"\x00'\\%s\xff")
    assert Sample.objects.get(code=str(code).upper(), address="2001:DB8::1", raw=b"\x00'\\%s\xff").pk == made.pk
    assert Sample.objects.filter(code__in=[code, uuid.uuid4()]).count() == 1


@pytest.mark.parametrize(
    "text", ["100%", "a_b", "a\\b", "it's", '"q"', "%s", "?", "é🙂", "\n\t", " ", "", "`x`", "--", "/*"]
)
def test_text_lookups_take_text_as_it_is(text: str, lakehouse: Path) -> None:
    Sample.objects.create(text=f"<{text}>")
    Sample.objects.create(text="other")
    for lookup in ("contains", "icontains", "endswith", "iendswith"):
        wanted = f"{text}>"
        assert Sample.objects.get(**{f"text__{lookup}": wanted}).text == f"<{text}>"
    assert Sample.objects.get(text=f"<{text}>", text__startswith=f"<{text}").text == f"<{text}>"


@pytest.mark.parametrize(
    "value", [math.inf, -math.inf, math.nan, datetime.datetime(7, 1, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)]
)
def test_literals_of_odd_values_are_read_back(value: Any, sql: Callable[..., list[tuple[Any, ...]]]) -> None:
    ((found,),) = sql(f"SELECT {literal(value)}")
    assert repr(found) == repr(value)
