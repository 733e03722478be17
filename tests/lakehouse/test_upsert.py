from __future__ import annotations

from collections.abc import Callable

import pytest
from deltalake import DeltaTable
from django.db import IntegrityError
from django.db.models import F

from tests.lakehouse.testapp.models import Part, Place, Shelf

pytestmark = pytest.mark.usefixtures("lakehouse")


def test_ignore_conflicts_writes_only_what_is_new() -> None:
    Part.objects.create(name="bolt", code="A", stock=1)
    Part.objects.bulk_create(
        [Part(name="copy", code="A"), Part(name="nut", code="B"), Part(name="again", code="B")], ignore_conflicts=True
    )
    assert set(Part.objects.values_list("name", "code")) == {("bolt", "A"), ("nut", "B")}


def test_update_conflicts_updates_and_inserts_in_one_commit(delta: Callable[[str], DeltaTable]) -> None:
    old = Part.objects.create(name="bolt", code="A", stock=1)
    before = delta("testapp_part").version()
    Part.objects.bulk_create(
        [Part(name="other name", code="A", stock=5), Part(name="nut", code="B", stock=2)],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["stock"],
    )
    assert delta("testapp_part").version() == before + 1
    assert set(Part.objects.values_list("name", "code", "stock")) == {("bolt", "A", 5), ("nut", "B", 2)}
    assert Part.objects.get(code="A").pk == old.pk


def test_update_conflicts_by_two_columns() -> None:
    Place.objects.bulk_create([Place(row=1, column=1, note="old"), Place(row=1, column=2, note="kept")])
    Place.objects.bulk_create(
        [Place(row=1, column=1, note="new"), Place(row=2, column=2, note="added")],
        update_conflicts=True,
        unique_fields=["row", "column"],
        update_fields=["note"],
    )
    assert set(Place.objects.values_list("row", "column", "note")) == {(1, 1, "new"), (1, 2, "kept"), (2, 2, "added")}


def test_update_conflicts_by_primary_key() -> None:
    old = Shelf.objects.create(name="top")
    Shelf.objects.bulk_create(
        [Shelf(pk=old.pk, name="upper")], update_conflicts=True, unique_fields=["pk"], update_fields=["name"]
    )
    assert Shelf.objects.get().name == "upper"


def test_update_conflicts_refuses_a_clash_on_another_unique_column() -> None:
    old = Shelf.objects.create(name="top")
    Shelf.objects.create(name="low")
    with pytest.raises(IntegrityError):
        Shelf.objects.bulk_create(
            [Shelf(pk=old.pk, name="low")], update_conflicts=True, unique_fields=["pk"], update_fields=["name"]
        )
    assert set(Shelf.objects.values_list("name", flat=True)) == {"top", "low"}


def test_update_or_create() -> None:
    first, created = Part.objects.update_or_create(code="A", defaults={"name": "bolt"}, create_defaults={"name": "new"})
    assert (first.name, created) == ("new", True)
    second, created = Part.objects.update_or_create(code="A", defaults={"name": "bolt"})
    assert (second.pk, second.name, created) == (first.pk, "bolt", False)
    assert Part.objects.get().name == "bolt"


def test_update_or_create_with_an_expression() -> None:
    Part.objects.create(name="bolt", code="A", stock=4)
    part, _ = Part.objects.update_or_create(code="A", defaults={"stock": F("stock") + 1})
    part.refresh_from_db()
    assert part.stock == 5


def test_get_or_create() -> None:
    first, created = Shelf.objects.get_or_create(name="top")
    again, created_again = Shelf.objects.get_or_create(name="top")
    assert (created, created_again, first.pk) == (True, False, again.pk)


def test_an_empty_bulk_create_commits_nothing(delta: Callable[[str], DeltaTable]) -> None:
    before = delta("testapp_part").version()
    assert Part.objects.bulk_create([]) == []
    assert delta("testapp_part").version() == before
