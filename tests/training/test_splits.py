from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training.splits import split_of

# The first text drawn on a machine builds tables, which on a busy one looks like a slow test.
SLOW_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

fractions = st.floats(0, 1)


@settings(SLOW_MACHINE)
@given(st.text(), fractions, fractions)
def test_a_larger_fraction_moves_no_item_back_to_train(item: str, one: float, other: float) -> None:
    if split_of(item, min(one, other)) == "validation":
        assert split_of(item, max(one, other)) == "validation"


def test_the_fraction_is_met_and_its_ends_are_exact() -> None:
    items = [f"item-{n}" for n in range(4000)]
    share = sum(split_of(item, 0.1) == "validation" for item in items) / len(items)
    assert 0.08 < share < 0.12
    assert {split_of(item, 0) for item in items} == {"train"}
    assert {split_of(item, 1) for item in items} == {"validation"}


def test_an_item_stays_where_it_was_in_earlier_versions() -> None:
    assert [split_of(f"pcb_{n:03}", 0.5) for n in range(6)] == [
        "validation",
        "validation",
        "validation",
        "validation",
        "train",
        "train",
    ]


def test_a_fraction_outside_is_refused() -> None:
    with pytest.raises(ValueError, match=r"fraction 10; allowed are 0 to 1"):
        split_of("a", 10)
