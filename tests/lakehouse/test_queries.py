from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connections
from django.db.models import (
    Avg,
    Case,
    CharField,
    Count,
    DecimalField,
    Exists,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    StdDev,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import (
    SHA256,
    Cast,
    Chr,
    Coalesce,
    Lag,
    Least,
    Length,
    Lower,
    Ord,
    Pi,
    Rank,
    RowNumber,
    StrIndex,
)
from django.test.utils import CaptureQueriesContext

from tests.lakehouse.testapp.models import Part, Shelf
from workbench.router import LAKEHOUSE


@pytest.fixture(autouse=True)
def parts(lakehouse: Path) -> None:
    """Five parts on two shelves, one part without a shelf or stock."""
    upper, lower, _ = Shelf.objects.bulk_create([Shelf(name=name) for name in ("upper", "lower", "empty")])
    rows = [("bolt", upper, 4, "0.10"), ("cog", lower, 4, "0.20"), ("nut", upper, 1, "0.70"), ("pin", lower, 9, "2.00")]
    parts = [Part(name=name, shelf=shelf, stock=stock, price=Decimal(price)) for name, shelf, stock, price in rows]
    Part.objects.bulk_create([*parts, Part(name="spare", price=Decimal("0.00"))])


def names(rows: object) -> list[str]:
    return [row.name for row in rows]  # type: ignore[attr-defined]


def test_nulls_come_first_upwards_and_last_downwards() -> None:
    assert names(Part.objects.order_by("stock", "name")) == ["spare", "nut", "bolt", "cog", "pin"]
    assert names(Part.objects.order_by("-stock", "-name")) == ["pin", "cog", "bolt", "nut", "spare"]
    assert names(Part.objects.order_by(F("stock").asc(nulls_last=True), "name"))[-1] == "spare"
    assert names(Part.objects.order_by(F("stock").desc(nulls_first=True), "name"))[0] == "spare"


def test_slices() -> None:
    rows = Part.objects.order_by("name")
    assert names(rows[1:3]) == ["cog", "nut"]
    assert names(rows[3:]) == ["pin", "spare"]
    assert rows[0].name == "bolt" and rows.reverse()[0].name == rows.last().name == "spare"  # type: ignore[union-attr]
    assert rows[1:3].count() == 2 and not rows[5:].exists()


def test_aggregates() -> None:
    found = Part.objects.aggregate(
        total=Sum("price"),
        shelves=Count("shelf", distinct=True),
        cheap=Count("pk", filter=Q(price__lt=1)),
        mean=Avg("stock"),
        spread=StdDev("stock"),
        least=Min("name"),
        most=Max("price"),
    )
    assert found["spread"] == pytest.approx(2.8722813)
    assert {**found, "spread": 0} == {
        "total": Decimal("3.00"),
        "shelves": 2,
        "cheap": 4,
        "mean": 4.5,
        "spread": 0,
        "least": "bolt",
        "most": Decimal("2.00"),
    }


def test_aggregates_of_nothing() -> None:
    nothing = Part.objects.filter(name="none")
    assert nothing.aggregate(Sum("price"), Avg("stock"), n=Count("pk")) == {
        "price__sum": None,
        "stock__avg": None,
        "n": 0,
    }
    assert Part.objects.none().aggregate(total=Sum("stock", default=0)) == {"total": 0}


def test_group_by_with_having() -> None:
    rows = (
        Part.objects.values("shelf__name")
        .annotate(n=Count("pk"), worth=Sum(F("price") * F("stock")))
        .order_by("n", "shelf__name")
    )
    assert list(rows.values_list("shelf__name", "n", "worth")) == [
        (None, 1, None),
        ("lower", 2, Decimal("18.80")),
        ("upper", 2, Decimal("1.10")),
    ]
    assert list(rows.filter(worth__gt=2).values_list("shelf__name", flat=True)) == ["lower"]
    assert dict(Shelf.objects.annotate(n=Count("parts")).values_list("name", "n")) == {
        "upper": 2,
        "lower": 2,
        "empty": 0,
    }


def test_window_functions() -> None:
    by_name = {"order_by": "name"}
    rows = (
        Part.objects.filter(shelf__isnull=False)
        .annotate(
            row=Window(RowNumber(), partition_by="shelf", **by_name),
            rank=Window(Rank(), order_by=F("stock").desc()),
            before=Window(Lag("name", default=Value("-")), **by_name),
            running=Window(Sum("stock"), **by_name),
        )
        .order_by("name")
    )
    assert list(rows.values_list("name", "row", "rank", "before", "running")) == [
        ("bolt", 1, 2, "-", 4),
        ("cog", 1, 2, "bolt", 8),
        ("nut", 2, 4, "cog", 9),
        ("pin", 2, 1, "nut", 18),
    ]
    assert set(names(rows.filter(row=1))) == {"bolt", "cog"}


def test_subquery_and_exists() -> None:
    best = Part.objects.filter(shelf=OuterRef("pk")).order_by("-price").values("name")[:1]
    rows = Shelf.objects.annotate(best=Subquery(best), used=Exists(Part.objects.filter(shelf=OuterRef("pk")))).order_by(
        "name"
    )
    assert list(rows.values_list("name", "best", "used")) == [
        ("empty", None, False),
        ("lower", "pin", True),
        ("upper", "nut", True),
    ]
    assert set(names(Part.objects.filter(shelf__in=Shelf.objects.filter(name="lower")))) == {"cog", "pin"}
    assert names(Shelf.objects.filter(~Exists(Part.objects.filter(shelf=OuterRef("pk"))))) == ["empty"]


def test_joins_are_one_query_and_prefetches_two() -> None:
    with CaptureQueriesContext(connections[LAKEHOUSE]) as queries:
        found = {part.name: part.shelf and part.shelf.name for part in Part.objects.select_related("shelf")}
    assert found == {"bolt": "upper", "cog": "lower", "nut": "upper", "pin": "lower", "spare": None}
    assert len(queries) == 1
    with CaptureQueriesContext(connections[LAKEHOUSE]) as queries:
        shelves = {shelf.name: len(shelf.parts.all()) for shelf in Shelf.objects.prefetch_related("parts")}
    assert shelves == {"upper": 2, "lower": 2, "empty": 0}
    assert len(queries) == 2


def test_reverse_joins_and_negation() -> None:
    assert names(Shelf.objects.filter(parts__price__gt=1)) == ["lower"]
    assert set(names(Shelf.objects.exclude(parts__price__gt=1))) == {"upper", "empty"}
    assert names(Part.objects.exclude(stock__gte=0)) == ["spare"]
    assert Part.objects.filter(Q(shelf__name="upper") | Q(stock=None)).count() == 3


def test_sets_of_rows() -> None:
    few, cheap = Part.objects.filter(stock__lt=5), Part.objects.filter(price__lt="0.5")
    assert names(few.union(cheap).order_by("name")) == ["bolt", "cog", "nut", "spare"]
    assert len(few.union(cheap, all=True)) == 6
    assert set(names(few.intersection(cheap))) == {"bolt", "cog"}
    assert set(names(few.difference(cheap))) == {"nut"}
    assert names(few.union(cheap).order_by("-name")[1:3]) == ["nut", "cog"]


def test_case_when_and_values() -> None:
    level = Case(
        When(stock__gte=5, then=Value("many")), When(stock__isnull=True, then=Value("none")), default=Value("few")
    )
    rows = Part.objects.annotate(level=level).values("level").annotate(n=Count("pk")).order_by("level")
    assert list(rows.values_list("level", "n")) == [("few", 3), ("many", 1), ("none", 1)]
    assert Part.objects.annotate(level=level).filter(level="many").get().name == "pin"


def test_distinct_in_bulk_and_dates_of_nothing() -> None:
    assert list(Part.objects.order_by("stock").values_list("stock", flat=True).distinct()) == [None, 1, 4, 9]
    found = Part.objects.in_bulk(list(Part.objects.values_list("pk", flat=True)))
    assert sorted(part.name for part in found.values()) == ["bolt", "cog", "nut", "pin", "spare"]
    assert Part.objects.filter(pk__in=[]).count() == 0


def test_group_by_an_expression_with_a_value_and_use_it_again() -> None:
    rows = Part.objects.annotate(level=Coalesce("stock", 4)).values("level")
    found = rows.annotate(cheapest=Min("price"), least=Least("cheapest", "level", output_field=DecimalField()))
    assert sorted(found.values_list("level", "least")) == [
        (1, Decimal("0.70")),
        (4, Decimal("0.00")),
        (9, Decimal("2.00")),
    ]


def test_a_cast_to_text_of_a_length_cuts() -> None:
    assert Part.objects.annotate(short=Cast("name", CharField(max_length=2))).get(name="spare").short == "sp"


def test_a_row_may_be_made_from_expressions() -> None:
    made = Part.objects.create(name=Lower(Value("NUT")), price=Pi(), stock=Value(3) + Value(4))
    assert Part.objects.values_list("name", "price", "stock").get(pk=made.pk) == ("nut", Decimal("3.14"), 7)


def test_explain() -> None:
    with CaptureQueriesContext(connections[LAKEHOUSE]) as queries:
        assert Part.objects.filter(stock__gt=3).explain()
    assert len(queries) == 1 and queries[0]["sql"].startswith("EXPLAIN SELECT")


def test_thousands_of_values_in_one_lookup() -> None:
    keys = [f"none-{n}" for n in range(5000)] + list(Part.objects.values_list("pk", flat=True))
    assert Part.objects.filter(pk__in=keys).count() == 5


def test_arithmetic_and_coalesce() -> None:
    rows = Part.objects.annotate(left=Coalesce("stock", 0) % 3, half=Coalesce("stock", 0) / 2).order_by("name")
    assert list(rows.values_list("left", flat=True)) == [1, 1, 1, 0, 0]


def test_functions_that_databricks_spells_its_own_way() -> None:
    row = Part.objects.annotate(
        sha=SHA256("name"),
        at=StrIndex("name", Value("o")),
        length=Length("name"),
        letter=Chr(Ord("name")),
        least=Least("stock", Value(3)),
        power=F("stock") ** 2,
        bits=F("stock").bitxor(5),
    ).get(name="bolt")
    assert row.sha == hashlib.sha256(b"bolt").hexdigest()
    assert (row.at, row.length, row.letter, row.least, row.power, row.bits) == (2, 4, "b", 3, 16, 1)
    assert Part.objects.annotate(least=Least("stock", Value(3))).get(name="spare").least == 3


def test_model_raw() -> None:
    rows = Part.objects.raw("SELECT id, name, stock * 2 AS twice FROM testapp_part WHERE name = %s", ["pin"])
    assert [(row.name, row.twice) for row in rows] == [("pin", 18)]
    rows = Part.objects.raw("SELECT * FROM testapp_part WHERE name LIKE %(like)s", {"like": "n%"})
    assert names(rows) == ["nut"]


def test_the_log_of_statements() -> None:
    with CaptureQueriesContext(connections[LAKEHOUSE]) as queries:
        list(Part.objects.filter(name="it's 100%"))
    assert "`name` = 'it\\'s 100%'" in queries[0]["sql"]


def test_many_names_are_one_parameter() -> None:
    with CaptureQueriesContext(connections[LAKEHOUSE]) as queries:
        found = Part.objects.filter(name__among=["cog", "pin", "missing"]).values_list("name", flat=True)
        assert sorted(found) == ["cog", "pin"]
    assert "IN (SELECT EXPLODE(CAST(" in queries[0]["sql"]
    assert not Part.objects.filter(name__among=[]).exists()
