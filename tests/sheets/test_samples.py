"""A sample takes the same items every time."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sheets.items import sample_key
from sheets.models import Sheet
from sheets.reading import count_items, get_item, inspect, iter_items
from tests.sheets.conftest import Table

Boards = Callable[..., Sheet]


def test_a_sample_is_the_same_every_time_and_grows_by_adding(boards: Boards, table: Table) -> None:
    table("shop.raw.many", {"id": [f"item {number}" for number in range(2_000)]})
    plain = {"primary_table": "shop.raw.many", "join_keys": ["id"], "secondary_sources": []}
    small, large = boards(**plain, sample_size=30), boards(**plain, sample_size=100)
    first = [item.ref for item in iter_items(small)]
    assert first == sorted(first) == [item.ref for item in iter_items(small)]
    assert len(first) == count_items(small) == inspect(small).row_count == 30
    assert set(first) < {item.ref for item in iter_items(large)}
    expected = sorted((f"item {number}" for number in range(2_000)), key=lambda ref: sample_key(ref, "shop.raw.many"))
    assert set(first) == set(expected[:30])


def test_pages_of_a_sample_join_up(boards: Boards) -> None:
    sheet = boards(sample_size=3)
    whole = [item.ref for item in iter_items(sheet)]
    assert whole[1:] == [item.ref for item in iter_items(sheet, after=whole[0])]
    assert [get_item(sheet, ref).position for ref in whole] == [0, 1, 2]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(1, 6), page=st.integers(1, 3))
def test_any_pages_give_what_one_reading_gives(boards: Boards, size: int, page: int) -> None:
    sheet, found, after = boards(sample_size=size), [], None
    while items := list(iter_items(sheet, after=after, limit=page)):
        found, after = found + items, items[-1].ref
    assert [item.hash for item in found] == [item.hash for item in iter_items(sheet)]
