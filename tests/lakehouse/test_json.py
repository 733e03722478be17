from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars
import pytest
from django.db.models import Case, Count, F, IntegerField, JSONField, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.lakehouse.testapp.models import Sample

ROWS: dict[str, Any] = {
    "dict": {"kind": "scratch", "n": 5, "deep": {"list": [1, {"x": "y"}]}, "flag": True, "none": None},
    "other": {"kind": "Bridge 100%", "n": 10, "deep": {"list": []}},
    "list": [1, "two", {"three": 3}],
    "text": "scratch",
    "number": 5,
    "json null": Value(None, JSONField()),
    "sql null": None,
    "odd": {"it's": 1, "50%": 3, "a\\b": 4, "%s": 5, "dot.ted": 7, "日本": 8, "$": 9, "0": 10},
}


@pytest.fixture(autouse=True)
def samples(lakehouse: Path) -> None:
    Sample.objects.bulk_create([Sample(text=text, data=data) for text, data in ROWS.items()])


def found(**lookups: Any) -> set[str | None]:
    return set(Sample.objects.filter(**lookups).values_list("text", flat=True))


@pytest.mark.parametrize(
    ("lookup", "value", "texts"),
    [
        ("data__kind", "scratch", {"dict"}),
        ("data__n", 5, {"dict"}),
        ("data__n", "5", set()),
        ("data__flag", True, {"dict"}),
        ("data__none", None, {"dict"}),
        ("data__deep__list__0", 1, {"dict"}),
        ("data__deep__list__1__x", "y", {"dict"}),
        ("data__deep__list", [], {"other"}),
        ("data__deep", {"list": []}, {"other"}),
        ("data__1", "two", {"list"}),
        ("data__2__three", 3, {"list"}),
        ("data__kind__in", ["scratch", "Bridge 100%"], {"dict", "other"}),
        ("data__n__in", [5, 7], {"dict"}),
        ("data__n__gt", 5, {"other"}),
        ("data__n__gte", 5, {"dict", "other"}),
        ("data__n__lt", 9.5, {"dict"}),
        ("data__kind__icontains", "BRIDGE", {"other"}),
        ("data__kind__startswith", "scr", {"dict"}),
        ("data__kind__iendswith", "TCH", {"dict"}),
        ("data__kind__iexact", "SCRATCH", {"dict"}),
        ("data__kind__regex", "^s.*h$", {"dict"}),
        ("data__has_key", "none", {"dict"}),
        ("data__has_keys", ["kind", "flag"], {"dict"}),
        ("data__has_any_keys", ["flag", "it's"], {"dict", "odd"}),
        ("data__deep__has_key", "list", {"dict", "other"}),
        ("data__none__isnull", False, {"dict"}),
        ("data__flag__isnull", False, {"dict"}),
        ("data", {"deep": {"list": []}, "n": 10, "kind": "Bridge 100%"}, {"other"}),
        ("data", [1, "two", {"three": 3}], {"list"}),
        ("data", "scratch", {"text"}),
        ("data", 5, {"number"}),
        ("data__isnull", True, {"sql null"}),
        ("data", Value(None, JSONField()), {"json null"}),
    ],
)
def test_lookup(lookup: str, value: Any, texts: set[str]) -> None:
    assert found(**{lookup: value}) == texts


def test_a_missing_key_is_null() -> None:
    assert found(data__flag__isnull=True) == set(ROWS) - {"dict"}
    assert "dict" not in Sample.objects.exclude(data__kind="scratch").values_list("text", flat=True)


@pytest.mark.parametrize(("key", "value"), list(ROWS["odd"].items()))
def test_a_key_may_be_any_text(key: str, value: int) -> None:
    # A number in a lookup is a place in a list.
    assert found(**{f"data__{key}": value}) == (set() if key.isdigit() else {"odd"})
    assert found(data__has_key=key) >= {"odd"}


def test_values_of_keys() -> None:
    rows = Sample.objects.filter(data__has_key="kind").order_by(Cast(KT("data__n"), IntegerField()))
    assert list(rows.values_list("data__kind", "data__n", "data__deep__list")) == [
        ("scratch", 5, [1, {"x": "y"}]),
        ("Bridge 100%", 10, []),
    ]
    assert list(rows.annotate(kind=KT("data__kind")).values_list("kind", flat=True)) == ["scratch", "Bridge 100%"]


def test_group_and_compare_by_key() -> None:
    rows = (
        Sample.objects.filter(data__has_key="n")
        .values("data__n")
        .annotate(count=Count("pk"))
        .order_by("count", "data__n")
    )
    assert sorted([(row["data__n"], row["count"]) for row in rows]) == [(5, 1), (10, 1)]
    assert found(data__kind=F("data__kind")) == {"dict", "other"}
    assert found(data__n__in=[F("data__n"), 7]) == {"dict", "other"}
    assert found(data__kind__in=Sample.objects.filter(text="dict").values("data__kind")) == {"dict"}


def test_a_key_may_be_a_path() -> None:
    assert found(data__has_key=F("data__deep__list")) == {"dict", "other"}
    assert found(data__has_any_keys=[F("data__deep__missing"), "flag"]) == {"dict"}


def test_the_table_holds_canonical_text(frame: Callable[[str], polars.DataFrame]) -> None:
    stored = dict(frame("testapp_sample").select("text", "data").iter_rows())
    assert stored["other"] == '{"deep":{"list":[]},"kind":"Bridge 100%","n":10}'
    assert (stored["json null"], stored["sql null"]) == ("null", None)


def test_update_of_json() -> None:
    Sample.objects.filter(text="text").update(data={"kind": 'it\'s \\ "new" %s 🙂'})
    assert Sample.objects.get(data__kind='it\'s \\ "new" %s 🙂').text == "text"


def test_update_where_a_key_is_null() -> None:
    null, made = Value(None, JSONField()), Value({"kind": "made"}, JSONField())
    Sample.objects.filter(text="dict").update(data=Case(When(data__none=null, then=made)))
    assert Sample.objects.get(text="dict").data == {"kind": "made"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab'\\\"%é", max_size=3), inner, max_size=3),
)


@given(JSON)
@example("\x1f\x7f\u2028")
@settings(
    max_examples=10,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_json_comes_back(data: Any) -> None:
    made = Sample.objects.create(data={"x": data})
    assert Sample.objects.get(pk=made.pk).data == {"x": data}
    assert Sample.objects.filter(pk=made.pk, data={"x": data}).exists()
    assert Sample.objects.filter(pk=made.pk, data__x=data).exists()
