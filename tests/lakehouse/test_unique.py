from __future__ import annotations

from pathlib import Path

import pytest
from django.db import IntegrityError

from tests.lakehouse.testapp.models import Part, Place, Shelf

pytestmark = pytest.mark.usefixtures("lakehouse")


@pytest.fixture
def two(lakehouse: Path) -> tuple[Part, Part]:
    return Part.objects.create(name="bolt", code="A"), Part.objects.create(name="nut", code="B")


def test_create_refuses_a_code_that_is_taken(two: tuple[Part, Part]) -> None:
    with pytest.raises(IntegrityError, match="code"):
        Part.objects.create(name="copy", code="A")
    assert Part.objects.count() == 2


def test_create_refuses_a_key_that_is_taken(two: tuple[Part, Part]) -> None:
    with pytest.raises(IntegrityError, match="id"):
        Part.objects.create(pk=two[0].pk, name="copy", code="C")
    assert Part.objects.get(pk=two[0].pk).name == "bolt"


def test_save_refuses_a_code_that_is_taken(two: tuple[Part, Part]) -> None:
    two[1].code = "A"
    with pytest.raises(IntegrityError):
        two[1].save()
    assert Part.objects.get(pk=two[1].pk).code == "B"


def test_save_keeps_its_own_code(two: tuple[Part, Part]) -> None:
    two[0].name = "long bolt"
    two[0].save()
    assert Part.objects.values_list("name", "code").get(pk=two[0].pk) == ("long bolt", "A")


def test_update_refuses_one_value_for_two_rows(two: tuple[Part, Part]) -> None:
    with pytest.raises(IntegrityError):
        Part.objects.update(code="C")
    assert set(Part.objects.values_list("code", flat=True)) == {"A", "B"}


def test_update_refuses_a_code_that_another_row_has(two: tuple[Part, Part]) -> None:
    with pytest.raises(IntegrityError):
        Part.objects.filter(name="nut").update(code="A", name="thief")
    assert not Part.objects.filter(name="thief").exists()


def test_update_may_set_many_codes_to_null(two: tuple[Part, Part]) -> None:
    assert Part.objects.update(code=None) == 2
    assert Part.objects.filter(code=None).count() == 2


def test_bulk_update_may_swap_two_codes(two: tuple[Part, Part]) -> None:
    two[0].code, two[1].code = "B", "A"
    assert Part.objects.bulk_update(two, ["code"]) == 2
    assert dict(Part.objects.values_list("name", "code")) == {"bolt": "B", "nut": "A"}


def test_bulk_update_refuses_a_clash(two: tuple[Part, Part]) -> None:
    Part.objects.create(name="cog", code="C")
    two[0].code, two[1].code = "D", "C"
    with pytest.raises(IntegrityError):
        Part.objects.bulk_update(two, ["code"])
    assert set(Part.objects.values_list("code", flat=True)) == {"A", "B", "C"}


def test_bulk_create_writes_nothing_when_one_row_clashes(two: tuple[Part, Part]) -> None:
    with pytest.raises(IntegrityError):
        Part.objects.bulk_create([Part(name="new", code="N"), Part(name="copy", code="A")])
    assert Part.objects.count() == 2


def test_bulk_create_refuses_a_code_twice_in_one_batch() -> None:
    with pytest.raises(IntegrityError):
        Part.objects.bulk_create([Part(name="one", code="N"), Part(name="two", code="N")])
    assert not Part.objects.exists()


def test_nulls_are_distinct() -> None:
    Part.objects.create(name="one")
    Part.objects.bulk_create([Part(name="two"), Part(name="three", code=None)])
    assert Part.objects.filter(code__isnull=True).count() == 3


def test_columns_that_are_unique_together() -> None:
    Place.objects.bulk_create([Place(row=1, column=1), Place(row=1, column=2), Place(row=2, column=1)])
    Place.objects.bulk_create([Place(row=1, column=None), Place(row=1, column=None)])
    with pytest.raises(IntegrityError, match="row"):
        Place.objects.create(row=1, column=2)
    with pytest.raises(IntegrityError):
        Place.objects.filter(row=1, column=2).update(column=1)
    assert Place.objects.filter(row=1).count() == 4


def test_case_and_blanks_make_a_code_another_one(two: tuple[Part, Part]) -> None:
    Part.objects.bulk_create([Part(name="x", code=code) for code in ("a", "A ", " A", "'A'", "Ä")])
    assert Part.objects.count() == 7


def test_full_clean_says_it_before_the_table_does(two: tuple[Part, Part]) -> None:
    clash = Shelf(name="top")
    Shelf.objects.create(name="top")
    with pytest.raises(Exception, match="already exists"):
        clash.full_clean()
