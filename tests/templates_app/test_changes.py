"""Field-level changes: named as a reader would, and exactly undone and redone."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from templates_app.changes import changes_between, folded, parsed, replay, revert, written
from workbench.canonical import canonical_bytes

KEYS = st.text(max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 1.5]) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
SLOW_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def same(one: Any, other: Any) -> bool:
    return canonical_bytes(one) == canonical_bytes(other)


@SLOW_MACHINE
@given(JSON, JSON)
def test_replayed_forwards_gives_the_new_and_backwards_the_old(old: Any, new: Any) -> None:
    changes = changes_between(old, new)
    assert same(replay(old, changes), new)
    assert same(revert(new, changes), old)
    assert bool(changes) == (not same(old, new))


@SLOW_MACHINE
@given(st.lists(JSON, min_size=1, max_size=5))
def test_a_whole_history_is_undone_to_its_beginning(values: list[Any]) -> None:
    history = [change for old, new in pairwise(values) for change in changes_between(old, new)]
    assert same(revert(values[-1], history), values[0])
    assert same(replay(values[0], history), values[-1])


@SLOW_MACHINE
@given(st.lists(KEYS | st.integers(0, 99), max_size=5))
def test_a_path_is_read_as_it_was_written(steps: list[str | int]) -> None:
    assert parsed(written(steps)) == tuple(steps)


def test_changes_are_named_by_field_and_row() -> None:
    old = {"header": {"nomor": "1"}, "personel": [{"nrp": "77"}, {"nrp": "78"}]}
    new = {"header": {"nomor": "1", "perihal": "x"}, "personel": [{"nrp": "79"}]}
    assert changes_between(old, new) == [
        {"field_path": "header.perihal", "old_value": None, "new_value": "x", "op": "add"},
        {"field_path": "personel[0].nrp", "old_value": "77", "new_value": "79"},
        {"field_path": "personel[1]", "old_value": {"nrp": "78"}, "new_value": None, "op": "remove"},
    ]


def test_a_text_answer_changes_as_a_whole() -> None:
    assert changes_between("good", "bad") == [{"field_path": "$", "old_value": "good", "new_value": "bad"}]


def test_one_and_true_are_different_values() -> None:
    assert changes_between({"n": 1}, {"n": True}) == [{"field_path": "n", "old_value": 1, "new_value": True}]


def test_a_history_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="n does not fit: found 3, expected 2"):
        revert({"n": 3}, [{"field_path": "n", "old_value": 1, "new_value": 2}])


def test_rows_fold_into_their_field() -> None:
    assert folded("personel[10].aliases[2]") == "personel[].aliases[]"
