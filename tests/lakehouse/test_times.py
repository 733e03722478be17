from __future__ import annotations

import datetime
from collections.abc import Callable
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import polars
import pytest
from django.db import OperationalError
from django.db.models import Count, DateTimeField, DurationField, ExpressionWrapper, F, Max, Min, TimeField, Value
from django.db.models.functions import (
    Cast,
    Extract,
    ExtractHour,
    ExtractWeekDay,
    Now,
    Trunc,
    TruncDate,
    TruncDay,
    TruncHour,
    TruncMonth,
)
from django.utils import timezone

from tests.lakehouse.testapp.models import Sample

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
# Summer time began in Berlin on 29 March 2026 at 01:00 UTC.
WINTER = datetime.datetime(2026, 3, 29, 0, 59, 59, 999999, UTC)
SUMMER = datetime.datetime(2026, 3, 29, 1, 0, 0, 1, UTC)
NEW_YEAR = datetime.datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
MOMENTS = {"winter": WINTER, "summer": SUMMER, "new year": NEW_YEAR}


@pytest.fixture(autouse=True)
def samples(lakehouse: Path) -> None:
    Sample.objects.bulk_create([Sample(text=text, moment=moment) for text, moment in MOMENTS.items()])


def test_microseconds_and_utc(frame: Callable[[str], polars.DataFrame]) -> None:
    assert dict(Sample.objects.values_list("text", "moment")) == MOMENTS
    assert Sample.objects.get(text="winter").moment.tzinfo is UTC
    assert dict(frame("testapp_sample").select("text", "moment").iter_rows()) == MOMENTS


def test_another_zone_is_the_same_moment() -> None:
    made = Sample.objects.create(moment=WINTER.astimezone(NEW_YORK))
    assert Sample.objects.get(pk=made.pk).moment == WINTER
    assert Sample.objects.filter(moment=WINTER.astimezone(BERLIN)).count() == 2


def test_compare_to_the_microsecond() -> None:
    assert Sample.objects.filter(moment__gt=WINTER).get().text == "summer"
    assert Sample.objects.filter(moment__gte=WINTER, moment__lt=SUMMER).get().text == "winter"
    assert Sample.objects.filter(moment__range=(NEW_YEAR, WINTER)).count() == 2


def test_date_and_year_follow_the_zone() -> None:
    assert Sample.objects.filter(moment__year=2025, moment__month=12, moment__day=31, moment__hour=23).count() == 1
    with timezone.override(BERLIN):
        assert Sample.objects.filter(moment__year=2025).count() == 0
        assert Sample.objects.get(moment__date=datetime.date(2026, 1, 1)).text == "new year"
        assert Sample.objects.get(moment__hour=3).text == "summer"
        assert Sample.objects.get(moment__time=datetime.time(1, 59, 59, 999999)).text == "winter"


def test_extract_over_the_change_of_the_clock() -> None:
    hours = Sample.objects.annotate(hour=ExtractHour("moment", tzinfo=BERLIN)).values_list("text", "hour")
    assert dict(hours) == {"winter": 1, "summer": 3, "new year": 0}
    days = Sample.objects.annotate(weekday=ExtractWeekDay("moment", tzinfo=NEW_YORK)).values_list("text", "weekday")
    assert dict(days) == {"winter": 7, "summer": 7, "new year": 4}


@pytest.mark.parametrize(
    ("zone", "hour"), [(datetime.timezone(timedelta(hours=-5, minutes=-30)), 19), (ZoneInfo("Etc/GMT+10"), 14)]
)
def test_a_zone_may_be_an_offset(zone: datetime.tzinfo, hour: int) -> None:
    row = Sample.objects.annotate(hour=ExtractHour("moment", tzinfo=zone), start=TruncDay("moment", tzinfo=zone))
    found = row.get(text="winter")
    assert found.hour == WINTER.astimezone(zone).hour == hour
    assert found.start == datetime.datetime(2026, 3, 28, tzinfo=zone)


@pytest.mark.parametrize(
    "part", [Extract("moment", "day' FROM moment)) OR 1=1;--"), Trunc("moment", "day', moment)) OR 1=1;--")]
)
def test_the_part_of_a_date_is_no_way_in(part: Extract | Trunc) -> None:
    with pytest.raises(OperationalError, match="as the part of a date or time; allowed: year"):
        list(Sample.objects.annotate(part=part))


