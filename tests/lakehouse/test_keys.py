from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import polars
from deltalake import DeltaTable

from tests.lakehouse.testapp.models import Line, Part, Shelf
from workbench.lakehouse.ids import uuid5_of, uuid7


def test_keys_made_one_after_the_other_sort_in_that_order() -> None:
    keys = [uuid7() for _ in range(5000)]
    assert keys == sorted(set(keys))
    assert {UUID(key).version for key in keys} == {7}


def test_a_key_made_from_names_is_the_same_everywhere() -> None:
    assert uuid5_of("sheet", "item-1") == "54fc5dff-b2f7-5735-8b30-4ab5e4de8384"
    assert uuid5_of("sheet", "item-1") != uuid5_of("sheetitem", "-1")


def test_ten_thousand_rows_are_one_commit(
    delta: Callable[[str], DeltaTable], frame: Callable[[str], polars.DataFrame]
) -> None:
    before = delta("testapp_part").version()
    parts = Part.objects.bulk_create([Part(name=f"part {n}", code=f"c{n}", stock=n) for n in range(10_000)])
    assert delta("testapp_part").version() == before + 1
    assert sorted(frame("testapp_part")["id"]) == sorted(part.pk for part in parts)
    assert Part.objects.count() == 10_000


def test_bulk_create_gives_the_objects_their_keys(lakehouse: object) -> None:
    shelves = Shelf.objects.bulk_create([Shelf(name="a"), Shelf(name="b")])
    assert {shelf.pk: shelf.name for shelf in shelves} == dict(Shelf.objects.values_list("pk", "name"))


def test_a_batch_size_splits_into_as_many_commits(delta: Callable[[str], DeltaTable]) -> None:
    before = delta("testapp_line").version()
    Line.objects.bulk_create([Line(sheet="pcb") for _ in range(10)], batch_size=5)
    assert delta("testapp_line").version() == before + 2
