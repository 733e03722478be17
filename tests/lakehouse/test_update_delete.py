from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from deltalake import DeltaTable
from django.db import IntegrityError
from django.db.models import Avg, Case, Count, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Concat, Upper
from pytest_django import DjangoAssertNumQueries

from tests.lakehouse.testapp.models import Part, Shelf, Tag
from workbench.lakehouse import operations
from workbench.router import LAKEHOUSE


@pytest.fixture(autouse=True)
def parts(lakehouse: Path) -> None:
    """Two shelves; bolts and nuts on the upper, a cog on the lower, a spare nowhere."""
    upper, lower = Shelf.objects.bulk_create([Shelf(name="upper"), Shelf(name="lower")])
    rows = [("bolt", upper, 1), ("nut", upper, 2), ("cog", lower, 3), ("spare", None, None)]
    Part.objects.bulk_create(
        [Part(name=name, shelf=shelf, stock=stock, code=name[0], price="1.50") for name, shelf, stock in rows]
    )


def stocks() -> dict[str, int | None]:
    return dict(Part.objects.values_list("name", "stock"))


def test_update_counts_the_rows_it_matched() -> None:
    assert Part.objects.filter(stock__gte=2).update(stock=9) == 2
    assert Part.objects.filter(stock=9).update(stock=9) == 2
    assert Part.objects.filter(name="none").update(stock=1) == 0
    assert stocks() == {"bolt": 1, "nut": 9, "cog": 9, "spare": None}


def test_an_update_of_nothing_commits_nothing(delta: Callable[[str], DeltaTable]) -> None:
    before = delta("testapp_part").version()
    Part.objects.filter(name="none").update(stock=1)
    Part.objects.filter(name="none").delete()
    assert delta("testapp_part").version() == before


def test_update_through_a_join() -> None:
    assert Part.objects.filter(shelf__name="upper").update(stock=F("stock") + 10) == 2
    assert stocks() == {"bolt": 11, "nut": 12, "cog": 3, "spare": None}


def test_update_from_a_subquery() -> None:
    name = Shelf.objects.filter(pk=OuterRef("shelf")).values("name")
    assert Part.objects.update(name=Coalesce(Subquery(name), Value("nowhere")), price=F("price") * 2) == 4
    assert sorted(Part.objects.values_list("name", flat=True)) == ["lower", "nowhere", "upper", "upper"]


def test_a_null_where_none_may_be_changes_nothing() -> None:
    name = Shelf.objects.filter(pk=OuterRef("shelf")).values("name")
    with pytest.raises(IntegrityError, match="NOT NULL"):
        Part.objects.update(name=Subquery(name))
    assert Part.objects.get(stock=1).name == "bolt"


def test_update_where_exists() -> None:
    full = Part.objects.filter(shelf=OuterRef("pk"), stock__gt=2)
    assert Shelf.objects.filter(Exists(full)).update(name=Upper("name")) == 1
    assert set(Shelf.objects.values_list("name", flat=True)) == {"upper", "LOWER"}


def test_update_where_not_in_a_subquery() -> None:
    used = Part.objects.filter(shelf__isnull=False).values("shelf")
    Shelf.objects.create(name="empty")
    assert Shelf.objects.exclude(pk__in=used).update(name="to let") == 1


def test_update_with_case() -> None:
    level = Case(When(stock__gt=1, then=Value("many")), When(stock=1, then=Value("one")), default=Value("none"))
    assert Part.objects.update(name=Concat("name", Value(": "), level)) == 4
    assert set(Part.objects.values_list("name", flat=True)) == {"bolt: one", "nut: many", "cog: many", "spare: none"}


def test_update_against_an_aggregate_of_the_same_table() -> None:
    mean = Part.objects.order_by().values("shelf").annotate(mean=Avg("stock")).values("mean")
    above = Part.objects.filter(stock__gt=Subquery(mean.filter(shelf=OuterRef("shelf"))))
    assert above.update(price="9.99") == 1
    assert Part.objects.get(price=Decimal("9.99")).name == "nut"


def test_delete_counts_every_model() -> None:
    assert Shelf.objects.filter(name="upper").delete() == (3, {"testapp.Part": 2, "testapp.Shelf": 1})
    assert set(Part.objects.values_list("name", flat=True)) == {"cog", "spare"}


def test_delete_through_a_join() -> None:
    count, _ = Part.objects.filter(Q(shelf__name="lower") | Q(shelf=None)).delete()
    assert count == 2
    assert set(Part.objects.values_list("name", flat=True)) == {"bolt", "nut"}


def test_delete_where_exists() -> None:
    crowded = Shelf.objects.annotate(n=Count("parts")).filter(n__gt=1, pk=OuterRef("shelf"))
    assert Part.objects.filter(Exists(crowded)).delete()[0] == 2


def test_raw_delete_says_how_many() -> None:
    assert Part.objects.filter(shelf__name="upper")._raw_delete("lakehouse") == 2
    assert Part.objects.all()._raw_delete("lakehouse") == 2


def test_many_to_many() -> None:
    part = Part.objects.get(name="bolt")
    red, round_ = Tag.objects.bulk_create([Tag(word="red"), Tag(word="round")])
    part.tags.add(red, round_)
    part.tags.add(red)
    assert set(part.tags.values_list("word", flat=True)) == {"red", "round"}
    part.tags.set([red])
    assert [tag.word for tag in Part.objects.prefetch_related("tags").get(pk=part.pk).tags.all()] == ["red"]


def test_save_update_fields_leaves_the_rest() -> None:
    one, same = Part.objects.get(name="cog"), Part.objects.get(name="cog")
    one.stock, same.price = 8, Decimal("2.25")
    one.save(update_fields=["stock"])
    same.save(update_fields=["price"])
    assert Part.objects.values_list("stock", "price").get(name="cog") == (8, Decimal("2.25"))


def test_many_rows_are_updated_some_at_a_time(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(operations, "UPDATED_TOGETHER", 4)
    parts = list(Part.objects.order_by("name"))
    for number, part in enumerate(parts):
        part.stock, part.price = number, Decimal(number)
    with django_assert_num_queries(2, using=LAKEHOUSE):
        assert Part.objects.bulk_update(parts, ["stock", "price"]) == 4
    assert list(Part.objects.order_by("name").values_list("stock", flat=True)) == [0, 1, 2, 3]