def test_a_moment_as_a_time_of_day() -> None:
    assert Sample.objects.annotate(at=Cast("moment", TimeField())).get(text="winter").at == WINTER.time()


def test_trunc_over_the_change_of_the_clock() -> None:
    row = (
        Sample.objects.filter(text="summer")
        .annotate(
            hour=TruncHour("moment", tzinfo=BERLIN),
            start=TruncDay("moment", tzinfo=BERLIN),
            date=TruncDate("moment", tzinfo=NEW_YORK),
        )
        .get()
    )
    assert row.hour == datetime.datetime(2026, 3, 29, 3, tzinfo=BERLIN)
    assert row.start == datetime.datetime(2026, 3, 29, tzinfo=BERLIN)
    assert row.date == datetime.date(2026, 3, 28)


def test_group_by_month_and_list_datetimes() -> None:
    months = Sample.objects.annotate(m=TruncMonth("moment")).values_list("m").annotate(Count("pk")).order_by("m")
    assert list(months) == [
        (datetime.datetime(2025, 12, 1, tzinfo=UTC), 1),
        (datetime.datetime(2026, 3, 1, tzinfo=UTC), 2),
    ]
    assert list(Sample.objects.dates("moment", "year")) == [datetime.date(2025, 1, 1), datetime.date(2026, 1, 1)]
    assert len(Sample.objects.datetimes("moment", "minute", tzinfo=BERLIN)) == 3


def test_durations() -> None:
    took = timedelta(days=-3, hours=5, microseconds=7)
    Sample.objects.filter(text="winter").update(took=took)
    assert Sample.objects.get(took=took).text == "winter"
    assert Sample.objects.filter(took__lt=timedelta(0)).count() == 1
    later = ExpressionWrapper(F("moment") + F("took"), output_field=DateTimeField())
    assert Sample.objects.annotate(later=later).get(text="winter").later == WINTER + took


def test_arithmetic_with_moments() -> None:
    assert Sample.objects.filter(moment__lt=F("moment") + timedelta(microseconds=1)).count() == 3
    Sample.objects.filter(text="winter").update(moment=F("moment") + timedelta(microseconds=2))
    assert Sample.objects.get(text="winter").moment == SUMMER
    first_last = Sample.objects.aggregate(first=Min("moment"), last=Max("moment"), gap=Max("moment") - Min("moment"))
    assert first_last["gap"] == SUMMER - NEW_YEAR


def test_a_duration_stands_on_either_side() -> None:
    second = timedelta(seconds=1)
    assert Sample.objects.filter(moment__lt=second + F("moment")).count() == 3
    both = ExpressionWrapper(Value(WINTER) + Value(second), output_field=DateTimeField())
    assert Sample.objects.annotate(both=both).first().both == WINTER + second  # type: ignore[union-attr]


def test_a_duration_times_a_decimal_is_a_duration() -> None:
    Sample.objects.update(took=timedelta(microseconds=3), exact=Decimal("2.5"))
    product = ExpressionWrapper(F("took") * F("exact"), output_field=DurationField())
    assert {row.product for row in Sample.objects.annotate(product=product)} == {timedelta(microseconds=8)}


def test_times_of_day() -> None:
    times = [datetime.time(9), datetime.time(9, 0, 0, 1), datetime.time(23, 59, 59, 999999), datetime.time(0)]
    Sample.objects.bulk_create([Sample(time=time) for time in times])
    assert list(Sample.objects.exclude(time=None).order_by("time").values_list("time", flat=True)) == sorted(times)
    assert Sample.objects.filter(time__gt=datetime.time(9), time__hour=9).count() == 1


def test_now_is_utc_now() -> None:
    assert Sample.objects.filter(moment__lt=Now()).count() == 3
    Sample.objects.filter(text="winter").update(moment=Now())
    assert abs(Sample.objects.get(text="winter").moment - timezone.now()) < timedelta(minutes=1)


def test_early_and_late_years() -> None:
    moments = [datetime.datetime(1, 1, 1, tzinfo=UTC), datetime.datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)]
    made = Sample.objects.bulk_create([Sample(moment=moment, day=moment.date()) for moment in moments])
    rows = Sample.objects.filter(pk__in=[sample.pk for sample in made]).order_by("moment")
    assert [(row.moment, row.day) for row in rows] == [(moment, moment.date()) for moment in moments]
